"""What was done for a meeting, as storage keeps it: the other half of every decision.

States of a record:

```
            ┌────────────── retry ──────────────┐
            ▼                                   │
 seen ──▶ PENDING ──room and reply done──▶ SCHEDULED ──cancelled, removed, over──▶ ENDED ──invited again──▶ PENDING
            │ ▲                                 │
            │ └── platform is back ── DEFECTIVE ◀── platform out of reach
            ├── refused ──▶ DECLINED ──moved, corrected──▶ PENDING
            └── not ours to answer ──▶ IGNORED
```
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.recurrence import Moved, Series


class State(StrEnum):
    """Where a meeting stands."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    DEFECTIVE = "defective"
    DECLINED = "declined"
    IGNORED = "ignored"
    ENDED = "ended"


class InstructionsState(StrEnum):
    """Where the joining instructions are."""

    NONE = "none"
    PRESENT = "present"  # the invitation brought them, with their ticket
    WRITTEN = "written"  # we wrote them into the organizer's meeting
    IN_REPLY = "in-reply"  # the organizer's meeting could not be changed; the reply carries them
    LEFT = (
        "left"  # nowhere, as a recovery was told to write to nobody; the organizer learns of them with the next change
    )


@dataclass(frozen=True, slots=True)
class Record:
    """One meeting of one integration. Times are aware and in UTC; `None` means "not done" or "not known".

    seen                fingerprint of the last observation handled to its end
    alias_number,       the reserved alias, the id of the ring's key that its ticket, PIN and join id come from, and the
    alias_key,          ticket's time of issue
    issued_at
    room                fingerprint of the RoomSpec the platform was last told
    replied             what the last reply said (`reply.reply_identity`); "<outcome>:" if that no longer holds
    replying            the same for a reply that is about to be sent: after a crash it says "look first"
    answered_before     the mailbox's answer time at the moment `replying` was stored
    retry_at, attempts  when to look again after a transient fault, and how often that was so; both stay until all is done
    series              the recurrence as last observed; None for what does not recur, or whose rule cannot be said
    handled             those of its changed occurrences that were handled to their end
    held                the running occurrence as it was announced, from start to end: an edit of the series does not end it
    room_mark           the mark of the room it shares with a meeting of another key; None: its own (`key.digest`)
    review_at           when an endless series is asked about next; None for what has an end
    adopted             the alias as it was taken over from another system, where the alias plan does not spell `alias_number`;
                        such a room has no PIN, since its invitation names none
    warned_at           when the organizer was told that the room is late; None: not since it was last there
    """

    integration: int
    key: MeetingKey
    correlation_id: str
    state: State
    kind: Kind
    organizer: str
    ref: ItemRef
    created_at: datetime
    updated_at: datetime
    span: Span | None = None
    title: str = field(default="", repr=False)
    reason: str = ""
    seen: str | None = None
    alias_number: int | None = None
    alias_key: int | None = None
    issued_at: datetime | None = None
    room: str | None = None
    instructions: InstructionsState = InstructionsState.NONE
    replied: str | None = None
    replying: str | None = None
    answered_before: datetime | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    series: Series | None = None
    handled: tuple[Moved, ...] = ()
    held: tuple[datetime, datetime] | None = None
    room_mark: str | None = None
    review_at: datetime | None = None
    adopted: Alias | None = None
    warned_at: datetime | None = None

    @property
    def mark(self) -> str:
        """The mark of the room that serves this meeting."""
        return self.room_mark or self.key.digest


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of a meeting's timeline: what was seen, decided, done or replied, and why. No content, only codes."""

    integration: int
    key: MeetingKey
    correlation_id: str
    at: datetime
    step: str
    code: str
    detail: str = ""
