"""Writes the VTIMEZONE of a zone (RFC 5545 3.6.5)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from greenroom.meetings.zone_changes import Change, changes, names_all, offset, rule_of
from greenroom.meetings.zone_rules import Yearly
from greenroom.meetings.zones import Zone, tzinfo_of

_DAY = 86400
_WEEK = 7
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LONGEST_LINE = 75
_FIRST_YEAR, _LAST_YEAR = 1601, 9998
_SEEN_AHEAD = 12


def write(zone: Zone, around: datetime, tzid: str = "") -> str:
    """Return the VTIMEZONE of a zone, with lines that end in CRLF, as its clocks are changed from the year before `around` on.

    What is no yearly rule is written as dates, twelve years ahead. `tzid` is how the calendar names it, by default as the zone is
    named; what a line cannot hold is left out of it. A zone nobody knows is written as what it counts by.
    """
    clock = tzinfo_of(zone)
    year = min(max(around.year, _FIRST_YEAR), _LAST_YEAR - _SEEN_AHEAD - 1)
    found = list(changes(clock, range(year - 1, year + _SEEN_AHEAD)))
    kinds = sorted({(one.before, one.after) for one in found})
    parts = [line for kind in kinds for line in _kind(kind, year, found)]
    if not found:
        parts = _said(Change(datetime(1970, 1, 1, tzinfo=UTC), *[offset(clock, around)] * 2), "", naive=True)
    name = re.sub(r"[\x00-\x1f\x7f]", "", tzid or zone.name)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}", *parts, "END:VTIMEZONE", ""]
    return "\r\n".join(folded for line in lines for folded in _folded(line))


def _kind(kind: tuple[int, int], year: int, found: Sequence[Change]) -> Iterator[str]:
    """Yield what tells the changes from one offset to another."""
    own = [one for one in found if (one.before, one.after) == kind]
    at = next((at for at, one in enumerate(own) if one.wall.year >= year), len(own) - 1)
    rule = rule_of(own[at], own[at + 1 :])
    if rule.time < _DAY and names_all(rule, range(year, year + _SEEN_AHEAD), own):
        at -= at > 0 and names_all(rule, [own[at - 1].wall.year], own)
        yield from (line for one in own[:at] for line in _said(one, ""))
        yield from _said(own[at], f"RRULE:FREQ=YEARLY;{_rrule(rule)}")
    else:
        dates = ",".join(f"{one.wall:%Y%m%dT%H%M%S}" for one in own[1:])
        yield from _said(own[0], dates and f"RDATE:{dates}")


def _said(change: Change, more: str, *, naive: bool = False) -> list[str]:
    kind = "DAYLIGHT" if change.after > change.before else "STANDARD"
    start = change.instant if naive else change.wall
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{start:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_said_offset(change.before)}",
        f"TZOFFSETTO:{_said_offset(change.after)}",
        *([more] if more else []),
        f"END:{kind}",
    ]


def _rrule(rule: Yearly) -> str:
    said = f"BYMONTH={rule.month};"
    if rule.weekday < 0:
        return f"{said}BYMONTHDAY={rule.day}"
    weekday = _WEEKDAYS[rule.weekday]
    if rule.day < 0:
        return f"{said}BYDAY=-1{weekday}"
    if rule.day % _WEEK == 1:
        return f"{said}BYDAY={1 + rule.day // _WEEK}{weekday}"
    return f"{said}BYMONTHDAY={','.join(str(rule.day + more) for more in range(_WEEK))};BYDAY={weekday}"


def _said_offset(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{minutes:02}" + (f"{seconds_left:02}" if seconds_left else "")


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets (RFC 5545 3.1)."""
    raw = line.encode()
    first = True
    while len(raw) > _LONGEST_LINE - 1:
        at = _LONGEST_LINE - 1
        while raw[at] & 0xC0 == 0x80:  # noqa: PLR2004 (in the middle of a UTF-8 character)
            at -= 1
        yield ("" if first else " ") + raw[:at].decode()
        raw, first = raw[at:], False
    yield ("" if first else " ") + raw.decode()
