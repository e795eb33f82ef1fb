"""Whose the aliases are: holders of tickets, and numbers reserved for meetings, in the transaction of the decision."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeGuard

import structlog

from greenroom.meetings.acceptance import is_unknown
from greenroom.meetings.alias import Alias
from greenroom.meetings.decision import Decision
from greenroom.meetings.evidence import Evidence, Holder, TicketStatus, weigh_tickets
from greenroom.meetings.kin import Kin, Kinship, kin_of
from greenroom.meetings.legacy_token import NO_TOKENS, NUMBERS_FROM, LegacyTokens, find_legacy_tokens
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.policy import Policy, Split
from greenroom.meetings.reasons import AliasSource
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import Ticket, TicketFault
from greenroom.scheduler.case import Case
from greenroom.scheduler.household import uses_room
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.standing import UNTOLD, claim
from greenroom.storage import Reservation, Storage, Work

_DRAWS = 20
NO_FREE_ALIAS = "no-free-alias"
ASKED_FOR = "asked-for"
"""Code of the journal's line that says by whom a meeting's ticket was asked for: a digest, which the log of the API has, too."""

log = structlog.get_logger(__name__)

Tickets = Sequence[Ticket | TicketFault]


@dataclass(slots=True)
class Known:
    """The records and reservations that decisions of one slice look at; `take` keeps them true as decisions are made.

    `standing` are the aliases of rooms that the platform has for meetings of which nothing is remembered. `inherits` says that
    meetings of another system were taken over: its tokens are not another's any more.
    """

    records: dict[MeetingKey, Record]
    reservations: dict[int, Reservation]
    standing: Mapping[MeetingKey, tuple[str, ...]] = field(default_factory=dict)
    inherits: bool = False

    @classmethod
    async def load(
        cls,
        integration: Integration,
        work: Work,
        keys: Iterable[MeetingKey],
        tickets: Iterable[Tickets],
        tokens: Iterable[LegacyTokens] = (),
        *,
        standing: Mapping[MeetingKey, tuple[str, ...]] | None = None,
    ) -> "Known":
        """Load the records of these meetings, of their series, and of whoever holds one of these tickets or shares that room.

        `tokens` are those of another system: the meetings that were taken over from it hold them. Of `standing` those count whose
        alias is still free.
        """
        wanted, tokens = set(keys), list(tokens)
        genuine = (ticket for found in tickets for ticket in found if _names_alias(ticket))
        foreign = {number for found in tokens for number in found.numbers}
        spelled = {key: integration.aliases.number_of(dialled) for key, dialled in (standing or {}).items()}
        stand = {number for number in spelled.values() if number is not None}
        numbers = sorted({*(ticket.number for ticket in genuine), *foreign, *stand})
        reservations = await work.reservations.holders(integration.number, numbers) if numbers else {}
        free = {key: dialled for key, dialled in (standing or {}).items() if _is_free(reservations, spelled[key], key)}
        inherits = bool(foreign & reservations.keys())
        if not inherits and any(found.aliases or found.offline for found in tokens):
            inherits = await work.reservations.any_from(integration.number, NUMBERS_FROM)
        wanted |= {one.key for one in reservations.values() if one.key is not None}
        records = {one.key: one for one in await work.meetings.kin(integration.number, wanted)}
        marks = {records[one.key].mark for one in reservations.values() if one.key in records}
        mates = await work.meetings.of_rooms(integration.number, marks) if marks else []
        return cls({one.key: one for one in mates} | records, reservations, free, inherits)

    def take(self, record: Record) -> None:
        """Remember what was decided, and whose alias it is now."""
        self.records[record.key] = record
        number, issued = record.alias_number, record.issued_at
        if number is not None and issued is not None and record.room_mark is None:
            held = self.reservations.get(number)
            if held is None or (held.key is None and held.deleted_at is None):
                self.reservations[number] = Reservation(number, record.integration, record.key, issued)

    def family(self, key: MeetingKey) -> list[Record]:
        """Return the records of the same series."""
        clean = key.clean
        return [record for record in self.records.values() if record.key.clean == clean]

    def weigh(
        self,
        observation: Observation,
        tickets: Tickets,
        policy: Policy,
        now: datetime,
        tokens: LegacyTokens = NO_TOKENS,
    ) -> tuple[Evidence, Kin | None]:
        """Say what the invitation's tickets are worth, and whose room the meeting may share."""
        held = {t.number: self.reservations.get(t.number) for t in tickets if _names_alias(t)}
        kin = {number: self._kin(observation, number, now) for number, one in held.items() if one is not None}
        holders = {
            number: Holder(
                one.key, one.deleted_at is not None, kin=_may_share(kin[number], policy), issued_at=one.issued_at
            )
            for number, one in held.items()
            if one is not None
        }
        evidence = weigh_tickets(tickets, holders, observation.key)
        if evidence.status in (TicketStatus.KIN, TicketStatus.COPIED) and evidence.ticket is not None:
            return evidence, kin.get(evidence.ticket.number)
        if evidence.status in UNTOLD:
            evidence = self._untold(observation, tokens, evidence)
        for number in tokens.numbers if evidence.status is TicketStatus.NONE else ():
            if number in self.reservations and (found := self._kin(observation, number, now)) is not None:
                return evidence, found
        return evidence, kin_of(observation, None, self.family(observation.key), now)

    def _untold(self, observation: Observation, tokens: LegacyTokens, evidence: Evidence) -> Evidence:
        """Say what else tells an alias: a room of the meeting that stands, or another system that prepared it and still answers."""
        aliases = self.standing.get(observation.key, ())
        accepted = observation.response is Response.ACCEPTED
        if aliases and accepted and is_unknown(self.records.get(observation.key)):
            return Evidence(TicketStatus.ROOM, aliases=aliases)
        if evidence.status is TicketStatus.NONE and (tokens.aliases or tokens.offline) and not self.inherits:
            return Evidence(TicketStatus.FOREIGN)
        return evidence

    def _kin(self, observation: Observation, number: int, now: datetime) -> Kin | None:
        key = self.reservations[number].key
        holder = None if key is None or key == observation.key else self.records.get(key)
        if holder is None:
            return None
        mates = [one for one in self.records.values() if one.mark == holder.mark and one.key != holder.key]
        return kin_of(observation, holder, (), now, mates=mates)


def _names_alias(ticket: Ticket | TicketFault) -> TypeGuard[Ticket]:
    return isinstance(ticket, Ticket) and ticket.names_alias


def _is_free(reservations: Mapping[int, Reservation], number: int | None, key: MeetingKey) -> bool:
    held = None if number is None else reservations.get(number)
    return held is None or (held.key == key and held.deleted_at is None)


def _may_share(kin: Kin | None, policy: Policy) -> bool:
    if kin is None or kin.how is Kinship.UNSETTLED:
        return False
    return kin.how is not Kinship.SPLIT or policy.split is Split.SAME_ROOM


async def reserve(integration: Integration, work: Work, case: Case, kin: Kin | None, now: datetime) -> None:
    """Bind the alias the decision asks for to this meeting. Two meetings of one slice may bring the same ticket: first come."""
    decision, ticket = case.decision, case.evidence.ticket
    if decision.alias is not AliasSource.RECORD and await _is_shared(integration, work, case.record):
        case.leaves_room = case.record.mark
    if decision.alias is AliasSource.TICKET and ticket is not None and case.evidence.status is TicketStatus.VALID:
        bound = await work.reservations.bind(integration.number, ticket.number, case.record.key, ticket.issued_at)
        if bound is not None:
            if bound.asked_by is not None:
                case.note("decided", ASKED_FOR, now, bound.asked_by)  # who asked need not be the organizer: a delegate
            _take(case, ticket.number, ticket.key_id, ticket.issued_at, InstructionsState.PRESENT)
            return
        case.decision = _drawn(decision)
        case.note("decided", "copy", now)
    if case.decision.alias is AliasSource.ROOM:
        await _adopt(integration, work, case, now)
        return
    if case.decision.alias is AliasSource.KIN:
        if kin is not None and kin.record.alias_number is not None and kin.record.alias_key is not None:
            _share(case, kin.record, kin.record.alias_number, kin.record.alias_key, _untold(integration, case.record))
            return
        case.decision = _drawn(decision)
    if case.decision.alias is not AliasSource.RECORD:
        await draw(integration, work, case, now)


async def _is_shared(integration: Integration, work: Work, record: Record) -> bool:
    """Whether others live in the room that a meeting with an alias of its own is about to leave."""
    if record.alias_number is None:
        return False
    mates = await work.meetings.of_rooms(integration.number, [record.mark])
    return any(mate.key != record.key and uses_room(mate) for mate in mates)


async def part(integration: Integration, work: Work, case: Case) -> None:
    """Give a meeting that comes back a room of its own where others have given its first one another alias."""
    record = case.record
    if record.alias_number is None or record.room_mark is not None:
        return
    mates = await work.meetings.of_rooms(integration.number, [record.mark])
    if any(m.key != record.key and uses_room(m) and m.alias_number != record.alias_number for m in mates):
        case.record = replace(record, room_mark=_mark_of_another(record.key, record.alias_number), room=None)


async def redraw(integration: Integration, storage: Storage, case: Case, now: datetime) -> None:
    """Reserve another alias for a meeting whose drawn one turned out to be taken on the platform."""
    async with storage.work() as work:
        if await _is_shared(integration, work, case.record):
            case.leaves_room = case.record.mark
        await draw(integration, work, case, now)
        await work.meetings.save([case.record])


async def draw(integration: Integration, work: Work, case: Case, now: datetime) -> None:
    """Reserve an alias nobody has; a pool that has none left makes the meeting defective."""
    issued = now.replace(microsecond=0)
    for _ in range(_DRAWS):
        number = integration.aliases.draw().number
        # Reserved first: binding alone would also take a number that a ticket on its way to us was issued for.
        if await work.reservations.reserve(integration.number, number, issued):
            await work.reservations.bind(integration.number, number, case.record.key, issued)
            _take(case, number, integration.ring.current, issued, _untold(integration, case.record))
            return
    case.record = replace(case.record, state=State.DEFECTIVE, reason=NO_FREE_ALIAS)
    case.note("decided", NO_FREE_ALIAS, now)
    case.postpone(now)
    log.error("no free alias found: the alias plan has too few digits", integration=integration.name)


async def _adopt(integration: Integration, work: Work, case: Case, now: datetime) -> None:
    """Give the meeting the alias of the room that stands. Its organizer was told of it in an earlier life, in a reply.

    The time of issue is that of our answer, which the calendar tells: a ticket that is printed some day is the same whenever, and
    however often, the database was lost.
    """
    observation = case.observation
    issued = (observation.replied_at or observation.received_at or now).replace(microsecond=0)
    alias = await claim(integration, work, case.record.key, case.evidence.aliases, issued)
    if alias is None:  # given to another meeting of this slice: looked at again, that counts as taken
        case.postpone(now)
        return
    adopted = None if alias == integration.aliases.alias(alias.number) else alias
    # Where another system wrote how to join, its text stands in the invitation.
    written = adopted is not None and find_legacy_tokens(observation.body_html).aliases
    instructions = InstructionsState.PRESENT if written else InstructionsState.IN_REPLY
    _take(case, alias.number, integration.ring.current, issued, instructions, adopted=adopted)


def _drawn(decision: Decision) -> Decision:
    return replace(decision, alias=AliasSource.DRAW)


def _untold(integration: Integration, record: Record) -> InstructionsState:
    """Say where the joining instructions stand that nobody has read yet."""
    left = not integration.manner.updates or record.instructions is InstructionsState.LEFT
    return InstructionsState.LEFT if left else InstructionsState.NONE


def _share(case: Case, owner: Record, number: int, key: int, untold: InstructionsState) -> None:
    """Give the meeting the room of its kin. The invitation says so already where it carries that room's ticket."""
    brought = case.evidence.ticket
    present = brought is not None and brought.names_alias and brought.number == number
    if owner.adopted is not None and find_legacy_tokens(case.observation.body_html).aliases:
        present = True  # the text is a copy of that which told the alias in the system it was taken over from
    instructions = InstructionsState.PRESENT if present else untold
    issued = owner.issued_at or owner.created_at
    _take(case, number, key, issued, instructions, room_mark=owner.mark, adopted=owner.adopted)


def _take(
    case: Case,
    number: int,
    key: int,
    issued: datetime,
    instructions: InstructionsState,
    *,
    room_mark: str | None = None,
    adopted: Alias | None = None,
) -> None:
    """Give the meeting this alias. A reply that told of another one counts no more, also after a crash."""
    record = case.record
    replied = record.replied
    if room_mark is None and case.leaves_room == record.key.digest:
        room_mark = _mark_of_another(record.key, number)
    elif room_mark is None and case.leaves_room is None and record.alias_number is not None:
        room_mark = record.room_mark  # nobody else is in this room: it gets the other alias, and none is left behind
    if record.alias_number not in (None, number) and replied is not None:
        replied = f"{replied.partition(':')[0]}:"
    case.record = replace(
        record,
        alias_number=number,
        alias_key=key,
        issued_at=issued,
        instructions=instructions,
        replied=replied,
        seen=record.seen if replied == record.replied else None,
        room_mark=room_mark,
        adopted=adopted,
    )


def _mark_of_another(key: MeetingKey, number: int) -> str:
    """Name another room of a meeting whose first one was left to others."""
    return hashlib.sha256(f"{key.digest}:{number}".encode()).hexdigest()[:32]
