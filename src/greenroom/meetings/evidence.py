"""Which ticket of an invitation counts, and what it is worth.

An invitation may carry several: quoted older instructions, a copied body, text somebody made up. Of the genuine ones that are
free or already this meeting's the one issued last wins: the button writes a new ticket, and older text may stand above or below.
Where there is none, a promise counts, and then what says that the meeting needs no room of ours: both come before tickets that lead
nowhere. Only a copied ticket that is younger than that counts more: it says that a room was wanted after all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from greenroom.meetings.ticket_finder import find_tickets


class TicketStatus(StrEnum):
    """What the ticket in the invitation is worth."""

    NONE = "none"
    VALID = "valid"  # ours, genuine, and nobody else's or this meeting's
    KIN = "kin"  # ours and genuine, and bound to a meeting whose room this one shares
    COPIED = "copied"  # ours and genuine, but bound to another meeting, or its number was given to somebody else since
    OFFLINE = "offline"  # ours and genuine: the promise of a room, made while nobody answered
    PERSONAL = "personal"  # ours and genuine: the meeting takes place in somebody's own room
    DELETED = "deleted"  # ours and genuine, but its reservation was deleted
    FORGED = "forged"  # claims to be ours and is not
    FOREIGN = "foreign"  # of another integration, another installation or another product
    ROOM = "room"  # none; but the platform has a room with this meeting's mark, though nobody remembers the meeting


@dataclass(frozen=True, slots=True)
class Evidence:
    """The best ticket found in an invitation, and its worth.

    `ticket` is there for those that are genuine, `aliases` for ROOM: what people dial to get into the room that stands.
    """

    status: TicketStatus = TicketStatus.NONE
    ticket: Ticket | None = None
    aliases: tuple[str, ...] = ()


_ORDER = (
    TicketStatus.VALID,
    TicketStatus.KIN,
    TicketStatus.OFFLINE,
    TicketStatus.PERSONAL,
    TicketStatus.DELETED,
    TicketStatus.COPIED,
    TicketStatus.FORGED,
    TicketStatus.FOREIGN,
)
_FAULTS = {TicketFault.FORGED: TicketStatus.FORGED, TicketFault.FOREIGN: TicketStatus.FOREIGN}


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose reservation a number is: the first meeting key that brought its ticket, and whether it was deleted since.

    `kin` says that the meeting in question may share that meeting's room; see `greenroom.meetings.kin`. Where no meeting
    brought it yet, `issued_at` is when its ticket was issued (None: not known): an older one of that number was given back.
    """

    key: MeetingKey | None
    deleted: bool = False
    kin: bool = False
    issued_at: datetime | None = None


def read_tickets(text: str, ring: KeyRing) -> list[Ticket | TicketFault]:
    """Find and verify every ticket in an invitation's text; needs no database."""
    return [ring.verify(candidate) for candidate in find_tickets(text, ring.prefix)]


def weigh_tickets(found: Iterable[Ticket | TicketFault], holders: Mapping[int, Holder], key: MeetingKey) -> Evidence:
    """Choose the ticket that counts for the meeting `key`; `holders` tells whose the numbers of genuine tickets are.

    What is malformed was never a ticket, or too little of one is left: it counts as none.
    """
    best: dict[TicketStatus, Evidence] = {}
    for item in found:
        evidence = _worth(item, holders, key)
        before = best.get(evidence.status)
        if before is None or _issued(before) <= _issued(evidence):
            best[evidence.status] = evidence
    chosen = next((best[status] for status in _ORDER if status in best), Evidence())
    copied = best.get(TicketStatus.COPIED, chosen)
    return copied if chosen.status is TicketStatus.PERSONAL and _issued(copied) > _issued(chosen) else chosen


def _issued(evidence: Evidence) -> float:
    return 0.0 if evidence.ticket is None else evidence.ticket.issued_at.timestamp()


def _worth(item: Ticket | TicketFault, holders: Mapping[int, Holder], key: MeetingKey) -> Evidence:
    if isinstance(item, Ticket):
        if not item.names_alias:  # nobody holds it: the same one may stand in many meetings
            return Evidence(TicketStatus.PERSONAL if item.is_personal else TicketStatus.OFFLINE, item)
        holder = holders.get(item.number)
        if holder is not None and holder.deleted:
            return Evidence(TicketStatus.DELETED, item)
        if holder is None or holder.key == key or (holder.key is None and holder.issued_at in (None, item.issued_at)):
            return Evidence(TicketStatus.VALID, item)
        return Evidence(TicketStatus.KIN if holder.kin else TicketStatus.COPIED, item)
    return Evidence(_FAULTS.get(item, TicketStatus.NONE))
