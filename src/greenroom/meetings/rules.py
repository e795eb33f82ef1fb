"""Recurrence rules as Exchange has them, and which days they name: plain arithmetic, nothing is expanded.

```
Rule = pattern + first day it may name + end (a last day, a number of occurrences, or neither)
```

A rule names days of its meeting's own time zone, at most one occurrence a day. A month too short for its day has it on its last
day (the 31st of a month is always the month's last day, 29 February is 28 February in other years): that is Exchange's way, where
RFC 5545 leaves such months out. Weeks and months are counted from the one the first day lies in. Source: MS-OXOCAL 2.2.1.44.1
(RecurrencePattern), EWS RecurrencePatternTypes, Graph recurrencePattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import count as numbers_from

MAX_INTERVAL = 999
LAST_DAY = date(4500, 8, 31)
"""The last day a calendar of Exchange holds; an endless rule ends there."""
_MONTHS = 12
_WEEK = 7
_LONGEST_MONTH = 31
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WORKDAYS = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)


class Nth(IntEnum):
    """Which of the fitting days of a month."""

    FIRST = 0
    SECOND = 1
    THIRD = 2
    FOURTH = 3
    LAST = -1


@dataclass(frozen=True, slots=True)
class Daily:
    """Every `interval` days."""

    interval: int = 1


@dataclass(frozen=True, slots=True)
class Weekly:
    """On `days` (0 is Monday), every `interval` weeks; weeks begin on `first_day`."""

    interval: int = 1
    days: tuple[int, ...] = ()
    first_day: int = 6


@dataclass(frozen=True, slots=True)
class AbsoluteMonthly:
    """On day `day` of the month (1 to 31), every `interval` months."""

    interval: int
    day: int


@dataclass(frozen=True, slots=True)
class RelativeMonthly:
    """On the `nth` of `days` (0 is Monday) of the month, every `interval` months."""

    interval: int
    days: tuple[int, ...]
    nth: Nth


@dataclass(frozen=True, slots=True)
class AbsoluteYearly:
    """On day `day` of `month` (1 to 12), every `interval` years."""

    month: int
    day: int
    interval: int = 1


@dataclass(frozen=True, slots=True)
class RelativeYearly:
    """On the `nth` of `days` (0 is Monday) of `month` (1 to 12), every `interval` years."""

    month: int
    days: tuple[int, ...]
    nth: Nth
    interval: int = 1


Pattern = Daily | Weekly | AbsoluteMonthly | RelativeMonthly | AbsoluteYearly | RelativeYearly


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, the first day it may name, and its end: `until` (inclusive), `count`, or neither. Raises ValueError."""

    pattern: Pattern
    start: date
    until: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        pattern = self.pattern
        days = getattr(pattern, "days", (0,))
        sound = (
            1 <= pattern.interval <= MAX_INTERVAL
            and 1 <= getattr(pattern, "month", 1) <= _MONTHS
            and 1 <= getattr(pattern, "day", 1) <= _LONGEST_MONTH
            and bool(days)
            and list(days) == sorted(set(days) & set(EVERY_DAY))
            and getattr(pattern, "first_day", 0) in EVERY_DAY
            and self.start <= LAST_DAY
            and (self.count is None or (self.count >= 1 and self.until is None))
        )
        if not sound:
            raise ValueError("the rule's numbers make no sense")

    @property
    def is_endless(self) -> bool:
        """Whether it has no end."""
        return self.until is None and self.count is None


class Days:
    """The days of a rule, as ordinals (`date.toordinal`). Every question costs the same, however long the rule has run."""

    __slots__ = ("_first", "_origin", "_rule", "_start", "last")

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._start = rule.start.toordinal()
        pattern = rule.pattern
        match pattern:
            case Daily():
                self._origin = self._start
            case Weekly():
                self._origin = self._start - (rule.start.weekday() - pattern.first_day) % _WEEK
            case AbsoluteMonthly() | RelativeMonthly():
                self._origin = rule.start.year * _MONTHS + rule.start.month - 1
            case _:
                self._origin = rule.start.year
        self.last = LAST_DAY.toordinal()
        self._first = self._following(self._start)
        if rule.until is not None:
            self.last = min(self.last, rule.until.toordinal())
        elif rule.count is not None:
            self.last = min(self.last, self._nth(rule.count - 1))

    def on_or_after(self, day: int) -> int | None:
        """Return the first day named from this one on; None if there is none."""
        found = self._following(max(day, self._start))
        return found if found <= self.last else None

    def on_or_before(self, day: int) -> int | None:
        """Return the last day named up to this one; None if there is none."""
        day = min(day, self.last)
        if day < self._first:
            return None
        period = self._period_of(day)
        for at in (period, period - 1, period - 2):
            if at < 0:
                break
            for found in reversed(self._in_period(at)):
                if self._start <= found <= day:
                    return found
        return None

    @property
    def is_endless(self) -> bool:
        """Whether there is no last day."""
        return self._rule.is_endless

    def has(self, day: int) -> bool:
        """Whether the rule names this day."""
        return self.on_or_after(day) == day

    def _following(self, day: int) -> int:
        for period in numbers_from(max(0, self._period_of(day))):
            for found in self._in_period(period):
                if found >= day:
                    return found
            if found > LAST_DAY.toordinal():
                return found
        raise AssertionError("numbers have no end")

    def _nth(self, number: int) -> int:
        """Return the day of the occurrence with this number, counted from zero."""
        begun = self._period_of(self._first)
        there = [day for day in self._in_period(begun) if day >= self._first]
        if number < len(there):
            return there[number]
        each = len(self._in_period(begun))
        periods, rest = divmod(number - len(there), each)
        return self._in_period(begun + 1 + periods)[rest]

    def _period_of(self, day: int) -> int:
        pattern = self._rule.pattern
        match pattern:
            case Daily():
                return (day - self._origin) // pattern.interval
            case Weekly():
                return (day - self._origin) // (_WEEK * pattern.interval)
            case AbsoluteMonthly() | RelativeMonthly():
                at = date.fromordinal(day)
                return (at.year * _MONTHS + at.month - 1 - self._origin) // pattern.interval
            case _:
                return (date.fromordinal(day).year - self._origin) // pattern.interval

    def _in_period(self, period: int) -> tuple[int, ...]:
        pattern = self._rule.pattern
        at = self._origin + period * pattern.interval
        match pattern:
            case Daily():
                return (self._origin + period * pattern.interval,)
            case Weekly():
                week = self._origin + period * pattern.interval * _WEEK
                return tuple(sorted(week + (day - pattern.first_day) % _WEEK for day in pattern.days))
            case AbsoluteMonthly():
                return (_month_day(*divmod(at, _MONTHS), pattern.day),)
            case RelativeMonthly():
                return (_nth_day(*divmod(at, _MONTHS), pattern.days, pattern.nth),)
            case AbsoluteYearly():
                return (_month_day(at, pattern.month - 1, pattern.day),)
            case RelativeYearly():
                return (_nth_day(at, pattern.month - 1, pattern.days, pattern.nth),)

    def __iter__(self) -> Iterator[int]:
        """Yield all days, lazily."""
        day = self.on_or_after(self._start)
        while day is not None:
            yield day
            day = self.on_or_after(day + 1)


_BEYOND = date(9999, 12, 31).toordinal()


@lru_cache(maxsize=4096)
def _month(year: int, month: int) -> tuple[int, int]:
    """Return the first and the last day of a month (0 to 11)."""
    first = date(year, month + 1, 1)
    following = date(year + (month + 1) // _MONTHS, (month + 1) % _MONTHS + 1, 1)
    return first.toordinal(), (following - timedelta(days=1)).toordinal()


def _month_day(year: int, month: int, day: int) -> int:
    if year >= date.max.year:
        return _BEYOND
    first, last = _month(year, month)
    return min(first + day - 1, last)


def _nth_day(year: int, month: int, days: tuple[int, ...], nth: Nth) -> int:
    if year >= date.max.year:
        return _BEYOND
    first, last = _month(year, month)
    weekday = (first + 6) % _WEEK  # date.fromordinal(1) was a Monday
    if nth is Nth.LAST:
        fits = (day for day in range(last, last - _WEEK, -1) if (weekday + day - first) % _WEEK in days)
        return next(fits)
    fits = (day for day in range(first, last + 1) if (weekday + day - first) % _WEEK in days)
    for _ in range(nth):
        next(fits)
    return next(fits)
