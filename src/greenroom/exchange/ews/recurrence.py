"""Series as EWS describes them: a canonical text that changes when the rule does, and when the last occurrence ends.

Source: EWS reference, Recurrence, OccurrenceInfoType, DeletedOccurrenceInfoType. The rule is never expanded here.
"""

import hashlib
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

from greenroom.exchange.ews.markup import Element, child, children, local, text_of
from greenroom.exchange.ews.values import day, instant, number

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "day", "weekday", "weekendday")
_RULES = ("Recurrence", "Regeneration")
_DATED = frozenset({"startdate", "enddate"})
_LONGEST_VALUE = 100
_EXCEPTIONS_SPELLED_OUT = 200
_CLOCKS = timedelta(hours=1)
_PER_STEP = {"daily": 1, "weekly": 7, "absolutemonthly": 31, "relativemonthly": 31}
_DAYS_OF_YEAR = 366


@dataclass(frozen=True, slots=True)
class Series:
    """A rule's canonical text and the end of the last occurrence (None: no end, or not known)."""

    text: str
    until: datetime | None


def read_series(fields: dict[str, Element], start: datetime, end: datetime, zone: str | None) -> Series | None:
    """Read a master's properties (by local name) around its first occurrence; None if there is no rule."""
    rule = fields.get("Recurrence")
    if rule is None or len(rule) == 0:
        # A series brought in with a rule that Exchange's patterns cannot say; its last occurrence may be known all the same.
        last = instant(text_of(fields.get("LastOccurrence"), "End"))
        return None if last is None else Series(f"last={last.isoformat()}", last)
    parts = sorted(_part(element) for element in children(rule) if local(element).endswith(_RULES))
    parts.append(f"zone={(zone or '')[:_LONGEST_VALUE]}")
    parts.extend(_exceptions("modified", fields.get("ModifiedOccurrences"), ("OriginalStart", "Start", "End")))
    # Graph tells of these only the day. They only ever become more, so that their number tells every change.
    if taken_out := {instant(text_of(row, "Start")) for row in children(fields.get("DeletedOccurrences"))}:
        parts.append(f"deleted={len(taken_out)}")
    return Series("; ".join(parts), _until(fields, rule, start, end, zone))


def _part(element: Element) -> str:
    name = local(element).removesuffix("Recurrence").lower()
    values = sorted(f"{local(c).lower()}={_value(local(c).lower(), text_of(c))}" for c in children(element))
    return " ".join([name, *values])


def _value(name: str, text: str) -> str:
    if name in _DATED and (found := day(text)):
        return found.isoformat()
    if name == "daysofweek":
        words = text.lower().split()
        return ",".join(sorted(set(words), key=lambda w: (_WEEK.index(w) if w in _WEEK else len(_WEEK), w)))[:200]
    return text.lower()[:_LONGEST_VALUE]


def _exceptions(label: str, container: Element | None, names: tuple[str, ...]) -> list[str]:
    rows = sorted(
        {
            "/".join(found.isoformat() if (found := instant(text_of(row, name))) else "" for name in names)
            for row in children(container)
        }
    )
    if not rows:
        return []
    if len(rows) > _EXCEPTIONS_SPELLED_OUT:
        rows = [f"{len(rows)}#{hashlib.sha256(','.join(rows).encode()).hexdigest()[:32]}"]
    return [f"{label}={','.join(rows)}"]


def _until(
    fields: dict[str, Element], rule: Element, start: datetime, end: datetime, zone: str | None
) -> datetime | None:
    if child(rule, "NoEndRecurrence") is not None:
        return None
    ends = [found for row in children(fields.get("ModifiedOccurrences")) if (found := instant(text_of(row, "End")))]
    if last := instant(text_of(fields.get("LastOccurrence"), "End")):
        return max([last, *ends])
    first = day(text_of(rule, "EndDateRecurrence", "StartDate")) or day(
        text_of(rule, "NumberedRecurrence", "StartDate")
    )
    last_day = day(text_of(rule, "EndDateRecurrence", "EndDate")) or _numbered(rule, first)
    if first is None or last_day is None or last_day < first:
        return None
    try:
        return max([_shifted(start, end, last_day - first, zone), *ends])
    except OverflowError:
        return None


def _shifted(start: datetime, end: datetime, distance: timedelta, zone: str | None) -> datetime:
    """Move the first occurrence by whole days of its own zone; with an unknown zone, an hour more for changed clocks."""
    try:
        here = zoneinfo.ZoneInfo(zone or "")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return end + distance + (_CLOCKS if zone != "UTC" and distance else timedelta())
    wall = start.astimezone(here).replace(tzinfo=None) + distance
    return wall.replace(tzinfo=here).astimezone(UTC) + (end - start)


def _numbered(rule: Element, first: date | None) -> date | None:
    """Return a day no earlier than the last of a counted series; Exchange itself gives LastOccurrence instead."""
    count = number(text_of(rule, "NumberedRecurrence", "NumberOfOccurrences"))
    pattern = next(
        (p for p in children(rule) if child(p, "Interval") is not None or local(p).endswith("YearlyRecurrence")), None
    )
    if first is None or count is None or count < 1 or pattern is None:
        return None
    name = local(pattern).removesuffix("Recurrence").lower()
    interval = number(text_of(pattern, "Interval")) or 1
    steps = count - 1
    if name == "weekly":
        days = len(set(text_of(pattern, "DaysOfWeek").split()))
        steps = count - 1 if days <= 1 else ceil(count / days)
    try:
        return first + timedelta(days=steps * interval * _PER_STEP.get(name, _DAYS_OF_YEAR))
    except OverflowError:
        return None
