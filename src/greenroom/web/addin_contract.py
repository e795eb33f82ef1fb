"""What the add-in's API needs of others: reservations, and a person's own rooms.

Values and errors are those of `greenroom.meetings.reserving`, which whoever implements this may import, too.
"""

from collections.abc import Sequence
from typing import Protocol

from greenroom.meetings.reserving import (
    AddinProblemError,
    Ahead,
    Instructions,
    Kind,
    NoSuchRoomError,
    NotPossibleError,
    PersonalRoomEntry,
    TicketGoneError,
    TooManyUnclaimedError,
)
from greenroom.web.identity.contract import Caller

__all__ = [
    "AddinProblemError",
    "Ahead",
    "Instructions",
    "Kind",
    "NoSuchRoomError",
    "NotPossibleError",
    "PersonalRoomEntry",
    "PersonalRooms",
    "Reserving",
    "TicketGoneError",
    "TooManyUnclaimedError",
]


class Reserving(Protocol):
    """Reservations of one integration. Every method may raise NotPossibleError."""

    async def reserve(self, caller: Caller, request_id: str) -> Instructions:
        """Set an alias aside; the same `request_id` of the same person gives the same reservation. Raises TooManyUnclaimedError."""
        ...

    async def refresh(self, caller: Caller, ticket: str) -> Instructions:
        """Render the instructions of a ticket anew and keep its reservation longer.

        Raises TicketGoneError; where the reservation had been given back or forgotten also TooManyUnclaimedError.
        """
        ...

    async def release(self, caller: Caller, ticket: str) -> None:
        """Give back a reservation of this person that no meeting has brought. Safe to repeat; anything else stays as it is."""
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
