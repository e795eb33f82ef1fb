"""A calendar that is walked through page by page, and that people change meanwhile. Stands in for the transport."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from exchange.graph.listing import BEGIN, MAILBOX, NEXT
from exchange.graph.whole_events import master, whole
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.graph.answers import TooLongError
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.pages import Pages
from greenroom.exchange.graph.reading import Masters, Reader
from greenroom.meetings.meeting import Observation

if TYPE_CHECKING:
    from greenroom.exchange.graph.transport import GraphTransport

HOUR = timedelta(hours=1)
_TIME = re.compile(r"(start|end)/dateTime (ge|lt) '([^']+)'")


def moment(value: datetime) -> dict[str, str]:
    return {"dateTime": value.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


@dataclass
class Entry:
    """One event. `sorts_at` is the instant behind the start that is shown: of a whole day another one."""

    ident: str
    start: datetime
    end: datetime
    sorts_at: datetime
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_master(self) -> bool:
        return self.more.get("type") == "seriesMaster"

    def shown(self) -> dict[str, Any]:
        make = master if self.is_master else whole
        return make(self.ident, start=moment(self.start), end=moment(self.end), **self.more)


@dataclass
class Shelf:
    """The server. `refuses` says of a query whether it is too much for it, `too_long` of a page with bodies."""

    entries: list[Entry] = field(default_factory=list)
    most: int = 1000
    sorts: bool = True
    refuses: Callable[[dict[str, str]], bool] = lambda _: False
    too_long: Callable[[list[Entry]], bool] = lambda _: False
    between: Callable[[int], object] = lambda _: None
    asked: list[Call] = field(default_factory=list)
    lists: int = 0
    gets: list[str] = field(default_factory=list)

    def put(self, ident: str, start: datetime, length: timedelta = HOUR, **more: Any) -> Entry:
        entry = Entry(ident, start, start + length, start, more)
        self.entries.append(entry)
        return entry

    def put_day(self, ident: str, day: datetime, offset: timedelta) -> Entry:
        """A whole day somewhere else: shown from midnight to midnight, sorted by its true instant."""
        entry = self.put(ident, day, timedelta(days=1), isAllDay=True)
        entry.sorts_at = day - offset
        return entry

    def pages(self) -> Pages:
        transport = cast("GraphTransport", self)
        return Pages(transport, MAILBOX, Reader(transport, MAILBOX, Masters()))

    async def walk(
        self, since: datetime = BEGIN, until: datetime | None = None
    ) -> list[list[Observation | Unreadable]]:
        return [page async for page in self.pages().walk(since, until)]

    # --- the transport ----------------------------------------------------------------------------------------------

    async def call(self, call: Call) -> Answer:
        if call.operation == "GetEvent":
            return self._get(call)
        self.asked.append(call)
        if self.refuses(dict(call.query)):
            raise RefusedError("no", status=400, code="ErrorTooComplex")
        return self._page(call, 0)

    async def follow(self, link: str, like: Call) -> Answer:
        assert link.startswith(NEXT)
        return self._page(like, int(link.removeprefix(NEXT)))

    async def batch(self, calls: Sequence[Call]) -> list[Answer]:
        return [self._get(call) for call in calls]

    def _get(self, call: Call) -> Answer:
        ident = call.path.rpartition("/")[2]
        self.gets.append(ident)
        return Answer(200, next(one.shown() for one in self.entries if one.ident == ident))

    def _page(self, call: Call, skip: int) -> Answer:
        rows = [one for one in self.entries if self._fits(one, call.query.get("$filter", ""))]
        if self.sorts and call.query.get("$orderby"):
            rows.sort(key=lambda one: one.sorts_at)
        size = min(int(call.query["$top"]), self.most)
        shown = rows[skip : skip + size]
        if "body" in call.query["$select"] and self.too_long(shown):
            raise TooLongError("too long", code="too-long")
        body: dict[str, Any] = {"value": [one.shown() for one in shown]}
        if skip + size < len(rows):
            body["@odata.nextLink"] = f"{NEXT}{skip + size}"
        self.lists += 1
        self.between(self.lists)
        return Answer(200, body)

    def _fits(self, entry: Entry, where: str) -> bool:
        """Both kinds of filter we ask with: terms that must all hold, and one of them "not over, or a master"."""
        for name, sign, text in _TIME.findall(where):
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
            value = entry.sorts_at if name == "start" else entry.end
            holds = value >= at if sign == "ge" else value < at
            if not holds and not (name == "end" and entry.is_master):
                return False
        return True


def ids(pages: list[list[Observation | Unreadable]]) -> list[str]:
    return [one.ref.id for page in pages for one in page]
