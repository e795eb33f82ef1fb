"""What is due by the clock: conferences that are to be opened, closed, changed later, or tried again.

Rooms are judged one by one, a few at a time; what comes down to a change of fields or a deletion is told to Pexip for many rooms
in one request. Rooms that are not there yet and all others are taken in turns, so that neither keeps the other waiting. Once in a
process, and then once a day, everything is compared (`auditing`).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from greenroom.meetings.room import Provision, RoomSpec
from greenroom.platforms.errors import (
    PlatformError,
    PlatformSetupError,
    PlatformSignInError,
    PlatformUnavailableError,
)
from greenroom.platforms.pexip.auditing import Auditor
from greenroom.platforms.pexip.keeping import SOON, Keeper
from greenroom.platforms.pexip.locks import Locks
from greenroom.platforms.pexip.management import Conference, ConferenceGoneError
from greenroom.platforms.pexip.payload import fingerprint
from greenroom.platforms.pexip.ports import KeptRoom, RoomStore
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.pexip.timing import GONE, Need, need

log = structlog.get_logger(__name__)

_SLICE = 50
_SLICES = 20
_AT_ONCE = 4
_ENOUGH = 5
_LONGEST: Final = timedelta(minutes=30)
_LONGEST_SILENCE: Final = timedelta(minutes=5)
"""Where Pexip does not answer a pass is short, so a room need not wait long for the time when it does again."""
_SETUP_PAUSE: Final = timedelta(minutes=5)
_AUDIT_EVERY: Final = timedelta(days=1)
_AUDIT_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Simple:
    """A room that needs no more than a change of fields, or that its conferences are deleted."""

    mark: str
    spec: RoomSpec
    there: Provision
    need: Need
    found: Sequence[Conference]
    fields: dict[str, Any] | None = field(repr=False)

    @property
    def deletes(self) -> bool:
        return self.fields is None


class _Pass:
    """What one slice found out: simple changes, whether Pexip answers at all, and what only an administrator can mend.

    A room that waits for an administrator may be the only one, as where a licence or a right is missing for it: others go on.
    """

    def __init__(self) -> None:
        self.simple: list[_Simple] = []
        self.failures = 0
        self.refusals = 0
        self.setup: PlatformSetupError | None = None
        self.held = AsyncExitStack()

    @property
    def is_in_vain(self) -> bool:
        """Whether nothing at all can be done now."""
        return self.failures >= _ENOUGH or isinstance(self.setup, PlatformSignInError)

    @property
    def is_over(self) -> bool:
        """Whether no more rooms of this kind are to be tried now."""
        return self.is_in_vain or self.refusals >= _ENOUGH


class Tender:
    """Looks after the rooms of one integration. `tend` is not called while it runs."""

    def __init__(
        self, rooms: RoomStore, keeper: Keeper, settings: PexipSettings, clock: Callable[[], datetime], locks: Locks
    ) -> None:
        self._rooms = rooms
        self._keeper = keeper
        self._bulk = keeper.bulk
        self._settings = settings
        self._clock = clock
        self._locks = locks
        self._auditor = Auditor(rooms, self._bulk, settings, clock, locks)
        self._audit_at = datetime.max.replace(tzinfo=UTC)

    async def tend(self) -> datetime | None:
        """Do what is due; returns when something is due next."""
        await self._audit()
        seen: set[str] = set()
        not_before: datetime | None = None
        kinds = {True, False}
        for number in range(2 * _SLICES):
            unmade = number % 2 == 0
            if unmade not in kinds:
                continue
            due = await self._rooms.due(self._clock(), _SLICE, unmade=unmade)
            marks = [room.mark for room in due if room.mark not in seen]
            if not marks:
                kinds.discard(unmade)
                if due:
                    not_before = self._clock() + SOON
                continue
            seen.update(marks)
            done = await self._slice(marks)
            if done.is_over:
                kinds.discard(unmade)
                not_before = self._clock() + (_SETUP_PAUSE if done.setup else SOON)
            if done.is_in_vain:
                break
        following = await self._rooms.next_due()
        return following if following is None or not_before is None else max(following, not_before)

    async def _audit(self) -> None:
        now = self._clock()
        if self._audit_at - _AUDIT_EVERY <= now < self._audit_at:  # it is later than that if the clock was set back
            return
        await self._auditor.compare_settings()
        try:
            await self._auditor.compare_pexip()
        except PlatformError as error:
            log.warning("rooms not compared", error=type(error).__name__, code=str(error))
            self._audit_at = now + _AUDIT_AGAIN
        else:
            self._audit_at = now + _AUDIT_EVERY

    async def _slice(self, marks: Sequence[str]) -> _Pass:
        done = _Pass()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(mark: str) -> None:
            async with gate:
                if not done.is_over:
                    await self._room(mark, done)

        async with done.held:
            ended = await asyncio.gather(*(one(mark) for mark in marks), return_exceptions=True)
            for error in ended:
                if error is not None:
                    raise error
            if done.simple and not done.is_in_vain:
                await self._many(done)
        if done.setup is not None:
            log.warning("rooms wait for an administrator", code=done.setup.code, error=type(done.setup).__name__)
        return done

    async def _room(self, mark: str, done: _Pass) -> None:
        """Look after one room. Its lock is kept until the end of the slice if it is to be changed together with others."""
        lock = self._locks.of(mark)
        await lock.__aenter__()
        simple: _Simple | None = None
        try:
            room = await self._rooms.get(mark)
            if room is not None and room.there.due_at is not None and room.there.due_at <= self._clock():
                simple = await self._guarded(room, done)
        finally:
            if simple is None:
                await lock.__aexit__(None, None, None)
            else:
                done.held.push_async_exit(lock)
                done.simple.append(simple)

    async def _guarded(self, room: KeptRoom, done: _Pass) -> _Simple | None:
        try:
            return await self._judge(room)
        except Exception as error:  # noqa: BLE001 (it is logged, and the other rooms go on)
            await self._failed(room.mark, error, done)
            return None

    async def _failed(self, mark: str, error: Exception, done: _Pass) -> None:
        """Try a room again, later and later. What an administrator must mend is no fault of the room."""
        if isinstance(error, PlatformSetupError):
            await self._refused(mark, error, done)
            return
        longest = _LONGEST
        if isinstance(error, PlatformUnavailableError):
            done.failures += 1
            longest = _LONGEST_SILENCE
        room = await self._rooms.get(mark)
        if room is None:
            return
        attempts = room.there.attempts + 1
        pause = min(SOON * 2 ** min(attempts - 1, 10), longest)
        asked = error.after if isinstance(error, PlatformUnavailableError) and error.after else timedelta()
        await self._rooms.note(mark, replace(room.there, attempts=attempts, due_at=self._clock() + max(pause, asked)))
        code = str(error) if isinstance(error, PlatformError) else ""
        log.warning("room not looked after", mark=mark, error=type(error).__name__, code=code, attempts=attempts)

    async def _refused(self, mark: str, error: PlatformSetupError, done: _Pass) -> None:
        """Let a room wait for an administrator, behind all others. A credential that is refused concerns none of them."""
        done.setup = done.setup or error
        if isinstance(error, PlatformSignInError):
            done.setup = error
            return
        done.refusals += 1
        room = await self._rooms.get(mark)
        if room is not None:
            await self._rooms.note(mark, replace(room.there, due_at=self._clock() + _SETUP_PAUSE))

    async def _judge(self, room: KeptRoom) -> _Simple | None:
        """Do what one room needs, or return it if that is simple."""
        spec, there = room.spec, room.there
        lives = room.retired_at is None
        needed = need(spec.admission, self._settings, self._clock()) if lives else GONE
        stays = needed.exists or (needed.spare and there.ref is not None)
        if stays and self._keeper.is_told(spec, there):
            await self._rooms.note(room.mark, replace(there, attempts=0, due_at=needed.next_at))
            return None
        if not stays:
            nothing = there.ref is None and there.told is None
            found = [] if lives and nothing else await self._bulk.conferences.marked(room.mark, there.ref)
            if found:
                return _Simple(room.mark, spec, there, needed, found, None)
            await self._rooms.note(room.mark, Provision(due_at=needed.next_at))
            return None
        keeper = self._keeper if there.ref is None else self._bulk
        found = await keeper.conferences.look(spec, there.ref)
        if len(found) == 1:
            changes = await keeper.conferences.changes(spec, found[0])
            if changes and changes.simple and not await keeper.conferences.runs(found[0]):
                return _Simple(room.mark, spec, there, needed, found, dict(changes.fields))
        await keeper.bring(spec, there, needed, found)
        return None

    async def _many(self, done: _Pass) -> None:
        """Tell Pexip all simple changes in one request; singly, if it refuses that or there is only one."""
        if len(done.simple) == 1:
            await self._singly(done)
            return
        for one in done.simple:
            await self._bulk.begin(one.mark, one.there, one.found[0].uri)
        objects = [{"resource_uri": one.found[0].uri, **one.fields} for one in done.simple if one.fields is not None]
        gone = [conference for one in done.simple if one.deletes for conference in one.found]
        try:
            await self._bulk.conferences.change_many(objects, gone)
        except PlatformError as error:
            if isinstance(error, PlatformUnavailableError) and not isinstance(error, ConferenceGoneError):
                for one in done.simple:
                    await self._failed(one.mark, error, done)
                return
            log.info("changes not taken together", error=type(error).__name__, count=len(done.simple))
            await self._singly(done)
        else:
            for one in done.simple:
                ref, told = (None, None) if one.deletes else (one.found[0].uri, fingerprint(one.spec, self._settings))
                await self._rooms.note(one.mark, Provision(ref, told, 0, one.need.next_at))

    async def _singly(self, done: _Pass) -> None:
        for one in done.simple:
            if done.is_over:
                return
            try:
                if one.deletes:
                    await self._bulk.clear(one.mark, one.there, one.found, one.need.next_at)
                else:
                    await self._bulk.bring(one.spec, one.there, one.need, one.found)
            except Exception as error:  # noqa: BLE001 (it is logged, and the other rooms go on)
                await self._failed(one.mark, error, done)
