from datetime import datetime, timedelta

import pytest

from greenroom.meetings.evidence import Evidence, Holder, TicketStatus, read_tickets, weigh_tickets
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import OFFLINE, PERSONAL, KeyRing, Ticket, TicketFault
from support.observations import NOW

MINE = MeetingKey.of_uid("mine")
OTHER = MeetingKey.of_uid("other")
OLD = Ticket(1, 111111111, 0, NOW, 0)
NEW = Ticket(1, 222222222, 0, NOW + timedelta(minutes=5), 0)
PROMISE = Ticket(1, 444444444, OFFLINE, NOW, 0)
OWN_ROOM = Ticket(1, 555555555, PERSONAL, NOW + timedelta(hours=1), 0)
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


@pytest.mark.parametrize(
    ("ticket", "status"), [(PROMISE, TicketStatus.OFFLINE), (OWN_ROOM, TicketStatus.PERSONAL)], ids=["promise", "own"]
)
@pytest.mark.parametrize("holder", [Holder(MINE), Holder(OTHER), Holder(OTHER, kin=True), Holder(None, deleted=True)])
def test_a_ticket_without_an_alias_is_nobodys_whatever_has_its_number(
    ticket: Ticket, status: TicketStatus, holder: Holder
) -> None:
    assert weigh_tickets([ticket], {ticket.number: holder}, MINE) == Evidence(status, ticket)


@pytest.mark.parametrize("holder", [Holder(None), Holder(MINE), Holder(OTHER, kin=True)])
@pytest.mark.parametrize("found", [[OLD, PROMISE, OWN_ROOM], [OWN_ROOM, PROMISE, OLD]])
def test_a_ticket_with_a_room_outweighs_promises_and_personal_rooms(
    found: list[Ticket | TicketFault], holder: Holder
) -> None:
    assert weigh_tickets(found, {OLD.number: holder}, MINE).ticket == OLD


@pytest.mark.parametrize("worse", [Holder(OTHER), Holder(MINE, deleted=True)])
def test_a_promise_and_then_a_personal_room_outweigh_tickets_that_lead_nowhere(worse: Holder) -> None:
    bad: list[Ticket | TicketFault] = [OLD, TicketFault.FORGED, TicketFault.FOREIGN]
    assert weigh_tickets([OWN_ROOM, PROMISE, *bad], {OLD.number: worse}, MINE).status is TicketStatus.OFFLINE
    assert weigh_tickets([OWN_ROOM, *bad], {OLD.number: worse}, MINE).status is TicketStatus.PERSONAL


@pytest.mark.parametrize("reverse", [False, True])
def test_an_old_text_about_a_personal_room_does_not_keep_a_copied_meeting_from_its_room(*, reverse: bool) -> None:
    found: list[Ticket | TicketFault] = [Ticket(1, 555555555, PERSONAL, NOW - timedelta(days=90), 0), OLD]
    found = found[::-1] if reverse else found
    assert weigh_tickets(found, {OLD.number: Holder(OTHER)}, MINE) == Evidence(TicketStatus.COPIED, OLD)
    assert weigh_tickets(found, {OLD.number: Holder(MINE, deleted=True)}, MINE).status is TicketStatus.PERSONAL


@pytest.mark.parametrize(
    ("issued_at", "status"),
    [
        (None, TicketStatus.VALID),
        (OLD.issued_at, TicketStatus.VALID),
        (OLD.issued_at + timedelta(days=9), TicketStatus.COPIED),
    ],
    ids=["unknown", "the-same", "later"],
)
def test_a_number_that_was_set_aside_anew_is_no_more_that_of_an_older_ticket(
    issued_at: datetime | None, status: TicketStatus
) -> None:
    assert weigh_tickets([OLD], {OLD.number: Holder(None, issued_at=issued_at)}, MINE) == Evidence(status, OLD)
    assert weigh_tickets([OLD], {OLD.number: Holder(MINE, issued_at=issued_at)}, MINE).status is TicketStatus.VALID
