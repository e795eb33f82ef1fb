"""What the web needs of others: rooms by join id, and where a room of an integration is met."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from greenroom.meetings.admission import Times
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.zones import Zone


class RoomsUnavailableError(Exception):
    """Rooms cannot be looked up now; the visitor may try again. The text is a code."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A meeting in a room: when it takes place, and the time zone its organizer planned it in."""

    times: Times = field(repr=False)
    zone: Zone


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """A room behind a join link.

    `retired_at` is when it was closed for good (None: it lives). `planned` are the meetings that meet in it, one or more, as
    far as anything is known of them: only the organizers' zones are taken from there, who gets in when is `spec.admission`.
    """

    integration: int
    spec: RoomSpec = field(repr=False)
    retired_at: datetime | None = None
    planned: tuple[Planned, ...] = ()


class RoomLookup(Protocol):
    """Finds rooms."""

    async def by_join_id(self, join_id: str) -> JoinRoom | None:
        """Return the room behind a join link, also one that is over or cancelled. Raises RoomsUnavailableError."""
        ...
