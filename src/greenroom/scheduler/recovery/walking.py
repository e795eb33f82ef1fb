"""Walking through a calendar, page by page, and judging each meeting as the normal pass would decide it. Nothing is changed.

A plan binds nothing in the database, so a walk for it remembers by itself which meeting brought which ticket first and which series
it has come across: a copy, or an occurrence whose series has a room, is judged as it will be when its turn comes.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from sys import intern

import structlog

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.decision import Decision, decide, settle
from greenroom.meetings.evidence import Evidence, read_tickets
from greenroom.meetings.kin import Kin
from greenroom.meetings.legacy_token import LegacyTokens, find_legacy_tokens
from greenroom.meetings.meant import as_meant
from greenroom.meetings.meeting import Kind, MeetingKey, Observation
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import Record, State
from greenroom.meetings.ticket import Ticket
from greenroom.platforms.contract import Capabilities
from greenroom.scheduler.case import Clock, new_record, place_of
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import Entry, Fate
from greenroom.scheduler.recovery.judging import DIFFERS, MISSING, UNANSWERED, UNREADABLE, judge
from greenroom.scheduler.recovery.owned import OwnedRooms, packed
from greenroom.scheduler.reserve import Known, Tickets
from greenroom.storage import KeptRoom, Reservation, Storage, Work

log = structlog.get_logger(__name__)

Pause = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""
SET_ASIDE = "set-aside"
_TRIES = 5
_PAUSE = timedelta(seconds=15)
_KEPT = (Reason.OVER, Reason.LONG_OVER, Reason.PAST, Reason.TICKET_FOREIGN, Reason.AWAITED)
"""What gets no room now, and may have one that is not to be removed: it closes by itself, is another's, or is not decided yet."""
_ANY_NUMBER = -1
"""In place of the number of an alias that is still to be drawn."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which part of the calendar: what is not over at `since` and begins before `until`. None twice: all that is not over."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether what is not shown is not there."""
        return self.since is None and self.until is None


WHOLE = Reach()


@dataclass(frozen=True, slots=True)
class Sighted:
    """A meeting of a page, and what becomes of it. `told`: somebody gets a mail or an update by it; `declines`: a no."""

    observation: Observation
    entry: Entry
    told: bool = False
    declines: bool = False


class Walk:
    """What was seen so far; `rooms` are those at the platform.

    Of tens of thousands of meetings little may be kept: marks are packed, and a text that several places hold is there once.
    """

    def __init__(
        self,
        integration: Integration,
        storage: Storage | None,
        rooms: OwnedRooms,
        clock: Clock,
        *,
        updates: bool = True,
        binds: bool = False,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._integration = integration
        self._storage = storage
        self._rooms = rooms
        self._clock = clock
        self._updates = updates
        self._binds = binds
        self._pause = pause
        self._numbers: dict[int, str] = {}  # whose ticket
        self._series: dict[str, dict[MeetingKey, Record]] = {}
        self._seen: set[bytes] = set()
        self._idle: set[bytes] = set()
        self._shared: set[str] = set()
        self.unread: list[Entry] = []
        self.unread_items: set[str] = set()
        self.meetings = 0

    def has_seen(self, mark: str) -> bool:
        """Whether the meeting whose key has this digest was shown."""
        return packed(mark) in self._seen

    def needs(self, mark: str) -> bool:
        """Whether a meeting that was shown has, or gets, the room that carries this mark."""
        return mark in self._shared or (packed(mark) in self._seen and packed(mark) not in self._idle)

    async def pages(self, reach: Reach) -> AsyncGenerator[list[Sighted]]:
        """Yield page after page, each meeting once. Raises ExchangeError and StorageError.

        Once it is under way, it waits while Exchange is busy and begins anew, some times: what was seen already is only read again.
        """
        since = (reach.since or self._clock()) - self._integration.policy.after
        tries = 0
        while True:
            try:
                async for page in self._integration.mailbox.pages(since, reach.until):
                    fresh = self._fresh(page)
                    tries = 0 if fresh else tries
                    self.meetings += len(fresh)
                    sighted = await self._look(list(fresh.values()))
                    self._seen |= {packed(key.digest) for key in fresh}
                    yield sighted
            except TryLaterError as error:
                tries += 1
                if tries > _TRIES or not self.meetings:
                    raise
                after = max(error.after or _PAUSE, _PAUSE)
                log.info("walk begins anew", mailbox=self._integration.mailbox.address, code=error.code)
                await self._pause(after.total_seconds())
            else:
                return

    async def again(self, observations: Sequence[Observation]) -> list[Sighted]:
        """Judge meetings that were read anew."""
        return await self._look(observations)

    def _fresh(self, page: Sequence[Observation | Unreadable]) -> dict[MeetingKey, Observation]:
        """Return what was not seen yet, and note what cannot be read. A series comes before a lone occurrence of the same key."""
        fresh: dict[MeetingKey, Observation] = {}
        for one in page:
            if isinstance(one, Observation):
                before = fresh.get(one.key)
                if not self.has_seen(one.key.digest) and (before is None or before.kind is not Kind.SERIES):
                    fresh[one.key] = one
            elif one.error is not None and one.ref.id not in self.unread_items:
                self.unread_items.add(one.ref.id)
                self.unread.append(Entry(Fate.LEAVE, UNREADABLE, ref=one.ref))
                log.warning("item unreadable", item=one.ref.id, code=one.error.code)
        return fresh

    async def _look(self, observations: Sequence[Observation]) -> list[Sighted]:
        brought = {one.key: self._brought(one) for one in observations}
        standing = {
            key: there.aliases
            for key in brought
            if (there := self._rooms.get(key.digest)) is not None and there.aliases
        }
        if self._storage is None:
            return self._judged(observations, Known({}, {}, standing), brought, {})
        tickets = [tickets for tickets, _ in brought.values() if not isinstance(tickets, Exception)]
        tokens = [tokens for _, tokens in brought.values()]
        async with self._storage.reading() as work:
            known = await Known.load(self._integration, work, brought, tickets, tokens, standing=standing)
            absent = await self._absent(work, known, brought)
        return self._judged(observations, known, brought, absent)

    async def _absent(self, work: Work, known: Known, keys: Mapping[MeetingKey, object]) -> dict[str, KeptRoom]:
        """Return what is remembered of rooms that the platform does not have, or has in our own memory only."""
        if not self._rooms.told:
            return {}
        records = [record for key in keys if (record := known.records.get(key)) is not None]
        marks = {one.mark for one in records if one.alias_number is not None and not self._stands(one.mark)}
        return await work.housing.rooms(self._integration.number, marks)

    def _stands(self, mark: str) -> bool:
        """Whether the platform has this room; a tended one has those of which it only says our own name in our memory alone."""
        there = self._rooms.get(mark)
        return there is not None and not (self._integration.platform.capabilities.tended and there.ref == mark)

    def _brought(self, observation: Observation) -> tuple[Tickets | Exception, LegacyTokens]:
        try:
            return read_tickets(observation.body_html, self._integration.ring), find_legacy_tokens(
                observation.body_html
            )
        except Exception as error:  # noqa: BLE001 (it is logged where the meeting is judged; the others go on)
            return error, find_legacy_tokens("")

    def _judged(
        self,
        observations: Sequence[Observation],
        known: Known,
        brought: Mapping[MeetingKey, tuple[Tickets | Exception, LegacyTokens]],
        absent: Mapping[str, KeptRoom],
    ) -> list[Sighted]:
        found: list[Sighted] = []
        for observation in observations:
            self._recall(known, observation, brought[observation.key][0])
            try:
                found.append(self._one(observation, known, brought[observation.key], absent))
            except Exception as error:  # noqa: BLE001 (it is logged; the normal pass sets such a meeting aside)
                log.error("meeting not judged", error=type(error).__name__, where=place_of(error))  # noqa: TRY400
                found.append(Sighted(observation, self._entry(observation, None, Fate.LEAVE, SET_ASIDE)))
        return found

    def _recall(self, known: Known, observation: Observation, tickets: Tickets | Exception) -> None:
        """Let what was planned before count as if it had been done."""
        for record in self._series.get(observation.key.clean.value, {}).values():
            known.records.setdefault(record.key, record)
        for ticket in () if isinstance(tickets, Exception) else tickets:
            if isinstance(ticket, Ticket) and (holder := self._numbers.get(ticket.number)) is not None:
                held, key = known.reservations.get(ticket.number), MeetingKey(holder)
                if held is None or held.key is None:
                    number = self._integration.number
                    known.reservations[ticket.number] = Reservation(ticket.number, number, key, ticket.issued_at)
                    for record in self._series.get(key.clean.value, {}).values():
                        known.records.setdefault(record.key, record)

    def _one(
        self,
        observation: Observation,
        known: Known,
        brought: tuple[Tickets | Exception, LegacyTokens],
        absent: Mapping[str, KeptRoom],
    ) -> Sighted:
        tickets, tokens = brought
        if isinstance(tickets, Exception):
            raise tickets
        policy, now, record = self._integration.policy, self._clock(), known.records.get(observation.key)
        observation = as_meant(observation, record, known.family(observation.key))
        evidence, kin = known.weigh(observation, tickets, policy, now, tokens)
        decision = decide(
            observation, None if record is None else settle(observation, record), evidence, policy, now, kin=kin
        )
        planned = _planned(self._integration, observation, record, decision, evidence, kin, now)
        judged = judge(observation, record, decision, now, updates=self._updates, room=self._lacks(record, absent, now))
        needs = decision.provide or decision.reason in _KEPT or judged.detail == UNANSWERED
        if not needs or planned.mark != observation.key.digest:
            self._idle.add(packed(observation.key.digest))
        if needs and planned.mark != observation.key.digest:
            self._shared.add(planned.mark)
        if decision.provide:
            self._take(known, planned)
        told = Sighted(observation, self._entry(observation, planned, judged.fate, judged.detail), judged.told)
        return replace(told, declines=decision.outcome is not None and not decision.outcome.accepts)

    def _lacks(self, record: Record | None, absent: Mapping[str, KeptRoom], now: datetime) -> str:
        """Say what is wrong with the room of a meeting that should have one."""
        if record is None or not self._rooms.told:
            return ""
        there, alias = self._rooms.get(record.mark), self._spelled(record)
        if there is not None and alias and not there.is_dialled(alias):
            return DIFFERS
        if self._stands(record.mark):
            return ""
        return MISSING if is_missing(absent.get(record.mark), self._integration.platform.capabilities, now) else ""

    def _take(self, known: Known, planned: Record) -> None:
        known.take(planned)
        if self._binds:
            return
        held = None if planned.alias_number is None else known.reservations.get(planned.alias_number)
        if held is not None and held.key is not None:
            self._numbers.setdefault(held.number, held.key.value)
        if planned.kind is not Kind.SINGLE:
            self._series.setdefault(planned.key.clean.value, {})[planned.key] = planned

    def _entry(self, observation: Observation, record: Record | None, fate: Fate, detail: str) -> Entry:
        alias = "" if record is None else self._spelled(record)
        there = self._rooms.get(record.mark) if record is not None and fate is Fate.ADOPT else None
        if there is not None:
            alias = there.aliases[0] if there.aliases else ""
        return Entry(
            fate,
            detail,
            key=observation.key,
            starts_at=None if observation.span is None else observation.span.start,
            organizer=intern(observation.organizer.address),
            alias=alias,
            correlation_id="" if record is None else record.correlation_id,
            room="" if there is None else there.ref,
            mark="" if there is None or record is None else record.mark,
        )

    def _spelled(self, record: Record) -> str:
        return spelled(self._integration, record)


def spelled(integration: Integration, record: Record) -> str:
    """Spell the alias of a record; empty if it has none."""
    if record.adopted is not None:
        return record.adopted.name
    number = record.alias_number
    return "" if number is None or number < 0 else integration.aliases.alias(number).name


def is_missing(kept: KeptRoom | None, can: Capabilities, now: datetime) -> bool:
    """Whether a room should be there that the platform does not have; `kept` is what is remembered of it.

    A platform that is tended makes rooms when they are due: our own memory says whether it was made.
    """
    if kept is None or kept.retired_at is not None:
        return True
    made = kept.there.ref is not None and kept.there.told != ""
    over = kept.closes_at is not None and kept.closes_at <= now
    return not over and (made or not can.tended)


def _planned(  # noqa: PLR0917 (all that it depends on)
    integration: Integration,
    observation: Observation,
    record: Record | None,
    decision: Decision,
    evidence: Evidence,
    kin: Kin | None,
    now: datetime,
) -> Record:
    """Write the record as it will be, as far as others depend on it and a plan shows it."""
    begun = record or replace(new_record(integration.number, observation.key, observation.ref, now), correlation_id="")
    begun = replace(
        begun,
        kind=observation.kind,
        organizer=observation.organizer.address or begun.organizer,
        span=observation.span or begun.span,
        series=observation.series,
        state=State.SCHEDULED if decision.provide else begun.state,
    )
    ticket = evidence.ticket
    if not decision.provide or decision.alias is AliasSource.RECORD:
        return begun
    if decision.alias is AliasSource.TICKET and ticket is not None:
        return replace(
            begun, alias_number=ticket.number, alias_key=ticket.key_id, issued_at=ticket.issued_at, room_mark=None
        )
    if decision.alias is AliasSource.KIN and kin is not None:
        owner = kin.record
        return replace(
            begun,
            alias_number=owner.alias_number,
            alias_key=owner.alias_key,
            room_mark=owner.mark,
            adopted=owner.adopted,
        )
    return replace(begun, alias_number=_ANY_NUMBER, alias_key=integration.ring.current, room_mark=None)
