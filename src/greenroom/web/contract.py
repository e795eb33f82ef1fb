"""What the web needs of others: rooms by join id, and where a room of an integration is met."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from greenroom.meetings.room import RoomSpec


class RoomsUnavailableError(Exception):
    """Rooms cannot be looked up now; the visitor may try again."""


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """A room behind a join link.

    `retired_at` is when it was closed for good (None: it lives). `zone` is the organizer's time zone as the calendar named
    it, a Windows or an IANA name, or None.
    """

    integration: int
    spec: RoomSpec = field(repr=False)
    retired_at: datetime | None = None
    zone: str | None = None


class RoomLookup(Protocol):
    """Finds rooms."""

    async def by_join_id(self, join_id: str) -> JoinRoom | None:
        """Return the room behind a join link, also one that is over or cancelled. Raises RoomsUnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """How the rooms of one integration are entered.

    `meeting_url`, the second parts of `dial`, and `phone` are patterns with {alias}, {numeric_alias} and {join_id}.
    """

    meeting_url: str | None = None
    dial: tuple[tuple[str, str], ...] = ()
    phone: str = ""
