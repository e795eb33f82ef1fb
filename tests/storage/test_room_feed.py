"""Rooms for whoever keeps all of them in memory."""

from datetime import timedelta

import pytest

from greenroom.meetings.alias import Alias
from greenroom.storage import AliasHeldError, FeedRoom, RoomFeed, RoomStore, Storage, room_feed
from support.records import HOUR, NOON, once, room

DAY = timedelta(days=1)


def store(storage: Storage, integration: int = 1) -> RoomStore:
    return RoomStore(storage, integration, lambda: NOON)


async def everything(storage: Storage, *integrations: int) -> list[FeedRoom]:
    pages = RoomFeed(storage).everything(NOON - DAY, integrations or (1,))
    return [one async for page in pages for one in page]


async def test_an_empty_database_has_no_changes(storage: Storage) -> None:
    feed = RoomFeed(storage)
    assert await feed.head() == 0
    assert list(await feed.changes(0, 10)) == []
    assert await everything(storage) == []


async def test_a_room_is_told_with_all_that_an_answer_needs(storage: Storage) -> None:
    spec = room(1, host_pin=None)
    await store(storage, 3).ensure(spec)
    told = FeedRoom(
        integration=3,
        mark=spec.mark,
        alias="vc-900000001@example.com",
        numeric="900000001",
        name="Planning 1",
        description="For the planning",
        owner="ann@example.com",
        host_pin=None,
        guest_pin="543210",
        admission=spec.admission.text,
        closes_at=NOON + 2 * HOUR,
        retired_at=None,
        former_name=None,
        renamed_at=None,
        version=1,
    )
    assert list(await RoomFeed(storage).changes(0, 10)) == [told]
    assert await everything(storage, 3) == [told]
    assert await RoomFeed(storage).by_aliases(["900000001"]) == [told]


async def test_changes_come_in_order_each_room_once_as_it_is_now(storage: Storage) -> None:
    rooms, feed = store(storage), RoomFeed(storage)
    for number in (1, 2, 3):
        await rooms.ensure(room(number))
    await rooms.retire(room(2).mark)
    await rooms.ensure(room(1, name="Other"))
    assert await feed.head() == 5
    told = await feed.changes(0, 10)
    assert [(one.mark, one.version, one.retired_at) for one in told] == [
        (room(3).mark, 3, None),
        (room(2).mark, 4, NOON),
        (room(1).mark, 5, None),
    ]
    assert [one.version for one in await feed.changes(3, 1)] == [4]
    assert list(await feed.changes(5, 10)) == []


async def test_rooms_of_all_integrations_share_one_order(storage: Storage) -> None:
    await store(storage, 1).ensure(room(1))
    await store(storage, 2).ensure(room(2))
    assert [one.integration for one in await RoomFeed(storage).changes(0, 10)] == [1, 2]
    assert [one.integration for one in await everything(storage, 2, 1)] == [2, 1]


async def test_an_alias_that_is_held_changes_nothing(storage: Storage) -> None:
    await store(storage).ensure(room(1))
    async with storage.work() as work:
        with pytest.raises(AliasHeldError):
            await work.rooms.upsert(1, room(2, alias=room(1).alias))
    told = await RoomFeed(storage).changes(0, 10)
    assert [one.mark for one in told] == [room(1).mark]
    await store(storage).ensure(room(3))
    head = await RoomFeed(storage).head()
    assert [one.version for one in await RoomFeed(storage).changes(told[-1].version, 10)] == [head]


async def test_what_was_rolled_back_was_never_there(storage: Storage) -> None:
    async def breaking() -> None:
        async with storage.work() as work:
            await work.rooms.upsert(1, room(1))
            raise ValueError("a crash")

    with pytest.raises(ValueError, match="crash"):
        await breaking()
    assert await RoomFeed(storage).head() == 0


async def test_everything_is_what_may_still_be_dialled(storage: Storage) -> None:
    rooms = store(storage)
    await rooms.ensure(room(1, admission=once(NOON - 3 * DAY, NOON - 2 * DAY)))  # over for long
    await rooms.ensure(room(2, admission=once(NOON - HOUR * 3, NOON - HOUR * 2)))  # over since just now
    await rooms.ensure(room(3, admission=once(NOON, None)))
    await rooms.ensure(room(4))
    await rooms.retire(room(4).mark)  # just now
    await rooms.ensure(room(5))
    await RoomStore(storage, 1, lambda: NOON - 2 * DAY).retire(room(5).mark)
    assert {one.mark for one in await everything(storage)} == {room(number).mark for number in (2, 3, 4)}


async def test_many_rooms_come_in_pages_without_a_gap(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_feed, "_PAGE", 4)
    async with storage.work() as work:
        for number in range(1, 11):
            await work.rooms.upsert(1, room(number))
    pages = [page async for page in RoomFeed(storage).everything(NOON, [1])]
    assert [len(page) for page in pages] == [4, 4, 2]
    assert len({one.mark for page in pages for one in page}) == 10


async def test_a_room_is_found_by_either_alias_and_so_is_its_tombstone(storage: Storage) -> None:
    rooms, feed = store(storage), RoomFeed(storage)
    await rooms.ensure(room(1))
    await rooms.retire(room(1).mark)
    await rooms.ensure(room(2, alias=room(1).alias))
    await rooms.ensure(room(3, alias=Alias(3, "meet.alice@example.com", "")))
    for name in ("vc-900000001@example.com", "900000001"):
        assert {one.mark for one in await feed.by_aliases([name])} == {room(1).mark, room(2).mark}
    assert [one.mark for one in await feed.by_aliases(["x", "meet.alice@example.com"])] == [room(3).mark]
    assert await feed.by_aliases([]) == []
    assert await feed.by_aliases(["vc-9000000011", "%", "'"]) == []


async def test_what_a_room_is_called_does_not_show(storage: Storage) -> None:
    await store(storage).ensure(room(1))
    (told,) = await RoomFeed(storage).changes(0, 1)
    assert not any(word in repr(told) for word in ("Planning", "012345", "543210", "ann@"))
