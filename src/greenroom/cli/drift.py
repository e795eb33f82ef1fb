"""`greenroom drift`: what calendar, database and platform disagree about."""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import click

from greenroom.assembly import wall_clock
from greenroom.cli.desk import NOTHING_REMEMBERED, asked, chosen, failing, say_who_is_waited_for
from greenroom.cli.drift_report import Compared, as_json_of, remembered, show
from greenroom.cli.exits import Exit
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.recovering import Desk, open_recovery
from greenroom.scheduler.lending import borrowed
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.differences import Difference
from greenroom.scheduler.recovery.drift import Drift, remember
from greenroom.scheduler.recovery.drift import drift as compare
from greenroom.scheduler.recovery.mending import mend as mend_what_differs
from greenroom.scheduler.recovery.strays import KNOWN
from greenroom.settings import Integration, Settings
from greenroom.storage import Storage

_EXAMPLES = """\
\b
Examples:
  greenroom drift                     compare now; nothing is changed
  greenroom drift --last              what the service found last and did not mend; nobody is asked
  greenroom drift --mend              compare, show it, ask, and mend it
  greenroom drift --mend --yes --json the same for a script

\b
Rooms of which nothing is remembered are never closed by this: `greenroom recover` asks before it removes them.
Exit code 1: something differs, after mending: something is left.
"""
_STEPS = {
    "calendar": "Looking at meetings again",
    "rooms": "Making rooms again",
    "orphans": "Closing rooms without meetings",
}


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Only this integration's.  [default: all]")
@click.option("--last", is_flag=True, help="Show what the service found last, without asking anybody.")
@click.option(
    "--mend", is_flag=True, help="Mend what can be mended, after asking. A running service lends the mailbox."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_json
def drift(config_file: Path | None, *, name: str | None, last: bool, mend: bool, yes: bool, as_json: bool) -> None:
    """Hold calendar, database and platform against each other.

    A running service does the same every few hours (drift_hours) and mends what it may (drift = "mend"). What is being worked
    on just now is no difference.
    """
    if last and mend:
        raise click.UsageError("--last shows what was found; --mend compares anew: use one of them")
    settings = read_settings(config_file, as_json=as_json)
    entries = chosen(settings, name)
    if last:
        found = remembered(settings, entries, as_json=as_json)
    else:
        found = [_now(settings, entry, mend=mend, yes=yes, as_json=as_json) for entry in entries]
    if as_json:
        echo_json({"integrations": [as_json_of(one) for one in found]})
    elif last:
        for one in found:
            show(one, several=len(found) > 1)
    sys.exit(Exit.PROBLEM if any(one.left.differences for one in found) else Exit.OK)


def _now(settings: Settings, entry: Integration, *, mend: bool, yes: bool, as_json: bool) -> Compared:
    with failing(entry, as_json=as_json):
        return asyncio.run(_run(settings, entry, mend=mend, yes=yes, as_json=as_json))


async def _run(settings: Settings, entry: Integration, *, mend: bool, yes: bool, as_json: bool) -> Compared:
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        if desk.storage is None:
            end_with(NOTHING_REMEMBERED, as_json=as_json)
        found = Compared(entry.name, await compare(desk.integration, desk.storage, wall_clock()))
        if not as_json:
            show(found, several=len(settings.integration) > 1)
        able = [one for one in found.drift.differences if one.kind is not DriftKind.ORPHAN_ROOM or one.detail == KNOWN]
        if not mend or not able or not asked(f"Mend {len(able)} of them?", yes=yes, as_json=as_json):
            return found
        mended, left = await _mend(desk, desk.storage, found.drift)
        if not as_json:
            stdout().print(f"{len(mended)} mended, {len(left.differences)} left.")
        return replace(found, mended=mended, after=left)


async def _mend(desk: Desk, storage: Storage, found: Drift) -> tuple[tuple[Difference, ...], Drift]:
    integration = desk.integration
    async with AsyncExitStack() as stack:
        mailbox = integration.mailbox
        await stack.enter_async_context(
            borrowed(
                storage,
                mailbox.address,
                wall_clock,
                mailbox=mailbox,
                number=integration.number,
                waits_for=say_who_is_waited_for,
            )
        )
        tell = stack.enter_context(shown_progress(_STEPS))
        known = {one.subject for one in found.of(DriftKind.ORPHAN_ROOM)}
        attendant = desk.attendant()
        done = await mend_what_differs(
            integration, storage, attendant, found, wall_clock, found_before=known, progress=tell
        )
        left = Drift(wall_clock(), tuple(done.left), rooms_told=found.rooms_told, waiting=found.waiting)
        await remember(integration, storage, left)
        return tuple(done.done), left
