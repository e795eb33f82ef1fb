"""Aliases set aside for people who are still writing their invitation: what the add-in's API asks for.

A reservation is a row without a meeting, until an invitation brings its ticket (`greenroom.scheduler.reserve`). Nothing depends on
it: the ticket alone is enough, also after the row was given back, has expired, or was lost with the database. The row keeps two
people from getting the same number, and one person from getting all.

`Reservations` is the `Reserving` of `greenroom.web.addin_contract`, of which nothing is imported here.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from greenroom.meetings.instructions import instructions_block, text_block
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.policy import PinPolicy
from greenroom.meetings.record import Record
from greenroom.meetings.reserving import (
    Ahead,
    Instructions,
    Kind,
    NotPossibleError,
    TicketGoneError,
    TooManyUnclaimedError,
)
from greenroom.meetings.ticket import NUMBER_LIMIT, OFFLINE, PERSONAL, Ticket
from greenroom.scheduler import wording
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.together import Together
from greenroom.storage import Reservation, Storage, StorageError, Work

log = structlog.get_logger(__name__)

_DRAWS = 20
_PATIENCE = 5.0
_AGAIN = timedelta(seconds=2)
_EXPIRE_AT_ONCE = 500


class Asker(Protocol):
    """Whoever asks: `user` is a digest that stays the same for a person (at most 32 characters)."""

    @property
    def user(self) -> str:
        """The digest."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may have: `unclaimed` reservations that no meeting has brought, each for `keep`, and `ahead` of them to keep.

    What is fetched ahead counts as asked for, but never uses up more than half: a page that loses what it keeps must not lock its
    owner out.
    """

    unclaimed: int = 30
    keep: timedelta = timedelta(days=30)
    ahead: int = 2


class Reservations:
    """Reservations of one integration. Any number of processes may do this at once."""

    def __init__(self, integration: Integration, storage: Storage, clock: Clock, allowance: Allowance) -> None:
        self._integration = integration
        self._storage = storage
        self._clock = clock
        self._allowance = allowance
        self._together = Together(self._work, allowance.unclaimed)

    async def reserve(self, caller: Asker, request_id: str) -> Instructions:
        """Set an alias aside; the same `request_id` of the same person gives the same ticket, with today's texts.

        Raises TooManyUnclaimedError, NotPossibleError.
        """
        now = self._now()
        one = replace(self._blank(caller, now), number=self._integration.aliases.draw().number, request_id=request_id)
        if await self._together.add(one, now):  # what is asked most: a new request, of somebody who has not too many
            held, repeated = one, False
        else:
            held, repeated = await self._settled(caller, request_id, now)
        if not repeated:
            log.info("room asked for", integration=self._integration.name, person=caller.user, number=held.number)
        return replace(self._told(held), repeated=repeated)

    async def refresh(self, caller: Asker, ticket: str) -> Instructions:
        """Render the instructions of a ticket anew, and keep its reservation longer.

        What was given back, has expired or was lost is reserved again. Of others only the texts are rendered: whoever holds the
        ticket holds the invitation, be it a delegate's or that of a meeting that is long sent.
        Raises TicketGoneError, TooManyUnclaimedError, NotPossibleError.
        """
        genuine, now = self._genuine(ticket), self._now()
        async with self._turn_of(caller) as work:
            held = await self._held(work, genuine)
            if held is None:
                await self._make_room(work, caller, now)
                held = await self._taken_again(work, caller, genuine, now)
            if held.deleted_at is not None:
                raise TicketGoneError("deleted")
            if held.issued_at.replace(microsecond=0) != genuine.issued_at:
                raise TicketGoneError("taken")
            record = await self._holder(work, held)
            if held.key is None and held.asked_by == caller.user:
                held = await self._prolonged(work, caller, held, now)
        return self._told(replace(held, key_id=genuine.key_id), record)

    async def release(self, caller: Asker, ticket: str) -> None:
        """Give back this person's unclaimed reservation; anything else, also what is no ticket of ours, stays as it is.

        Raises NotPossibleError.
        """
        verdict, number = self._integration.ring.verify(ticket), self._integration.number
        if not isinstance(verdict, Ticket) or verdict.options & (OFFLINE | PERSONAL):
            return
        async with self._work() as work:
            gone = await work.asked.release(number, verdict.number, caller.user, verdict.issued_at)
        if gone:
            log.info("room given back", integration=self._integration.name, person=caller.user, number=verdict.number)

    async def ahead(self, caller: Asker, count: int) -> Ahead:
        """Set up to `count` aliases aside for a person to keep, as far as there is room for them. Raises NotPossibleError."""
        now, allowance = self._now(), self._allowance
        drawn: list[Reservation] = []
        async with self._turn_of(caller) as work:
            mine = await work.asked.count(self._integration.number, caller.user, now)
            few = max(0, min(count, allowance.ahead, allowance.unclaimed // 2 - mine))
            if few:
                drawn = await self._drawn(work, caller, [secrets.token_urlsafe(24) for _ in range(few)], now)
        if drawn:
            log.info("rooms fetched ahead", integration=self._integration.name, person=caller.user, rooms=len(drawn))
        return Ahead(tuple(self._told(one) for one in drawn), self._promise(now))

    # --- in the transaction -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Work]:
        try:
            async with asyncio.timeout(_PATIENCE), self._storage.work() as work:
                yield work
        except TimeoutError:
            raise NotPossibleError("database-busy", _AGAIN) from None
        except StorageError as error:
            log.warning("reservation not stored", integration=self._integration.name, problem=str(error))
            raise NotPossibleError("database", _AGAIN) from None

    @asynccontextmanager
    async def _turn_of(self, caller: Asker) -> AsyncIterator[Work]:
        async with self._work() as work:
            await work.asked.take_turn(self._integration.number, caller.user)
            yield work

    async def _make_room(self, work: Work, caller: Asker, now: datetime) -> None:
        if await work.asked.count(self._integration.number, caller.user, now) >= self._allowance.unclaimed:
            raise TooManyUnclaimedError

    async def _settled(self, caller: Asker, request_id: str, now: datetime) -> tuple[Reservation, bool]:
        """Find out step by step what a request gets, and whether it got it before."""
        async with self._turn_of(caller) as work:
            held = await self._repeated(work, caller, request_id)
            if held is None:
                await self._make_room(work, caller, now)
                (held,) = await self._drawn(work, caller, [request_id], now)
                return held, False
            if held.key is None and _is_over(held, now):
                held = await self._prolonged(work, caller, held, now)
            return held, True

    async def _repeated(self, work: Work, caller: Asker, request_id: str) -> Reservation | None:
        """Return what this request was answered with; what is of no use any more is forgotten."""
        held = await work.asked.of_request(self._integration.number, caller.user, request_id)
        if held is None or self._is_usable(held):
            return held
        await work.asked.forget_request(self._integration.number, caller.user, request_id)
        return None

    async def _drawn(self, work: Work, caller: Asker, request_ids: Sequence[str], now: datetime) -> list[Reservation]:
        """Reserve numbers that nobody has, one for each request; a pool that has none left is told to the log."""
        blank = self._blank(caller, now)
        drawn: list[Reservation] = []
        waiting = list(request_ids)
        for _ in range(_DRAWS):
            wanted: dict[int, Reservation] = {}
            for request_id in waiting:
                number = self._integration.aliases.draw().number
                wanted[number] = replace(blank, number=number, request_id=request_id)
            drawn += [wanted[number] for number in await work.asked.add(list(wanted.values()))]
            done = {one.request_id for one in drawn}
            waiting = [request_id for request_id in request_ids if request_id not in done]
            if not waiting:
                return drawn
        log.error("no free alias found: the alias plan has too few digits", integration=self._integration.name)
        raise NotPossibleError("no-free-alias")

    def _blank(self, caller: Asker, now: datetime) -> Reservation:
        number, key = self._integration.number, self._integration.ring.current
        return Reservation(0, number, None, now, asked_by=caller.user, key_id=key, expires_at=self._until(now))

    async def _held(self, work: Work, ticket: Ticket) -> Reservation | None:
        return (await work.reservations.holders(self._integration.number, [ticket.number])).get(ticket.number)

    async def _taken_again(self, work: Work, caller: Asker, ticket: Ticket, now: datetime) -> Reservation:
        mine = Reservation(
            ticket.number,
            self._integration.number,
            None,
            ticket.issued_at,
            asked_by=caller.user,
            key_id=ticket.key_id,
            expires_at=self._until(now),
        )
        if await work.asked.add([mine]):
            return mine
        held = await self._held(work, ticket)  # somebody else was faster
        if held is None:
            raise NotPossibleError("database-busy", _AGAIN)
        return held

    async def _prolonged(self, work: Work, caller: Asker, held: Reservation, now: datetime) -> Reservation:
        if _is_over(held, now):
            await self._make_room(work, caller, now)
        until = self._until(now)
        if not await work.asked.prolong(self._integration.number, held.number, caller.user, until):
            raise NotPossibleError(
                "changed-meanwhile", _AGAIN
            )  # expired, given back or brought by an invitation just now
        return replace(held, expires_at=until)

    async def _holder(self, work: Work, held: Reservation) -> Record | None:
        """Return what is known of the meeting that brought the ticket. Raises TicketGoneError if it has another alias by now."""
        if held.key is None:
            return None
        record = (await work.meetings.by_keys(self._integration.number, [held.key])).get(held.key)
        if record is not None and record.alias_number not in (None, held.number):
            raise TicketGoneError("taken")
        return record

    # --- what is told -------------------------------------------------------------------------------------------

    def _told(self, held: Reservation, record: Record | None = None) -> Instructions:
        integration, adopted = self._integration, None if record is None else record.adopted
        key = integration.ring.current if held.key_id is None else held.key_id
        ticket = integration.ring.issue(held.number, held.issued_at, key_id=key)
        alias = adopted or integration.aliases.alias(held.number)
        room = wording.room_to_come(integration, alias, key, pins=None if adopted is None else PinPolicy.NONE)
        html = wording.instructions_html(integration, room, ticket)
        return Instructions(
            kind=Kind.VMR,
            ticket=ticket,
            html=instructions_block(html, ticket),
            text=text_block(as_text(html), ticket),
            location=wording.location_text(integration, room),
            join_url=integration.links.page(room.join_id),
            alias=alias.name,
            numeric_alias=alias.numeric,
            expires_at=held.expires_at,
            claimed=held.key is not None,
            asked=held.asked_by is not None,
        )

    def _promise(self, now: datetime) -> Instructions:
        """Make what goes into an invitation where nothing else is left: the number behind it is nobody's."""
        ticket = self._integration.ring.issue(secrets.randbelow(NUMBER_LIMIT), now, OFFLINE)
        html = wording.placeholder_html(self._integration, ticket)
        return Instructions(Kind.OFFLINE, ticket, instructions_block(html, ticket), text_block(as_text(html), ticket))

    def _genuine(self, ticket: str) -> Ticket:
        verdict = self._integration.ring.verify(ticket)
        if not isinstance(verdict, Ticket):
            raise TicketGoneError("invalid")
        if verdict.options & (OFFLINE | PERSONAL):
            raise TicketGoneError("other-kind")
        return verdict

    def _is_usable(self, held: Reservation) -> bool:
        """Whether the ticket of a reservation can still be printed: not deleted, and its key still in the ring."""
        try:
            self._integration.ring.secret(-1 if held.key_id is None else held.key_id, "ticket")
        except KeyError:
            return False
        return held.deleted_at is None

    def _until(self, now: datetime) -> datetime:
        return now + self._allowance.keep

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)  # tickets know whole seconds


async def expire(integration: Integration, storage: Storage, now: datetime) -> int:
    """Give back what no invitation has brought in time, some at once; returns how many. Raises StorageError."""
    async with storage.work() as work:
        gone = await work.asked.expire(integration.number, now, _EXPIRE_AT_ONCE)
    if gone:
        log.info("reservations have expired", integration=integration.name, reservations=gone)
    return gone


def _is_over(held: Reservation, now: datetime) -> bool:
    return held.expires_at is None or held.expires_at <= now
