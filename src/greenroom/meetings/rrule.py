"""Rules as iCalendar has them (RRULE, RFC 5545 3.3.10), both ways.

```
Daily             FREQ=DAILY;INTERVAL=n
Weekly            FREQ=WEEKLY;INTERVAL=n;BYDAY=...;WKST=...
AbsoluteMonthly   FREQ=MONTHLY;BYMONTHDAY=15           31: BYMONTHDAY=-1      30: BYMONTHDAY=28,29,30;BYSETPOS=-1
RelativeMonthly   FREQ=MONTHLY;BYDAY=2MO               last workday: BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1
AbsoluteYearly    FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=15  29 February: BYMONTH=2;BYMONTHDAY=-1
RelativeYearly    FREQ=YEARLY;BYMONTH=4;BYDAY=2MO
```

What is written means the same days to whoever counts as RFC 5545 says, from the first occurrence on. What is read is taken as
Exchange takes it (MS-OXCICAL 2.1.3.2.2): a plain BYMONTHDAY=31 is the last day of shorter months, too, which RFC 5545 skips.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from greenroom.meetings.rules import (
    MAX_INTERVAL,
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

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LONGEST = 2000
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31
_WEEK = 7
_NTH = {1: Nth.FIRST, 2: Nth.SECOND, 3: Nth.THIRD, 4: Nth.FOURTH, -1: Nth.LAST}
_NUMBER = {nth: number for number, nth in _NTH.items()}
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"}
_RARE = {"BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYSECOND", "RSCALE", "SKIP"}
_TIMES = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}
_FREQUENCIES = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBERS = re.compile(r"[+-]?\d{1,3}(?:,[+-]?\d{1,3})*", re.ASCII)
_WHEN = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


# --- writing ------------------------------------------------------------------------------------------------------


def rrule_of(rule: Rule, last_start: datetime | None = None) -> str:
    """Return the RRULE value of a rule.

    `last_start` is the instant at which an occurrence on the rule's last day starts: UNTIL is then told in UTC, as a DTSTART with
    a time needs it. Without it UNTIL is a date.
    """
    parts = [_frequency(rule.pattern)]
    if rule.pattern.interval > 1:
        parts.append(f"INTERVAL={rule.pattern.interval}")
    parts += _places(rule.pattern)
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    elif rule.until is not None:
        told = f"{rule.until:%Y%m%d}" if last_start is None else f"{last_start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        parts.append(f"UNTIL={told}")
    return ";".join(parts)


def _frequency(pattern: Pattern) -> str:
    match pattern:
        case Daily():
            return "FREQ=DAILY"
        case Weekly():
            return "FREQ=WEEKLY"
        case AbsoluteMonthly() | RelativeMonthly():
            return "FREQ=MONTHLY"
        case AbsoluteYearly() | RelativeYearly():
            return "FREQ=YEARLY"


def _places(pattern: Pattern) -> list[str]:
    match pattern:
        case Daily():
            return []
        case Weekly(_, days, first_day):
            return [f"BYDAY={_names(days)}", f"WKST={WEEKDAYS[first_day]}"]
        case AbsoluteMonthly(_, day):
            return _day_of_month(day)
        case RelativeMonthly(_, days, nth):
            return _nth_of(days, nth)
        case AbsoluteYearly(month, day):
            length = _MONTH_LENGTHS[month - 1]
            last = day >= length > _SHORTEST_MONTH
            return [f"BYMONTH={month}", "BYMONTHDAY=-1" if last else f"BYMONTHDAY={day}"]
        case RelativeYearly(month, days, nth):
            return [f"BYMONTH={month}", *_nth_of(days, nth)]


def _day_of_month(day: int) -> list[str]:
    if day <= _SHORTEST_MONTH:
        return [f"BYMONTHDAY={day}"]
    if day == _LONGEST_MONTH:
        return ["BYMONTHDAY=-1"]
    return [f"BYMONTHDAY={','.join(map(str, range(_SHORTEST_MONTH, day + 1)))}", "BYSETPOS=-1"]


def _nth_of(days: tuple[int, ...], nth: Nth) -> list[str]:
    if len(days) == 1:
        return [f"BYDAY={_NUMBER[nth]}{_names(days)}"]
    return [f"BYDAY={_names(days)}", f"BYSETPOS={_NUMBER[nth]}"]


def _names(days: tuple[int, ...]) -> str:
    return ",".join(WEEKDAYS[day] for day in days)


# --- reading ------------------------------------------------------------------------------------------------------


def rule_of(rrule: str, dtstart: datetime | date) -> Rule | None:
    """Read the value of an RRULE; None for a rule that Exchange's patterns cannot say. Raises ValueError for what is no rule.

    `dtstart` is the first start in the meeting's own zone: aware, or naive (UNTIL is then by the same clock), or a day.
    A start the rule does not name is no occurrence, as Exchange counts; RFC 5545 leaves it open.
    """
    parts = _Parts.of(rrule, dtstart)
    interval = parts.interval
    until, count = parts.until, parts.count
    pattern = parts.pattern(interval) if 1 <= interval <= MAX_INTERVAL else None
    day = dtstart.date() if isinstance(dtstart, datetime) else dtstart
    return None if pattern is None else Rule(pattern, day, until, count)


class _Parts:
    """The parts of a rule and its first start."""

    def __init__(self, said: Mapping[str, str], start: datetime | date) -> None:
        self._said = said
        self._start = start

    @classmethod
    def of(cls, text: str, start: datetime | date) -> "_Parts":
        if len(text) > _LONGEST:
            raise ValueError("a recurrence rule is not that long")
        said: dict[str, str] = {}
        for part in text.strip().rstrip(";").upper().split(";"):
            name, equals, value = part.partition("=")
            if not equals or not value or name in said:
                raise ValueError("this is not a recurrence rule")
            said[name] = value
        if said.get("FREQ") not in _FREQUENCIES or {"COUNT", "UNTIL"} <= said.keys():
            raise ValueError("this is not a recurrence rule")
        for name in [name for name, unit in _TIMES.items() if _same(said.get(name), getattr(start, unit, 0))]:
            del said[name]
        return cls(said, start)

    @property
    def interval(self) -> int:
        return self._positive("INTERVAL") or 1

    @property
    def count(self) -> int | None:
        return self._positive("COUNT")

    @property
    def until(self) -> date | None:
        """The last day on which an occurrence may start."""
        if "UNTIL" not in self._said:
            return None
        said = _WHEN.fullmatch(self._said["UNTIL"])
        if said is None:
            raise ValueError("a recurrence rule ends at no time")
        day = datetime.strptime(said[1], "%Y%m%d").replace(tzinfo=UTC).date()
        if said[2] is None or not isinstance(self._start, datetime):
            return day
        last = datetime.strptime(said[1] + said[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC if said[3] else None)
        try:
            return self._last_day(last)
        except OverflowError as error:
            raise ValueError("a recurrence rule ends at no time") from error

    def _last_day(self, last: datetime) -> date:
        """Return the last day whose start is not behind this time."""
        assert isinstance(self._start, datetime)
        zone, begins = self._start.tzinfo, self._start.time()
        if zone is None or last.tzinfo is None:
            return last.date() if begins <= last.time() else last.date() - timedelta(days=1)
        local = last.astimezone(zone)
        day = local.date() + timedelta(days=local.fold)
        while datetime.combine(day, begins, zone).astimezone(UTC) > last:
            day -= timedelta(days=1)
        return day

    def pattern(self, interval: int) -> Pattern | None:
        """Return what Exchange calls it."""
        if self._said.keys() & _RARE:
            return None
        if self._said.keys() - _KNOWN:
            raise ValueError("a recurrence rule has parts that no rule has")
        match self._said["FREQ"]:
            case "DAILY":
                return self._daily(interval)
            case "WEEKLY":
                return self._weekly(interval)
            case "MONTHLY":
                return self._monthly(interval)
            case "YEARLY":
                return self._yearly(interval)
        return None

    def _daily(self, interval: int) -> Pattern | None:
        if self._has("BYMONTH", "BYMONTHDAY", "BYSETPOS"):
            return None
        return self._every_week(interval) if self._has("BYDAY") else Daily(interval)

    def _weekly(self, interval: int) -> Pattern | None:
        numbers, days = self._days()
        if self._has("BYMONTH", "BYMONTHDAY", "BYSETPOS") or numbers != {0}:
            return None
        return Weekly(interval, days or (self._start.weekday(),), self._first_day())

    def _every_week(self, interval: int) -> Pattern | None:
        """Return days of the week without further limits: every one of them, if no period is left out."""
        numbers, days = self._days()
        return Weekly(1, days, self._first_day()) if interval == 1 and numbers == {0} else None

    def _monthly(self, interval: int) -> Pattern | None:
        if self._has("BYMONTH"):
            return self._yearly(1) if interval == 1 and len(self._list("BYMONTH")) == 1 else None
        if self._has("BYDAY") and not self._has("BYMONTHDAY", "BYSETPOS") and self._days()[0] == {0}:
            return self._every_week(interval)
        place = self._place()
        if isinstance(place, int):
            return AbsoluteMonthly(interval, place)
        return place and RelativeMonthly(interval, *place)

    def _yearly(self, interval: int) -> Pattern | None:
        if not self._has("BYMONTH") and self._has("BYDAY", "BYMONTHDAY"):
            # Without a month, BYMONTHDAY and BYDAY are of every month, or of the year.
            return self._monthly(1) if interval == 1 and not self._has("BYSETPOS") and self._days()[0] == {0} else None
        months = self._list("BYMONTH") or [self._start.month]
        if len(months) != 1:
            return None
        month = months[0]
        place = self._place()
        if isinstance(place, int):
            return AbsoluteYearly(month, min(place, _MONTH_LENGTHS[month - 1]), interval)
        return place and RelativeYearly(month, *place, interval)

    def _place(self) -> int | tuple[tuple[int, ...], Nth] | None:
        """Return the day of a month, or the nth of some weekdays."""
        if not self._has("BYDAY"):
            return self._month_day()
        numbers, days = self._days()
        if numbers == {0}:
            number = self._nth_by_month_days(days) if self._has("BYMONTHDAY") else self._only("BYSETPOS")
        else:
            alone = len(numbers) == len(days) == 1 and not self._has("BYMONTHDAY", "BYSETPOS")
            number = next(iter(numbers)) if alone else None
        return None if number not in _NTH else (days, _NTH[number])

    def _month_day(self) -> int | None:
        days = self._list("BYMONTHDAY") or [self._start.day]
        if self._only("BYSETPOS") == -1:
            days = [_clipped(set(days))]
        elif self._has("BYSETPOS") and (len(days) > 1 or self._only("BYSETPOS") != 1):
            return None
        if len(days) != 1 or not (days[0] > 0 or days[0] == -1):
            return None
        return _LONGEST_MONTH if days[0] == -1 else days[0]

    def _nth_by_month_days(self, days: tuple[int, ...]) -> int | None:
        """Return 2 for a weekday of BYMONTHDAY=8,9,10,11,12,13,14."""
        dates = sorted(self._list("BYMONTHDAY"))
        if len(days) != 1 or self._has("BYSETPOS"):
            return None
        weeks = {number: list(range(_WEEK * (number - 1) + 1, _WEEK * number + 1)) for number in range(1, 5)}
        weeks[-1] = list(range(-_WEEK, 0))
        return next((number for number, week in weeks.items() if dates == week), None)

    def _has(self, *names: str) -> bool:
        return any(name in self._said for name in names)

    def _list(self, name: str) -> list[int]:
        if name not in self._said:
            return []
        if not _NUMBERS.fullmatch(self._said[name]):
            raise ValueError("a recurrence rule has numbers that are none")
        limit = {"BYMONTH": len(_MONTH_LENGTHS), "BYMONTHDAY": _LONGEST_MONTH}.get(name, 366)
        numbers = [int(one) for one in self._said[name].split(",")]
        if not all(1 <= (number if name == "BYMONTH" else abs(number)) <= limit for number in numbers):
            raise ValueError("a recurrence rule has numbers out of its range")
        return numbers

    def _only(self, name: str) -> int | None:
        numbers = self._list(name)
        return numbers[0] if len(numbers) == 1 else None

    def _positive(self, name: str) -> int | None:
        if name not in self._said:
            return None
        if not re.fullmatch(r"\d{1,6}", self._said[name], re.ASCII) or int(self._said[name]) < 1:
            raise ValueError("a recurrence rule has a number that is none")
        return int(self._said[name])

    def _days(self) -> tuple[set[int], tuple[int, ...]]:
        """Return the numbers of BYDAY, 0 for none, and its days in order."""
        if "BYDAY" not in self._said:
            return {0}, ()
        found = [_BYDAY.fullmatch(one) for one in self._said["BYDAY"].split(",")]
        matches = [one for one in found if one is not None]
        if len(matches) < len(found):
            raise ValueError("a recurrence rule has days that are none")
        return {int(one[1] or 0) for one in matches}, tuple(sorted({WEEKDAYS.index(one[2]) for one in matches}))

    def _first_day(self) -> int:
        name = self._said.get("WKST", "MO")
        if name not in WEEKDAYS:
            raise ValueError("a recurrence rule has weeks that begin on no day")
        return WEEKDAYS.index(name)


def _clipped(days: set[int]) -> int:
    """Return the day that is meant by the last of these in a month: 30 for 28, 29, 30. 0 where it is not one of Exchange's."""
    if -1 in days:
        return -1
    last = max(days)
    return last if min(days) > 0 and days >= set(range(_SHORTEST_MONTH, last + 1)) else 0


def _same(text: str | None, number: int) -> bool:
    return text is not None and re.fullmatch(r"\d{1,2}", text, re.ASCII) is not None and int(text) == number


__all__ = ["WEEKDAYS", "rrule_of", "rule_of"]
