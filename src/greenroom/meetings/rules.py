"""Recurrence rules as Exchange has them: values, and what makes sense in them.

```
Rule = pattern + first day it may name + end (a last day, a number of occurrences, or neither)
```

A rule names days of its meeting's own time zone, at most one occurrence a day. A month too short for its day has it on its last
day (the 31st of a month is always the month's last day, 29 February is 28 February in other years): that is Exchange's way, where
RFC 5545 leaves such months out. Weeks, months and years are counted from the one the first day lies in, occurrences from the first
day that fits. Source: MS-OXOCAL 2.2.1.44.1 (RecurrencePattern), EWS RecurrencePatternTypes (DayOfMonth), Graph recurrencePattern.

Which days a rule names, `rule_days` tells.
"""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

MAX_INTERVAL = 999
FIRST_DAY = date(1601, 1, 1)
"""The first day a calendar of Exchange holds: its recurrences count minutes from here."""
LAST_DAY = date(4500, 8, 31)
"""The last day a calendar of Exchange holds; an endless rule ends there."""
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WORKDAYS = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)
_MONTHS = 12
_LONGEST_MONTH = 31


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
    """A pattern, the first day it may name, and its end: `until` (inclusive), `count`, or neither. Raises ValueError.

    It may name no day at all: if `until` lies before the first day that fits.
    """

    pattern: Pattern
    start: date
    until: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        pattern = self.pattern
        days = getattr(pattern, "days", WORKDAYS)
        sound = (
            _within(pattern.interval, 1, MAX_INTERVAL)
            and _within(getattr(pattern, "month", 1), 1, _MONTHS)
            and _within(getattr(pattern, "day", 1), 1, _LONGEST_MONTH)
            and _within(getattr(pattern, "first_day", 0), EVERY_DAY[0], EVERY_DAY[-1])
            and bool(days)
            and all(type(day) is int for day in days)
            and list(days) == sorted(set(days) & set(EVERY_DAY))
            and FIRST_DAY <= self.start <= LAST_DAY
            and (self.count is None or (type(self.count) is int and self.count >= 1 and self.until is None))
        )
        if not sound:
            raise ValueError("the rule's numbers make no sense")

    @property
    def is_endless(self) -> bool:
        """Whether it has no end."""
        return self.until is None and self.count is None


def _within(number: Any, least: int, most: int) -> bool:
    return type(number) is int and least <= number <= most
