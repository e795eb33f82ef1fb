"""`greenroom meetings --endless`: series that keep their rooms until somebody ends them."""

from dataclasses import dataclass
from datetime import datetime

from rich.table import Table
from rich.text import Text

from greenroom.cli.coming import shown_start
from greenroom.cli.options import echo_json, stderr, stdout
from greenroom.cli.reading import alias_of, local, name_of, plain, read, record_json, stamp
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record
from greenroom.settings import Settings
from greenroom.storage import Work

_GAP = 2
_LEAST = 8


@dataclass(frozen=True, slots=True)
class _Endless:
    record: Record
    reviewed_at: datetime | None


def show_endless(settings: Settings, integration: int | None, limit: int, now: datetime, *, as_json: bool) -> None:
    """List series without end, the one to be reviewed next first."""

    async def ask(work: Work) -> list[_Endless]:
        found = await work.meetings.endless(integration, limit + 1)
        reviewed: dict[tuple[int, str], datetime] = {}
        for number in {record.integration for record in found}:
            keys = [record.key for record in found if record.integration == number]
            last = await work.journal.latest(number, keys, Reason.REVIEW.value)
            reviewed |= {(number, key.value): at for key, at in last.items()}
        return [_Endless(record, reviewed.get((record.integration, record.key.value))) for record in found]

    found = read(settings, ask, as_json=as_json)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        rows = [record_json(settings, one.record, now) | {"reviewed_at": stamp(one.reviewed_at)} for one in found]
        echo_json({"meetings": rows, "more": more})
    elif not found:
        stderr().print("No series is without an end.")
    else:
        _show(settings, found, now)
        if more:
            stderr().print("[dim]There are more: raise --limit.[/dim]")


def _show(settings: Settings, found: list[_Endless], now: datetime) -> None:
    several = len(settings.integration) > 1
    columns = {
        "since": [_day(None if one.record.span is None else one.record.span.start) for one in found],
        f"next ({now:%Z})": [local(shown_start(one.record, now)) for one in found],
        "reviewed": [_day(one.reviewed_at) or "never" for one in found],
        "review": [_day(one.record.review_at) for one in found],
        "alias": [alias_of(settings, one.record) for one in found],
        "id": [one.record.correlation_id for one in found],
    }
    if several:
        columns["integration"] = [name_of(settings, one.record.integration) for one in found]
    for spare in ("reviewed", "since"):  # on a narrow terminal; what people copy is never cut
        if _width(columns) + 2 * (_LEAST + _GAP) > stdout().width:
            del columns[spare]
    free = max(2 * _LEAST, stdout().width - _width(columns) - 2 * _GAP)
    organizer = min(32, 2 * free // 5)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("title", overflow="ellipsis", no_wrap=True, max_width=free - organizer)
    table.add_column("organizer", overflow="ellipsis", no_wrap=True, max_width=organizer)
    for name in columns:
        table.add_column(name, no_wrap=True)
    for one, *cells in zip(found, *columns.values(), strict=True):
        table.add_row(*(Text(cell) for cell in (plain(one.record.title), plain(one.record.organizer), *cells)))
    stdout().print(table)
    stderr().print("[dim]`greenroom explain <id>` tells a meeting's story.[/dim]")


def _width(columns: dict[str, list[str]]) -> int:
    return sum(max(len(name), *map(len, cells)) + _GAP for name, cells in columns.items())


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone():%Y-%m-%d}"
