"""`greenroom import pexip`: meetings and aliases of Pexip's own scheduler for Exchange, taken over."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from greenroom.assembly import CalendarError, wall_clock
from greenroom.cli.exchange_failures import of_calendar, of_exchange
from greenroom.cli.exits import Exit
from greenroom.cli.failures import of_platform, of_storage
from greenroom.cli.import_report import (
    NOW,
    connector_json,
    counts_json,
    entry_json,
    show_entries,
    show_settings,
    show_warnings,
    warnings_of,
)
from greenroom.cli.import_settings import compared, toml_of
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, stdout, with_config, with_json
from greenroom.exchange.errors import ExchangeError
from greenroom.importing import Desk, can_import_from_pexip, open_import
from greenroom.meetings.legacy import Legacy, LegacyConnector
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler.takeover import Entry, Fate, Plan
from greenroom.scheduler.takeover import Progress as Tell
from greenroom.scheduler.takeover_plan import plan
from greenroom.scheduler.taking import Taken, take_over
from greenroom.settings import Integration, Settings
from greenroom.storage import StorageError

_EXAMPLES = """\
\b
Examples:
  greenroom import pexip                  what would become of every meeting; nothing is changed
  greenroom import pexip --print-config   settings that behave like Pexip's connector
  greenroom import pexip --yes --limit 1  begin with the meeting that comes first
  greenroom import pexip --yes            take all of them over; run it again if it broke off

\b
Exit code 1: meetings that somebody must look at, such as conflicts.
"""
_STEPS = {"calendar": "Reading the calendar", "takeover": "Taking over"}
_PROBLEMS = (Fate.CONFLICT, Fate.UNREADABLE)


@dataclass(frozen=True, slots=True)
class _Report:
    """What came of a run. `taken` is None for a dry run, `plan` where only settings were asked for."""

    connectors: tuple[LegacyConnector, ...]
    warnings: tuple[str, ...] = ()
    plan: Plan = field(default_factory=lambda: Plan(()))
    taken: Taken | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The plan, with what was carried out as it is now."""
        done = {} if self.taken is None else {entry.key: _done(entry) for entry in self.taken.entries}
        return tuple(done.get(entry.key, entry) if entry.key is not None else entry for entry in self.plan.entries)

    @property
    def exit(self) -> Exit:
        """The exit code."""
        unmarked = self.taken is not None and bool(self.taken.unmarked)
        return Exit.PROBLEM if unmarked or any(entry.fate in _PROBLEMS for entry in self.entries) else Exit.OK


def _done(entry: Entry) -> Entry:
    return replace(entry, fate=Fate.TAKEN, detail=NOW, room=None) if entry.fate is Fate.TAKE else entry


@click.command(epilog=_EXAMPLES)
@with_config
@click.option(
    "--integration", "name", metavar="NAME", help="Which integration takes them over; needed if several could."
)
@click.option("--yes", is_flag=True, help="Take the meetings over. Without it nothing is changed.")
@click.option("--limit", type=click.IntRange(1), help="Take over at most so many, the soonest first.")
@click.option("--print-config", is_flag=True, help="Print settings that behave like Pexip's connector, and end.")
@with_json
def pexip(
    config_file: Path | None,
    *,
    name: str | None,
    yes: bool,
    limit: int | None,
    print_config: bool,
    as_json: bool,
) -> None:
    """Take over the meetings, series and aliases of Pexip's own scheduler for Exchange.

    Meetings come from the equipment mailbox's calendar, aliases and rooms over Pexip's management API. A room that is taken
    over gets our mark (its tag); nothing is renamed or deleted, and nobody is mailed who was answered before.
    """
    if print_config and (yes or as_json):
        raise click.UsageError("--print-config goes with --integration only")
    settings = read_settings(config_file, as_json=as_json)
    entry = _entry(settings, name)
    try:
        report = asyncio.run(_run(settings, entry, yes=yes, limit=limit, only_config=print_config))
    except CalendarError as error:
        end_with(of_calendar(error), as_json=as_json)
    except ExchangeError as error:
        end_with(of_exchange(error, entry), as_json=as_json)
    except PlatformError as error:
        end_with(of_platform(error), as_json=as_json)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    if print_config:
        _print_config(entry, report)
    elif as_json:
        echo_json(_as_json(entry, report))
    else:
        _show(entry, report)
    sys.exit(report.exit)


def _entry(settings: Settings, name: str | None) -> Integration:
    able = [entry for entry in settings.integration if can_import_from_pexip(entry)]
    if name is None and len(able) == 1:
        return able[0]
    known = ", ".join(entry.name for entry in able) or "none"
    wanted = f'with platform.kind = "pexip" and [integration.pexip.management]: {known}'
    if name is None and not able:
        raise click.UsageError('no integration has platform.kind = "pexip" and a table [integration.pexip.management]')
    if name is None:
        raise click.UsageError(f"name an integration with --integration; there are {wanted}")
    found = next((entry for entry in able if entry.name == name), None)
    if found is None:
        raise click.BadParameter(f"there is no such integration {wanted}", param_hint="--integration")
    return found


async def _run(settings: Settings, entry: Integration, *, yes: bool, limit: int | None, only_config: bool) -> _Report:
    async with open_import(settings, entry, wall_clock, prepare=yes) as desk:
        with _progress() as tell:
            legacy = await desk.other.survey(lambda what: tell(f"Reading Pexip: {what}", 0, 0))
            connectors = legacy.watching(entry.mailbox)
            if only_config:
                return _Report(connectors or legacy.connectors)
            return await _carry_out(entry, desk, legacy, tell, yes=yes, limit=limit)


async def _carry_out(
    entry: Integration, desk: Desk, legacy: Legacy, tell: Tell, *, yes: bool, limit: int | None
) -> _Report:
    integration, connectors = desk.integration, legacy.watching(entry.mailbox)
    planned = await plan(integration, desk.storage, legacy, wall_clock(), must_mark=desk.must_mark, progress=tell)
    remembers = desk.storage is not None
    warnings = warnings_of(entry, connectors, planned.entries, odd=legacy.odd, remembers=remembers)
    taken = None
    if yes and desk.storage is not None:
        wanted = [*planned.of(Fate.TAKEN), *planned.of(Fate.TAKE)[:limit]]
        taken = await take_over(integration, desk.storage, desk.other, wanted, wall_clock, progress=tell)
    return _Report(connectors, tuple(warnings), planned, taken)


@contextmanager
def _progress() -> Iterator[Tell]:
    """Show on standard error how far it got, at a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=_STEPS.get(what, what), completed=done, total=total or None)

        yield tell


def _print_config(entry: Integration, report: _Report) -> None:
    for connector in report.connectors:
        click.echo(toml_of(entry, connector))
    if not report.connectors:
        stderr().print("Pexip has no connector for Exchange.")


def _show(entry: Integration, report: _Report) -> None:
    for connector in report.connectors:
        show_settings(connector, compared(entry, connector))
    show_entries(report.entries)
    stdout().print()
    show_warnings(report.warnings)
    if report.taken is None:
        count = len(report.plan.of(Fate.TAKE))
        if count or any(one.unmarked for one in report.plan.entries):
            stdout().print(
                f"Nothing was changed. With --yes {count} meeting{'' if count == 1 else 's'} would be taken over."
            )
        return
    done = sum(one.fate is Fate.TAKE for one in report.taken.entries)
    stdout().print(
        f"{done} meeting{'' if done == 1 else 's'} taken over. `greenroom serve` makes sure of the rooms, and answers changes."
    )
    for one in report.taken.unmarked:
        which = "" if one.alias is None else one.alias.name
        show_warnings(
            [f"{which}: its room has another tag by now or is gone; clear the tag in Pexip and run this again."]
        )


def _as_json(entry: Integration, report: _Report) -> dict[str, object]:
    taken = report.taken
    done = [] if taken is None else [one for one in taken.entries if one.fate is Fate.TAKE]
    return {
        "ok": report.exit is Exit.OK,
        "dry_run": taken is None,
        "integration": entry.name,
        "mailbox": entry.mailbox,
        "warnings": list(report.warnings),
        "connectors": [connector_json(one, compared(entry, one)) for one in report.connectors],
        "counts": counts_json(report.entries),
        "taken_over": [one.key.value for one in done if one.key is not None],
        "unmarked": [] if taken is None else [one.key.value for one in taken.unmarked if one.key is not None],
        "meetings": [entry_json(one) for one in report.entries],
    }
