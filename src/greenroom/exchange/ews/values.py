"""The small values of EWS: instants, days, booleans, numbers. Unreadable ones become None, never an error."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,10}", re.ASCII)


def instant(text: str) -> datetime | None:
    """Read an xs:dateTime with 0 to 9 fractional digits as aware UTC; without a zone it is UTC (EWS without TimeZoneContext)."""
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day_, hour, minute, second = (int(g) for g in match.groups()[:6])
    micro = int(((match[7] or "") + "000000")[:6])
    try:
        value = datetime(year, month, day_, hour, minute, second, micro, tzinfo=_zone(match[8]))
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def day(text: str) -> date | None:
    """Read the date of an xs:date that may carry a zone or, on some servers, a time part."""
    match = _DAY.match(text.strip())
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def truth(text: str) -> bool | None:
    """Read an xs:boolean."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())


def number(text: str) -> int | None:
    """Read an integer of at most ten digits."""
    return int(text) if _NUMBER.fullmatch(text := text.strip()) else None
