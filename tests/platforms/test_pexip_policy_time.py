"""Rooms that exist by our answers alone: whoever dials gets in while the desk says so, and at no other time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.admission import Admission, Once, Times
from greenroom.meetings.room import RoomSpec
from greenroom.platforms import Platform
from greenroom.platforms.pexip.platform import PexipPlatform
from greenroom.platforms.pexip.policy import PolicySettings
from greenroom.platforms.pexip.policy.room import Door as DoorOfRoom
from greenroom.platforms.pexip.policy.room import Room
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.platforms.policy import PolicyVerdict
from greenroom.storage import RoomFeed, RoomStore, Storage
from support.platform_contract import Door, TimeContract
from support.policy_questions import SETTINGS, counter, question, told
from support.records import HOUR, NOON, weekly


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


_TIMES = st.sampled_from(
    [
        Once(NOON, NOON + HOUR),
        Once(NOON, None),
        weekly(),
        weekly(count=3),
        replace(weekly(count=2), length=timedelta(days=7)),
        replace(weekly(count=3), gone=frozenset({date(2026, 3, 9)})),
    ]
)
_WHEN = st.integers(-3 * 24 * 60, 30 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


@given(times=st.lists(_TIMES, max_size=2), asked=st.lists(_WHEN, max_size=12))
def test_what_is_remembered_of_a_door_is_what_the_clock_says(times: list[Times], asked: list[datetime]) -> None:
    admission = Admission(tuple(times), HOUR, HOUR / 2)
    remembered = Room(told(1, admission=admission), SETTINGS)
    for now in asked:
        door = remembered.door(now, lambda text, _mark: Admission.parse(text))
        assert (door is DoorOfRoom.OPEN) == Admission.parse(admission.text).is_open(now)
        if door is not DoorOfRoom.OPEN:
            assert (door is DoorOfRoom.EARLY) == (admission.previous(now) is None)
