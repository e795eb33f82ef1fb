"""A platform that does what it is told, except when a test tells it to fail."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.contract import Capabilities, OwnedRoom, PersonalRoom, Platform


class StubbornPlatform:
    """Wraps a platform: the next calls of `ensure` and `retire` raise what stands in the lists, one each.

    An error in `broken` by a room's mark is raised every time that room is retired.
    """

    def __init__(self, inner: Platform, ensuring: list[Exception] | None = None, *, judges_time: bool = True) -> None:
        self.inner = inner
        self.capabilities = Capabilities(judges_time=judges_time, pins=True, closes=judges_time)
        self.ensuring = ensuring or []
        self.retiring: list[Exception] = []
        self.broken: dict[str, Exception] = {}
        self.retired: list[str] = []

    async def ensure(self, spec: RoomSpec) -> None:
        if self.ensuring:
            raise self.ensuring.pop(0)
        await self.inner.ensure(spec)

    async def retire(self, mark: str) -> None:
        if mark in self.broken:
            raise self.broken[mark]
        if self.retiring:
            raise self.retiring.pop(0)
        self.retired.append(mark)
        await self.inner.retire(mark)

    async def tend(self) -> datetime | None:
        return await self.inner.tend()

    def owned(self) -> AsyncIterator[OwnedRoom]:
        return self.inner.owned()

    async def personal_rooms(self, owner: str) -> Sequence[PersonalRoom]:
        return await self.inner.personal_rooms(owner)

    async def check(self) -> None:
        await self.inner.check()

    async def close(self) -> None:
        await self.inner.close()
