"""Ending what left the calendar: rooms are retired, and nobody is told. Somebody took the meeting out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.meetings.decision import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.scheduler.case import Step, entry_of, postponed
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage


async def end_vanished(
    integration: Integration, storage: Storage, vanished: Sequence[Record], now: datetime, step: Step
) -> None:
    """Retire the rooms of meetings that are in the calendar no more, and store that each. Raises nothing for single ones."""
    for record in vanished:
        ended, line = await _ended(integration, record, now)
        async with storage.work() as work:
            await work.meetings.save([ended])
            await work.journal.append([line])
        step("vanished")


async def _ended(integration: Integration, record: Record, now: datetime) -> tuple[Record, JournalEntry]:
    done = replace(record, replying=None, answered_before=None, attempts=0, retry_at=None, updated_at=now)
    if record.replying is not None and record.replying.startswith("decline"):
        declined = replace(done, state=State.DECLINED, replied=record.replying)
        return declined, entry_of(record, now, "seen", "declined")
    if not await retire(integration, record):
        return postponed(record, now), entry_of(record, now, "room", "unavailable")
    if record.state not in (State.DECLINED, State.IGNORED):
        done = replace(done, state=State.ENDED, reason=Reason.REMOVED.value)
    return replace(done, room=None), entry_of(record, now, "seen", Reason.REMOVED.value)
