"""Series as Graph describes them: a canonical text that changes when the rule does, and where the last occurrence is looked for.

Source: Graph v1.0, recurrencePattern, recurrenceRange, event (cancelledOccurrences, exceptionOccurrences), "List instances".
The text is the one that `greenroom.exchange.ews.recurrence` writes about the same series, so that a mailbox may move from one
protocol to the other unnoticed: of occurrences taken out it tells how many. The rule is never expanded here.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil

from greenroom.exchange.graph.call import Call
from greenroom.exchange.graph.events import Event, Instance, Pattern, Range, Recurrence
from greenroom.exchange.graph.shapes import event_path
from greenroom.exchange.graph.values import stamp

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {frozenset(_WEEK): "day", frozenset(_WEEK[:5]): "weekday", frozenset(_WEEK[5:]): "weekendday"}
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_LONGEST_VALUE = 100
_EXCEPTIONS_SPELLED_OUT = 200
_CLOCKS = timedelta(hours=1)
_PER_STEP = {"daily": 1, "weekly": 7, "absolutemonthly": 31, "relativemonthly": 31}
_DAYS_OF_YEAR = 366
_ZONES = timedelta(days=2)
_SPARE_DAYS = 7
_WIDER = 4
_MOST_WINDOWS = 5
_INSTANCES = 100


def series_text(event: Event) -> str:
    """Describe the rule of a master and what differs from it."""
    rule = event.recurrence or Recurrence()
    parts = sorted(part for part in (_pattern(rule.pattern), _range(rule.range)) if part)
    parts.append(f"zone={event.original_start_time_zone[:_LONGEST_VALUE]}")
    parts.extend(_rows("modified", (_modified(one) for one in event.exception_occurrences if not one.is_cancelled)))
    if taken_out := set(event.cancelled_occurrences):
        parts.append(f"deleted={len(taken_out)}")
    return "; ".join(parts)


def _pattern(pattern: Pattern | None) -> str:
    if pattern is None or not pattern.type:
        return ""
    kind = pattern.type.lower()
    said: dict[str, str] = {}
    if not kind.endswith("yearly"):
        said["interval"] = str(pattern.interval or 1)
    elif (pattern.interval or 1) != 1:
        said["interval"] = str(pattern.interval)
    if kind.startswith("absolute"):
        said["dayofmonth"] = str(pattern.day_of_month or "")
    if kind == "weekly" or kind.startswith("relative"):
        said["daysofweek"] = _days(pattern.days_of_week, grouped=kind != "weekly")
    if kind == "weekly":
        said["firstdayofweek"] = pattern.first_day_of_week.lower()
    if kind.startswith("relative"):
        said["dayofweekindex"] = pattern.index.lower()
    if kind.endswith("yearly"):
        said["month"] = _MONTHS[month - 1] if (month := pattern.month or 0) in range(1, 13) else ""
    return " ".join([kind, *sorted(f"{name}={value}" for name, value in said.items())])


def _days(days: Iterable[str], *, grouped: bool) -> str:
    found = {day.lower() for day in days}
    if grouped and (group := _GROUPS.get(frozenset(found))):
        return group
    return ",".join(sorted(found, key=lambda day: (_WEEK.index(day) if day in _WEEK else len(_WEEK), day)))


def _range(limits: Range | None) -> str:
    if limits is None or not limits.type:
        return ""
    said = {"startdate": limits.start_date.isoformat() if limits.start_date else ""}
    if limits.type == "endDate" and limits.end_date:
        said["enddate"] = limits.end_date.isoformat()
    if limits.type == "numbered":
        said["numberofoccurrences"] = str(limits.number_of_occurrences or "")
    return " ".join([limits.type.lower(), *sorted(f"{name}={value}" for name, value in said.items())])


def _modified(one: Instance) -> str:
    moments = (one.original_start, one.start.utc if one.start else None, one.end.utc if one.end else None)
    return "/".join(moment.isoformat() if moment else "" for moment in moments)


def _rows(label: str, given: Iterable[str]) -> list[str]:
    rows = sorted(set(given))
    if not rows:
        return []
    if len(rows) > _EXCEPTIONS_SPELLED_OUT:
        rows = [f"{len(rows)}#{hashlib.sha256(','.join(rows).encode()).hexdigest()[:32]}"]
    return [f"{label}={','.join(rows)}"]


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the last occurrence of a series that ends is to be looked for.

    `step` days hold at least one occurrence of the rule; `bound` is no earlier than its last one's day.
    """

    first: date
    bound: date
    step: int
    length: timedelta

    def windows(self) -> Iterator[tuple[datetime, datetime]]:
        """Yield windows of time that end behind the bound, each wider than the one before, the last ones from the first day."""
        end = _midnight(self.bound) + _ZONES + self.length
        back = timedelta(days=self.step + _SPARE_DAYS)
        for _ in range(_MOST_WINDOWS - 1):
            start = end - back - _ZONES
            if start <= _midnight(self.first) - _ZONES:
                break
            yield start, end
            back *= _WIDER
        yield _midnight(self.first) - _ZONES, end

    def guess(self, end: datetime) -> datetime:
        """Return an end no earlier than that of the last occurrence, from the end of the first; clocks may have changed."""
        distance = self.bound - self.first
        return end + distance + (_CLOCKS if distance else timedelta())


def tail_of(event: Event) -> Tail | None:
    """Say where a series ends; None for one without end, or whose end cannot be told."""
    rule, start, end = event.recurrence, event.starts, event.ends
    if rule is None or rule.pattern is None or rule.range is None or start is None or end is None:
        return None
    limits, pattern = rule.range, rule.pattern
    first = limits.start_date
    if first is None:
        return None
    step = _step(pattern)
    try:
        bound = limits.end_date if limits.type == "endDate" else _numbered(limits, pattern, first)
        if bound is None or bound < first:
            return None
        tail = Tail(first, bound, step, max(end - start, timedelta()))
        list(tail.windows())
        tail.guess(end)
    except OverflowError:
        return None  # dates no calendar holds
    return tail


def _step(pattern: Pattern) -> int:
    return max(1, pattern.interval or 1) * _PER_STEP.get(pattern.type.lower(), _DAYS_OF_YEAR)


def _numbered(limits: Range, pattern: Pattern, first: date) -> date | None:
    """Return a day no earlier than the last of a counted series."""
    count = limits.number_of_occurrences
    if limits.type != "numbered" or count is None or count < 1:
        return None
    steps = count - 1
    if pattern.type.lower() == "weekly":
        days = len(set(pattern.days_of_week))
        steps = count - 1 if days <= 1 else ceil(count / days)
    return first + timedelta(days=steps * _step(pattern))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def instances(mailbox: str, ident: str, start: datetime, end: datetime, *, select: str = "") -> Call:
    """List the occurrences of a series in a window of time."""
    query = {
        "startDateTime": stamp(start),
        "endDateTime": stamp(end),
        "$top": str(_INSTANCES),
        "$select": select or "id,type,start,end,isCancelled",
    }
    return Call("ListInstances", "GET", event_path(mailbox, ident, "instances"), mailbox, query)


def last_end(found: Iterable[Instance]) -> datetime | None:
    """Return the end of the last occurrence among these; None where there is none."""
    ends = (one.end.utc for one in found if one.end is not None and not one.is_cancelled)
    return max((end for end in ends if end is not None), default=None)
