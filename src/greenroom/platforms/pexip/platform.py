"""Rooms of one integration on Pexip Infinity: remembered in our own database, and made at Pexip where settings say so."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from greenroom.meetings.room import Provision, RoomSpec
from greenroom.platforms.contract import Capabilities, OwnedRoom, PersonalRoom
from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformSetupError,
    PlatformUnavailableError,
    RoomRefusedError,
)
from greenroom.platforms.pexip.conferences import Conferences
from greenroom.platforms.pexip.inheriting import Heirs
from greenroom.platforms.pexip.keeping import SOON, Keeper
from greenroom.platforms.pexip.links import Links
from greenroom.platforms.pexip.locks import Locks
from greenroom.platforms.pexip.payload import aliases, check
from greenroom.platforms.pexip.personal import is_personal, personal_room
from greenroom.platforms.pexip.policy.answers import check_answer
from greenroom.platforms.pexip.ports import KeptRoom, Management, RoomStore
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.platforms.pexip.tending import Tender
from greenroom.platforms.pexip.timing import Need, need

log = structlog.get_logger(__name__)

_PER_MINUTE = 1000


class PexipPlatform:
    """Keeps the contract of `Platform`.

    `management` may be None where settings say that rooms exist by our answers to policy requests alone; given all the same, it
    tells which aliases others have, and personal rooms. ValueError where rooms should be made and there is no way to do it.
    """

    def __init__(
        self,
        settings: PexipSettings,
        rooms: RoomStore,
        management: Management | None,
        clock: Callable[[], datetime],
    ) -> None:
        if management is None and settings.provisioning is not Provisioning.NONE:
            raise ValueError("rooms cannot be made without the management API")
        self._settings = settings
        self._rooms = rooms
        self._management = management
        self._clock = clock
        self._locks = Locks()
        if management is not None:
            links = Links(management, settings.style, clock)
            self._links = links
            self._conferences = Conferences(management, settings, links, Heirs(rooms, settings))
            self._keeper = Keeper(rooms, self._conferences, settings, clock)
            self._tender = Tender(rooms, self._keeper, settings, clock, self._locks)

    @property
    def capabilities(self) -> Capabilities:
        """With policy our answers are asked for before anything else, so they judge the time, and no latency counts."""
        settings = self._settings
        return Capabilities(
            judges_time=settings.policy,
            pins=True,
            closes=True,
            tended=self._management is not None,
            lists=True,
            latency=timedelta() if settings.policy else settings.latency,
            per_minute=_PER_MINUTE,
            alias_quarantine=settings.alias_quarantine,
        )

    async def ensure(self, spec: RoomSpec) -> None:
        """Make the room exist as specified; see `Platform`. A room with people in it is changed when they have left.

        Raises AliasTakenError, RoomRefusedError, PlatformUnavailableError, PlatformSetupError. Where policy answers, the room is
        remembered also when Pexip cannot be reached: people get in, and the error says that the rest is still to be done.
        """
        check(spec)
        if self._settings.policy:
            check_answer(spec, self._settings)
        async with self._locks.of(spec.mark):
            row = await self._rooms.get(spec.mark)
            if self._management is None:
                await self._store(spec, None)
            else:
                await self._ensure(spec, row, need(spec.admission, self._settings, self._clock()))

    async def retire(self, mark: str) -> None:
        """Let nobody in any more; see `Platform`. Raises PlatformUnavailableError, PlatformSetupError: it is closed for policy."""
        async with self._locks.of(mark):
            if self._management is None:
                await self._rooms.retire(mark)
                return
            soon = self._clock() + SOON
            await self._rooms.retire(mark, due_at=soon)
            row = await self._rooms.get(mark)
            there = Provision() if row is None else row.there
            try:
                await self._keeper.clear(mark, there, await self._conferences.marked(mark, there.ref))
            except PlatformError:
                if there.due_at is None:  # it was a tombstone before
                    await self._rooms.note(mark, Provision(there.ref, "", there.attempts, soon))
                raise

    async def tend(self) -> datetime | None:
        """Do what is due by the clock; see `Platform`. Nothing ever is where there is no way to Pexip."""
        return None if self._management is None else await self._tender.tend()

    async def owned(self) -> AsyncIterator[OwnedRoom]:
        """Tell every conference with our mark, and every room people get into by policy alone."""
        told: set[str] = set()
        if self._management is not None:
            async for mark, found in self._conferences.owned():
                told.add(mark)
                yield OwnedRoom(mark, found.uri, tuple(alias.alias for alias in found.aliases))
        if self._settings.policy:
            now = self._clock()
            async for room in self._rooms.rooms():
                if room.mark not in told and not room.spec.admission.is_over(now):
                    yield OwnedRoom(room.mark, room.mark, aliases(room.spec))

    async def personal_rooms(self, owner: str) -> Sequence[PersonalRoom]:
        """Return the permanent rooms of this owner; none where there is no way to ask."""
        if self._management is None or not owner:
            return ()
        found = await self._management.by_owner(owner)
        return [personal_room(one) for one in found if is_personal(one, owner, self._settings.tag_prefix)]

    async def check(self) -> None:
        """Reach Pexip once, find there what the settings name, and reach our database."""
        if self._management is not None:
            await self._management.ping()
            self._links.forget()
            await self._links.all()
        await self._rooms.check()

    async def close(self) -> None:
        """Close connections to Pexip; the store belongs to the assembly."""
        if self._management is not None:
            await self._management.close()

    async def _ensure(self, spec: RoomSpec, row: KeptRoom | None, needed: Need) -> None:
        there = Provision() if row is None else row.there
        if row is not None and row.retired_at is None and needed.exists and self._keeper.is_told(spec, there):
            await self._store(spec, needed.next_at)
            return
        try:
            found = await self._conferences.look(spec, there.ref)
        except AliasTakenError:
            await self._give_up(spec, row)
            raise
        except (PlatformUnavailableError, PlatformSetupError):
            if self._settings.policy:
                await self._store(spec, self._clock() + SOON)
            raise
        if not found and not needed.exists:
            await self._store(spec, needed.next_at)
            if there.ref is not None or there.told is not None:
                await self._keeper.clear(spec.mark, there, (), needed.next_at)
            return
        await self._store(spec, self._clock() + SOON)
        try:
            await self._keeper.bring(spec, there, needed, found)
        except (AliasTakenError, RoomRefusedError):
            await self._put_back(spec.mark, row)
            raise

    async def _store(self, spec: RoomSpec, due_at: datetime | None) -> None:
        if not await self._rooms.ensure(spec, due_at=due_at):
            raise AliasTakenError(f"alias number {spec.alias.number} belongs to another room")

    async def _give_up(self, spec: RoomSpec, row: KeptRoom | None) -> None:
        """Close a room of ours that was stored while Pexip could not be asked, if its alias turns out to be another's."""
        if row is None or row.retired_at is not None or row.there.ref is not None:
            return
        if set(aliases(row.spec)) & set(aliases(spec)):
            log.warning("room closed, its alias is another's", mark=spec.mark)
            await self._rooms.retire(spec.mark, due_at=self._clock())

    async def _put_back(self, mark: str, row: KeptRoom | None) -> None:
        """Leave a room as it was before a change that Pexip refuses; what it got of that is taken back soon."""
        now = self._clock()
        there = Provision(None if row is None else row.there.ref, "", 0, now)
        lives = row is not None and row.retired_at is None
        if row is None or not lives or not await self._rooms.ensure(row.spec, due_at=now):
            await self._rooms.retire(mark, due_at=now)
        await self._rooms.note(mark, there)
