"""Recurrences: patternedRecurrence written and read (Graph `recurrencePattern`, `recurrenceRange`)."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING, Any, Final, cast

from greenroom.simulator.graph.errors import bad
from greenroom.simulator.graph.fields import choice, items, members, number, text
from greenroom.simulator.graph.times import start_zone, zone_named
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

if TYPE_CHECKING:
    from datetime import datetime

    from greenroom.simulator.model import Meeting

_NO_DATE: Final = "0001-01-01"
_DAYS: Final[dict[str, Day]] = {day.lower(): day for day in DAYS}
_INDEXES: Final[dict[str, WeekIndex]] = {
    "first": "First",
    "second": "Second",
    "third": "Third",
    "fourth": "Fourth",
    "last": "Last",
}
_GROUPS: Final[dict[DayOrGroup, tuple[Day, ...]]] = {
    "Day": DAYS,
    "Weekday": DAYS[:5],
    "WeekendDay": DAYS[5:],
}
_TYPES: Final = {
    name.lower(): name
    for name in ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
}
_RANGES: Final = {name.lower(): name for name in ("endDate", "noEnd", "numbered")}


def write(meeting: Meeting) -> dict[str, Any] | None:
    """The patternedRecurrence of a series; None for single meetings and for rules that Exchange cannot say."""
    rule = meeting.recurrence
    if rule is None:
        return None
    endless = "noEnd" if rule.count is None else "numbered"
    kind = endless if rule.until is None else "endDate"
    span = {
        "type": kind,
        "startDate": rule.start.isoformat(),
        "endDate": (rule.until.isoformat() if rule.until is not None else _NO_DATE),
        "recurrenceTimeZone": start_zone(meeting),
        "numberOfOccurrences": (rule.count or 0) if rule.until is None else 0,
    }
    return {"pattern": _pattern(rule.pattern), "range": span}


def _pattern(pattern: Pattern) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "",
        "interval": getattr(pattern, "interval", 1),
        "month": 0,
        "dayOfMonth": 0,
        "firstDayOfWeek": "sunday",
        "index": "first",
    }
    match pattern:
        case Daily():
            said["type"] = "daily"
        case Weekly(_, days, first_day):
            said |= {"type": "weekly", "daysOfWeek": _lower(days), "firstDayOfWeek": first_day.lower()}
        case AbsoluteMonthly(_, day):
            said |= {"type": "absoluteMonthly", "dayOfMonth": day}
        case RelativeMonthly(_, name, index):
            said |= {"type": "relativeMonthly", "daysOfWeek": _days_of(name), "index": index.lower()}
        case AbsoluteYearly(month, day):
            said |= {"type": "absoluteYearly", "dayOfMonth": day, "month": month}
        case RelativeYearly(month, name, index):
            said |= {
                "type": "relativeYearly",
                "daysOfWeek": _days_of(name),
                "index": index.lower(),
                "month": month,
            }
    return said


def _lower(days: tuple[Day, ...]) -> list[str]:
    return [day.lower() for day in days]


def _days_of(name: DayOrGroup) -> list[str]:
    return _lower(_GROUPS[name]) if name in _GROUPS else [name.lower()]


def read(value: Any, start: datetime, zone_name: str | None) -> Recurrence | None:
    """Read a patternedRecurrence of a meeting that starts then; null is none. Raises GraphError (400)."""
    if value is None:
        return None
    parts = members(value, "recurrence")
    pattern, span = members(parts.get("pattern"), "pattern"), members(parts.get("range"), "range")
    local_start = start.astimezone(zone_named(zone_name) if zone_name else UTC).date()
    kind = choice(span.get("type"), "range.type", _RANGES)
    if span.get("recurrenceTimeZone"):
        zone_named(text(span["recurrenceTimeZone"], "recurrenceTimeZone"))
    first = _date(span.get("startDate"), "startDate") or local_start
    until, count = None, None
    if kind == "endDate":
        until = _date(span.get("endDate"), "endDate")
        if until is None:
            raise _invalid()
    elif kind == "numbered":
        count = number(span.get("numberOfOccurrences"), "numberOfOccurrences")
    return Recurrence(_read_pattern(pattern, first), first, count=count, until=until)


def _invalid() -> Exception:
    return bad("ErrorCalendarInvalidRecurrence", "The recurrence pattern is invalid.")


def _date(value: Any, name: str) -> date | None:
    said = text(value, name)
    if said in {"", _NO_DATE}:
        return None
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        raise _invalid() from None


def _read_pattern(pattern: dict[str, Any], first: date) -> Pattern:
    kind = choice(pattern.get("type"), "pattern.type", _TYPES)
    interval = number(pattern.get("interval"), "interval", default=1)
    month = number(pattern.get("month"), "month") or first.month
    day = number(pattern.get("dayOfMonth"), "dayOfMonth") or first.day
    days = tuple(choice(one, "daysOfWeek", _DAYS) for one in items(pattern.get("daysOfWeek"), "daysOfWeek"))
    if kind == "daily":
        return Daily(interval)
    if kind == "absoluteMonthly":
        return AbsoluteMonthly(interval, day)
    if kind == "absoluteYearly":
        return AbsoluteYearly(month, day)
    if not days:
        raise _invalid()
    if kind == "weekly":
        week_start = choice(pattern.get("firstDayOfWeek") or "sunday", "firstDayOfWeek", _DAYS)
        return Weekly(interval, cast("tuple[Day, ...]", tuple(dict.fromkeys(days))), week_start)
    index = choice(pattern.get("index") or "first", "index", _INDEXES)
    name = _name_of(set(days))
    return RelativeMonthly(interval, name, index) if kind == "relativeMonthly" else RelativeYearly(month, name, index)


def _name_of(days: set[Day]) -> DayOrGroup:
    if len(days) == 1:
        return next(iter(days))
    for name, group in _GROUPS.items():
        if days == set(group):
            return name
    raise _invalid()
