"""Rooms that several meetings share: when such a room lets people in, and whether somebody still needs it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.meetings.admission import Admission, Once, Times
from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Kind, MeetingKey
from greenroom.meetings.record import Record
from greenroom.scheduler.case import Case
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage, Work


def times_of(record: Record, *, lives: bool) -> tuple[Times, ...]:
    """Say when a meeting takes place, and which running occurrence of it is held; without the first where it lives no more."""
    times: list[Times] = []
    if lives and record.series is not None:
        times.append(record.series)
    elif lives and record.span is not None:
        times.append(Once(record.span.start, record.span.until if record.kind is Kind.SERIES else record.span.end))
    if record.held is not None:
        times.append(Once(*record.held))
    return tuple(times)


def admission_of(integration: Integration, *times: Times) -> Admission:
    """Open a room around these times as the policy says."""
    return Admission(tuple(dict.fromkeys(times)), integration.policy.before, integration.policy.after)


async def admissions(integration: Integration, storage: Storage, cases: Sequence[Case]) -> dict[MeetingKey, Admission]:
    """Say for each case when its room is open, for everybody who shares it."""
    async with storage.reading() as work:
        mates = await _mates(integration, work, {case.record.mark for case in cases})
    here = {case.record.key: case for case in cases}
    found: dict[MeetingKey, Admission] = {}
    for case in cases:
        times = list(times_of(case.record, lives=case.decision.provide))
        for mate in mates.get(case.record.mark, ()):
            if mate.key == case.record.key:
                continue
            other = here.get(mate.key)
            lives = mate.state in LIVING if other is None else other.decision.provide
            times += times_of(mate if other is None else other.record, lives=lives)
        found[case.record.key] = admission_of(integration, *times)
    return found


async def still_needed(integration: Integration, storage: Storage, leaving: Sequence[Record]) -> set[str]:
    """Return the marks of those rooms, of meetings that leave them, that another living meeting uses."""
    gone = {record.key for record in leaving}
    async with storage.reading() as work:
        mates = await _mates(integration, work, {record.mark for record in leaving})
    return {mark for mark, found in mates.items() if any(m.key not in gone and m.state in LIVING for m in found)}


async def note_told(integration: Integration, storage: Storage, changed: Sequence[Record]) -> None:
    """Remember with all who share these rooms what the platform was last told of them."""
    told = {record.mark: record.room for record in changed}
    here = {record.key for record in changed}
    async with storage.work() as work:
        mates = await _mates(integration, work, set(told))
        others = [mate for found in mates.values() for mate in found if mate.key not in here and mate.room is not None]
        if others:
            await work.meetings.save([replace(mate, room=told[mate.mark]) for mate in others])


async def stir(integration: Integration, work: Work, marks: set[str], *, but: set[MeetingKey], now: datetime) -> None:
    """Have the others who use these rooms looked at again: what they share has changed."""
    mates = await _mates(integration, work, marks)
    await stir_records(work, [mate for found in mates.values() for mate in found], but=but, now=now)


async def stir_records(work: Work, records: Sequence[Record], *, but: set[MeetingKey], now: datetime) -> None:
    """Have living meetings looked at again soon, unless that is due anyway."""
    due = [r for r in records if r.key not in but and r.state in LIVING and r.retry_at is None]
    if due:
        await work.meetings.save([replace(record, retry_at=now) for record in due])


async def _mates(integration: Integration, work: Work, marks: set[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in await work.meetings.of_rooms(integration.number, sorted(marks)) if marks else []:
        found.setdefault(record.mark, []).append(record)
    return found
