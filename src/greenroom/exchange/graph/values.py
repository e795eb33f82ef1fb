"""The small values of Graph: instants, zones, texts. Unreadable ones become None or empty, never an error."""

import html
import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo

from greenroom.meetings import zones
from greenroom.meetings.zones import Zone

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
_UTC_NAMES = frozenset({"", "utc", "etc/utc", "gmt", "etc/gmt", "z", "tzone://microsoft/utc"})
LONGEST_TEXT = 4000
LONGEST_BODY = 2 * 1024 * 1024
NEVER = datetime(1601, 1, 1, tzinfo=UTC)
"""Times no later than this stand for none: Graph writes 0001-01-01 where nothing happened, MAPI 1601-01-01."""


def instant(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Read an Edm.DateTimeOffset, or the local `dateTime` of a dateTimeTimeZone in `zone`, as aware UTC (to the microsecond)."""
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(g or 0) for g in match.groups()[:6])
    micro = int(((match[7] or "") + "000000")[:6])
    try:
        value = datetime(year, month, day, hour, minute, second, micro, tzinfo=_offset(match[8]) or zone)
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def zone_of(name: str) -> tzinfo | None:
    """Return the zone a dateTimeTimeZone names: we ask for UTC, but understand what Windows and IANA call zones too."""
    return UTC if name.strip().lower() in _UTC_NAMES else zones.find(Zone(name))


def floats(moment: datetime) -> bool:
    """Whether a moment of a whole day is a midnight without a zone, which Graph shows as UTC.

    No zone but UTC itself has its midnight then, so that a true instant is never taken for one.
    """
    return moment.timetz() == time(tzinfo=UTC)


def floating(moment: datetime, zone: tzinfo) -> datetime:
    """Return when a whole day begins in a zone; an instant stays as it is."""
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC) if floats(moment) else moment
    except OverflowError:
        return moment


def stamp(value: datetime) -> str:
    """Write an instant for a `$filter`, with microseconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def html_of_text(text: str) -> str:
    """Write plain text as HTML that looks the same."""
    escaped = html.escape(text, quote=False).replace("\t", "    ").replace("  ", "&nbsp; ")
    return "<br>\n".join(escaped.splitlines())
