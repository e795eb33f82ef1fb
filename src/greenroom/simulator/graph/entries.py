"""An event as Graph counts them: a calendar item, or one occurrence of a series that is one item in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greenroom.simulator.graph import ids
from greenroom.simulator.graph.errors import not_found
from greenroom.simulator.model import CalendarItem, ModifiedOccurrence
from greenroom.simulator.occurrence_items import exception_on, view_of
from greenroom.simulator.occurrences import occurrence_on, occurrences_within, original_day, touches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.model import Meeting
    from greenroom.simulator.occurrences import OccurrenceInfo

_TYPES: Final = {
    "Single": "singleInstance",
    "RecurringMaster": "seriesMaster",
    "Occurrence": "occurrence",
    "Exception": "exception",
}


@dataclass(slots=True)
class Reading:
    """How events are read; a test may change it.

    `deleted` says whether an event is still found by its immutable id when it lies in Deleted Items. Nobody has written down
    what Graph does there: clients must live with both.
    """

    deleted: bool = False


READING: Final = Reading()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event. `item` is what the store has (of an occurrence: its series), `shown` the same as it is to be read."""

    item: CalendarItem
    shown: CalendarItem
    type: str
    original: datetime | None = None  # of an occurrence of a series that is here, or of a lone one
    of_series: bool = False

    @property
    def meeting(self) -> Meeting:
        """The meeting, or the one occurrence of it."""
        return self.shown.meeting

    @property
    def day(self) -> date:
        """The local date an occurrence was first meant for."""
        assert self.original is not None, "only occurrences have one"
        return original_day(self.item.meeting, self.original)

    def id(self, *, immutable: bool) -> str:
        """The event's id."""
        own = ids.item_id(self.item, immutable=immutable)
        return ids.occurrence_id(own, self.day) if self.of_series else own


def of_item(item: CalendarItem) -> Entry:
    """The event that an item is."""
    return Entry(item, item, _TYPES[item.meeting.type], item.meeting.recurrence_id)


def of_occurrence(master: CalendarItem, one: OccurrenceInfo) -> Entry:
    """The event that one occurrence of a series is."""
    known = exception_on(master.meeting, one.original_start)
    change = known or ModifiedOccurrence(one.original_start, one.start, one.end)
    kind = "occurrence" if known is None else "exception"
    return Entry(master, view_of(master, change), kind, one.original_start, of_series=True)


def calendar(call: GraphCall) -> Iterator[Entry]:
    """What a list of events shows: single events, series as one, and occurrences whose series is not here."""
    found = call.exchange.items(call.mailbox, "calendar")
    return (of_item(item) for item in found if isinstance(item, CalendarItem))


def find(call: GraphCall, event_id: str) -> Entry:
    """The event of an id. Raises GraphError: 400 for what is no id, 404 for an event that is not here (any more)."""
    plain, day = ids.split(event_id)
    item = ids.find_item(call.exchange, call.mailbox, plain)
    here = item.folder_id == call.exchange.folder(call.mailbox, "calendar").id
    kept = READING.deleted and item.immutable_id == plain
    if not isinstance(item, CalendarItem) or not (here or kept):
        raise not_found()
    if day is None:
        return of_item(item)
    found = occurrence_on(item.meeting, day) if item.meeting.is_series else None
    if found is None:
        raise not_found()
    return of_occurrence(item, found)


def instances(item: CalendarItem, start: datetime, end: datetime) -> list[Entry]:
    """The occurrences of a series within a span, in order."""
    return [of_occurrence(item, one) for one in occurrences_within(item.meeting, start, end)]


def view(call: GraphCall, start: datetime, end: datetime) -> list[Entry]:
    """Everything that takes place within a span, series expanded, in order."""
    found: list[Entry] = []
    for entry in calendar(call):
        if entry.item.meeting.is_series:
            found += instances(entry.item, start, end)
        elif touches(entry.meeting.start, entry.meeting.end, start, end):
            found.append(entry)
    return sorted(found, key=lambda one: one.meeting.start)
