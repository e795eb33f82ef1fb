"""Deciding what should be true for a meeting: pure, without a clock and without I/O.

`decide` weighs what the calendar says (an `Observation`), what was done before (a `Record`), which ticket the text carries
(`Evidence`) and the policy at an instant. It says what should be true; the scheduler does the difference. Deciding twice is
harmless: what was done is in the record, and a reply has an identity (`reply_identity`) that is never sent twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from greenroom.meetings.meeting import Kind, Observation, Response, Span
from greenroom.meetings.policy import Policy, Unticketed
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import Outcome, facts_of, is_worth_a_mail, reply_identity
from greenroom.meetings.ticket import Ticket

__all__ = [
    "AliasSource",
    "Decision",
    "Evidence",
    "Reason",
    "TicketStatus",
    "decide",
    "last_end",
    "once",
    "reply_identity",
    "settle",
]


class TicketStatus(StrEnum):
    """What the ticket in the invitation is worth."""

    NONE = "none"
    VALID = "valid"  # ours, genuine, and nobody else's or this meeting's
    COPIED = "copied"  # ours and genuine, but bound to another meeting
    DELETED = "deleted"  # ours and genuine, but its reservation was deleted
    FORGED = "forged"  # claims to be ours and is not
    FOREIGN = "foreign"  # of another integration


@dataclass(frozen=True, slots=True)
class Evidence:
    """The best ticket found in an invitation, and its worth. `ticket` is there for VALID, COPIED and DELETED."""

    status: TicketStatus = TicketStatus.NONE
    ticket: Ticket | None = None


class AliasSource(StrEnum):
    """Where the meeting's alias comes from."""

    RECORD = "record"
    TICKET = "ticket"
    DRAW = "draw"


class Reason(StrEnum):
    """Why it was decided so; journal and `greenroom explain` turn these into sentences."""

    NEW = "new"
    EDITED = "edited"
    ANSWER_WAS_RESET = "answer-was-reset"
    UNCHANGED = "unchanged"
    RECOVERED = "recovered"
    COPY = "copy"
    UNTICKETED = "unticketed"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    OVER = "over"
    LONG_OVER = "long-over"
    PAST = "past"
    OWN_MEETING = "own-meeting"
    INFORMATIONAL_COPY = "informational-copy"
    NOT_WELCOME = "not-welcome"
    TICKET_MISSING = "ticket-missing"
    TICKET_FORGED = "ticket-forged"
    TICKET_FOREIGN = "ticket-foreign"
    ALIAS_DELETED = "alias-deleted"
    ALIAS_CONFLICT = "alias-conflict"
    ROOM_REFUSED = "room-refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What should be true.

    provide   the room exists as the observation says, its alias taken from `alias`
    retire    the room lets nobody in any more
    outcome   what the mailbox answers; None is silence
    state     where the meeting stands when all this is done; None leaves the record as it is, as if nothing had been seen
    mail      whether the organizer gets the answer as a mail; if not, it is only marked in the calendar
    """

    reason: Reason
    state: State | None
    outcome: Outcome | None = None
    provide: bool = False
    retire: bool = False
    alias: AliasSource | None = None
    mail: bool = True


def decide(
    observation: Observation, record: Record | None, evidence: Evidence, policy: Policy, now: datetime
) -> Decision:
    """Decide what should be true for this meeting at `now`. Pure; the same arguments give the same decision."""
    return _mailed(_decide(observation, record, evidence, policy, now), observation, record, policy)


def _decide(  # noqa: PLR0911 (one return for each kind of sight: it is a table)
    observation: Observation, record: Record | None, evidence: Evidence, policy: Policy, now: datetime
) -> Decision:
    if observation.is_organizer or observation.organizer.address == policy.mailbox:
        return _aside(Reason.OWN_MEETING, record)
    if observation.informational_copy:
        return _aside(Reason.INFORMATIONAL_COPY, record)
    if record is not None and _is_part(observation, record):
        return Decision(Reason.UNCHANGED, None)
    if observation.cancelled or (record is not None and _is_left_behind(observation, record)):
        return _silent(Reason.CANCELLED, State.ENDED, record)
    refusal = _refusal(observation, record, evidence, policy)
    if refusal is not None and refusal.outcome is None:
        return refusal
    end = last_end(observation.kind, observation.span)
    if end is not None and end <= now:
        return _past(observation, record, policy, now, end)
    if refusal is not None:
        return once(refusal, observation, record)
    return _provide(observation, record, evidence)


def settle(observation: Observation, record: Record) -> Record:
    """Resolve a reply whose outcome was unknown, by looking at the calendar: was it sent before we lost track?

    The mailbox's answer time moves with each of its answers (PidLidAppointmentReplyTime), so a reply that was about to be
    sent has been sent if and only if the item shows the wanted response and another answer time than before.
    """
    if record.replying is None:
        return record
    wanted = Response.ACCEPTED if Outcome(record.replying.partition(":")[0]).accepts else Response.DECLINED
    went_out = observation.response is wanted and observation.replied_at != record.answered_before
    return replace(record, replied=record.replying if went_out else record.replied, replying=None, answered_before=None)


def last_end(kind: Kind, span: Span | None) -> datetime | None:
    """When a meeting is over for good; None where that is not known, as for a series without end."""
    if span is None:
        return None
    return span.until if kind is Kind.SERIES else span.end


def _is_new(record: Record | None) -> bool:
    """Whether nothing was done yet: no record, or one of which a crash left no more than that it was weighed."""
    return record is None or (record.seen is None and record.alias_number is None)


def _is_part(observation: Observation, record: Record) -> bool:
    """Whether this is a word about one occurrence of a living series; it must not speak for the series."""
    lives = record.state in (State.PENDING, State.SCHEDULED, State.DEFECTIVE) and not _is_new(record)
    return lives and record.kind is Kind.SERIES and observation.kind is Kind.OCCURRENCE


def _is_left_behind(observation: Observation, record: Record) -> bool:
    """Whether this is only the accepted item that a cancellation left standing (`AutomateProcessing` `None`).

    Nobody answered it since; a new invitation would have reset our answer, or the server would have answered anew.
    """
    ended = record.state is State.ENDED and record.reason == Reason.CANCELLED
    answered = observation.replied_at
    return ended and observation.response is Response.ACCEPTED and (answered is None or answered <= record.updated_at)


def _past(observation: Observation, record: Record | None, policy: Policy, now: datetime, end: datetime) -> Decision:
    if record is not None and _was_in_time(observation, record, end):
        return _over(observation, record, end)
    if _is_new(record):
        received = observation.received_at
        if observation.response is Response.ACCEPTED:
            return _silent(Reason.OVER, State.IGNORED, record)
        if received is not None and now - received > policy.stale_after:
            return _silent(Reason.LONG_OVER, State.IGNORED, record)
    series = observation.kind is Kind.SERIES
    outcome = Outcome.DECLINE_PAST_SERIES if series else Outcome.DECLINE_PAST_SINGLE
    return once(_decline(Reason.PAST, outcome, record), observation, record)


def _was_in_time(observation: Observation, record: Record, end: datetime) -> bool:
    """Whether time went by while we knew of the meeting; only one that came late, or was moved into the past, is declined."""
    if record.reason == Reason.PAST or record.created_at >= end:
        return False
    before, span = record.span, observation.span
    if before is None or last_end(record.kind, before) == end:
        return True
    both = record.kind is observation.kind is Kind.SERIES
    return both and span is not None and before.start == span.start  # a series that was shortened


def _over(observation: Observation, record: Record, end: datetime) -> Decision:
    """Say nothing more. A room stays until its window closes, which needs no decision."""
    if record.state in (State.ENDED, State.DECLINED, State.IGNORED):
        return Decision(Reason.OVER, record.state)
    if record.room is None or last_end(observation.kind, record.span) != end:
        return _silent(Reason.OVER, State.ENDED, record)
    return Decision(Reason.OVER, State.SCHEDULED)


def _refusal(  # noqa: PLR0911 (one return for each kind of invitation: it is a table)
    observation: Observation, record: Record | None, evidence: Evidence, policy: Policy
) -> Decision | None:
    """Return the decline or the silence that this invitation deserves, or None where it gets a room."""
    if evidence.status is TicketStatus.DELETED:
        return _decline(Reason.ALIAS_DELETED, Outcome.DECLINE_ALIAS_DELETED, record)
    if _has_alias(record) or evidence.status in (TicketStatus.VALID, TicketStatus.COPIED):
        return None
    if evidence.status is TicketStatus.FOREIGN:
        return _silent(Reason.TICKET_FOREIGN, State.IGNORED, record)
    if evidence.status is TicketStatus.FORGED:
        return _decline(Reason.TICKET_FORGED, Outcome.DECLINE_INVALID_TICKET, record)
    if policy.unticketed is Unticketed.IGNORE:
        return _silent(Reason.TICKET_MISSING, State.IGNORED, record)
    if policy.unticketed is Unticketed.DECLINE:
        return _decline(Reason.TICKET_MISSING, Outcome.DECLINE_INVALID_TICKET, record)
    if not policy.welcomes(observation.organizer):
        return _decline(Reason.NOT_WELCOME, Outcome.DECLINE_INVALID_TICKET, record)
    return None


def _provide(observation: Observation, record: Record | None, evidence: Evidence) -> Decision:
    alias = _alias_source(record, evidence)
    reason, outcome = _acceptance(observation, record, evidence, alias)
    return once(Decision(reason, State.SCHEDULED, outcome=outcome, provide=True, alias=alias), observation, record)


def _alias_source(record: Record | None, evidence: Evidence) -> AliasSource:
    brought = evidence.ticket if evidence.status is TicketStatus.VALID else None
    if record is None or record.alias_number is None:
        return AliasSource.TICKET if brought is not None else AliasSource.DRAW
    if brought is not None and brought.number != record.alias_number:
        return AliasSource.TICKET  # the button was pressed again: what people read in the invitation counts
    return AliasSource.RECORD


def _acceptance(
    observation: Observation, record: Record | None, evidence: Evidence, alias: AliasSource
) -> tuple[Reason, Outcome | None]:
    series, occurrence = observation.kind is Kind.SERIES, observation.kind is Kind.OCCURRENCE
    if record is None or not _accepted(record):
        untold = record is None or record.replied is None
        if untold and observation.response is Response.ACCEPTED and evidence.status is TicketStatus.VALID:
            return Reason.RECOVERED, None
        reason = {TicketStatus.COPIED: Reason.COPY, TicketStatus.NONE: Reason.UNTICKETED}.get(
            evidence.status, Reason.NEW
        )
        return reason, Outcome.ACCEPT_NEW_SERIES if series else Outcome.ACCEPT_NEW_SINGLE
    answered = facts_of(record.replied or "").split(":")[0] == observation.fingerprint
    if alias is not AliasSource.RECORD or (record.seen != observation.fingerprint and not answered):
        reason = Reason.EDITED
    elif observation.response is Response.ACCEPTED or observation.ref.is_message:
        return Reason.UNCHANGED, None
    else:
        reason = Reason.ANSWER_WAS_RESET
    if series:
        return reason, Outcome.ACCEPT_EDITED_SERIES
    return reason, Outcome.ACCEPT_EDITED_OCCURRENCE if occurrence else Outcome.ACCEPT_EDITED_SINGLE


def _accepted(record: Record) -> bool:
    """Whether the organizer was last told "accepted" and the meeting has lived on since."""
    if record.state in (State.ENDED, State.DECLINED, State.IGNORED):
        return False
    if record.replied is None:
        return record.state is State.SCHEDULED  # recovered: the organizer was told in an earlier life
    return Outcome(record.replied.partition(":")[0]).accepts


def _has_alias(record: Record | None) -> bool:
    return record is not None and record.alias_number is not None


def _may_have_room(record: Record | None) -> bool:
    """Whether a room was made, or may have been made just before a crash."""
    if record is None:
        return False
    begun = record.state in (State.PENDING, State.DEFECTIVE) and record.alias_number is not None
    return begun or record.room is not None


def _aside(reason: Reason, record: Record | None) -> Decision:
    """Look past something that only shares the key with a meeting; where there is no such meeting, note that we saw it."""
    return Decision(reason, State.IGNORED if _is_new(record) else None)


def _silent(reason: Reason, state: State, record: Record | None) -> Decision:
    return Decision(reason, state, retire=_may_have_room(record))


def _decline(reason: Reason, outcome: Outcome, record: Record | None) -> Decision:
    return Decision(reason, State.DECLINED, outcome=outcome, retire=_may_have_room(record))


def _says_the_same(replied: str, outcome: Outcome, observation: Observation) -> bool:
    """Whether a reply already said yes, or no, to just this: the wording may differ after a crash, the answer does not."""
    before = Outcome(replied.partition(":")[0])
    return before.accepts == outcome.accepts and facts_of(replied) == facts_of(reply_identity(outcome, observation))


def once(decision: Decision, observation: Observation, record: Record | None) -> Decision:
    """Take the reply out of a decision if it has been said already."""
    outcome = decision.outcome
    if outcome is None:
        return decision
    said = record is not None and record.replied is not None and _says_the_same(record.replied, outcome, observation)
    untold = record is None or record.replied is None
    already_declined = untold and not outcome.accepts and observation.response is Response.DECLINED
    return replace(decision, outcome=None) if said or already_declined else decision


def _mailed(decision: Decision, observation: Observation, record: Record | None, policy: Policy) -> Decision:
    """Take the mail out of an answer that policy does not want mailed, and the answer out where the calendar shows it already.

    The word about another alias stays: whether it must be mailed depends on where the joining instructions will stand.
    """
    outcome = decision.outcome
    if outcome is None or record is None or record.replied is None:
        return decision
    renewed = decision.alias not in (None, AliasSource.RECORD) or not facts_of(record.replied)
    if is_worth_a_mail(outcome, observation, record.replied, policy.replies, renewed=renewed):
        return decision
    shown = Response.ACCEPTED if outcome.accepts else Response.DECLINED
    if observation.response is shown and not renewed:
        return replace(decision, outcome=None)
    return replace(decision, mail=False)
