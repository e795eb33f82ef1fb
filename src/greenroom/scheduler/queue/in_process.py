"""The queue for one process: asyncio, nothing stored.

```
submit ──▶ waiting ──▶ later (heap by time) ──due──▶ ready (heap by priority) ──slot──▶ running ──▶ gone
              └── the same runs now: held back until it has ended ──▶ later or ready
```

`waiting` is what counts; the heaps hold hints. What lies in a heap and no longer waits under its name is passed over.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from greenroom.scheduler.queue.contract import Clock, Handler, UnknownJobError

_log = structlog.get_logger(__name__)
_Name = tuple[str, str]
_LONGEST_SLEEP = 60.0
"""Seconds. The clock may be set, or the machine suspended, while we sleep by the loop's time."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    name: _Name
    order: int
    priority: int
    not_before: datetime | None


class InProcessQueue:
    """Keeps the contract of `Queue` within one event loop; at most `concurrency` jobs run at once.

    Whether a job is due is read from `clock`; the waiting itself is done by the loop's time.
    """

    def __init__(self, clock: Clock, *, concurrency: int = 8) -> None:
        self._clock = clock
        self._concurrency = concurrency
        self._handlers: dict[str, Handler] = {}
        self._serial = itertools.count()
        self._waiting: dict[_Name, _Waiting] = {}
        self._later: list[tuple[datetime, int, _Waiting]] = []
        self._ready: list[tuple[int, int, int, _Waiting]] = []
        self._running: dict[_Name, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._started = False
        self._stopped = False

    def register(self, job: str, handler: Handler) -> None:
        """Say what does the jobs of this name."""
        if job in self._handlers:
            raise ValueError(f"the job {job} has a handler already")
        self._handlers[job] = handler

    async def submit(self, job: str, key: str, *, not_before: datetime | None = None, priority: int = 0) -> None:
        """Ask for the job to be done."""
        if job not in self._handlers:
            raise UnknownJobError(f"no handler is registered for the job {job}")
        if not_before is not None and not_before.tzinfo is None:
            raise ValueError("not_before must be aware")
        if self._stopped:
            return
        name = (job, key)
        before = self._waiting.get(name)
        order = next(self._serial)
        if before is not None:
            order = before.order
            priority = max(priority, before.priority)
            earliest = (before.not_before, not_before)
            not_before = None if None in earliest else min(time for time in earliest if time is not None)
        entry = _Waiting(name, order, priority, not_before)
        if entry == before:
            return
        self._waiting[name] = entry
        if name not in self._running:
            self._enqueue(entry)
        self._tell()

    async def run(self) -> None:
        """Work until `stop` is called. If `run` itself is cancelled, so are the handlers."""
        if self._started:
            raise RuntimeError("the queue runs already")
        self._started = True
        try:
            while not self._stopped:
                news = self._news
                self._start_what_may()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._until_next()):
                        await news.wait()
            await self._until(self._nothing_runs)
        finally:
            self._stopped = True
            await self._cancel()

    async def stop(self, grace: timedelta) -> None:
        """Start no more; wait, then cancel."""
        self._stopped = True
        self._waiting.clear()
        self._tell()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace.total_seconds()):
                await self._until(self._nothing_runs)
        await self._cancel()

    async def idle(self) -> None:
        """Wait until nothing runs and nothing may start. Also looks at the clock anew, which a test may have moved."""
        self._tell()
        await self._until(self._is_idle)

    def _enqueue(self, entry: _Waiting) -> None:
        if entry.not_before is None:
            heapq.heappush(self._ready, (-entry.priority, entry.order, next(self._serial), entry))
        else:
            heapq.heappush(self._later, (entry.not_before, next(self._serial), entry))

    def _start_what_may(self) -> None:
        now = self._clock()
        while self._later and (self._later[0][0] <= now or not self._waits(self._later[0][-1])):
            entry = heapq.heappop(self._later)[-1]
            if self._waits(entry):
                heapq.heappush(self._ready, (-entry.priority, entry.order, next(self._serial), entry))
        while self._ready and len(self._running) < self._concurrency:
            entry = heapq.heappop(self._ready)[-1]
            if self._waits(entry):
                self._start(entry.name)

    def _start(self, name: _Name) -> None:
        del self._waiting[name]
        job, key = name
        task = asyncio.get_running_loop().create_task(_call(self._handlers[job], key), name=f"{job} {key}")
        self._running[name] = task
        task.add_done_callback(lambda ended: self._ended(name, ended))

    def _ended(self, name: _Name, task: asyncio.Task[None]) -> None:
        del self._running[name]
        job, key = name
        if task.cancelled():
            _log.warning("queue.job_cancelled", job=job, key=key)
        elif (error := task.exception()) is not None:
            _log.error("queue.job_failed", job=job, key=key, exc_info=error)
        if name in self._waiting:
            self._enqueue(self._waiting[name])
        self._tell()

    def _waits(self, entry: _Waiting) -> bool:
        return self._waiting.get(entry.name) is entry

    def _until_next(self) -> float:
        if not self._later:
            return _LONGEST_SLEEP
        return min(_LONGEST_SLEEP, (self._later[0][0] - self._clock()).total_seconds())

    def _nothing_runs(self) -> bool:
        return not self._running

    def _is_idle(self) -> bool:
        now = self._clock()
        return not self._running and not any(
            entry.not_before is None or entry.not_before <= now for entry in self._waiting.values()
        )

    async def _cancel(self) -> None:
        for task in self._running.values():
            task.cancel()
        await self._until(self._nothing_runs)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._news.wait()


async def _call(handler: Handler, key: str) -> None:
    # A task needs a coroutine, and a handler may be any callable that returns an awaitable.
    await handler(key)
