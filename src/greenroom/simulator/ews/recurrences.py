"""Recurrence elements, written and read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, cast

from greenroom.simulator.ews.errors import EwsError
from greenroom.simulator.ews.names import children, local, sub, t, text_of
from greenroom.simulator.recurrence import (
    DAYS,
    MONTHS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

_INDEXES = ("First", "Second", "Third", "Fourth", "Last")
_GROUPS = ("Day", "Weekday", "WeekendDay")


def write_recurrence(element: etree._Element, recurrence: Recurrence) -> None:
    """Fill a RecurrenceType: the pattern, then the range."""
    _write_pattern(element, recurrence.pattern)
    if recurrence.until is not None:
        kind = "EndDateRecurrence"
    else:
        kind = "NoEndRecurrence" if recurrence.count is None else "NumberedRecurrence"
    span = sub(element, t(kind))
    sub(span, t("StartDate"), recurrence.start.isoformat())
    if recurrence.until is not None:
        sub(span, t("EndDate"), recurrence.until.isoformat())
    elif recurrence.count is not None:
        sub(span, t("NumberOfOccurrences"), str(recurrence.count))


def _write_pattern(element: etree._Element, pattern: Pattern) -> None:
    values: dict[str, str]
    match pattern:
        case Daily():
            name, values = "DailyRecurrence", {"Interval": str(pattern.interval)}
        case Weekly():
            name = "WeeklyRecurrence"
            values = {
                "Interval": str(pattern.interval),
                "DaysOfWeek": " ".join(pattern.days),
                "FirstDayOfWeek": pattern.first_day,
            }
        case AbsoluteMonthly():
            name = "AbsoluteMonthlyRecurrence"
            values = {"Interval": str(pattern.interval), "DayOfMonth": str(pattern.day)}
        case RelativeMonthly():
            name = "RelativeMonthlyRecurrence"
            values = {"Interval": str(pattern.interval), "DaysOfWeek": pattern.day, "DayOfWeekIndex": pattern.index}
        case AbsoluteYearly():
            name = "AbsoluteYearlyRecurrence"
            values = {"DayOfMonth": str(pattern.day), "Month": MONTHS[pattern.month - 1]}
        case RelativeYearly():
            name = "RelativeYearlyRecurrence"
            values = {
                "DaysOfWeek": pattern.day,
                "DayOfWeekIndex": pattern.index,
                "Month": MONTHS[pattern.month - 1],
            }
    child = sub(element, t(name))
    for key, value in values.items():
        sub(child, t(key), value)


def read_recurrence(element: etree._Element) -> Recurrence:
    """Read a RecurrenceType. Raises `EwsError` (ErrorCalendarInvalidRecurrence) when it says nothing sensible."""
    parts = {local(child): child for child in children(element)}
    try:
        pattern = next(p for name, child in parts.items() if (p := _read_pattern(name, child)) is not None)
        span = next(child for name, child in parts.items() if name.startswith(("NoEnd", "EndDate", "Numbered")))
        start = date.fromisoformat((text_of(span, t("StartDate")) or "")[:10])
        end, count = text_of(span, t("EndDate")), text_of(span, t("NumberOfOccurrences"))
        return Recurrence(
            pattern, start, count=int(count) if count else None, until=date.fromisoformat(end[:10]) if end else None
        )
    except (StopIteration, ValueError):
        raise EwsError("ErrorCalendarInvalidRecurrence", "The recurrence is invalid.") from None


def _read_pattern(name: str, child: etree._Element) -> Pattern | None:
    def number(key: str) -> int:
        return int(text_of(child, t(key)) or "")

    def choice(key: str, *allowed: str) -> Any:
        value = text_of(child, t(key)) or ""
        if value not in allowed:
            raise ValueError
        return value

    def day_and_index() -> tuple[Any, Any]:
        return choice("DaysOfWeek", *DAYS, *_GROUPS), choice("DayOfWeekIndex", *_INDEXES)

    readers: dict[str, Callable[[], Pattern]] = {
        "DailyRecurrence": lambda: Daily(number("Interval")),
        "WeeklyRecurrence": lambda: _read_weekly(child, number("Interval")),
        "AbsoluteMonthlyRecurrence": lambda: AbsoluteMonthly(number("Interval"), number("DayOfMonth")),
        "RelativeMonthlyRecurrence": lambda: RelativeMonthly(number("Interval"), *day_and_index()),
        "AbsoluteYearlyRecurrence": lambda: AbsoluteYearly(
            MONTHS.index(choice("Month", *MONTHS)) + 1, number("DayOfMonth")
        ),
        "RelativeYearlyRecurrence": lambda: RelativeYearly(
            MONTHS.index(choice("Month", *MONTHS)) + 1, *day_and_index()
        ),
    }
    reader = readers.get(name)
    return None if reader is None else reader()


def _read_weekly(child: etree._Element, interval: int) -> Weekly:
    days = (text_of(child, t("DaysOfWeek")) or "").split()
    first = text_of(child, t("FirstDayOfWeek")) or "Sunday"
    if not days or not {*days, first} <= set(DAYS):
        raise ValueError
    return Weekly(interval, cast("Any", tuple(days)), cast("Any", first))
