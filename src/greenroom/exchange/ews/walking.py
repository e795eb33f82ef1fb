"""Walking through the whole calendar: lists of ids by start, and what stands behind them read a hundred at a time.

Places in a list shift while it is read, and no meeting may fall through:

```
something before our place was deleted   what follows moves up   ──▶ each page begins within the one before it
something was moved to before our place  it is listed nowhere    ──▶ in the end what was changed meanwhile is listed
```

A meeting that is there all the time is given once. Of those given, a few bytes each are remembered; of the others, one page.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
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
_MOST_ROUNDS: Final = 20
_FARTHEST: Final = 5_000_000

_Place = tuple[str, datetime | None]
"""An item and what it is sorted by: one that was moved meanwhile is at another place."""

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

    async def _listed(self) -> AsyncGenerator[Iterable[Listed]]:
        newest = await self._page(0, by_change=True, most=1)
        async for page in self._through(await self._page(0), self._is_beyond):
            yield page.items
        async for page in self._changed_since(_latest(newest)):
            yield page.items

    def _wanted(self, page: Iterable[Listed]) -> list[ItemRef]:
        """Return what is to be read of a page, and remember it as given."""
        wanted = []
        for one in page:
            mark = hash(one.ref.id)
            if mark not in self._given and one.is_within(self._since, self._until):
                self._given.add(mark)
                wanted.append(one.ref)
        return wanted

    def _is_beyond(self, page: Page) -> bool:
        last = page.items[-1].start if page.items else None
        return self._until is not None and last is not None and last >= self._until

    async def _changed_since(self, began: datetime | None) -> AsyncGenerator[Page]:
        """List what was changed at that moment (Exchange tells whole seconds) or later.

        What changes while this is listed comes to the front, where it was passed already: that is listed in another round.
        """
        first = await self._page(0, by_change=True, most=AT_ONCE)
        for _ in range(_MOST_ROUNDS):
            pages = 0
            async for page in self._through(first, partial(_is_older, than=began), by_change=True):
                pages += 1
                yield page
            if pages == 1:
                return
            again = await self._page(0, by_change=True, most=AT_ONCE)
            if _places(again, by_change=True) == _places(first, by_change=True):
                return
            began, first = _latest(first), again
        raise self._given_up()

    async def _through(
        self, page: Page, is_enough: Callable[[Page], bool], *, by_change: bool = False
    ) -> AsyncGenerator[Page]:
        """Yield this first page and those behind it, up to the last one or one that is enough.

        A page that shares no place with the one before it may lie behind a gap: then the list is looked at further in front.
        """
        offset, before = 0, set[_Place]()
        steps_back, leap = 0, listing.PAGE
        while True:
            places = _places(page, by_change=by_change)
            if offset and before.isdisjoint(places):
                steps_back += 1
                if steps_back > _MOST_STEPS_BACK:
                    raise self._given_up()
                log.info("ews.walk.back", mailbox=self._mailbox, offset=offset)
                offset, leap = max(0, offset - leap), 2 * leap
            else:
                yield page
                if page.last or is_enough(page):
                    return
                # Also where Exchange gave fewer items than it was asked for, the next page begins within this one.
                offset += len(page.items) - min(_OVERLAP, len(page.items) // 2)
                before, leap = places, listing.PAGE
            page = await self._page(offset, by_change=by_change)

    async def _page(self, offset: int, *, by_change: bool = False, most: int = listing.PAGE) -> Page:
        if offset > _FARTHEST:
            raise self._given_up()
        call = listing.list_by_change(offset, most) if by_change else listing.list_by_start(offset, most)
        return listing.read_list(await self._transport.call(call, self._mailbox), mailbox=self._mailbox)

    def _given_up(self) -> TryLaterError:
        sentence = "the calendar changes faster than it can be listed, or has no end"
        return TryLaterError(sentence, code="shifting", mailbox=self._mailbox)


def _places(page: Page, *, by_change: bool) -> set[_Place]:
    return {(one.ref.id, one.changed_at if by_change else one.start) for one in page.items}


def _latest(page: Page) -> datetime | None:
    """Return the last change, by the server's own clock, from a list of the latest changes."""
    return page.items[0].changed_at if page.items else None


def _is_older(page: Page, than: datetime | None) -> bool:
    last = page.items[-1].changed_at if page.items else None
    return than is not None and last is not None and last < than
