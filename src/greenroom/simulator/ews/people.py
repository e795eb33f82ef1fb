"""People, attendees and recurrences, written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.ews.errors import EwsError
from greenroom.simulator.ews.names import children, local, sub, t, text_of
from greenroom.simulator.model import Attendee, Person

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lxml import etree

    from greenroom.simulator.model import Role

ROLES: Final[dict[str, Role]] = {
    "RequiredAttendees": "required",
    "OptionalAttendees": "optional",
    "Resources": "resource",
}
MAX_PEOPLE: Final = 500


def timestamp(moment: datetime) -> str:
    """An instant as EWS writes it, in UTC with whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_person(parent: etree._Element, person: Person) -> None:
    """Append a Mailbox element."""
    mailbox = sub(parent, t("Mailbox"))
    sub(mailbox, t("Name"), person.name or person.address)
    if person.address:
        sub(mailbox, t("EmailAddress"), person.address)
        sub(mailbox, t("RoutingType"), person.routing)
    sub(mailbox, t("MailboxType"), "Mailbox" if person.routing == "EX" else "OneOff" if not person.name else "Mailbox")


def write_attendees(parent: etree._Element, attendees: Iterable[Attendee]) -> None:
    """Append Attendee elements with the tracking that is known of them."""
    for attendee in attendees:
        element = sub(parent, t("Attendee"))
        write_person(element, attendee.person)
        sub(element, t("ResponseType"), attendee.response)
        if attendee.response_time is not None:
            sub(element, t("LastResponseTime"), timestamp(attendee.response_time))


def read_person(mailbox: etree._Element | None) -> Person:
    """Read a Mailbox element. Raises `EwsError` when it carries no address."""
    address = (text_of(mailbox, t("EmailAddress")) or "").strip()
    if not address:
        raise EwsError("ErrorInvalidRecipients")
    routing = (text_of(mailbox, t("RoutingType")) or "SMTP").upper()
    return Person(address, text_of(mailbox, t("Name")) or "", "EX" if routing == "EX" else "SMTP")


def read_people(container: etree._Element) -> tuple[Person, ...]:
    """Read an array of recipients."""
    people = tuple(read_person(child) for child in children(container) if local(child) == "Mailbox")
    if len(people) > MAX_PEOPLE:
        raise EwsError("ErrorInvalidRecipients", "There are too many recipients.")
    return people


def read_attendees(container: etree._Element) -> tuple[Attendee, ...]:
    """Read RequiredAttendees, OptionalAttendees or Resources; the element's name gives the role."""
    role = ROLES[local(container)]
    attendees = tuple(Attendee(read_person(child.find(t("Mailbox"))), role) for child in children(container))
    if len(attendees) > MAX_PEOPLE:
        raise EwsError("ErrorInvalidRecipients", "There are too many attendees.")
    return attendees
