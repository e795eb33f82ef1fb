"""Memory is as the database, and nothing in it is missed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from greenroom.platforms.pexip.policy.room import KEPT
from greenroom.platforms.policy import PolicyVerdict
from greenroom.storage import FeedRoom, RoomFeed, RoomStore, Storage
from support.policy_questions import Counter, FeedInMemory, counter, following, question, told
from support.records import HOUR, NOON, once, room

OURS = "sip:vc-900000001@example.com"


class BreakingOff(FeedInMemory):
    """A feed whose connection breaks in the middle of its first telling."""

    broke = False

    async def everything(self, closing_after: datetime, integrations: object) -> AsyncIterator[list[FeedRoom]]:
        async for page in super().everything(closing_after, integrations):
            yield page
            if not self.broke:
                self.broke = True
                raise ConnectionError


async def verdict(at: Counter, alias: str = OURS) -> PolicyVerdict:
    return (await at.desk.answer(question(alias), NOON)).verdict


async def until(holds: Callable[[], bool], within: float = 10) -> None:
    """Wait, but not for long."""
    ends = time.monotonic() + within
    while not holds():
        assert time.monotonic() < ends
        await asyncio.sleep(0.002)


async def eventually(at: Counter, wanted: PolicyVerdict, alias: str = OURS, within: float = 10) -> None:
    ends = time.monotonic() + within
    while await verdict(at, alias) is not wanted:
        assert time.monotonic() < ends
        await asyncio.sleep(0.002)


async def test_everything_is_loaded_and_then_every_change_followed() -> None:
    feed = FeedInMemory(told(1))
    at = counter(feed, pause=0.001)
    async with following(at):
        await at.follower.loaded()
        assert at.follower.fresh_at == NOON
        assert await verdict(at) is PolicyVerdict.ROOM
        feed.put(told(2))
        await eventually(at, PolicyVerdict.ROOM, "900000002")
        feed.put(told(1, version=3, retired_at=NOON))
        await eventually(at, PolicyVerdict.CLOSED)


async def test_while_nothing_changes_only_the_head_is_asked_for() -> None:
    feed = FeedInMemory(told(1))
    at = counter(feed)
    await at.follower.follow()
    feed.asked.clear()
    await at.follower.follow()
    assert feed.asked == ["head"]


async def test_a_change_without_a_room_is_not_asked_for_again_and_again() -> None:
    feed = FeedInMemory(told(1))
    at = counter(feed)
    await at.follower.follow()
    feed.version = 9  # a room was retired that is not there
    await at.follower.follow()
    feed.asked.clear()
    await at.follower.follow()
    assert feed.asked == ["head"]
    feed.put(told(2, version=10))
    feed.version = 10
    await at.follower.follow()
    assert await verdict(at, "900000002") is PolicyVerdict.ROOM


async def test_a_thousand_changes_are_taken_in_pages() -> None:
    feed = FeedInMemory(told(1))
    at = counter(feed)
    await at.follower.follow()
    for number in range(2, 1502):
        feed.put(told(number))
    await at.follower.follow()
    assert len(at.directory) == 1501
    assert feed.asked.count("changes") == 3


async def test_started_cold_it_answers_from_the_database_itself() -> None:
    feed = FeedInMemory(told(1), told(2, retired_at=NOON))
    at = counter(feed)
    assert not at.follower.is_loaded
    for alias in (OURS, "vc-900000001", "900000001", "900000001@10.0.0.1", "vc-900000001@video.example.org"):
        at.directory.become(at.directory.emptied())
        assert await verdict(at, alias) is PolicyVerdict.ROOM
    assert await verdict(at, "900000002") is PolicyVerdict.CLOSED
    assert await verdict(at, "912345678") is PolicyVerdict.UNKNOWN
    assert await verdict(at, "sales@foreign.example") is PolicyVerdict.FOREIGN
    feed.asked.clear()
    assert await verdict(at) is PolicyVerdict.ROOM
    assert feed.asked == [], "what is known is not asked for again"


@pytest.mark.parametrize("fault", ["down", "slow"])
async def test_what_never_could_load_is_unavailable_so_that_the_platform_falls_back(fault: str) -> None:
    feed = FeedInMemory(told(1))
    setattr(feed, fault, True)
    at = counter(feed, pause=0.001, patience=0.01)
    async with following(at):
        answer = await at.desk.answer(question(OURS), NOON)
        assert (answer.verdict, answer.status) == (PolicyVerdict.UNAVAILABLE, 503)
        assert (await at.desk.answer(question("sales@foreign.example"), NOON)).verdict is PolicyVerdict.FOREIGN
        await until(lambda: bool(at.follower.failing))
        assert at.follower.fresh_at is None
        setattr(feed, fault, False)
        await eventually(at, PolicyVerdict.ROOM)
        await at.follower.loaded()
        assert at.follower.failing == ""


async def test_with_the_database_gone_it_goes_on_with_what_it_has_and_says_how_old_that_is() -> None:
    now = [NOON]
    feed = FeedInMemory(told(1))
    at = counter(feed, clock=lambda: now[0], pause=0.001)
    async with following(at):
        await at.follower.loaded()
        feed.down = True
        now[0] += HOUR / 2
        await until(lambda: bool(at.follower.failing))
        assert await verdict(at) is PolicyVerdict.ROOM
        assert await verdict(at, "912345678") is PolicyVerdict.UNKNOWN
        assert at.follower.fresh_at is not None
        assert at.follower.fresh_at <= now[0]
        before = at.follower.fresh_at
        feed.put(told(2))
        feed.down = False
        await eventually(at, PolicyVerdict.ROOM, "900000002")
        await until(lambda: not at.follower.failing)
        assert at.follower.fresh_at > before or before == now[0]


async def test_a_load_that_breaks_off_is_begun_again() -> None:
    feed = BreakingOff(told(1), told(2))
    at = counter(feed)
    with pytest.raises(ConnectionError):
        await at.follower.follow()
    assert not at.follower.is_loaded
    await at.follower.follow()
    assert len(at.directory) == 2


async def test_an_older_database_is_loaded_anew() -> None:
    feed = FeedInMemory(told(1), told(2))
    at = counter(feed)
    await at.follower.follow()
    feed.rooms.clear()
    feed.put(told(3, version=1))
    await at.follower.follow()
    assert len(at.directory) == 1
    assert await verdict(at) is PolicyVerdict.UNKNOWN
    assert await verdict(at, "900000003") is PolicyVerdict.ROOM


async def test_a_standby_that_missed_changes_and_was_written_to_since_is_read_anew() -> None:
    feed = FeedInMemory(told(1), told(2), told(3))
    at = counter(feed, pause=0.001)
    async with following(at):
        await at.follower.loaded()
        feed.down = True
        await until(lambda: bool(at.follower.failing))
        feed.rooms.popitem()
        feed.put(told(4, version=3))  # a number given anew
        feed.put(told(5, version=4))
        feed.down = False
        await until(lambda: len(at.directory) == 4)
        assert await verdict(at, "900000003") is PolicyVerdict.UNKNOWN
        assert await verdict(at, "900000004") is PolicyVerdict.ROOM


async def test_while_another_database_is_read_what_was_known_is_answered_and_what_is_new_looked_up() -> None:
    feed = BreakingOff(told(1), told(2))
    feed.broke = True
    at = counter(feed)
    await at.follower.follow()
    feed.rooms.clear()
    feed.put(told(3, version=1))
    feed.broke = False
    with pytest.raises(ConnectionError):
        await at.follower.follow()
    assert await verdict(at) is PolicyVerdict.ROOM
    assert await verdict(at, "900000003") is PolicyVerdict.ROOM
    await at.follower.follow()
    assert await verdict(at) is PolicyVerdict.UNKNOWN
    assert await verdict(at, "900000003") is PolicyVerdict.ROOM


async def test_until_everything_is_known_a_tombstone_hides_no_living_room() -> None:
    feed = FeedInMemory(told(2)._replace(alias=told(1).alias, numeric=told(1).numeric))
    at = counter(feed)
    at.directory.apply(told(1, retired_at=NOON))
    assert await verdict(at) is PolicyVerdict.ROOM


async def test_a_fault_while_sweeping_does_not_end_the_following(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOON]
    feed = FeedInMemory(told(1))
    at = counter(feed, clock=lambda: now[0], pause=0.001)

    def broken(_now: datetime) -> list[int]:
        raise KeyError

    monkeypatch.setattr(at.directory, "sweep", broken)
    async with following(at):
        await at.follower.loaded()
        now[0] += HOUR
        await until(lambda: at.follower.failing == "KeyError")
        feed.put(told(2))
        await eventually(at, PolicyVerdict.ROOM, "900000002")


async def test_a_poke_is_not_waited_for() -> None:
    feed = FeedInMemory()
    at = counter(feed, pause=3600)
    async with following(at):
        await at.follower.loaded()
        feed.put(told(1))
        at.follower.poke()
        await eventually(at, PolicyVerdict.ROOM)


async def test_what_is_over_is_swept_now_and_then() -> None:
    now = [NOON]
    at = counter(FeedInMemory(told(1)), clock=lambda: now[0], pause=0.001)
    async with following(at):
        await at.follower.loaded()
        now[0] += KEPT + timedelta(days=1)
        await until(lambda: len(at.directory) == 0)


async def test_a_room_that_another_process_stored_is_answered_within_a_second(postgres_or_file: str) -> None:
    mine, theirs = Storage.open(postgres_or_file), Storage.open(postgres_or_file)
    await mine.migrate()
    at = counter(RoomFeed(mine))
    store = RoomStore(theirs, 1, lambda: NOON)
    async with following(at):
        await at.follower.loaded()
        await store.ensure(room(1))
        await eventually(at, PolicyVerdict.ROOM, within=1)
        await store.retire(room(1).mark)
        await eventually(at, PolicyVerdict.CLOSED, within=1)
    await mine.close()
    await theirs.close()


class Busy(FeedInMemory):
    """A feed behind which others write: before each of its answers so many of the writes happen as `turns` says."""

    def __init__(self, writes: list[tuple[int, bool]], turns: list[int]) -> None:
        super().__init__()
        self.writes, self.turns, self.written = list(writes), list(turns), 0

    async def _ask(self, what: str) -> None:
        await super()._ask(what)
        self.write(self.turns.pop(0) if self.turns else 0)

    def write(self, count: int) -> None:
        for _ in range(min(count, len(self.writes))):
            number, retired = self.writes.pop(0)
            self.written += 1
            self.put(told(number, version=self.written, retired_at=NOON if retired else None))

    async def head(self) -> int:
        await self._ask("head")
        return self.written

    async def everything(self, closing_after: datetime, integrations: object) -> AsyncIterator[list[FeedRoom]]:
        behind = ""
        while True:
            await self._ask("page")
            page = sorted((one for one in self.rooms.values() if one.mark > behind), key=lambda one: one.mark)[:2]
            if not page:
                return
            yield page
            behind = page[-1].mark


@given(
    writes=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=25),
    turns=st.lists(st.integers(0, 4), max_size=30),
    follows=st.integers(1, 5),
)
def test_nothing_is_missed_whenever_others_write(
    writes: list[tuple[int, bool]], turns: list[int], follows: int
) -> None:
    async def scenario() -> None:
        feed = Busy(writes, turns)
        at = counter(feed)
        for _ in range(follows):
            await at.follower.follow()
        feed.turns.clear()
        await at.follower.follow()
        feed.write(100)
        await at.follower.follow()
        assert kept(at) == {one.mark: (one.version, one.retired_at) for one in feed.rooms.values()}

    with asyncio.Runner() as runner, structlog.testing.capture_logs():
        runner.run(scenario())


@pytest.mark.parametrize("writers", [2, pytest.param(6, marks=pytest.mark.slow)])
async def test_nothing_is_missed_while_many_write_at_once(postgres_or_file: str, writers: int) -> None:
    storages = [Storage.open(postgres_or_file) for _ in range(3)]
    await storages[0].migrate()
    at = counter(RoomFeed(storages[0]), pause=0.01)

    async def write(storage: Storage, first: int) -> None:
        store = RoomStore(storage, 1, lambda: NOON)
        for number in range(first, first + 3 * writers):
            await store.ensure(room(number))
            if number % 3 == 0:
                await store.ensure(room(number, name="Changed", admission=once(NOON + 9 * HOUR, None)))
            if number % 4 == 0:
                await store.retire(room(number).mark)

    async with following(at):
        await asyncio.gather(*(write(storages[index % 2], 1 + 100 * index) for index in range(writers)))
        stored = {one.mark: (one.version, one.retired_at) for one in await RoomFeed(storages[2]).changes(0, 1000)}
        await until(lambda: kept(at) == stored)
    for storage in storages:
        await storage.close()


@pytest.mark.postgres
async def test_a_change_that_is_committed_later_is_not_passed_over(postgres_url: str) -> None:
    mine, theirs = Storage.open(postgres_url), Storage.open(postgres_url)
    await mine.migrate()
    at = counter(RoomFeed(mine))
    await at.follower.follow()
    async with mine.work() as work:
        await work.rooms.upsert(1, room(1))
        later = asyncio.create_task(RoomStore(theirs, 1, lambda: NOON).ensure(room(2)))
        # The second waits for the first to have its number: it cannot be seen before it.
        done, _ = await asyncio.wait([later], timeout=0.2)
        assert not done
        await asyncio.create_task(at.follower.follow())
        assert len(at.directory) == 0
    await at.follower.follow()
    assert room(1).mark in kept(at)
    await later
    await at.follower.follow()
    assert {mark: version for mark, (version, _) in kept(at).items()} == {room(1).mark: 1, room(2).mark: 2}
    await mine.close()
    await theirs.close()


def kept(at: Counter) -> dict[str, tuple[int, datetime | None]]:
    rooms = at.directory._members[1].rooms
    return {mark: (one.version, one.retired_at) for mark, one in rooms.items()}
