"""The Recurrence element, read and written: Exchange's six patterns and three ranges.

Source: EWS reference, Recurrence (RecurrenceType), RecurrencePatternTypes, RecurrenceRangeTypes. Patterns are found by local name;
`*Regeneration`, which only tasks have, cannot be said as a rule.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

from greenroom.exchange.ews.markup import Element, child, children, local, text_of, types, with_children
from greenroom.exchange.ews.values import day, number
from greenroom.meetings.rule_days import Days
from greenroom.meetings.rules import (
    EVERY_DAY,
    WEEKEND,
    WORKDAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Nth,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)

_WEEK: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GROUPS: Final = {"Day": EVERY_DAY, "Weekday": WORKDAYS, "WeekendDay": WEEKEND}
_WORDS: Final[dict[tuple[int, ...], str]] = {
    **{(at,): name for at, name in enumerate(_WEEK)},
    **{days: name for name, days in _GROUPS.items()},
}
_NTH: Final = {"First": Nth.FIRST, "Second": Nth.SECOND, "Third": Nth.THIRD, "Fourth": Nth.FOURTH, "Last": Nth.LAST}
_INDEXES: Final = {nth: name for name, nth in _NTH.items()}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTHS_OF_YEAR: Final = 12
_SUNDAY: Final = 6
_LONGEST_LIST: Final = 200


def read_rule(recurrence: Element) -> Rule:
    """Read a Recurrence element. Raises ValueError for what says no rule, or one that makes no sense."""
    parts = {local(part): part for part in reversed(list(children(recurrence)))}
    named = [name for name in parts if name in _READERS]
    if len(named) != 1:
        raise ValueError("not one pattern that is known")
    pattern = _READERS[named[0]](parts[named[0]])
    ranges = [name for name in ("NoEndRecurrence", "EndDateRecurrence", "NumberedRecurrence") if name in parts]
    if len(ranges) != 1:
        raise ValueError("not one range")
    limits = parts[ranges[0]]
    start = _day(limits, "StartDate")
    if ranges[0] == "EndDateRecurrence":
        return Rule(pattern, start, until=_day(limits, "EndDate"))
    if ranges[0] == "NumberedRecurrence":
        return Rule(pattern, start, count=_number(limits, "NumberOfOccurrences"))
    return Rule(pattern, start)


def _weekly(element: Element) -> Weekly:
    first = text_of(element, "FirstDayOfWeek")
    return Weekly(_interval(element), _days(element), _WEEK.index(first) if first else _SUNDAY)


_READERS: Final[dict[str, Callable[[Element], Pattern]]] = {
    "DailyRecurrence": lambda e: Daily(_interval(e)),
    "WeeklyRecurrence": _weekly,
    "AbsoluteMonthlyRecurrence": lambda e: AbsoluteMonthly(_interval(e), _number(e, "DayOfMonth")),
    "RelativeMonthlyRecurrence": lambda e: RelativeMonthly(_interval(e), _days(e), _nth(e)),
    "AbsoluteYearlyRecurrence": lambda e: AbsoluteYearly(_month(e), _number(e, "DayOfMonth")),
    "RelativeYearlyRecurrence": lambda e: RelativeYearly(_month(e), _days(e), _nth(e)),
}


def _interval(element: Element) -> int:
    return _number(element, "Interval") if child(element, "Interval") is not None else 1


def _number(element: Element, name: str) -> int:
    found = number(text_of(element, name))
    if found is None:
        raise ValueError("a number is missing")
    return found


def _day(element: Element, name: str) -> date:
    found = day(text_of(element, name))
    if found is None:
        raise ValueError("a day is missing")
    return found


def _days(element: Element) -> tuple[int, ...]:
    found: set[int] = set()
    for word in text_of(element, "DaysOfWeek")[:_LONGEST_LIST].split():
        found.update(_GROUPS[word] if word in _GROUPS else (_WEEK.index(word),))
    return tuple(sorted(found))


def _nth(element: Element) -> Nth:
    word = text_of(element, "DayOfWeekIndex")
    if word not in _NTH:
        raise ValueError("no such week of a month")
    return _NTH[word]


def _month(element: Element) -> int:
    return _MONTHS.index(text_of(element, "Month")) + 1


def write_recurrence(rule: Rule) -> Element:
    """Write a rule as a Recurrence element.

    Yearly patterns have no interval in EWS: every n years is written as every 12 n months from its first day on, as Exchange keeps
    it (MS-OXOCAL 2.2.1.44.1, Period). Raises ValueError for what EWS cannot say: odd sets of weekdays in a month.
    """
    pattern, start = rule.pattern, rule.start
    if isinstance(pattern, AbsoluteYearly | RelativeYearly) and pattern.interval > 1:
        first = Days(rule).first
        if first is None:
            raise ValueError("a rule that names no day")
        pattern, start = _in_months(pattern), date.fromordinal(first)
    name, values = _said(pattern)
    written = with_children(types(name), *(types(part, text) for part, text in values))
    return with_children(types("Recurrence"), written, _range(rule, start))


def _in_months(pattern: AbsoluteYearly | RelativeYearly) -> Pattern:
    interval = pattern.interval * _MONTHS_OF_YEAR
    if isinstance(pattern, AbsoluteYearly):
        return AbsoluteMonthly(interval, pattern.day)
    return RelativeMonthly(interval, pattern.days, pattern.nth)


def _said(pattern: Pattern) -> tuple[str, list[tuple[str, str]]]:
    match pattern:
        case Daily():
            return "DailyRecurrence", [("Interval", str(pattern.interval))]
        case Weekly():
            days = " ".join(_WEEK[one] for one in pattern.days)
            first = _WEEK[pattern.first_day]
            interval = ("Interval", str(pattern.interval))
            return "WeeklyRecurrence", [interval, ("DaysOfWeek", days), ("FirstDayOfWeek", first)]
        case AbsoluteMonthly():
            values = [("Interval", str(pattern.interval)), ("DayOfMonth", str(pattern.day))]
            return "AbsoluteMonthlyRecurrence", values
        case RelativeMonthly():
            return "RelativeMonthlyRecurrence", [("Interval", str(pattern.interval)), *_which(pattern)]
        case AbsoluteYearly():
            values = [("DayOfMonth", str(pattern.day)), ("Month", _MONTHS[pattern.month - 1])]
            return "AbsoluteYearlyRecurrence", values
        case RelativeYearly():
            return "RelativeYearlyRecurrence", [*_which(pattern), ("Month", _MONTHS[pattern.month - 1])]


def _which(pattern: RelativeMonthly | RelativeYearly) -> list[tuple[str, str]]:
    if pattern.days not in _WORDS:
        raise ValueError("EWS has no word for these days of the week")
    return [("DaysOfWeek", _WORDS[pattern.days]), ("DayOfWeekIndex", _INDEXES[pattern.nth])]


def _range(rule: Rule, start: date) -> Element:
    begins = types("StartDate", start.isoformat())
    if rule.until is not None:
        return with_children(types("EndDateRecurrence"), begins, types("EndDate", rule.until.isoformat()))
    if rule.count is not None:
        return with_children(types("NumberedRecurrence"), begins, types("NumberOfOccurrences", str(rule.count)))
    return with_children(types("NoEndRecurrence"), begins)
