"""Which meeting an event is, and which version of it: UID and DTSTAMP, also where a program left them out."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import Component
from greenroom.simulator.ics_zones import Zones

UNSTAMPED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The stamp of an event that says nowhere when it was written; whoever delivers it puts the time of delivery there."""

_MAX_UID = 1024


def uid_of(component: Component, calendar: Component) -> str:
    """The event's UID. Raises BadInvitation for one that is too long.

    Some programs write the UID of the only event beside it instead of into it. Where there is none, one is made of what the
    event says, so that the same file delivered again is the same meeting.
    """
    homes = [component, calendar] if len(calendar.inside("VEVENT")) == 1 else [component]
    for home in homes:
        found = home.first("UID")
        uid = "" if found is None else re.sub(r"\s+", " ", found.text).strip()
        if len(uid) > _MAX_UID:
            raise BadInvitation(f"the UID is longer than {_MAX_UID} characters", component.line)
        if uid:
            return uid
    said = "\n".join(f"{one.name}:{one.value}" for one in component.properties if one.name in _TELLING)
    return f"{hashlib.sha256(said.encode(errors='replace')).hexdigest()[:32]}@no-uid.invalid"


_TELLING = frozenset({"DTSTART", "SUMMARY", "ORGANIZER", "LOCATION"})


def stamp_of(component: Component, zones: Zones) -> datetime:
    """When this version was written; UNSTAMPED where the event says nothing that can be read."""
    for name in ("DTSTAMP", "LAST-MODIFIED", "CREATED"):
        found = component.first(name)
        if found is not None and found.value.strip():
            try:
                return zones.when(found).utc
            except BadInvitation:
                continue
    return UNSTAMPED
