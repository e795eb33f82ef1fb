"""A VTIMEZONE for a zone, as two yearly rules that hold from the meeting's year on (RFC 5545 3.6.5)."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from greenroom.simulator.ics_zones import WEEKDAYS

_YEARS = 3  # years in which the rule must hold to be written as one
_LAST_WEEK = 7


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of the offset: local time by the old offset, both offsets, whether summer time begins."""

    local: datetime
    before: timedelta
    after: timedelta
    is_daylight: bool


@functools.lru_cache(maxsize=256)
def write_zone(name: str, zone: tzinfo, year: int) -> tuple[str, ...]:
    """The lines of the component, unfolded. Zones without changes get one STANDARD part."""
    changes = [change for number in range(year - 1, year + _YEARS) for change in _changes(zone, number)]
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    if not changes:
        offset = _offset_of(zone, datetime(year, 1, 1, tzinfo=UTC))
        lines += _part("STANDARD", datetime(1601, 1, 1, tzinfo=UTC), offset, offset, None)
    elif _yearly(changes):
        by_kind = {change.is_daylight: change for change in reversed(changes)}
        for daylight in sorted(by_kind):
            one = by_kind[daylight]
            kind = "DAYLIGHT" if daylight else "STANDARD"
            lines += _part(kind, one.local, one.before, one.after, _rule(one.local, changes, is_daylight=daylight))
    else:
        for one in changes:
            lines += _part("DAYLIGHT" if one.is_daylight else "STANDARD", one.local, one.before, one.after, None)
    return (*lines, "END:VTIMEZONE")


def _offset_of(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _changes(zone: tzinfo, year: int) -> list[_Change]:
    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        following = day + timedelta(days=1)
        before, after = _offset_of(zone, day), _offset_of(zone, following)
        if before != after:
            low, high = day, following
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                if _offset_of(zone, middle) == before:
                    low = middle
                else:
                    high = middle
            exact = (low + timedelta(seconds=59)).replace(second=0, microsecond=0)
            found.append(_Change((exact + before), before, after, after > before))
        day = following
    return found


def _yearly(changes: list[_Change]) -> bool:
    """Whether each kind of change comes once in every year looked at, on the same kind of day."""
    for daylight in (False, True):
        kind = [change for change in changes if change.is_daylight is daylight]
        years = {change.local.year for change in kind}
        same = {(one.local.month, one.local.weekday(), one.local.time(), one.before, one.after) for one in kind}
        if len(kind) != _YEARS + 1 or len(years) != _YEARS + 1 or len(same) != 1:
            return False
        if not _is_last(kind) and len({_nth(one.local) for one in kind}) != 1:
            return False
    return True


def _nth(local: datetime) -> int:
    return (local.day - 1) // _LAST_WEEK + 1


def _is_last(kind: list[_Change]) -> bool:
    return all((one.local + timedelta(days=_LAST_WEEK)).month != one.local.month for one in kind)


def _rule(local: datetime, changes: list[_Change], *, is_daylight: bool) -> str:
    kind = [change for change in changes if change.is_daylight is is_daylight]
    nth = -1 if _is_last(kind) else _nth(local)
    return f"FREQ=YEARLY;INTERVAL=1;BYDAY={nth}{WEEKDAYS[local.weekday()]};BYMONTH={local.month}"


def _part(kind: str, first: datetime, before: timedelta, after: timedelta, rule: str | None) -> list[str]:
    lines = [
        f"BEGIN:{kind}",
        f"DTSTART:{first:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_offset(before)}",
        f"TZOFFSETTO:{_offset(after)}",
    ]
    if rule is not None:
        lines.append(f"RRULE:{rule}")
    return [*lines, f"END:{kind}"]


def _offset(size: timedelta) -> str:
    minutes = int(abs(size).total_seconds()) // 60
    return f"{'-' if size < timedelta(0) else '+'}{minutes // 60:02}{minutes % 60:02}"
