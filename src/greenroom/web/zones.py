"""The organizer's time zone as a page can show it: calendars name zones as Windows does or as IANA does."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_WINDOWS = {
    "AUS Eastern": "Australia/Sydney",
    "Alaskan": "America/Anchorage",
    "Arab": "Asia/Riyadh",
    "Arabian": "Asia/Dubai",
    "Argentina": "America/Buenos_Aires",
    "Atlantic": "America/Halifax",
    "Cen. Australia": "Australia/Adelaide",
    "Central": "America/Chicago",
    "Central Europe": "Europe/Budapest",
    "Central European": "Europe/Warsaw",
    "China": "Asia/Shanghai",
    "E. Africa": "Africa/Nairobi",
    "E. Australia": "Australia/Brisbane",
    "E. Europe": "Europe/Chisinau",
    "E. South America": "America/Sao_Paulo",
    "Eastern": "America/New_York",
    "Egypt": "Africa/Cairo",
    "FLE": "Europe/Kyiv",
    "GMT": "Europe/London",
    "GTB": "Europe/Bucharest",
    "Greenwich": "Atlantic/Reykjavik",
    "Hawaiian": "Pacific/Honolulu",
    "India": "Asia/Kolkata",
    "Iran": "Asia/Tehran",
    "Israel": "Asia/Jerusalem",
    "Korea": "Asia/Seoul",
    "Mountain": "America/Denver",
    "New Zealand": "Pacific/Auckland",
    "Newfoundland": "America/St_Johns",
    "Pacific": "America/Los_Angeles",
    "Pacific SA": "America/Santiago",
    "Pakistan": "Asia/Karachi",
    "Romance": "Europe/Paris",
    "Russian": "Europe/Moscow",
    "SA Pacific": "America/Bogota",
    "SE Asia": "Asia/Bangkok",
    "Singapore": "Asia/Singapore",
    "South Africa": "Africa/Johannesburg",
    "Taipei": "Asia/Taipei",
    "Tokyo": "Asia/Tokyo",
    "Turkey": "Europe/Istanbul",
    "US Mountain": "America/Phoenix",
    "W. Australia": "Australia/Perth",
    "W. Central Africa": "Africa/Lagos",
    "W. Europe": "Europe/Berlin",
}


def find_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone of a name, or None for UTC itself and for a name that is not known here."""
    known = _WINDOWS.get((name or "").removesuffix(" Standard Time"), name or "")
    if not _IANA.fullmatch(known) or known.upper() in {"UTC", "GMT", "ETC/UTC"}:
        return None
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone database
        return None
