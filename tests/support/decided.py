"""What decisions are made from: a policy, a ticket and its worth, and the record of a meeting that was accepted as it is."""

from dataclasses import replace

from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.meeting import Kind, Observation
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.reply import Outcome, reply_identity
from greenroom.meetings.ticket import Ticket
from support.observations import MAILBOX, NOW

POLICY = Policy(MAILBOX)
TICKET = Ticket(1, 123456789, 0, NOW, 0)
VALID = Evidence(TicketStatus.VALID, TICKET)
NOTHING = Evidence()


def record_of(what: Observation, /, **changes: object) -> Record:
    """The record of a meeting that was accepted as it is."""
    outcome = Outcome.ACCEPT_NEW_SERIES if what.kind is Kind.SERIES else Outcome.ACCEPT_NEW_SINGLE
    usual = Record(
        integration=1,
        key=what.key,
        correlation_id="AAAA-BBBB",
        state=State.SCHEDULED,
        kind=what.kind,
        organizer=what.organizer.address,
        ref=what.ref,
        created_at=NOW,
        updated_at=NOW,
        span=what.span,
        seen=what.fingerprint,
        alias_number=TICKET.number,
        alias_key=0,
        room="room",
        instructions=InstructionsState.PRESENT,
        replied=reply_identity(outcome, what),
        series=what.series,
        handled=what.series.moved if what.series else (),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # named by the test
