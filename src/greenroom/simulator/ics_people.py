"""Organizers and attendees in iCalendar files: CAL-ADDRESS values as people's programs write them."""

import re
from urllib.parse import unquote

from greenroom.simulator.ics_lines import Property, clean
from greenroom.simulator.model import Attendee, Person, ResponseType, Role

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\]{1,128}@[^\s@<>\"(),:;\\]{1,255}")
_MAX_NAME = 256
_RESPONSES: dict[str, ResponseType] = {
    "ACCEPTED": "Accept",
    "DECLINED": "Decline",
    "TENTATIVE": "Tentative",
    "NEEDS-ACTION": "NoResponseReceived",
}


def person_of(prop: Property) -> Person | None:
    """Whom an ORGANIZER or ATTENDEE names, None where no mail address can be found.

    The value counts (iCloud answers only at the address in it); the EMAIL parameter helps where the value is no address.
    """
    value = prop.text.strip()
    mailto = value.lower().rfind("mailto:")
    candidates = [value[mailto + 7 :] if mailto >= 0 else value, prop.param("EMAIL") or ""]
    for candidate in candidates:
        text = unquote(candidate.partition("?")[0]).strip().strip("<>'\"").strip()
        if _ADDRESS.fullmatch(text):
            return Person(text, _name_of(prop, text))
    return None


def _name_of(prop: Property, address: str) -> str:
    name = clean(prop.param("CN") or "").replace("\n", " ").strip().strip("'\"")[:_MAX_NAME]
    return "" if name.lower().removeprefix("mailto:") == address.lower() else name


def attendee_of(prop: Property) -> Attendee | None:
    """An ATTENDEE with role and answer, None without a mail address."""
    person = person_of(prop)
    if person is None:
        return None
    response = _RESPONSES.get((prop.param("PARTSTAT") or "").upper(), "Unknown")
    return Attendee(person, _role_of(prop), response)


def _role_of(prop: Property) -> Role:
    if (prop.param("CUTYPE") or "").upper() in {"RESOURCE", "ROOM"}:
        return "resource"
    role = (prop.param("ROLE") or "").upper()
    if role == "NON-PARTICIPANT":
        return "resource"
    return "optional" if role == "OPT-PARTICIPANT" else "required"
