"""Which occurrences a series has, and when they take place: local days (`days`) with wall-clock times.

Start and end are offsets from local midnight (MS-OXOCAL 2.2.1.44.5, StartTimeOffset and EndTimeOffset), so both keep their
time of day when clocks are changed between them; only where that end would not lie behind the start (the hour in which the
meeting takes place is skipped) its exact length counts. A local time that is skipped counts by the offset before the gap, one
that comes twice is the first. Deleted and changed occurrences are known by their original local day, as in MS-OXOCAL
2.2.1.44.1 (DeletedInstanceDates, ModifiedInstanceDates).

Unknown (None) rather than wrong: a rule that Exchange cannot say, or a zone that nobody knows, has no occurrences here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from greenroom.simulator import zones
from greenroom.simulator.days import days_back, days_between, days_from, last_day, nth_day
from greenroom.simulator.ics_zones import zone_from_rules
from greenroom.simulator.model import Meeting, ModifiedOccurrence
from greenroom.simulator.recurrence import Recurrence

_DAY = timedelta(days=1)


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
    wall = _Wall.of(meeting)
    return None if wall is None else next(wall.onwards(wall.rule.start), None)


def last_occurrence(meeting: Meeting) -> OccurrenceInfo | None:
    """The last occurrence that is not deleted; None for series without end and rules that cannot be counted."""
    wall = _Wall.of(meeting)
    last = None if wall is None else last_day(wall.rule)
    if wall is None or last is None:
        return None
    return next((wall.on(day) for day in days_back(wall.rule, last) if day not in wall.gone), None)


def original_day(meeting: Meeting, original: datetime) -> date:
    """The local date an occurrence was first meant for: what stands in its global object id."""
    return original.astimezone(zone_of(meeting) or UTC).date()


def occurrence_on(meeting: Meeting, day: date) -> OccurrenceInfo | None:
    """The occurrence first meant for this local date; None where the series has none, or none any more."""
    wall = _Wall.of(meeting)
    if wall is None:
        same = (one for one in meeting.modified if original_day(meeting, one.original_start) == day)
        return next((OccurrenceInfo(one.original_start, one.start, one.end) for one in same), None)
    if day in wall.moved or (day not in wall.gone and days_between(wall.rule, day, day)):
        return wall.on(day)
    return None


def has_day(meeting: Meeting, original: datetime) -> bool:
    """Whether the rule of a series names the local day of this start; also true where the rule cannot be counted."""
    wall = _Wall.of(meeting)
    if wall is None:
        return meeting.is_series
    day = original_day(meeting, original)
    return bool(days_between(wall.rule, day, day))


def nth_occurrence(meeting: Meeting, number: int) -> tuple[date, OccurrenceInfo | None] | None:
    """The day with this number (from 1) and its occurrence, None if that is deleted; None for a number the series lacks.

    So counts EWS in OccurrenceItemId: deleted occurrences have a number too.
    """
    wall = _Wall.of(meeting)
    day = None if wall is None else nth_day(wall.rule, number)
    if wall is None or day is None:
        return None
    return day, None if day in wall.gone else wall.on(day)


def occurrences_within(meeting: Meeting, start: datetime, end: datetime) -> list[OccurrenceInfo]:
    """The occurrences that touch the span from `start` to before `end`, in order; moved ones where they are now."""
    wall = _Wall.of(meeting)
    found = [
        OccurrenceInfo(one.original_start, one.start, one.end)
        for one in meeting.modified
        if touches(one.start, one.end, start, end)
    ]
    if wall is None:
        return found
    slack = max(wall.ends, wall.length, timedelta()).days + 2
    for day in days_between(wall.rule, _days_off(start, -slack), _days_off(end, 2)):
        if day not in wall.moved and day not in wall.gone:
            one = wall.on(day)
            if touches(one.start, one.end, start, end):
                found.append(one)
    return sorted(found, key=lambda one: (one.start, one.original_start))


def _days_off(moment: datetime, days: int) -> date:
    """The date so many days from a moment, within the calendar."""
    wanted = moment.toordinal() + days
    return date.fromordinal(min(max(wanted, 1), date.max.toordinal()))


def neighbours(meeting: Meeting, day: date) -> tuple[OccurrenceInfo | None, OccurrenceInfo | None]:
    """The occurrences first meant for a day before this one, and for one after it."""
    wall = _Wall.of(meeting)
    if wall is None:
        return None, None
    before = next((wall.on(one) for one in days_back(wall.rule, day - _DAY) if one not in wall.gone), None)
    return before, next(wall.onwards(day + _DAY), None)


def touches(start: datetime, end: datetime, since: datetime, until: datetime) -> bool:
    """Whether something takes place in a span; what has no length does so at its start."""
    return start < until and (end > since or start == end >= since)


@dataclass(frozen=True, slots=True)
class _Wall:
    """A series as the clock on the wall sees it."""

    rule: Recurrence
    zone: tzinfo
    begins: timedelta  # from midnight of the day of an occurrence
    ends: timedelta
    length: timedelta  # exact
    moved: dict[date, ModifiedOccurrence]
    gone: frozenset[date]

    @classmethod
    def of(cls, meeting: Meeting) -> "_Wall | None":
        zone = zone_of(meeting)
        if meeting.recurrence is None or zone is None:
            return None
        first, last = meeting.start.astimezone(zone), meeting.end.astimezone(zone)
        midnight = datetime.combine(first.date(), time())
        moved = {one.original_start.astimezone(zone).date(): one for one in meeting.modified}
        gone = {one.start.astimezone(zone).date() for one in meeting.deleted}
        return cls(
            meeting.recurrence,
            zone,
            first.replace(tzinfo=None) - midnight,
            last.replace(tzinfo=None) - midnight,
            meeting.end - meeting.start,
            moved,
            frozenset(gone - moved.keys()),
        )

    def on(self, day: date) -> OccurrenceInfo:
        """The occurrence of a day, which must be one of the series."""
        change = self.moved.get(day)
        if change is not None:
            return OccurrenceInfo(change.original_start, change.start, change.end)
        midnight = datetime.combine(day, time())
        start = self._instant(midnight + self.begins)
        end = self._instant(midnight + self.ends)
        return OccurrenceInfo(start, start, end if end > start else start + self.length)

    def onwards(self, day: date) -> Iterator[OccurrenceInfo]:
        """The occurrences first meant for this day or a later one."""
        return (self.on(one) for one in days_from(self.rule, day) if one not in self.gone)

    def _instant(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)
