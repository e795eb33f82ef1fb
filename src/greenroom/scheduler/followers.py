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
from greenroom.meetings.recurrence import Occurrence, occurrences_of
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, entry_of
from greenroom.scheduler.household import admission_of, still_needed, times_of
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
        if case is not None and record.reason == Reason.MERGED and record.state in LIVING and record.room is not None:
            await _follow(integration, storage, case, record, now)


async def _follow(integration: Integration, storage: Storage, case: Case, record: Record, now: datetime) -> None:
    span, occurrence = record.span, _occurrence(case, record)
    if span is None or (occurrence is not None and (occurrence.start, occurrence.end) == (span.start, span.end)):
        return
    if occurrence is None:
        runs = span.start <= now < span.end + integration.policy.after
        followed = None if runs else await _ended(integration, storage, record, now)
    else:
        moved = replace(record, span=replace(span, start=occurrence.start, end=occurrence.end), updated_at=now)
        followed = await _moved(integration, case, moved)
    if followed is not None:
        code = Reason.CANCELLED.value if occurrence is None else "changed"
        async with storage.work() as work:
            await work.meetings.save([followed])
            await work.journal.append([entry_of(followed, now, "room", code)])


def _occurrence(case: Case, record: Record) -> Occurrence | None:
    day, series = record.key.occurrence, case.record.series
    return None if day is None or series is None or not case.decision.provide else occurrences_of(series).on(day)


async def _ended(integration: Integration, storage: Storage, record: Record, now: datetime) -> Record | None:
    if record.mark not in await still_needed(integration, storage, [record]) and not await retire(integration, record):
        return None
    return replace(record, state=State.ENDED, reason=Reason.CANCELLED.value, room=None, updated_at=now)


async def _moved(integration: Integration, case: Case, record: Record) -> Record | None:
    spec = wording.room_spec(
        integration, case.observation, admission_of(integration, *times_of(record, lives=True)), record
    )
    try:
        await integration.platform.ensure(spec)
    except PlatformError as error:
        log.warning("room not changed", correlation=record.correlation_id, error=type(error).__name__)
        return None
    return replace(record, room=spec.fingerprint)
