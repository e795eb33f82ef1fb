"""Time zones by whatever name a calendar program gives them, and zones that only their VTIMEZONE describes.

Names are tried as: IANA, Windows, an IANA name at the end of a path ("/mozilla.org/20050126_1/Europe/Berlin"), a fixed offset
("UTC+2", "GMT-0500"), a few names of old programs. What is left needs rules.

Zones are asked of zoneinfo every time, which keeps them itself: after `zoneinfo.reset_tzpath` and `ZoneInfo.clear_cache` other data
count at once, here and everywhere in the simulator.
"""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenroom.simulator.windows_zones import to_iana

_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_OLD_NAMES = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "est": "America/New_York",
    "edt": "America/New_York",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "mst": "America/Denver",
    "mdt": "America/Denver",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "cet": "Europe/Berlin",
    "cest": "Europe/Berlin",
    "bst": "Europe/London",
    "z": "Etc/UTC",
    "tzone://microsoft/utc": "Etc/UTC",
}
_MAX_NAME = 200
_MAX_HOURS = 15
_USED: dict[str, ZoneInfo] = {}  # zoneinfo forgets zones that nobody holds; there are only as many as the database has


def find(name: str | None) -> tzinfo | None:
    """The zone a name stands for; UTC for None; None for a name nobody knows."""
    if name is None:
        return UTC
    if len(name) > _MAX_NAME:
        return None
    known = find_exact(name)
    if known is not None:
        return known
    text = name.strip().strip("\"'")
    return _iana(_OLD_NAMES.get(text.lower(), "")) or _iana(text) or _fixed(text)


def find_exact(name: str) -> tzinfo | None:
    """Only names that can mean one thing: "Area/City" (also at the end of a path), Windows names, UTC."""
    text = name.strip().strip("\"'")
    if not text or len(text) > _MAX_NAME:
        return None
    if text.upper() in {"UTC", "ETC/UTC", "GMT", "UNIVERSAL", "ZULU"}:
        return UTC
    windows = to_iana(text)
    if windows is not None:
        return _iana(windows)
    return (_iana(text) if "/" in text else None) or _at_the_end_of(text)


def _iana(name: str) -> tzinfo | None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}", name):
        return None
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    _USED[name] = zone
    return zone


def _at_the_end_of(name: str) -> tzinfo | None:
    parts = [part for part in name.split("/") if part]
    for count in (3, 2):
        if len(parts) > count:
            known = _iana("/".join(parts[-count:]))
            if known is not None:
                return known
    return None


def _fixed(name: str) -> tzinfo | None:
    match = _OFFSET.fullmatch(name)
    if match is None:
        return None
    sign, hours, minutes = match[1], int(match[2]), int(match[3] or 0)
    if hours >= _MAX_HOURS:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)
