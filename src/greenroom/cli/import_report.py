"""How an import is shown: a table of what becomes of the meetings, or JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from greenroom.cli.import_settings import Setting, setting_json
from greenroom.cli.import_words import MEANING, SHORT, beside, connector_warning, domains_warning
from greenroom.cli.options import stderr, stdout
from greenroom.cli.reading import local, plain, stamp
from greenroom.meetings.legacy import LegacyConnector
from greenroom.scheduler.takeover import Entry, Fate
from greenroom.settings import Integration

_COLOURS = {
    Fate.TAKE: "green",
    Fate.TAKEN: "dim",
    Fate.OURS: "dim",
    Fate.OVER: "dim",
    Fate.CONFLICT: "red",
    Fate.UNREADABLE: "red",
}
NOW = "now"
"""Detail of an entry that this run has taken over."""
_QUIET = (Fate.OVER, Fate.TAKEN, Fate.OURS)


def show_settings(connector: LegacyConnector, settings: Sequence[Setting]) -> None:
    """Compare settings in a table."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for column in ("setting", f"connector {plain(connector.name)}", "here"):
        table.add_column(column, overflow="fold")
    for one in settings:
        sign = "" if one.same else "yellow"
        cells = (f"{one.table}.{one.name}", *("-" if v in (None, "") else str(v) for v in (one.theirs, one.ours)))
        table.add_row(*(Text(plain(cell), style=sign) for cell in cells))
    stdout().print(table)
    if connector.templates:
        stdout().print(f"[dim]{len(connector.templates)} texts of its own; --print-config names them.[/dim]")
    if not all(one.same for one in settings):
        stdout().print("[dim]--print-config writes the lines that set it like the connector.[/dim]")
    stdout().print()


def show_entries(entries: Sequence[Entry]) -> None:
    """Show one line for each meeting; of what needs nothing only how many there are."""
    shown = [entry for entry in entries if entry.fate not in _QUIET or entry.unmarked or entry.detail == NOW]
    if shown:
        stdout().print(_table(shown))
        stdout().print()
    for fate, count in _counted(entries):
        stdout().print(
            f"[bold]{count:>6}[/bold]  {escape(SHORT[fate])}: [dim]{escape(MEANING[fate])}[/dim]", soft_wrap=True
        )
    if not entries:
        stdout().print("Nothing is in the calendar that has not ended, and Pexip keeps no meetings of this mailbox.")


def _table(entries: Sequence[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("start", no_wrap=True)
    table.add_column("what becomes of it", no_wrap=True)
    table.add_column("alias", overflow="fold")
    table.add_column("title", overflow="ellipsis", no_wrap=True, max_width=32)
    table.add_column("organizer", overflow="ellipsis", no_wrap=True, max_width=32)
    table.add_column("", overflow="fold", style="dim")
    for entry in entries:
        record = entry.record
        table.add_row(
            Text("" if record is None or record.span is None else local(record.span.start)),
            Text(SHORT[entry.fate], style=_COLOURS.get(entry.fate, "yellow")),
            Text("" if entry.alias is None else plain(entry.alias.name)),
            Text("" if record is None else plain(record.title)),
            Text("" if record is None else plain(record.organizer)),
            Text(beside(entry)),
        )
    return table


def _counted(entries: Sequence[Entry]) -> list[tuple[Fate, int]]:
    counts = Counter(entry.fate for entry in entries)
    return [(fate, counts[fate]) for fate in Fate if counts[fate]]


def show_warnings(warnings: Sequence[str]) -> None:
    """Print what somebody must do, loudly."""
    for warning in warnings:
        stderr().print(f"[bold yellow]! {escape(plain(warning))}[/bold yellow]", soft_wrap=True)


def warnings_of(
    entry: Integration, connectors: Sequence[LegacyConnector], entries: Sequence[Entry], *, odd: int, remembers: bool
) -> list[str]:
    """Say what is dangerous, is not configured, or was left out."""
    mailbox = entry.mailbox
    found = [connector_warning(one.name, mailbox) for one in connectors]
    taken = [one.alias.name for one in entries if one.alias is not None and one.fate in (Fate.TAKE, Fate.TAKEN)]
    known = {"", entry.alias.domain, *(() if entry.pexip is None else entry.pexip.domains)}
    unknown = {name.lower().partition("@")[2] for name in taken} - known
    if unknown:
        found.append(domains_warning(unknown))
    if not connectors:
        found.append(
            f"No connector in Pexip watches {mailbox}: aliases of every connector are considered, by the meetings they are "
            "bound to."
        )
    if odd:
        found.append(f"{odd} objects in Pexip could not be understood and were left out.")
    if not remembers:
        found.append("The database is not prepared yet: what Greenroom may know of these meetings is not considered.")
    return found


def entry_json(entry: Entry) -> dict[str, Any]:
    """Write one entry for `--json`."""
    record, alias = entry.record, entry.alias
    span = None if record is None else record.span
    return {
        "fate": entry.fate.value,
        "detail": entry.detail or None,
        "key": None if entry.key is None else entry.key.value,
        "correlation_id": None if record is None else record.correlation_id,
        "kind": None if record is None else record.kind.value,
        "title": None if record is None else record.title,
        "organizer": None if record is None else record.organizer,
        "start": None if span is None else stamp(span.start),
        "end": None if span is None else stamp(span.end),
        "until": None if span is None else stamp(span.until),
        "alias": None if alias is None else alias.name,
        "numeric_alias": None if alias is None else alias.numeric,
        "room": None if entry.room is None else entry.room.ref,
        "unmarked": entry.unmarked,
    }


def counts_json(entries: Sequence[Entry]) -> dict[str, int]:
    """Count entries by what becomes of them."""
    return {fate.value: count for fate, count in _counted(entries)}


def connector_json(connector: LegacyConnector, settings: Sequence[Setting]) -> dict[str, Any]:
    """Write a connector and the comparison with our settings for `--json`."""
    return {
        "name": connector.name,
        "mailbox": connector.mailbox,
        "schedules": connector.rooms_enabled,
        "settings": [setting_json(one) for one in settings],
        "templates": dict(connector.templates),
    }
