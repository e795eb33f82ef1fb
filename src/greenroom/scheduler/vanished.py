"""Ending what left the calendar: rooms are retired, and nobody is told. Somebody took the meeting out.

Two things leave the calendar without having been taken out: a single occurrence becomes part of its series when the equipment is
invited to the whole, and what is running goes on until its window closes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Kind
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.meetings.running import held_after
from greenroom.scheduler.case import Step, entry_of, postponed
from greenroom.scheduler.household import still_needed, stir, stir_records
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage


async def end_vanished(
    integration: Integration, storage: Storage, vanished: Sequence[Record], now: datetime, step: Step
) -> None:
    """Retire the rooms of meetings that are in the calendar no more, and store that each. Raises nothing for single ones."""
    for record in vanished:
        changed, line = await _changed(integration, storage, record, now)
        merged_before = record.reason == changed.reason == Reason.MERGED
        async with storage.work() as work:
            await work.meetings.save([changed])
            if not merged_before:  # each comparison misses its item anew
                await work.journal.append([line])
            if record.kind is Kind.SERIES and changed.state not in LIVING:
                family = await work.meetings.kin(integration.number, [record.key])
                await stir_records(work, family, but={record.key}, now=now)
            if record.room is not None and changed.room is None:
                await stir(integration, work, {record.mark}, but={record.key}, now=now)
            if changed.reason == Reason.MERGED and record.reason != Reason.MERGED:
                known = await work.meetings.by_keys(integration.number, [record.key.clean])
                await stir_records(work, list(known.values()), but=set(), now=now)
        step("vanished")


async def _changed(
    integration: Integration, storage: Storage, record: Record, now: datetime
) -> tuple[Record, JournalEntry]:
    done = replace(record, replying=None, answered_before=None, attempts=0, retry_at=None, updated_at=now)
    if record.replying is not None and record.replying.startswith("decline"):
        declined = replace(done, state=State.DECLINED, replied=record.replying)
        return declined, entry_of(record, now, "seen", "declined")
    series = await _series_of(integration, storage, record)
    if series is not None and record.room is not None and _has_it(series, record):
        return _merged(done, series), entry_of(record, now, "seen", Reason.MERGED.value)
    held = held_after(None, record, integration.policy, now)
    if held is not None:
        closes = held[1] + integration.policy.after
        if record.state not in (State.DECLINED, State.IGNORED):
            done = replace(done, state=State.ENDED, reason=Reason.REMOVED.value)
        kept = replace(done, held=held, retry_at=closes, review_at=None)
        return kept, entry_of(record, now, "decided", "held")
    needed = await still_needed(integration, storage, [record])
    if record.mark not in needed and not await retire(integration, record):
        return postponed(record, now), entry_of(record, now, "room", "unavailable")
    if record.state not in (State.DECLINED, State.IGNORED):
        done = replace(done, state=State.ENDED, reason=Reason.REMOVED.value)
    return replace(done, room=None, review_at=None), entry_of(record, now, "seen", Reason.REMOVED.value)


async def _series_of(integration: Integration, storage: Storage, record: Record) -> Record | None:
    """Return the living series of the same organizer to which a single occurrence belongs."""
    if record.key.occurrence is None:
        return None
    async with storage.reading() as work:
        found = (await work.meetings.by_keys(integration.number, [record.key.clean])).get(record.key.clean)
    if found is None or not found.organizer or found.organizer != record.organizer:
        return None  # a series' id stands in every invitation: somebody else's says nothing about this one
    return found if found.state in LIVING and found.kind is Kind.SERIES else None


def _has_it(series: Record, record: Record) -> bool:
    day = record.key.occurrence
    return series.series is not None and day is not None and series.series.occurrences.on(day) is not None


def _merged(record: Record, series: Record) -> Record:
    """Let the series speak for its occurrence. A room of its own stays as long as the occurrence: people were told of it."""
    state = State.ENDED if record.mark == series.mark else State.SCHEDULED
    return replace(record, state=state, reason=Reason.MERGED.value)
