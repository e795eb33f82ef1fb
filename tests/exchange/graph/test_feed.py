"""The feed: nothing is lost and nothing told twice, whatever comes late, in ties, in short pages or in disorder."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.graph.listing import BEGIN, MAILBOX, Listing, event, text
from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import CursorExpiredError, MisconfiguredError, TryLaterError
from greenroom.exchange.graph import facts
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.events import Event, read_event
from greenroom.exchange.graph.feed import MOST_PAGES, Feed
from greenroom.exchange.graph.place import OVERLAP, Place
from greenroom.exchange.graph.reading import Masters
from greenroom.meetings.meeting import MeetingKey, Response

SECOND = timedelta(seconds=1)
Seen = Counter[tuple[str, str]]


def feed(server: Listing, mailbox: str = MAILBOX) -> Feed:
    return Feed(server.transport(), mailbox, Masters(), clock=server.clock)


class Reader:
    """Follows a feed and counts what it is told, by id and change key. Each slice is read by a new process."""

    def __init__(self, server: Listing) -> None:
        self.server = server
        self.cursor = ""
        self.seen: Seen = Counter()

    async def slice(self, limit: int) -> Changes:
        changes = await feed(self.server).changes(self.cursor, limit=limit)
        assert len(changes.glances) <= limit
        assert changes.gone == ()
        assert not changes.more or changes.cursor != self.cursor
        self.cursor = changes.cursor
        self.seen.update((g.ref.id, g.ref.version.partition("|")[0]) for g in changes.glances)
        return changes

    async def all(self, limit: int = 100) -> Seen:
        """Read to the end of the round; what was new."""
        before = Counter(self.seen)
        for _ in range(1000):
            if not (await self.slice(limit)).more:
                return self.seen - before
        raise AssertionError("the feed does not end")


STEP = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 6), st.sampled_from([0, 0, 40, 119])),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 30, 60, 110, 200]), st.just(0)),
    st.tuples(st.just("read"), st.integers(1, 4), st.just(0)),
    st.tuples(st.just("slice"), st.integers(1, 4), st.just(0)),
)


async def follow(server: Listing, steps: list[tuple[str, int, int]]) -> Reader:
    reader = Reader(server)
    for what, number, late in steps:
        if what == "change":
            server.change(f"i{number}", late=timedelta(seconds=late))
        elif what == "wait":
            server.now += timedelta(seconds=number)
        elif what == "read":
            await reader.all(number)
        else:
            await reader.slice(number)
    server.now += timedelta(minutes=5)
    await reader.all(3)
    return reader


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=5, max_size=40), st.integers(-3600, 3600), st.integers(1, 5), st.booleans())
async def test_nothing_is_lost_however_late_it_is_seen(
    steps: list[tuple[str, int, int]], skew: int, page: int, ordered: bool
) -> None:
    server = Listing(timedelta(seconds=skew), page if ordered else 1000, ordered)
    reader = await follow(server, steps)
    assert {(v.ident, v.key) for v in server.rows()} <= set(reader.seen)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP.filter(lambda step: step[0] != "slice"), max_size=40), st.integers(1, 5), st.booleans())
async def test_nothing_is_told_twice(steps: list[tuple[str, int, int]], page: int, ordered: bool) -> None:
    server = Listing(page=page if ordered else 1000, ordered=ordered)
    reader = await follow(server, steps)
    assert max(reader.seen.values(), default=1) == 1


async def test_what_comes_late_while_a_long_round_runs_is_told_in_the_next() -> None:
    server = Listing()
    for number in range(30):
        server.change(f"i{number}")
        server.now += SECOND
    late = server.change("late", late=timedelta(seconds=110))
    server.now += SECOND
    reader = Reader(server)
    for number in range(200):  # our own answers keep the round going for longer than the overlap
        server.change(f"i{number % 30}")
        server.now += 2 * SECOND
        if not (await reader.slice(1)).more:
            break
    assert ("late", late.key) not in reader.seen
    await reader.all()
    await reader.all()
    assert ("late", late.key) in reader.seen


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_change_that_claims_to_be_of_the_future_does_not_hide_those_of_today(*, ordered: bool) -> None:
    server = Listing(ordered=ordered)
    reader = Reader(server)
    server.change("a")
    server.change("odd", ago=-timedelta(days=900), late=-timedelta(days=900))
    assert len(await reader.all()) == 2
    for ident in ("b", "c"):
        server.now += timedelta(minutes=7)
        server.change(ident)
        assert {name for name, _ in await reader.all(1)} == {ident}
    assert await reader.all() == Counter()


async def test_an_item_that_changes_between_two_pages_hides_no_other() -> None:
    server = Listing(page=4)
    reader = Reader(server)
    for n in range(4):
        server.change(f"old{n}")
        server.now += SECOND
    await reader.all()
    server.now += timedelta(hours=1)
    server.change("missed")
    server.now += timedelta(hours=1)
    server.change("new")
    server.between = lambda: server.change("old0")
    await reader.all()
    server.now += timedelta(hours=1)
    await reader.all()
    assert {ident for ident, _ in reader.seen} == {*(f"old{n}" for n in range(4)), "missed", "new"}


async def test_a_round_with_nothing_new_costs_one_call_and_ends_where_it_was() -> None:
    server = Listing()
    for number in range(20):
        server.change(f"i{number}")
    reader = Reader(server)
    await reader.all()
    before, calls = reader.cursor, len(server.asked)
    assert await reader.all() == Counter()
    assert reader.cursor == before
    assert (len(server.asked) - calls, server.followed) == (1, 0)


async def test_a_backlog_costs_one_call_for_each_slice() -> None:
    server = Listing()
    for number in range(500):
        server.change(f"i{number:03}")
        server.now += timedelta(milliseconds=100)
    assert len(await Reader(server).all(100)) == 500
    assert (len(server.asked), server.followed) == (5, 0)


async def test_more_changes_of_one_instant_than_a_page_holds_are_all_told_once() -> None:
    server = Listing(page=7)
    for number in range(60):
        server.change(f"i{number:02}")
    server.now += SECOND
    server.change("after")
    assert set((await Reader(server).all(5)).values()) == {1}
    reader = Reader(server)
    assert len(await reader.all(5)) == 61


async def test_a_tie_without_end_is_stepped_over(caplog: pytest.LogCaptureFixture) -> None:
    server = Listing(page=1)
    for number in range(MOST_PAGES + 5):
        server.change(f"i{number:02}")
    reader = Reader(server)
    await reader.all(1)
    server.now += SECOND
    server.change("after")
    assert "after" in {ident for ident, _ in await reader.all(1)}


async def test_a_list_in_disorder_is_read_to_its_end_first() -> None:
    server = Listing(ordered=False, page=4)
    for number in range(10):
        server.change(f"i{number}")
        server.now += SECOND
    only = feed(server)
    told: list[str] = []
    cursor, more = "", True
    while more:
        changes = await only.changes(cursor, limit=3)
        told += [g.ref.id for g in changes.glances]
        cursor, more = changes.cursor, changes.more
    assert told == [f"i{n}" for n in range(10)]
    assert [("$orderby" in call.query) for call in server.asked] == [True, False, False, False, False]


async def test_a_server_that_refuses_to_order_is_read_whole() -> None:
    server = Listing()
    server.change("a")
    plain = server.call

    async def refusing(call: Call) -> Answer:
        if "$orderby" in call.query:
            raise RefusedError("no", status=400, code="ErrorUnsupportedOrderBy")
        return await plain(call)

    server.call = refusing  # type: ignore[method-assign]  # the stand-in learns to refuse
    assert [ident for ident, _ in await Reader(server).all()] == ["a"]


async def test_a_list_that_never_ends_is_something_to_try_later() -> None:
    class Endless(Listing):
        def _page(self, since: Any, top: int, skip: int) -> Answer:
            page = super()._page(since, top, 0)
            return Answer(200, page.body | {"@odata.nextLink": f"https://graph.example.test/v1.0/next?{since}|1|0"})

    server = Endless(ordered=False)
    for number in range(3):
        server.change(f"i{number}")
        server.now += SECOND
    with pytest.raises(TryLaterError) as told:
        await feed(server).changes("", limit=3)
    assert told.value.code == "endless-list"


async def test_an_item_that_cannot_be_read_is_told_by_its_id_and_spoils_no_other() -> None:
    server = Listing(spoil=lambda one: one | {"subject": ["no", "text"]} if one["id"] == "i1" else one)
    for number in range(3):
        server.change(f"i{number}")
    changes = await feed(server).changes("", limit=10)
    assert [(g.ref.id, g.key is None, g.fingerprint is None) for g in changes.glances] == [
        ("i0", False, False),
        ("i1", True, True),
        ("i2", False, False),
    ]
    assert (await feed(server).changes(changes.cursor, limit=10)).glances == ()


async def test_what_has_no_id_or_no_time_has_no_place_in_the_feed() -> None:
    def spoil(one: dict[str, Any]) -> dict[str, Any]:
        return one | (
            {"id": None} if one["id"] == "i0" else {"lastModifiedDateTime": None} if one["id"] == "i1" else {}
        )

    server = Listing(spoil=spoil)
    for number in range(3):
        server.change(f"i{number}")
    assert [g.ref.id for g in (await feed(server).changes("", limit=10)).glances] == ["i2"]


@pytest.mark.parametrize("body", [None, [], "x", {"value": None}, {"value": {}}, {"value": [1] * 3000}])
async def test_what_is_no_list_is_something_to_try_later(body: Any) -> None:
    server = Listing()

    async def odd(call: Call) -> Answer:
        return Answer(200, body)

    server.call = odd  # type: ignore[method-assign]  # the stand-in learns nonsense
    with pytest.raises(TryLaterError):
        await feed(server).changes("", limit=10)


async def test_a_mailbox_that_is_not_there_is_a_wrong_setting() -> None:
    server = Listing()

    async def missing(call: Call) -> Answer:
        raise RefusedError("no", status=404, code="MailboxNotEnabledForRESTAPI")

    server.call = missing  # type: ignore[method-assign]  # the stand-in loses its mailbox
    with pytest.raises(MisconfiguredError) as told:
        await feed(server).changes("", limit=10)
    assert "Exchange Online" in told.value.hint


class TestPlace:
    async def test_a_cursor_of_another_mailbox_is_not_ours(self) -> None:
        server = Listing()
        server.change("a")
        changes = await feed(server).changes("", limit=10)
        with pytest.raises(CursorExpiredError):
            await feed(server, "other@example.test").changes(changes.cursor, limit=10)

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "[]",
            "{}",
            '{"v":2}',
            "[" * 100_000,
            '{"v":1,"box":"BOX","high":"soon","at":null,"began":null,"slack":0,"seen":{}}',
            '{"v":1,"box":"BOX","high":null,"at":null,"began":null,"slack":0,"seen":{"1":"abc"}}',
            '{"v":1,"box":"BOX","high":null,"at":null,"began":null,"slack":"x","seen":{}}',
            '{"v":1,"box":"BOX","high":null,"at":null,"began":null,"slack":0,"seen":[]}',
        ],
    )
    def test_what_is_no_cursor_is_said_to_be_expired(self, cursor: str) -> None:
        box = Place.of("", MAILBOX).box
        with pytest.raises(CursorExpiredError):
            Place.of(cursor.replace("BOX", box), MAILBOX)

    async def test_a_cursor_forgets_what_no_list_shows_again(self) -> None:
        server = Listing()
        reader = Reader(server)
        for number in range(300):
            server.change(f"i{number}")
            server.now += SECOND
        await reader.all()
        place = Place.of(reader.cursor, MAILBOX)
        assert sum(len(found) for found in place.seen.values()) <= OVERLAP.total_seconds() + 2
        assert Place.of(place.text(), MAILBOX) == place
        assert len(reader.cursor) < 5000


class TestGlances:
    def glance(self, **more: Any) -> Any:
        found = read_event(event("a", BEGIN, **more))
        assert isinstance(found, Event)
        return facts.glance(found)

    def test_a_single_meeting_is_known_by_key_and_fingerprint(self) -> None:
        glance = self.glance()
        assert glance.key == MeetingKey.of_uid("a@example.test")
        assert glance.fingerprint
        assert (glance.response, glance.own_answer) == (Response.NONE, False)
        assert glance.ref.version == f"v1|{text(BEGIN)[:-2]}Z"

    @pytest.mark.parametrize(
        "more",
        [
            {"subject": "Another"},
            {"isCancelled": True},
            {"sensitivity": "private"},
            {"isAllDay": True},
            {"end": {"dateTime": "2031-05-06T10:30:00.0000000", "timeZone": "UTC"}},
        ],
        ids=str,
    )
    def test_what_concerns_a_room_changes_the_fingerprint(self, more: dict[str, Any]) -> None:
        assert self.glance(**more).fingerprint not in (None, self.glance().fingerprint)

    @pytest.mark.parametrize(
        "more",
        [{"type": "seriesMaster"}, {"start": None}, {"sensitivity": None}, {"type": None}, {"iCalUId": None}],
        ids=str,
    )
    def test_where_the_list_does_not_show_all_there_is_no_fingerprint(self, more: dict[str, Any]) -> None:
        assert self.glance(**more).fingerprint is None

    @pytest.mark.parametrize(
        ("response", "after", "own"),
        [
            ("accepted", 0, True),
            ("declined", 0, True),
            ("accepted", 2, True),
            ("accepted", -2, True),
            ("accepted", -60, False),
            ("tentativelyAccepted", 0, False),
            ("notResponded", 0, False),
        ],
    )
    def test_our_own_answer_is_known_by_its_time(self, response: str, after: int, *, own: bool) -> None:
        status = {"response": response, "time": text(BEGIN + after * SECOND)}
        assert self.glance(responseStatus=status).own_answer is own
