"""Walking through the whole calendar: lists of ids by start, and what stands behind them read a hundred at a time.

Places in a list shift while it is read, and no meeting may fall through:

```
something before our place was deleted   what follows moves up   ──▶ each page begins within the one before it
something was moved to before our place  it is listed nowhere    ──▶ in the end what was changed meanwhile is listed
```

A meeting that is there all the time is given once. Of those given, a few bytes each are remembered; of the others, one page.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import Final

import structlog

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.ews import listing
from greenroom.exchange.ews.listing import Listed, Page
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.meetings.meeting import ItemRef, Observation

log = structlog.get_logger(__name__)

AT_ONCE: Final = 100
"""So many items are read in one request."""
_OVERLAP: Final = 50
_MOST_STEPS_BACK: Final = 50
_MOST_ROUNDS: Final = 5
_FARTHEST: Final = 5_000_000

_Place = tuple[str, datetime | None]
"""An item at its place in the list: what was moved to another time is another place."""

Read = Callable[[list[ItemRef]], Awaitable[list[Observation | Unreadable]]]


class Walk:
    """One walk through the calendar of a mailbox; `read` reads at most AT_ONCE items in one request."""

    def __init__(
        self, transport: EwsTransport, mailbox: str, read: Read, since: datetime, until: datetime | None
    ) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._read = read
        self._since = since
        self._until = until
        self._given: set[int] = set()  # hashes of ids: 64 bits, which no calendar is large enough to fill

    async def pages(self) -> AsyncGenerator[list[Observation | Unreadable]]:
        """Yield what was read, page by page."""
        waiting: list[ItemRef] = []
        async for page in self._listed():
            waiting += self._wanted(page)
            while len(waiting) >= AT_ONCE:
                yield await self._read(waiting[:AT_ONCE])
                del waiting[:AT_ONCE]
        if waiting:
            yield await self._read(waiting)

    async def _listed(self) -> AsyncGenerator[list[Listed]]:
        began = await self._newest_change()
        async for page in self._by_start():
            yield page
        async for page in self._changed_since(began):
            yield page

    def _wanted(self, page: list[Listed]) -> list[ItemRef]:
        """Return what is to be read of a page, and remember it as given."""
        wanted = []
        for one in page:
            mark = hash(one.ref.id)
            if mark not in self._given and one.is_within(self._since, self._until):
                self._given.add(mark)
                wanted.append(one.ref)
        return wanted

    async def _by_start(self) -> AsyncGenerator[list[Listed]]:
        offset, before = 0, set[_Place]()
        steps_back, leap = 0, listing.PAGE
        while True:
            page = await self._page(offset, by_change=False)
            places = {(one.ref.id, one.start) for one in page.items}
            if offset and before.isdisjoint(places):
                steps_back += 1
                if steps_back > _MOST_STEPS_BACK:
                    raise TryLaterError(
                        "the calendar changes faster than it can be listed", code="shifting", mailbox=self._mailbox
                    )
                log.info("ews.walk.back", mailbox=self._mailbox, offset=offset)
                offset, leap = max(0, offset - leap), 2 * leap
                continue
            yield [one for one in page.items if (one.ref.id, one.start) not in before]
            if page.last or self._is_beyond(page):
                return
            offset, before, leap = _following(offset, page), places, listing.PAGE

    def _is_beyond(self, page: Page) -> bool:
        last = page.items[-1].start if page.items else None
        return self._until is not None and last is not None and last >= self._until

    async def _newest_change(self) -> datetime | None:
        """Return when the calendar was last changed, by the server's own clock."""
        page = await self._page(0, by_change=True, most=1)
        return page.items[0].changed_at if page.items else None

    async def _changed_since(self, began: datetime | None) -> AsyncGenerator[list[Listed]]:
        """List what was changed at that moment (times are whole seconds) or later.

        What changes meanwhile comes to the front: where one page was not enough, it is asked for what came after its beginning.
        """
        for _ in range(_MOST_ROUNDS):
            page = await self._page(0, by_change=True, most=AT_ONCE)
            since, offset = began, 0
            began = page.items[0].changed_at if page.items else began
            while True:
                recent = [one for one in page.items if not _is_older(one, since)]
                yield recent
                if page.last or len(recent) < len(page.items):
                    break
                offset = _following(offset, page)
                page = await self._page(offset, by_change=True)
            if offset == 0 or began == since:
                return

    async def _page(self, offset: int, *, by_change: bool, most: int = listing.PAGE) -> Page:
        if offset > _FARTHEST:
            raise TryLaterError("the calendar has no end", code="too-long", mailbox=self._mailbox)
        call = listing.list_by_change(offset, most) if by_change else listing.list_by_start(offset, most)
        return listing.read_list(await self._transport.call(call, self._mailbox), mailbox=self._mailbox)


def _following(offset: int, page: Page) -> int:
    """Return where the next page begins: within this one, also where Exchange gave fewer items than it was asked for."""
    return offset + len(page.items) - min(_OVERLAP, len(page.items) // 2)


def _is_older(one: Listed, than: datetime | None) -> bool:
    return than is not None and one.changed_at is not None and one.changed_at < than
