"""Which yes a meeting gets, and with which alias; pure, a part of `greenroom.meetings.decision`.

```
 not accepted yet ──▶ new single, new series (recovered by ticket or room, or taken over from another system: silence)
 accepted ──┬── another alias, or the meeting itself changed ──▶ edited single, series, occurrence
            ├── our answer was reset ──▶ the same
            ├── single occurrences of a series changed ──▶ edited occurrence, one after the other; silence where none asks
            ├── an endless series is due for its review ──▶ still needed?
            └── nothing ──▶ silence
```
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from greenroom.meetings.evidence import Evidence, TicketStatus
from greenroom.meetings.kin import Kin, Kinship
from greenroom.meetings.meeting import Changed, Kind, Observation, Response, frame_of
from greenroom.meetings.policy import Foreign, Policy, Review, Split
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.recurrence import Moved
from greenroom.meetings.reply import Outcome, facts_of, reply_identity

if TYPE_CHECKING:
    from greenroom.meetings.decision import Decision

_SKEW = timedelta(seconds=10)
_EDITED = {
    Kind.SINGLE: Outcome.ACCEPT_EDITED_SINGLE,
    Kind.SERIES: Outcome.ACCEPT_EDITED_SERIES,
    Kind.OCCURRENCE: Outcome.ACCEPT_EDITED_OCCURRENCE,
}


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a decision is made from."""

    observation: Observation
    record: Record | None
    evidence: Evidence
    policy: Policy
    now: datetime
    kin: Kin | None = None

    @property
    def is_unticketed(self) -> bool:
        """Whether this counts as an invitation without a ticket: also one that another system prepared which is gone."""
        status = self.evidence.status
        gone = status is TicketStatus.FOREIGN and self.policy.foreign is Foreign.SCHEDULE
        return gone or status is TicketStatus.NONE

    @property
    def shares(self) -> bool:
        """Whether a meeting without a room of its own gets that of its kin."""
        if self.kin is None or (self.record is not None and self.record.alias_number is not None):
            return False
        if self.kin.how is Kinship.SPLIT and self.policy.split is Split.NEW_ROOM:
            return False
        known = self.kin.how is not Kinship.UNSETTLED and self.kin.record.alias_number is not None
        return known and (self.is_unticketed or self.evidence.status in (TicketStatus.KIN, TicketStatus.OFFLINE))

    @property
    def is_unsettled(self) -> bool:
        """Whether it is worth waiting a little: the other half of a split may be under way."""
        fresh = self.record is None or self.record.alias_number is None
        unsettled = self.kin is not None and self.kin.how is Kinship.UNSETTLED
        return fresh and unsettled and self.policy.split is Split.SAME_ROOM


def alias_source(sight: Sight) -> AliasSource:
    """Say where the alias comes from."""
    evidence, record = sight.evidence, sight.record
    brought = evidence.ticket if evidence.status is TicketStatus.VALID else None
    if record is None or record.alias_number is None:
        if brought is not None:
            return AliasSource.TICKET
        if evidence.status is TicketStatus.ROOM:
            return AliasSource.ROOM
        return AliasSource.KIN if sight.shares else AliasSource.DRAW
    if brought is not None and brought.number != record.alias_number:
        return AliasSource.TICKET  # the button was pressed again: what people read in the invitation counts
    return AliasSource.RECORD


def acceptance(  # noqa: PLR0911 (one return for each way out of the picture above)
    sight: Sight, alias: AliasSource
) -> tuple[Reason, Outcome | None, date | None]:
    """Say why, what is answered, and the day of the occurrence it answers (of the review, for a review)."""
    observation, record = sight.observation, sight.record
    series = observation.kind is Kind.SERIES
    if record is None or not _accepted(observation, record):
        reason, new = _new(sight, alias), Outcome.ACCEPT_NEW_SERIES if series else Outcome.ACCEPT_NEW_SINGLE
        silent = reason is Reason.RECOVERED or (reason is Reason.IMPORTED and observation.response is Response.ACCEPTED)
        return reason, None if silent else new, None
    now_is, told = observation.fingerprint, facts_of(record.replied or "").split(":")[0]
    edited = _EDITED[observation.kind]
    frame = frame_of(now_is)
    if alias is not AliasSource.RECORD or frame not in (frame_of(record.seen), frame_of(told)):
        if alias is AliasSource.RECORD and was_not_kept(observation, record):
            return Reason.UNCHANGED, None, None
        if was_answered_since(observation, record):
            return Reason.RECOVERED, None, None
        return Reason.EDITED, edited, None
    reset = observation.response is not Response.ACCEPTED and not observation.ref.is_message
    said = facts_of(record.replied or "") == facts_of(reply_identity(edited, observation))
    asking = unanswered(observation, record, sight.now)
    if reset and not (said and asking):
        return Reason.ANSWER_WAS_RESET, edited, None
    for changed in asking:
        return Reason.OCCURRENCE_EDITED, Outcome.ACCEPT_EDITED_OCCURRENCE, changed.day
    if now_is not in (record.seen, told):
        return Reason.OCCURRENCES_CHANGED, None, None
    if record.review_at is not None and record.review_at <= sight.now and is_endless(observation):
        asks = sight.policy.review is Review.MAIL
        return Reason.REVIEW, Outcome.ACCEPT_STILL_NEEDED if asks else None, record.review_at.date()
    return Reason.UNCHANGED, None, None


def unanswered(observation: Observation, record: Record, now: datetime) -> list[Changed]:
    """Return the coming occurrences that were changed since we handled them last and that show no yes of ours."""
    if observation.series is None or not observation.changed:
        return []
    known, handled = {one.day: one for one in observation.changed}, set(record.handled)
    fresh = [one for one in observation.series.moved if one not in handled and one.end > now]
    asked = [known[one.day] for one in fresh if one.day in known]
    return [one for one in asked if one.ref is not None and one.response is not Response.ACCEPTED]


def shown_to(observation: Observation, day: date | None) -> tuple[Response | None, datetime | None] | None:
    """Return the answer that the calendar shows, and its time: to one occurrence, or to the whole; None if it is not there."""
    if day is None:
        return observation.response, observation.replied_at
    return next(((one.response, one.replied_at) for one in observation.changed if one.day == day), None)


def is_endless(observation: Observation) -> bool:
    """Whether this is a series without end."""
    return observation.series is not None and observation.series.rule.is_endless


def handled_by(
    observation: Observation, record: Record, decision: "Decision", now: datetime
) -> tuple[tuple[Moved, ...], bool]:
    """Return the changed occurrences that are handled now that all a decision asked for is done, and whether some still wait.

    Occurrences are answered one after the other. A series that is accepted anew is accepted with those it has.
    """
    moved = () if observation.series is None else observation.series.moved
    new = decision.outcome in (Outcome.ACCEPT_NEW_SERIES, Outcome.ACCEPT_NEW_SINGLE) or not _accepted(
        observation, record
    )
    if new or not decision.provide:
        return moved, False
    waiting = {one.day for one in unanswered(observation, record, now)} - {decision.answers_occurrence}
    return tuple(one for one in moved if one.day not in waiting), bool(waiting)


def next_review(
    observation: Observation, record: Record, decision: "Decision", policy: Policy, now: datetime
) -> datetime | None:
    """Return when a series without end is reviewed next; None for what has an end, or has ended."""
    if not decision.provide or not is_endless(observation):
        return None
    if record.review_at is None or decision.reason is Reason.REVIEW:
        return now + policy.review_after
    return record.review_at


def _new(sight: Sight, alias: AliasSource) -> Reason:
    record, status = sight.record, sight.evidence.status
    untold = record is None or record.replied is None
    left = (
        record is not None and record.instructions is InstructionsState.LEFT
    )  # a recovery that broke off promised silence
    genuine = left or status in (TicketStatus.VALID, TicketStatus.KIN, TicketStatus.ROOM)
    if untold and alias is AliasSource.RECORD and record is not None and record.reason == Reason.IMPORTED:
        return Reason.IMPORTED
    told_since = record is not None and was_answered_since(sight.observation, record)
    if (untold or told_since) and sight.observation.response is Response.ACCEPTED and genuine:
        return Reason.RECOVERED
    if sight.kin is not None and sight.kin.how is Kinship.SPLIT:
        return Reason.SPLIT
    if alias is AliasSource.KIN:
        return Reason.KIN
    reasons = {
        TicketStatus.COPIED: Reason.COPY,
        TicketStatus.OFFLINE: Reason.OFFLINE,
        TicketStatus.NONE: Reason.UNTICKETED,
        TicketStatus.FOREIGN: Reason.UNTICKETED,
    }
    return reasons.get(status, Reason.NEW)


def is_unknown(record: Record | None) -> bool:
    """Whether we remember neither an alias of a meeting nor an answer to it."""
    return record is None or (record.alias_number is None and record.replied is None)


def was_not_kept(observation: Observation, record: Record) -> bool:
    """Whether this series was handled by a version of Greenroom that did not keep rules, and shows nothing else that is new."""
    old = record.kind is Kind.SERIES and record.series is None and observation.series is not None
    same = record.span is not None and observation.span is not None and record.span.start == observation.span.start
    return old and same and observation.response is Response.ACCEPTED


def was_answered_since(observation: Observation, record: Record) -> bool:
    """Whether the organizer's last sending was accepted after all that the record tells: it comes from an old backup.

    An answer of ours that hid a sending which nobody had seen is no later than its record, as far as clocks agree.
    """
    replied, sent = observation.replied_at, observation.sent_at
    if observation.response is not Response.ACCEPTED or replied is None or sent is None:
        return False
    return replied >= sent and replied > record.updated_at + _SKEW


def is_resumed(observation: Observation, record: Record) -> bool:
    """Whether this meeting only seemed over, though nobody changed it: the clock had run ahead."""
    return record.state is State.ENDED and record.reason == Reason.OVER and observation.span == record.span


def _accepted(observation: Observation, record: Record) -> bool:
    """Whether the organizer was last told "accepted" and the meeting has lived on since."""
    if record.state in (State.ENDED, State.DECLINED, State.IGNORED) and not is_resumed(observation, record):
        return False
    if record.replied is None:
        return record.state is State.SCHEDULED  # recovered: the organizer was told in an earlier life
    return Outcome(record.replied.partition(":")[0]).accepts
