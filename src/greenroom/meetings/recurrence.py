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
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise

from greenroom.meetings.occurrences import Occurrence, Occurrences
from greenroom.meetings.rule_text import pattern_name, rule_of, said_of
from greenroom.meetings.rules import FIRST_DAY, LAST_DAY, Rule
from greenroom.meetings.zones import Zone, tzinfo_of

MAX_LENGTH = timedelta(days=5 * 366)
"""No occurrence is longer: five years, as Exchange, too, refuses what is too long (EWS, ErrorCalendarDurationIsTooLong)."""
_YEARS = range(FIRST_DAY.year, LAST_DAY.year + 10)


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """An occurrence that takes place at another time than its rule says, or may: `day` is its original one."""

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

    @cached_property
    def exceptions(self) -> str:
        """What differs from the series, in a canonical text; empty if nothing does."""
        moved = [f"{one.day}/{one.start.isoformat()}/{one.end.isoformat()}" for one in self.moved]
        return ",".join([*moved, *(f"-{day}" for day in sorted(self.gone))])

    @cached_property
    def occurrences(self) -> Occurrences:
        """The questions to this series, made once."""
        return Occurrences(self)

    @cached_property
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


__all__ = ["MAX_LENGTH", "Moved", "Occurrence", "Occurrences", "Series", "pattern_name"]
