"""A time zone as Outlook keeps it with an appointment: the binary TZDEFINITION (MS-OXOCAL 2.2.1.41, 2.2.1.42, 2.2.1.43).

Layout, little-endian: version 2.1, size of what follows up to the rules, flag "has a name", the name in UTF-16, the number of
rules; then each rule in 66 bytes: version 2.1, 0x3E, flags, the year it begins, 14 zero bytes, the bias in minutes (UTC is
local time plus bias), what standard and daylight time add to it, and when each begins as SYSTEMTIME.
"""

import struct
from datetime import UTC, datetime, timedelta, tzinfo

from greenroom.simulator.zone_years import Era, Switch, eras

_VERSION = b"\x02\x01"
_HAS_NAME = 0x0002
_RULE_SIZE = 0x3E
_EFFECTIVE, _RECURRING = 0x0002, 0x0001
_FIRST_YEAR = 1601
_LONGEST_NAME = 260
_NEVER = bytes(16)
_LAST = 5
_MINUTE = timedelta(minutes=1)


def write_zone(name: str, zone: tzinfo, year: int, *, recurring: bool) -> bytes:
    """The structure for a zone as it is from a year on; the rule of that year is marked as the one that counts.

    `recurring` is for PidLidAppointmentTimeZoneDefinitionRecur, else it is one of the two display properties.
    """
    key = name[:_LONGEST_NAME].encode("utf-16-le", errors="replace")
    found = eras(zone, year)
    rules = []
    for number, era in enumerate(found):
        flags = (_EFFECTIVE | (_RECURRING if recurring else 0)) if number == 0 else 0
        rules.append(_rule(era, flags, _FIRST_YEAR if number == 0 else era.year))
    header = struct.pack("<HH", _HAS_NAME, len(key) // 2) + key + struct.pack("<H", len(rules))
    return _VERSION + struct.pack("<H", len(header)) + header + b"".join(rules)


def _rule(era: Era, flags: int, year: int) -> bytes:
    switches = era.switches or _approximate(era)
    offsets = sorted({era.january, *(one.offset for one in switches)})
    low, high = offsets[0], offsets[-1]
    standard = next((one for one in switches if one.offset == low), None)
    daylight = next((one for one in switches if one.offset == high), None) if high != low else None
    both = standard is not None and daylight is not None
    return (
        _VERSION
        + struct.pack("<HHH", _RULE_SIZE, flags, year)
        + bytes(14)
        + struct.pack("<iii", -(low // _MINUTE), 0, -((high - low) // _MINUTE))
        + (_system_time(standard) if both and standard else _NEVER)
        + (_system_time(daylight) if both and daylight else _NEVER)
    )


def _approximate(era: Era) -> tuple[Switch, ...]:
    """A year with one change begins on New Year's Day with the other, as Windows has it; of many, the first and the last."""
    if not era.changes:
        return ()
    chosen = era.changes[:1] if len(era.changes) == 1 else (era.changes[0], era.changes[-1])
    befores = (era.january, era.changes[-2].offset if len(era.changes) > 1 else era.january)
    found = []
    for change, before in zip(chosen, befores, strict=False):
        local = change.at + before
        time = timedelta(hours=local.hour, minutes=local.minute)
        nth = (local.day - 1) // 7 + 1
        found.append(Switch(local.month, time, change.offset, local.weekday(), -1 if nth == _LAST else nth))
    if len(found) == 1:
        new_year = datetime(era.year, 1, 1, tzinfo=UTC)
        found.append(Switch(1, timedelta(0), era.january, new_year.weekday(), 1))
    return tuple(found)


def _system_time(switch: Switch) -> bytes:
    """SYSTEMTIME: year (0: every year), month, day of week (0 is Sunday), which one in the month (5: the last), time."""
    hours, minutes = divmod(switch.time // _MINUTE, 60)
    if switch.weekday is None:
        nth, weekday = min((switch.day - 1) // 7 + 1, 4), 0  # a date cannot be said
    else:
        nth, weekday = (_LAST if switch.nth < 0 else switch.nth), (switch.weekday + 1) % 7
    return struct.pack("<8H", 0, switch.month, weekday, nth, hours, minutes, 0, 0)
