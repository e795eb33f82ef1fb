"""Rooms that exist by our answers alone: whoever dials gets in while the desk says so, and at no other time."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from greenroom.meetings.room import RoomSpec
from greenroom.platforms import Platform
from greenroom.platforms.pexip.platform import PexipPlatform
from greenroom.platforms.pexip.policy import PolicySettings
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.platforms.policy import PolicyVerdict
from greenroom.storage import RoomFeed, RoomStore, Storage
from support.platform_contract import Door, TimeContract
from support.policy_questions import SETTINGS, counter, question
from support.records import NOON


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = Storage.open("sqlite://")
    await storage.migrate()
    yield storage
    await storage.close()


@pytest.fixture
def platform(storage: Storage) -> Platform:
    settings = PexipSettings(1, provisioning=Provisioning.NONE, policy=True)
    return PexipPlatform(settings, RoomStore(storage, 1, lambda: NOON), None, lambda: NOON)


class Node:
    """A Conferencing Node that lets in whom our answer lets in. The follower looks once before each call."""

    def __init__(self, storage: Storage) -> None:
        self._at = counter(RoomFeed(storage), PolicySettings(SETTINGS.pexip, SETTINGS.plan))

    async def admits(self, spec: RoomSpec, now: datetime) -> bool:
        await self._at.follower.follow()
        dialled = (f"sip:{spec.alias.name}", spec.alias.numeric)
        answers = [await self._at.desk.answer(question(alias), now) for alias in dialled]
        assert len({answer.body for answer in answers}) == 1, "both aliases lead to one door"
        (verdict,) = {answer.verdict for answer in answers}
        assert verdict in {PolicyVerdict.ROOM, PolicyVerdict.CLOSED}
        return verdict is PolicyVerdict.ROOM


@pytest.fixture
def door(storage: Storage) -> Door:
    return Node(storage)


class TestRoomsByPolicy(TimeContract):
    pass
