"""A Greenroom that works by a simulated clock: it looks every 15 seconds, and answers from its line when the line says so."""

from datetime import datetime, timedelta

from greenroom.meetings.meeting import MeetingKey
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Step, no_step
from support.greenroom_at_work import AtWork


class ByTheClock:
    """One process's attendant, and the clock that drives it."""

    def __init__(self, work: AtWork, *, slice_size: int = 100) -> None:
        self.work = work
        self.poll = timedelta(seconds=15)
        self._slice_size = slice_size
        self.restart()

    def restart(self, step: Step = no_step) -> None:
        """Begin anew on the same storage, with nothing in memory."""
        work = self.work
        self.attendant = Attendant(work.integration, work.storage, work.clock, step=step, slice_size=self._slice_size)
        self._next_poll = work.clock.now

    async def run(self, until: datetime) -> None:
        """Look and answer, each at its time, up to an instant."""
        clock = self.work.clock
        while True:
            reply_at = self.attendant.next_reply_at()
            at = self._next_poll if reply_at is None else min(self._next_poll, reply_at)
            if at > until:
                clock.now = until
                return
            clock.now = max(clock.now, at)
            if reply_at is not None and reply_at <= clock.now:
                await self.attendant.answer_waiting()
            else:
                await self.attendant.attend()
                self._next_poll = clock.now + self.poll

    async def run_for(self, **duration: float) -> None:
        await self.run(self.work.clock.now + timedelta(**duration))

    async def waiting(self) -> int:
        """How many replies wait, as it is told to whoever asks."""
        async with self.work.storage.reading() as work:
            state = await work.mailboxes.get(self.work.mailbox.address)
        return state.waiting_replies or 0

    def replies(self, uid: str) -> int:
        return len(self.work.mailbox.replies_to(MeetingKey.of_uid(uid)))
