"""Being woken: one streaming subscription kept alive, its events gathered into single hints.

Everything that goes wrong here is only logged: polling is enough, and after every gap a hint says "look".
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

import structlog

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.exchange.ews import envelope, streaming
from greenroom.exchange.ews.affinity import Affinity
from greenroom.exchange.ews.markup import MarkupError
from greenroom.exchange.ews.transport import EwsTransport

log = structlog.get_logger(__name__)

_GATHER = 0.2
_STEADY = 10.0
_PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
_FAREWELL = 5.0
_HOPELESS = (SignInError, NotPermittedError, MisconfiguredError)


@dataclass(slots=True)
class _Subscription:
    ident: str
    affinity: Affinity


class Wakeups:
    """The hints of one mailbox."""

    def __init__(
        self, transport: EwsTransport, mailbox: str, *, minutes: int, pauses: tuple[float, ...] = _PAUSES
    ) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._minutes = minutes
        self._pauses = pauses
        self._news = asyncio.Event()
        self._failures = 0

    async def hints(self) -> AsyncGenerator[None]:
        """Yield once per burst of events, until there is no hope; ends the subscription when closed."""
        task = asyncio.create_task(self._follow())
        task.add_done_callback(lambda _: self._news.set())
        try:
            while True:
                await self._news.wait()
                if task.done():
                    break
                await asyncio.sleep(_GATHER)
                self._news.clear()
                yield
            task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        subscription: _Subscription | None = None
        opened = 0
        try:
            while True:
                try:
                    if subscription is None:
                        subscription = await self._subscribe()
                        opened += 1
                    if opened > 1 or self._failures:
                        self._news.set()  # something may have happened while nobody listened
                    error = await self._listen(subscription)
                    if error is not None:
                        raise error
                except _HOPELESS as error:
                    log.warning("ews.stream.ended", mailbox=self._mailbox, code=error.code)
                    return
                except ExchangeError as error:
                    if not isinstance(error, TryLaterError) or error.code.startswith("Error"):
                        subscription = None  # Exchange does not know it any more, or wants a new one
                    await self._pause(error)
        finally:
            if subscription is not None:
                await self._unsubscribe(subscription)

    async def _subscribe(self) -> _Subscription:
        affinity = Affinity()
        reply = await self._transport.call(streaming.subscribe(), self._mailbox, affinity=affinity)
        ident = streaming.read_subscription(reply, mailbox=self._mailbox)
        log.debug("ews.stream.subscribed", mailbox=self._mailbox)
        return _Subscription(ident, affinity)

    async def _listen(self, subscription: _Subscription) -> ExchangeError | None:
        """Listen until the connection ends; returns what was wrong, or None if it ran its time."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            error = await self._hear(subscription)
        finally:
            lasted = clock() - began >= _STEADY
            if lasted:
                self._failures = 0
        if error is None and not lasted:  # a server that ends every stream politely is still not asked without a pause
            return TryLaterError("the stream ended at once", code="stream-ended", mailbox=self._mailbox)
        return error

    async def _hear(self, subscription: _Subscription) -> ExchangeError | None:
        call = streaming.listen(subscription.ident, self._minutes)
        splitter = streaming.Splitter()
        async with self._transport.stream(call, self._mailbox, subscription.affinity) as parts:
            async for part in parts:
                for data in splitter.feed(part):
                    news = self._read(data)
                    if news.error is not None:
                        return news.error
                    if news.events:
                        self._news.set()
                    if news.closed:
                        return None
        return TryLaterError("the stream ended", code="stream-ended", mailbox=self._mailbox)

    def _read(self, data: bytes) -> streaming.News:
        try:
            return streaming.read_news(envelope.read(data), mailbox=self._mailbox)
        except MarkupError as error:
            raise TryLaterError(f"a notification cannot be read: {error}", code="garbled-reply") from None

    async def _pause(self, error: ExchangeError) -> None:
        length = self._pauses[min(self._failures, len(self._pauses) - 1)]
        if isinstance(error, TryLaterError) and error.after is not None:
            length = max(length, error.after.total_seconds())
        self._failures += 1
        log.info("ews.stream.pause", mailbox=self._mailbox, code=error.code, seconds=length, failures=self._failures)
        await asyncio.sleep(length)

    async def _unsubscribe(self, subscription: _Subscription) -> None:
        try:
            async with asyncio.timeout(_FAREWELL):
                call = streaming.unsubscribe(subscription.ident)
                await self._transport.call(call, self._mailbox, affinity=subscription.affinity)
        except (ExchangeError, TimeoutError) as error:
            log.info("ews.stream.left-open", mailbox=self._mailbox, error=type(error).__name__)
