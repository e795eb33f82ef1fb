"""How a recovery is shown: a table of what becomes of meetings and rooms, what came of it, or JSON."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from greenroom.cli.options import stderr, stdout
from greenroom.cli.reading import local, plain, stamp
from greenroom.cli.recover_words import SHORT, beside, left_words, meaning
from greenroom.scheduler.recovery.contract import Entry, Fate
from greenroom.scheduler.recovery.plan import Plan
from greenroom.scheduler.recovery.recover import Recovered
from greenroom.settings import Integration

_SHOWN = 40
_ROOMS_SHOWN = 20
_FAILED_SHOWN = 20
_GAP = 2
_LEAST = 15
_WIDE = 160
"""Columns where nobody told how many there are: in a file lines may be long."""
_COLOURS = {
    Fate.KEEP: "green",
    Fate.ADOPT: "green",
    Fate.MAKE: "cyan",
    Fate.ANSWER: "cyan",
    Fate.NEW: "yellow",
    Fate.END: "yellow",
    Fate.ORPHAN: "red",
    Fate.LEAVE: "dim",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One integration's plan, and what came of it: None where nothing was done."""

    entry: Integration
    plan: Plan
    done: Recovered | None = None

    @property
    def is_clear(self) -> bool:
        """Whether nothing is left that somebody must look at."""
        return self.plan.is_clear and (self.done is None or not (self.done.failed or self.done.in_vain))


def plural(count: int, noun: str) -> str:
    """Write a number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def show_plan(report: Report, *, several: bool, everything: bool, updates: bool, per_minute: int) -> None:
    """Print what a recovery would do: what changes, the soonest first, and of the rest how many there are and why."""
    out, plan = stdout(), report.plan
    if several:
        out.print(f"[bold]{escape(report.entry.name)}[/bold] ({escape(report.entry.mailbox)})")
    rows = [*plan.entries, *plan.untouched] if everything else _first(plan)
    if rows:
        if not out.is_terminal and "COLUMNS" not in os.environ:
            out.width = _WIDE
        table, needed = _table(rows, out.width)
        out.width = max(out.width, needed)
        out.print(table)
        if not everything and plan.changes > len(rows):
            out.print(f"[dim]and {plan.changes - len(rows)} more: --all lists them.[/dim]")
        out.print()
    for fate, count in plan.counts.items():
        out.print(
            f"[bold]{count:>6}[/bold]  {SHORT[fate]}: [dim]{escape(meaning(fate, updates=updates))}[/dim]",
            soft_wrap=True,
        )
    for reason, count in sorted(plan.left.items(), key=lambda item: -item[1]):
        out.print(f"        [dim]{count:>6}  {escape(left_words(reason))}[/dim]", soft_wrap=True)
    if not plan.meetings and not plan.entries:
        out.print("Nothing is in the calendar that has not ended.")
    out.print()
    if plan.told:
        minutes = timedelta(minutes=-(-plan.told // per_minute))
        about = f"; at {per_minute} a minute that takes about {minutes}" if plan.told > per_minute else ""
        out.print(f"{plural(plan.told, 'meeting')} of these get a mail or an update{about}. The others get none.")
    for warning in warnings_of(plan):
        stderr().print(f"[bold yellow]! {escape(warning)}[/bold yellow]", soft_wrap=True)


def _first(plan: Plan) -> list[Entry]:
    """Return what is shown of a long plan: the soonest meetings, and some of the rooms that are removed."""
    meetings = [entry for entry in plan.entries if entry.fate is not Fate.ORPHAN]
    rooms = [entry for entry in plan.entries if entry.fate is Fate.ORPHAN]
    return [*meetings[:_SHOWN], *rooms[:_ROOMS_SHOWN]]


def _table(entries: Sequence[Entry], width: int) -> tuple[Table, int]:
    """Return the table and how wide it is at least: what people copy is never cut, organizers and reasons give way."""
    ids = any(entry.correlation_id for entry in entries)
    remarks = any(beside(entry) for entry in entries)
    columns = [
        [f"start ({datetime.now().astimezone():%Z})", *(local(entry.starts_at) for entry in entries)],
        ["what is done", *(SHORT[entry.fate] for entry in entries)],
        ["alias", *(plain(entry.alias) for entry in entries)],
        *([["id", *(entry.correlation_id for entry in entries)]] if ids else []),
    ]
    fixed = sum(max(map(cell_len, column)) + _GAP for column in columns)
    organizer = max(_LEAST, *(cell_len(plain(entry.organizer)) for entry in entries))
    organizer = min(32, organizer, max(_LEAST, width - fixed - (_GAP + _LEAST) * remarks))
    needed = fixed + organizer + (_GAP + _LEAST) * remarks
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(columns[0][0], no_wrap=True)
    table.add_column("what is done", no_wrap=True)
    table.add_column("alias", no_wrap=True)
    table.add_column("organizer", overflow="ellipsis", no_wrap=True, width=organizer)
    if ids:
        table.add_column("id", no_wrap=True)
    if remarks:
        table.add_column(
            "", overflow="ellipsis", no_wrap=True, style="dim", max_width=max(width, needed) - fixed - organizer - _GAP
        )
    for entry in entries:
        cells = [
            Text(local(entry.starts_at)),
            Text(SHORT[entry.fate], style=_COLOURS[entry.fate]),
            Text(plain(entry.alias)),
            Text(plain(entry.organizer)),
            *([Text(entry.correlation_id)] if ids else []),
            *([Text(plain(beside(entry)))] if remarks else []),
        ]
        table.add_row(*cells)
    return table, needed


def warnings_of(plan: Plan) -> list[str]:
    """Say what was not considered, and what is dangerous."""
    found = []
    if not plan.remembers:
        found.append("There is no database yet, or one of an older Greenroom: nothing that it may know is considered.")
    foreign = plan.left.get("foreign", 0)
    if foreign and (not plan.remembers or 2 * foreign >= plan.meetings):
        found.append(
            f"{plural(foreign, 'meeting')} of these {'was' if foreign == 1 else 'were'} prepared by somebody else, as far as the "
            "ticket keys here can tell, and get no room. If it was this installation, the ticket keys in the configuration are not "
            "those that it had: put them back before you go on."
        )
    if not plan.rooms_told:
        found.append("The platform does not list its rooms: missing rooms and rooms of no meeting are not told.")
    if plan.held_back:
        found.append(
            f"{plural(plan.held_back, 'room')} may belong to no meeting; that shows when everything can be read."
        )
    if any(entry.fate is Fate.ORPHAN and entry.detail == "unknown" for entry in plan.entries):
        found.append(
            "Rooms of which nothing is known are removed. If another installation has the same integration number and tag on this "
            "platform, they may be its rooms: give each installation its own."
        )
    return found


def show_done(report: Report, *, several: bool) -> None:
    """Print what came of a recovery."""
    done, out = report.done, stdout()
    if done is None:
        return
    if several:
        out.print(f"[bold]{escape(report.entry.name)}[/bold] ({escape(report.entry.mailbox)})")
    for fate in Fate:
        if done.done[fate]:
            out.print(f"[bold]{done.done[fate]:>6}[/bold]  {SHORT[fate]}")
    if not done.done:
        out.print("Nothing was changed.")
    out.print(f"{plural(done.mails, 'answer')} mailed, {plural(done.updates, 'meeting')} of organizers updated.")
    if done.waiting:
        out.print(f"{plural(done.waiting, 'answer')} wait for their turn: the service sends them.")
    _show_failed(done)
    if done.in_vain:
        stderr().print("Too many failed one after the other, so the rest was not tried.")
    if done.stopped and done.changed < report.plan.changes:
        out.print("Not all is done. What was done stays done: run it again for the rest.")


def _show_failed(done: Recovered) -> None:
    if not done.failed:
        return
    stderr().print(
        f"[red]✗[/red] {len(done.failed)} could not be brought to their end; `greenroom serve` tries them again, and "
        "`greenroom explain <id>` tells why:",
        soft_wrap=True,
    )
    for entry in done.failed[:_FAILED_SHOWN]:
        name = entry.correlation_id or entry.alias or entry.room or entry.mark
        stderr().print(f"  {escape(plain(name))}  {SHORT[entry.fate]}", soft_wrap=True)
    if len(done.failed) > _FAILED_SHOWN:
        stderr().print(f"  [dim]and {len(done.failed) - _FAILED_SHOWN} more[/dim]")


def report_json(report: Report) -> dict[str, Any]:
    """Write one integration for `--json`. Times in UTC."""
    plan, done = report.plan, report.done
    return {
        "integration": report.entry.name,
        "mailbox": report.entry.mailbox,
        "ok": report.is_clear,
        "meetings": plan.meetings,
        "rooms": plan.rooms if plan.rooms_told else None,
        "warnings": warnings_of(plan),
        "counts": {fate.value: count for fate, count in plan.counts.items()},
        "left": dict(plan.left),
        "told": plan.told,
        "plan": [_entry_json(entry) for entry in (*plan.entries, *plan.untouched)],
        "done": None if done is None else _done_json(done),
    }


def _done_json(done: Recovered) -> dict[str, Any]:
    return {
        "counts": {fate.value: count for fate, count in Counter(done.done).items() if count},
        "mails": done.mails,
        "updates": done.updates,
        "waiting": done.waiting,
        "failed": [_entry_json(entry) for entry in done.failed],
        "complete": not done.stopped,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "fate": entry.fate.value,
        "detail": entry.detail or None,
        "key": None if entry.key is None else entry.key.value,
        "correlation_id": entry.correlation_id or None,
        "start": stamp(entry.starts_at),
        "organizer": entry.organizer or None,
        "alias": entry.alias or None,
        "room": entry.room or None,
        "mark": entry.mark or None,
    }
