"""The feed: what changed in a calendar, from `events` listed by `lastModifiedDateTime`.

Source: Graph v1.0, "List events", "Use query parameters". Lists hold single meetings and masters; cancelled meetings stay in
them. A page may be shorter than asked for, and only the link says whether another follows. What left the calendar is not
told: `inventory` finds that out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import structlog

from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph import facts, shapes
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.events import Broken, Event, Page, read_page, version_time
from greenroom.exchange.graph.place import BEGINNING, Place
from greenroom.exchange.graph.reading import Masters
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.values import stamp

log = structlog.get_logger(__name__)

MOST_PAGES = 40
"""Pages looked through in one call for something new; and pages of a list that is not in order."""
_MOST_UNORDERED = 200
_FEWEST = 50  # one row alone would not show that a list is in disorder

Row = Event | Broken


@dataclass(frozen=True, slots=True)
class _Listed:
    """What a list showed from the place on, in order: changes not seen before, and how far they go.

    `end` is the time of the last row looked at; with `more` others follow it.
    """

    fresh: tuple[Row, ...]
    end: datetime
    more: bool


class Feed:
    """Reads the feed of one mailbox. `clock` measures only how long a round takes, `masters` learns which items are series."""

    def __init__(
        self, transport: GraphTransport, mailbox: str, masters: Masters, *, clock: Callable[[], datetime]
    ) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._masters = masters
        self._clock = clock
        self._ordered = True  # this server lists by time of change; learnt anew after every start

    async def changes(self, cursor: str, *, limit: int) -> Changes:
        """Return what changed since the cursor; at most `limit` glances. See `Mailbox.changes`."""
        place = Place.of(cursor, self._mailbox).begin(self._clock())
        limit = max(1, limit)
        try:
            listed = await self._listed(place, limit)
        except RefusedError as error:
            raise for_mailbox(error, self._mailbox) from error
        self._masters.learn(listed.fresh)
        place = place.take(((row.ref, _time(row)) for row in listed.fresh), self._clock())
        if listed.more:
            at = place.over(listed.end) if not listed.fresh and listed.end <= place.start else listed.end
            if at > listed.end:
                log.error("graph.feed.tie", mailbox=self._mailbox, pages=MOST_PAGES)
            place = place.pause(at, self._clock())
        else:
            place = place.end(self._clock())
        return Changes(tuple(facts.glance(row) for row in listed.fresh), (), place.text(), listed.more)

    async def _listed(self, place: Place, limit: int) -> _Listed:
        if self._ordered:
            try:
                found = await self._in_order(place, limit)
            except RefusedError as error:
                if error.gone or error.elsewhere:
                    raise
                log.info("graph.feed.order-refused", mailbox=self._mailbox, code=error.code)
                found = None
            if found is not None:
                return found
            self._ordered = False
        return await self._out_of_order(place, limit)

    async def _in_order(self, place: Place, limit: int) -> _Listed | None:
        """Look through pages until there is something new, or the end; None if the list is not in order.

        Links count places, so that an item which changes meanwhile pushes another across: followed only within one instant.
        """
        top = max(_FEWEST, min(limit + place.known, shapes.MOST_LISTED))
        start = end = place.start
        call = self._list(start, top=top, order=True)
        page = await self._page(call)
        fresh: list[Row] = []
        for _ in range(MOST_PAGES):
            times = [end, *map(_time, page.events)]
            if any(after < before for before, after in pairwise(times)):
                log.warning("graph.feed.unordered", mailbox=self._mailbox)
                return None
            for number, row in enumerate(page.events):
                end = _time(row)
                if place.has(row.ref, end):
                    continue
                fresh.append(row)
                if len(fresh) == limit:
                    return _Listed(tuple(fresh), end, bool(page.next_link) or number + 1 < len(page.events))
            if fresh or not page.next_link:
                return _Listed(tuple(fresh), end, bool(page.next_link))
            if end > start:
                start, call = end, self._list(end, top=top, order=True)
                page = await self._page(call)
            else:
                page = await self._next(page, call)
        return _Listed((), end, more=True)

    async def _out_of_order(self, place: Place, limit: int) -> _Listed:
        """Read the whole list and put it in order."""
        call = self._list(place.start, top=shapes.MOST_LISTED, order=False)
        page = await self._page(call)
        rows = list(page.events)
        for _ in range(_MOST_UNORDERED):
            if not page.next_link:
                break
            page = await self._next(page, call)
            rows.extend(page.events)
        if page.next_link:
            raise TryLaterError("the calendar's list does not end", code="endless-list", mailbox=self._mailbox)
        new = sorted((row for row in rows if not place.has(row.ref, _time(row))), key=_time)
        taken = _apart(new, limit)
        end = max((_time(row) for row in taken), default=place.start)
        return _Listed(tuple(taken), end, more=len(taken) < len(new))

    def _list(self, start: datetime, *, top: int, order: bool) -> Call:
        name = "lastModifiedDateTime"
        return shapes.list_light(self._mailbox, where=f"{name} ge {stamp(start)}", order=name if order else "", top=top)

    async def _page(self, call: Call) -> Page:
        return self._timed(await self._transport.call(call))

    async def _next(self, page: Page, like: Call) -> Page:
        return self._timed(await self._transport.follow(page.next_link, like))

    def _timed(self, answer: Answer) -> Page:
        """Read a page; what does not say when it was changed has no place in the feed, only in the inventory."""
        page = read_page(answer.body, self._mailbox)
        timed = tuple(row for row in page.events if version_time(row.ref) is not None)
        if len(timed) < len(page.events):
            log.warning("graph.feed.timeless", mailbox=self._mailbox, count=len(page.events) - len(timed))
        return Page(timed, page.next_link)


def _apart(rows: Sequence[Row], limit: int) -> list[Row]:
    """Take so many rows, one version of an item only."""
    seen: dict[str, Row] = {}
    for row in rows:
        if len(seen) == limit and row.ref.id not in seen:
            break
        seen[row.ref.id] = row
    return list(seen.values())


def _time(row: Row) -> datetime:
    return version_time(row.ref) or BEGINNING
