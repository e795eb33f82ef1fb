"""A walk through a calendar over EWS while the calendar changes: nothing that is there all the time falls through."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest
from lxml import etree

from exchange.scripted import Asked, Server
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.exchange.ews import envelope, listing, walking
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError
from greenroom.exchange.ews.markup import MESSAGES, SOAP, TYPES
from greenroom.exchange.ews.walking import AT_ONCE, Walk
from greenroom.meetings.meeting import ItemRef, Observation

if TYPE_CHECKING:
    from greenroom.exchange.ews.transport import EwsTransport

START = datetime(2031, 5, 6, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MAILBOX = "vmr@example.test"


@dataclass
class Calendar:
    """A calendar that answers FindItem; `meanwhile` changes it between two requests. Times are whole seconds."""

    rows: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)  # start, last change
    meanwhile: Callable[[], None] = lambda: None
    most: int = 1000
    now: datetime = START
    asked: int = 0
    read: list[list[str]] = field(default_factory=list)

    def put(self, ident: str, start: datetime) -> None:
        self.rows[ident] = (start, self.now.replace(microsecond=0))

    async def call(self, call: Call, mailbox: str) -> Envelope:
        assert (call.operation, mailbox) == ("FindItem", MAILBOX)
        if self.asked:
            self.meanwhile()
        self.asked += 1
        self.now += timedelta(milliseconds=400)
        view = call.body.find("{*}IndexedPageItemView")
        assert view is not None
        by_change = b"LastModifiedTime" in etree.tostring(cast("Any", call.body.find("{*}SortOrder")))
        order = sorted(self.rows.items(), key=lambda row: row[1][by_change], reverse=by_change)
        offset = int(view.get("Offset") or 0)
        page = order[offset : offset + min(self.most, int(view.get("MaxEntriesReturned") or 0))]
        return envelope.read(found(page, last=offset + len(page) >= len(order)))

    async def get(self, refs: list[ItemRef]) -> list[Observation | Unreadable]:
        self.read.append([ref.id for ref in refs])
        return [Unreadable(ref) for ref in refs]

    def walk(self, since: datetime = START, until: datetime | None = None) -> Walk:
        return Walk(cast("EwsTransport", self), MAILBOX, self.get, since, until)


def found(rows: Iterable[tuple[str, tuple[datetime, datetime]]], *, last: bool) -> bytes:
    items = "".join(
        f'<t:CalendarItem><t:ItemId Id="{ident}" ChangeKey="c"/>'
        f"<t:LastModifiedTime>{changed:%Y-%m-%dT%H:%M:%SZ}</t:LastModifiedTime>"
        f"<t:Start>{start:%Y-%m-%dT%H:%M:%SZ}</t:Start><t:End>{start + MINUTE:%Y-%m-%dT%H:%M:%SZ}</t:End>"
        "<t:CalendarItemType>Single</t:CalendarItemType></t:CalendarItem>"
        for ident, (start, changed) in rows
    )
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><s:Body><m:FindItemResponse>'
        '<m:ResponseMessages><m:FindItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f'<m:RootFolder IncludesLastItemInRange="{str(last).lower()}"><t:Items>{items}</t:Items></m:RootFolder>'
        "</m:FindItemResponseMessage></m:ResponseMessages></m:FindItemResponse></s:Body></s:Envelope>"
    ).encode()


def filled(count: int, **more: Any) -> Calendar:
    calendar = Calendar(now=START - timedelta(days=1), **more)
    for n in range(count):
        calendar.put(f"i{n}", START + n * MINUTE)
        calendar.now += timedelta(seconds=1)
    calendar.now = START
    return calendar


async def walked(walk: Walk) -> list[str]:
    return [one.ref.id async for page in walk.pages() for one in page]


@pytest.mark.parametrize("seed", range(25))
async def test_what_is_there_all_the_time_is_given_once_whatever_else_happens(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(walking, "_OVERLAP", chance.choice((2, 4, 20)))
    calendar = filled(150, most=chance.choice((8, 20, 60)))
    there, late = set(calendar.rows), iter(f"late{n}" for n in range(100_000))

    def meanwhile() -> None:
        for _ in range(chance.choice((0, 0, 1, 2, 30 if chance.random() < 0.1 else 1))):
            some = START + chance.randrange(150) * MINUTE
            ident = chance.choice(sorted(calendar.rows))
            act = chance.choice(("delete", "move", "move", "add", "touch"))
            if act == "delete" and len(calendar.rows) > 70:
                del calendar.rows[ident]
                there.discard(ident)
            elif act == "add":
                calendar.put(next(late), some)
            else:
                calendar.put(ident, some if act == "move" else calendar.rows[ident][0])

    calendar.meanwhile = meanwhile
    given = await walked(calendar.walk())
    assert there - set(given) == set()
    assert len(given) == len(set(given))


async def test_a_quiet_calendar_costs_its_pages_and_one_read_for_each_hundred() -> None:
    calendar = filled(2500)
    assert await walked(calendar.walk()) == [f"i{n}" for n in range(2500)]
    assert calendar.asked == 3 + 2
    assert [len(ids) for ids in calendar.read] == [AT_ONCE] * 25


async def test_what_is_over_or_later_is_not_read_and_lists_end_where_nothing_more_can_come() -> None:
    calendar = filled(5000)
    given = await walked(calendar.walk(START + 10 * MINUTE, START + 300 * MINUTE))
    assert given == [f"i{n}" for n in range(10, 300)]
    assert len(calendar.read) == 3
    assert calendar.asked == 1 + 2


async def test_when_half_the_calendar_is_deleted_the_walk_goes_back() -> None:
    calendar = filled(600, most=100)

    def meanwhile() -> None:
        if calendar.asked == 4:
            for n in range(250):
                calendar.rows.pop(f"i{n}", None)

    calendar.meanwhile = meanwhile
    given = await walked(calendar.walk())
    assert set(given) >= set(calendar.rows)
    assert len(given) == len(set(given))


async def test_a_calendar_that_shows_something_else_each_time_is_given_up() -> None:
    calendar = filled(60, most=20)

    def meanwhile() -> None:
        rows, calendar.rows = calendar.rows, {}
        for ident, (start, changed) in rows.items():
            calendar.rows[f"x{ident}"] = start, changed

    calendar.meanwhile = meanwhile
    with pytest.raises(TryLaterError) as caught:
        await walked(calendar.walk())
    assert caught.value.code == "shifting"


@pytest.mark.parametrize(
    "page",
    [found([], last=False), found([], last=True).replace(b"IncludesLastItemInRange", b"Other")],
    ids=["empty but not the last", "without an end"],
)
def test_a_page_that_makes_no_sense_is_no_page(page: bytes) -> None:
    with pytest.raises(GarbledReplyError):
        listing.read_list(envelope.read(page), mailbox=MAILBOX)


async def test_items_to_which_exchange_did_not_come_are_read_in_smaller_requests() -> None:
    rows = [(f"i{n}", (START + n * MINUTE, START)) for n in range(30)]

    def script(asked: Asked) -> Any:
        if asked.operation == "FindItem":
            return _ok(found(rows, last=True))
        codes = ["ErrorItemCorrupt"] * len(asked.ids())
        if len(codes) > 10:
            codes[12:] = ["ErrorBatchProcessingStopped"] * len(codes[12:])
        return _ok(_failed("GetItem", codes))

    server = Server(script)
    mailbox = server.mailbox()
    try:
        entries = [one async for page in mailbox.pages(START) for one in page]
    finally:
        await mailbox.close()
    assert [type(cast("Unreadable", one).error) for one in entries] == [ItemBrokenError] * 30
    assert [len(asked.ids()) for asked in server.asked if asked.operation == "GetItem"] == [30, 10, 8]


def _ok(data: bytes) -> Any:

    return httpx2.Response(200, content=data)


def _failed(operation: str, codes: list[str]) -> bytes:
    answers = "".join(
        f'<m:{operation}ResponseMessage ResponseClass="Error"><m:ResponseCode>{code}</m:ResponseCode>'
        f"</m:{operation}ResponseMessage>"
        for code in codes
    )
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{MESSAGES}"><s:Body><m:{operation}Response><m:ResponseMessages>'
        f"{answers}</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>"
    ).encode()
