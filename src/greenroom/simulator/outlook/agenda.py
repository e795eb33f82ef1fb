"""The calendar as a list of days: single meetings and the occurrences of series in a window of dates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from greenroom.simulator.model import CalendarItem, Item
from greenroom.simulator.occurrences import occurrences_within, zone_of
from greenroom.simulator.outlook.localtime import Clock

WINDOW = timedelta(days=14)
_MAX_ENTRIES = 400  # on one page


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the agenda. `original_start` is None for single meetings."""

    item: CalendarItem
    start: datetime
    end: datetime
    original_start: datetime | None = None
    subject: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """A day with something in it."""

    date: date
    entries: tuple[Entry, ...]


def agenda(items: Iterable[Item], clock: Clock, first: date) -> list[AgendaDay]:
    """What takes place from `first` (a date in the clock's zone) on, for two weeks, day by day."""
    begin = datetime.combine(first, datetime.min.time(), tzinfo=clock.zone).astimezone(UTC)
    end = datetime.combine(first + WINDOW, datetime.min.time(), tzinfo=clock.zone).astimezone(UTC)
    found = [
        entry
        for item in items
        if isinstance(item, CalendarItem)
        for entry in occurrences(item, begin, end)
        if entry.start < end and (entry.end > begin or entry.start >= begin)
    ]
    found.sort(key=lambda entry: (entry.start, entry.end, entry.item.created))
    days: dict[date, list[Entry]] = {}
    for entry in found[:_MAX_ENTRIES]:
        days.setdefault(max(clock.day_of(entry.start), first), []).append(entry)
    return [AgendaDay(day, tuple(entries)) for day, entries in sorted(days.items())]


def occurrences(item: CalendarItem, begin: datetime, end: datetime) -> Iterator[Entry]:
    """The occurrences of an item in a window; a single meeting is its own only one, as is a series that cannot be counted."""
    meeting = item.meeting
    if meeting.recurrence is None or zone_of(meeting) is None:
        yield Entry(item, meeting.start, meeting.end, None, item.subject, meeting.location)
        return
    changed = {one.original_start: one for one in meeting.modified}
    for one in occurrences_within(meeting, begin, end):
        change = changed.get(one.original_start)
        subject = item.subject if change is None or change.subject is None else change.subject
        location = meeting.location if change is None or change.location is None else change.location
        yield Entry(item, one.start, one.end, one.original_start, subject, location)
