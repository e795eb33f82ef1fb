"""Which days a rule names: plain arithmetic, nothing is expanded.

The days of every pattern are numbered without gaps, so a pattern is two functions: the day of a number, and the last day up to
another with its number.

```
_Steps    every n days                      Daily
_Weeks    some days of every nth week       Weekly
_Months   one day of every nth month        all others; a year is twelve months
```

Days are ordinals (`date.toordinal`). A number may be anything, days only what `datetime.date` can say.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise

from greenroom.meetings.rules import (
    LAST_DAY,
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

_MONTHS = 12
_WEEK = 7
_LONGEST_MONTH = 31
_LAST = LAST_DAY.toordinal()
_BEYOND = date.max.toordinal()


class Days:
    """The days of a rule, `without` some of them. Every question costs the same, however long the rule has run."""

    __slots__ = ("_end", "_first", "_hole_ends", "_holes", "_last", "_pattern", "first", "last")

    def __init__(self, rule: Rule, without: Collection[int] = ()) -> None:
        self._pattern = _numbered(rule.pattern, rule.start)
        self._end = _LAST if rule.until is None else min(_LAST, rule.until.toordinal())
        self._first = self._pattern.up_to(rule.start.toordinal() - 1)[0] + 1
        self._last = self._pattern.up_to(self._end)[0]
        if rule.count is not None:
            self._last = min(self._last, self._first + rule.count - 1)
        self._holes, self._hole_ends = self._runs(without) if without else ([], [])
        self.first = self.on_or_after(rule.start.toordinal())
        self.last = self.on_or_before(self._end)

    def on_or_after(self, day: int) -> int | None:
        """Return the first day named from this one on; None if there is none."""
        if day > self._end:
            return None
        number = self._pattern.up_to(day - 1)[0] + 1 if day > 1 else self._first
        number = max(number, self._first)
        if self._holes and (at := bisect_right(self._holes, number)) and number <= self._hole_ends[at - 1]:
            number = self._hole_ends[at - 1] + 1
        return self._pattern.day(number) if number <= self._last else None

    def on_or_before(self, day: int) -> int | None:
        """Return the last day named up to this one; None if there is none."""
        if day < 1:
            return None
        number, found = self._pattern.up_to(min(self._end, day))
        if number > self._last:
            number, found = self._last, self._pattern.day(self._last)
        if self._holes and (at := bisect_right(self._holes, number)) and number <= self._hole_ends[at - 1]:
            number = self._holes[at - 1] - 1
            found = self._pattern.day(number)
        return found if number >= self._first else None

    def has(self, day: int) -> bool:
        """Whether this day is named."""
        return self.on_or_before(day) == day

    @property
    def widest(self) -> int:
        """No two neighbours that the pattern names are further apart, in days."""
        return self._pattern.widest

    def run(self, day: int) -> tuple[int, int]:
        """Return the first and the last day of the unbroken run that this day, which is named, is part of."""
        number = self._pattern.up_to(day)[0]
        at = bisect_right(self._holes, number)
        first = self._hole_ends[at - 1] + 1 if at else self._first
        last = self._holes[at] - 1 if at < len(self._holes) else self._last
        return self._pattern.day(max(first, self._first)), self._pattern.day(min(last, self._last))

    def __iter__(self) -> Iterator[int]:
        """Yield all days, lazily."""
        day = self.first
        while day is not None:
            yield day
            day = self.on_or_after(day + 1)

    def _runs(self, without: Collection[int]) -> tuple[list[int], list[int]]:
        """Return the first and the last number of each unbroken run of what is left out."""
        found = ((day, *self._pattern.up_to(day)) for day in without if 0 < day <= _LAST)
        numbers = sorted({number for day, number, fitting in found if day == fitting})
        starts = [one for at, one in enumerate(numbers) if at == 0 or numbers[at - 1] != one - 1]
        ends = [one for at, one in enumerate(numbers, 1) if at == len(numbers) or numbers[at] != one + 1]
        return starts, ends


class _Steps:
    """Every so many days."""

    __slots__ = ("_interval", "_origin")

    def __init__(self, origin: int, interval: int) -> None:
        self._origin = origin
        self._interval = interval

    @property
    def widest(self) -> int:
        return self._interval

    def day(self, number: int) -> int:
        return self._origin + number * self._interval

    def up_to(self, day: int) -> tuple[int, int]:
        number, beyond = divmod(day - self._origin, self._interval)
        return number, day - beyond


class _Weeks:
    """Some days of every so many weeks. `origin` is a first day of a week, `days` are counted from it."""

    __slots__ = ("_days", "_latest", "_origin", "_period")

    def __init__(self, origin: int, interval: int, days: list[int]) -> None:
        self._origin = origin
        self._period = interval * _WEEK
        self._days = days
        self._latest = [sum(one <= day for one in days) - 1 for day in range(_WEEK)]

    @property
    def widest(self) -> int:
        return max(later - day for day, later in pairwise([*self._days, self._days[0] + self._period]))

    def day(self, number: int) -> int:
        period, at = divmod(number, len(self._days))
        return self._origin + period * self._period + self._days[at]

    def up_to(self, day: int) -> tuple[int, int]:
        period, into = divmod(day - self._origin, self._period)
        at = self._latest[into] if into < _WEEK else -1 + len(self._days)
        number = period * len(self._days) + at
        return number, day - into + self._days[at] if at >= 0 else self.day(number)


class _Months:
    """One day of every so many months, counted from the year 0. Without `days` it is a day of the month."""

    __slots__ = ("_ahead", "_back", "_day", "_interval", "_origin")

    def __init__(self, origin: int, interval: int, day: int, days: tuple[int, ...] = (), nth: Nth = Nth.FIRST) -> None:
        self._origin = origin
        self._interval = interval
        self._day = day - 1
        self._back = [_back(weekday, days) for weekday in range(_WEEK)] if nth is Nth.LAST else ()
        self._ahead = [_ahead(weekday, days, nth) for weekday in range(_WEEK)] if days and not self._back else ()

    @property
    def widest(self) -> int:
        return self._interval * _LONGEST_MONTH + _WEEK

    def day(self, number: int) -> int:
        first, last = _bounds(self._origin + number * self._interval)
        if self._ahead:
            return first + self._ahead[first % _WEEK]
        if self._back:
            return last - self._back[last % _WEEK]
        return min(first + self._day, last)

    def up_to(self, day: int) -> tuple[int, int]:
        at = date.fromordinal(day)
        number = (at.year * _MONTHS + at.month - 1 - self._origin) // self._interval
        found = self.day(number)
        return (number, found) if found <= day else (number - 1, self.day(number - 1))


@lru_cache(maxsize=4096)
def _bounds(month: int) -> tuple[int, int]:
    """Return the first and the last day of a month, counted from the year 0; out of all time, of none."""
    year, at = divmod(month, _MONTHS)
    if not date.min.year <= year < date.max.year:
        return (_BEYOND, _BEYOND) if year > 0 else (0, 0)
    following = date(year + 1, 1, 1) if at == _MONTHS - 1 else date(year, at + 2, 1)
    return date(year, at + 1, 1).toordinal(), following.toordinal() - 1


# Remainders of ordinals are weekdays, 0 is Sunday: date.fromordinal(1) was a Monday.


def _ahead(first: int, days: tuple[int, ...], nth: Nth) -> int:
    """Return how many days behind the first of a month, which is this weekday, the nth of `days` comes."""
    return [ahead for ahead in range((nth + 1) * _WEEK) if (first + ahead - 1) % _WEEK in days][nth]


def _back(last: int, days: tuple[int, ...]) -> int:
    """Return how many days ahead of the last of a month, which is this weekday, the last of `days` is."""
    return next(back for back in range(_WEEK) if (last - back - 1) % _WEEK in days)


def _numbered(pattern: Pattern, start: date) -> _Steps | _Weeks | _Months:
    months = start.year * _MONTHS
    match pattern:
        case Daily(interval):
            return _Steps(start.toordinal(), interval)
        case Weekly(interval, days, first_day):
            into_week = (start.weekday() - first_day) % _WEEK
            return _Weeks(start.toordinal() - into_week, interval, sorted((day - first_day) % _WEEK for day in days))
        case AbsoluteMonthly(interval, day):
            return _Months(months + start.month - 1, interval, day)
        case RelativeMonthly(interval, days, nth):
            return _Months(months + start.month - 1, interval, 1, days, nth)
        case AbsoluteYearly(month, day, interval):
            return _Months(months + month - 1, interval * _MONTHS, day)
        case RelativeYearly(month, days, nth, interval):
            return _Months(months + month - 1, interval * _MONTHS, 1, days, nth)
