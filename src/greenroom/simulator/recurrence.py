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
