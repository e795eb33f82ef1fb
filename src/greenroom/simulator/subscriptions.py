"""Streaming subscriptions: a bounded queue of events for each."""

import asyncio
from collections.abc import Iterable

from greenroom.simulator.model import Event, EventType

QUEUE_LIMIT = 10_000


class Subscription:
    """A running subscription to some folders of one mailbox.

    `await next_events(seconds)` waits for at least one event and returns all that are there; an empty list means
    the time is over, or that the subscription was closed (`closed`). `missed` becomes true when the queue overflowed
    (ErrorMissedNotificationEvents).
    """

    def __init__(self, id_: str, mailbox: str, folder_ids: Iterable[str] | None, types: Iterable[EventType]) -> None:
        self.id = id_
        self.mailbox = mailbox
        self.folder_ids = None if folder_ids is None else frozenset(folder_ids)
        self.types = frozenset(types)
        self.watermark = ""
        self.missed = False
        self.closed = False
        self._events: list[Event] = []
        self._wake = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Queue the event if this subscription asked for it."""
        concerned = self.folder_ids is None or not self.folder_ids.isdisjoint({event.folder_id, event.old_folder_id})
        if self.closed or event.type not in self.types or not concerned:
            return
        if len(self._events) >= QUEUE_LIMIT:
            self.missed = True
            return
        self._events.append(event)
        self.watermark = event.watermark
        self._wake.set()

    def drain(self) -> list[Event]:
        """Take all waiting events without waiting."""
        events, self._events = self._events, []
        if not self.closed:
            self._wake.clear()
        return events

    async def next_events(self, wait_seconds: float) -> list[Event]:
        """Wait for events; see the class."""
        if not self._events and not self.closed:
            try:
                await asyncio.wait_for(self._wake.wait(), wait_seconds)
            except TimeoutError:
                return []
        return self.drain()

    def close(self) -> None:
        """End it and wake whoever waits."""
        self.closed = True
        self._wake.set()
