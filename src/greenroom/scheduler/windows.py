"""Closing what is over: meetings whose admission window has passed come to their end.

A platform that judges the time itself needs no call; from the others the room is retired.
"""

from dataclasses import replace

import structlog

from greenroom.meetings.decision import Reason
from greenroom.meetings.record import JournalEntry, State
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_AT_ONCE = 200


async def close_windows(integration: Integration, storage: Storage, clock: Clock) -> int:
    """End the meetings that are over, at most a few hundred at a time; returns how many. Safe to repeat."""
    now = clock()
    async with storage.work() as work:
        over = await work.meetings.over(integration.number, now - integration.policy.after, _AT_ONCE)
    ended, entries = [], []
    for record in over:
        if not integration.platform.capabilities.judges_time:
            try:
                await integration.platform.retire(record.key.digest)
            except PlatformUnavailableError:
                log.warning("room not retired, platform unavailable", correlation=record.correlation_id)
                continue
        ended.append(replace(record, state=State.ENDED, reason=Reason.OVER.value, retry_at=None, updated_at=now))
        entries.append(
            JournalEntry(record.integration, record.key, record.correlation_id, now, "closed", Reason.OVER.value)
        )
    if ended:
        async with storage.work() as work:
            await work.meetings.save(ended)
            await work.journal.append(entries)
    return len(ended)
