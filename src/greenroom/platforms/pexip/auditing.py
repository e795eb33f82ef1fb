"""What no change and no clock tells: settings that are others than before, and hands (or a restored backup) at Pexip itself.

Whatever is found is set due, and done by `tending` like everything else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from greenroom.meetings.room import Provision
from greenroom.platforms.pexip.keeping import Keeper
from greenroom.platforms.pexip.locks import Locks
from greenroom.platforms.pexip.ports import KeptRoom, RoomStore
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.pexip.timing import need

log = structlog.get_logger(__name__)

_LATE = timedelta(hours=1)
"""What is to be looked after later than this after a failure was noted by a clock that was ahead."""


class Auditor:
    """Compares all rooms of one integration with what should be."""

    def __init__(
        self, rooms: RoomStore, keeper: Keeper, settings: PexipSettings, clock: Callable[[], datetime], locks: Locks
    ) -> None:
        self._rooms = rooms
        self._keeper = keeper
        self._settings = settings
        self._clock = clock
        self._locks = locks

    async def compare_settings(self) -> None:
        """Set those rooms due which present settings want otherwise than they were told by earlier ones."""
        async for room in self._rooms.rooms():
            await asyncio.sleep(0)
            if self._wanted_at(room) is None:
                continue
            async with self._locks.of(room.mark):
                fresh = await self._rooms.get(room.mark)
                if fresh is None or fresh.retired_at is not None:
                    continue
                at = self._wanted_at(fresh)
                if at is not None:
                    await self._rooms.note(room.mark, replace(fresh.there, due_at=at))

    async def compare_pexip(self) -> None:
        """Set those rooms due which are at Pexip otherwise than we remember: gone, or there again. Raises PlatformError.

        Conferences with our mark that we remember nothing of are left alone: after the loss of our database their meetings are
        still to be read from the calendar.
        """
        there = {mark async for mark, _ in self._keeper.conferences.owned()}
        unknown = set(there)
        async for room in self._rooms.rooms():
            await asyncio.sleep(0)
            unknown.discard(room.mark)
            if room.there.told != "" and (room.there.ref is not None) != (room.mark in there):
                await self._look_again(room.mark, found=room.mark in there)
        for mark in sorted(unknown):
            row = await self._rooms.get(mark)
            if row is None:
                log.warning("a conference has our mark and is not remembered", mark=mark)
            elif row.there.due_at is None or row.there.due_at > self._clock() + _LATE:
                await self._look_again(mark, found=True)

    def _wanted_at(self, room: KeptRoom) -> datetime | None:
        """When a room should be looked after, where that is sooner than planned; None where it is not."""
        there, now = room.there, self._clock()
        needed = need(room.spec.admission, self._settings, now)
        if needed.exists:
            at = needed.next_at if self._keeper.is_told(room.spec, there) else now
        else:
            at = needed.next_at if there.ref is None and there.told is None else now
        return None if at is None or (there.due_at is not None and there.due_at <= at) else at

    async def _look_again(self, mark: str, *, found: bool) -> None:
        """Have one room looked at, if what the list told of it is news still: it may be older than what we did since.

        Nothing is asked here: many may be gone at once, and others are due meanwhile.
        """
        async with self._locks.of(mark):
            fresh = await self._rooms.get(mark)
            if fresh is None or (fresh.retired_at is None and fresh.there.told == ""):
                return
            if fresh.retired_at is not None or found != (fresh.there.ref is not None):
                log.warning("a room is at the platform otherwise than remembered", mark=mark, found=found)
                await self._rooms.note(mark, Provision(fresh.there.ref, "", fresh.there.attempts, self._clock()))
