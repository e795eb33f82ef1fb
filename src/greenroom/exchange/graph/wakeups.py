"""Being woken: one subscription kept alive, its notifications gathered into single hints.

```
  none ── leftovers of ours deleted, one made ──▶ held ── half of its life is over: renewed ──▶ held
   ▲                                               │
   └────── removed, expired or not found: ─────────┘
           made anew at once, and everything compared
```

Everything that goes wrong here is only logged: polling is enough, and after every gap a hint says "look" or "compare".
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from greenroom.exchange.contract import Hint
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.exchange.graph.call import RefusedError
from greenroom.exchange.graph.intake import GraphIntake, Signal
from greenroom.exchange.graph.registrar import SOONEST, Held, Registrar, Transport
from greenroom.exchange.graph.settings import GraphSettings

log = structlog.get_logger(__name__)

_GATHER = 0.2
_TICK = 15.0
_PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0)
_LONG_PAUSES = (60.0, 900.0, 3_600.0, 14_400.0)  # the first is short: at a start our own address may come up after us
_FAREWELL = 5.0
_HOPELESS = (SignInError, NotPermittedError, MisconfiguredError, RefusedError)
_ADVICE = {
    400: "Check that Microsoft 365 can reach the address for notifications over https, and that proxies pass it on whole.",
    403: "Check that the application may read this mailbox's calendar (Calendars.ReadWrite).",
    404: "Check that this mailbox is in Exchange Online.",
    409: "This application watches this mailbox for another address; delete that subscription or let it expire.",
}


class Wakeups:
    """The hints of one mailbox. `clock` gives aware UTC times; pauses and `tick` (how often it is read) are in seconds."""

    def __init__(
        self,
        transport: Transport,
        settings: GraphSettings,
        intake: GraphIntake | None,
        clock: Callable[[], datetime],
        *,
        pauses: Sequence[float] = _PAUSES,
        long_pauses: Sequence[float] = _LONG_PAUSES,
        tick: float = _TICK,
    ) -> None:
        self._registrar = Registrar(transport, settings, clock)
        self._mailbox = settings.address
        self._intake = intake if settings.notification_url else None
        self._clock = clock
        self._pauses = pauses
        self._long_pauses = long_pauses
        self._tick = tick
        self._news = asyncio.Event()
        self._orders = asyncio.Event()
        self._hint: Hint | None = None
        self._owed: Hint | None = None  # what to hint once a subscription is held again
        self._held: Held | None = None
        self._wanted: set[Signal] = set()
        self._failures = 0
        self._told = ""

    async def hints(self) -> AsyncGenerator[Hint]:
        """Yield once per burst of notifications; deletes the subscription when closed.

        Where no address for notifications is configured it ends at once, else only when it is closed.
        """
        if self._intake is None:
            return
        self._news.clear()
        self._hint = None
        task = asyncio.create_task(self._keep(self._intake))
        task.add_done_callback(lambda _: self._news.set())
        try:
            while True:
                await self._news.wait()
                if task.done():
                    break
                await asyncio.sleep(_GATHER)
                if (hint := self._gathered()) is not None:
                    yield hint
            task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self, intake: GraphIntake) -> None:
        try:
            while True:
                try:
                    if self._held is None:
                        await self._begin(intake)
                    else:
                        await self._hold(self._held)
                except ExchangeError as error:
                    await self._pause(error)
        finally:
            await self._end()

    async def _begin(self, intake: GraphIntake) -> None:
        self._wanted.clear()
        self._held = await self._registrar.make(intake, self._take)
        self._told = ""
        if self._owed is not None:
            self._wake(self._owed)
            self._owed = None

    async def _hold(self, held: Held) -> None:
        """Wait until a subscription wants something, and do it."""
        await self._wait(held)
        if held.removed or self._clock() >= held.expires or not await self._registrar.renew(held):
            self._lose(held)
        else:
            self._failures, self._told = 0, ""

    async def _wait(self, held: Held) -> None:
        """Sleep until it is time to renew or Exchange wants something; in ticks, because a machine's clock may be moved."""
        while True:
            self._orders.clear()
            now = self._clock()
            if Signal.REAUTHORIZE in self._wanted:
                held.reauthorize(now)
            held.removed = Signal.REMOVED in self._wanted
            self._wanted.clear()
            left = (held.renew_at - now).total_seconds()
            if held.removed or left <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._orders.wait(), min(left, self._tick))

    def _lose(self, held: Held) -> None:
        """A subscription is no more, and nobody told us what happened since."""
        held.expectation.retire()
        self._held = None
        self._owed = Hint.RECONCILE
        log.info("graph.subscription.lost", mailbox=self._mailbox)
        if self._clock() - held.made_at < SOONEST:
            raise TryLaterError("the subscription was gone at once", code="subscription-gone", mailbox=self._mailbox)
        self._failures = 0

    def _take(self, signal: Signal) -> None:
        """Called by the intake for each genuine notification."""
        if signal is Signal.CHANGED:
            self._wake(Hint.LOOK)
        elif signal is Signal.MISSED:
            self._wake(Hint.RECONCILE)
        else:
            self._wanted.add(signal)
            self._orders.set()

    def _wake(self, hint: Hint) -> None:
        self._hint = Hint.RECONCILE if Hint.RECONCILE in (hint, self._hint) else hint
        self._news.set()

    def _gathered(self) -> Hint | None:
        self._news.clear()
        hint, self._hint = self._hint, None
        return hint

    async def _pause(self, error: ExchangeError) -> None:
        """Wait before it is tried again: shortly where Exchange is busy, long where somebody must do something first."""
        hopeless = isinstance(error, _HOPELESS)
        lengths = self._long_pauses if hopeless else self._pauses
        length = lengths[min(self._failures, len(lengths) - 1)]
        if isinstance(error, TryLaterError) and error.after is not None:
            length = max(length, error.after.total_seconds())
        self._failures += 1
        self._tell(error, round(length), hopeless=hopeless)
        if self._held is None:
            if self._owed is Hint.RECONCILE:
                self._wake(self._owed)  # nobody knows how long it will last
            self._owed = Hint.LOOK
        await asyncio.sleep(length)

    def _tell(self, error: ExchangeError, retry_in: int, *, hopeless: bool) -> None:
        """Warn once of what somebody must do; what passes by itself, and what was told, is said quietly."""
        facts = {"mailbox": self._mailbox, "code": error.code, "error": type(error).__name__, "retry_in": retry_in}
        if not hopeless or error.code == self._told:
            log.info("graph.subscription.pause", **facts)
            return
        self._told = error.code
        advice = error.hint if isinstance(error, MisconfiguredError) else ""
        if isinstance(error, RefusedError | NotPermittedError):
            advice = _ADVICE.get(error.status if isinstance(error, RefusedError) else 403, "")
        if advice and not advice.endswith("."):
            advice = f"{advice[:1].upper()}{advice[1:]}."  # hints of settings are no whole sentences
        log.warning("graph.subscription.refused", **facts, hint=f"{advice} Polling goes on meanwhile.".strip())

    async def _end(self) -> None:
        held, self._held = self._held, None
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._registrar.end(held)
        except (ExchangeError, TimeoutError) as error:
            log.info("graph.subscription.left-open", mailbox=self._mailbox, error=type(error).__name__)
