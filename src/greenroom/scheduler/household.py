"""Rooms that several meetings share: when such a room lets people in, and whether somebody still needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from greenroom.meetings.admission import Admission, Once, Times
from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Kind, MeetingKey
from greenroom.meetings.record import Record
from greenroom.scheduler.case import Case
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage, Work

UNKNOWN = ""
"""In place of the fingerprint of a room that is there, and of which nobody knows what the platform was told last."""


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


def lives_on(case: Case) -> bool:
    """Whether a meeting goes on using its room after what was decided; where nothing was, its record tells."""
    if case.waiting or case.decision.state is None:
        return case.record.state in LIVING
    return case.decision.provide or case.decision.state in LIVING


@dataclass(frozen=True, slots=True)
class Household:
    """Who shares the rooms of some meetings, by the rooms' marks."""

    mates: Mapping[str, Sequence[Record]]

    @classmethod
    async def of(cls, integration: Integration, storage: Storage, cases: Sequence[Case]) -> "Household":
        """Load all who share a room with one of these."""
        async with storage.reading() as work:
            return cls(await _mates(integration, work, {case.record.mark for case in cases}))

    def admission(self, integration: Integration, case: Case, cases: Sequence[Case]) -> Admission:
        """Say when a meeting's room is open, for everybody who shares it; of `cases` what is decided counts."""
        here = {one.record.key: one for one in cases} | {case.record.key: case}
        members = {mate.key: mate for mate in self.mates.get(case.record.mark, ())} | {case.record.key: case.record}
        times: list[Times] = []
        for key in sorted(members):
            known = here.get(key)
            if known is None:
                times += times_of(members[key], lives=members[key].state in LIVING)
            elif known.record.mark == case.record.mark:
                times += times_of(known.record, lives=lives_on(known))
        return admission_of(integration, *times)


async def forget_told(storage: Storage, cases: Sequence[Case], household: Household) -> None:
    """Store, before these rooms are changed, that nobody knows what the platform was told of them.

    If the process dies between the change and its result, everybody who shares the room tells it again.
    """
    here = {case.record.key for case in cases}
    marks = {case.record.mark for case in cases}
    told = [mate for mark in sorted(marks) for mate in household.mates.get(mark, ()) if mate.key not in here]
    for case in cases:
        if case.record.room is not None:
            case.record = replace(case.record, room=UNKNOWN)
    stale = [replace(mate, room=UNKNOWN) for mate in told if mate.room is not None]
    begun = [case.record for case in cases if case.record.room is not None]
    if stale or begun:
        async with storage.work() as work:
            await work.meetings.save([*begun, *stale])


async def admission_with(integration: Integration, storage: Storage, changed: Record) -> Admission:
    """Say when a room is open for all who share it, one of whom is not stored yet as it is now."""
    async with storage.reading() as work:
        mates = await _mates(integration, work, {changed.mark})
    members = {mate.key: mate for mate in mates.get(changed.mark, ())} | {changed.key: changed}
    found = [times_of(members[key], lives=members[key].state in LIVING) for key in sorted(members)]
    return admission_of(integration, *(one for times in found for one in times))


async def still_needed(integration: Integration, storage: Storage, leaving: Sequence[Record]) -> set[str]:
    """Return the marks of those rooms, of meetings that leave them, that another meeting uses."""
    gone = {record.key for record in leaving}
    async with storage.reading() as work:
        mates = await _mates(integration, work, {record.mark for record in leaving})
    return {mark for mark, found in mates.items() if any(m.key not in gone and uses_room(m) for m in found)}


def uses_room(record: Record) -> bool:
    """Whether a meeting needs its room: it lives, or the room is kept for its running occurrence, whatever became of it."""
    return record.state in LIVING or (record.held is not None and record.room is not None)


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
