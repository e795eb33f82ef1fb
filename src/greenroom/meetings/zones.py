"""Time zones by whatever name a calendar gives them: Windows, IANA, or a definition of their own.

```
Zone("W. Europe Standard Time")            a name that is known: its clocks are those of the installed zone data
Zone(CUSTOM, definition)                   a zone of its own (greenroom.meetings.zone_rules)
unknown_zone("Atlantis", start, day)       nobody knows it: a fixed offset that has the first day right, marked as a guess
```

Protocols make a zone with `zone_of`, which takes a definition only where the name tells nothing: newer zone data then moves
what is to come. `tzinfo_of` never fails: a zone nobody knows counts as UTC, or by its guess, and `is_known` says so.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenroom.meetings import zone_rules
from greenroom.meetings.windows_zones import PLACES, WINDOWS_ZONES
from greenroom.meetings.zone_clock import clock_of

CUSTOM = "tzone://Microsoft/Custom"
"""The name of every zone with a definition of its own: protocols call the same one differently."""

_HOUR = timedelta(hours=1)
_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE | re.ASCII)
_DISPLAYED = re.compile(r"\((?:UTC|GMT)([+-][\d:.]{1,8})?\) *(\S.*)", re.IGNORECASE | re.ASCII)
_PLACES = re.compile(r" *[,/:] *")
_SUMMER_AND_WINTER = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
_LONGEST_NAME = 200
_MOST_PARTS = 3
_UTC = {"UTC", "GMT", "Z", "GMT0", "GMT+0", "GMT-0", "GREENWICH", "UCT", "UNIVERSAL", "ZULU", "ETC/UTC", "ETC/GMT"}
_UTC |= {"TZONE://MICROSOFT/UTC", "COORDINATED UNIVERSAL TIME"}
_OF_THE_SYSTEM = {"posix", "right", "localtime", "posixrules", "factory"}
_FURTHEST = timedelta(hours=14)
_WEST, _EAST = -12, 14


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as a calendar names it; `definition` is canonical text, only for a zone whose name tells nothing.

    Where there is a definition it counts, not the name.
    """

    name: str
    definition: str = ""


@lru_cache(maxsize=256)
def find(zone: Zone) -> tzinfo | None:
    """Return the zone; None for one nobody knows, guesses included."""
    if not zone.definition:
        return _by_name(zone.name)
    try:
        return None if zone_rules.read(zone.definition).guessed else clock_of(zone.definition)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def tzinfo_of(zone: Zone) -> tzinfo:
    """Return the zone; for one nobody knows the guess, if there is one, and UTC otherwise."""
    found = find(zone)
    if found is None and zone.definition:
        try:
            return clock_of(zone.definition)
        except ValueError:
            return UTC
    return found or UTC


def is_known(zone: Zone) -> bool:
    """Whether the zone's clocks are known."""
    return find(zone) is not None


def slack_of(zone: Zone) -> timedelta:
    """Return by how much a time in this zone may be wrong: an hour where its clocks are not known, else nothing.

    An hour is what a change of clocks that nobody told us can do to an occurrence.
    """
    return timedelta() if is_known(zone) else _HOUR


def zone_of(name: str, definition: str, around: datetime) -> Zone:
    """Return the zone that a calendar names and, with `definition` not empty, defines; the same for every protocol.

    A name that is known counts alone, so that newer zone data moves what is to come. One exception: a definition that clearly
    means something else, more than an hour away all through the year of `around`, or at all away from a name that has no clock
    changes (UTC, Etc/GMT+5). Then, and where the name tells nothing, the definition counts. Where neither tells anything the zone
    is returned as it is named; see `unknown_zone`. Raises ValueError for a definition that is none.
    """
    named = Zone(name[:_LONGEST_NAME])
    if not definition:
        return named
    zone_rules.read(definition)
    known = find(named)
    if known is not None and not _contradict(known, clock_of(definition), around):
        return named
    return Zone(CUSTOM, definition)


def unknown_zone(name: str, start: datetime, first_day: date) -> Zone:
    """Return what stands in for a zone nobody knows: the whole hours from UTC, as few as can be, that have the first day right.

    `start` is the instant of a series' first occurrence, `first_day` the day its rule begins on. Where no offset has it right it
    is UTC. `slack_of` such a zone is an hour, `is_known` of it is false.
    """
    fitting = (
        hours
        for hours in sorted(range(_WEST, _EAST + 1), key=lambda hours: (abs(hours), hours))
        if _day_at(start, hours) == first_day
    )
    offset = next(fitting, 0) * 3600
    return Zone(name[:_LONGEST_NAME], zone_rules.write([zone_rules.Era(None, offset)], guessed=True))


def _day_at(start: datetime, hours: int) -> date | None:
    try:
        return start.astimezone(timezone(hours * _HOUR)).date()
    except OverflowError:
        return None


def _contradict(known: tzinfo, told: tzinfo, around: datetime) -> bool:
    year = min(max(around.year, 2), 9998)
    samples = [datetime(year, month, day, 12, tzinfo=UTC) for month in range(1, 13) for day in (1, 15)]
    apart = [abs(_offset(known, at) - _offset(told, at)) for at in samples]
    if all(_offset(known, one) == _offset(known, other) for one, other in pairwise(samples)) and _is_abstract(known):
        return any(apart)
    return min(apart) > _HOUR


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _is_abstract(zone: tzinfo) -> bool:
    """Whether a zone is an offset and no place: no law changes it."""
    return not isinstance(zone, ZoneInfo) or (zone.key or "").startswith("Etc/")


# --- names --------------------------------------------------------------------------------------------------------


def _by_name(name: str) -> tzinfo | None:
    name = name.strip()
    if len(name) > _LONGEST_NAME:
        return None
    if name.upper() in _UTC:
        return UTC
    windows = WINDOWS_ZONES.get(name.lower())
    if windows is not None:
        return _load(windows)
    return _by_path(name) if name.startswith("/") else _load(name) or _by_offset(name) or _by_places(name)


def _load(name: str) -> tzinfo | None:
    if not _IANA.fullmatch(name) or name.split("/", maxsplit=1)[0].lower() in _OF_THE_SYSTEM:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone database
        return None


def _by_path(name: str) -> tzinfo | None:
    """Find the zone at the end of a globally unique name, such as /freeassociation.sourceforge.net/Europe/Berlin."""
    parts = name.split("/")[1:]
    for count in range(_MOST_PARTS, 0, -1):
        if len(parts) > count and (found := _load("/".join(parts[-count:]))):
            return found
    return None


def _by_offset(name: str) -> tzinfo | None:
    """Find what says how far it is from UTC, east being plus; POSIX has it the other way round, under other names."""
    said = _OFFSET.fullmatch(name)
    if not said:
        return None
    length = timedelta(hours=int(said[2]), minutes=int(said[3] or 0))
    if length > _FURTHEST:
        return None
    return timezone(-length if said[1] == "-" else length) if length else UTC


def _by_places(name: str) -> tzinfo | None:
    """Find what Windows shows, such as (UTC+01:00) Amsterdam, Berlin: all places that are known have to agree."""
    shown = _DISPLAYED.fullmatch(name)
    if not shown:
        return None
    found = {PLACES[place] for place in _PLACES.split(shown[2].lower()) if place in PLACES}
    zone = _load(WINDOWS_ZONES[found.pop()]) if len(found) == 1 else None
    told = _by_offset((shown[1] or "+0").replace(".", ":"))
    if shown[2].lower().startswith("coordinated universal time"):
        return told
    if zone is None or told is None:
        return None
    return zone if min(abs(_offset(zone, at) - _offset(told, at)) for at in _SUMMER_AND_WINTER) <= _HOUR else None
