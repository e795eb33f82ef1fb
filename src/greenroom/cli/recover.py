"""`greenroom recover`: calendar, database and platform brought together again after a loss."""

import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from greenroom.assembly import wall_clock
from greenroom.cli.desk import asked, chosen, failing, say_who_is_waited_for
from greenroom.cli.exits import Exit
from greenroom.cli.meetings import Moment
from greenroom.cli.options import echo_json, read_settings, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.cli.recover_report import Report, report_json, show_done, show_plan
from greenroom.recovering import open_recovery
from greenroom.scheduler.lending import borrowed
from greenroom.scheduler.recovery.contract import Progress
from greenroom.scheduler.recovery.plan import LISTED, Plan, plan
from greenroom.scheduler.recovery.recover import Options, Recovered, per_minute_of, recover
from greenroom.scheduler.recovery.walking import Reach
from greenroom.settings import Integration, Settings

_EXAMPLES = """\
\b
Examples:
  greenroom recover                          what would be done; at a terminal it asks before it does it
  greenroom recover --yes                    do it, without a question
  greenroom recover --no-updates --yes       rooms for all that is accepted; nobody is written to
  greenroom recover --from today --to 2026-12-24
  greenroom recover --limit 5 --yes          begin with the five that start soonest
  greenroom recover --json                   the plan for a script; nothing is done

\b
After the database was lost, came back from an old backup, or the platform lost its rooms. A running `greenroom serve`
lends the mailbox meanwhile. It can be stopped with Ctrl-C and run again: what is done is not done twice.

\b
Exit code 1: some meetings could not be read or brought to their end, or it was stopped.
"""
_DAY_ALONE = re.compile(r"today|tomorrow|\d{4}-?\d\d-?\d\d", re.ASCII)
_SENDS_ONLINE = 30
"""So many messages a minute Exchange Online lets a mailbox send, for what the plan says of the time that it takes."""
_STEPS = {
    "platform": "Reading the platform's rooms",
    "calendar": "Reading the calendar",
    "recover": "Recovering",
}


class _LastMoment(Moment):
    """The same for an end: a day alone is meant with all its hours."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware time; of a day alone the beginning of the next."""
        at = super().convert(value, param, ctx)
        if isinstance(value, datetime) or not _DAY_ALONE.fullmatch(str(value).strip().lower()):
            return at
        day = (at + timedelta(hours=36)).date()
        return datetime(day.year, day.month, day.day).astimezone()


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Only this integration's mailbox.")
@click.option("--from", "since", type=Moment(), metavar="DAY", help="Only meetings that are not over then.")
@click.option("--to", "until", type=_LastMoment(), metavar="DAY", help="Only meetings that begin until then.")
@click.option("--yes", is_flag=True, help="Do it, without a question.")
@click.option("--no-updates", is_flag=True, help="Provide rooms; write to nobody's meeting and mail nobody.")
@click.option(
    "--per-minute",
    type=click.IntRange(1, 1000),
    help="At most so many meetings get a mail or an update in a minute.  [default: what Exchange allows, else 60]",
)
@click.option("--limit", type=click.IntRange(1), help="Change at most so many, the soonest first.")
@click.option("--all", "everything", is_flag=True, help="List every meeting, also those that are left alone.")
@with_json
def recover_command(
    config_file: Path | None,
    *,
    name: str | None,
    since: datetime | None,
    until: datetime | None,
    yes: bool,
    no_updates: bool,
    per_minute: int | None,
    limit: int | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Bring calendar, database and platform together again, and tell before what would be done.

    The calendar is the truth: where a ticket survives in it, a meeting keeps its alias and nobody is mailed. Without --from
    and --to, meetings that left the calendar are ended, and rooms of no meeting are removed.
    """
    if since is not None and until is not None and until <= since:
        raise click.BadParameter("the end comes before the beginning", param_hint="--to")
    settings = read_settings(config_file, as_json=as_json)
    options = Options(Reach(since, until), updates=not no_updates, per_minute=per_minute, limit=limit)
    reports = []
    for entry in chosen(settings, name):
        with failing(entry, as_json=as_json), shown_progress(_STEPS) as tell:
            all_listed = everything or as_json
            planning = _plan(settings, entry, options, tell, all_listed=all_listed, untouched=everything)
            reports.append(Report(entry, asyncio.run(planning)))
    several = len(reports) > 1
    for report in () if as_json else reports:
        _show(report, options, several=several, everything=everything)
    if any(report.plan.changes for report in reports) and asked(_question(reports, limit), yes=yes, as_json=as_json):
        reports = _carried_out(settings, reports, options, as_json=as_json)
    if as_json:
        echo_json(_as_json(reports, dry_run=not yes))
    sys.exit(Exit.OK if all(_is_well(report, limit) for report in reports) else Exit.PROBLEM)


def _question(reports: Sequence[Report], limit: int | None) -> str:
    count = sum(report.plan.changes for report in reports)
    return "Do this?" if limit is None or limit >= count else f"Do the first {limit} of these?"


def _is_well(report: Report, limit: int | None) -> bool:
    """Whether nobody has to look after it; an end that was asked for by a limit is none that has to be explained."""
    done = report.done
    stopped = (
        done is not None and done.stopped and done.changed < min(report.plan.changes, limit or report.plan.changes)
    )
    return report.is_clear and not stopped


async def _plan(
    settings: Settings, entry: Integration, options: Options, tell: Progress, *, all_listed: bool, untouched: bool
) -> Plan:
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        return await plan(
            desk.integration,
            desk.storage,
            wall_clock,
            reach=options.reach,
            updates=options.updates,
            listed=None if all_listed else LISTED,
            untouched=untouched,
            progress=tell,
        )


def _show(report: Report, options: Options, *, several: bool, everything: bool) -> None:
    sends = _SENDS_ONLINE if report.entry.exchange.protocol == "graph" else None
    pace = per_minute_of(options, sends)
    show_plan(report, several=several, everything=everything, updates=options.updates, per_minute=pace)


def _carried_out(settings: Settings, reports: Sequence[Report], options: Options, *, as_json: bool) -> list[Report]:
    """Carry one plan out after the other and show what came of each; whoever stops one does not want the next."""
    found: list[Report] = []
    for report in reports:
        if not report.plan.changes or any(one.done is not None and one.done.stopped for one in found):
            found.append(report)
            continue
        with failing(report.entry, as_json=as_json), shown_progress(_STEPS) as tell:
            done = asyncio.run(_stoppable(settings, report, options, tell))
        found.append(replace(report, done=done))
        if options.limit is not None and not done.stopped:
            options = replace(options, limit=options.limit - done.changed - len(done.failed))
        if not as_json:
            show_done(found[-1], several=len(reports) > 1)
    return found


async def _stoppable(settings: Settings, report: Report, options: Options, tell: Progress) -> Recovered:
    """Do it. The first Ctrl-C ends it after the work at hand, the second at once."""
    stop, task = asyncio.Event(), asyncio.current_task()
    assert task is not None, "this is a coroutine"

    def interrupted() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    try:
        return await _done(settings, report, options, tell, stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return Recovered(stopped=True)


async def _done(settings: Settings, report: Report, options: Options, tell: Progress, stop: asyncio.Event) -> Recovered:
    entry = report.entry

    async def pause(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)

    async with open_recovery(settings, entry, wall_clock, prepare=True) as desk:
        storage, integration = desk.storage, desk.integration
        assert storage is not None, "it was prepared"
        mailbox = integration.mailbox
        async with borrowed(
            storage,
            mailbox.address,
            wall_clock,
            mailbox=mailbox,
            number=integration.number,
            waits_for=say_who_is_waited_for,
        ):
            return await recover(
                integration,
                storage,
                desk.attendant(),
                wall_clock,
                options,
                expected=report.plan.changes,
                progress=tell,
                stopped=stop.is_set,
                pause=pause,
            )


def _as_json(reports: Sequence[Report], *, dry_run: bool) -> dict[str, Any]:
    return {
        "ok": all(report.is_clear for report in reports),
        "dry_run": dry_run,
        "integrations": [report_json(report) for report in reports],
    }
