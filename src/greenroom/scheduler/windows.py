"""Closing what is over: meetings whose last admission window has passed come to their end.

A platform that closes its rooms itself needs no call; from the others the room is retired, unless another meeting uses it. The
database tells candidates by the end it keeps; whether one is over is judged from its rule, which holds when zone data change.
"""

from dataclasses import replace
from datetime import datetime

from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record, State
from greenroom.scheduler.case import Clock, entry_of
from greenroom.scheduler.household import admission_of, still_needed, times_of
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage

_AT_ONCE = 200


async def close_windows(integration: Integration, storage: Storage, clock: Clock) -> int:
    """End the meetings that are over, at most a few hundred at a time; returns how many. Safe to repeat.

    Not at the same time as a pass over the mailbox: both write whole records.
    """
    now = clock()
    over = await _over(integration, storage, now)
    if integration.platform.capabilities.closes:
        ended = [_ended(record, now) for record in over]
    else:
        needed = await still_needed(integration, storage, over)
        ended = [
            replace(_ended(record, now), room=None)
            for record in over
            if record.mark in needed or await retire(integration, record)
        ]
    if ended:
        async with storage.work() as work:
            await work.meetings.save(ended)
            await work.journal.append([entry_of(record, now, "closed", Reason.OVER.value) for record in ended])
    return len(ended)


async def _over(integration: Integration, storage: Storage, now: datetime) -> list[Record]:
    """Find the next meetings that are over; those whose end the database has too early are passed over."""
    passed = 0
    async with storage.reading() as work:
        while True:
            found = await work.meetings.over(integration.number, now - integration.policy.after, _AT_ONCE, passed)
            over = [one for one in found if admission_of(integration, *times_of(one, lives=True)).is_over(now)]
            if over or len(found) < _AT_ONCE:
                return over
            passed += len(found)


def _ended(record: Record, now: datetime) -> Record:
    return replace(
        record, state=State.ENDED, reason=Reason.OVER.value, replying=None, attempts=0, retry_at=None, updated_at=now
    )
