"""Recurrences as Exchange can say them (EWS types RecurrencePatternTypes and RecurrenceRangeTypes)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Day = Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
DayOrGroup = Literal[
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Day", "Weekday", "WeekendDay"
]
WeekIndex = Literal["First", "Second", "Third", "Fourth", "Last"]
DAYS: tuple[Day, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MAX_INTERVAL = 999
MAX_DAY = 31


@dataclass(frozen=True, slots=True)
class Daily:
    """Every `interval` days."""

    interval: int


@dataclass(frozen=True, slots=True)
class Weekly:
    """On `days`, every `interval` weeks; weeks begin on `first_day`."""

    interval: int
    days: tuple[Day, ...]
    first_day: Day = "Sunday"


@dataclass(frozen=True, slots=True)
class AbsoluteMonthly:
    """On day `day` (1-31, shortened to the month's last day), every `interval` months."""

    interval: int
    day: int


@dataclass(frozen=True, slots=True)
class RelativeMonthly:
    """On the `index` `day` of the month, every `interval` months."""

    interval: int
    day: DayOrGroup
    index: WeekIndex


@dataclass(frozen=True, slots=True)
class AbsoluteYearly:
    """On day `day` of `month` (1-12), every year."""

    month: int
    day: int


@dataclass(frozen=True, slots=True)
class RelativeYearly:
    """On the `index` `day` of `month` (1-12), every year."""

    month: int
    day: DayOrGroup
    index: WeekIndex


Pattern = Daily | Weekly | AbsoluteMonthly | RelativeMonthly | AbsoluteYearly | RelativeYearly


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A pattern and its range: `count` (NumberedRecurrence), `until` (EndDateRecurrence, inclusive) or neither (NoEnd).

    Dates are local dates in the meeting's own start zone.
    """

    pattern: Pattern
    start: date
    count: int | None = None
    until: date | None = None


def is_sound(rule: Recurrence) -> bool:
    """Whether the numbers of a recurrence can be (ErrorCalendarInvalidRecurrence otherwise)."""
    pattern = rule.pattern
    interval = getattr(pattern, "interval", 1)
    day = pattern.day if isinstance(pattern, AbsoluteMonthly | AbsoluteYearly) else 1
    month = pattern.month if isinstance(pattern, AbsoluteYearly | RelativeYearly) else 1
    counted = rule.count is None or rule.count >= 1
    ended = rule.until is None or rule.until >= rule.start
    has_days = not isinstance(pattern, Weekly) or bool(pattern.days)
    return (
        1 <= interval <= MAX_INTERVAL
        and 1 <= day <= MAX_DAY
        and 1 <= month <= len(MONTHS)
        and counted
        and ended
        and has_days
    )
