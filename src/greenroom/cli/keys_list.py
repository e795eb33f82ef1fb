"""`greenroom keys list`: which keys are needed, and how long."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import chosen
from greenroom.cli.exits import Exit
from greenroom.cli.keys_standing import promises_of, standings_of
from greenroom.cli.options import echo_json, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.reading import local, read, stamp
from greenroom.scheduler.key_standings import KeyStanding
from greenroom.settings import Integration
from greenroom.storage import Work

_EXAMPLES = """\
\b
Examples:
  greenroom keys list
  greenroom keys list --json | jq '.integrations[].keys[] | select(.removable)'

\b
A key may be removed when
  - no meeting that lives was made with it, until its room has closed;
  - no room that was asked for with it waits for its invitation;
  - no sign-in of a service account is sealed with it (a service that starts seals it anew with the current key);
  - no add-in can use any more what it signed for the time that nobody answers. That is stored nowhere: it is
    assumed to be used within the add-in's keep_days (30), counted from the first ticket of the next key.
A meeting that is over and invited again, or a ticket in a very old text, would still need it.
Exit code 1: something that lives was made with a key that the configuration does not have.
"""


@click.command("list", epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Only this integration's.")
@with_json
def list_keys(config_file: Path | None, *, name: str | None, as_json: bool) -> None:
    """Show which keys there are, what was made with them, and which may be removed. No key itself is shown."""
    settings, now = read_settings(config_file, as_json=as_json), wall_clock()
    entries = chosen(settings, name)

    async def asked(work: Work) -> list[tuple[Integration, list[KeyStanding]]]:
        return [(entry, await standings_of(work, entry, now)) for entry in entries]

    found = read(settings, asked, as_json=as_json)
    lost = any(not one.is_held for _, standings in found for one in standings)
    if as_json:
        listed = [_as_json(entry, standings, now) for entry, standings in found]
        echo_json({"ok": not lost, "integrations": listed})
    else:
        for entry, standings in found:
            _show(entry, standings, now)
    sys.exit(Exit.PROBLEM if lost else Exit.OK)


def _show(entry: Integration, standings: list[KeyStanding], now: datetime) -> None:
    table = Table(
        title=f"{entry.name}, keys of {where_keys_are(entry)}", title_justify="left", box=None, pad_edge=False
    )
    for column in ("key", "", "meetings", "until", "waiting", "may be removed"):
        table.add_column(column, justify="right" if column in {"key", "meetings", "waiting"} else "left")
    for one in standings:
        use = one.use
        until = "no end" if use.endless else local(use.latest_end)
        table.add_row(
            str(one.id), _what(one), f"{use.meetings:,}", until, f"{use.reservations:,}", when_removable(one, now)
        )
    stdout().print(table)
    for one in standings:
        if not one.is_held:
            said = f"Key {one.id} is missing in the configuration: put it back, tickets and PINs come from it."
            stderr().print(Text.assemble(("✗ ", "red"), said))


def _what(one: KeyStanding) -> Text:
    if not one.is_held:
        return Text("missing", style="red")
    return Text("current", style="green") if one.is_current else Text("old", style="dim")


def when_removable(one: KeyStanding, now: datetime) -> str:
    """Say from when on a key may be removed."""
    if one.is_free(now):
        return "now"
    if one.is_current or not one.is_held:
        return "no"
    if one.use.sign_ins:
        return "after a restart of the service, which seals a sign-in anew"
    if one.free_after is None:
        return "not while its endless series live" if one.use.endless else "not while its meetings live"
    return f"after {local(one.free_after)}"


def where_keys_are(entry: Integration) -> str:
    """Name the place of an integration's keys."""
    return "the configuration" if entry.ticket_keys_file is None else str(entry.ticket_keys_file)


def _as_json(entry: Integration, standings: list[KeyStanding], now: datetime) -> dict[str, Any]:
    return {
        "integration": entry.name,
        "number": entry.number,
        "file": None if entry.ticket_keys_file is None else str(entry.ticket_keys_file),
        "promises_days": promises_of(entry).days,
        "keys": [
            {
                "id": one.id,
                "current": one.is_current,
                "configured": one.is_held,
                "meetings": one.use.meetings,
                "endless": one.use.endless,
                "latest_end": stamp(one.use.latest_end),
                "reservations": one.use.reservations,
                "sign_ins": one.use.sign_ins,
                "waiting_until": stamp(one.use.waits_until),
                "first_ticket": stamp(one.use.first_at),
                "last_ticket": stamp(one.use.last_at),
                "removable": one.is_free(now),
                "removable_after": stamp(one.free_after),
            }
            for one in standings
        ],
    }
