"""`greenroom watcher`: which Greenroom has each mailbox, asked of the mailbox itself; and taking it over."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import asked, chosen, failing
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.reading import local, plain, stamp
from greenroom.cli.watch_words import other_words
from greenroom.recovering import open_recovery
from greenroom.scheduler.watch_desk import MarkMovedError, Marks, Shown, look_at_marks, take_over
from greenroom.settings import Integration, Settings

_EXAMPLES = """\
\b
Examples:
  greenroom watcher                              which Greenroom has each mailbox?
  greenroom watcher --integration rooms --take   the one that had it is gone for good: take the mailbox over

\b
A Greenroom that is gone is replaced by itself five minutes after its last sign of life; --take is for who cannot wait.
Never take a mailbox from one that is alive: stop it first, and its mark goes with it.

\b
Exit code 1: two Greenrooms are on one mailbox.
"""
_MOVED = Failure(
    "mark-moved",
    "The mark was renewed a moment ago: the Greenroom that left it is alive.",
    "Stop that one first; then this one goes on by itself.",
    Exit.PROBLEM,
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """One integration's mailbox with its marks."""

    entry: Integration
    marks: Marks
    now: datetime
    taken: bool = False


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Only this integration.")
@click.option("--take", is_flag=True, help="Take the mailbox over from another Greenroom that is gone; asks before.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_json
def watcher(config_file: Path | None, *, name: str | None, take: bool, yes: bool, as_json: bool) -> None:
    """Show which Greenroom has each mailbox, by the marks they leave there."""
    settings = read_settings(config_file, as_json=as_json)
    entries = chosen(settings, name)
    if take and len(entries) > 1:
        raise click.UsageError("--take needs --integration: a mailbox is taken over one at a time")
    if yes and not take:
        raise click.UsageError("--yes goes with --take only")
    looked: list[_Looked] = []
    for entry in entries:
        with failing(entry, as_json=as_json):
            one = asyncio.run(_look(settings, entry))
            if not as_json:
                _show(one)
            if take and one.marks.is_anothers:
                one = _take(settings, one, yes=yes, as_json=as_json)
            elif take and not as_json:
                stdout().print("There is nothing to take: no other Greenroom has the mailbox.")
        looked.append(one)
    disputed = [one for one in looked if one.marks.is_disputed and not one.taken]
    if as_json:
        echo_json({"ok": not disputed, "integrations": [_json(one) for one in looked]})
    sys.exit(Exit.PROBLEM if disputed else Exit.OK)


async def _look(settings: Settings, entry: Integration) -> _Looked:
    async with open_recovery(settings, entry, wall_clock, prepare=False) as desk:
        now = wall_clock()
        return _Looked(entry, await look_at_marks(desk.integration.mailbox, desk.storage, now), now)


def _take(settings: Settings, one: _Looked, *, yes: bool, as_json: bool) -> _Looked:
    if not asked(
        f"Take {one.entry.mailbox} over? The other Greenroom must be gone for good.", yes=yes, as_json=as_json
    ):
        return one

    async def take() -> Marks:
        async with open_recovery(settings, one.entry, wall_clock, prepare=True) as desk:
            assert desk.storage is not None, "it was prepared"
            mailbox = desk.integration.mailbox
            await take_over(mailbox, desk.storage, one.entry.number, wall_clock, one.marks)
            return await look_at_marks(mailbox, desk.storage, wall_clock())

    try:
        marks = asyncio.run(take())
    except MarkMovedError:
        end_with(_MOVED, as_json=as_json)
    if not as_json:
        stdout().print("Taken over. This installation's service goes on within a minute.")
    return _Looked(one.entry, marks, wall_clock(), taken=True)


def _show(one: _Looked) -> None:
    stdout().print(Text(one.entry.name, style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    style = "red" if one.marks.is_disputed else ""
    table.add_row(Text("  mailbox"), Text(plain(one.entry.mailbox)))
    table.add_row(Text("  watched by"), Text(plain(_watched(one)), style=style))
    contender = one.marks.contender
    if contender is not None and not contender.ours and contender.lives:
        table.add_row(Text("  wanted by"), Text(plain(f"{_who(contender)}, {_seen(contender, one.now)}"), style="red"))
    stdout().print(table)


def _watched(one: _Looked) -> str:
    shown = one.marks.watcher
    if shown is None:
        return "nobody; there is a mark that is none of Greenroom's" if one.marks.odd else "nobody"
    return f"{_who(shown)}, {_seen(shown, one.now)}"


def _who(shown: Shown) -> str:
    mark = shown.mark
    if shown.ours:
        return f"this installation, {mark.host}/{mark.process}"
    return f"{other_words(mark.installation, mark.host, copy=shown.copy)}, process {mark.process}"


def _seen(shown: Shown, now: datetime) -> str:
    seconds = int((now - shown.mark.at).total_seconds())
    ago = f"{seconds} seconds ago" if 0 <= seconds < 300 else local(shown.mark.at)  # noqa: PLR2004 (five minutes)
    state = (
        ""
        if shown.lives
        else "; it has ended, and the service goes on from it"
        if shown.ours
        else "; it seems to be gone"
    )
    return f"last sign of life {ago} by its own clock{state}"


def _json(one: _Looked) -> dict[str, Any]:
    return {
        "name": one.entry.name,
        "mailbox": one.entry.mailbox,
        "watched_by": _shown_json(one.marks.watcher),
        "wanted_by": _shown_json(one.marks.contender),
        "unreadable_mark": one.marks.odd,
        "taken": one.taken,
    }


def _shown_json(shown: Shown | None) -> dict[str, Any] | None:
    if shown is None:
        return None
    mark = shown.mark
    return {
        "installation": mark.installation,
        "host": mark.host,
        "process": mark.process,
        "at": stamp(mark.at),
        "this_installation": shown.ours,
        "copy_of_this_database": shown.copy,
        "seems_alive": shown.lives,
        "sure_of_it": mark.holds,
    }
