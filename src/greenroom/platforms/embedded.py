"""The platform that needs no other: rooms in our own database, entered through the join page.

The join page lets people in only within the admission window, so nobody has to open or close anything. It asks for no
PIN; where a PIN is in the specification it is shown to those who may know it, for the conference system behind the
page.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.contract import Capabilities, OwnedRoom, PersonalRoom
from greenroom.platforms.errors import AliasTakenError


class RoomStore(Protocol):
    """Where the rooms of one integration are kept; each call stores durably before it returns.

    What the store itself raises passes through: without its database Greenroom could not remember the result either.
    """

    async def ensure(self, spec: RoomSpec) -> bool:
        """Create or replace the room that carries `spec.mark`; False if another live room has its alias."""
        ...

    async def retire(self, mark: str) -> None:
        """Let the room that carries this mark live no more; the join page still knows it. Safe without a room."""
        ...

    def living(self) -> AsyncIterator[RoomSpec]:
        """Tell every room that lives."""
        ...

    async def check(self) -> None:
        """Reach the store once; raises what is wrong."""
        ...


class EmbeddedPlatform:
    """Rooms of one integration. Keeps the contract of `Platform`."""

    def __init__(self, rooms: RoomStore) -> None:
        self._rooms = rooms

    @property
    def capabilities(self) -> Capabilities:
        """The join page judges the time; PINs are kept with the room."""
        return Capabilities(judges_time=True, pins=True, closes=True, lists=True)

    async def ensure(self, spec: RoomSpec) -> None:
        """Make the room exist as specified. Raises AliasTakenError."""
        if not await self._rooms.ensure(spec):
            raise AliasTakenError(f"alias number {spec.alias.number} belongs to another room")

    async def retire(self, mark: str) -> None:
        """Let nobody in any more; the join page says why."""
        await self._rooms.retire(mark)

    async def tend(self) -> datetime | None:
        """Nothing is ever due: the join page asks the clock itself."""
        return None

    async def owned(self) -> AsyncIterator[OwnedRoom]:
        """Tell every room that lives."""
        async for spec in self._rooms.living():
            yield OwnedRoom(spec.mark, spec.mark, (spec.alias.name, spec.alias.numeric))

    async def personal_rooms(self, owner: str) -> Sequence[PersonalRoom]:  # noqa: ARG002 (the contract's)
        """There are none here."""
        return ()

    async def check(self) -> None:
        """Reach the store once."""
        await self._rooms.check()

    async def close(self) -> None:
        """Nothing to do: the store belongs to the assembly."""
