"""All rooms of all integrations, for whoever keeps them in memory: everything there is, then every change in its order.

```
head()  →  everything(...)  →  changes(after=head)  →  changes(after=the last one seen)  →  ...
```

Versions appear in the order in which they were given (`Rooms._next_version`): who has seen one has seen all before it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from greenroom.storage.database import Storage
from greenroom.storage.fed_rooms import FeedRoom
from greenroom.storage.sql import pieces

_PAGE = 500


class RoomFeed:
    """The same, each call a transaction of its own that only reads. All methods raise StorageError."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def head(self) -> int:
        """Return the number of the last change; 0 if there was none."""
        async with self._storage.reading() as work:
            return await work.fed_rooms.head()

    async def changes(self, after: int, limit: int) -> Sequence[FeedRoom]:
        """Return at most so many rooms that changed behind a version, in the order of their last changes.

        A room that changed twice is told once. Embedded platforms' rooms are among them.
        """
        async with self._storage.reading() as work:
            return await work.fed_rooms.changes(after, limit)

    async def everything(
        self, closing_after: datetime, integrations: Iterable[int]
    ) -> AsyncIterator[Sequence[FeedRoom]]:
        """Tell in pages which rooms of these integrations live and close later than that, or never as far as is known.

        Rooms that were retired later than that come, too. What changes meanwhile is told as it was or as it is; `changes` behind
        a head that was asked for before tells it again.
        """
        for integration in integrations:
            behind = ""
            while True:
                async with self._storage.reading() as work:
                    page = await work.fed_rooms.page(integration, closing_after, behind, _PAGE)
                if page:
                    yield page
                if len(page) < _PAGE:
                    break
                behind = page[-1].mark

    async def by_aliases(self, names: Sequence[str]) -> list[FeedRoom]:
        """Return rooms and tombstones of all integrations that have one of these aliases or numeric aliases."""
        found: list[FeedRoom] = []
        for piece in pieces(names):
            async with self._storage.reading() as work:
                found += await work.fed_rooms.by_aliases(piece)
        return found
