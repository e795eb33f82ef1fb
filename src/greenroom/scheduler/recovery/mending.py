"""Mending what a comparison found: meetings are read and looked at anew, forgotten rooms are closed.

Nothing is decided here. Missing rooms are made by the normal pass, which tells the platform of each again; what the calendar
shows otherwise goes the way of the hourly comparison. A room is closed without being asked for only if its meeting is known to
be done with, and if the comparison before found it as well: rooms of which nothing is remembered may belong to meetings that
nobody has read yet, and `greenroom recover` asks before it removes them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import structlog

from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import ItemRef
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Case, Clock, entry_of, place_of
from greenroom.scheduler.integration import Integration, Manner
from greenroom.scheduler.recovery.contract import DriftKind, Progress
from greenroom.scheduler.recovery.differences import Difference
from greenroom.scheduler.recovery.drift import Drift
from greenroom.scheduler.recovery.strays import KNOWN, strays
from greenroom.scheduler.recovery.taking_up import take_up_again
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

MENDED = "mended"
"""Step of a journal line: a disagreement was mended; the code is its kind."""
_ROOMS = (DriftKind.ROOM_MISSING, DriftKind.ROOM_DIFFERS)
_MEETINGS = (DriftKind.UNKNOWN_MEETING, DriftKind.VANISHED_MEETING)
_PIECE = 1000


@dataclass(slots=True)
class Mended:
    """What was mended, and what is left for another time or for somebody to decide."""

    done: list[Difference] = field(default_factory=list)
    left: list[Difference] = field(default_factory=list)


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


async def mend(
    integration: Integration,
    storage: Storage,
    attendant: Attendant,
    found: Drift,
    clock: Clock,
    *,
    found_before: Collection[str],
    progress: Progress = no_progress,
) -> Mended:
    """Mend what may be mended by itself. `found_before` are the marks of orphans that the comparison before found, too.

    The mailbox is ours meanwhile. Raises ExchangeError when the mailbox cannot be used; what was done until then is stored.
    """
    mender = _Mender(integration, storage, attendant, clock, progress)
    await mender.look_again(found.of(*_MEETINGS))
    await mender.make_rooms(found.of(*_ROOMS))
    orphans = found.of(DriftKind.ORPHAN_ROOM)
    removable = [one for one in orphans if one.detail == KNOWN and one.subject in found_before]
    mender.mended.left += [one for one in orphans if one not in removable]
    await mender.close_orphans(removable)
    return mender.mended


class _Mender:
    def __init__(
        self, integration: Integration, storage: Storage, attendant: Attendant, clock: Clock, progress: Progress
    ) -> None:
        self.mended = Mended()
        self._integration = integration
        self._storage = storage
        self._attendant = attendant
        self._clock = clock
        self._progress = progress

    async def look_again(self, differing: Sequence[Difference]) -> None:
        """Let the whole comparison of the calendar go through the normal pass."""
        if not differing:
            return
        self._progress("calendar", 0, len(differing))
        await self._attendant.reconcile()
        self._progress("calendar", len(differing), len(differing))
        self.mended.done += differing
        for start in range(0, len(differing), _PIECE):
            piece = {one.key: one for one in differing[start : start + _PIECE] if one.key is not None}
            async with self._storage.work() as work:
                records = await work.meetings.by_keys(self._integration.number, piece)
                now = self._clock()
                lines = [entry_of(record, now, MENDED, piece[key].kind.value) for key, record in records.items()]
                await work.journal.append(lines)

    async def make_rooms(self, differing: Sequence[Difference]) -> None:
        """Read the meetings of these rooms, the soonest first, and tell the platform of their rooms again."""
        by_mark = {one.subject: one for one in differing}
        refs = await self._items_of(list(by_mark))
        made: set[str] = set()
        looked = 0
        async for taken in take_up_again(self._integration, self._attendant, refs, Manner(afresh=True)):
            through = [case for case in taken.cases if _is_mended(case) and case.record.mark in by_mark]
            made |= {case.record.mark for case in through}
            now = self._clock()
            lines = [entry_of(one.record, now, MENDED, by_mark[one.record.mark].kind.value) for one in through]
            async with self._storage.work() as work:
                await work.journal.append(lines)
            looked += len(taken.cases) + len(taken.gone) + taken.unread
            self._progress("rooms", min(looked, len(refs)), len(refs))
        for one in differing:
            (self.mended.done if one.subject in made else self.mended.left).append(one)

    async def close_orphans(self, orphans: Sequence[Difference]) -> None:
        """Close rooms that no meeting has."""
        for number, one in enumerate(orphans, start=1):
            closed = await close_orphan(self._integration, self._storage, self._attendant, one.subject, self._clock)
            (self.mended.done if closed else self.mended.left).append(one)
            self._progress("orphans", number, len(orphans))

    async def _items_of(self, marks: Sequence[str]) -> list[ItemRef]:
        """Return the items of the living meetings that use these rooms, the soonest start first."""
        found: list[tuple[float, ItemRef]] = []
        for start in range(0, len(marks), _PIECE):
            async with self._storage.reading() as work:
                records = await work.meetings.of_rooms(self._integration.number, marks[start : start + _PIECE])
            found += [
                (0.0 if one.span is None else one.span.start.timestamp(), one.ref)
                for one in records
                if one.state in LIVING or one.held is not None
            ]
        return [ref for _, ref in sorted(found, key=lambda one: one[0])]


async def close_orphan(
    integration: Integration, storage: Storage, attendant: Attendant, mark: str, clock: Clock
) -> bool:
    """Close a room that no meeting has, after a fresh look that this is still so; whether it was closed. Raises StorageError.

    Nothing else is done for the mailbox meanwhile: its meeting may be invited again at this very moment.
    """
    async with attendant.undisturbed:
        now = clock()
        if mark not in await strays(integration, storage, [mark], now):
            return False
        try:
            await integration.platform.retire(mark)
        except Exception as error:  # noqa: BLE001 (it is logged; the next comparison finds the room again)
            log.warning("orphan not closed", mark=mark, error=type(error).__name__, where=place_of(error))
            return False
        log.info("orphan closed", integration=integration.name, mark=mark)
        async with storage.work() as work:
            record = await work.meetings.by_mark(integration.number, mark)
            if record is not None:
                if record.mark == mark and record.room is not None:
                    await work.meetings.save([replace(record, room=None)])
                await work.journal.append([entry_of(record, now, MENDED, DriftKind.ORPHAN_ROOM.value)])
    return True


def _is_mended(case: Case) -> bool:
    """Whether its room stands, or is not needed any more: it was cancelled, and nobody had looked at that yet."""
    if case.record.state not in LIVING and case.record.held is None and case.record.retry_at is None:
        return True
    return case.spec is not None and case.record.room == case.spec.fingerprint
