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
```

Attending, answering and comparing never happen at the same time for one mailbox, and all of it is done under the claim. Push only
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


class Service:
    """Attends all integrations until it is stopped.

    By integration name, `poll` gives the seconds between polls, and `drift` how often platform, calendar and database are compared.
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
    ) -> None:
        self._integrations = {integration.name: integration for integration in integrations}
        self._attendants = {i.name: Attendant(i, storage, clock, step=step) for i in integrations}
        self._claims = {i.name: Claim(storage, i.mailbox.address, clock) for i in integrations}
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
            holder = await claim.hold()
        except StorageError as error:
            self._tell(name, "database failed", problem=str(error))
            return
        if holder is not None:
            self._attendants[name].let_go()
            self._tell(name, "another process attends this mailbox", holder=holder)
            return
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

    async def _look_after(self, name: str) -> None:
        attendant = self._attendants[name]
        looked = await self._guarded(name, "attend", attendant.attend)
        if looked:
            self._told.pop(name, None)
        now = self._clock()
        if name not in self._closed or now - self._closed[name] >= _CLOSE_EVERY:
            self._closed[name] = now
            await self._guarded(name, "attend", attendant.close_windows)
            await self._guarded(name, "attend", partial(expire, self._integrations[name], self._storage, now))
        if looked and now >= self._compare_at.get(name, now):
            self._compare_at[name] = now + _COMPARE_EVERY
            await self._queue.submit("reconcile", name)
        if looked and name in self._drifts and self._drifts[name].is_due():
            await self._queue.submit("drift", name)
        if looked or not attendant.is_blind:
            await self._line_up(name)

    async def _tend(self, name: str) -> None:
        """Let the platform do what is due there. Not under the attendant's lock: it may take long where much is due."""
        platform = self._integrations[name].platform
        due: datetime | None = None

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
        elif await self._guarded(name, "answer", attendant.answer_waiting):
            await self._line_up(name)

    async def _line_up(self, name: str) -> None:
        """Let the next waiting reply go out when its turn comes."""
        at = self._attendants[name].next_reply_at()
        if at is not None:
            await self._queue.submit("answer", name, not_before=at)

    async def _compare(self, name: str) -> None:
        compared = await self._guarded(name, "reconcile", self._attendants[name].reconcile)
        self._compare_at[name] = self._clock() + (_COMPARE_EVERY if compared else _COMPARE_AGAIN)
        if compared:
            await self._line_up(name)

    async def _watch_drift(self, name: str) -> None:
        if await self._guarded(name, "drift", self._drifts[name].look):
            await self._line_up(name)

    async def _guarded(self, name: str, job: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Do something for one mailbox; whatever goes wrong is told, and whether nothing did is returned."""
        try:
            await work()
        except TryLaterError as error:
            log.info("mailbox busy or out of reach", integration=name, code=error.code)
            if error.after is not None:
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
