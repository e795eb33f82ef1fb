"""Open streaming connections of EWS: events as they happen, keep-alive, the end of a connection, and cutting it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greenroom.simulator.errors import NoSuchSubscription
from greenroom.simulator.ews.notifications import connection_status, events_envelope, keep_alive, stream_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.faults import Faults
    from greenroom.simulator.model import Event
    from greenroom.simulator.subscriptions import Subscription


class StreamCut(Exception):  # noqa: N818 - a fault that was asked for, no error
    """The connection is to be cut without another word."""


@dataclass(eq=False, slots=True)
class _Connection:
    subscriptions: list[Subscription]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    replaced: bool = False


class Streams:
    """All open streaming connections of one face."""

    def __init__(self, faults: Faults, *, keep_alive_seconds: float, minute: float) -> None:
        self._faults = faults
        self._keep_alive = keep_alive_seconds
        self._minute = minute
        self._open: list[_Connection] = []
        self._closing = False

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def close(self) -> None:
        """End all connections in an orderly way: the server is going down."""
        self._closing = True
        for connection in self._open:
            connection.wake.set()

    async def run(self, call: Call, subscription_ids: list[str], minutes: int) -> AsyncGenerator[bytes, None]:
        """Give the envelopes of one connection as they come. Raises `StreamCut` when a fault says so."""
        subscriptions, wrong = _find(call, subscription_ids)
        if wrong:
            yield stream_error("ErrorSubscriptionNotFound", wrong)
            return
        self._replace(subscription_ids)
        connection = _Connection(subscriptions)
        self._open.append(connection)
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(connection.wake.set)

        stop_listening = self._faults.listen(wake)
        try:
            yield connection_status("OK")
            async for part in self._follow(call, connection, loop.time() + minutes * self._minute):
                yield part
        finally:
            stop_listening()
            self._open.remove(connection)

    def _replace(self, subscription_ids: list[str]) -> None:
        for other in self._open:
            if any(subscription.id in subscription_ids for subscription in other.subscriptions):
                other.replaced = True
                other.wake.set()

    async def _follow(self, call: Call, connection: _Connection, deadline: float) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        ids = [subscription.id for subscription in connection.subscriptions]
        silent_until = loop.time() + self._keep_alive
        while True:
            rule = self._faults.strike("GetStreamingEvents", call.acting, stream=True)
            if rule is not None:
                await asyncio.sleep(rule.seconds)
                raise StreamCut
            for subscription, events in await _next(connection, max(0.0, min(silent_until, deadline) - loop.time())):
                silent_until = loop.time() + self._keep_alive
                yield events_envelope(subscription.id, events)
            ended = _ended(connection)
            if ended is not None:
                yield ended
                return
            if self._closing or loop.time() >= deadline:
                yield connection_status("Closed")
                return
            if loop.time() >= silent_until:
                silent_until = loop.time() + self._keep_alive
                yield keep_alive(ids)


def _ended(connection: _Connection) -> bytes | None:
    if connection.replaced:
        return stream_error("ErrorNewEventStreamConnectionOpened", ())
    if missed := [subscription.id for subscription in connection.subscriptions if subscription.missed]:
        return stream_error("ErrorMissedNotificationEvents", missed)
    if closed := [subscription.id for subscription in connection.subscriptions if subscription.closed]:
        return stream_error("ErrorSubscriptionUnsubscribed", closed)
    return None


def _find(call: Call, subscription_ids: list[str]) -> tuple[list[Subscription], list[str]]:
    found: list[Subscription] = []
    wrong: list[str] = []
    for subscription_id in subscription_ids:
        try:
            subscription = call.exchange.subscription(subscription_id)
        except NoSuchSubscription:
            wrong.append(subscription_id)
            continue
        # Somebody else's subscription looks like none at all.
        if subscription.mailbox == call.acting:
            found.append(subscription)
        else:
            wrong.append(subscription_id)
    return found, wrong


async def _next(connection: _Connection, seconds: float) -> list[tuple[Subscription, list[Event]]]:
    """Wait until a subscription has events, the connection is woken, or the time is over."""
    waiting = {
        asyncio.ensure_future(subscription.next_events(seconds)): subscription
        for subscription in connection.subscriptions
    }
    wake = asyncio.ensure_future(connection.wake.wait())
    try:
        await asyncio.wait({*waiting, wake}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        wake.cancel()
        for task in waiting:
            if not task.done():
                task.cancel()
    connection.wake.clear()
    # A wait that ended while it was being cancelled has taken its events from the queue: they must not be lost.
    results = await asyncio.gather(*waiting, return_exceptions=True)
    return [
        (subscription, events)
        for subscription, events in zip(waiting.values(), results, strict=True)
        if isinstance(events, list) and events
    ]
