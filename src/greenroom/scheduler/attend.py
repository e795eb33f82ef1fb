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

from greenroom.exchange.errors import ExchangeError, TryLaterError
from greenroom.meetings.decision import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.answer import answer
from greenroom.scheduler.case import Clock, Step, no_step
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.observe import observe
from greenroom.scheduler.provide import provide_rooms, write_instructions
from greenroom.scheduler.weigh import weigh
from greenroom.storage import Storage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PassSummary:
    """What one pass amounted to: meetings looked at, replies due, slices read."""

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
        address = self._integration.mailbox.address
        summary = PassSummary()
        try:
            more = True
            while more:
                count, more = await self._one_slice(address)
                summary = replace(summary, meetings=summary.meetings + count, slices=summary.slices + 1)
        except ExchangeError as error:
            await self._note(address, error.code or type(error).__name__)
            raise
        await self._note(address, None)
        return summary

    async def _one_slice(self, address: str) -> tuple[int, bool]:
        integration, storage, step, now = self._integration, self._storage, self._step, self._clock()
        async with storage.work() as work:
            cursor = (await work.mailboxes.get(address)).cursor
        seen = await observe(integration, storage, cursor, now, limit=self._slice)
        step("observed")
        await self._end_vanished(seen.vanished, now)
        cases = await weigh(integration, storage, seen.observations, now)
        step("weighed")
        await provide_rooms(integration, storage, cases, now, step)
        step("rooms")
        await write_instructions(integration, storage, cases, now, step)
        await answer(integration, storage, cases, now, step)
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
            if record.replying is not None and record.replying.startswith("decline"):
                ended = replace(record, state=State.DECLINED, replied=record.replying, replying=None, retry_at=None)
                code = "declined"
            else:
                try:
                    await self._integration.platform.retire(record.key.digest)
                except PlatformUnavailableError as error:
                    raise TryLaterError("the platform is out of reach", code="PlatformUnavailable") from error
                ended = replace(
                    record, state=State.ENDED, room=None, reason=Reason.REMOVED.value, replying=None, retry_at=None
                )
                code = Reason.REMOVED.value
            entry = JournalEntry(record.integration, record.key, record.correlation_id, now, "seen", code)
            async with self._storage.work() as work:
                await work.meetings.save([replace(ended, updated_at=now)])
                await work.journal.append([entry])
            self._step("vanished")

    async def _note(self, address: str, failure: str | None) -> None:
        async with self._storage.work() as work:
            await work.mailboxes.note_pass(address, self._clock(), failure)
