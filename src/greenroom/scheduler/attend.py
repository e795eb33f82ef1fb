"""Attending one mailbox: look, decide, do the difference, remember.

A pass works in slices, so that a backlog never holds one transaction or one mailbox for long:

```
 observe       what changed since the cursor, without the echoes of our own writes
 weigh         decide, reserve aliases                                  ── stored
 rooms         make or retire                                           ── stored
 instructions  into the organizers' meetings, where they are missing    ── stored, each
 intent        which replies are about to go out                        ── stored
 replies       many in one request                                      ── stored, with journal
 cursor        the slice has been handled                               ── stored
```

Between any two of them the process may die. The next pass sees the same changes again, and does only what is not done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from greenroom.exchange.errors import ExchangeError
from greenroom.meetings.decision import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.scheduler.answer import answer
from greenroom.scheduler.case import Clock, Step, entry_of, no_step, postponed
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.observe import observe
from greenroom.scheduler.provide import provide_rooms, retire, write_instructions
from greenroom.scheduler.weigh import weigh
from greenroom.storage import Storage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PassSummary:
    """What one pass amounted to: meetings weighed, and slices read."""

    meetings: int = 0
    slices: int = 0


class Attendant:
    """Attends the mailbox of one integration. One pass at a time; the queue sees to that.

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

    async def attend(self) -> PassSummary:
        """Bring everything the mailbox shows to where it should be.

        Raises ExchangeError when the mailbox could not be looked at as a whole; what was stored until then stays done.
        """
        address, began = self._integration.mailbox.address, self._clock()
        summary = PassSummary()
        try:
            more = True
            while more:
                count, more = await self._one_slice(address, began)
                summary = replace(summary, meetings=summary.meetings + count, slices=summary.slices + 1)
        except ExchangeError as error:
            await self._note(address, error.code or type(error).__name__)
            raise
        await self._note(address, None)
        return summary

    async def _one_slice(self, address: str, began: datetime) -> tuple[int, bool]:
        """Attend one slice. What this pass itself postpones is due after it `began`, so a pass comes to its end."""
        integration, storage, step, now = self._integration, self._storage, self._step, self._clock()
        async with storage.work() as work:
            cursor = (await work.mailboxes.get(address)).cursor
        seen = await observe(integration, storage, cursor, now, due_by=began, limit=self._slice)
        step("observed")
        await self._end_vanished(seen.vanished, now)
        cases = await weigh(integration, storage, seen.observations, now)
        step("weighed")
        await provide_rooms(integration, storage, cases, now, step)
        step("rooms")
        await write_instructions(integration, storage, cases, now, step)
        await answer(integration, storage, cases, self._clock, step)
        step("answered")
        if seen.cursor != cursor:
            async with storage.work() as work:
                await work.mailboxes.save_cursor(address, seen.cursor)
            step("cursor")
        if cases:
            log.info("slice attended", mailbox=address, meetings=len(cases), more=seen.more)
        return len(cases), seen.more

    async def _end_vanished(self, vanished: Sequence[Record], now: datetime) -> None:
        """Retire the rooms of meetings that are in the calendar no more. Nobody is told: somebody took them out."""
        for record in vanished:
            ended, line = await self._ended(record, now)
            async with self._storage.work() as work:
                await work.meetings.save([ended])
                await work.journal.append([line])
            self._step("vanished")

    async def _ended(self, record: Record, now: datetime) -> tuple[Record, JournalEntry]:
        done = replace(record, replying=None, answered_before=None, attempts=0, retry_at=None, updated_at=now)
        if record.replying is not None and record.replying.startswith("decline"):
            declined = replace(done, state=State.DECLINED, replied=record.replying)
            return declined, entry_of(record, now, "seen", "declined")
        if not await retire(self._integration, record):
            return postponed(record, now), entry_of(record, now, "room", "unavailable")
        if record.state not in (State.DECLINED, State.IGNORED):
            done = replace(done, state=State.ENDED, reason=Reason.REMOVED.value)
        return replace(done, room=None), entry_of(record, now, "seen", Reason.REMOVED.value)

    async def _note(self, address: str, failure: str | None) -> None:
        async with self._storage.work() as work:
            await work.mailboxes.note_pass(address, self._clock(), failure)
