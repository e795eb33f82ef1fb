"""Random series for property tests, and what python-dateutil says of them: a second opinion that shares nothing with ours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule

from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import (
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
from greenroom.meetings.zones import Zone

Told = tuple[date, datetime, datetime]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Zones whose clocks do unusual things, and how Windows calls some.
IANA = (
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles"),
    *("America/St_Johns", "America/Sao_Paulo", "America/Asuncion", "America/Nuuk", "America/Havana", "Africa/Cairo"),
    *("Africa/Casablanca", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza", "Asia/Beirut", "Asia/Pyongyang"),
    *("Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati", "Antarctica/Troll", "Europe/Istanbul"),
)
WINDOWS = {
    "W. Europe Standard Time": "Europe/Berlin",
    "GMT Standard Time": "Europe/London",
    "Eastern Standard Time": "America/New_York",
    "Pacific Standard Time": "America/Los_Angeles",
    "Newfoundland Standard Time": "America/St_Johns",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Morocco Standard Time": "Africa/Casablanca",
    "Lord Howe Standard Time": "Australia/Lord_Howe",
    "Egypt Standard Time": "Africa/Cairo",
    "New Zealand Standard Time": "Pacific/Auckland",
    "India Standard Time": "Asia/Kolkata",
    "Samoa Standard Time": "Pacific/Apia",
}


@dataclass(frozen=True)
class Case:
    """A series, a window to look at it, and an instant within."""

    series: Series
    iana: str
    since: datetime
    until: datetime
    now: datetime
    before: timedelta
    after: timedelta
    all_day: bool


_WEEKDAYS = [(0,), (2,), (4,), (5,), (6,), (0, 1, 2, 3, 4), (5, 6), (0, 1, 2, 3, 4, 5, 6), (1, 3), (0, 6), (2, 4, 5)]
_INTERVALS = [1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 12, 13, 99]
_YEARS_APART = [1, 1, 1, 2, 4]
_MONTH_DAYS = [1, 2, 14, 15, 27, 28, 29, 29, 30, 30, 31, 31]
_MONTHS = [1, 2, 2, 3, 4, 6, 10, 11, 12]
_NTHS = list(Nth)
PATTERNS: dict[str, Callable[[Random], Pattern]] = {
    "daily": lambda rng: Daily(rng.choice(_INTERVALS)),
    "weekly": lambda rng: Weekly(rng.choice(_INTERVALS), rng.choice(_WEEKDAYS), rng.randrange(7)),
    "absolute_monthly": lambda rng: AbsoluteMonthly(rng.choice(_INTERVALS), rng.choice(_MONTH_DAYS)),
    "relative_monthly": lambda rng: RelativeMonthly(rng.choice(_INTERVALS), rng.choice(_WEEKDAYS), rng.choice(_NTHS)),
    "absolute_yearly": lambda rng: AbsoluteYearly(
        rng.choice(_MONTHS), rng.choice(_MONTH_DAYS), rng.choice(_YEARS_APART)
    ),
    "relative_yearly": lambda rng: RelativeYearly(
        rng.choice(_MONTHS), rng.choice(_WEEKDAYS), rng.choice(_NTHS), rng.choice(_YEARS_APART)
    ),
}
_PERIODS = {Daily: 1, Weekly: 7, AbsoluteMonthly: 30, RelativeMonthly: 30, AbsoluteYearly: 365, RelativeYearly: 365}
# Clocks are mostly changed in these hours.
_TIMES = [
    *(time(), time(), time(0, 30), time(1), time(1, 30), time(2), time(2, 15), time(2, 30), time(3)),
    *(time(9), time(13, 45), time(23), time(23, 30), time(23, 59)),
]
_LENGTHS = [timedelta(), 15 * MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR, 90 * MINUTE, 8 * HOUR, 25 * HOUR, 3 * DAY]
_MARGINS = [timedelta(), 5 * MINUTE, HOUR, 30 * HOUR]
_MOVES = [timedelta(), -HOUR, 2 * HOUR, DAY, -9 * DAY, 400 * DAY]


def random_case(kind: str, seed: int, zones: tuple[str, ...] = (*IANA, *WINDOWS)) -> Case:
    """A random case with a pattern of this kind, the same for the same seed."""
    rng = Random(f"{kind} {seed}")
    pattern = PATTERNS[kind](rng)
    period = _PERIODS[type(pattern)] * pattern.interval * DAY
    name = rng.choice(zones)
    iana = WINDOWS.get(name, name)
    start = date(1965, 1, 1) + rng.randrange(75 * 365) * DAY
    change = _change_of_clocks(iana, start)
    if change and rng.randrange(2):
        start = change - rng.randrange(6) * period
    bound = rng.randrange(4)
    until = start + rng.randrange(-2, 40) * period + rng.randrange(10) * DAY if bound == 1 else None
    rule = Rule(pattern, start, until, rng.randint(1, 40) if bound > 1 else None)
    all_day = rng.randrange(8) == 0
    begins, length = (time(), rng.randint(1, 3) * DAY) if all_day else (rng.choice(_TIMES), rng.choice(_LENGTHS))
    days = first_days(rule, 12)
    moved, gone = _exceptions(rng, days, begins, length, iana) if rng.randrange(3) else ((), frozenset[date]())
    series = Series(rule, begins, length, Zone(name), moved, gone)
    since = (
        datetime.combine(start, time(rng.randrange(24)), UTC) + rng.randint(-1, 25) * period - rng.randrange(4) * DAY
    )
    width = rng.randrange(9) * period + rng.randrange(4) * DAY + rng.randrange(2000) * MINUTE
    now = since + rng.random() * width
    where = rng.randrange(4)
    if where == 0 and change:  # about when clocks are changed, perhaps in an hour that comes twice
        wall = datetime.combine(change, rng.choice([begins, time(2)])) + rng.randrange(-70, 70) * MINUTE
        now = _localised(wall.replace(fold=rng.randrange(2)), iana)
    elif where == 1 and moved:
        one = rng.choice(moved)
        now = one.start + rng.choice([0, 0.3, 1, 1.01]) * (one.end - one.start)
    elif where > 1 and days:  # on the minute at which something begins or ends
        now = _localised(datetime.combine(rng.choice(days), begins) + rng.choice([timedelta(), length]), iana)
    now += rng.choice([timedelta(), -MINUTE / 60, MINUTE / 60])
    return Case(series, iana, since, since + width, now, rng.choice(_MARGINS), rng.choice(_MARGINS), all_day)


def _change_of_clocks(iana: str, around: date) -> date | None:
    """The day of a change of clocks within the year from a day on, if there is any."""
    zone = ZoneInfo(iana)

    def offset(days: int) -> timedelta | None:
        return datetime.combine(around + days * DAY, time(), zone).utcoffset()

    month = next((days for days in range(0, 365, 30) if offset(days) != offset(days + 30)), None)
    if month is None:
        return None
    return around + next(days for days in range(month, month + 30) if offset(days) != offset(days + 1)) * DAY


def _exceptions(
    rng: Random, days: list[date], begins: time, length: timedelta, iana: str
) -> tuple[tuple[Moved, ...], frozenset[date]]:
    """Some moved, some gone; now and then of a day that the rule does not name."""
    days = [*days, days[-1] + DAY] if days else [date(2020, 2, 29)]
    gone = frozenset(rng.sample(days, rng.randrange(len(days))))
    moved = []
    for day in sorted(set(rng.choices(days, k=rng.randrange(4))) - gone):
        start = _localised(datetime.combine(day, begins), iana) + rng.choice(_MOVES)
        moved.append(Moved(day, start, start + rng.choice([length, timedelta(), HOUR, 2 * DAY, 40 * DAY])))
    return tuple(moved), gone


def dateutil_rule(rule: Rule) -> rrule.rrule:
    """The rule for dateutil, with the month ends of Exchange said as RFC 5545 can: the last fitting one of several days."""
    pattern = rule.pattern
    said: dict[str, Any] = {"interval": pattern.interval}
    frequency: dict[type[Pattern], Any] = {Daily: rrule.DAILY, Weekly: rrule.WEEKLY}
    frequency |= {AbsoluteMonthly: rrule.MONTHLY, RelativeMonthly: rrule.MONTHLY}
    if isinstance(pattern, Weekly):
        said |= {"byweekday": pattern.days, "wkst": pattern.first_day}
    if isinstance(pattern, AbsoluteYearly | RelativeYearly):
        said["bymonth"] = pattern.month
    if isinstance(pattern, AbsoluteMonthly | AbsoluteYearly):
        said |= {"bymonthday": range(min(28, pattern.day), pattern.day + 1), "bysetpos": -1}
    if isinstance(pattern, RelativeMonthly | RelativeYearly):
        said |= {"byweekday": pattern.days, "bysetpos": -1 if pattern.nth is Nth.LAST else pattern.nth + 1}
    start = datetime.combine(rule.start, time())
    until = None if rule.until is None else datetime.combine(rule.until, time())
    return rrule.rrule(frequency.get(type(pattern), rrule.YEARLY), start, count=rule.count, until=until, **said)


def first_days(rule: Rule, most: int, before: date = date(4500, 1, 1)) -> list[date]:
    """The first days of a rule."""
    found: list[date] = []
    for at in dateutil_rule(rule):
        if len(found) == most or at.date() >= before:
            break
        found.append(at.date())
    return found


def told_by_dateutil(case: Case, until: datetime) -> list[Told]:
    """All occurrences up to an instant: days by dateutil, wall-clock times made instants one by one, exceptions put in."""
    series = case.series
    changed = {one.day for one in series.moved} | series.gone
    days = first_days(series.rule, 100_000, before=until.date() + 3 * DAY)
    found = [(day, *_taking_place(case, day)) for day in days if day not in changed]
    found += [(one.day, one.start, one.end) for one in series.moved]
    return sorted(found, key=lambda one: (one[1], one[0]))


def _taking_place(case: Case, day: date) -> tuple[datetime, datetime]:
    wall = datetime.combine(day, case.series.begins)
    start, end = _localised(wall, case.iana), _localised(wall + case.series.length, case.iana)
    # docs/decisions/0012: ends are by the clock on the wall, unless that is no later than the start.
    return start, end if end > start else start + case.series.length


def _localised(wall: datetime, iana: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(iana)).astimezone(UTC)


def touching(told: list[Told], since: datetime, until: datetime) -> list[Told]:
    """What touches a window."""
    return [one for one in told if one[1] < until and (one[2] > since or one[1] == one[2] >= since)]
