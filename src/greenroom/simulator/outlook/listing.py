"""The lines of a mail folder, and the folders with their counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from greenroom.simulator.model import (
    CalendarItem,
    Item,
    MeetingCancellation,
    MeetingRequest,
    MeetingResponse,
    Person,
)
from greenroom.simulator.outlook.bodies import preview
from greenroom.simulator.outlook.visit import FOLDERS, Visit

PER_PAGE = 50
Kind = Literal["invitation", "update", "accepted", "tentative", "declined", "cancelled", "meeting", "mail"]
LABELS: dict[Kind, str] = {
    "invitation": "Invitation",
    "update": "Update",
    "accepted": "Accepted",
    "tentative": "Tentative",
    "declined": "Declined",
    "cancelled": "Cancelled",
    "meeting": "Meeting",
    "mail": "Mail",
}
_ANSWERS: dict[str, Kind] = {"Accept": "accepted", "Tentative": "tentative", "Decline": "declined"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    url: str
    selected: bool
    kind: Kind
    label: str
    who: str
    subject: str
    preview: str
    moment: str
    when: str
    unread: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a folder, newest first."""

    rows: Sequence[Row]
    total: int
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class FolderLink:
    """A folder in the navigation."""

    place: str
    name: str
    url: str
    current: bool
    unread: int


def kind_of(item: Item) -> Kind:
    """What an item is to its reader."""
    match item:
        case MeetingResponse():
            return _ANSWERS[item.response]
        case MeetingCancellation():
            return "cancelled"
        case MeetingRequest():
            return "invitation" if item.request_type == "NewMeetingRequest" else "update"
        case CalendarItem():
            return "cancelled" if item.meeting.is_cancelled else "meeting"
    return "mail"


def name_of(visit: Visit, person: Person | None) -> str:
    """A person as the directory or the mail names them."""
    if person is None:
        return "Unknown sender"
    known = visit.exchange.find_mailbox(person.address)
    return (known.name if known is not None else person.name) or person.address


def listing(visit: Visit) -> Listing:
    """The mail folder the visit is in."""
    folder, _ = FOLDERS[visit.place]
    items = visit.exchange.items(visit.mailbox.address, folder)
    items = sorted(items, key=lambda item: item.received)[::-1]
    first = visit.page * PER_PAGE
    rows = [_row(visit, item) for item in items[first : first + PER_PAGE]]
    newer = visit.here(page=visit.page - 1 or "", item="") if visit.page else None
    older = visit.here(page=visit.page + 1, item="") if len(items) > first + PER_PAGE else None
    return Listing(rows, len(items), newer, older)


def _row(visit: Visit, item: Item) -> Row:
    outgoing = visit.place == "sent" or (isinstance(item, CalendarItem) and item.is_organizer)
    people = item.to
    if isinstance(item, CalendarItem) and item.is_organizer:
        people = tuple(one.person for one in item.meeting.attendees)
    names = ", ".join(name_of(visit, one) for one in people[:4]) + ("\u2026" if len(people) > len(people[:4]) else "")
    kind = kind_of(item)
    return Row(
        url=visit.here(item=item.id),
        selected=item.id == visit.item_id,
        kind=kind,
        label=LABELS[kind],
        who=f"To {names}" if outgoing and names else name_of(visit, item.author or item.sender),
        subject=item.subject or "(no title)",
        preview=preview(item.body),
        moment=item.received.isoformat(),
        when=visit.clock.received(item.received),
        unread=not item.is_read,
    )


def folder_links(visit: Visit) -> list[FolderLink]:
    """The folders with their counts of unread mail."""
    links = []
    for place, (folder, name) in FOLDERS.items():
        unread = 0
        if place == "inbox":
            unread = sum(not item.is_read for item in visit.exchange.items(visit.mailbox.address, folder))
        links.append(FolderLink(place, name, visit.url(place), place == visit.place, unread))
    return links
