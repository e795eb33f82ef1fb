"""Rooms as they are told to whoever keeps all of them in memory: see `room_feed`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from greenroom.storage.schema import counters, rooms
from greenroom.storage.session import Session


class FeedRoom(NamedTuple):
    """One room as it is now. `admission` is its text, unread: there are many, and few are asked for.

    `closes_at` is when its last window closes, None if that is never or not known; `retired_at` is None while it lives.
    `former_name` is what it was called until `renamed_at`.
    """

    integration: int
    mark: str
    alias: str
    numeric: str
    name: str
    description: str
    owner: str
    host_pin: str | None
    guest_pin: str | None
    admission: str
    closes_at: datetime | None
    retired_at: datetime | None
    former_name: str | None
    renamed_at: datetime | None
    version: int

    def __repr__(self) -> str:
        """Name it without what people wrote, and without PINs."""
        return f"FeedRoom({self.integration}, {self.mark!r}, version={self.version})"


_COLUMNS = (
    rooms.c.integration,
    rooms.c.mark,
    rooms.c.alias,
    rooms.c.alias_numeric,
    rooms.c.name,
    rooms.c.description,
    rooms.c.owner,
    rooms.c.host_pin,
    rooms.c.guest_pin,
    rooms.c.admission,
    rooms.c.closes_at,
    rooms.c.retired_at,
    rooms.c.former_name,
    rooms.c.renamed_at,
    rooms.c.version,
)
_ROOMS: sa.Select[Any] = sa.select(*_COLUMNS)


class FedRooms:
    """The questions of the feed, within a transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def head(self) -> int:
        """Return the number of the last change; 0 if there was none."""
        asked = sa.select(counters.c.value).where(counters.c.name == "rooms")
        return (await self._session.execute(asked)).scalar_one_or_none() or 0

    async def changes(self, after: int, limit: int) -> list[FeedRoom]:
        """Return what changed behind a version, in order, each room as it is now."""
        return await self._told(_ROOMS.where(rooms.c.version > after).order_by(rooms.c.version).limit(limit))

    async def page(self, integration: int, closing_after: datetime, behind: str, limit: int) -> list[FeedRoom]:
        """Return rooms that somebody may still dial, in the order of their marks: see `RoomFeed.everything`."""
        mine = (rooms.c.integration == integration) & (rooms.c.mark > behind)
        lives = rooms.c.retired_at.is_(None) & (rooms.c.closes_at.is_(None) | (rooms.c.closes_at > closing_after))
        wanted = lives | (rooms.c.retired_at > closing_after)
        return await self._told(_ROOMS.where(mine & wanted).order_by(rooms.c.mark).limit(limit))

    async def by_aliases(self, names: Sequence[str]) -> list[FeedRoom]:
        """Return rooms and tombstones that have one of these aliases or numeric aliases."""
        return await self._told(_ROOMS.where(rooms.c.alias.in_(names) | rooms.c.alias_numeric.in_(names)))

    async def _told(self, question: sa.Select[Any]) -> list[FeedRoom]:
        return [FeedRoom._make(row) for row in await self._session.execute(question)]
