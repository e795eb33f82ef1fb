"""Closing what is over: meetings whose admission window has passed come to their end.

A platform that judges the time itself needs no call; from the others the room is retired.
"""

from dataclasses import replace
from datetime import datetime

from greenroom.meetings.decision import Reason
from greenroom.meetings.record import Record, State
from greenroom.scheduler.case import Clock, entry_of
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage

_AT_ONCE = 200


async def close_windows(integration: Integration, storage: Storage, clock: Clock) -> int:
    """End the meetings that are over, at most a few hundred at a time; returns how many. Safe to repeat.

    Not at the same time as a pass over the mailbox: both write whole records.
    """
    now = clock()
    async with storage.work() as work:
        over = await work.meetings.over(integration.number, now - integration.policy.after, _AT_ONCE)
    if integration.platform.capabilities.judges_time:
        ended = [_ended(record, now) for record in over]
    else:
        ended = [replace(_ended(record, now), room=None) for record in over if await retire(integration, record)]
    if ended:
        async with storage.work() as work:
            await work.meetings.save(ended)
            await work.journal.append([entry_of(record, now, "closed", Reason.OVER.value) for record in ended])
    return len(ended)


def _ended(record: Record, now: datetime) -> Record:
    return replace(
        record, state=State.ENDED, reason=Reason.OVER.value, replying=None, attempts=0, retry_at=None, updated_at=now
    )
