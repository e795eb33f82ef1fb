"""What one Management Node can bear, shared by all integrations that use it: a steady rate, few at a time, everybody in turn.

Pexip takes 1,000 requests in 60 seconds and then answers 429; its own command line keeps to five at a time (known-product.md
10.1). Others use the node too, so a part of that is left to them. What somebody waits for goes before what is done in bulk,
and one integration's many requests do not hold up another's few.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from greenroom.platforms.pexip.management.answers import LONGEST_PAUSE
from greenroom.platforms.pexip.management.errors import CodedUnavailableError

_SHARE = 0.9
_BURST = 0.1
_RESERVE = 0.25
_PATIENCE_OF_BULK = 8
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_GUESS = timedelta(minutes=5)
_SHORTEST_SLEEP = 0.001


@dataclass(eq=False, slots=True)
class _Waiter:
    lane: str
    bulk: bool
    turn: "asyncio.Future[bool]" = field(repr=False)


class _Lanes:
    """Who waits, by lane: one of each lane in turn, within a lane who came first."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, deque[_Waiter]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def add(self, waiter: _Waiter) -> None:
        self._lanes.setdefault(waiter.lane, deque()).append(waiter)

    def pop(self) -> _Waiter:
        lane, waiting = next(iter(self._lanes.items()))
        waiter = waiting.popleft()
        self._lanes.move_to_end(lane)
        if not waiting:
            del self._lanes[lane]
        return waiter

    def remove(self, waiter: _Waiter) -> None:
        waiting = self._lanes.get(waiter.lane)
        if waiting is not None and waiter in waiting:
            waiting.remove(waiter)
            if not waiting:
                del self._lanes[waiter.lane]

    def empty(self) -> list[_Waiter]:
        found = [waiter for waiting in self._lanes.values() for waiter in waiting]
        self._lanes.clear()
        return found


class RequestBudget:
    """The turns at one node. Within any minute it gives at most nine tenths of `per_minute`, and `parallel` at once.

    Bulk leaves one place and a quarter of the burst free, so that somebody who waits is served at once; where that is never
    idle, every ninth turn is bulk's. `clock` gives seconds and never goes back. Belongs to one event loop.
    """

    def __init__(
        self,
        per_minute: int = 1000,
        parallel: int = 5,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if per_minute < 2 or parallel < 1:  # noqa: PLR2004
            raise ValueError("a budget of two requests a minute, one at a time, is the least")
        usable = per_minute * _SHARE
        self._burst = max(1.0, usable * _BURST)
        self._rate = max(usable - self._burst, usable / 2) / 60
        self._reserve = self._burst * _RESERVE if self._burst >= 1 / _RESERVE else 0.0
        self._clock, self._sleep = clock, sleep
        self._tokens, self._filled = self._burst, clock()
        self._free = parallel
        self._bulk_places = max(1, parallel - 1)
        self._bulk_running = 0
        self._urgent, self._bulk = _Lanes(), _Lanes()
        self._passed_over = 0
        self._wake: asyncio.Task[None] | None = None
        self._wake_at = 0.0
        self._pause_end = clock()
        self._pauses = 0

    @asynccontextmanager
    async def turn(self, lane: str, *, bulk: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Safe to cancel at any moment.

        Raises PlatformUnavailableError with the rest of the pause if the node asked for one, also while waiting.
        """
        self._check_pause()
        waiter = _Waiter(lane, bulk, asyncio.get_running_loop().create_future())
        (self._bulk if bulk else self._urgent).add(waiter)
        self._stir()
        try:
            granted = await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.result():
                self._tokens = min(self._burst, self._tokens + 1)  # nothing was sent
                self._release(waiter)
            else:
                (self._bulk if bulk else self._urgent).remove(waiter)
                self._stir()
            raise
        if not granted:
            self._check_pause()
            raise CodedUnavailableError("paused")
        try:
            yield
        finally:
            self._release(waiter)

    def charge(self) -> None:
        """Count a request that cannot wait for a turn of its own, such as one for a token."""
        self._fill()
        self._tokens -= 1

    def pause(self, asked: timedelta | None) -> timedelta:
        """Leave the node alone as long as it asked for, or else ever longer; returns how long. Who waits is told so."""
        length = asked if asked is not None else min(_FIRST_PAUSE * 2 ** min(self._pauses, 10), _LONGEST_GUESS)
        length = max(timedelta(), min(length, LONGEST_PAUSE))
        self._pauses += 1
        self._pause_end = max(self._pause_end, self._clock() + length.total_seconds())
        for waiter in self._urgent.empty() + self._bulk.empty():
            if not waiter.turn.done():
                waiter.turn.set_result(False)
        return length

    def succeeded(self) -> None:
        """Note an answer without complaint: the next pause begins short again."""
        self._pauses = 0

    def _check_pause(self) -> None:
        rest = self._pause_end - self._clock()
        if rest > 0:
            raise CodedUnavailableError("paused", timedelta(seconds=rest))

    def _release(self, waiter: _Waiter) -> None:
        self._free += 1
        self._bulk_running -= waiter.bulk
        self._stir()

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled) * self._rate)
        self._filled = now

    def _stir(self) -> None:
        """Give out what turns there are, and see to being woken when there is another."""
        self._fill()
        while self._free and (waiter := self._next()) is not None:
            self._tokens -= 1
            self._free -= 1
            self._bulk_running += waiter.bulk
            waiter.turn.set_result(True)
        need = self._needed()
        if need is None:
            return
        at = self._filled + max(_SHORTEST_SLEEP, (need - self._tokens) / self._rate)
        if self._wake is None or at < self._wake_at:
            if self._wake is not None:
                self._wake.cancel()
            self._wake_at = at
            self._wake = asyncio.get_running_loop().create_task(self._woken(at - self._filled), name="pexip-budget")

    async def _woken(self, delay: float) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # somebody wants to be woken sooner
            await self._sleep(delay)
            self._wake = None
            self._stir()

    def _next(self) -> _Waiter | None:
        overdue = self._passed_over >= _PATIENCE_OF_BULK
        if self._bulk and (overdue or not self._urgent) and self._bulk_running < self._bulk_places:
            if self._tokens >= 1 + (0 if overdue else self._reserve):
                self._passed_over = 0
                return self._live(self._bulk)
            return None
        if self._urgent and self._tokens >= 1:
            self._passed_over += 1 if self._bulk else 0
            return self._live(self._urgent)
        return None

    def _live(self, lanes: _Lanes) -> _Waiter | None:
        while lanes:
            waiter = lanes.pop()
            if not waiter.turn.done():
                return waiter
        return None

    def _needed(self) -> float | None:
        """How many tokens the next one waits for; None if nobody waits, or for a place and not for a token."""
        if not self._free:
            return None
        if self._urgent:
            return 1.0 if self._tokens < 1 else None
        if self._bulk and self._bulk_running < self._bulk_places:
            return 1.0 + self._reserve
        return None
