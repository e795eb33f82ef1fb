"""Carrying out a plan to take meetings over, slice by slice.

```
 record, reservation, journal     ── stored, in one transaction
 our mark on the room             where nobody's is
```

In this order: a room with our mark that no record knows would pass for one that nobody needs. A crash between the two leaves a
meeting whose room has no mark; asking again finds it and goes on. The running service, or the next one, then makes the rooms known
to the platform, and answers nobody whom the mailbox has answered before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from greenroom.meetings.alias import MAX_DIGITS, Alias, AliasPlan
from greenroom.meetings.decision import last_end
from greenroom.meetings.legacy import LegacyAlias
from greenroom.meetings.legacy_token import legacy_number
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record
from greenroom.scheduler.case import Clock, entry_of
from greenroom.scheduler.holding import HeldError, Holding
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.takeover import Entry, Fate, OtherScheduler, Progress
from greenroom.storage import Storage, Work

log = structlog.get_logger(__name__)

_SLICE = 50
_DRAWS = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: entries as they are now, and those whose room carries somebody else's mark or is gone."""

    entries: tuple[Entry, ...] = ()
    unmarked: tuple[Entry, ...] = ()


async def take_over(
    integration: Integration,
    storage: Storage,
    other: OtherScheduler,
    entries: Sequence[Entry],
    clock: Clock,
    *,
    progress: Progress = lambda _what, _done, _total: None,
) -> Taken:
    """Take these meetings over; of `entries` those that are taken already get the mark that is missing. Safe to repeat.

    Raises StorageError and PlatformError; what was done until then stays done.
    """
    done: list[Entry] = []
    unmarked: list[Entry] = []
    wanted = [entry for entry in entries if entry.fate is Fate.TAKE or entry.unmarked]
    for start in range(0, len(wanted), _SLICE):
        progress("takeover", start, len(wanted))
        stored = await _store(integration, storage, wanted[start : start + _SLICE], clock())
        done += stored
        unmarked += await _mark(other, stored)
        log.info("meetings taken over", integration=integration.name, done=len(done), of=len(wanted))
    progress("takeover", len(wanted), len(wanted))
    return Taken(tuple(done), tuple(unmarked))


async def _store(integration: Integration, storage: Storage, entries: Sequence[Entry], now: datetime) -> list[Entry]:
    """Store one slice. What changed since the plan was made is left as it is now."""
    fresh = [entry for entry in entries if entry.fate is Fate.TAKE]
    keys = [entry.key for entry in fresh if entry.key is not None]
    async with storage.work() as work:
        known = await work.meetings.by_keys(integration.number, keys)
        holding = await Holding.load(work, [entry.alias for entry in fresh if entry.alias is not None])
        desk = _Desk(integration, work, known, holding, now)
        settled = [await desk.settle(entry) if entry.fate is Fate.TAKE else entry for entry in entries]
        records = [entry.record for entry in settled if entry.fate is Fate.TAKE and entry.record is not None]
        await work.meetings.save(records)
        await work.journal.append([entry_of(one, now, "decided", Reason.IMPORTED.value, "silence") for one in records])
    return settled


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where one slice is stored: what is known of its meetings, and who has their aliases."""

    integration: Integration
    work: Work
    known: Mapping[MeetingKey, Record]
    holding: Holding
    now: datetime

    async def settle(self, entry: Entry) -> Entry:
        """Give a meeting its alias, or say what keeps it from that."""
        record, alias = entry.record, entry.alias
        assert record is not None, "what is to be taken over was read"
        assert alias is not None, "and has an alias"
        before = self.known.get(record.key)
        if before is not None and before.alias_number is not None:
            return replace(entry, fate=Fate.OURS, detail="record", record=before, room=None)
        end = last_end(record.kind, record.span)
        if end is not None and end <= self.now:
            return replace(entry, fate=Fate.OVER, room=None)
        try:
            owner = self.holding.owner(record, alias)
            taken = await self._alone(record, alias) if owner is None else _sharing(record, owner)
        except HeldError:
            return replace(entry, fate=Fate.CONFLICT, detail="held-here", room=None)
        if before is not None:
            taken = replace(taken, correlation_id=before.correlation_id, created_at=before.created_at)
        taken = replace(taken, updated_at=self.now, retry_at=self.now)
        self.holding.take(taken)
        return replace(entry, record=taken)

    async def _alone(self, record: Record, alias: LegacyAlias) -> Record:
        """Give it the alias for itself. Its token is kept like a ticket: a copy of the text leads to this meeting."""
        integration, reservations = self.integration, self.work.reservations
        issued = self.now.replace(microsecond=0)
        number = await self._number(record.key, alias, issued)
        await reservations.bind(integration.number, legacy_number(alias.uuid), record.key, issued)
        return replace(
            record,
            adopted=Alias(number, alias.name, alias.numeric),
            alias_number=number,
            alias_key=integration.ring.current,
            issued_at=issued,
            room_mark=None,
        )

    async def _number(self, key: MeetingKey, alias: LegacyAlias, issued: datetime) -> int:
        """Bind a number to the meeting; raises HeldError if what our alias plan spells like this alias is another's.

        The number is that by which our own plan spells the alias, else what callers key in, else drawn as a mere key.
        """
        integration, reservations = self.integration, self.work.reservations
        spelled = number_of(integration.aliases, alias)
        if spelled is not None:
            if await reservations.bind(integration.number, spelled, key, issued):
                return spelled
            raise HeldError
        wanted = int(alias.numeric) if len(alias.numeric) <= MAX_DIGITS else 0
        held = (await reservations.holders(integration.number, [wanted])).get(wanted)
        free = held is None or (held.key == key and held.deleted_at is None)
        if wanted and free and await reservations.bind(integration.number, wanted, key, issued):
            return wanted
        for _ in range(_DRAWS):
            number = integration.aliases.draw().number
            if await reservations.reserve(integration.number, number, issued):
                await reservations.bind(integration.number, number, key, issued)
                return number
        raise HeldError


def _sharing(record: Record, owner: Record) -> Record:
    return replace(
        record,
        adopted=owner.adopted,
        alias_number=owner.alias_number,
        alias_key=owner.alias_key,
        issued_at=owner.issued_at,
        room_mark=owner.mark,
    )


def number_of(plan: AliasPlan, alias: LegacyAlias) -> int | None:
    """Return the number that our alias plan spells just like this alias, or whose numeric alias is the same."""
    lead = "".join(c for c in plan.prefix if c.isascii() and c.isdigit())
    local = alias.name.lower().partition("@")[0]
    for text, prefix in ((local, plan.prefix.lower()), (alias.numeric, lead)):
        digits = text.removeprefix(prefix)
        if text.startswith(prefix) and digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS:
            mine = plan.alias(int(digits))
            if mine.name.lower() == alias.name.lower() or mine.numeric == alias.numeric:
                return mine.number
    return None


async def _mark(other: OtherScheduler, entries: Sequence[Entry]) -> list[Entry]:
    """Put our marks on the rooms of what is taken over, and return the entries whose room does not carry it."""
    wanted = {
        entry.room.ref: entry.record.mark
        for entry in entries
        if entry.unmarked and entry.room is not None and entry.record is not None
    }
    marks = await other.mark(wanted) if wanted else {}
    return [
        entry
        for entry in entries
        if entry.room is not None and entry.room.ref in wanted and marks.get(entry.room.ref) != wanted[entry.room.ref]
    ]
