"""Rooms that exist by our answers alone: whoever dials gets in while the desk says so, and at no other time."""

import json
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
from support.empty import storage_in_memory
from support.platform_contract import Door, TimeContract
from support.policy_questions import SETTINGS, counter, question, told
from support.records import HOUR, NOON, room, weekly


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = await storage_in_memory()
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


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


async def names_told(storage: Storage, alias: str, *at: datetime) -> list[str]:
    """What the conference is called for whoever comes then."""
    there = counter(RoomFeed(storage), PolicySettings(SETTINGS.pexip, SETTINGS.plan))
    await there.follower.follow()
    answers = [await there.desk.answer(question(alias), now) for now in at]
    return [str(json.loads(answer.body)["result"]["name"]) for answer in answers]


async def test_a_room_that_is_renamed_while_people_are_in_it_keeps_its_name_until_its_window_closes(
    storage: Storage,
) -> None:
    clock, rooms = Now(), RoomStore(storage, 1, now := Now())
    platform = PexipPlatform(PexipSettings(1, provisioning=Provisioning.NONE, policy=True), rooms, None, clock)
    admission = Admission((weekly(count=3),), timedelta(minutes=30), timedelta(minutes=60))
    spec = replace(room(1), name="First", admission=admission)
    week = timedelta(days=7)
    await platform.ensure(spec)
    assert await names_told(storage, spec.alias.numeric, NOON) == [f"First ({spec.alias.numeric})"]
    for minutes, name in ((5, "Second"), (10, "Third")):
        now.now = NOON + timedelta(minutes=minutes)
        await platform.ensure(replace(spec, name=name))
    found = await names_told(storage, spec.alias.numeric, NOON + timedelta(minutes=20), NOON + week, NOON + 2 * week)
    assert found == [f"{name} ({spec.alias.numeric})" for name in ("First", "Third", "Third")]


async def test_a_room_that_is_renamed_between_two_windows_has_its_new_name_at_once(storage: Storage) -> None:
    rooms = RoomStore(storage, 1, now := Now())
    platform = PexipPlatform(PexipSettings(1, provisioning=Provisioning.NONE, policy=True), rooms, None, now)
    spec = replace(room(1), name="First", admission=Admission((weekly(count=3),), HOUR, HOUR))
    await platform.ensure(spec)
    now.now = NOON + timedelta(days=2)
    await platform.ensure(replace(spec, name="Second"))
    found = await names_told(storage, spec.alias.numeric, NOON + timedelta(days=7))
    assert found == [f"Second ({spec.alias.numeric})"]
