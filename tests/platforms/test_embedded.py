import asyncio
from collections.abc import AsyncIterator

import pytest

from greenroom.platforms import Platform
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.storage import RoomStore, Storage, StorageError, StoredRoom
from support.platform_contract import PlatformContract
from support.records import HOUR, NOON, room


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = Storage.open("sqlite://")
    await storage.migrate()
    yield storage
    await storage.close()


@pytest.fixture
def platform(storage: Storage) -> Platform:
    return EmbeddedPlatform(RoomStore(storage, 1, lambda: NOON))


class TestEmbeddedPlatform(PlatformContract):
    pass


async def stored(storage: Storage) -> StoredRoom | None:
    async with storage.reading() as work:
        return await work.rooms.by_join_id(room(1).join_id)


def test_nobody_needs_to_open_and_close_its_rooms(platform: Platform) -> None:
    assert platform.capabilities.judges_time


async def test_the_join_page_finds_a_room_and_what_became_of_it(platform: Platform, storage: Storage) -> None:
    assert await stored(storage) is None
    await platform.ensure(room(1))
    assert await stored(storage) == StoredRoom(1, room(1))
    await platform.retire(room(1).mark)
    assert await stored(storage) == StoredRoom(1, room(1), NOON)
    await platform.ensure(room(1, name="Again"))
    assert await stored(storage) == StoredRoom(1, room(1, name="Again"))


async def test_one_meeting_has_a_room_in_each_integration(platform: Platform, storage: Storage) -> None:
    second = EmbeddedPlatform(RoomStore(storage, 2, lambda: NOON + HOUR))
    await platform.ensure(room(1))
    await second.ensure(room(1, alias=room(2).alias, join_id=room(2).join_id))
    await second.retire(room(1).mark)
    assert await stored(storage) == StoredRoom(1, room(1))


async def test_many_rooms_are_made_at_once(platform: Platform, storage: Storage) -> None:
    await asyncio.gather(*(platform.ensure(room(number)) for number in range(50)))
    async with storage.reading() as work:
        for number in range(50):
            assert await work.rooms.by_mark(1, room(number).mark) is not None


async def test_a_database_that_is_not_there_is_told() -> None:
    storage = Storage.open("sqlite:////nowhere/greenroom.db")
    with pytest.raises(StorageError, match="nowhere"):
        await EmbeddedPlatform(RoomStore(storage, 1, lambda: NOON)).check()
    await storage.close()
