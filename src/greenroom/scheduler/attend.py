"""Attending one mailbox: look, decide, do the difference, remember.

A pass works in slices, so that a backlog never holds one transaction or one mailbox for long; after an outage the soonest meetings
are in the first of them (`greenroom.scheduler.catching_up`):

```
 observe       what changed since the cursor, without the echoes of our own writes
 weigh         decide, reserve aliases                                  ── stored
 rooms         make or retire                                           ── stored
 instructions  into the organizers' meetings, where they are missing    ── stored, each
 intent        which replies are about to go out                        ── stored
 replies       many in one request, as many as Exchange lets go         ── stored, with journal
 cursor        the slice has been handled                               ── stored
```

Between any two of them the process may die. The next pass sees the same changes again, and does only what is not done.
Replies whose turn comes later wait in line (`greenroom.scheduler.line`) and are answered between the passes.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import ExchangeError
from greenroom.meetings.meeting import Observation
from greenroom.scheduler import windows
from greenroom.scheduler.answer import answer
from greenroom.scheduler.case import Case, Clock, Step, no_step
from greenroom.scheduler.catching_up import CatchingUp
from greenroom.scheduler.followers import follow
from greenroom.scheduler.integration import USUAL, Integration, Manner
from greenroom.scheduler.late import warn_late
from greenroom.scheduler.line import ReplyLine
from greenroom.scheduler.observe import observe
from greenroom.scheduler.provide import provide_rooms, write_instructions
from greenroom.scheduler.reconcile import compare, slices
from greenroom.scheduler.standing import StandingRooms
from greenroom.scheduler.vanished import end_vanished
from greenroom.scheduler.waiting import sent_before
from greenroom.scheduler.weigh import weigh
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_SIGHT = timedelta(minutes=2)
"""After so long without a look at the calendar no more replies are sent from memory."""
_TELL_EVERY = timedelta(minutes=5)
_CLOSE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PassSummary:
    """What one pass amounted to: meetings weighed, and slices read."""

    meetings: int = 0
    slices: int = 0


class Attendant:
    """Attends the mailbox of one integration. What it does for it, it does one after the other.

    `step` is told the name of every step when it is done; tests use it to die there.
    """

    def __init__(
        self, integration: Integration, storage: Storage, clock: Clock, *, step: Step = no_step, slice_size: int = 100
    ) -> None:
        self._integration = integration
        self._storage = storage
        self._clock = clock
        self._step = step
        self._slice = slice_size
        self._lock = asyncio.Lock()
        self._line = ReplyLine(integration.mailbox.sends_per_minute)
        self._catching_up = CatchingUp(integration, storage, clock, slice_size)
        self._standing = StandingRooms()
        self._closed_at: datetime | None = None
        self._remembers = False
        self._looked_at: datetime | None = None
        self._noted: tuple[int, datetime | None] | None = None
        self._told_at: datetime | None = None

    async def attend(self) -> PassSummary:
        """Bring everything the mailbox shows to where it should be.

        Raises ExchangeError when the mailbox could not be looked at as a whole; what was stored until then stays done. A pass that
        takes long ends early when a command wants the mailbox.
        """
        async with self._lock:
            address, began = self._integration.mailbox.address, self._clock()
            await self._remember()
            summary, more = PassSummary(), True
            outdated = self._is_outdated
            self._catching_up.look_again()
            self._closed_at = began
            try:
                while more:
                    count, more = await self._one_slice(address, began, outdated=outdated)
                    await self._close_meanwhile()
                    summary = replace(summary, meetings=summary.meetings + count, slices=summary.slices + 1)
                    if more and await self._is_wanted(address):
                        log.info("pass ends early: the mailbox is to be lent", mailbox=address)
                        return summary
            except ExchangeError as error:
                await self._note(address, error.code or type(error).__name__)
                raise
            await self._note(address, None)
            self._looked_at = self._clock()
            await self._note_line()
            return summary

    async def answer_waiting(self) -> None:
        """Answer those whose turn has come, from memory: nothing is read. Raises what keeps the mailbox from being used."""
        async with self._lock:
            if self.is_blind:
                return
            await self._remember()
            await answer(self._integration, self._storage, self._line, (), self._clock, step=self._step)
            await self._note_line()

    async def reconcile(self) -> PassSummary:
        """Compare the whole calendar with what is remembered, and look at whatever differs. Raises as `attend` does."""
        async with self._lock:
            address, began = self._integration.mailbox.address, self._clock()
            await self._remember()
            summary, outdated = PassSummary(), self._is_outdated
            async with self._storage.work() as work:
                await work.meetings.hasten_from_ahead(self._integration.number, began)
            for piece in slices(await compare(self._integration, self._storage, began, doubtful=True), self._slice):
                count, _ = await self._work_through(piece, began, due_by=None, hold=outdated)
                summary = replace(summary, meetings=summary.meetings + count, slices=summary.slices + 1)
            async with self._storage.work() as work:
                await work.mailboxes.note_reconciled(address, self._clock())
            await self._note_line()
            return summary

    async def close_windows(self) -> int:
        """End the meetings that are over; see `greenroom.scheduler.windows`."""
        async with self._lock:
            return await windows.close_windows(self._integration, self._storage, self._clock)

    async def take_up(self, observations: Sequence[Observation], *, manner: Manner = USUAL) -> list[Case]:
        """Bring meetings that were read just now to where they should be, as a pass does; the cursor stays where it is.

        Raises nothing for single meetings. What comes back says what was decided and done for each.
        """
        async with self._lock:
            await self._remember()
            now, integration = self._clock(), replace(self._integration, manner=manner)
            cases = await weigh(integration, self._storage, observations, now, standing=self._standing)
            # What waited before may have changed unseen; a command, which reads no feed, has only what it read just now.
            await self._carry_out(integration, cases, now, hold=self._looked_at is not None and self._is_outdated)
            await self._note_line()
            return cases

    def next_reply_at(self) -> datetime | None:
        """Return when the next waiting reply may go out; None if none waits."""
        return self._line.next_at(self._clock())

    @property
    def undisturbed(self) -> AbstractAsyncContextManager[None]:
        """Within it nothing else is done for the mailbox: for what must not happen while a pass works on the same meeting."""
        return self._lock

    @property
    def is_busy(self) -> bool:
        """Whether something is being done for the mailbox right now."""
        return self._lock.locked()

    @property
    def is_blind(self) -> bool:
        """Whether the calendar was last looked at too long ago to answer from memory: what waits may have changed."""
        return self._looked_at is None or self._clock() - self._looked_at > _SIGHT

    @property
    def _is_outdated(self) -> bool:
        """Whether replies wait that may have been overtaken: none goes out before all that changed was looked at."""
        return self.is_blind and self._line.length > 0

    def let_go(self) -> None:
        """Forget what waits: another process has the mailbox, and it is all stored."""
        self._catching_up.forget()
        self._standing.forget()
        if self._remembers:
            self._line = ReplyLine(self._integration.mailbox.sends_per_minute)
            self._remembers, self._looked_at, self._noted = False, None, None

    async def _one_slice(self, address: str, began: datetime, *, outdated: bool) -> tuple[int, bool]:
        """Attend one slice. What this pass itself postpones is due after it `began`, so a pass comes to its end."""
        async with self._storage.reading() as work:
            state = await work.mailboxes.get(address)
        changes, now = await self._catching_up.next(state, self._line), self._clock()
        hold = outdated and not self._catching_up.has_seen_all
        count, more = await self._work_through(changes, now, due_by=began, hold=hold)
        if changes.cursor != state.cursor:
            async with self._storage.work() as work:
                await work.mailboxes.save_cursor(address, changes.cursor)
            self._step("cursor")
        await self._catching_up.done(changes)
        return count, more

    async def _is_wanted(self, address: str) -> bool:
        """Whether somebody else than who has the mailbox asks for it."""
        async with self._storage.reading() as work:
            state = await work.mailboxes.get(address)
        asks = state.wanted_by is not None and state.wanted_by != state.claimed_by
        return asks and state.wanted_until is not None and state.wanted_until > self._clock()

    async def _close_meanwhile(self) -> None:
        """Let rooms close in time also while a long backlog is worked through."""
        now = self._clock()
        if self._catching_up.is_under_way and (self._closed_at is None or now - self._closed_at >= _CLOSE_EVERY):
            self._closed_at = now
            await windows.close_windows(self._integration, self._storage, self._clock)

    async def _work_through(
        self, changes: Changes, now: datetime, *, due_by: datetime | None, hold: bool
    ) -> tuple[int, bool]:
        integration, storage, line, step = self._integration, self._storage, self._line, self._step
        seen = await observe(integration, storage, line, changes, now, due_by=due_by, limit=self._slice)
        step("observed")
        cases = await weigh(integration, storage, seen.observations, now, standing=self._standing)
        step("weighed")
        await end_vanished(integration, storage, seen.vanished, now, step)
        await self._carry_out(integration, cases, now, hold=hold)
        if cases:
            log.info("slice attended", mailbox=integration.mailbox.address, meetings=len(cases), more=seen.more)
        return len(cases), seen.more

    async def _carry_out(self, integration: Integration, cases: Sequence[Case], now: datetime, *, hold: bool) -> None:
        """Do what was decided: rooms, instructions, replies."""
        storage, step = self._storage, self._step
        await provide_rooms(integration, storage, cases, now, step)
        await follow(integration, storage, cases, now)
        step("rooms")
        await warn_late(integration, storage, self._line, cases, self._clock)
        await write_instructions(integration, storage, cases, now, step)
        await answer(integration, storage, self._line, cases, self._clock, step=step, hold=hold)
        step("answered")

    async def _remember(self) -> None:
        """Count the replies of a process before this one: Exchange counts them too."""
        if not self._remembers:
            if self._line.per_minute is not None:
                self._line.recall(await sent_before(self._integration, self._storage, self._clock()))
            self._remembers = True

    async def _note_line(self) -> None:
        """Store the length and the expected end of the line when they changed, and tell of a long one now and then."""
        now, address, waiting = self._clock(), self._integration.mailbox.address, self._line.length
        ends_at = self._line.ends_at(now)
        if (waiting, ends_at) != self._noted:
            async with self._storage.work() as work:
                await work.mailboxes.note_line(address, waiting, ends_at)
            self._noted = waiting, ends_at
        per_minute = self._line.per_minute
        news = self._told_at is None or now - self._told_at >= _TELL_EVERY
        if per_minute is not None and waiting > per_minute and ends_at is not None and news:
            log.info("replies wait", mailbox=address, waiting=waiting, ends_at=ends_at.isoformat())
            self._told_at = now

    async def _note(self, address: str, failure: str | None) -> None:
        async with self._storage.work() as work:
            await work.mailboxes.note_pass(address, self._clock(), failure)
