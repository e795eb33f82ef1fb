"""How a drift is shown: a table of what differs with what would mend it, or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from greenroom.cli.options import stdout
from greenroom.cli.reading import alias_of, local, plain, read, stamp
from greenroom.meetings.record import Record
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.differences import Difference
from greenroom.scheduler.recovery.drift import Drift
from greenroom.settings import Integration, Settings
from greenroom.storage import StoredDrift, Work

SAID = {
    (DriftKind.UNKNOWN_MEETING, "new"): ("unknown meeting", "it is looked at and answered"),
    (DriftKind.UNKNOWN_MEETING, "changed"): ("unknown change", "the meeting is looked at again"),
    (DriftKind.VANISHED_MEETING, ""): ("vanished meeting", "it is searched for; if it is gone its room is closed"),
    (DriftKind.ROOM_MISSING, "gone"): ("room missing", "the room is made again"),
    (DriftKind.ROOM_MISSING, "by-policy-alone"): ("conference missing", "it is made again; policy lets people in"),
    (DriftKind.ROOM_DIFFERS, "aliases"): ("room differs", "it gets its aliases back"),
    (DriftKind.ROOM_DIFFERS, "twice"): ("room twice", "the other one is removed"),
    (DriftKind.ORPHAN_ROOM, "known"): ("room without meeting", "its meeting is done with; the room is closed"),
    (DriftKind.ORPHAN_ROOM, "unknown"): ("room without meeting", "nothing is known of it; see `greenroom recover`"),
}
"""What differs, and what would mend it, by kind and detail."""
_MOST = 200
_ID = len("ABCD-EFGH")


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found for one integration. `at` is None where nothing was ever compared; `after` is what mending left."""

    integration: str
    drift: Drift
    compared: bool = True
    mended: tuple[Difference, ...] | None = None
    after: Drift | None = None
    since: dict[tuple[str, str], datetime] | None = None

    @property
    def left(self) -> Drift:
        """What differs still."""
        return self.drift if self.after is None else self.after


def remembered(settings: Settings, entries: Sequence[Integration], *, as_json: bool) -> list[Compared]:
    """Read what the service found last."""

    async def ask(work: Work) -> list[Compared]:
        return [await _stored(settings, entry, work) for entry in entries]

    return read(settings, ask, as_json=as_json)


async def _stored(settings: Settings, entry: Integration, work: Work) -> Compared:
    at = (await work.mailboxes.get(entry.mailbox)).drift_at
    rows = await work.drifts.of(entry.number)
    records: dict[str, Record] = {}
    for record in await work.meetings.of_rooms(entry.number, [row.subject for row in rows]):
        records.setdefault(record.mark, record)
    for row in rows:
        if row.subject not in records and (found := await work.meetings.by_mark(entry.number, row.subject)):
            records[row.subject] = found
    differences = tuple(_of_row(settings, row, records.get(row.subject)) for row in rows)
    since = {(row.kind, row.subject): row.first_at for row in rows}
    now = at or datetime.min  # noqa: DTZ901 (never shown: `compared` is False then)
    return Compared(entry.name, Drift(now, differences), compared=at is not None, since=since)


def _of_row(settings: Settings, row: StoredDrift, record: Record | None) -> Difference:
    kind = DriftKind(row.kind)
    if record is None:
        return Difference(kind, row.subject, row.detail)
    starts_at = None if record.span is None else record.span.start
    alias = alias_of(settings, record)
    return Difference(kind, row.subject, row.detail, record.key, starts_at, alias, "", record.correlation_id)


def show(found: Compared, *, several: bool) -> None:
    """Print a table and counts."""
    out = stdout()
    if several:
        out.print(Text(found.integration, style="bold"))
    if not found.compared:
        out.print("Nothing was compared yet; the service does it a while after its start, and then every few hours.")
        return
    differences = found.drift.differences
    if differences:
        table = _table(differences[:_MOST], found.since)
        out.width = max(
            out.width, out.measure(table).minimum
        )  # what people copy is never cut, however narrow the terminal
        out.print(table)
        out.print()
    if len(differences) > _MOST:
        out.print(f"[dim]{len(differences) - _MOST} more; --json lists all of them.[/dim]")
    for kind, count in found.drift.counts().items():
        if count:
            out.print(f"[bold]{count:>6}[/bold]  {kind.value}")
    for what, mends in dict.fromkeys(_said(one) for one in differences):
        out.print(Text(f"        {what}: {mends}", style="dim"), soft_wrap=True)
    if not differences:
        out.print("Nothing differs.")
    for remark in _remarks(found):
        out.print(Text(remark, style="dim"))


def _remarks(found: Compared) -> list[str]:
    said = []
    if found.since is not None:
        said.append(f"Compared at {local(found.drift.at)}; what the service mended is not shown.")
    if not found.drift.rooms_told:
        said.append("Rooms were not compared: not told by this platform.")
    if found.drift.waiting:
        said.append(f"{found.drift.waiting} changes wait to be looked at by the service; they are no drift.")
    return said


def _table(differences: Sequence[Difference], since: dict[tuple[str, str], datetime] | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("what", no_wrap=True)
    table.add_column("id", no_wrap=True, min_width=_ID)
    table.add_column("alias", no_wrap=True)
    table.add_column("start", no_wrap=True)
    rooms = any(one.room or _mark(one) for one in differences)
    if rooms:
        table.add_column("room", no_wrap=True)
    if since is not None:
        table.add_column("since", no_wrap=True)
    for one in differences:
        cells = [_said(one)[0], one.correlation_id, one.alias, local(one.starts_at)]
        if rooms:
            cells.append(one.room or _mark(one))
        if since is not None:
            cells.append(local(since.get((one.kind.value, one.subject))))
        table.add_row(*(Text(plain(cell)) for cell in cells))
    return table


def _said(one: Difference) -> tuple[str, str]:
    """Return what differs, and what would mend it."""
    return SAID.get((one.kind, one.detail), (one.kind.value, one.detail))


def _mark(one: Difference) -> str:
    """Name a room by its mark where the platform's own name for it is not known."""
    return one.subject if one.kind is DriftKind.ORPHAN_ROOM else ""


def as_json_of(found: Compared) -> dict[str, Any]:
    """Write it for `--json`."""
    since = found.since or {}
    return {
        "integration": found.integration,
        "compared_at": stamp(found.drift.at) if found.compared else None,
        "rooms_told": found.drift.rooms_told,
        "waiting": found.drift.waiting,
        "counts": {kind.value: count for kind, count in found.drift.counts().items()},
        "differences": [_json(one, since.get((one.kind.value, one.subject))) for one in found.drift.differences],
        "mended": None if found.mended is None else len(found.mended),
        "left": len(found.left.differences),
    }


def _json(one: Difference, since: datetime | None) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "detail": one.detail or None,
        "subject": one.subject,
        "key": None if one.key is None else one.key.value,
        "correlation_id": one.correlation_id or None,
        "start": stamp(one.starts_at),
        "alias": one.alias or None,
        "room": one.room or None,
        "since": stamp(since),
    }
