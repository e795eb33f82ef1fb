"""Time zones by whatever name a calendar gives them: Windows, IANA, or a definition of their own.

A `Zone` is a name and, only where a name alone tells nothing, its canonical definition. `tzinfo_of` never fails: a zone nobody
knows counts as UTC, and `is_known` says so.
"""

import re
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenroom.meetings.windows_zones import WINDOWS_ZONES

_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as a calendar names it; `definition` is canonical text, only for a zone whose name tells nothing."""

    name: str
    definition: str = ""


@lru_cache(maxsize=1024)
def find(zone: Zone) -> tzinfo | None:
    """Return the zone; None for one nobody knows."""
    name = zone.name.strip()
    if name.upper() in {"UTC", "GMT", "ETC/UTC", "TZONE://MICROSOFT/UTC"}:
        return UTC
    name = WINDOWS_ZONES.get(name.lower(), name)
    if len(name) > _LONGEST_NAME or not _IANA.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone database
        return None


def is_known(zone: Zone) -> bool:
    """Whether the zone's clocks are known."""
    return find(zone) is not None


def tzinfo_of(zone: Zone) -> tzinfo:
    """Return the zone, UTC for one nobody knows."""
    return find(zone) or UTC
