"""The days a recurrence names, counted by python-dateutil over naive local dates.

dateutil follows RFC 5545, where a month too short has no occurrence; Exchange takes the last day of such a month (MS-OXOCAL
2.2.1.44.1, the patterns Month and MonthNth). It is said to dateutil as "of the days 28 to n the last one there is".

Nothing is counted from the beginning where it can be helped: the rule is moved near the days that are asked for, by whole
periods. Only a number of occurrences has to be counted once for each rule.
"""

import itertools
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from dateutil.rrule import DAILY, MONTHLY, YEARLY, rrule, weekday
from dateutil.rrule import WEEKLY as EVERY_WEEK

from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    DayOrGroup,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    WeekIndex,
    Weekly,
)

LAST_YEAR = 4500
"""What calendars of Exchange hold."""

_END = date(LAST_YEAR, 12, 31)
_MOST_COUNTED = 100_000
_NUMBER: dict[WeekIndex, int] = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_GROUPS: dict[str, range] = {"Day": range(7), "Weekday": range(5), "WeekendDay": range(5, 7)}
_ALWAYS_THERE = 28  # days that no month lacks
_PER_YEAR = 12


def days_between(rule: Recurrence, first: date, last: date) -> list[date]:
    """The days of a recurrence from `first` to `last`, both included."""
    until = last_day(rule)
    last = min(last, until or _END)
    first = max(first, rule.start)
    if last < first:
        return []
    near = _near(rule, first)
    return [found.date() for found in near.between(_midnight(first), _midnight(last), inc=True)]


def days_from(rule: Recurrence, first: date) -> Iterator[date]:
    """The days of a recurrence from `first` on."""
    until = last_day(rule) or _END
    first = max(first, rule.start)
    for found in _near(rule, first):
        day = found.date()
        if day > until:
            return
        if day >= first:
            yield day


def days_back(rule: Recurrence, last: date) -> Iterator[date]:
    """The days of a recurrence up to `last`, backwards."""
    last = min(last, last_day(rule) or _END)
    reach = _period(rule.pattern) * 8
    while last >= rule.start:
        first = max(rule.start, last - reach) if last - rule.start > reach else rule.start
        yield from reversed(days_between(rule, first, last))
        last = first - timedelta(days=1)


def nth_day(rule: Recurrence, number: int) -> date | None:
    """The day of the occurrence with this number, which counts from 1; None where there is none, or too far to be counted."""
    if not 1 <= number <= _MOST_COUNTED or (rule.count is not None and number > rule.count):
        return None
    day = _counted(_without_end(rule), number)
    return None if day is None or (rule.until is not None and day > rule.until) else day


def last_day(rule: Recurrence) -> date | None:
    """The day no occurrence comes after: the end of the range, or the last of a number; None for none, or too far to be counted."""
    if rule.until is not None:
        return rule.until
    return None if rule.count is None or rule.count > _MOST_COUNTED else _counted(_without_end(rule), rule.count)


def number_before(rule: Recurrence, day: date) -> int:
    """How many occurrences a recurrence has before this day."""
    return sum(1 for _ in itertools.takewhile(lambda one: one < day, days_from(rule, rule.start)))


def _without_end(rule: Recurrence) -> Recurrence:
    return Recurrence(rule.pattern, rule.start)


@lru_cache(maxsize=1024)
def _counted(rule: Recurrence, number: int) -> date | None:
    found = next(itertools.islice(_near(rule, rule.start), number - 1, None), None)
    return None if found is None or found.year > LAST_YEAR else found.date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _period(pattern: Pattern) -> timedelta:
    """A length of time that holds at least one occurrence."""
    match pattern:
        case Daily(interval):
            return timedelta(days=interval)
        case Weekly(interval):
            return timedelta(weeks=interval + 1)
        case AbsoluteMonthly(interval) | RelativeMonthly(interval):
            return timedelta(days=31 * (interval + 1))
        case _:
            return timedelta(days=2 * 366)


def _near(rule: Recurrence, day: date) -> rrule:
    """The rule from some beginning that is not behind `day`, with the same occurrences from there on."""
    frequency, said = _said(rule.pattern)
    return rrule(frequency, dtstart=_midnight(_beginning(rule, day)), until=_midnight(_END), **said)


def _beginning(rule: Recurrence, day: date) -> date:
    """The last beginning at or before `day` that is a whole number of periods behind the rule's own."""
    start = rule.start
    if day <= start:
        return start
    match rule.pattern:
        case Daily(interval):
            return start + timedelta(days=(day - start).days // interval * interval)
        case Weekly(interval):
            # A whole week earlier: the first day of the week decides which week a day is in.
            weeks = ((day - start).days // 7 - 1) // interval * interval
            return start + timedelta(weeks=max(0, weeks))
        case AbsoluteMonthly(interval) | RelativeMonthly(interval):
            months = (day.year - start.year) * _PER_YEAR + day.month - start.month
            months = months // interval * interval
            if months == 0:
                return start
            number = start.year * _PER_YEAR + start.month - 1 + months
            return date(number // _PER_YEAR, number % _PER_YEAR + 1, 1)
        case _:
            return start if day.year == start.year else date(day.year, 1, 1)


def _said(pattern: Pattern) -> tuple[Any, dict[str, Any]]:
    """A pattern in the words of RFC 5545."""
    match pattern:
        case Daily(interval):
            return DAILY, {"interval": interval}
        case Weekly(interval, days, first_day):
            numbers = [DAYS.index(day) for day in days]
            return EVERY_WEEK, {"interval": interval, "byweekday": numbers, "wkst": DAYS.index(first_day)}
        case AbsoluteMonthly(interval, day):
            return MONTHLY, {"interval": interval, **_day_of_month(day)}
        case RelativeMonthly(interval, name, index):
            return MONTHLY, {"interval": interval, **_nth_of_month(name, index)}
        case AbsoluteYearly(month, day):
            return YEARLY, {"bymonth": month, **_day_of_month(day)}
        case RelativeYearly(month, name, index):
            return YEARLY, {"bymonth": month, **_nth_of_month(name, index)}


def _day_of_month(day: int) -> dict[str, Any]:
    if day <= _ALWAYS_THERE:
        return {"bymonthday": day}
    return {"bymonthday": list(range(_ALWAYS_THERE, day + 1)), "bysetpos": -1}


def _nth_of_month(name: DayOrGroup, index: WeekIndex) -> dict[str, Any]:
    number = _NUMBER[index]
    if name in _GROUPS:
        return {"byweekday": list(_GROUPS[name]), "bysetpos": number}
    return {"byweekday": weekday(DAYS.index(name), number)}
