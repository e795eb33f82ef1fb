"""RRULE to Exchange's patterns and back (RFC 5545 3.3.10; MS-OXCICAL 2.1.3.2 has the same correspondence).

What Exchange cannot say gives None, and the caller keeps the rule as it came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import cast

from greenroom.simulator.ics_zones import WEEKDAYS, naive, rule_parts
from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Day,
    DayOrGroup,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    WeekIndex,
    Weekly,
)

_MAX_INTERVAL = {"DAILY": 999, "WEEKLY": 99, "MONTHLY": 99, "YEARLY": 8}
_INDEX: dict[int, WeekIndex] = {1: "First", 2: "Second", 3: "Third", 4: "Fourth", -1: "Last"}
_NUMBER = {index: number for number, index in _INDEX.items()}
_GROUPS: dict[frozenset[str], DayOrGroup] = {
    frozenset(WEEKDAYS): "Day",
    frozenset(WEEKDAYS[:5]): "Weekday",
    frozenset(WEEKDAYS[5:]): "WeekendDay",
}
_MEMBERS = {group: sorted(days, key=WEEKDAYS.index) for days, group in _GROUPS.items()}
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}
_TIME_PARTS = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}
_MONTHS_OF_YEAR = 12
_MAX_COUNT = 100_000
_LAST_DAY = 31


class _Unsayable(Exception):  # noqa: N818  not an error of anybody: the way out of the reader below
    pass


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule in pieces, with the first local start it counts from."""

    parts: Mapping[str, str]
    first: datetime

    def numbers(self, name: str) -> list[int]:
        text = self.parts.get(name)
        if text is None:
            return []
        if not re.fullmatch(r"[+-]?\d{1,4}(,[+-]?\d{1,4})*", text):
            raise _Unsayable
        return [int(one) for one in text.split(",")]

    def number(self, name: str) -> int | None:
        found = self.numbers(name)
        if len(found) > 1:
            raise _Unsayable
        return found[0] if found else None

    def days(self) -> list[tuple[int | None, str]]:
        text = self.parts.get("BYDAY")
        if text is None:
            return []
        matches = [_BYDAY.fullmatch(one) for one in text.split(",")]
        found = [(int(match[1]) if match[1] else None, match[2]) for match in matches if match is not None]
        if len(found) != len(matches):
            raise _Unsayable
        return found


def read_rule(text: str, first: datetime, zone: tzinfo, *, all_day: bool) -> Recurrence | None:
    """An RRULE as Exchange would keep it; `first` is the first start as naive local time in `zone`."""
    parts = rule_parts(text)
    same_time = {name: str(getattr(first, unit)) for name, unit in _TIME_PARTS.items()}
    parts = {name: value for name, value in parts.items() if same_time.get(name) != value}
    rule = _Rule(parts, first)
    frequency = parts.get("FREQ", "")
    try:
        interval = rule.number("INTERVAL") if "INTERVAL" in parts else 1
        if set(parts) - _KNOWN or interval is None or not 1 <= interval <= _MAX_INTERVAL.get(frequency, 0):
            return None
        pattern = _PATTERNS[frequency](rule, interval)
        count = int(parts["COUNT"]) if re.fullmatch(r"\d{1,6}", parts.get("COUNT", "")) else None
        if ("COUNT" in parts and (count is None or not 1 <= count <= _MAX_COUNT)) or {"COUNT", "UNTIL"} <= set(parts):
            return None
        until = _until(parts["UNTIL"], first, zone, all_day=all_day) if "UNTIL" in parts else None
    except (_Unsayable, ValueError, OverflowError):
        return None
    return Recurrence(pattern, first.date(), count, until)


def _until(text: str, first: datetime, zone: tzinfo, *, all_day: bool) -> date:
    last = naive(text)
    if "T" not in text:
        return last.date()
    if text.endswith("Z") and not all_day:
        last = last.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    day = last.date()
    # An occurrence of that day counts only if it starts no later than UNTIL says.
    return day if all_day or last.time() >= first.time() else day - timedelta(days=1)


def _daily(rule: _Rule, interval: int) -> Pattern:
    if set(rule.parts) & {"BYMONTH", "BYMONTHDAY", "BYSETPOS"}:
        raise _Unsayable
    if "BYDAY" in rule.parts:
        if interval != 1:
            raise _Unsayable
        return _weekly(rule, 1)
    return Daily(interval)


def _weekly(rule: _Rule, interval: int) -> Pattern:
    if set(rule.parts) & {"BYMONTH", "BYMONTHDAY", "BYSETPOS"}:
        raise _Unsayable
    given = rule.days()
    if any(nth is not None for nth, _ in given):
        raise _Unsayable
    names = {day for _, day in given} or {WEEKDAYS[rule.first.weekday()]}
    start_of_week = rule.parts.get("WKST", "MO")
    if start_of_week not in WEEKDAYS:
        raise _Unsayable
    days = tuple(day for code, day in zip(WEEKDAYS, DAYS, strict=True) if code in names)
    return Weekly(interval, days, DAYS[WEEKDAYS.index(start_of_week)])


def _in_month(rule: _Rule) -> int | tuple[DayOrGroup, WeekIndex]:
    """The day of the month (31: the last one), or the nth of some day."""
    given = rule.days()
    if not given:
        if "BYSETPOS" in rule.parts:
            raise _Unsayable
        day = rule.number("BYMONTHDAY") if "BYMONTHDAY" in rule.parts else rule.first.day
        if day == -1:
            return _LAST_DAY
        # Days 29 to 31: the rule skips short months, Exchange takes their last day; it imports such rules all the same.
        if day is None or not 1 <= day <= _LAST_DAY:
            raise _Unsayable
        return day
    codes = frozenset(code for _, code in given)
    numbers = {nth for nth, _ in given}
    if numbers == {None}:
        nth = rule.number("BYSETPOS") if "BYSETPOS" in rule.parts else _week_of(rule)
    else:
        nth = next(iter(numbers)) if len(given) == 1 else None
        if set(rule.parts) & {"BYSETPOS", "BYMONTHDAY"}:
            raise _Unsayable
    day_name = _GROUPS.get(codes) if len(codes) > 1 else DAYS[WEEKDAYS.index(next(iter(codes)))]
    if nth is None or nth not in _INDEX or day_name is None:
        raise _Unsayable
    return day_name, _INDEX[nth]


def _week_of(rule: _Rule) -> int:
    """BYDAY=MO with BYMONTHDAY=8,...,14 is the second Monday."""
    days = sorted(rule.numbers("BYMONTHDAY"))
    if len(rule.days()) == 1:
        for nth in range(1, 5):
            if days == list(range(7 * nth - 6, 7 * nth + 1)):
                return nth
    raise _Unsayable


def _monthly(rule: _Rule, interval: int) -> Pattern:
    if "BYMONTH" in rule.parts:
        raise _Unsayable
    place = _in_month(rule)
    return AbsoluteMonthly(interval, place) if isinstance(place, int) else RelativeMonthly(interval, *place)


def _yearly(rule: _Rule, interval: int) -> Pattern:
    month = rule.number("BYMONTH") if "BYMONTH" in rule.parts else rule.first.month
    only_day = "BYDAY" in rule.parts and "BYMONTH" not in rule.parts
    if month is None or not 1 <= month <= _MONTHS_OF_YEAR or only_day:
        raise _Unsayable
    place = _in_month(rule)
    if interval == 1:
        return AbsoluteYearly(month, place) if isinstance(place, int) else RelativeYearly(month, *place)
    if month != rule.first.month:
        raise _Unsayable
    months = _MONTHS_OF_YEAR * interval
    return AbsoluteMonthly(months, place) if isinstance(place, int) else RelativeMonthly(months, *place)


_PATTERNS = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}


def write_rule(recurrence: Recurrence, first: datetime, zone: tzinfo, *, all_day: bool) -> str:
    """The RRULE value of a recurrence; `first` is the first start as naive local time in `zone`."""
    text = _pattern_text(recurrence.pattern)
    if recurrence.count is not None:
        text += f";COUNT={recurrence.count}"
    elif recurrence.until is not None and all_day:
        text += f";UNTIL={recurrence.until:%Y%m%d}"
    elif recurrence.until is not None:
        last = datetime.combine(recurrence.until, first.time(), tzinfo=zone).astimezone(UTC)
        text += f";UNTIL={last:%Y%m%dT%H%M%SZ}"
    return text


def _pattern_text(pattern: Pattern) -> str:
    match pattern:
        case Daily(interval):
            return f"FREQ=DAILY;INTERVAL={interval}"
        case Weekly(interval, days, first_day):
            return (
                f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(_code(day) for day in days)};WKST={_code(first_day)}"
            )
        case AbsoluteMonthly(interval, day):
            return f"FREQ=MONTHLY;INTERVAL={interval};{_day_of_month(day)}"
        case RelativeMonthly(interval, day, index):
            return f"FREQ=MONTHLY;INTERVAL={interval};{_nth(day, index)}"
        case AbsoluteYearly(month, day):
            return f"FREQ=YEARLY;BYMONTH={month};{_day_of_month(day)}"
        case RelativeYearly(month, day, index):
            return f"FREQ=YEARLY;BYMONTH={month};{_nth(day, index)}"


def _day_of_month(day: int) -> str:
    """The 31st is the last day of every month (MS-OXCICAL 2.1.3.2.2.3); of the 29th and 30th nobody else is told so."""
    return f"BYMONTHDAY={-1 if day == _LAST_DAY else day}"


def _code(day: str) -> str:
    return WEEKDAYS[DAYS.index(cast("Day", day))]


def _nth(day: DayOrGroup, index: WeekIndex) -> str:
    if day in _MEMBERS:
        return f"BYDAY={','.join(_MEMBERS[day])};BYSETPOS={_NUMBER[index]}"
    return f"BYDAY={_NUMBER[index]}{_code(day)}"
