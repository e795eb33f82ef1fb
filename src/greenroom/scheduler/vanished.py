"""Ending what left the calendar: rooms are retired, and nobody is told. Somebody took the meeting out.

Two things leave the calendar without having been taken out: a single occurrence becomes part of its series when the equipment is
invited to the whole, and what is running goes on until its window closes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Kind, Span
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.meetings.recurrence import Occurrence, occurrences_of
from greenroom.meetings.running import held_after
from greenroom.scheduler.case import Step, entry_of, postponed
from greenroom.scheduler.household import still_needed, stir
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage


async def end_vanished(
    integration: Integration, storage: Storage, vanished: Sequence[Record], now: datetime, step: Step
) -> None:
    """Retire the rooms of meetings that are in the calendar no more, and store that each. Raises nothing for single ones."""
    for record in vanished:
        changed, line = await _changed(integration, storage, record, now)
        async with storage.work() as work:
            await work.meetings.save([changed])
            await work.journal.append([line])
            if record.room is not None and changed.room is None:
                await stir(integration, work, {record.mark}, but={record.key}, now=now)
        step("vanished")


async def _changed(
    integration: Integration, storage: Storage, record: Record, now: datetime
) -> tuple[Record, JournalEntry]:
    done = replace(record, replying=None, answered_before=None, attempts=0, retry_at=None, updated_at=now)
    if record.replying is not None and record.replying.startswith("decline"):
        declined = replace(done, state=State.DECLINED, replied=record.replying)
        return declined, entry_of(record, now, "seen", "declined")
    series = await _series_of(integration, storage, record)
    if series is not None and (now_at := _occurrence(series, record)) is not None:
        return _merged(done, series, now_at), entry_of(record, now, "seen", Reason.MERGED.value)
    held = held_after(None, record, integration.policy, now)
    if held is not None:
        closes = held[1] + integration.policy.after
        kept = replace(done, state=State.ENDED, reason=Reason.REMOVED.value, held=held, retry_at=closes, review_at=None)
        return kept, entry_of(record, now, "decided", "held")
    needed = await still_needed(integration, storage, [record])
    if record.mark not in needed and not await retire(integration, record):
        return postponed(record, now), entry_of(record, now, "room", "unavailable")
    if record.state not in (State.DECLINED, State.IGNORED):
        done = replace(done, state=State.ENDED, reason=Reason.REMOVED.value)
    return replace(done, room=None, review_at=None), entry_of(record, now, "seen", Reason.REMOVED.value)


async def _series_of(integration: Integration, storage: Storage, record: Record) -> Record | None:
    """Return the living series to which a single occurrence belongs."""
    if record.key.occurrence is None:
        return None
    async with storage.reading() as work:
        found = (await work.meetings.by_keys(integration.number, [record.key.clean])).get(record.key.clean)
    return found if found is not None and found.state in LIVING and found.kind is Kind.SERIES else None


def _occurrence(series: Record, record: Record) -> Occurrence | None:
    day = record.key.occurrence
    return None if series.series is None or day is None else occurrences_of(series.series).on(day)


def _merged(record: Record, series: Record, occurrence: Occurrence) -> Record:
    """Let the series speak for its occurrence. A room of its own stays as long as the occurrence: people were told of it."""
    span = Span(occurrence.start, occurrence.end, None if record.span is None else record.span.zone)
    if record.mark == series.mark or record.room is None:
        return replace(record, state=State.ENDED, reason=Reason.MERGED.value, span=span)
    return replace(record, state=State.SCHEDULED, reason=Reason.MERGED.value, span=span)
