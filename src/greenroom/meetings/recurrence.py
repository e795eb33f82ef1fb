"""Series: a rule in its own time zone with what differs from it, and what of it takes place when.

```
Series       rule, wall-clock start, length, zone; occurrences that moved, and those that are gone, by their original day
Occurrence   one dated instance: its original day and two instants
Occurrences  the questions: within a window, on a day, before and after an instant, the last one
```

An occurrence is known by the day it was first meant for, in the meeting's zone: there is at most one a day, and the day holds when
clocks or zone data change (MS-OXOCAL 2.2.1.27 puts the same day into its global object id). Nothing is expanded without bounds.

Wall-clock times count: an occurrence begins and ends at the same time of day whether clocks are changed in it or not, as Exchange
keeps offsets from midnight (MS-OXOCAL 2.2.1.44.1, StartTimeOffset and EndTimeOffset). A skipped time is as far behind the gap
as it was meant behind its beginning, a doubled one is the first of the two (RFC 5545 3.3.5).
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, pairwise

from greenroom.meetings.rule_days import Days
from greenroom.meetings.rule_text import pattern_name, rule_of, said_of
from greenroom.meetings.rules import FIRST_DAY, LAST_DAY, Rule
from greenroom.meetings.zones import Zone, tzinfo_of

MAX_LENGTH = timedelta(days=5 * 366)
"""No occurrence is longer: Exchange refuses more than five years (EWS, ErrorCalendarDurationIsTooLong)."""
_DAY = timedelta(days=1)
_MOST_COVERING = 16
_YEARS = range(FIRST_DAY.year, LAST_DAY.year + 10)


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """An occurrence that takes place at another time than its rule says, or may: `day` is its original one."""

    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One dated instance of a series; instants are in UTC."""

    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Series:
    """A recurring meeting. `begins` is a wall-clock time of `zone`, `length` runs by the same clock. Raises ValueError.

    `moved` is in the order of days; a day is never both in `moved` and in `gone`. Hashable; `text` is its canonical form.
    """

    rule: Rule
    begins: time
    length: timedelta
    zone: Zone
    moved: tuple[Moved, ...] = ()
    gone: frozenset[date] = field(default=frozenset())

    def __post_init__(self) -> None:
        if self.begins.tzinfo is not None or not timedelta() <= self.length <= MAX_LENGTH:
            raise ValueError("the series' times make no sense")
        days = [one.day for one in self.moved]
        if any(later <= day for day, later in pairwise(days)) or not self.gone.isdisjoint(days):
            raise ValueError("an occurrence of the series differs from it in two ways")
        if not all(one.start <= one.end and one.start.year in _YEARS and one.end.year in _YEARS for one in self.moved):
            raise ValueError("an occurrence of the series makes no sense")

    @classmethod
    def of(
        cls,
        rule: Rule,
        start: datetime,
        end: datetime,
        zone: Zone,
        *,
        moved: Iterable[tuple[datetime | date, datetime, datetime]] = (),
        gone: Iterable[datetime | date] = (),
    ) -> "Series":
        """Make a series of what protocols tell: instants of the first occurrence, exceptions by original start (or day).

        What is told to be moved is not gone; of two words about the same occurrence the later counts. Raises ValueError.
        """
        try:
            here = tzinfo_of(zone)
            first, last = start.astimezone(here).replace(tzinfo=None), end.astimezone(here).replace(tzinfo=None)
            # Where the clocks are put back in between, the end may show no later time than the start.
            plain = cls(rule, first.time(), last - first if last > first else max(end - start, timedelta()), zone)
            return plain.differing(moved, gone)
        except OverflowError as error:
            raise ValueError("the series' times are out of every calendar") from error

    def differing(
        self, moved: Iterable[tuple[datetime | date, datetime, datetime]], gone: Iterable[datetime | date]
    ) -> "Series":
        """Return this series with these exceptions and no others, told as `of` takes them. Raises ValueError, OverflowError."""
        day_of = self.occurrences.day_of
        kept = {day_of(original): (begin, finish) for original, begin, finish in moved}
        missing = frozenset({day_of(original) for original in gone} - kept.keys())
        changed = tuple(
            Moved(day, begin.astimezone(UTC), max(begin, finish).astimezone(UTC))
            for day, (begin, finish) in sorted(kept.items())
        )
        return replace(self, moved=changed, gone=missing) if changed or missing else self.frame

    @property
    def frame(self) -> "Series":
        """The series without what differs from it."""
        return self if not self.moved and not self.gone else replace(self, moved=(), gone=frozenset())

    @property
    def exceptions(self) -> str:
        """What differs from the series, in a canonical text; empty if nothing does."""
        moved = [f"{one.day}/{one.start.isoformat()}/{one.end.isoformat()}" for one in self.moved]
        return ",".join([*moved, *(f"-{day}" for day in sorted(self.gone))])

    @cached_property
    def occurrences(self) -> "Occurrences":
        """The questions to this series, made once."""
        return Occurrences(self)

    @property
    def text(self) -> str:
        """The canonical form, as storage keeps it and fingerprints take it; `parse` reads it."""
        said = said_of(self.rule)
        said |= {"begins": self.begins.isoformat(), "length": self.length.total_seconds(), "zone": self.zone.name}
        if self.zone.definition:
            said["definition"] = self.zone.definition
        if self.moved:
            said["moved"] = [[one.day.isoformat(), one.start.isoformat(), one.end.isoformat()] for one in self.moved]
        if self.gone:
            said["gone"] = sorted(day.isoformat() for day in self.gone)
        return json.dumps(said, separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Series":
        """Read `text`. Raises ValueError."""
        try:
            said = json.loads(text)
            return cls(
                rule_of(said),
                time.fromisoformat(said["begins"]),
                timedelta(seconds=said["length"]),
                Zone(_text(said["zone"]), _text(said.get("definition", ""))),
                tuple(Moved(date.fromisoformat(d), _instant(s), _instant(e)) for d, s, e in said.get("moved", ())),
                frozenset(date.fromisoformat(day) for day in said.get("gone", ())),
            )
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError("this is not a series") from error


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return at.astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a name is text")
    return value


class Occurrences:
    """What of a series takes place when. Make it once and ask often; every question is answered without expanding.

    Start and end follow the days in order, whatever clocks do, so what is asked for is found beside the day of the instant.
    """

    __slots__ = (
        "_asked",
        "_begins",
        "_by_day",
        "_days",
        "_length",
        "_moved",
        "_named",
        "_reach",
        "_starts",
        "_wall",
        "_zone",
        "is_endless",
    )

    def __init__(self, series: Series) -> None:
        self.is_endless = series.rule.is_endless
        self._zone = tzinfo_of(series.zone)
        self._wall = series.begins
        self._begins = series.begins.replace(tzinfo=self._zone)
        self._length = series.length
        self._named = Days(series.rule)
        self._by_day = {one.day: Occurrence(one.day, one.start, one.end) for one in series.moved}
        changed = [day.toordinal() for day in (*self._by_day, *series.gone)]
        self._days = Days(series.rule, changed) if changed else self._named
        self._moved = sorted(self._by_day.values(), key=_order)
        self._starts = [one.start for one in self._moved]
        self._reach = list(accumulate((one.end for one in self._moved), max))
        self._asked: tuple[datetime | None, tuple[int, datetime] | None] = None, None

    def day_of(self, original: datetime | date) -> date:
        """Return the day an occurrence was first meant for, from its original start.

        An instant told under other zone data may miss the rule's times by a little: the nearest day then counts.
        """
        if not isinstance(original, datetime):
            return original
        local = original.astimezone(self._zone).toordinal()
        named = [day for day in (local, local - 1, local + 1) if self._named.has(day)]
        nearest = min(named, key=lambda day: abs(self._start(day) - original), default=local)
        return date.fromordinal(nearest if named and abs(self._start(nearest) - original) < _DAY / 4 else local)

    def on(self, day: date) -> Occurrence | None:
        """Return the occurrence first meant for this day, wherever it is now; None if there is none, or none any more."""
        ordinal = day.toordinal()
        return self._by_day.get(day) or (self._plain(ordinal) if self._days.has(ordinal) else None)

    def after(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that starts first behind this instant; None if there is none."""
        return next(iter(self.upcoming(instant, 1)), None)

    def upcoming(self, instant: datetime, most: int = 2) -> list[Occurrence]:
        """Return the next occurrences that start behind this instant, in order, not more than `most`."""
        latest = self._latest(instant)
        day = None if latest is None else latest[0]
        index = bisect_right(self._starts, instant)
        found = self._moved[index : index + most]
        for _ in range(most):
            day = self._days.first if day is None else self._days.on_or_after(day + 1)
            if day is None:
                break
            found.append(self._plain(day))
        if len(found) > most:
            found.sort(key=_order)
            del found[most:]
        return found

    def coming(self, instant: datetime) -> tuple[Occurrence, datetime | None] | None:
        """Return the occurrence that starts first behind this instant, and when the next but one starts."""
        if self._starts:
            found = self.upcoming(instant)
            return (found[0], found[1].start if len(found) > 1 else None) if found else None
        latest = self._latest(instant)
        day = self._days.first if latest is None else self._days.on_or_after(latest[0] + 1)
        if day is None:
            return None
        then = self._days.on_or_after(day + 1)
        return self._plain(day), None if then is None else self._start(then)

    def before(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None if there is none."""
        latest = self._latest(instant)
        plain = None if latest is None else self._plain(latest[0])
        index = bisect_right(self._starts, instant)
        if index == 0:
            return plain
        moved = self._moved[index - 1]
        return moved if plain is None or moved.start > plain.start else plain

    def between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield in order of start, then of days, what touches the time from `since` to before `until`.

        What has no length counts, too.
        """
        moved = iter([one for one in self._moved[: bisect_right(self._starts, until)] if _touches(one, since, until)])
        waiting = next(moved, None)
        for plain in self._plain_between(since, until):
            while waiting is not None and _order(waiting) < _order(plain):
                yield waiting
                waiting = next(moved, None)
            yield plain
        if waiting is not None:
            yield waiting
        yield from moved

    def is_covered(self, instant: datetime, before: timedelta, after: timedelta) -> bool:
        """Whether any occurrence lets people in at this instant: the short form of `covering`."""
        return self._covered(instant + before, instant - after, self._latest(instant + before)) is not None

    def state(self, instant: datetime, before: timedelta, after: timedelta) -> tuple[bool, datetime | None]:
        """Return whether any occurrence lets people in at this instant, and until when this holds at least; None: for ever."""
        latest = self._latest(instant + before)
        end = self._covered(instant + before, instant - after, latest)
        if end is not None:
            return True, end + after
        day = self._days.first if latest is None else self._days.on_or_after(latest[0] + 1)
        index = bisect_right(self._starts, instant + before)
        coming = (
            self._starts[index : index + 1] if day is None else [self._start(day), *self._starts[index : index + 1]]
        )
        return False, min(coming) - before if coming else None

    def _covered(self, begun: datetime, ended: datetime, latest: tuple[int, datetime] | None) -> datetime | None:
        """Return the end of an occurrence that has begun by the one instant, and not ended by the other."""
        if latest is not None and (end := self._end(*latest)) > ended:
            return end
        if self._starts:
            index = bisect_right(self._starts, begun)
            if index > 0 and self._reach[index - 1] > ended:
                return self._reach[index - 1]
        return None

    def covering(self, instant: datetime, before: timedelta, after: timedelta) -> list[Occurrence]:
        """Return the occurrences that let people in at this instant, in order of start; of very many, the latest.

        Those are the ones from `before` ahead of the start (inclusive) to `after` past the end (exclusive).
        """
        begun, ended = instant + before, instant - after
        found: list[Occurrence] = []
        latest = self._latest(begun)
        day = None if latest is None else latest[0]
        while day is not None and len(found) < _MOST_COVERING and (plain := self._plain(day)).end > ended:
            found.append(plain)
            day = self._days.on_or_before(day - 1)
        index = bisect_right(self._starts, begun)
        while index > 0 and self._reach[index - 1] > ended:
            index -= 1
            if self._moved[index].end > ended:
                found.append(self._moved[index])
        found.sort(key=_order)
        return found[-_MOST_COVERING:]

    @property
    def first(self) -> Occurrence | None:
        """The occurrence that starts first; None if none is left."""
        return self.after(datetime.min.replace(tzinfo=UTC))

    @property
    def last_end(self) -> datetime | None:
        """When the last one ends; None for a series without end, and for one of which nothing is left."""
        if self.is_endless:
            return None
        last = self._days.last
        ends = self._reach[-1:] if last is None else [*self._reach[-1:], self._plain(last).end]
        return max(ends, default=None)

    # --- what follows the rule ------------------------------------------------------------------------------------

    def _start(self, day: int) -> datetime:
        return datetime.combine(date.fromordinal(day), self._begins).astimezone(UTC)

    def _end(self, day: int, start: datetime) -> datetime:
        end = (datetime.combine(date.fromordinal(day), self._begins) + self._length).astimezone(UTC)
        return (
            end if end > start else start + self._length
        )  # the hour in which it takes place is skipped, or it takes no time

    def _plain(self, day: int) -> Occurrence:
        date_ = date.fromordinal(day)
        wall = datetime.combine(date_, self._begins)
        start = wall.astimezone(UTC)
        end = (wall + self._length).astimezone(UTC)
        return Occurrence(date_, start, end if end > start else start + self._length)

    def _plain_between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        latest = self._latest(since)
        day = self._days.first
        if latest is not None:
            day = latest[0]
            while (earlier := self._days.on_or_before(day - 1)) and _touches(self._plain(earlier), since, until):
                day = earlier
        while day is not None and (plain := self._plain(day)).start < until:
            if _touches(plain, since, until):
                yield plain
            day = self._days.on_or_after(day + 1)

    def _latest(self, instant: datetime) -> tuple[int, datetime] | None:
        """Return day and start of the last occurrence that follows the rule and starts at this instant or before.

        By the clock on the wall it is not later than the instant, except while the clocks, put back, show an hour for the second
        time: what was meant for a later minute of it has begun. And what was meant for a skipped hour begins only behind it.
        """
        asked, answer = self._asked
        if asked == instant:
            return answer  # nearly always there is a second question to the same instant
        try:
            local = instant.astimezone(self._zone)
        except OverflowError:
            local = instant
        later = local.fold if local.fold or local.time() >= self._wall else -1
        day = self._days.on_or_before(local.toordinal() + later)
        while day is not None and (start := self._start(day)) > instant:
            day = self._days.on_or_before(day - 1)
        answer = None if day is None else (day, start)
        self._asked = instant, answer
        return answer


def _order(one: Occurrence) -> tuple[datetime, date]:
    return one.start, one.day


def _touches(one: Occurrence, since: datetime, until: datetime) -> bool:
    return one.start < until and (one.end > since or one.start == one.end >= since)


def occurrences_of(series: Series) -> Occurrences:
    """Return the questions to a series, made once."""
    return series.occurrences


__all__ = ["MAX_LENGTH", "Moved", "Occurrence", "Occurrences", "Series", "occurrences_of", "pattern_name"]
