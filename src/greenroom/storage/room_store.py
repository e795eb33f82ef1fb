"""The rooms of one integration as its platform uses them: every call is a transaction of its own."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

from greenroom.meetings.room import Provision, RoomSpec
from greenroom.storage.database import Storage
from greenroom.storage.errors import AliasHeldError
from greenroom.storage.values import StoredRoom

_AT_ONCE = 500


class RoomStore:
    """Keeps rooms in the database. `clock` tells when a room was retired (aware, UTC). All methods raise StorageError.

    `quarantine` is how long the alias of a retired room is given to no other. `changed` is called behind every change of what a
    caller meets, once it is stored.
    """

    def __init__(
        self,
        storage: Storage,
        integration: int,
        clock: Callable[[], datetime],
        quarantine: timedelta = timedelta(),
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._storage = storage
        self._integration = integration
        self._clock = clock
        self._quarantine = quarantine
        self._changed = changed

    async def ensure(self, spec: RoomSpec, *, due_at: datetime | None = None) -> bool:
        """Make the room live as specified; False if another live room has its alias, or a retired one had it lately."""
        since = self._clock() - self._quarantine if self._quarantine else None
        try:
            async with self._storage.work() as work:
                await work.rooms.upsert(
                    self._integration, spec, at=self._clock(), due_at=due_at, quarantined_since=since
                )
        except AliasHeldError:
            return False
        self._changed()
        return True

    async def retire(self, mark: str, *, due_at: datetime | None = None) -> None:
        """Turn the room into a tombstone, if there is one."""
        async with self._storage.work() as work:
            await work.rooms.retire(self._integration, mark, self._clock(), due_at=due_at)
        self._changed()

    async def get(self, mark: str) -> StoredRoom | None:
        """Return the room, living or a tombstone."""
        async with self._storage.reading() as work:
            return await work.rooms.by_mark(self._integration, mark)

    async def note(self, mark: str, there: Provision) -> None:
        """Remember what is at the platform now."""
        async with self._storage.work() as work:
            await work.rooms.note(self._integration, mark, there)

    async def due(self, now: datetime, limit: int, *, unmade: bool) -> Sequence[StoredRoom]:
        """Return what is to be looked after by now, the longest due first: rooms that are not there yet, or all others."""
        async with self._storage.reading() as work:
            return await work.rooms.due(self._integration, now, limit, unmade=unmade)

    async def next_due(self) -> datetime | None:
        """Return when the next room is to be looked after."""
        async with self._storage.reading() as work:
            return await work.rooms.next_due(self._integration)

    async def rooms(self) -> AsyncIterator[StoredRoom]:
        """Tell every room that lives."""
        after = ""
        while True:
            async with self._storage.reading() as work:
                found = await work.rooms.living(self._integration, after, _AT_ONCE)
            for one in found:
                yield one
            if len(found) < _AT_ONCE:
                return
            after = found[-1].mark

    async def living(self) -> AsyncIterator[RoomSpec]:
        """Tell what was specified of every room that lives."""
        async for one in self.rooms():
            yield one.spec

    async def check(self) -> None:
        """Reach the database once."""
        await self._storage.check()
