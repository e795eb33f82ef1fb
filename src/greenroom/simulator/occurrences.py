"""First and last occurrence of a series, by simple counting. Unknown (None) rather than wrong."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from greenroom.simulator import zones
from greenroom.simulator.ics_zones import zone_from_rules
from greenroom.simulator.model import Meeting
from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    DayOrGroup,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    WeekIndex,
    Weekly,
)

_MAX_STEPS = 5_000
_INDEX: dict[WeekIndex, int] = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3, "Last": -1}
_FRIDAY = 4
_LAST_YEAR = 4500


@dataclass(frozen=True, slots=True)
class OccurrenceInfo:
    """One occurrence in UTC; `original_start` differs from `start` where it was moved."""

    original_start: datetime
    start: datetime
    end: datetime


def zone_of(meeting: Meeting) -> tzinfo | None:
    """The zone a meeting recurs in, None when nobody knows it."""
    if meeting.zone_rules is not None:
        return zone_from_rules(meeting.zone_rules)
    return zones.find(meeting.start_zone)


def first_occurrence(meeting: Meeting) -> OccurrenceInfo | None:
    """The first occurrence that is not deleted; None for single meetings and rules that cannot be counted."""
    return next(_occurrences(meeting), None)


def last_occurrence(meeting: Meeting) -> OccurrenceInfo | None:
    """The last occurrence that is not deleted; None for series without end and rules that cannot be counted."""
    rule = meeting.recurrence
    if rule is None or (rule.count is None and rule.until is None) or (rule.count or 0) > _MAX_STEPS:
        return None
    last = None
    for steps, one in enumerate(_occurrences(meeting)):
        if steps >= _MAX_STEPS:
            return None
        last = one
    return last


def original_day(meeting: Meeting, original: datetime) -> date:
    """The local date an occurrence was first meant for: what stands in its global object id."""
    return original.astimezone(zone_of(meeting) or UTC).date()


def occurrence_on(meeting: Meeting, day: date) -> OccurrenceInfo | None:
    """The occurrence first meant for this local date; None where the series has none, or none any more."""
    for one in meeting.modified:
        if original_day(meeting, one.original_start) == day:
            return OccurrenceInfo(one.original_start, one.start, one.end)
    zone = zone_of(meeting)
    if meeting.recurrence is None or zone is None:
        return None
    for found in itertools.islice(local_dates(meeting.recurrence), _MAX_STEPS * 10):
        if found >= day:
            start = datetime.combine(day, meeting.start.astimezone(zone).time(), tzinfo=zone).astimezone(UTC)
            gone = found != day or any(one.start == start for one in meeting.deleted)
            return None if gone else OccurrenceInfo(start, start, start + (meeting.end - meeting.start))
    return None


def occurrences_within(meeting: Meeting, start: datetime, end: datetime) -> list[OccurrenceInfo]:
    """The occurrences that touch the span from `start` to before `end`, in order; moved ones where they are now."""
    moved = {one.original_start for one in meeting.modified}
    found = [
        OccurrenceInfo(one.original_start, one.start, one.end)
        for one in meeting.modified
        if touches(one.start, one.end, start, end)
    ]
    for one in itertools.islice(_occurrences(meeting), _MAX_STEPS * 10):
        if one.original_start >= end:
            break
        if one.original_start not in moved and touches(one.start, one.end, start, end):
            found.append(one)
    return sorted(found, key=lambda one: (one.start, one.original_start))


def touches(start: datetime, end: datetime, since: datetime, until: datetime) -> bool:
    """Whether something takes place in a span; what has no length does so at its start."""
    return start < until and (end > since or start == end >= since)


def _occurrences(meeting: Meeting) -> Iterator[OccurrenceInfo]:
    zone = zone_of(meeting)
    if meeting.recurrence is None or zone is None:
        return
    length = meeting.end - meeting.start
    time = meeting.start.astimezone(zone).time()
    gone = {one.start for one in meeting.deleted}
    moved = {one.original_start: one for one in meeting.modified}
    for day in local_dates(meeting.recurrence):
        start = datetime.combine(day, time, tzinfo=zone).astimezone(UTC)
        if start in gone:
            continue
        change = moved.get(start)
        if change is None:
            yield OccurrenceInfo(start, start, start + length)
        else:
            yield OccurrenceInfo(start, change.start, change.end)


def local_dates(rule: Recurrence) -> Iterator[date]:
    """The local dates a recurrence names, up to its end (or the end of what calendars hold)."""
    for number, day in enumerate(day for day in _endless(rule) if day >= rule.start):
        over = rule.until is not None and day > rule.until
        if over or (rule.count is not None and number >= rule.count):
            return
        yield day


def _endless(rule: Recurrence) -> Iterator[date]:
    match rule.pattern:
        case Daily(interval):
            yield from _days(rule.start, timedelta(days=interval))
        case Weekly(interval, days, first_day):
            yield from _weeks(rule.start, interval, days, first_day)
        case AbsoluteMonthly(interval, day):
            yield from (_month_day(year, month, day) for year, month in _months(rule.start, interval))
        case RelativeMonthly(interval, name, index):
            yield from (_nth_day(year, month, name, index) for year, month in _months(rule.start, interval))
        case AbsoluteYearly(month, day):
            yield from (_month_day(year, month, day) for year in range(rule.start.year, _LAST_YEAR))
        case RelativeYearly(month, name, index):
            yield from (_nth_day(year, month, name, index) for year in range(rule.start.year, _LAST_YEAR))


def _days(day: date, step: timedelta) -> Iterator[date]:
    while day.year < _LAST_YEAR:
        yield day
        day += step


def _weeks(start: date, interval: int, days: tuple[str, ...], first_day: str) -> Iterator[date]:
    begins = DAYS.index(first_day)
    week = start - timedelta(days=(start.weekday() - begins) % 7)
    offsets = sorted((number - begins) % 7 for number, name in enumerate(DAYS) if name in days)
    while offsets and week.year < _LAST_YEAR:
        yield from (week + timedelta(days=offset) for offset in offsets)
        week += timedelta(weeks=interval)


def _months(start: date, interval: int) -> Iterator[tuple[int, int]]:
    number = start.year * 12 + start.month - 1
    while number < _LAST_YEAR * 12:
        yield number // 12, number % 12 + 1
        number += interval


def _month_days(year: int, month: int) -> list[date]:
    first = date(year, month, 1)
    return [day for day in (first + timedelta(days=n) for n in range(31)) if day.month == month]


def _month_day(year: int, month: int, day: int) -> date:
    return _month_days(year, month)[:day][-1]


def _nth_day(year: int, month: int, name: DayOrGroup, index: WeekIndex) -> date:
    fits = [day for day in _month_days(year, month) if _is(day, name)]
    return fits[_INDEX[index]]


def _is(day: date, name: DayOrGroup) -> bool:
    if name == "Day":
        return True
    if name == "Weekday":
        return day.weekday() <= _FRIDAY
    if name == "WeekendDay":
        return day.weekday() > _FRIDAY
    return DAYS[day.weekday()] == name
