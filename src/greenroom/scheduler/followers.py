"""Rooms of single occurrences that became part of their series: they go with it as long as their occurrence is to come.

The equipment was invited to the occurrence first, with a ticket of its own, and then to the whole series, with another one. People
were told of both rooms, so both are open in the occurrence: moved with it, and closed when it is cancelled.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Kind
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record, State
from greenroom.meetings.recurrence import Occurrence
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, entry_of, place_of
from greenroom.scheduler.household import admission_with, note_told, still_needed
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.provide import retire
from greenroom.storage import Storage

log = structlog.get_logger(__name__)


async def follow(integration: Integration, storage: Storage, cases: Sequence[Case], now: datetime) -> None:
    """Bring the rooms of such occurrences to where their series is now. What fails is tried with the series' next change."""
    series = {case.record.key: case for case in cases if case.record.kind is Kind.SERIES and not case.waiting}
    if not series:
        return
    async with storage.reading() as work:
        family = await work.meetings.kin(integration.number, series)
    for record in family:
        case = series.get(record.key.clean)
        if case is None or case.record.organizer != record.organizer:
            continue
        if record.reason == Reason.MERGED and record.state in LIVING and record.room is not None:
            await _follow(integration, storage, case, record, now)


async def _follow(integration: Integration, storage: Storage, case: Case, record: Record, now: datetime) -> None:
    span, occurrence = record.span, _occurrence(case, record)
    if span is None or (occurrence is not None and (occurrence.start, occurrence.end) == (span.start, span.end)):
        return
    if occurrence is None:
        runs = span.start <= now < span.end + integration.policy.after
        ended = replace(record, state=State.ENDED, reason=Reason.CANCELLED.value, updated_at=now)
        followed = None if runs else await _left(integration, storage, case, ended)
    else:
        moved = replace(record, span=replace(span, start=occurrence.start, end=occurrence.end), updated_at=now)
        followed = await _told(integration, storage, case, moved)
    if followed is not None:
        code = Reason.CANCELLED.value if occurrence is None else "changed"
        async with storage.work() as work:
            await work.meetings.save([followed])
            await work.journal.append([entry_of(followed, now, "room", code)])


def _occurrence(case: Case, record: Record) -> Occurrence | None:
    day, series = record.key.occurrence, case.record.series
    return None if day is None or series is None or not case.decision.provide else series.occurrences.on(day)


async def _left(integration: Integration, storage: Storage, case: Case, record: Record) -> Record | None:
    """Close the room, or keep it for the others who use it, and no longer for this one."""
    if record.mark in await still_needed(integration, storage, [record]):
        left = await _told(integration, storage, case, record)
        return None if left is None else replace(left, room=None)
    return replace(record, room=None) if await retire(integration, record) else None


async def _told(integration: Integration, storage: Storage, case: Case, record: Record) -> Record | None:
    """Tell the platform when the room is open now, for all who share it."""
    admission = await admission_with(integration, storage, record)
    try:
        spec = wording.room_spec(integration, case.observation, admission, record)
        await integration.platform.ensure(spec)
    except Exception as error:  # noqa: BLE001 (it is logged; the other meetings of the pass go on)
        log.warning(
            "room not changed", correlation=record.correlation_id, error=type(error).__name__, where=place_of(error)
        )
        return None
    told = replace(record, room=spec.fingerprint)
    await note_told(integration, storage, [told])
    return told
