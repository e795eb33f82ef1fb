"""What the repositories return besides the values of the domain."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import State
from greenroom.meetings.room import Provision, RoomSpec


@dataclass(frozen=True, slots=True)
class MailboxState:
    """Where we are with one equipment mailbox. Times are aware and in UTC, None for "never".

    `cursor` is the adapter's place in the feed, empty for the beginning. `failure` is the code of what kept the last
    pass from its end, None if it succeeded. `claimed_by` names the process that attends the mailbox until
    `claimed_until`. `waiting_replies` says how many replies stand in line (None: this was never told) and
    `replies_end_at` when the last of them is expected to go out. `credential_expires_at` is the end of the secret or
    certificate that signs in (with two Exchanges, the end that comes first), `reconciled_at` when everything was last compared.
    `wanted_by` names a command that asks for the mailbox until `wanted_until`. `backlog_total` is how many meetings waited when
    catching up began at `backlog_since`, `backlog_done` how many of them are done (None: nothing is being caught up with).
    `drift_at` is when calendar, database and platform were last held against each other.
    """

    address: str
    cursor: str = ""
    last_pass_at: datetime | None = None
    last_success_at: datetime | None = None
    failure: str | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    waiting_replies: int | None = None
    replies_end_at: datetime | None = None
    credential_expires_at: datetime | None = None
    reconciled_at: datetime | None = None
    wanted_by: str | None = None
    wanted_until: datetime | None = None
    backlog_total: int | None = None
    backlog_done: int | None = None
    backlog_since: datetime | None = None
    drift_at: datetime | None = None

    def lag(self, now: datetime) -> timedelta | None:
        """Return how old the oldest unhandled change can be at most; None where nothing is known of it.

        All that changed before the last good pass was handled, so nothing older than that waits. Before the first one it is not
        known how far the changes go back; then it is told how long they have been caught up with.
        """
        known = self.last_success_at or self.backlog_since
        return None if known is None else max(now - known, timedelta())


class Side(StrEnum):
    """One of the two Exchanges of a hybrid organisation: the integration's own, or the one named beside it."""

    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class OrganizerRoute:
    """The side that knew an organizer (address in lower case) when it was last asked."""

    organizer: str
    side: Side
    learned_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """As much of a meeting's record as is needed to compare it with its calendar; see `Record` for the fields."""

    key: MeetingKey
    state: State
    kind: Kind
    ref: ItemRef
    span: Span | None
    reason: str
    seen: str | None
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reservation:
    """An alias number that was given out, and the meeting that brought its ticket first (None: not seen yet).

    A reservation with `deleted_at` is a tombstone: the number is not given out again and no meeting gets it.

    Of one that the add-in was asked for it is also known by whom (`asked_by`, a digest), as which request, and with which key the
    ticket was signed. It is kept until `expires_at`, or for good (None) once a meeting has brought it.
    """

    number: int
    integration: int
    key: MeetingKey | None
    issued_at: datetime
    deleted_at: datetime | None = None
    asked_by: str | None = None
    request_id: str | None = None
    key_id: int | None = None
    expires_at: datetime | None = None


class RoomEnd(StrEnum):
    """Why a room is no more."""

    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StoredRoom:
    """What was specified of a room, when it was retired (None: it lives), and what is known of it at its platform.

    `former_name` is what it was called until `renamed_at`: whoever was let in before sits in a conference of that name.
    """

    integration: int
    spec: RoomSpec = field(repr=False)
    retired_at: datetime | None = None
    former_name: str | None = field(default=None, repr=False)
    renamed_at: datetime | None = None
    there: Provision = field(default_factory=Provision)

    @property
    def mark(self) -> str:
        """The meeting key's digest, by which the room is found again."""
        return self.spec.mark

    @property
    def reason(self) -> RoomEnd | None:
        """Why it was retired: after its last window, or before (cancelled, removed, declined). None while it lives."""
        if self.retired_at is None:
            return None
        return RoomEnd.OVER if self.spec.admission.is_over(self.retired_at) else RoomEnd.CANCELLED
