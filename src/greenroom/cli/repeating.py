"""Recurrence in words, as people say it: "every 2 weeks on Monday and Wednesday, 10:00 to 11:00 Europe/Berlin, no end"."""

import calendar
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from greenroom.cli.reading import plain
from greenroom.meetings.recurrence import Series
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

_DAYS = tuple(calendar.day_name)
_SHORTEST_MONTH = 28
_KINDS = {EVERY_DAY: "day", WORKDAYS: "workday", WEEKEND: "day of the weekend"}
_DAY = timedelta(days=1)


def in_words(series: Series) -> str:
    """Say when a series takes place, in its own zone; what differs from the rule is not in it."""
    return f"{_pattern(series.rule.pattern)}, {_hours(series)}, {_end(series.rule)}"


def exceptions(series: Series) -> str:
    """Say how many occurrences differ from the rule; empty for none."""
    said = []
    if series.moved:
        said.append(f"{len(series.moved)} changed")
    if series.gone:
        said.append(f"{len(series.gone)} cancelled")
    return ", ".join(said)


def _pattern(pattern: Pattern) -> str:
    match pattern:
        case Daily():
            return _every(pattern.interval, "day")
        case Weekly():
            days = "all days" if pattern.days == EVERY_DAY else _and([_DAYS[day] for day in pattern.days])
            return f"{_every(pattern.interval, 'week')} on {days}"
        case AbsoluteMonthly():
            return f"{_every(pattern.interval, 'month')} on day {pattern.day}{_or_last(pattern.day)}"
        case RelativeMonthly():
            return f"{_every(pattern.interval, 'month')} on the {_nth(pattern.nth, pattern.days)}"
        case AbsoluteYearly():
            day = f"{pattern.day} {calendar.month_name[pattern.month]}"
            return f"{_every(pattern.interval, 'year')} on {day}{_or_last(pattern.day)}"
        case RelativeYearly():
            month = calendar.month_name[pattern.month]
            return f"{_every(pattern.interval, 'year')} on the {_nth(pattern.nth, pattern.days)} of {month}"


def _every(interval: int, unit: str) -> str:
    return f"every {unit}" if interval == 1 else f"every {interval} {unit}s"


def _nth(nth: Nth, days: Sequence[int]) -> str:
    return f"{nth.name.lower()} {_KINDS.get(tuple(days)) or _and([_DAYS[day] for day in days], 'or')}"


def _or_last(day: int) -> str:
    return " (the last one of a shorter month)" if day > _SHORTEST_MONTH else ""


def _and(words: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _hours(series: Series) -> str:
    zone = plain(series.zone.name)
    days, rest = divmod(series.length, _DAY)
    if series.begins == time() and days and not rest:
        return f"{'all day' if days == 1 else f'{days} whole days'} in {zone}"
    begins = series.begins.isoformat("minutes")
    if days:
        more = f" and {_length(rest)}" if rest else ""
        return f"{begins} for {days} day{'s' if days > 1 else ''}{more} in {zone}"
    if not rest:
        return f"{begins} {zone}"
    ends = (datetime.combine(series.rule.start, series.begins) + rest).time().isoformat("minutes")
    return f"{begins} to {ends} {zone}"


def _length(length: timedelta) -> str:
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    return f"{hours}:{minutes:02} hours"


def _end(rule: Rule) -> str:
    if rule.until is not None:
        return f"until {rule.until.isoformat()}"
    return "no end" if rule.count is None else "once" if rule.count == 1 else f"{rule.count} times"
