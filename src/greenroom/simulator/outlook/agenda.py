"""The calendar as a list of days: single meetings and the occurrences of series in a window of dates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from greenroom.simulator.model import CalendarItem, Item
from greenroom.simulator.occurrences import local_dates, zone_of
from greenroom.simulator.outlook.localtime import Clock

WINDOW = timedelta(days=14)
_MAX_STEPS = 20_000  # of counting through one series
_MAX_ENTRIES = 400  # on one page
_SLACK = timedelta(days=2)  # between local dates of different zones


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
    """The occurrences of an item near a window; a single meeting is its own only one."""
    meeting = item.meeting
    zone = zone_of(meeting) or UTC
    if meeting.recurrence is None:
        yield Entry(item, meeting.start, meeting.end, None, item.subject, meeting.location)
        return
    gone = {one.start for one in meeting.deleted}
    changed = {one.original_start: one for one in meeting.modified}
    length = meeting.end - meeting.start
    at = meeting.start.astimezone(zone).time()
    last = end.astimezone(zone).date() + _SLACK
    for day in islice(local_dates(meeting.recurrence), _MAX_STEPS):
        if day > last:
            break
        start = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
        if start not in gone and start not in changed and start + length + _SLACK >= begin:
            yield Entry(item, start, start + length, start, item.subject, meeting.location)
    for original, one in changed.items():
        subject = item.subject if one.subject is None else one.subject
        location = meeting.location if one.location is None else one.location
        yield Entry(item, one.start, one.end, original, subject, location)
