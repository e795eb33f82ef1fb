"""When a series ends whose rule Exchange's patterns cannot say: no date of it is known, but how long it lasts mostly is."""

import re
from datetime import UTC, datetime, timedelta

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import Component, Property
from greenroom.simulator.ics_zones import When, Zones, rule_parts

_MAX_DATES = 2000
_DAYS = {
    "SECONDLY": 1 / 86400,
    "MINUTELY": 1 / 1440,
    "HOURLY": 1 / 24,
    "DAILY": 1,
    "WEEKLY": 7,
    "MONTHLY": 31,
    "YEARLY": 366,
}
_NUMBER = re.compile(r"\d{1,6}")
_ALWAYS_THERE = {
    "BYDAY": 4,
    "BYMONTHDAY": 28,
    "BYYEARDAY": 365,
    "BYMONTH": 12,
}  # the largest number that no period lacks


def last_end(component: Component, zones: Zones, start: When, end: datetime) -> datetime | None:
    """The end of the last occurrence at the latest; None for a series without end, or where the rule does not let it be told."""
    length = end - start.utc
    lasts = [end]
    try:
        for rule in component.all("RRULE"):
            last = _of_rule(rule, zones, start)
            if last is None:
                return None
            lasts.append(last + length)
        for prop in component.all("RDATE"):
            lasts += _of_dates(prop, zones, start, length)
    except (BadInvitation, OverflowError):
        return None
    return max(lasts)


def _of_rule(rule: Property, zones: Zones, start: When) -> datetime | None:
    parts = rule_parts(rule.value)
    if parts.get("UNTIL"):
        until = zones.when(rule, parts["UNTIL"], beside=start)
        return until.utc + timedelta(days=1) if until.is_date else until.utc
    count, interval = parts.get("COUNT", ""), parts.get("INTERVAL", "1")
    days = _DAYS.get(parts.get("FREQ", ""))
    if days is None or not _NUMBER.fullmatch(count) or not _NUMBER.fullmatch(interval) or not _in_every_period(parts):
        return None
    return start.utc + timedelta(days=days * int(count) * max(1, int(interval)))


def _in_every_period(parts: dict[str, str]) -> bool:
    """Whether each period of the rule has at least one occurrence, so that a count of them bounds the series."""
    frequency = parts["FREQ"]
    narrowing = {name for name in parts if name.startswith("BY") and name != "BYSETPOS"}
    if frequency not in {"MONTHLY", "YEARLY"}:
        return narrowing <= ({"BYDAY"} if frequency == "WEEKLY" else set())
    if not narrowing <= set(_ALWAYS_THERE) or (frequency == "MONTHLY" and "BYMONTH" in narrowing):
        return False
    numbers = ((name, number) for name in narrowing for number in re.findall(r"\d+", parts[name]))
    both = {"BYDAY", "BYMONTHDAY"} <= narrowing  # Friday the 13th comes when it likes
    return not both and all(int(number[:9]) <= _ALWAYS_THERE[name] for name, number in numbers)


def _of_dates(prop: Property, zones: Zones, start: When, length: timedelta) -> list[datetime]:
    found = []
    for text in prop.value.split(",", _MAX_DATES)[:_MAX_DATES]:
        begins, _, ends = text.partition("/")
        if not begins.strip():
            continue
        found.append(zones.when(prop, begins, beside=start).utc + length)
        if ends[:1].isdigit():
            found.append(zones.when(prop, ends, beside=start).utc)
    return [one.astimezone(UTC) for one in found]
