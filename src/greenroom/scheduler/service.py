"""The running service: every mailbox is looked at by push where it works, and by polling always.

```
 poll (15 s) ─┐
 push ────────┼──▶ queue "attend" by integration ──▶ Attendant.attend
 start ───────┘        at most one running          └──▶ close_windows and expire, every minute
                       and one waiting each
 poll ───────────────▶ queue "tend" ─────────────▶ Platform.tend, where a platform needs it
 replies that wait ──▶ queue "answer" ───────────▶ Attendant.answer_waiting, when the next may go out
 start, every hour,
 push that was lost ─▶ queue "reconcile" ────────▶ Attendant.reconcile
 every few hours ────▶ queue "drift" ────────────▶ DriftWatch.look, which also asks the platform
 every minute ───────▶ Watcher.look: is the mailbox ours?
```

Attending, answering and comparing never happen at the same time for one mailbox, and all of it is done under the claim. What
answers anybody is done only while the mark on the mailbox is ours, too: an installation with another database would do the same.
A command that wants to work on the mailbox gets it as soon as nothing runs; nothing is begun until it gives it back. Push only
shortens the wait. When it ends or fails it is begun again after a pause, and nobody needs to notice. Nothing that goes wrong with
one mailbox ends a loop: it is logged, without the text of errors nobody foresaw, and the next poll tries again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

from greenroom.exchange.contract import Hint
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Clock, Step, no_step, place_of
from greenroom.scheduler.claim import Claim
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.queue.contract import Queue
from greenroom.scheduler.recovery.watch_drift import DriftWatch
from greenroom.scheduler.reserving import expire
from greenroom.scheduler.watch_book import WatchStanding
from greenroom.scheduler.watcher import watcher_of
from greenroom.scheduler.watching import Times
from greenroom.storage import Storage, StorageError

log = structlog.get_logger(__name__)

_PUSH_PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
_CLOSE_EVERY = timedelta(minutes=1)
_COMPARE_EVERY = timedelta(hours=1)
_COMPARE_AGAIN = timedelta(minutes=5)
_SHORTEST_PAUSE = timedelta(seconds=1)
_GRACE = timedelta(seconds=10)
_TEND_WITHIN = timedelta(minutes=1)
"""What is due sooner than this is waited for; every poll looks what is due anyway."""
_REFUSED_PAUSE = timedelta(minutes=15)
_LEND_EVERY = timedelta(seconds=2)
_WHOSE_WITHIN = timedelta(seconds=10)
"""So long the platform's own work waits at the start for an answer whose the mailbox is."""


class Service:
    """Attends all integrations until it is stopped.

    By integration name, `poll` gives the seconds between polls, and `drift` how often platform, calendar and database are compared.
    `times` are those of the watch over the mailboxes.
    """

    def __init__(
        self,
        integrations: Sequence[Integration],
        storage: Storage,
        queue: Queue,
        clock: Clock,
        *,
        poll: Mapping[str, float],
        push: Mapping[str, bool],
        drift: Mapping[str, timedelta] | None = None,
        step: Step = no_step,
        times: Times | None = None,
    ) -> None:
        self._integrations = {integration.name: integration for integration in integrations}
        self._attendants = {i.name: Attendant(i, storage, clock, step=step) for i in integrations}
        self._claims = {i.name: Claim(storage, i.mailbox.address, clock) for i in integrations}
        self._watchers = {i.name: watcher_of(i.mailbox, i.number, storage, clock, times=times) for i in integrations}
        self._busy = dict.fromkeys(self._integrations, 0)
        self._lent: dict[str, str] = {}
        self._judged: set[str] = set()
        self._storage = storage
        self._queue = queue
        self._clock = clock
        self._poll = poll
        self._push = push
        self._drifts = {
            name: DriftWatch(self._integrations[name], storage, self._attendants[name], clock, every)
            for name, every in (drift or {}).items()
        }
        self._closed: dict[str, datetime] = {}
        self._compare_at: dict[str, datetime] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        queue.register("attend", lambda name: self._under_claim(name, self._look_after))
        queue.register("answer", lambda name: self._under_claim(name, self._answer))
        queue.register("tend", lambda name: self._under_claim(name, self._tend))
        queue.register("reconcile", lambda name: self._under_claim(name, self._compare))
        queue.register("drift", lambda name: self._under_claim(name, self._watch_drift))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then let what runs come to an end and give the mailboxes free."""
        running = asyncio.create_task(self._queue.run())
        loops = [asyncio.create_task(self._poll_loop(name)) for name in self._integrations]
        loops += [asyncio.create_task(self._watch_loop(name)) for name in self._integrations]
        loops += [asyncio.create_task(self._lend_loop())]
        loops += [
            asyncio.create_task(self._push_loop(name)) for name in self._integrations if self._push.get(name, True)
        ]
        waiting = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([waiting, running, *loops], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a loop ends only by a bug: let it be seen
        finally:
            for task in (waiting, *loops):
                task.cancel()
            await asyncio.gather(waiting, *loops, return_exceptions=True)
            await self._queue.stop(_GRACE)
            with suppress(asyncio.CancelledError):
                await running
            await asyncio.gather(*(self._leave(name) for name in self._integrations))
            try:
                for claim in self._claims.values():
                    await claim.release()
            except StorageError as error:
                log.warning("claims not given free; they run out by themselves", problem=str(error))

    async def look(self, name: str) -> None:
        """Ask for a pass over one integration's mailbox, as a notification does."""
        await self._queue.submit("attend", name)

    async def _under_claim(self, name: str, doing: Callable[[str], Coroutine[None, None, None]]) -> None:
        claim = self._claims[name]
        try:
            holder = await claim.hold(lending=True)
            if claim.lent_to is not None:
                await self._lend(name, claim.lent_to)
                return
        except StorageError as error:
            self._tell(name, "database failed", problem=str(error))
            return
        if holder is not None:
            self._attendants[name].let_go()
            self._watchers[name].forget()
            self._tell(name, "another process attends this mailbox", holder=holder)
            return
        self._busy[name] += 1
        work, keeping = asyncio.create_task(doing(name)), asyncio.create_task(claim.keep())
        try:
            done, _ = await asyncio.wait([work, keeping], return_when=asyncio.FIRST_COMPLETED)
            if work in done:
                work.result()
            else:
                self._tell(name, "another process took this mailbox over", holder=keeping.result())
        finally:
            for task in (work, keeping):
                task.cancel()
            await asyncio.gather(work, keeping, return_exceptions=True)
            self._busy[name] -= 1

    async def _lend(self, name: str, to: str) -> None:
        """Give the mailbox to a command that asked for it, once nothing runs; jobs that come meanwhile are not begun."""
        if self._busy[name]:
            return
        self._attendants[name].let_go()
        self._watchers[name].forget()
        await self._claims[name].release()
        if self._lent.get(name) != to:
            self._lent[name] = to
            log.info("mailbox lent", integration=name, mailbox=self._integrations[name].mailbox.address, to=to)

    async def _lend_loop(self) -> None:
        """Look whether somebody wants to borrow a mailbox, or gave it back: both need not wait for the next poll."""
        while True:
            await asyncio.sleep(_LEND_EVERY.total_seconds())
            try:
                async with self._storage.reading() as work:
                    wishes = {s.address: s for s in await work.mailboxes.all() if s.wanted_by is not None}
                for name, claim in self._claims.items():
                    state = wishes.get(self._integrations[name].mailbox.address)
                    to = None if state is None else claim.wish(state)
                    if to is not None:
                        await self._lend(name, to)
                    elif (borrower := self._lent.pop(name, None)) is not None:
                        address = self._integrations[name].mailbox.address
                        log.info("mailbox given back", integration=name, mailbox=address, by=borrower)
                        await self._queue.submit("attend", name)
            except StorageError as error:
                log.debug("wishes not read", error=type(error).__name__)

    async def _watch_loop(self, name: str) -> None:
        """Keep our mark on the mailbox, or look whether another one is gone. Not by the queue, which long passes may fill."""
        while True:
            await asyncio.sleep(self._watchers[name].beat.total_seconds())
            await self._under_claim(name, self._watch)

    async def _watch(self, name: str) -> None:
        watcher = self._watchers[name]
        might = watcher.may_work
        await self._guarded(name, None, watcher.look)
        if watcher.may_work and not might:
            await self._queue.submit("attend", name)

    async def _is_ours(self, name: str, job: str | None) -> bool:
        """Say whether the mark on the mailbox is ours; that the mailbox cannot be asked is noted as a pass that failed."""
        watcher, attendant = self._watchers[name], self._attendants[name]
        ours = False

        async def ask() -> None:
            nonlocal ours
            try:
                ours = await watcher.fresh()
            except ExchangeError as error:
                async with self._storage.work() as work:
                    address = self._integrations[name].mailbox.address
                    await work.mailboxes.note_pass(address, self._clock(), error.code or type(error).__name__)
                raise

        asked = await self._guarded(name, job, ask)
        if not ours and not attendant.is_busy:
            attendant.let_go()
        return asked and ours

    async def _watched(self, name: str, job: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Do something while the mark on the mailbox is ours; stops when it becomes another's. Returns as `_guarded` does."""
        if not await self._is_ours(name, job):
            return False
        working = asyncio.create_task(self._guarded(name, job, work))
        lost = asyncio.create_task(self._watchers[name].lost())
        try:
            done, _ = await asyncio.wait([working, lost], return_when=asyncio.FIRST_COMPLETED)
            return working in done and working.result()
        finally:
            for task in (working, lost):
                task.cancel()
            await asyncio.gather(working, lost, return_exceptions=True)

    async def _leave(self, name: str) -> None:
        """Take our mark away: whoever goes on elsewhere need not wait."""
        await self._guarded(name, None, self._watchers[name].leave)

    async def _look_after(self, name: str) -> None:
        attendant = self._attendants[name]
        looked = await self._watched(name, "attend", attendant.attend)
        if looked:
            self._told.pop(name, None)
        now = self._clock()
        if self._watchers[name].meets_a_copy:
            return
        if name not in self._closed or abs(now - self._closed[name]) >= _CLOSE_EVERY:  # or the clock was set back
            self._closed[name] = now
            await self._guarded(name, "attend", attendant.close_windows)
            await self._guarded(name, "attend", partial(expire, self._integrations[name], self._storage, now))
        compare_at = self._compare_at.get(name, now)
        if looked and not now < compare_at <= now + _COMPARE_EVERY:  # later than that if the clock was set back
            self._compare_at[name] = now + _COMPARE_EVERY
            await self._queue.submit("reconcile", name)
        if looked and name in self._drifts and self._drifts[name].is_due():
            await self._queue.submit("drift", name)
        if looked or not attendant.is_blind:
            await self._line_up(name)

    async def _tend(self, name: str) -> None:
        """Let the platform do what is due there. Not under the attendant's lock: it may take long where much is due."""
        platform, watcher = self._integrations[name].platform, self._watchers[name]
        due: datetime | None = None
        if watcher.standing is WatchStanding.UNKNOWN and name not in self._judged:
            self._judged.add(name)
            with suppress(TimeoutError):
                async with asyncio.timeout(_WHOSE_WITHIN.total_seconds()):
                    await self._is_ours(name, None)
        if watcher.meets_a_copy:
            return  # its rooms are those of our own database; another installation's are not

        async def tend() -> None:
            nonlocal due
            due = await platform.tend()

        if await self._guarded(name, "tend", tend) and due is not None and due - self._clock() < _TEND_WITHIN:
            await self._queue.submit("tend", name, not_before=max(due, self._clock() + _SHORTEST_PAUSE))

    async def _answer(self, name: str) -> None:
        attendant = self._attendants[name]
        if attendant.is_busy:
            return  # a pass answers as it goes and lines up the rest; waiting for it would keep other mailboxes from working
        if attendant.is_blind:
            await self._queue.submit("attend", name)  # nothing is answered that was not looked at lately
        elif await self._watched(name, "answer", attendant.answer_waiting):
            await self._line_up(name)

    async def _line_up(self, name: str) -> None:
        """Let the next waiting reply go out when its turn comes."""
        at = self._attendants[name].next_reply_at()
        if at is not None:
            await self._queue.submit("answer", name, not_before=at)

    async def _compare(self, name: str) -> None:
        compared = await self._watched(name, "reconcile", self._attendants[name].reconcile)
        self._compare_at[name] = self._clock() + (_COMPARE_EVERY if compared else _COMPARE_AGAIN)
        if compared:
            await self._line_up(name)

    async def _watch_drift(self, name: str) -> None:
        if await self._watched(name, "drift", self._drifts[name].look):
            await self._line_up(name)

    async def _guarded(self, name: str, job: str | None, work: Callable[[], Awaitable[object]]) -> bool:
        """Do something for one mailbox; whatever goes wrong is told, and whether nothing did is returned.

        Where Exchange says how long to wait, the `job` is asked for again after that.
        """
        try:
            await work()
        except TryLaterError as error:
            log.info("mailbox busy or out of reach", integration=name, code=error.code)
            if error.after is not None and job is not None:
                pause = max(error.after, _SHORTEST_PAUSE)  # "at once" would be a loop without a pause
                await self._queue.submit(job, name, not_before=self._clock() + pause)
        except SignInError as error:
            self._tell(name, "sign-in refused; tried again ever more seldom", code=error.code)
        except MisconfiguredError as error:
            self._tell(name, "settings are wrong", code=error.code, hint=error.hint)
        except ExchangeError as error:
            self._tell(name, "mailbox cannot be attended", code=error.code, error=type(error).__name__)
        except PlatformError as error:
            self._tell(name, "platform cannot be looked after", code=str(error), error=type(error).__name__)
        except StorageError as error:
            self._tell(name, "database failed", problem=str(error))
        except Exception as error:  # noqa: BLE001 (it is logged, without its text; the next poll tries again)
            self._tell(name, "pass failed", error=type(error).__name__, where=place_of(error))
        else:
            return True
        return False

    def _tell(self, name: str, event: str, **facts: str) -> None:
        """Log a fault as an error when it is new, and quietly while every poll finds the same."""
        told = (event, *facts.values())
        tell = log.debug if self._told.get(name) == told else log.error
        self._told[name] = told
        tell(event, integration=name, mailbox=self._integrations[name].mailbox.address, **facts)

    async def _poll_loop(self, name: str) -> None:
        tended = self._integrations[name].platform.capabilities.tended
        while True:
            await self._queue.submit("attend", name)
            if tended:
                await self._queue.submit("tend", name)
            await asyncio.sleep(self._poll.get(name, 15.0))

    async def _push_loop(self, name: str) -> None:
        mailbox, failures = self._integrations[name].mailbox, 0
        while True:
            try:
                async for hint in mailbox.wakeups():
                    failures = 0
                    # A hint to compare may stand for news, too, which the feed tells sooner than a whole list.
                    await self._queue.submit("attend", name, priority=1)
                    if hint is Hint.RECONCILE:
                        await self._queue.submit("reconcile", name, priority=1)
            except ExchangeError as error:
                log.info("push ended", mailbox=mailbox.address, code=error.code)
                if isinstance(error, SignInError | MisconfiguredError):
                    await asyncio.sleep(_REFUSED_PAUSE.total_seconds())
            except Exception as error:  # noqa: BLE001 (it is logged, without its text; polling goes on meanwhile)
                log.error(  # noqa: TRY400 (a traceback's text may hold content)
                    "push failed", mailbox=mailbox.address, error=type(error).__name__, where=place_of(error)
                )
            await asyncio.sleep(_PUSH_PAUSES[min(failures, len(_PUSH_PAUSES) - 1)])
            failures += 1
