import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx2
import pytest

from greenroom.meetings.room import RoomSpec
from greenroom.platforms import Platform
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.storage import RoomStore, Storage, StorageError, StoredRoom
from greenroom.web.app import create_app
from greenroom.web.rooms import StoredRooms
from support.empty import storage_in_memory
from support.join_rooms import PLACES, Clock
from support.platform_contract import Door, Later, PlatformContract, TimeContract
from support.records import HOUR, NOON, room


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = await storage_in_memory()
    yield storage
    await storage.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def later(clock: Clock) -> Later:
    def pass_time(span: timedelta) -> None:
        clock.now += span

    return pass_time


@pytest.fixture
def platform(storage: Storage, clock: Clock) -> Platform:
    return EmbeddedPlatform(RoomStore(storage, 1, clock))


class JoinPage:
    """The way into a room of ours."""

    def __init__(self, storage: Storage) -> None:
        self._clock = Clock(NOON)
        app = create_app(StoredRooms(storage), self._clock, PLACES)
        self._client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org")

    async def admits(self, spec: RoomSpec, now: datetime) -> bool:
        self._clock.now = now
        page = (await self._client.get(f"/j/{spec.join_id}")).text
        is_open: bool = (await self._client.get(f"/j/{spec.join_id}.json")).json()["state"] == "open"
        assert (spec.alias.numeric in page) == is_open, "how to get in is told while the room is open, and only then"
        return is_open


@pytest.fixture
def door(storage: Storage) -> Door:
    return JoinPage(storage)


class TestEmbeddedPlatform(PlatformContract, TimeContract):
    pass


async def stored(storage: Storage) -> StoredRoom | None:
    async with storage.reading() as work:
        return await work.rooms.by_join_id(room(1).join_id)


async def test_the_join_page_finds_a_room_and_what_became_of_it(platform: Platform, storage: Storage) -> None:
    assert await stored(storage) is None
    await platform.ensure(room(1))
    assert await stored(storage) == StoredRoom(1, room(1))
    await platform.retire(room(1).mark)
    assert await stored(storage) == StoredRoom(1, room(1), NOON)
    await platform.ensure(room(1, name="Again"))
    again = StoredRoom(1, room(1, name="Again"), former_name=room(1).name, renamed_at=NOON)
    assert await stored(storage) == again


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
