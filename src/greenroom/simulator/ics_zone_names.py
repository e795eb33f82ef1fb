"""Time zones by names that were made for people, for files that name a zone so and do not define it.

"Pacific Time (US & Canada), Tijuana", "(GMT) Casablanca", "Amsterdam, Belgrade, Berlin", "/Europe/Stockholm", "US-Eastern":
what such a name says is looked for in the names of the tz database; where it also gives an offset, the zone found must have it.
"""

import functools
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from greenroom.simulator import zones

_MAX_NAME = 200
_MAX_PARTS = 12
_OFFSET = re.compile(r"\(?\s*(?:UTC|GMT)\s*(?:([+-])\s*(\d{1,2}):?(\d{2})?)?\s*\)\s*", re.IGNORECASE)
_TIME = re.compile(
    r"(eastern|central|mountain|pacific)(?: standard| daylight)? time(?: ?\(?(?:us|usa)\b.*)?", re.IGNORECASE
)
_AREAS = ("Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic", "Indian")
_DASHED = re.compile(r"(US|Canada|" + "|".join(_AREAS) + r")-(?=[A-Za-z])")


def guessed_zone(name: str) -> tzinfo | None:
    """The zone that such a name means, None where it says nothing that is known."""
    return None if len(name) > _MAX_NAME else _guessed(name)


def _guessed(name: str) -> tzinfo | None:
    text = name.strip().strip("\"'").removeprefix("TZID=").strip("/ ")
    plain = zones.find(text) or zones.find(_DASHED.sub(r"\1/", text)) or zones.find(f"{text} Standard Time")
    if plain is not None:
        return plain
    match = _OFFSET.match(text)
    offset = _offset_of(match) if match is not None else None
    rest = text[match.end() :] if match is not None else text
    for part in (rest, *re.split(r"[,;/]", rest, maxsplit=_MAX_PARTS)):
        zone = _by_words(part.strip())
        if zone is not None and (offset is None or offset in _offsets(zone)):
            return zone
    return timezone(offset) if offset is not None else None


def _offset_of(match: re.Match[str]) -> timedelta | None:
    size = timedelta(hours=int(match[2] or 0), minutes=int(match[3] or 0))
    if size >= timedelta(hours=15):
        return None
    return -size if match[1] == "-" else size


def _by_words(text: str) -> tzinfo | None:
    by_time = _TIME.fullmatch(text)
    if by_time is not None:
        return zones.find(by_time[1])
    place = _places().get(text.lower().replace(" ", "_"))
    return None if place is None else ZoneInfo(place)


@functools.cache
def _places() -> dict[str, str]:
    """Names of the tz database by their last part, where that names one place only."""
    found: dict[str, str] = {}
    for name in sorted(available_timezones()):
        area, _, place = name.partition("/")
        if area in _AREAS and place:
            found.setdefault(place.rpartition("/")[2].lower(), name)
    return found


def _offsets(zone: tzinfo) -> set[timedelta | None]:
    """What the zone is off UTC in winter and summer, now and when many such names were written."""
    moments = (datetime(year, month, 1, tzinfo=UTC) for year in (2005, 2024) for month in (1, 7))
    return {moment.astimezone(zone).utcoffset() for moment in moments}
