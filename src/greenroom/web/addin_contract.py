"""What the add-in's API needs of others: reservations, and a person's own rooms.

```
AddinProblem                 tell the page, which tells the person; nothing was changed
├── TooManyUnclaimedError    this person has asked for too many rooms that no invitation has brought
├── TicketGoneError          that ticket cannot be used (any more): another one is needed (`reason`)
├── NoSuchRoomError          no personal room of this person has that id
└── NotPossibleError         this cannot be done now (`code`, `after`): the database or the platform does not answer
```
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from greenroom.web.identity.contract import Caller


class Kind(StrEnum):
    """What a block in an invitation is: a room for this meeting alone, one of the person's own, or a promise of the first."""

    VMR = "vmr"
    PERSONAL = "personal"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Instructions:
    """What the page writes into the meeting: text for both kinds of bodies, already wrapped so that it is found again."""

    kind: Kind
    ticket: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    location: str = field(default="", repr=False)
    join_url: str = field(default="", repr=False)
    alias: str = field(default="", repr=False)
    numeric_alias: str = field(default="", repr=False)
    expires_at: datetime | None = None
    claimed: bool = False  # whether a meeting has brought this ticket already


@dataclass(frozen=True, slots=True)
class PersonalRoomEntry:
    """One of the caller's own rooms, as the page offers it. `id` is opaque and means nothing without its owner's token."""

    id: str
    name: str = field(repr=False)
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Reservations for the time that nobody answers, and the promise that is used when they are used up."""

    reservations: tuple[Instructions, ...]
    offline: Instructions


class AddinProblemError(Exception):
    """Base of all below."""


class TooManyUnclaimedError(AddinProblemError):
    """Asked for too many rooms that no invitation has brought yet."""


class TicketGoneError(AddinProblemError):
    """The ticket cannot be used: "released", "taken" (another person's or meeting's), "deleted", "invalid", "other-kind"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoSuchRoomError(AddinProblemError):
    """No such room of this person."""


class NotPossibleError(AddinProblemError):
    """It cannot be done now. The text is a code."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class Reserving(Protocol):
    """Reservations of one integration. Every method may raise NotPossibleError."""

    async def reserve(self, caller: Caller, request_id: str) -> Instructions:
        """Set an alias aside; the same `request_id` of the same person gives the same reservation. Raises TooManyUnclaimedError."""
        ...

    async def refresh(self, caller: Caller, ticket: str) -> Instructions:
        """Render the instructions of a ticket anew and keep its reservation longer. Raises TicketGoneError."""
        ...

    async def release(self, caller: Caller, ticket: str) -> None:
        """Give back a reservation of this person that no meeting has brought. Safe to repeat; a claimed one stays as it is."""
        ...

    async def ahead(self, caller: Caller, count: int) -> Ahead:
        """Set aliases aside for a person to keep, at most `count`; fewer where the person has asked for too many."""
        ...


class PersonalRooms(Protocol):
    """The permanent rooms of people. Every method may raise NotPossibleError."""

    async def of(self, caller: Caller) -> Sequence[PersonalRoomEntry]:
        """Return the rooms of this person; none for somebody whose address is not known."""
        ...

    async def instructions(self, caller: Caller, room_id: str) -> Instructions:
        """Return what to write for one of these rooms. Raises NoSuchRoomError."""
        ...
