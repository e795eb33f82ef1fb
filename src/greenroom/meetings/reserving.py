"""What people ask for before there is an invitation: aliases set aside, and what the add-in writes into the meeting.

```
AddinProblemError             tell the page, which tells the person; nothing was changed
├── TooManyUnclaimedError     this person has asked for too many rooms that no invitation has brought
├── TicketGoneError           that ticket cannot be used (any more): another one is needed (`reason`)
├── NoSuchRoomError           no personal room of this person has that id
└── NotPossibleError          this cannot be done now (`code`, `after`): the database or the platform does not answer
```
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a block in an invitation is: a room for this meeting alone, one of the person's own, or a promise of the first."""

    VMR = "vmr"
    PERSONAL = "personal"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Instructions:
    """What the page writes into the meeting: text for both kinds of bodies, already wrapped so that it is found again.

    `location` has at most 255 characters. `expires_at` is until when an unclaimed reservation is kept.
    """

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
    asked: bool = False  # whether a page asked for it; else the service made it for a meeting by itself
    repeated: bool = False  # whether the same request had been answered with it before


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
    """The ticket cannot be used: "taken" (the number is another ticket's by now), "deleted", "invalid" or "other-kind"."""

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
