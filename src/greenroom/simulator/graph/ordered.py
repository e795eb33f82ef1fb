"""A calendar in the order that a list asks for, kept until it changes: a page of a large one costs no more than of a small one."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from greenroom.simulator.graph import entries
from greenroom.simulator.model import CalendarItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry
    from greenroom.simulator.graph.odata import Options
    from greenroom.simulator.store import MailboxStore

_KEYS: Final[dict[str, Callable[[CalendarItem], datetime]]] = {
    "start/datetime": lambda item: item.meeting.start,
    "lastmodifieddatetime": lambda item: item.modified,
}


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The items of a calendar in an order, as they were when the store counted so many changes and items."""

    state: tuple[int, int]
    items: list[CalendarItem]
    keys: list[datetime]


_KEPT: WeakKeyDictionary[MailboxStore, dict[str, _Sorted]] = WeakKeyDictionary()


def calendar(call: GraphCall, options: Options) -> tuple[Iterable[Entry], bool]:
    """The events of a calendar, and whether they come in the order of the options (without what these leave out before)."""
    name = options.sorted_by.lower()
    if not options.order:
        return entries.calendar(call), True
    if name not in _KEYS:
        return entries.calendar(call), False
    store = call.exchange.site.store(call.mailbox)
    kept = _KEPT.setdefault(store, {})
    state = store.number, len(store.items)
    known = kept.get(name)
    if known is None or known.state != state:
        key = _KEYS[name]
        found = [item for item in store.contents("calendar") if isinstance(item, CalendarItem)]
        found.sort(key=key)
        known = kept[name] = _Sorted(state, found, [key(item) for item in found])
    first = 0 if options.begins is None else bisect_left(known.keys, options.begins)
    return map(entries.of_item, islice(known.items, first, None)), True
