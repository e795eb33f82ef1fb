"""Walking through the whole calendar with bodies, a page at a time, the soonest start first.

Source: Graph v1.0, "List events", "Use query parameters". Links of a list count places, so that a meeting deleted between two
pages pushes another one across the cut unseen. Where the server sorts by start, each page therefore begins anew at the start
that the one before reached, and links are followed only among meetings that begin at the same moment. Wherever links were
followed, the same is listed once more without bodies. What is sorted by has to stand first in the filter.
"""

from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
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
from greenroom.exchange.graph.events import Event, Page, read_page
from greenroom.exchange.graph.reading import Reader
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.meeting import Kind, Observation

log = structlog.get_logger(__name__)

MOST_PAGES = 20_000
_TOP = 100
_MOST_LISTINGS = 5
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_START = "start/dateTime"

Results = list[Observation | Unreadable]


class _Way(IntEnum):
    """How the server lists, the best first."""

    SORTED = 0  # what is not over, by start
    UNSORTED = 1  # what is not over
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which meetings are wanted."""

    since: datetime
    until: datetime | None

    def holds(self, one: Observation | Unreadable) -> bool:
        """Whether this is one of them, as far as can be told."""
        if isinstance(one, Unreadable) or one.span is None:
            return True
        end = one.span.until if one.kind is Kind.SERIES else one.span.end
        return (end is None or end >= self.since) and (self.until is None or one.span.start < self.until)


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
        reach = _Reach(since, until)
        first = await self._first(reach)
        if self._way is _Way.SORTED:
            try:
                async with aclosing(self._by_start(first, reach)) as pages:
                    async for page in pages:
                        yield page
            except _DisorderError:
                log.warning("graph.pages.unordered", mailbox=self._mailbox)
                self._way = _Way.UNSORTED
            else:
                return
            first = await self._first(reach)
        async with aclosing(self._by_place(first, reach)) as pages:
            async for page in pages:
                yield page

    async def _by_start(self, shown: _Shown, reach: _Reach) -> AsyncGenerator[Results]:
        """Begin each page at the start that the one before reached, without what was seen of it."""
        at, seen, followed = _FIRST, set[str](), False
        for _ in range(MOST_PAGES):
            reached = _reached(shown.page, at)
            async for results in self._results(shown, seen, reach):
                yield results
            ids, ended = {row.ref.id for row in shown.page.events}, not shown.page.next_link
            seen |= ids
            if followed and (ended or reached > at):
                async with aclosing(self._rest(self._call(at, reach, None if ended else reached), seen, reach)) as rest:
                    async for page in rest:
                        yield page
            if ended:
                return
            followed = reached == at
            if followed:
                shown = await self._next(shown.call, shown.page.next_link, light=shown.light)
            else:
                at, seen = reached, ids
                shown = await self._next(self._call(at, reach))
        raise self._endless()

    async def _by_place(self, shown: _Shown, reach: _Reach) -> AsyncGenerator[Results]:
        """Follow the links of a list, then look for what they passed over."""
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            async for results in self._results(shown, seen, reach):
                yield results
            seen |= {row.ref.id for row in shown.page.events}
            if not shown.page.next_link:
                break
            shown = await self._next(shown.call, shown.page.next_link, light=shown.light)
        else:
            raise self._endless()
        async with aclosing(self._rest(self._call(_FIRST, reach), seen, reach, before=set(seen))) as rest:
            async for page in rest:
                yield page

    async def _rest(
        self, call: Call, seen: set[str], reach: _Reach, before: set[str] | None = None
    ) -> AsyncGenerator[Results]:
        """List again without bodies, and read what was not seen, until nothing has left the list while it was read.

        `before` is what the same list showed before. Where nothing that it showed is missing from the next one, nothing can have
        been pushed across a cut unseen.
        """
        call = shapes.lightened(call, top=shapes.MOST_LISTED)
        for _ in range(_MOST_LISTINGS):
            listed: set[str] = set()
            shown = await self._next(call, light=True)
            for _ in range(MOST_PAGES):
                async for results in self._results(shown, seen, reach):
                    yield results
                ids = {row.ref.id for row in shown.page.events}
                listed |= ids
                seen |= ids
                if not shown.page.next_link:
                    break
                shown = await self._next(shown.call, shown.page.next_link, light=True)
            else:
                raise self._endless()
            if before is not None and before <= listed:
                return
            before = listed
        log.warning("graph.pages.restless", mailbox=self._mailbox)

    def _endless(self) -> TryLaterError:
        return TryLaterError("the calendar's list does not end", code="endless-list", mailbox=self._mailbox)

    async def _results(self, shown: _Shown, seen: Container[str], reach: _Reach) -> AsyncGenerator[Results]:
        """Read what is new in a page, no more than a hundred at once."""
        rows = [row for row in shown.page.events if row.ref.id not in seen]
        for start in range(0, len(rows), _TOP):
            part = rows[start : start + _TOP]
            if shown.light:
                read = await self._reader.read([row.ref for row in part])
            else:
                read = await self._reader.read_listed(part)
            if results := [one for one in read if reach.holds(one)]:
                yield results

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _first(self, reach: _Reach) -> _Shown:
        """Get the first page in the best way that is not refused."""
        while True:
            try:
                return await self._page(self._call(_FIRST, reach))
            except RefusedError as error:
                if error.gone or error.elsewhere or self._way is _Way.EVERYTHING:
                    raise for_mailbox(error, self._mailbox) from error
                log.info("graph.pages.refused", mailbox=self._mailbox, code=error.code, way=self._way.name)
                self._way = _Way(self._way + 1)

    async def _next(self, call: Call, link: str = "", *, light: bool = False) -> _Shown:
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

    def _call(self, at: datetime, reach: _Reach, until: datetime | None = None) -> Call:
        not_over = f"(end/dateTime ge {_quoted(reach.since)} or type eq 'seriesMaster')"
        before = [f"{_START} lt {_quoted(end)}" for end in (until or reach.until,) if end is not None]
        match self._way:
            case _Way.SORTED:
                terms, order = [f"{_START} ge {_quoted(at)}", not_over, *before], _START
            case _Way.UNSORTED:
                terms, order = [not_over, *before], ""
            case _Way.EVERYTHING:
                terms, order = [], ""
        return shapes.list_whole(self._mailbox, where=" and ".join(terms), order=order, top=_TOP)


def _reached(page: Page, at: datetime) -> datetime:
    """Return the latest start of a page, at which the next one may begin. Raises _DisorderError.

    Whole days do not count: they are shown as midnights without a zone, and sorted by the instants behind these.
    """
    starts = [one.starts for one in page.events if isinstance(one, Event) and not one.is_all_day and one.starts]
    if any(after < before for before, after in pairwise([at, *starts])):
        raise _DisorderError
    return starts[-1].replace(microsecond=0) if starts else at


def _quoted(moment: datetime) -> str:
    return f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}'"
