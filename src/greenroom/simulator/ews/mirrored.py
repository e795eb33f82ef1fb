"""Extended properties that mirror what a meeting says anyway, under the names Outlook knows (MS-OXPROPS)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from greenroom.simulator.ews.meeting_properties import PROPERTIES, meeting_of
from greenroom.simulator.ews.paths import APPOINTMENT_SET, CLEAN_GOID, GOID
from greenroom.simulator.ews.people import timestamp
from greenroom.simulator.model import CalendarItem, MeetingMessage, PropertyTag
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.rule_blob import write_rule
from greenroom.simulator.zone_blob import write_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.simulator.ews.properties import InHand
    from greenroom.simulator.model import PropertyValue

_RESPONSE_NUMBERS: Final = {
    "Unknown": 0,
    "Organizer": 1,
    "Tentative": 2,
    "Accept": 3,
    "Decline": 4,
    "NoResponseReceived": 5,
}


def _appointment(kind: str, number: int) -> PropertyTag:
    return PropertyTag(kind, set_id=APPOINTMENT_SET, number=number)


def _zone(hand: InHand, *, of_series: bool) -> str | None:
    """The zone as Outlook keeps it; None for a meeting in UTC, and of a single one for the zone of a series."""
    meeting = meeting_of(hand)
    zone = zone_of(meeting)
    if meeting.start_zone is None or zone is None or (of_series and not meeting.is_series):
        return None
    data = write_zone(meeting.start_zone, zone, meeting.start.year, recurring=of_series)
    return base64.b64encode(data).decode()


def _rule(hand: InHand) -> str | None:
    data = write_rule(meeting_of(hand))
    return None if data is None else base64.b64encode(data).decode()


def _state(hand: InHand) -> str:
    return str(PROPERTIES["CalendarItem"]["AppointmentState"](hand))


def _response(hand: InHand) -> str:
    return str(_RESPONSE_NUMBERS[str(PROPERTIES["CalendarItem"]["MyResponseType"](hand))])


_MIRRORED: Final[dict[PropertyTag, Callable[[InHand], str | None]]] = {
    GOID: lambda hand: base64.b64encode(meeting_of(hand).goid).decode(),
    CLEAN_GOID: lambda hand: base64.b64encode(meeting_of(hand).clean_goid).decode(),
    PropertyTag("SystemTime", set_id=GOID.set_id, number=0x1A): lambda hand: timestamp(meeting_of(hand).stamp),
    _appointment("Integer", 0x8201): lambda hand: str(meeting_of(hand).sequence),
    _appointment("Binary", 0x8216): _rule,
    _appointment("Integer", 0x8217): _state,
    _appointment("Integer", 0x8218): _response,
    _appointment("SystemTime", 0x820D): lambda hand: timestamp(meeting_of(hand).start),
    _appointment("SystemTime", 0x820E): lambda hand: timestamp(meeting_of(hand).end),
    _appointment("Binary", 0x825E): lambda hand: _zone(hand, of_series=False),
    _appointment("Binary", 0x825F): lambda hand: _zone(hand, of_series=False),
    _appointment("Binary", 0x8260): lambda hand: _zone(hand, of_series=True),
}
"""PidLidOwnerCriticalChange, PidLidAppointmentSequence, …Recur, …StateFlags, PidLidResponseStatus,
PidLidAppointmentStartWhole, …EndWhole (for an all-day meeting the only ones that say which instants it takes),
PidLidAppointmentTimeZoneDefinitionStartDisplay, …EndDisplay, …Recur."""


def extended_value(hand: InHand, tag: PropertyTag) -> PropertyValue | None:
    """An extended property: one that mirrors what the item knows anyway, or one that was set."""
    mirror = _MIRRORED.get(tag) if isinstance(hand.item, (CalendarItem, MeetingMessage)) else None
    value = None if mirror is None else mirror(hand)
    return hand.item.extended.get(tag) if value is None else value
