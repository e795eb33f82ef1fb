"""Series as Graph describes them, made into the domain's values and back.

Source: Graph v1.0, recurrencePattern, recurrenceRange, event (cancelledOccurrences, exceptionOccurrences; occurrenceId:
"OID.{seriesMasterId}.{date}", the date in `recurrenceTimeZone`). Nothing is ever expanded, and nothing more is asked for.
"""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, Final

from greenroom.exchange.graph import values
from greenroom.exchange.graph.events import ZONE_OF_SERIES, Event, Instance, Moment, Pattern, Range, Recurrence
from greenroom.meetings import rules, timezone_definition, zones
from greenroom.meetings.recurrence import MAX_LENGTH, Series
from greenroom.meetings.rule_days import Days
from greenroom.meetings.rules import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Nth,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)
from greenroom.meetings.zones import Zone

_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEXES: Final = {"first": Nth.FIRST, "second": Nth.SECOND, "third": Nth.THIRD, "fourth": Nth.FOURTH, "last": Nth.LAST}
_NAMES: Final = {nth: name for name, nth in _INDEXES.items()}
_DATE: Final = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_FIRST: Final = datetime.combine(rules.FIRST_DAY, time(), UTC)
_LAST: Final = datetime.combine(rules.LAST_DAY, time(), UTC)


def read_series(event: Event, start: datetime, end: datetime) -> Series | None:
    """Read a master whose first occurrence is then; None where its rule is one that Exchange's patterns cannot say."""
    rule = read_rule(event.recurrence)
    if rule is None or not _is_sound(start, end):
        return None
    zone = _zone(event, rule, start)
    here = zones.tzinfo_of(zone)
    moved = []
    gone: list[datetime | date] = list(_days(event.cancelled_occurrences))
    for one in _exceptions(event):
        original = _original(event, one)
        begins, ends = (_moment(event, one, moment, here) for moment in (one.start, one.end))
        if original is not None and one.is_cancelled:
            gone.append(original)
        elif original is not None and begins is not None and ends is not None and _is_sound(begins, ends):
            moved.append((original, begins, ends))
    try:
        return Series.of(rule, start, end, zone, moved=moved, gone=gone)
    except ValueError:
        return None  # times that are in no calendar


def exceptions_of(event: Event, series: Series) -> Iterator[tuple[date, Instance]]:
    """Yield those exceptions that the series holds as moved, with their days, the latest first."""
    moved, known = {one.day for one in series.moved}, series.occurrences
    for one in reversed(_exceptions(event)):
        original = _original(event, one)
        if original is not None and not one.is_cancelled and (day := known.day_of(original)) in moved:
            moved.discard(day)
            yield day, one


def unsaid(event: Event) -> str:
    """Return a text for a rule that cannot be said, which changes when the rule does."""
    told = event.model_dump(mode="json", include={"recurrence", "original_start_time_zone"})
    if event.recurrence is None:
        return "unsaid"
    return f"unsaid={hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}"


# --- rules ------------------------------------------------------------------------------------------------------------


def read_rule(recurrence: Recurrence | None) -> Rule | None:
    """Read a patternedRecurrence; None for none, and for one that Exchange's patterns cannot say."""
    if recurrence is None or recurrence.pattern is None or recurrence.range is None:
        return None
    limits = recurrence.range
    if limits.start_date is None:
        return None
    try:
        return Rule(_read_pattern(recurrence.pattern), limits.start_date, **_read_end(limits))
    except (ValueError, KeyError):
        return None  # words or numbers that no rule has


def _read_pattern(said: Pattern) -> rules.Pattern:
    interval = 1 if said.interval is None else said.interval
    month, day = said.month or 0, said.day_of_month or 0
    days = tuple(sorted({_WEEK.index(word.lower()) for word in said.days_of_week}))
    match said.type.lower():
        case "daily":
            pattern: rules.Pattern = Daily(interval)
        case "weekly":
            pattern = Weekly(interval, days, _WEEK.index((said.first_day_of_week or "sunday").lower()))
        case "absolutemonthly":
            pattern = AbsoluteMonthly(interval, day)
        case "absoluteyearly":
            pattern = AbsoluteYearly(month, day, interval)
        case "relativemonthly":
            pattern = RelativeMonthly(interval, days, _INDEXES[(said.index or "first").lower()])
        case "relativeyearly":
            pattern = RelativeYearly(month, days, _INDEXES[(said.index or "first").lower()], interval)
        case _:
            raise ValueError("a pattern of no known kind")
    return pattern


def _read_end(limits: Range) -> dict[str, Any]:
    match limits.type.lower():
        case "noend":
            return {}
        case "enddate" if limits.end_date is not None:
            return {"until": limits.end_date}
        case "numbered" if limits.number_of_occurrences is not None:
            return {"count": limits.number_of_occurrences}
        case _:
            raise ValueError("a range of no known kind")


def write_recurrence(rule: Rule, zone: str = "") -> dict[str, Any]:
    """Write a patternedRecurrence; `zone` names the zone of its days, where it is not that of the event's start."""
    limits: dict[str, Any] = {"type": "noEnd", "startDate": rule.start.isoformat()}
    if rule.until is not None:
        limits |= {"type": "endDate", "endDate": rule.until.isoformat()}
    if rule.count is not None:
        limits |= {"type": "numbered", "numberOfOccurrences": rule.count}
    if zone:
        limits["recurrenceTimeZone"] = zone
    return {"pattern": _write_pattern(rule.pattern), "range": limits}


def _write_pattern(pattern: rules.Pattern) -> dict[str, Any]:
    said: dict[str, Any] = {"interval": pattern.interval}
    match pattern:
        case Daily():
            return {"type": "daily", **said}
        case Weekly(_, days, first_day):
            return {"type": "weekly", **said, "daysOfWeek": _words(days), "firstDayOfWeek": _WEEK[first_day]}
        case AbsoluteMonthly(_, day):
            return {"type": "absoluteMonthly", **said, "dayOfMonth": day}
        case RelativeMonthly(_, days, nth):
            return {"type": "relativeMonthly", **said, "daysOfWeek": _words(days), "index": _NAMES[nth]}
        case AbsoluteYearly(month, day):
            return {"type": "absoluteYearly", **said, "month": month, "dayOfMonth": day}
        case RelativeYearly(month, days, nth):
            place = {"month": month, "daysOfWeek": _words(days), "index": _NAMES[nth]}
            return {"type": "relativeYearly", **said, **place}


def _words(days: tuple[int, ...]) -> list[str]:
    return [_WEEK[day] for day in days]


# --- days and moments -------------------------------------------------------------------------------------------------


def _zone(event: Event, rule: Rule, start: datetime) -> Zone:
    """Return the zone a series is counted in, or what stands in for one that nobody knows.

    That is the first name that is known and not contradicted by the definition in the meeting itself, else the definition.
    """
    limits = event.recurrence.range if event.recurrence else None
    key_name, definition = _definition(event)
    names = (limits.recurrence_time_zone if limits else "", event.original_start_time_zone, key_name)
    known = [zones.zone_of(name, definition, start) for name in names if zones.is_known(Zone(name))]
    if known:
        return next((zone for zone in known if not zone.definition), known[0])
    zone = zones.zone_of(event.original_start_time_zone, definition, start)
    if zones.is_known(zone):
        return zone
    first = Days(rule).first
    return zones.unknown_zone(zone.name, start, rule.start if first is None else date.fromordinal(first))


def _definition(event: Event) -> tuple[str, str]:
    """Return the key name and the canonical definition of the zone that stands in the meeting itself; empty for none."""
    text = event.extended(ZONE_OF_SERIES)
    try:
        return timezone_definition.read(b64decode(text)) if text else ("", "")
    except ValueError:  # binascii's error is one
        return "", ""


def _days(ids: tuple[str, ...]) -> Iterator[date]:
    """Yield the days of occurrences that were taken out; of an id that names none nothing is known."""
    for ident in ids:
        found = _DATE.findall(ident)
        try:
            if found:
                yield date(*map(int, found[-1]))
        except ValueError:
            continue  # no date of any calendar


def _exceptions(event: Event) -> list[Instance]:
    """Return the exceptions in the order of their days."""
    return sorted(event.exception_occurrences, key=lambda one: one.original_start or _FIRST)


def _original(event: Event, one: Instance) -> datetime | date | None:
    """Return the original start of an exception, the day alone where that is a midnight without a zone."""
    original = one.original_start
    if original is None or not _is_sound(original, original):
        return None
    return original.date() if event.is_all_day and values.floats(original) else original


def _moment(event: Event, one: Instance, moment: Moment | None, zone: tzinfo) -> datetime | None:
    found = moment.utc if moment is not None else None
    all_day = event.is_all_day if one.is_all_day is None else one.is_all_day
    return values.floating(found, zone) if found is not None and all_day else found


def _is_sound(start: datetime, end: datetime) -> bool:
    """Whether a calendar of Exchange can hold this: what is counted from here stays within all calendars."""
    return _FIRST <= start <= end <= _LAST and end - start <= MAX_LENGTH
