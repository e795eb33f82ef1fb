"""Times and time zones as Graph writes and reads them.

A zone may be named as Windows or as IANA does; what was written with an IANA name comes back with the Windows name where
one is known. All-day events float: they begin at midnight in whatever zone the caller asks for (microsoft-graph-docs
issue 6003), while filters and views go by the instants they really take.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from greenroom.simulator import zones
from greenroom.simulator.graph.errors import bad
from greenroom.simulator.graph.fields import members, text
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.windows_zones import to_windows

if TYPE_CHECKING:
    from greenroom.simulator.model import Meeting

NEVER: Final = "0001-01-01T00:00:00Z"
CUSTOM_ZONE: Final = "tzone://Microsoft/Custom"


def instant(moment: datetime | None) -> str | None:
    """A DateTimeOffset with the seven digits Exchange gives it."""
    return None if moment is None else f"{_naive(moment.astimezone(UTC))}Z"


def _naive(local: datetime) -> str:
    return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond:06}0"


def zone_named(name: str) -> tzinfo:
    """The zone of a name. Raises GraphError (400) for one that nobody knows."""
    found = zones.find_exact(name)
    if found is None:
        raise bad(
            "TimeZoneNotSupportedException",
            "A valid TimeZone value must be specified. The TimeZone value of the request is not supported.",
        )
    return found


def zone_shown(name: str | None, rules: str | None = None) -> str:
    """The name of a meeting's zone as Graph shows it."""
    if rules is not None:
        return CUSTOM_ZONE
    zone = zones.find(name)
    if zone is UTC:
        return "UTC"
    return (to_windows(zone.key) or zone.key) if isinstance(zone, ZoneInfo) else CUSTOM_ZONE


def start_zone(meeting: Meeting) -> str:
    """`originalStartTimeZone`."""
    return zone_shown(meeting.start_zone, meeting.zone_rules)


def end_zone(meeting: Meeting) -> str:
    """`originalEndTimeZone`."""
    return zone_shown(meeting.end_zone or meeting.start_zone, meeting.zone_rules)


def shown(moment: datetime, meeting: Meeting, zone_name: str) -> dict[str, str]:
    """A dateTimeTimeZone of a meeting's start or end in the zone the caller prefers."""
    local = moment.astimezone(zone_named(zone_name))
    if meeting.all_day:
        local = moment.astimezone(zone_of(meeting) or UTC).replace(tzinfo=UTC)
    return {"dateTime": _naive(local), "timeZone": zone_name}


def local_day(moment: datetime, meeting: Meeting) -> date:
    """The date of an instant where the meeting takes place."""
    return moment.astimezone(zone_of(meeting) or UTC).date()


def read_moment(value: Any, name: str) -> tuple[datetime, str]:
    """Read a dateTimeTimeZone: the instant, and the zone's Windows name where there is one. Raises GraphError (400)."""
    parts = members(value, name)
    zone_name = text(parts.get("timeZone") or "UTC", f"{name}.timeZone")
    zone = zone_named(zone_name)
    moment = parse(text(parts.get("dateTime"), f"{name}.dateTime"), zone)
    if moment is None:
        raise bad("ErrorInvalidProperty", f"The value of '{name}' is not a date and time.")
    return moment, _kept(zone, zone_name)


def _kept(zone: tzinfo, name: str) -> str:
    if zone is UTC:
        return "UTC"
    return (to_windows(zone.key) or zone.key) if isinstance(zone, ZoneInfo) else name


def parse(value: str, zone: tzinfo = UTC) -> datetime | None:
    """An ISO time, meant in `zone` where it has no offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
