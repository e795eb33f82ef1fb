"""Organizers and attendees, written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph.errors import bad
from greenroom.simulator.graph.fields import choice, items, members, text
from greenroom.simulator.graph.times import NEVER, instant
from greenroom.simulator.model import Attendee, CalendarItem, Person, ResponseType, Role

if TYPE_CHECKING:
    from datetime import datetime

    from greenroom.simulator.exchange import Exchange

MAX_ATTENDEES: Final = 500
_MAX_ADDRESS: Final = 320
_RESPONSES: Final[dict[ResponseType, str]] = {
    "Unknown": "none",
    "Organizer": "organizer",
    "Tentative": "tentativelyAccepted",
    "Accept": "accepted",
    "Decline": "declined",
    "NoResponseReceived": "notResponded",
}
_ROLES: Final[dict[str, Role]] = {"required": "required", "optional": "optional", "resource": "resource"}


def email_address(exchange: Exchange, person: Person) -> dict[str, str]:
    """An emailAddress: always SMTP, for Graph knows the directory."""
    known = exchange.site.directory.smtp(person)
    return {"name": known.name or known.address, "address": known.address}


def recipient(exchange: Exchange, person: Person) -> dict[str, Any]:
    """A recipient."""
    return {"emailAddress": email_address(exchange, person)}


def status(response: ResponseType, time: datetime | None) -> dict[str, str]:
    """A responseStatus."""
    return {"response": _RESPONSES[response], "time": instant(time) or NEVER}


def own_status(item: CalendarItem) -> dict[str, str]:
    """`responseStatus` of an event."""
    return status("Organizer" if item.is_organizer else item.my_response, item.reply_time)


def attendees(exchange: Exchange, item: CalendarItem) -> list[dict[str, Any]]:
    """`attendees`, with what the organizer's copy has of their answers."""
    return [
        {
            "type": one.role,
            "status": status(one.response if item.is_organizer else "Unknown", one.response_time),
            "emailAddress": email_address(exchange, one.person),
        }
        for one in item.meeting.attendees
    ]


def read_attendees(value: Any) -> tuple[Attendee, ...]:
    """Read a collection of attendees. Raises GraphError (400): more than 500, or one without an address."""
    given = items(value, "attendees")
    if len(given) > MAX_ATTENDEES:
        raise bad("ErrorInvalidRecipients", f"An event can have at most {MAX_ATTENDEES} attendees.")
    return tuple(_attendee(one) for one in given)


def _attendee(value: Any) -> Attendee:
    parts = members(value, "attendees")
    address = members(parts.get("emailAddress"), "emailAddress")
    smtp = text(address.get("address"), "address").strip()
    if not 0 < len(smtp) <= _MAX_ADDRESS or "@" not in smtp or any(letter.isspace() for letter in smtp):
        raise bad("ErrorInvalidRecipients", "At least one recipient is not valid.")
    role = choice(parts.get("type") or "required", "type", _ROLES)
    return Attendee(Person(smtp, text(address.get("name"), "name")), role)
