"""Planning a takeover: a walk through the calendar that says what becomes of each meeting, with nothing changed.

```
 what is not over ──read──▶ whose alias?  by the item's id, else by the token in the text
                               │
        taken over ◀── alias, room, records and reservations are as they should be ──▶ left alone, and why
```
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ItemGoneError
from greenroom.meetings.alias import Alias
from greenroom.meetings.decision import last_end
from greenroom.meetings.evidence import read_tickets
from greenroom.meetings.kin import LIVING
from greenroom.meetings.legacy import Legacy, LegacyAlias, LegacyRoom
from greenroom.meetings.legacy_token import LegacyTokens, find_legacy_tokens
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Observation, Response
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import Ticket
from greenroom.scheduler import wording
from greenroom.scheduler.case import new_record
from greenroom.scheduler.holding import HeldError, Holding
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.takeover import Entry, Fate, Plan, Progress
from greenroom.storage import Storage

_SLICE = 50


async def plan(
    integration: Integration,
    storage: Storage | None,
    legacy: Legacy,
    now: datetime,
    *,
    must_mark: bool = True,
    progress: Progress = lambda _what, _done, _total: None,
) -> Plan:
    """Walk through the calendar and say what becomes of each meeting. Changes nothing; raises ExchangeError and StorageError.

    `storage` is None where nothing is remembered yet. Without `must_mark` a room may carry somebody else's mark: it is answered for
    by policy alone.
    """
    walk = _Walk(integration, storage, legacy, now, must_mark=must_mark)
    refs = await walk.known(_worth_reading(await integration.mailbox.inventory(now)))
    for start in range(0, len(refs), _SLICE):
        progress("calendar", start, len(refs))
        await walk.look(refs[start : start + _SLICE])
    progress("calendar", len(refs), len(refs))
    return Plan(tuple(sorted([*await walk.settled(), *walk.leftover()], key=_soonest)))


def _worth_reading(glances: Iterable[Glance]) -> list[Glance]:
    """Return one item of each meeting: a request message only where no calendar item is."""
    found: dict[str, Glance] = {}
    for glance in glances:
        name = glance.ref.id if glance.key is None else glance.key.value
        before = found.get(name)
        if glance.response is not Response.ORGANIZER and (before is None or before.ref.is_message):
            found[name] = glance
    return list(found.values())


def _soonest(entry: Entry) -> tuple[bool, float, str]:
    span = None if entry.record is None else entry.record.span
    return (
        span is None,
        0.0 if span is None else span.start.timestamp(),
        "" if entry.alias is None else entry.alias.name,
    )


class _Walk:
    """What was found so far."""

    def __init__(
        self, integration: Integration, storage: Storage | None, legacy: Legacy, now: datetime, *, must_mark: bool
    ) -> None:
        self._integration = integration
        self._storage = storage
        self._legacy = legacy
        self._now = now
        self._must_mark = must_mark
        self._owners = {one.ref for one in legacy.watching(integration.mailbox.address)}
        self._entries: dict[str, Entry] = {}
        self._touched: set[str] = set()

    async def known(self, glances: Sequence[Glance]) -> list[ItemRef]:
        """Set aside what the records know already, and return what has to be read."""
        records = await self._records([one.key for one in glances if one.key is not None])
        refs: list[ItemRef] = []
        for glance in glances:
            record = None if glance.key is None else records.get(glance.key)
            if record is None or record.alias_number is None:
                refs.append(glance.ref)
            else:
                self._put(self._remembered(record))
        return refs

    async def look(self, refs: Sequence[ItemRef]) -> None:
        """Read these items and say what becomes of them."""
        found: list[Observation] = []
        for result in await self._integration.mailbox.read(refs):
            if isinstance(result, Observation):
                found.append(result)
            elif _failed(result):
                code = result.error.code if result.error is not None else ""
                self._entries[result.ref.id] = Entry(Fate.UNREADABLE, code)
        records = await self._records([one.key for one in found])
        for observation in found:
            record = records.get(observation.key)
            entry = self._judge(observation, record)
            if entry is not None:
                self._put(entry)

    async def settled(self) -> list[Entry]:
        """Return what becomes of what was read: of two that want one alias the series, then the sooner, has it."""
        wanting = sorted((one for one in self._entries.values() if one.fate is Fate.TAKE), key=_first_served)
        holding = await self._holding(wanting)
        others = [entry for entry in self._entries.values() if entry.fate is not Fate.TAKE]
        return [*others, *(_claimed(entry, holding) for entry in wanting)]

    def leftover(self) -> list[Entry]:
        """Return aliases with a room that no meeting of the calendar has; those never used, or long gone, are not told."""
        left: list[Entry] = []
        for alias in self._legacy.aliases:
            rooms = self._legacy.rooms_at(alias.name, alias.numeric)
            if alias.ref in self._touched or not rooms or not self._is_ours(alias):
                continue
            uses = self._legacy.uses_of(alias, rooms)
            over = all(use.is_over(self._now) for use in uses)
            left.append(Entry(Fate.OVER if over else Fate.ABSENT, key=alias.key, alias=alias, room=rooms[0]))
        return left

    async def _records(self, keys: Sequence[MeetingKey]) -> dict[MeetingKey, Record]:
        if self._storage is None or not keys:
            return {}
        async with self._storage.reading() as work:
            return await work.meetings.by_keys(self._integration.number, keys)

    def _put(self, entry: Entry) -> None:
        name = "" if entry.key is None else entry.key.value
        before = self._entries.get(name)
        if before is None or before.record is None or before.record.kind is not Kind.SERIES:
            self._entries[name] = entry

    def _remembered(self, record: Record) -> Entry:
        bound = self._legacy.of_meeting(record.key)
        self._touched |= {alias.ref for alias in bound}
        if record.adopted is None:
            return Entry(Fate.OURS, "record", record.key, record)
        alias = next((one for one in bound if one.name == record.adopted.name), None)
        rooms = self._legacy.rooms_at(record.adopted.name)
        if not rooms or record.state not in LIVING or (rooms[0].claimed and not self._must_mark):
            return Entry(Fate.TAKEN, record.state.value, record.key, record, alias)
        if rooms[0].claimed or rooms[0].mark not in (None, record.mark):
            detail = "foreign-tag" if rooms[0].claimed else "held-there"
            return Entry(Fate.CONFLICT, detail, record.key, record, alias)
        return Entry(Fate.TAKEN, record.state.value, record.key, record, alias, rooms[0])

    def _judge(self, observation: Observation, known: Record | None) -> Entry | None:
        integration = self._integration
        own = observation.is_organizer or observation.organizer.address == integration.policy.mailbox
        if own or observation.informational_copy or observation.cancelled:
            return None
        if known is not None and known.alias_number is not None:
            return self._remembered(known)
        tokens = find_legacy_tokens(observation.body_html)
        bound = self._legacy.of_meeting(observation.key)
        named = [one for uuid in tokens.aliases if (one := self._legacy.of_uuid(uuid)) is not None]
        self._touched |= {one.ref for one in (*bound, *named)}
        record = _prepared(integration, observation, known, self._now)
        fate = self._plainly(observation)
        if fate is not None:
            return Entry(fate, key=observation.key, record=record)
        alias = _best([*bound, *(one for one in named if one.key is None)], tokens)
        if alias is None:
            return Entry(_without(tokens, named), key=observation.key, record=record)
        fate, detail, room = self._worth(alias)
        return Entry(fate, detail, observation.key, record, alias, room)

    def _plainly(self, observation: Observation) -> Fate | None:
        """Return the fate that needs no look at an alias."""
        found = read_tickets(observation.body_html, self._integration.ring)
        if any(isinstance(one, Ticket) for one in found):
            return Fate.OURS
        end = last_end(observation.kind, observation.span)
        if observation.span is None:
            return Fate.UNREADABLE
        if end is not None and end <= self._now:
            return Fate.OVER
        return Fate.DECLINED if observation.response is Response.DECLINED else None

    def _is_ours(self, alias: LegacyAlias) -> bool:
        return not self._owners or alias.owner in self._owners

    def _worth(self, alias: LegacyAlias) -> tuple[Fate, str, LegacyRoom | None]:  # noqa: PLR0911 (it is a table)
        """Say whether the alias leads where it should."""
        rooms = self._legacy.rooms_at(alias.name, alias.numeric)
        if not self._is_ours(alias):
            return Fate.FOREIGN, "other-connector", None
        if alias.deleted_at is not None or (alias.used and not rooms):
            return Fate.DELETED, "", None
        if not rooms:
            return Fate.TAKE, "", None  # given out, and its room not made yet
        if len(rooms) > 1 or alias.name.lower() not in rooms[0].aliases:
            return Fate.CONFLICT, "two-rooms", None
        room = rooms[0]
        if not room.dialled or not self._legacy.is_scheduled(room):
            return Fate.FOREIGN, "permanent-room", None
        if room.claimed and self._must_mark:
            return Fate.CONFLICT, "foreign-tag", room
        return Fate.TAKE, "", None if room.claimed else room

    async def _holding(self, entries: Iterable[Entry]) -> Holding:
        aliases = [entry.alias for entry in entries if entry.alias is not None]
        if self._storage is None:
            return Holding()
        async with self._storage.reading() as work:
            return await Holding.load(work, aliases)


def _claimed(entry: Entry, holding: Holding) -> Entry:
    """Give the meeting its alias, unless another one has it."""
    record, alias, room = entry.record, entry.alias, entry.room
    assert record is not None, "what is to be taken over was read"
    assert alias is not None, "and has an alias"
    try:
        owner = holding.owner(record, alias)
    except HeldError:
        return replace(entry, fate=Fate.CONFLICT, detail="held-here", room=None)
    spelled = Alias(record.alias_number or 0, alias.name, alias.numeric)
    record = replace(record, adopted=spelled, room_mark=None if owner is None else owner.mark)
    if room is not None and room.mark not in (None, record.mark):
        return replace(entry, fate=Fate.CONFLICT, detail="held-there", room=None)
    holding.take(record)
    return replace(entry, record=record)


def _prepared(integration: Integration, observation: Observation, known: Record | None, now: datetime) -> Record:
    """Write the record of a meeting as it will be stored, without its alias. It is looked at at once."""
    begun = known or new_record(integration.number, observation.key, observation.ref, now)
    return replace(
        begun,
        ref=observation.ref,
        kind=observation.kind,
        organizer=observation.organizer.address,
        span=observation.span,
        series=observation.series,
        title=wording.title(integration, observation),
        state=State.PENDING,
        reason=Reason.IMPORTED.value,
        seen=None,
        replied=None,
        replying=None,
        answered_before=None,
        instructions=InstructionsState.PRESENT,
        attempts=0,
    )


def _best(aliases: Sequence[LegacyAlias], tokens: LegacyTokens) -> LegacyAlias | None:
    """Return the alias that counts: one bound to the meeting and not deleted, which its text names, used, given out last."""

    def worth(alias: LegacyAlias) -> tuple[bool, bool, bool, bool, float]:
        made = 0.0 if alias.created_at is None else alias.created_at.timestamp()
        return alias.key is not None, alias.deleted_at is None, alias.uuid in tokens.aliases, alias.used, made

    return max(aliases, key=worth, default=None)


def _without(tokens: LegacyTokens, named: Sequence[LegacyAlias]) -> Fate:
    if named:
        return Fate.COPY  # its token is another meeting's
    if tokens.aliases:
        return Fate.UNKNOWN
    return Fate.OFFLINE if tokens.offline else Fate.PLAIN


def _first_served(entry: Entry) -> tuple[bool, float]:
    record = entry.record
    assert record is not None, "what is to be taken over was read"
    return record.kind is not Kind.SERIES, 0.0 if record.span is None else record.span.start.timestamp()


def _failed(result: Unreadable) -> bool:
    return result.error is not None and not isinstance(result.error, ItemGoneError)
