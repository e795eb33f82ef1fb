"""What calendar, database and platform disagree about, told from what is only under way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from greenroom.exchange.errors import CursorExpiredError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Observation
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import State
from greenroom.platforms.contract import OwnedRoom
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.drift import SETTLING, Drift, drift, remember
from greenroom.storage import RoomStore
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, NOW, observation, weekly
from support.records import once, room
from support.stubborn_platform import StubbornPlatform

ONE, TWO = MeetingKey.of_uid("one"), MeetingKey.of_uid("two")
HOUR = timedelta(hours=1)
Facts = list[tuple[DriftKind, str, str]]


def facts(found: Drift) -> Facts:
    return [(one.kind, one.subject, one.detail) for one in found.differences]


@dataclass
class House:
    """A Greenroom whose meetings are all handled, and long enough ago."""

    work: AtWork

    async def settled(self, *items: Observation) -> None:
        for item in items:
            self.work.mailbox.invite(item)
        await self.work.settle_quickly()
        self.work.clock.forward(minutes=10)

    async def drift(self) -> Drift:
        return await drift(self.work.integration, self.work.storage, self.work.clock())

    async def facts(self) -> Facts:
        return facts(await self.drift())

    async def change(self, key: MeetingKey, **changes: object) -> None:
        record = await self.work.record(key)
        assert record is not None
        async with self.work.storage.work() as work:
            await work.meetings.save([replace(record, **changes)])  # type: ignore[arg-type]  # fields of a record

    @property
    def rooms(self) -> RoomStore:
        return RoomStore(self.work.storage, 1, self.work.clock)

    async def lose(self, key: MeetingKey) -> None:
        """Let the platform lose a room behind our back."""
        await self.rooms.retire(key.digest)

    def silently(self, item: Observation) -> None:
        """Let the calendar show something without a word in the feed."""
        self.work.mailbox.put(item)
        self.work.mailbox.log.pop()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with at_work() as work:
        yield House(work)


async def test_nothing_differs_where_all_is_handled(house: House) -> None:
    await house.settled(observation(), observation("two", starts_in=-5 * HOUR), weekly())
    assert await house.facts() == []


async def test_a_comparison_changes_nothing(house: House) -> None:
    await house.settled(observation(), observation("two"))
    house.silently(observation("three"))
    await house.lose(ONE)
    before = await house.work.record(ONE), len(house.work.mailbox.log), house.work.mailbox.reads
    assert len((await house.drift()).differences) == 2
    assert (await house.work.record(ONE), len(house.work.mailbox.log), house.work.mailbox.reads) == before


async def test_a_meeting_that_the_feed_never_told_is_unknown(house: House) -> None:
    await house.settled(observation())
    house.silently(observation("two"))
    assert await house.facts() == [(DriftKind.UNKNOWN_MEETING, TWO.digest, "new")]


async def test_a_change_that_the_feed_never_told_is_found(house: House) -> None:
    await house.settled(observation())
    house.silently(observation(starts_in=timedelta(days=2), sent_at=house.work.clock()))
    assert await house.facts() == [(DriftKind.UNKNOWN_MEETING, ONE.digest, "changed")]


async def test_what_the_feed_is_about_to_tell_is_no_drift(house: House) -> None:
    await house.settled(observation())
    house.work.mailbox.invite(observation("two"))
    house.work.mailbox.remove("item-one")
    found = await house.drift()
    assert found.differences == ()
    assert found.waiting == 2


async def test_a_meeting_that_left_the_calendar_in_silence_has_vanished(house: House) -> None:
    await house.settled(observation())
    del house.work.mailbox.items["item-one"]
    assert await house.facts() == [(DriftKind.VANISHED_MEETING, ONE.digest, "")]


async def test_what_is_handled_right_now_or_waits_is_no_drift(house: House) -> None:
    await house.settled(observation(), observation("two"))
    for key in (ONE, TWO):
        await house.lose(key)
        del house.work.mailbox.items[f"item-{'one' if key == ONE else 'two'}"]
    await house.change(ONE, updated_at=house.work.clock() - SETTLING / 2)
    await house.change(TWO, retry_at=house.work.clock() + HOUR)
    assert await house.facts() == []


async def test_a_room_that_the_platform_lost_is_missing(house: House) -> None:
    await house.settled(observation(), observation("two"))
    await house.lose(ONE)
    (found,) = (await house.drift()).differences
    record = await house.work.record(ONE)
    assert record is not None
    assert record.span is not None
    assert (found.kind, found.subject, found.detail) == (DriftKind.ROOM_MISSING, ONE.digest, "gone")
    assert (found.key, found.starts_at, found.correlation_id) == (ONE, record.span.start, record.correlation_id)
    assert found.alias == f"meet{record.alias_number}@video.example"


async def test_a_room_that_meetings_share_is_missed_once(house: House) -> None:
    await house.settled(observation(), observation("two"))
    await house.change(TWO, room_mark=ONE.digest)
    await house.lose(TWO)
    assert await house.facts() == []
    await house.lose(ONE)
    assert await house.facts() == [(DriftKind.ROOM_MISSING, ONE.digest, "gone")]


async def test_a_room_with_other_aliases_differs(house: House) -> None:
    await house.settled(observation())
    stored = await house.work.room(ONE)
    assert stored is not None
    other = replace(stored.spec.alias, name="lobby@video.example")
    assert await house.rooms.ensure(replace(stored.spec, alias=other))
    assert await house.facts() == [(DriftKind.ROOM_DIFFERS, ONE.digest, "aliases")]


async def test_a_room_of_which_nothing_is_known_is_an_orphan(house: House) -> None:
    now = house.work.clock()
    assert await house.rooms.ensure(room(7, admission=once(now, now + HOUR)))
    assert await house.facts() == [(DriftKind.ORPHAN_ROOM, room(7).mark, "unknown")]


async def test_a_room_of_a_meeting_that_was_cancelled_is_a_known_orphan(house: House) -> None:
    await house.settled(observation())
    await house.change(ONE, state=State.ENDED, reason="cancelled", room=None)
    del house.work.mailbox.items["item-one"]
    assert await house.facts() == [(DriftKind.ORPHAN_ROOM, ONE.digest, "known")]


async def test_a_room_that_was_left_for_another_is_a_known_orphan(house: House) -> None:
    await house.settled(observation(), observation("two"))
    await house.change(TWO, room_mark=ONE.digest)
    assert await house.facts() == [(DriftKind.ORPHAN_ROOM, TWO.digest, "known")]


async def test_rooms_of_meetings_that_are_over_close_by_themselves(house: House) -> None:
    await house.settled(observation(starts_in=HOUR))
    house.work.clock.forward(hours=8)
    await house.work.close()
    house.work.clock.forward(days=30)
    record = await house.work.record(ONE)
    assert record is not None
    assert record.state is State.ENDED
    assert await house.facts() == []


async def test_a_room_of_a_meeting_that_only_the_calendar_knows_is_no_orphan(house: House) -> None:
    now = house.work.clock()
    assert await house.rooms.ensure(room(7, mark=TWO.digest, admission=once(now, now + HOUR)))
    assert await house.facts() == [(DriftKind.ORPHAN_ROOM, TWO.digest, "unknown")]
    await house.settled()
    house.silently(observation("two"))
    assert await house.facts() == [(DriftKind.UNKNOWN_MEETING, TWO.digest, "new")]


async def test_where_the_platform_lists_nothing_rooms_are_not_told() -> None:
    async with at_work(platform=StubbornPlatform) as work:
        other = House(work)
        await other.settled(observation())
        await other.lose(ONE)
        other.silently(observation("two"))
        found = await other.drift()
        assert not found.rooms_told
        assert facts(found) == [(DriftKind.UNKNOWN_MEETING, TWO.digest, "new")]


async def test_half_a_comparison_says_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.settled(observation())

    async def owned() -> AsyncIterator[object]:
        for rooms in range(2):
            if rooms:
                raise PlatformUnavailableError("busy")
            yield OwnedRoom(ONE.digest, ONE.digest, ())

    monkeypatch.setattr(house.work.integration.platform, "owned", owned)
    with pytest.raises(PlatformUnavailableError):
        await house.drift()
    house.work.mailbox.fail("inventory", TryLaterError("busy"))
    with pytest.raises(TryLaterError):
        await house.drift()


async def test_an_expired_place_in_the_feed_tells_nothing_that_is_coming(house: House) -> None:
    await house.settled(observation())
    house.work.mailbox.invite(observation("two"))
    house.work.mailbox.fail("changes", CursorExpiredError("old"))
    assert await house.facts() == [(DriftKind.UNKNOWN_MEETING, TWO.digest, "new")]


async def test_what_differs_still_keeps_when_it_was_found_first(house: House) -> None:
    await house.settled(observation(), observation("two"))
    await house.lose(ONE)
    first = await house.drift()
    assert await remember(house.work.integration, house.work.storage, first) == []
    house.work.clock.forward(hours=6)
    await house.lose(TWO)
    (before,) = await remember(house.work.integration, house.work.storage, await house.drift())
    async with house.work.storage.reading() as work:
        stored = {one.subject: one for one in await work.drifts.of(1)}
        state = await work.mailboxes.get(MAILBOX)
    assert before.subject == ONE.digest
    assert stored[ONE.digest].first_at == first.at
    assert stored[TWO.digest].first_at == state.drift_at == house.work.clock()


def test_counts_name_every_kind() -> None:
    assert Drift(NOW).counts() == dict.fromkeys(DriftKind, 0)


async def test_series_that_no_list_shows_whole_are_not_drift_after_our_own_answer() -> None:
    async with at_work(policy=Policy(MAILBOX)) as work:
        work.mailbox.hides_exceptions = True
        house = House(work)
        await house.settled(weekly())
        assert await house.facts() == []
