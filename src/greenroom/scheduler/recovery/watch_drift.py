"""The comparison on a schedule: every few hours, first a while after the start, mended as policy says."""

from collections import Counter
from datetime import datetime, timedelta

import structlog

from greenroom.meetings import policy
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.drift import Drift, drift, remember
from greenroom.scheduler.recovery.mending import mend
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_FIRST = timedelta(minutes=10)
_AGAIN = timedelta(minutes=30)
"""When to try again what could not be compared, or while much is being caught up with."""


async def look(integration: Integration, storage: Storage, attendant: Attendant, clock: Clock) -> Drift:
    """Compare calendar, database and platform once, store what they disagree about, and mend it where policy wants that.

    The mailbox is ours meanwhile; passes go on between its steps. What stays stored is what was not mended. Raises
    ExchangeError, PlatformError, StorageError.
    """
    found = await drift(integration, storage, clock())
    before = await remember(integration, storage, found)
    counts = {kind.value: count for kind, count in found.counts().items() if count}
    mends = integration.policy.drift is policy.Drift.MEND and bool(found.differences)
    told = log.warning if counts else log.info
    told("drift", integration=integration.name, mailbox=integration.mailbox.address, mends=mends, **counts)
    if not mends:
        return found
    orphans = {one.subject for one in before if one.kind == DriftKind.ORPHAN_ROOM}
    mended = await mend(integration, storage, attendant, found, clock, found_before=orphans)
    at = max(clock(), found.at + timedelta.resolution)  # later, so that what is mended is forgotten
    left = Drift(at, tuple(mended.left), rooms_told=found.rooms_told, waiting=found.waiting)
    await remember(integration, storage, left)
    done = Counter(one.kind.value for one in mended.done)
    log.info("drift mended", integration=integration.name, left=len(mended.left), **done)
    return left


class DriftWatch:
    """Says when it is time to compare, and does it."""

    def __init__(
        self, integration: Integration, storage: Storage, attendant: Attendant, clock: Clock, every: timedelta
    ) -> None:
        self._integration = integration
        self._storage = storage
        self._attendant = attendant
        self._clock = clock
        self._every = every
        self._next: datetime | None = None

    def is_due(self) -> bool:
        """Whether it is time; asked after each pass, which also starts the wait for the first comparison."""
        now = self._clock()
        if self._next is None or self._next > now + max(self._every, _FIRST):  # or the clock was set back
            self._next = now + _FIRST
        return now >= self._next

    async def look(self) -> None:
        """Compare, unless that was done lately by a process before this one, or much is being caught up with. Raises as `look`."""
        now = self._clock()
        self._next = now + _AGAIN
        async with self._storage.reading() as work:
            state = await work.mailboxes.get(self._integration.mailbox.address)
        if state.backlog_total is not None:
            return
        if state.drift_at is not None and now - self._every < state.drift_at <= now:
            self._next = state.drift_at + self._every
            return
        await look(self._integration, self._storage, self._attendant, self._clock)
        self._next = self._clock() + self._every
