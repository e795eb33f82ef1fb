"""What happens in a calendar, on its way to one subscriber."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph.ids import url_safe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.faults import Faults
    from greenroom.simulator.graph.callbacks import Callbacks
    from greenroom.simulator.model import Event
    from greenroom.simulator.store import MailboxStore

MAX_AT_ONCE: Final = 20
MAX_QUEUED: Final = 5_000

Change = tuple[str, str, str]
"""What happened (created, updated, deleted), the item's id, its change key."""


def changes_of(store: MailboxStore, event: Event, *, immutable: bool) -> list[Change]:
    """What an event of the store is to a subscriber of the calendar's events.

    Exchange tells a new event twice, as created and as updated; one that moves away is deleted.
    """
    calendar = store.folder("calendar").id
    here, was_here = event.folder_id == calendar, event.old_folder_id == calendar

    def told(what: str, item_id: str) -> Change:
        return what, url_safe(store.immutable_id_of(item_id) if immutable else item_id), event.change_key

    match event.type:
        case "CreatedEvent" if here:
            return [told("created", event.item_id), told("updated", event.item_id)]
        case "ModifiedEvent" if here and event.parent_id is None:
            return [told("updated", event.item_id)]
        case "DeletedEvent" if here:
            return [told("deleted", event.item_id)]
        case "MovedEvent" if here and not was_here:
            return [told("created", event.item_id), told("updated", event.item_id)]
        case "MovedEvent" if was_here and not here:
            return [told("deleted", event.old_item_id or event.item_id)]
        case _:
            return []


class Delivery:
    """The queue of one subscription and the task that empties it.

    ``wrap`` makes the body of a post of changes, None when the subscription is over; ``overflow`` is called when changes were
    lost because the subscriber does not take them.
    """

    def __init__(
        self,
        callbacks: Callbacks,
        *,
        url: Callable[[], str],
        wrap: Callable[[list[Change]], Any],
        overflow: Callable[[], None],
        faults: Faults,
        counters: Counters,
        mailbox: str,
        pause: Callable[[float], Awaitable[None]],
        delay: Callable[[], float],
    ) -> None:
        self._callbacks = callbacks
        self._url = url
        self._wrap = wrap
        self._overflow = overflow
        self._faults = faults
        self._counters = counters
        self._mailbox = mailbox
        self._pause = pause
        self._delay = delay
        self._queue: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._task = callbacks.spawn(self._run())

    def offer(self, changes: list[Change]) -> None:
        """Queue changes (in the loop)."""
        if len(self._queue) + len(changes) > MAX_QUEUED:
            self._queue.clear()
            self._overflow()
            return
        self._queue.extend(changes)
        self._wake.set()

    def end(self) -> None:
        """Deliver nothing more."""
        self._ended = True
        self._queue.clear()
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                some = [self._queue.popleft() for _ in range(min(MAX_AT_ONCE, len(self._queue)))]
                await self._deliver(some)

    async def _deliver(self, changes: list[Change]) -> None:
        rule = self._faults.strike("Notification", self._mailbox, notification=True)
        if rule is not None:
            self._counters.fault(rule.kind)
            if rule.kind == "drop_notifications":
                return
            await self._pause(rule.seconds)
        if seconds := self._delay():
            await self._pause(seconds)
        body = self._wrap(changes)
        if body is None:
            return
        url = self._url()
        if not await self._callbacks.post(url, body) and not self._callbacks.repeat(url, body, self._wanted):
            self._overflow()

    def _wanted(self) -> bool:
        return not self._ended
