"""The answers a mailbox gives, which text says each, and which of them are worth a mail."""

import hashlib
from datetime import date, datetime
from enum import StrEnum

from greenroom.meetings.meeting import Observation
from greenroom.meetings.policy import Replies


class Outcome(StrEnum):
    """What a reply says. The value is stored and journalled, and is also the name of the text that says it.

    ACCEPT_STILL_NEEDED says yes once more to a series without end, and asks whether it is still needed.
    """

    ACCEPT_NEW_SINGLE = "accept_new_single"
    ACCEPT_NEW_SERIES = "accept_new_series"
    ACCEPT_EDITED_SINGLE = "accept_edited_single"
    ACCEPT_EDITED_SERIES = "accept_edited_series"
    ACCEPT_EDITED_OCCURRENCE = "accept_edited_occurrence"
    ACCEPT_STILL_NEEDED = "accept_still_needed"
    DECLINE_INVALID_TICKET = "decline_invalid_ticket"
    DECLINE_ALIAS_DELETED = "decline_alias_deleted"
    DECLINE_ALIAS_CONFLICT = "decline_alias_conflict"
    DECLINE_PAST_SINGLE = "decline_past_single"
    DECLINE_PAST_SERIES = "decline_past_series"
    DECLINE_ERROR = "decline_error"

    @property
    def accepts(self) -> bool:
        """Whether the meeting is accepted; only then does a room stand behind the reply."""
        return self.value.startswith("accept_")

    @property
    def text(self) -> str:
        """Name of the text for `Texts.render`."""
        return self.value


ROOM_LATE = "room_late"
"""Name of the text that tells an organizer that the room is not there yet. No outcome: nothing is settled by it."""

_ALWAYS = (Outcome.ACCEPT_NEW_SINGLE, Outcome.ACCEPT_NEW_SERIES, Outcome.ACCEPT_STILL_NEEDED)


def reply_identity(outcome: Outcome, observation: Observation, day: date | None = None) -> str:
    """Name a reply so that it is sent once: what it says, about which facts, to which sending of the organizer's.

    Behind the "#" stands when the meeting is: it tells a later change of the time from one of the text. Behind an "@" stands
    the day of the one occurrence it answers, or of the review that asks.
    """
    sent = "" if observation.sent_at is None else observation.sent_at.isoformat()
    about = "" if day is None else f"@{day.isoformat()}"
    return f"{outcome.value}:{observation.fingerprint}:{sent}#{timing(observation)}{about}"


def day_of(identity: str) -> date | None:
    """Return the day behind the "@" of an identity; None where there is none."""
    day = identity.partition("#")[2].partition("@")[2]
    return date.fromisoformat(day) if day else None


def facts_of(identity: str) -> str:
    """Return the part of a reply's identity that names facts and sending; empty where what it told no longer holds."""
    return identity.partition(":")[2].partition("#")[0]


def answers(identity: str, sent_at: datetime) -> bool:
    """Whether a reply answered the sending of this moment; one whose facts do not hold any more may have."""
    told = facts_of(identity).partition(":")[2]
    return told in ("", sent_at.isoformat())


def timing(observation: Observation) -> str:
    """Hash when a meeting is, its recurrence included (16 hex digits)."""
    span = observation.span
    when = "" if span is None else f"{span.start.isoformat()}/{span.end.isoformat()}/{span.all_day}"
    parts = (observation.kind.value, when, observation.rule or "")
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_worth_a_mail(
    outcome: Outcome, observation: Observation, told: str | None, replies: Replies, *, renewed: bool
) -> bool:
    """Whether an answer is mailed, or only marked in the calendar.

    `told` is the identity of the reply before, if any; `renewed` says that the meeting has another alias than that reply told.
    A decline for another reason than before is mailed: its reason stands nowhere else.
    """
    if told is None or replies is Replies.ALL or outcome in _ALWAYS:
        return True
    before = Outcome(told.partition(":")[0])
    if before.accepts is not outcome.accepts or (before is not outcome and not outcome.accepts):
        return True
    return replies is Replies.CHANGES and (renewed or told.partition("#")[2].partition("@")[0] != timing(observation))
