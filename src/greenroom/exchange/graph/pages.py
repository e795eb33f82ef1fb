"""Walking through the whole calendar with bodies, a page at a time, the soonest start first.

Source: Graph v1.0, "List events", "Use query parameters". Links of a list count places, so that a meeting deleted between two
pages pushes another one across the cut unseen. Where the server sorts by start, each page therefore begins anew at the start
that the one before reached, and links are followed only among meetings that begin at the same moment. What is sorted by has to
stand first in the filter.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from itertools import pairwise

import structlog

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph import shapes
from greenroom.exchange.graph.answers import TooLongError
from greenroom.exchange.graph.call import Call, RefusedError
from greenroom.exchange.graph.events import Broken, Event, Page, read_page
from greenroom.exchange.graph.reading import Reader
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.meeting import Kind, Observation

log = structlog.get_logger(__name__)

MOST_PAGES = 20_000
_TOP = 100
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_START = "start/dateTime"

Results = list[Observation | Unreadable]


class _Way(IntEnum):
    """How the server lists, the best first."""

    SORTED = 0  # what is not over, by start
    UNSORTED = 1  # what is not over
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class _Shown:
    """A page, and the call it came of; `light` is one that came without bodies, for with them it was too long."""

    page: Page
    call: Call
    light: bool = False


class _DisorderError(Exception):
    """A list that was to be sorted is not."""


class Pages:
    """Reads the calendar of one mailbox page by page. What this server refuses is learnt anew after every start."""

    def __init__(self, transport: GraphTransport, mailbox: str, reader: Reader) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._reader = reader
        self._way = _Way.SORTED

    async def walk(self, since: datetime, until: datetime | None) -> AsyncGenerator[Results]:
        """Yield the meetings that are not over at `since` and begin before `until`; a few may come twice.

        Raises TryLaterError when the list cannot be read to its end.
        """
        shown = await self._first(since, until)
        at, seen = _FIRST, set[str]()
        for _ in range(MOST_PAGES):
            rows = [row for row in shown.page.events if row.ref.id not in seen]
            results = [one for one in await self._read(rows, shown) if _is_wanted(one, since, until)]
            if results:
                yield results
            if not shown.page.next_link:
                return
            try:
                reached = self._reached(shown.page, at)
            except _DisorderError:
                log.warning("graph.pages.unordered", mailbox=self._mailbox)
                self._way = _Way.UNSORTED
                shown, at, seen = await self._first(since, until), _FIRST, set()
                continue
            ids = {row.ref.id for row in shown.page.events}
            if reached > at:
                at, seen = reached, ids
                shown = await self._next(self._call(at, since, until), "", light=False)
            else:
                seen |= ids
                shown = await self._next(shown.call, shown.page.next_link, light=shown.light)
        raise TryLaterError("the calendar's list does not end", code="endless-list", mailbox=self._mailbox)

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _first(self, since: datetime, until: datetime | None) -> _Shown:
        """Get the first page in the best way that is not refused."""
        while True:
            try:
                return await self._page(self._call(_FIRST, since, until))
            except RefusedError as error:
                if error.gone or error.elsewhere or self._way is _Way.EVERYTHING:
                    raise for_mailbox(error, self._mailbox) from error
                log.info("graph.pages.refused", mailbox=self._mailbox, code=error.code, way=self._way.name)
                self._way = _Way(self._way + 1)

    async def _next(self, call: Call, link: str, *, light: bool) -> _Shown:
        """Get the first page of a call, or the one a link of it leads to."""
        try:
            return await self._page(call, link, light=light)
        except RefusedError as error:
            raise for_mailbox(error, self._mailbox) from error

    async def _page(self, call: Call, link: str = "", *, light: bool = False) -> _Shown:
        """Get a page; where its bodies make it too long, which whoever invites us can bring about, without them from the first."""
        try:
            answer = await (self._transport.follow(link, call) if link else self._transport.call(call))
            return _Shown(self._parsed(answer.body), call, light=light)
        except TooLongError as error:
            if light:
                raise
            log.warning("graph.pages.too-long", mailbox=self._mailbox, code=error.code)
        call = shapes.lightened(call)
        return _Shown(self._parsed((await self._transport.call(call)).body), call, light=True)

    def _parsed(self, body: object) -> Page:
        return read_page(body, self._mailbox)

    def _call(self, at: datetime, since: datetime, until: datetime | None) -> Call:
        not_over = f"(end/dateTime ge {_quoted(since)} or type eq 'seriesMaster')"
        before = [] if until is None else [f"{_START} lt {_quoted(until)}"]
        match self._way:
            case _Way.SORTED:
                terms, order = [f"{_START} ge {_quoted(at)}", not_over, *before], _START
            case _Way.UNSORTED:
                terms, order = [not_over, *before], ""
            case _Way.EVERYTHING:
                terms, order = [], ""
        return shapes.list_whole(self._mailbox, where=" and ".join(terms), order=order, top=_TOP)

    async def _read(self, rows: Sequence[Event | Broken], shown: _Shown) -> Results:
        if not rows:
            return []
        if shown.light:
            return await self._reader.read([row.ref for row in rows])
        return await self._reader.read_listed(rows)

    # --- order ----------------------------------------------------------------------------------------------------

    def _reached(self, page: Page, at: datetime) -> datetime:
        """Return the latest start of a page from which the next one may begin; `at` where the list is not sorted.

        Whole days do not count: they are shown as midnights without a zone, and sorted by the instants behind these.
        """
        if self._way is not _Way.SORTED:
            return at
        starts = [one.starts for one in page.events if isinstance(one, Event) and not one.is_all_day and one.starts]
        if any(after < before for before, after in pairwise([at, *starts])):
            raise _DisorderError
        return starts[-1].replace(microsecond=0) if starts else at


def _is_wanted(one: Observation | Unreadable, since: datetime, until: datetime | None) -> bool:
    if isinstance(one, Unreadable) or one.span is None:
        return True
    end = one.span.until if one.kind is Kind.SERIES else one.span.end
    return (end is None or end >= since) and (until is None or one.span.start < until)


def _quoted(moment: datetime) -> str:
    return f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}'"
