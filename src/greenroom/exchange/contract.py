"""The contract every calendar adapter keeps, whichever protocol it speaks.

One `Mailbox` is one equipment mailbox. Changes come as cheap glances; the scheduler reads only what it does not recognise.
Every method may raise `ExchangeError` (see `errors`): `TryLaterError`, `SignInError` and `MisconfiguredError` concern the
whole call; what concerns one item only is told per item.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from greenroom.exchange.errors import ExchangeError
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Observation

Cursor = str
"""An adapter's place in the feed, opaque to everybody else; the empty text is the beginning."""


@dataclass(frozen=True, slots=True)
class Changes:
    """One slice of the feed.

    `glances` may hold an item twice or one of our own writes; `gone` are ids of items that left the calendar or inbox.
    Storing `cursor` says: these have been handled. With `more` the next slice is ready at once.
    """

    glances: tuple[Glance, ...]
    gone: tuple[str, ...]
    cursor: Cursor
    more: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that cannot be read now (`error` says which kind), or is no meeting at all (`error` None)."""

    ref: ItemRef
    error: ExchangeError | None = None


class Verdict(StrEnum):
    """How the mailbox answers."""

    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to be sent to the organizer. `body_html` is ours (a rendered template)."""

    ref: ItemRef
    verdict: Verdict
    body_html: str = field(repr=False)
    send: bool = True


@dataclass(frozen=True, slots=True)
class ReplyResult:
    """What became of one reply: `error` None means sent."""

    ref: ItemRef
    error: ExchangeError | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """The changeable text of the organizer's own meeting."""

    body_html: str = field(repr=False)
    location: str = field(repr=False)


InvitationEdit = Callable[[Invitation], Invitation | None]
"""Pure: returns the text as it should be, or None when nothing needs to change. May be called again after a conflict."""


class UpdateResult(StrEnum):
    """What became of an update of the organizer's meeting."""

    WRITTEN = "written"
    PRESENT = "present"  # the edit found nothing to change
    REFUSED = "refused"  # no right for this organizer, or the organizer is elsewhere
    NOT_FOUND = "not-found"  # the organizer's calendar has no such meeting


class Mailbox(Protocol):
    """One equipment mailbox and, where allowed, its organizers' calendars."""

    @property
    def address(self) -> str:
        """The mailbox's SMTP address, lower case."""
        ...

    async def changes(self, cursor: Cursor, *, limit: int) -> Changes:
        """Return at most about `limit` changes since `cursor`. Raises CursorExpiredError."""
        ...

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items now, in batches. A message whose calendar item exists yields the calendar item's observation.

        An item that is gone yields Unreadable with ItemGoneError; the result may be shorter than `refs` where
        several lead to one meeting.
        """
        ...

    async def find(self, key: MeetingKey) -> Observation | None:
        """Find a meeting in this mailbox's calendar by its key; None if it is not there.

        Raises what keeps it from being read (TryLaterError, ItemBrokenError): only what is gone is None.
        """
        ...

    async def respond(self, replies: Sequence[Reply]) -> list[ReplyResult]:
        """Send replies, many in one request; one result per reply, in order.

        Raises OutcomeUnknownError if some may have been sent and the caller must look first.
        """
        ...

    async def update_invitation(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        """Change the organizer's own meeting and send the update to the attendees; conflicts are retried from a new read."""
        ...

    def wakeups(self) -> AsyncIterator[None]:
        """Yield whenever Exchange hints that something changed. Ends or fails quietly at any time; polling is enough."""
        ...

    async def check(self) -> None:
        """Sign in and look at the calendar folder once; raises what is wrong."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
