"""The contract every calendar adapter keeps, whichever protocol it speaks.

One `Mailbox` is one equipment mailbox. Changes come as cheap glances; the scheduler reads only what it does not recognise.
`OrganizerCalendars` is the half of it that changes organizers' own meetings; in a hybrid organisation a second one stands beside.
Every method may raise `ExchangeError` (see `errors`): `TryLaterError`, `SignInError` and `MisconfiguredError` concern the
whole call; what concerns one item only is told per item.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from greenroom.exchange.errors import ExchangeError
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Observation, Response

Cursor = str
"""An adapter's place in the feed, opaque to everybody else; the empty text is the beginning."""

MARKS = ("Watcher", "Contender")
"""The names of marks (`Mailbox.mark`): a protocol that names each property it reads asks for these."""


@dataclass(frozen=True, slots=True)
class Changes:
    """One slice of the feed.

    `glances` may hold an item twice or one of our own writes; `gone` are ids of items that left the calendar or inbox, where
    the protocol tells them (Graph does not: `Mailbox.inventory` finds them out). Storing `cursor` says: these have been
    handled. With `more` the next slice is ready at once.
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
    TENTATIVE = "tentative"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to be sent to the organizer. `body_html` is ours (a rendered template)."""

    ref: ItemRef
    verdict: Verdict
    body_html: str = field(repr=False)
    send: bool = True


@dataclass(frozen=True, slots=True)
class ReplyResult:
    """What became of one reply: `error` None means done.

    `mailed` is False where only the calendar was marked: as asked for, or because Exchange mails no answer to this meeting.
    """

    ref: ItemRef
    error: ExchangeError | None = None
    mailed: bool = True


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
    REFUSED = "refused"  # no right for this organizer
    ELSEWHERE = "elsewhere"  # the organizer's mailbox is not on this side: another Exchange, another organisation
    NOT_FOUND = "not-found"  # the organizer's calendar has no such meeting


TRIAL = "Trial"
"""The name of the mark on a trial: a property like those of `MARKS`, whose text is the attendee's address."""


class Hint(StrEnum):
    """What a notification asks for."""

    LOOK = "look"  # something changed: read the feed
    RECONCILE = "reconcile"  # notifications were lost: compare everything


class Access(StrEnum):
    """Whether somebody's calendar can be opened."""

    YES = "yes"
    NO = "no"  # no right for this person
    ELSEWHERE = "elsewhere"  # the mailbox is not on this side
    NOT_FOUND = "not-found"  # nobody here has this address


@dataclass(frozen=True, slots=True)
class Permitted:
    """Whether we may open somebody's calendar; `code` is Exchange's own word where not."""

    access: Access
    code: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A meeting that is booked to see what becomes of it; times are aware and in UTC."""

    subject: str = field(repr=False)
    body_html: str = field(repr=False)
    start: datetime
    end: datetime
    private: bool = False


@dataclass(frozen=True, slots=True)
class TrialMeeting:
    """A trial as it stands in its organizer's calendar, and how its one attendee answered."""

    ref: ItemRef
    key: MeetingKey
    start: datetime | None = None
    invitation: Invitation = field(default=Invitation("", ""), repr=False)
    response: Response = Response.NONE
    replied_at: datetime | None = None


class OrganizerCalendars(Protocol):
    """The calendars of organizers, as far as we may change them."""

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the secret or certificate that signs in runs out; None where that is not known."""
        ...

    async def update_invitation(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        """Change the organizer's own meeting and send the update to the attendees; conflicts are retried from a new read.

        The key of one occurrence changes that occurrence alone; that of a series also those of its coming occurrences that have
        a text of their own.
        """
        ...

    async def may_act_for(self, person: str) -> Permitted:
        """Look whether this person's calendar can be opened, as for their meetings; nothing is changed."""
        ...

    async def book_trial(self, organizer: str, attendee: str, trial: Trial) -> None:
        """Book a meeting in the organizer's calendar that invites this one attendee, and mark it as a trial of theirs.

        Raises NotPermittedError, and MisconfiguredError where the organizer is not on this side; after OutcomeUnknownError
        `trials` tells whether it is there.
        """
        ...

    async def trials(self, organizer: str, attendee: str) -> Sequence[TrialMeeting]:
        """Return what is marked as a trial of this attendee in the organizer's calendar; raises like `book_trial`."""
        ...

    async def cancel_trial(self, organizer: str, ref: ItemRef) -> None:
        """Cancel a trial and take it out of the organizer's calendar. One that is gone is well; raises like `book_trial`."""
        ...

    async def check(self) -> None:
        """Sign in and look at the mailbox's calendar folder once; raises what is wrong."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Mailbox(OrganizerCalendars, Protocol):
    """One equipment mailbox and, where allowed, its organizers' calendars."""

    @property
    def address(self) -> str:
        """The mailbox's SMTP address, lower case."""
        ...

    @property
    def sends_per_minute(self) -> int | None:
        """How many messages Exchange lets this mailbox send a minute (a reply is one); None where it does not limit them."""
        ...

    async def changes(self, cursor: Cursor, *, limit: int) -> Changes:
        """Return at most about `limit` changes since `cursor`. Raises CursorExpiredError."""
        ...

    async def inventory(self, since: datetime) -> list[Glance]:
        """List every meeting in the calendar that is not over at `since` (perhaps more), as cheaply as the protocol can.

        What is not in it has left the calendar. Nothing is remembered: the feed goes on where it was.
        """
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
        """Send replies, many in one request where the protocol can; one result per reply, in order.

        OutcomeUnknownError, raised or as a result, says that a reply may have been sent and the caller must look first.
        """
        ...

    def pages(
        self, since: datetime, until: datetime | None = None
    ) -> AsyncIterator[Sequence[Observation | Unreadable]]:
        """Read every meeting in the calendar that is not over at `since` and begins before `until` (perhaps more), page by page.

        For walks through the whole calendar: the cheapest way the protocol has to read many meetings with their texts, about
        a hundred at a time, so that memory does not grow with the calendar. By start, the soonest first, as far as the
        protocol sorts; a series comes where its first occurrence is. The mailbox's own meetings may be among them, messages
        are not. Nothing is remembered.
        """
        ...

    async def marks(self) -> Mapping[str, str]:
        """Return the texts that `mark` left on the calendar folder, by name: what other Greenrooms that attend it left, too."""
        ...

    async def mark(self, name: str, text: str | None) -> None:
        """Leave a text of at most 1,000 characters on the calendar folder, or take it away (None); people do not see it.

        A named string property of the folder (PS_PUBLIC_STRINGS, `Greenroom-<name>`), the same over every protocol. Raises
        NotPermittedError where the folder may not be changed.
        """
        ...

    def wakeups(self) -> AsyncIterator[Hint]:
        """Yield whenever Exchange hints that something changed. Ends or fails quietly at any time; polling is enough."""
        ...
