from datetime import timedelta

import pytest

from greenroom.meetings.evidence import Evidence, Holder, TicketStatus, read_tickets, weigh_tickets
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from support.observations import NOW

MINE = MeetingKey.of_uid("mine")
OTHER = MeetingKey.of_uid("other")
OLD = Ticket(1, 111111111, 0, NOW, 0)
NEW = Ticket(1, 222222222, 0, NOW + timedelta(minutes=5), 0)
RING = KeyRing("GRM", 1, {0: b"k" * 32})


def test_a_text_without_tickets_is_no_evidence() -> None:
    assert weigh_tickets([], {}, MINE) == Evidence(TicketStatus.NONE)


@pytest.mark.parametrize(
    ("holder", "status"),
    [
        (None, TicketStatus.VALID),
        (Holder(None), TicketStatus.VALID),
        (Holder(MINE), TicketStatus.VALID),
        (Holder(OTHER), TicketStatus.COPIED),
        (Holder(OTHER, kin=True), TicketStatus.KIN),
        (Holder(MINE, deleted=True), TicketStatus.DELETED),
        (Holder(None, deleted=True), TicketStatus.DELETED),
    ],
)
def test_a_genuine_ticket_is_worth_what_its_reservation_says(holder: Holder | None, status: TicketStatus) -> None:
    holders = {} if holder is None else {OLD.number: holder}
    assert weigh_tickets([OLD], holders, MINE) == Evidence(status, OLD)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (TicketFault.FORGED, TicketStatus.FORGED),
        (TicketFault.FOREIGN, TicketStatus.FOREIGN),
        (TicketFault.MALFORMED, TicketStatus.NONE),
    ],
)
def test_what_is_not_genuine_brings_no_ticket(fault: TicketFault, status: TicketStatus) -> None:
    assert weigh_tickets([fault], {}, MINE) == Evidence(status)


@pytest.mark.parametrize("found", [[OLD, NEW], [NEW, OLD]])
def test_of_two_free_tickets_the_one_issued_last_counts_wherever_it_stands(found: list[Ticket | TicketFault]) -> None:
    assert weigh_tickets(found, {OLD.number: Holder(MINE)}, MINE) == Evidence(TicketStatus.VALID, NEW)


def test_of_two_issued_in_the_same_second_the_last_in_the_text_counts() -> None:
    twin = Ticket(1, 333333333, 0, OLD.issued_at, 0)
    assert weigh_tickets([OLD, twin], {}, MINE) == Evidence(TicketStatus.VALID, twin)


def test_a_free_ticket_outweighs_whatever_else_stands_in_the_text() -> None:
    found: list[Ticket | TicketFault] = [TicketFault.FORGED, NEW, OLD, TicketFault.FOREIGN]
    assert weigh_tickets(found, {NEW.number: Holder(OTHER)}, MINE) == Evidence(TicketStatus.VALID, OLD)


def test_tickets_are_read_out_of_html() -> None:
    text = f"<p>{RING.issue(OLD.number, OLD.issued_at)}</p>"
    assert read_tickets(text, RING) == [OLD]
