"""`greenroom sweep`: looking at everything again from a point in time, for after an incident."""

import asyncio
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import NOTHING_REMEMBERED, chosen, failing, say_who_is_waited_for
from greenroom.cli.exits import Exit
from greenroom.cli.meetings import Moment
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.cli.reading import local, stamp
from greenroom.recovering import Desk, open_recovery
from greenroom.scheduler.lending import borrowed
from greenroom.scheduler.recovery.sweep import SWEPT, Sweepable, Swept, find_sweepable
from greenroom.scheduler.recovery.sweep import sweep as look_again
from greenroom.settings import Integration, Settings
from greenroom.storage import Storage

_EXAMPLES = """\
\b
Examples:
  greenroom sweep --since 2h --dry-run           how much would be looked at; nothing is changed
  greenroom sweep --since 2h                     look at it, and bring it to where it should be
  greenroom sweep --since 2026-11-20T14:00       from this time on, in this computer's zone
  greenroom sweep --since 3d --integration main --json

\b
Exit code 1: something failed, or was declined for our own fault and has to be sent again by its organizer.
"""
_AGO = re.compile(r"([0-9]{1,4})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(Moment):
    """A time in the past: how long ago (30m, 2h, 3d, 1w), or as elsewhere."""

    ways = "30m, 2h, 3d, 1w, today, 2026-11-20 or 2026-11-20T14:00"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware time that is not in the future."""
        now = datetime.now().astimezone()
        ago = _AGO.fullmatch(str(value).strip().lower())
        since = super().convert(value, param, ctx) if ago is None else now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if since > now:
            self.fail(f"{value} is still to come", param, ctx)
        return since


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--since", type=Since(), required=True, help="How far back: 30m, 2h, 3d, 1w, a date, or a date and time.")
@click.option("--integration", "name", metavar="NAME", help="Only this integration's.  [default: all]")
@click.option("--dry-run", is_flag=True, help="Only say how much would be looked at.")
@with_json
def sweep(config_file: Path | None, *, since: datetime, name: str | None, dry_run: bool, as_json: bool) -> None:
    """Look at every coming meeting again that changed or was handled since then, or that is unknown.

    Each is read and goes the usual way, and the platform is told of every room again. Whoever has the right answer hears nothing;
    what was declined for our own fault may be accepted now. A running service lends the mailbox meanwhile.
    """
    settings = read_settings(config_file, as_json=as_json)
    results: list[dict[str, Any]] = []
    problem = False
    for entry in chosen(settings, name):
        with failing(entry, as_json=as_json):
            found, swept = asyncio.run(_run(settings, entry, since, dry_run=dry_run, as_json=as_json))
        results.append(_json(entry, since, found, swept))
        problem = problem or (swept is not None and bool(swept.failed or swept.lost or swept.unread))
        if not as_json:
            _show(entry, since, found, swept, several=len(settings.integration) > 1)
    if as_json:
        echo_json({"integrations": results})
    sys.exit(Exit.PROBLEM if problem else Exit.OK)


async def _run(
    settings: Settings, entry: Integration, since: datetime, *, dry_run: bool, as_json: bool
) -> tuple[Sweepable, Swept | None]:
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        if desk.storage is None:
            end_with(NOTHING_REMEMBERED, as_json=as_json)
        if dry_run:
            return await find_sweepable(desk.integration, desk.storage, since, wall_clock()), None
        return await _sweep(desk, desk.storage, since)


async def _sweep(desk: Desk, storage: Storage, since: datetime) -> tuple[Sweepable, Swept]:
    integration, mailbox = desk.integration, desk.integration.mailbox
    async with borrowed(
        storage,
        mailbox.address,
        wall_clock,
        mailbox=mailbox,
        number=integration.number,
        waits_for=say_who_is_waited_for,
    ):
        found = await find_sweepable(integration, storage, since, wall_clock())
        with shown_progress({SWEPT: "Looking again"}) as tell:
            attendant = desk.attendant()
            return found, await look_again(integration, storage, attendant, found, wall_clock, progress=tell)


def _show(entry: Integration, since: datetime, found: Sweepable, swept: Swept | None, *, several: bool) -> None:
    out = stdout()
    if several:
        out.print(Text(entry.name, style="bold"))
    if swept is None:
        count = len(found)
        out.print(
            f"{count} item{'' if count == 1 else 's'} would be looked at again, from {local(since)} on. Nothing was changed."
        )
        return
    for label, count in (
        ("looked at", swept.looked),
        ("changed", swept.changed),
        ("answered", swept.answered),
        ("failed", len(swept.failed) + swept.unread),
    ):
        out.print(f"[bold]{count:>6}[/bold]  {label}")
    if swept.waiting:
        out.print(f"{swept.waiting} answers go out when their turn comes: `greenroom serve` sends them.")
    if swept.failed:
        out.print(f"Tried again by the service: {', '.join(swept.failed)}", soft_wrap=True)
    if swept.lost:
        out.print(
            "Declined since then though no organizer could do anything about it, and not in the calendar any more: their "
            f"organizers have to send them again. `greenroom explain` says whose they are: {', '.join(swept.lost)}",
            soft_wrap=True,
        )


def _json(entry: Integration, since: datetime, found: Sweepable, swept: Swept | None) -> dict[str, Any]:
    told: dict[str, Any] = {"integration": entry.name, "since": stamp(since), "items": len(found)}
    if swept is None:
        return told | {"dry_run": True}
    return told | {
        "dry_run": False,
        "looked_at": swept.looked,
        "changed": swept.changed,
        "answered": swept.answered,
        "waiting": swept.waiting,
        "unreadable": swept.unread,
        "failed": swept.failed,
        "lost": swept.lost,
    }
