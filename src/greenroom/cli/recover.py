"""`greenroom recover`: calendar, database and platform brought together again after a loss."""

import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from greenroom.assembly import CalendarError, wall_clock
from greenroom.cli.exchange_failures import of_calendar, of_exchange
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_platform, of_storage, sentence_of
from greenroom.cli.meetings import Moment
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.cli.recover_report import Report, report_json, show_done, show_plan
from greenroom.exchange.errors import ExchangeError
from greenroom.platforms.errors import PlatformError
from greenroom.recovering import open_recovery
from greenroom.scheduler.lending import NotLentError, borrowed
from greenroom.scheduler.recovery.contract import Progress
from greenroom.scheduler.recovery.plan import Plan, plan
from greenroom.scheduler.recovery.recover import Options, Recovered, per_minute_of, recover
from greenroom.scheduler.recovery.walking import Reach
from greenroom.settings import Integration, Settings
from greenroom.storage import StorageError

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
_STEPS = {
    "platform": "Reading the platform's rooms",
    "calendar": "Reading the calendar",
    "recover": "Recovering",
}


class _Failed(Exception):  # noqa: N818 (it carries the error)
    """Something went wrong with one integration."""

    def __init__(self, entry: Integration, error: Exception) -> None:
        super().__init__(entry.name)
        self.entry = entry
        self.error = error


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
    entries = _entries(settings, name)
    options = Options(Reach(since, until), updates=not no_updates, per_minute=per_minute, limit=limit)
    try:
        reports = asyncio.run(_plans(settings, entries, options, everything=everything))
        _shown(reports, options, everything=everything, as_json=as_json)
        if _is_wanted(reports, limit, yes=yes, as_json=as_json):
            reports = asyncio.run(_all_done(settings, reports, options))
    except _Failed as failed:
        _end(failed, as_json=as_json)
    _tell(reports, as_json=as_json)
    stopped = any(report.done is not None and report.done.stopped and limit is None for report in reports)
    sys.exit(Exit.OK if all(report.is_clear for report in reports) and not stopped else Exit.PROBLEM)


def _entries(settings: Settings, name: str | None) -> Sequence[Integration]:
    if name is None:
        return settings.integration
    entry = settings.named(name)
    if entry is None:
        known = ", ".join(one.name for one in settings.integration)
        raise click.BadParameter(f"there is no integration {name!r}; known: {known}", param_hint="--integration")
    return (entry,)


async def _plans(
    settings: Settings, entries: Sequence[Integration], options: Options, *, everything: bool
) -> list[Report]:
    found: list[Report] = []
    with shown_progress(_STEPS) as tell:
        for entry in entries:
            try:
                found.append(Report(entry, await _plan(settings, entry, options, tell, everything=everything)))
            except (CalendarError, ExchangeError, PlatformError, StorageError) as error:
                raise _Failed(entry, error) from error
    return found


async def _plan(settings: Settings, entry: Integration, options: Options, tell: Progress, *, everything: bool) -> Plan:
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        return await plan(
            desk.integration,
            desk.storage,
            wall_clock,
            reach=options.reach,
            updates=options.updates,
            untouched=everything,
            progress=tell,
        )


def _shown(reports: Sequence[Report], options: Options, *, everything: bool, as_json: bool) -> None:
    for report in () if as_json else reports:
        show_plan(
            report,
            several=len(reports) > 1,
            everything=everything,
            updates=options.updates,
            per_minute=per_minute_of(options, 30 if report.entry.exchange.protocol == "graph" else None),
        )


def _is_wanted(reports: Sequence[Report], limit: int | None, *, yes: bool, as_json: bool) -> bool:
    """Ask, where somebody is there to be asked."""
    count = sum(len(report.plan.entries) for report in reports)
    if not count:
        return False
    if yes or as_json:
        return yes
    if not (sys.stdin.isatty() and stdout().is_terminal):
        stdout().print("Nothing was changed. With --yes it is done.")
        return False
    some = f"the first {limit} of these" if limit is not None and limit < count else "this"
    return click.confirm(f"Do {some}?", default=False)


async def _all_done(settings: Settings, reports: Sequence[Report], options: Options) -> list[Report]:
    """Carry out one plan after the other. The first Ctrl-C ends it after the work at hand, the second at once."""
    stop, task = asyncio.Event(), asyncio.current_task()
    assert task is not None, "this is a coroutine"

    def interrupted() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    found: list[Report] = []
    with shown_progress(_STEPS) as tell:
        for report in reports:
            if not report.plan.entries:
                found.append(report)
                continue
            try:
                done = await _done(settings, report, options, tell, stop)
            except (CalendarError, ExchangeError, PlatformError, StorageError, NotLentError) as error:
                raise _Failed(report.entry, error) from error
            except asyncio.CancelledError:
                if not stop.is_set():
                    raise
                done = Recovered(stopped=True)
            found.append(Report(report.entry, report.plan, done))
            if stop.is_set():
                break
    return found


async def _done(settings: Settings, report: Report, options: Options, tell: Progress, stop: asyncio.Event) -> Recovered:
    entry = report.entry

    async def pause(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)

    async with open_recovery(settings, entry, wall_clock, prepare=True) as desk:
        storage, integration = desk.storage, desk.integration
        assert storage is not None, "it was prepared"
        tell("Waiting for the mailbox", 0, 0)
        async with borrowed(
            storage, integration.mailbox.address, wall_clock, mailbox=integration.mailbox, number=integration.number
        ):
            return await recover(
                integration,
                storage,
                desk.attendant(),
                wall_clock,
                options,
                expected=len(report.plan.entries),
                progress=tell,
                stopped=stop.is_set,
                pause=pause,
            )


def _tell(reports: Sequence[Report], *, as_json: bool) -> None:
    if as_json:
        dry = all(report.done is None for report in reports)
        ok = all(report.is_clear for report in reports)
        echo_json({"ok": ok, "dry_run": dry, "integrations": [report_json(report) for report in reports]})
        return
    for report in reports:
        show_done(report, several=len(reports) > 1)


def _end(failed: _Failed, *, as_json: bool) -> NoReturn:
    error = failed.error
    match error:
        case CalendarError():
            end_with(of_calendar(error), as_json=as_json)
        case ExchangeError():
            end_with(of_exchange(error, failed.entry), as_json=as_json)
        case PlatformError():
            end_with(of_platform(error), as_json=as_json)
        case StorageError():
            end_with(of_storage(error), as_json=as_json)
        case _:
            step = "Wait until that one has ended, or end it; then run this again."
            end_with(Failure("mailbox-not-lent", sentence_of(str(error)), step), as_json=as_json)
