"""TZDEFINITION: the zone of a recurring meeting as Outlook keeps it in the meeting (PidLidAppointmentTimeZoneDefinitionRecur).

```
0  major version 2, minor version 1    uint8 each
2  cbHeader     uint16   size of what follows, up to the rules
4  wFlags       uint16   bit 1: a GUID of 16 bytes follows; bit 2: the key name follows
6  cchKeyName   uint16, KeyName in UTF-16LE
   cRules       uint16, then as many TZRULEs:
       major, minor, size of what follows up to the biases (uint16), flags (uint16), wYear (uint16), 14 bytes,
       lBias, lStandardBias, lDaylightBias (int32, minutes to add to local time), stStandardDate, stDaylightDate (SYSTEMTIME)
```

Sources: MS-OXOCAL 2.2.1.41 and 2.2.1.41.1; "About persisting TZDEFINITION to a stream" (Outlook MAPI reference), which lets later
minor versions have longer headers and rules. A rule holds from the start of its year to the start of the next one's, the first
one also before; which of them is marked as effective tells Outlook what to compare with, not what to count by.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from greenroom.meetings.zone_changes import Change, changes, offset, rule_of
from greenroom.meetings.zone_rules import MAX_ERAS, Onset, Yearly, define

MAX_SIZE = 64 * 1024
MAX_RULES = MAX_ERAS
MAX_KEY_NAME = 260
_MAJOR = 2
_MINOR = 1
_HEADER = struct.Struct("<BBH")
_RULE = struct.Struct("<BBHHH14x")
_BIASES = struct.Struct("<iii")
_SYSTEMTIME = struct.Struct("<8H")
_RULE_SIZE = 0x3E
_GUID = 1
_KEY_NAME = 2
_EFFECTIVE = 2
_CURRENT = 1
_LATEST_YEAR = 9000


def read(blob: bytes) -> tuple[str, str]:
    """Return the key name and the canonical definition (`greenroom.meetings.zone_rules`). Raises ValueError for anything else."""
    if len(blob) > MAX_SIZE:
        raise ValueError("a time zone is not that long")
    try:
        return _read(blob)
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError("this is not a TZDEFINITION") from error


def _read(blob: bytes) -> tuple[str, str]:
    major, _, header = _HEADER.unpack_from(blob)
    if major != _MAJOR:
        raise ValueError("this is a TZDEFINITION of another version")
    (flags,) = struct.unpack_from("<H", blob, _HEADER.size)
    at = _HEADER.size + 2 + (16 if flags & _GUID else 0)
    name = ""
    if flags & _KEY_NAME or not flags & _GUID:
        (length,) = struct.unpack_from("<H", blob, at)
        if length > MAX_KEY_NAME:
            raise ValueError("the name of a time zone is not that long")
        name = blob[at + 2 : at + 2 + 2 * length].decode("utf-16-le").rstrip("\0")
        at += 2 + 2 * length
    (count,) = struct.unpack_from("<H", blob, at)
    if not 1 <= count <= MAX_RULES:
        raise ValueError("a TZDEFINITION has at least one rule, and not that many")
    at = max(at + 2, _HEADER.size + header)
    periods: dict[str, timedelta] = {}
    groups: dict[str, Sequence[Onset]] = {}
    eras: list[tuple[datetime | None, str]] = []
    for number in range(count):
        rule_major, _, size, _, year = _RULE.unpack_from(blob, at)
        if rule_major != _MAJOR or not (number == 0 or 1 <= year <= _LATEST_YEAR):
            raise ValueError("this is no rule of a TZDEFINITION")
        groups[str(number)] = _onsets(blob, at + _RULE.size, str(number), periods)
        eras.append((None if number == 0 else datetime(year, 1, 1), str(number)))  # noqa: DTZ001 (local)
        at += _HEADER.size + max(size, _RULE_SIZE)
    return name, define(periods, groups, eras)


def _onsets(blob: bytes, at: int, number: str, periods: dict[str, timedelta]) -> list[Onset]:
    bias, standard, daylight = _BIASES.unpack_from(blob, at)
    periods[f"{number}s"] = timedelta(minutes=bias + standard)
    periods[f"{number}d"] = timedelta(minutes=bias + daylight)
    to_standard = _onset(blob, at + _BIASES.size, f"{number}s")
    to_daylight = _onset(blob, at + _BIASES.size + _SYSTEMTIME.size, f"{number}d")
    return [to_standard, to_daylight] if to_standard and to_daylight else [Onset(f"{number}s")]


def _onset(blob: bytes, at: int, period: str) -> Onset | None:
    """Read a SYSTEMTIME (MS-OXOCAL 2.2.1.39); None where its month says that clocks are never changed."""
    year, month, weekday, day, hour, minute, second, _ = _SYSTEMTIME.unpack_from(blob, at)
    if month == 0:
        return None
    length = timedelta(hours=hour, minutes=minute, seconds=second)
    if year:
        return Onset(period, month, day=day, at=length)
    return Onset(period, month, weekday=(weekday - 1) % 7 if weekday < 7 else 7, nth=day, at=length)  # noqa: PLR2004 (Sunday is 0)


def write(name: str, zone: tzinfo, years: Sequence[int]) -> bytes:
    """Return the TZDEFINITION of a zone, with its rules of these consecutive years; the last one's holds from then on.

    A year in which clocks are changed more than twice, or once, is said as well as the format can: by its first two changes, or as
    a year without. Raises ValueError for a name that does not fit.
    """
    encoded = name.encode("utf-16-le")
    if len(encoded) > 2 * MAX_KEY_NAME or not years:
        raise ValueError("the name of a time zone is not that long")
    found = list(changes(zone, range(years[0], years[-1] + 8)))
    rules: list[tuple[int, bytes]] = []
    for year in years:
        rule = _rule(zone, year, found)
        if not rules or rules[-1][1] != rule:
            rules.append((year, rule))
    header = struct.pack("<HH", _KEY_NAME, len(encoded) // 2) + encoded + struct.pack("<H", len(rules))
    marks = [0] * (len(rules) - 1) + [_CURRENT | _EFFECTIVE]
    said = (
        _RULE.pack(_MAJOR, _MINOR, _RULE_SIZE, mark, year) + rule
        for mark, (year, rule) in zip(marks, rules, strict=True)
    )
    return _HEADER.pack(_MAJOR, _MINOR, len(header)) + header + b"".join(said)


def _rule(zone: tzinfo, year: int, found: Sequence[Change]) -> bytes:
    own = [one for one in found if one.wall.year == year][:2]
    if len(own) < 2 or own[0].before != own[1].after:  # noqa: PLR2004 (there and back)
        offset_then = offset(zone, datetime(year, 12, 31, tzinfo=UTC))
        return _BIASES.pack(-offset_then // 60, 0, 0) + bytes(2 * _SYSTEMTIME.size)
    own.sort(key=lambda one: one.after)
    standard, daylight = (one.after for one in own)
    dates = (_date(rule_of(one, [late for late in found if late.instant > one.instant]), one) for one in own)
    return _BIASES.pack(-standard // 60, 0, -(daylight - standard) // 60) + b"".join(dates)


def _date(rule: Yearly, change: Change) -> bytes:
    wall = change.wall
    day = 5 if rule.day == -1 else 1 + (rule.day - 1) // 7 if rule.day % 7 == 1 else 0
    if rule.weekday < 0 or not day or rule.time >= 86400:  # noqa: PLR2004 (midnight at the end of a day)
        return _SYSTEMTIME.pack(wall.year, wall.month, 0, wall.day, wall.hour, wall.minute, wall.second, 0)
    return _SYSTEMTIME.pack(0, rule.month, (rule.weekday + 1) % 7, day, wall.hour, wall.minute, wall.second, 0)
