"""Deciding what should be true for a meeting: pure, without a clock and without I/O.

`decide` weighs what the calendar says (an `Observation`), what was done before (a `Record`), which ticket the text carries
(`Evidence`), whose room it may share (`Kin`) and the policy at an instant. It says what should be true; the scheduler does the
difference. Deciding twice is harmless: what was done is in the record, and a reply has an identity that is never sent twice.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from greenroom.meetings.acceptance import Sight, acceptance, alias_source, shown_to
from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.kin import LIVING, Kin
from greenroom.meetings.meeting import Kind, Observation, Response, Span
from greenroom.meetings.policy import Foreign, Policy, Unticketed
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import Outcome, day_of, facts_of, is_worth_a_mail, reply_identity
from greenroom.meetings.running import Held, held_after

_AUTHORISED = (
    TicketStatus.VALID,
    TicketStatus.KIN,
    TicketStatus.COPIED,
    TicketStatus.OFFLINE,
    TicketStatus.ROOM,
)
_UNSETTLED = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Decision:
    """What should be true.

    provide     the room exists as the observation says, its alias taken from `alias`
    retire      the room lets nobody in any more
    held        the running occurrence, from start to end, for which the room stays open beside that
    outcome     what the mailbox answers; None is silence
    occurrence  the day of the one occurrence that is answered, instead of the whole; for a review, the day it was due
    state       where the meeting stands when all this is done; None leaves the record as it is, as if nothing had been seen
    mail        whether the organizer gets the answer as a mail; if not, it is only marked in the calendar
    again       when to look once more before anything is decided; None: it is decided
    """

    reason: Reason
    state: State | None
    outcome: Outcome | None = None
    provide: bool = False
    retire: bool = False
    alias: AliasSource | None = None
    mail: bool = True
    held: Held | None = None
    occurrence: date | None = None
    again: timedelta | None = None

    @property
    def answers_occurrence(self) -> date | None:
        """The day of the one occurrence that is answered instead of the whole."""
        return self.occurrence if self.outcome is Outcome.ACCEPT_EDITED_OCCURRENCE else None


def decide(
    observation: Observation,
    record: Record | None,
    evidence: Evidence,
    policy: Policy,
    now: datetime,
    *,
    kin: Kin | None = None,
) -> Decision:
    """Decide what should be true for this meeting at `now`. Pure; the same arguments give the same decision.

    `kin` is the meeting whose room this one may share, if there is one.
    """
    decision = _decide(Sight(observation, record, evidence, policy, now, kin))
    if _is_kept_for_now(record) and not decision.provide and decision.state is not None:
        decision = replace(decision, retire=True)
    if decision.retire or decision.provide:
        # Whatever becomes of its series, an occurrence that is running is not hurt.
        held = held_after(observation, record, policy, now, closing=decision.retire)
        decision = decision if held is None else replace(decision, held=held, retire=False)
    return _mailed(decision, observation, record, policy)


def _decide(sight: Sight) -> Decision:  # noqa: PLR0911 (one return for each kind of sight: it is a table)
    observation, record, policy, now = sight.observation, sight.record, sight.policy, sight.now
    if observation.is_organizer or observation.organizer.address == policy.mailbox:
        return _aside(Reason.OWN_MEETING, record)
    if observation.informational_copy:
        return _aside(Reason.INFORMATIONAL_COPY, record)
    if record is not None and _is_part(observation, record):
        return Decision(Reason.UNCHANGED, None)
    if observation.cancelled or (record is not None and _is_left_behind(observation, record)):
        return _silent(Reason.CANCELLED, State.ENDED, record)
    refusal = _refusal(sight)
    if refusal is not None and refusal.outcome is None:
        return refusal
    end = last_end(observation.kind, observation.span)
    if end is not None and end <= now:
        return _past(observation, record, policy, now, end)
    if refusal is not None:
        return once(refusal, observation, record)
    if sight.is_unsettled:
        return Decision(Reason.AWAITED, None, again=_UNSETTLED)
    alias = alias_source(sight)
    reason, outcome, day = acceptance(sight, alias)
    provided = Decision(reason, State.SCHEDULED, outcome=outcome, provide=True, alias=alias, occurrence=day)
    return once(provided, observation, record)


def settle(observation: Observation, record: Record) -> Record:
    """Resolve a reply whose outcome was unknown, by looking at the calendar: was it sent before we lost track?

    The mailbox's answer time moves with each of its answers (PidLidAppointmentReplyTime), so a reply that was about to be
    sent has been sent if and only if the item shows the wanted response and another answer time than before.
    """
    if record.replying is None:
        return record
    outcome = Outcome(record.replying.partition(":")[0])
    wanted = Response.ACCEPTED if outcome.accepts else Response.DECLINED
    shown = shown_to(observation, day_of(record.replying) if outcome is Outcome.ACCEPT_EDITED_OCCURRENCE else None)
    went_out = shown is not None and shown[0] is wanted and shown[1] != record.answered_before
    return replace(record, replied=record.replying if went_out else record.replied, replying=None, answered_before=None)


def last_end(kind: Kind, span: Span | None) -> datetime | None:
    """When a meeting is over for good; None where that is not known, as for a series without end."""
    if span is None:
        return None
    return span.until if kind is Kind.SERIES else span.end


def _is_new(record: Record | None) -> bool:
    """Whether nothing was done yet: no record, or one of which a crash left no more than that it was weighed."""
    return record is None or (record.seen is None and record.alias_number is None)


def _is_kept_for_now(record: Record | None) -> bool:
    """Whether this meeting has a room for nothing but an occurrence that was running."""
    return record is not None and record.held is not None and record.room is not None and record.state not in LIVING


def _is_part(observation: Observation, record: Record) -> bool:
    """Whether this is a word about an occurrence nobody can name, under the key of its living series: it must not speak for it."""
    lives = record.state in LIVING and not _is_new(record)
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
    if record.reason == Reason.PAST:
        return False
    before, span = record.span, observation.span
    if before is None or last_end(record.kind, before) == end:
        return record.created_at < end
    both = record.kind is observation.kind is Kind.SERIES
    # A series that was shortened, however lately we learned of it: as it was, it was not over.
    return both and not _is_new(record) and span is not None and before.start == span.start


def _over(observation: Observation, record: Record, end: datetime) -> Decision:
    """Say nothing more. A room stays until its window closes, which needs no decision."""
    if record.state in (State.ENDED, State.DECLINED, State.IGNORED):
        return Decision(Reason.OVER, record.state)
    if record.room is None or last_end(observation.kind, record.span) != end:
        return _silent(Reason.OVER, State.ENDED, record)
    return Decision(Reason.OVER, State.SCHEDULED)


def _refusal(sight: Sight) -> Decision | None:  # noqa: PLR0911 (one return for each kind of invitation: it is a table)
    """Return the decline or the silence that this invitation deserves, or None where it gets a room."""
    record, status, policy = sight.record, sight.evidence.status, sight.policy
    if status is TicketStatus.DELETED:
        return _decline(Reason.ALIAS_DELETED, Outcome.DECLINE_ALIAS_DELETED, record)
    # A meeting that has a room keeps it, whatever is pasted into its text, as long as its mailbox is invited.
    has_alias = record is not None and record.alias_number is not None
    if has_alias or sight.shares or status in _AUTHORISED:
        return None
    if status is TicketStatus.PERSONAL:
        return _silent(Reason.PERSONAL_ROOM, State.IGNORED, record)
    if status is TicketStatus.FOREIGN and policy.foreign is Foreign.IGNORE:
        return _silent(Reason.TICKET_FOREIGN, State.IGNORED, record)
    if status is TicketStatus.FOREIGN and policy.foreign is Foreign.DECLINE:
        return _decline(Reason.TICKET_FOREIGN, Outcome.DECLINE_INVALID_TICKET, record)
    if status is TicketStatus.FORGED:
        return _decline(Reason.TICKET_FORGED, Outcome.DECLINE_INVALID_TICKET, record)
    if policy.unticketed is Unticketed.IGNORE:
        return _silent(Reason.TICKET_MISSING, State.IGNORED, record)
    if policy.unticketed is Unticketed.DECLINE:
        return _decline(Reason.TICKET_MISSING, Outcome.DECLINE_INVALID_TICKET, record)
    if not policy.welcomes(sight.observation.organizer):
        return _decline(Reason.NOT_WELCOME, Outcome.DECLINE_INVALID_TICKET, record)
    return None


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


def _says_the_same(replied: str, outcome: Outcome, observation: Observation, day: date | None) -> bool:
    """Whether a reply already said yes, or no, to just this: the wording may differ after a crash, the answer does not."""
    if day is not None:
        return replied == reply_identity(outcome, observation, day)
    before = Outcome(replied.partition(":")[0])
    return before.accepts == outcome.accepts and facts_of(replied) == facts_of(reply_identity(outcome, observation))


def once(decision: Decision, observation: Observation, record: Record | None) -> Decision:
    """Take the reply out of a decision if it has been said already."""
    outcome = decision.outcome
    if outcome is None:
        return decision
    replied = None if record is None else record.replied
    said = replied is not None and _says_the_same(replied, outcome, observation, decision.occurrence)
    already_declined = replied is None and not outcome.accepts and observation.response is Response.DECLINED
    return replace(decision, outcome=None) if said or already_declined else decision


def _mailed(decision: Decision, observation: Observation, record: Record | None, policy: Policy) -> Decision:
    """Take the mail out of an answer that policy does not want mailed, and the answer out where the calendar shows it already.

    The word about another alias stays: whether it must be mailed depends on where the joining instructions will stand.
    """
    outcome = decision.outcome
    if outcome is None or record is None or record.replied is None:
        return decision
    renewed = decision.alias not in (None, AliasSource.RECORD) or not facts_of(record.replied)
    news = renewed or _is_retimed(observation, record, decision.answers_occurrence)
    if is_worth_a_mail(outcome, observation, record.replied, policy.replies, renewed=news):
        return decision
    shown = shown_to(observation, decision.answers_occurrence)
    wanted = Response.ACCEPTED if outcome.accepts else Response.DECLINED
    if shown is not None and shown[0] is wanted and not renewed:
        return replace(decision, outcome=None)
    return replace(decision, mail=False)


def _is_retimed(observation: Observation, record: Record, day: date | None) -> bool:
    """Whether this occurrence takes place at another time than was told: a reply to another one tells its own time alone."""
    if day is None or observation.series is None:
        return False
    usual = observation.series.frame.occurrences.on(day)
    told = next((one for one in record.handled if one.day == day), usual)
    now_is = next((one for one in observation.series.moved if one.day == day), usual)
    return told is None or now_is is None or (told.start, told.end) != (now_is.start, now_is.end)
