"""The rooms of one integration as the embedded platform uses them: every call is a transaction of its own."""

from collections.abc import Callable
from datetime import datetime

from greenroom.meetings.room import RoomSpec
from greenroom.storage.database import Storage
from greenroom.storage.errors import AliasHeldError


class RoomStore:
    """Keeps rooms in the database. `clock` tells when a room was retired (aware, UTC)."""

    def __init__(self, storage: Storage, integration: int, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._integration = integration
        self._clock = clock

    async def ensure(self, spec: RoomSpec) -> bool:
        """Make the room live as specified; False if another live room has its alias. Raises StorageError."""
        try:
            async with self._storage.work() as work:
                await work.rooms.upsert(self._integration, spec)
        except AliasHeldError:
            return False
        return True

    async def retire(self, mark: str) -> None:
        """Turn the room into a tombstone, if there is one. Raises StorageError."""
        async with self._storage.work() as work:
            await work.rooms.retire(self._integration, mark, self._clock())

    async def check(self) -> None:
        """Reach the database once. Raises StorageError."""
        await self._storage.check()
