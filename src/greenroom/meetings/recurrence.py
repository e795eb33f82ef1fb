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
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from greenroom.meetings.rules import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Days,
    Nth,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)
from greenroom.meetings.zones import Zone, tzinfo_of

_PATTERNS = {
    "daily": Daily,
    "weekly": Weekly,
    "absolute-monthly": AbsoluteMonthly,
    "relative-monthly": RelativeMonthly,
    "absolute-yearly": AbsoluteYearly,
    "relative-yearly": RelativeYearly,
}
_NAMES = {kind: name for name, kind in _PATTERNS.items()}
_DAY = timedelta(days=1)
_MOST_COVERING = 16


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


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring meeting. `begins` is a wall-clock time of `zone`, `length` runs by the same clock.

    `moved` is in the order of days; a day is never both in `moved` and in `gone`. Hashable; `text` is its canonical form.
    """

    rule: Rule
    begins: time
    length: timedelta
    zone: Zone
    moved: tuple[Moved, ...] = ()
    gone: frozenset[date] = field(default=frozenset())

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
        """Make a series of what protocols tell: instants of the first occurrence, exceptions by original start (or day)."""
        here = tzinfo_of(zone)
        first, last = start.astimezone(here).replace(tzinfo=None), end.astimezone(here).replace(tzinfo=None)
        plain = cls(rule, first.time(), max(last - first, timedelta()), zone)
        known = Occurrences(plain)
        kept = {known.day_of(original): (begin, finish) for original, begin, finish in moved}
        missing = frozenset({known.day_of(original) for original in gone} - kept.keys())
        changed = tuple(Moved(day, begin, finish) for day, (begin, finish) in sorted(kept.items()))
        return cls(rule, plain.begins, plain.length, zone, changed, missing)

    @property
    def text(self) -> str:
        """The canonical form, as storage keeps it and fingerprints take it; `parse` reads it."""
        pattern = self.rule.pattern
        said: dict[str, Any] = {"pattern": _NAMES[type(pattern)]}
        said |= {name: _plain(getattr(pattern, name)) for name in pattern.__dataclass_fields__}
        said["start"] = self.rule.start.isoformat()
        if self.rule.until is not None:
            said["until"] = self.rule.until.isoformat()
        if self.rule.count is not None:
            said["count"] = self.rule.count
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
            kind: Any = _PATTERNS[said["pattern"]]
            values = {name: _read(name, said[name]) for name in kind.__dataclass_fields__}
            until, count = said.get("until"), said.get("count")
            rule = Rule(kind(**values), date.fromisoformat(said["start"]), until and date.fromisoformat(until), count)
            return cls(
                rule,
                time.fromisoformat(said["begins"]),
                timedelta(seconds=said["length"]),
                Zone(said["zone"], said.get("definition", "")),
                tuple(Moved(date.fromisoformat(d), _instant(s), _instant(e)) for d, s, e in said.get("moved", ())),
                frozenset(date.fromisoformat(day) for day in said.get("gone", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is not a series") from error


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else int(value)


def _read(name: str, value: Any) -> Any:
    if name == "nth":
        return Nth(value)
    return tuple(value) if isinstance(value, list) else int(value)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Occurrences:
    """What of a series takes place when. Make it once and ask often; every question is answered without expanding."""

    __slots__ = ("_begins", "_changed", "_days", "_ends", "_length", "_moved", "_starts", "_zone")

    def __init__(self, series: Series) -> None:
        self._days = Days(series.rule)
        self._begins = series.begins
        self._length = series.length
        self._zone = tzinfo_of(series.zone)
        self._moved = tuple(
            sorted((Occurrence(m.day, m.start, m.end) for m in series.moved), key=lambda one: (one.start, one.day))
        )
        self._starts = [one.start for one in self._moved]
        self._ends = max((one.end for one in self._moved), default=None)
        self._changed = {one.day.toordinal() for one in self._moved} | {day.toordinal() for day in series.gone}

    def day_of(self, original: datetime | date) -> date:
        """Return the day an occurrence was first meant for, from its original start.

        An instant told under other zone data may miss the rule's day by a little: the nearest one then counts.
        """
        if not isinstance(original, datetime):
            return original
        local = original.astimezone(self._zone).date().toordinal()
        if self._days.has(local):
            return date.fromordinal(local)
        near = [day for day in (local - 1, local + 1) if self._days.has(day)]
        near = [day for day in near if abs(self._plain(day).start - original) < _DAY / 4]
        return date.fromordinal(near[0] if near else local)

    def on(self, day: date) -> Occurrence | None:
        """Return the occurrence first meant for this day, wherever it is now; None if there is none, or none any more."""
        for one in self._moved:
            if one.day == day:
                return one
        ordinal = day.toordinal()
        return self._plain(ordinal) if ordinal not in self._changed and self._days.has(ordinal) else None

    def after(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that starts first behind this instant; None if there is none."""
        at = bisect_right(self._starts, instant)
        moved = self._moved[at] if at < len(self._moved) else None
        plain = next(self._plain_from(instant, inclusive=False), None)
        if plain is None or moved is None:
            return plain or moved
        return min(plain, moved, key=lambda one: one.start)

    def before(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None if there is none."""
        at = bisect_right(self._starts, instant)
        moved = self._moved[at - 1] if at else None
        plain = next(self._plain_back(instant), None)
        if plain is None or moved is None:
            return plain or moved
        return max(plain, moved, key=lambda one: one.start)

    def between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield in order of start what touches the time from `since` to before `until`; what has no length counts too."""
        early = [one for one in self._moved if _touches(one, since, until)]
        at = 0
        reach = since - self._length - _DAY
        for plain in self._plain_from(reach, inclusive=True):
            if plain.start >= until:
                break
            if _touches(plain, since, until):
                while at < len(early) and early[at].start <= plain.start:
                    yield early[at]
                    at += 1
                yield plain
        yield from early[at:]

    def covering(self, instant: datetime, before: timedelta, after: timedelta) -> list[Occurrence]:
        """Return the occurrences that let people in at this instant, in order of start; of very many, the latest.

        Those are the ones from `before` ahead of the start (inclusive) to `after` past the end (exclusive).
        """
        found: list[Occurrence] = []
        reach = instant - after - self._length - _DAY
        for plain in self._plain_back(instant + before):
            if plain.start < reach or len(found) == _MOST_COVERING:
                break
            if instant < plain.end + after:
                found.append(plain)
        if self._ends is not None and instant < self._ends + after:
            for one in self._moved[: bisect_right(self._starts, instant + before)]:
                if instant < one.end + after:
                    found.append(one)  # noqa: PERF401 (the common case is none)
        return sorted(found, key=lambda one: one.start)[-_MOST_COVERING:]

    @property
    def is_endless(self) -> bool:
        """Whether there is no last one."""
        return self._days.is_endless

    @property
    def first(self) -> Occurrence | None:
        """The occurrence that starts first; None if none is left."""
        return self.after(datetime.min.replace(tzinfo=UTC))

    @property
    def last_end(self) -> datetime | None:
        """When the last one ends; None for a series without end, and for one of which nothing is left."""
        if self.is_endless:
            return None
        last = self._days.on_or_before(self._days.last)
        while last is not None and last in self._changed:
            last = self._days.on_or_before(last - 1)
        ends = [one for one in (self._ends, None if last is None else self._plain(last).end) if one is not None]
        return max(ends, default=None)

    # --- what follows the rule ------------------------------------------------------------------------------------

    def _plain(self, day: int) -> Occurrence:
        date_ = date.fromordinal(day)
        wall = datetime.combine(date_, self._begins)
        start = wall.replace(tzinfo=self._zone).astimezone(UTC)
        end = (wall + self._length).replace(tzinfo=self._zone).astimezone(UTC)
        if end <= start:
            end = start + self._length  # the hour in which it takes place is skipped
        return Occurrence(date_, start, end)

    def _plain_from(self, instant: datetime, *, inclusive: bool) -> Iterator[Occurrence]:
        day = self._days.on_or_after(self._local(instant) - 1)
        while day is not None:
            if day not in self._changed:
                one = self._plain(day)
                if one.start > instant or (inclusive and one.start == instant):
                    yield one
            day = self._days.on_or_after(day + 1)

    def _plain_back(self, instant: datetime) -> Iterator[Occurrence]:
        day = self._days.on_or_before(self._local(instant) + 1)
        while day is not None:
            if day not in self._changed:
                one = self._plain(day)
                if one.start <= instant:
                    yield one
            day = self._days.on_or_before(day - 1)

    def _local(self, instant: datetime) -> int:
        try:
            return instant.astimezone(self._zone).toordinal()
        except OverflowError:
            return instant.toordinal()


def _touches(one: Occurrence, since: datetime, until: datetime) -> bool:
    return one.start < until and (one.end > since or one.start == one.end >= since)


@lru_cache(maxsize=1024)
def occurrences_of(series: Series) -> Occurrences:
    """Return the questions to a series, made once."""
    return Occurrences(series)


def pattern_name(pattern: Pattern) -> str:
    """Name a pattern."""
    return _NAMES[type(pattern)]


__all__ = ["Moved", "Occurrence", "Occurrences", "Series", "occurrences_of", "pattern_name"]
