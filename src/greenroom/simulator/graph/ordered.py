"""A calendar in the order that a list asks for: a page of a large one costs no more than of a small one."""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Final

from greenroom.simulator.graph import entries
from greenroom.simulator.model import CalendarItem, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry
    from greenroom.simulator.graph.odata import Options

_KEYS: Final[dict[str, Callable[[CalendarItem], datetime]]] = {
    "start/datetime": lambda item: item.meeting.start,
    "lastmodifieddatetime": lambda item: item.modified,
}


def calendar(call: GraphCall, options: Options) -> tuple[Iterable[Entry], bool]:
    """The events of a calendar, and whether they come in the order of the options (without what these leave out before)."""
    if not options.order:
        return entries.calendar(call), True
    name = options.sorted_by.lower()
    key = _KEYS.get(name)
    if key is None:
        return entries.calendar(call), False

    def arrange(items: list[Item]) -> list[Item]:
        found = [item for item in reversed(items) if isinstance(item, CalendarItem)]
        return [*sorted(found, key=key)]

    items = call.exchange.site.store(call.mailbox).arranged("calendar", f"graph {name}".encode(), arrange)
    return map(entries.of_item, _from(items, options.begins, key)), True


def _from(
    items: Sequence[Item], begins: datetime | None, key: Callable[[CalendarItem], datetime]
) -> Iterable[CalendarItem]:
    def at(item: Item) -> datetime:
        assert isinstance(item, CalendarItem)
        return key(item)

    first = 0 if begins is None else bisect_left(items, begins, key=at)
    return (item for item in islice(items, first, None) if isinstance(item, CalendarItem))
