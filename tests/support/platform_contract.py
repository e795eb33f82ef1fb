"""What every platform must do. Bind it by a subclass with the fixtures `platform`, which begins at NOON, and `later`.

`later(span)` lets time pass for the platform and what it is on. `TimeContract` also needs a `door`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pytest

from greenroom.meetings.admission import Admission, Once, Times
from greenroom.meetings.recurrence import Moved
from greenroom.meetings.room import RoomSpec
from greenroom.platforms import AliasTakenError, Capabilities, Platform
from support.records import HOUR, NOON, once, room, weekly

OTHER_ALIAS = room(9).alias
Later = Callable[[timedelta], None]
WEEK, TICK = timedelta(days=7), timedelta(microseconds=1)
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=60)
SECOND = NOON + WEEK


class Door(Protocol):
    """What somebody who wants to get in meets, by whatever way the platform has."""

    async def admits(self, spec: RoomSpec, now: datetime) -> bool:
        """Whether the room that was made for this specification lets people in at an instant."""
        ...


def timed_room(*times: Times) -> RoomSpec:
    """A room that is open from 30 minutes before to 60 minutes past each occurrence; those of three weeks, unless told."""
    return room(1, join_id="0123456789abcdef", admission=Admission(times or (weekly(count=3),), BEFORE, AFTER))


def dialled(spec: RoomSpec) -> set[str]:
    return {spec.alias.name, spec.alias.numeric}


async def owned(platform: Platform) -> dict[str, set[str]]:
    """The aliases of what is ours, by mark; nothing is told twice."""
    found: dict[str, set[str]] = {}
    async for one in platform.owned():
        assert one.mark not in found
        assert one.ref
        found[one.mark] = set(one.aliases)
    return found


class PlatformContract:
    """Tests through the contract's own methods alone; what a caller sees is tested beside the adapter."""

    async def test_a_platform_says_what_it_can_do(self, platform: Platform) -> None:
        said = platform.capabilities
        assert isinstance(said, Capabilities)
        assert said == platform.capabilities
        assert said.latency >= timedelta()
        assert said.alias_quarantine >= timedelta()
        assert said.per_minute is None or said.per_minute > 0

    async def test_a_check_passes(self, platform: Platform) -> None:
        await platform.check()

    async def test_ensuring_again_changes_nothing(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.ensure(room(1))

    async def test_a_room_can_change_everything_but_its_mark(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        later = once(NOON + HOUR, None)
        await platform.ensure(
            room(
                1,
                alias=OTHER_ALIAS,
                join_id=room(9).join_id,
                name="Other",
                description="",
                owner="bob@example.com",
                admission=later,
                host_pin=None,
                guest_pin=None,
            )
        )
        # The alias it had is free again, the one it has is not.
        await platform.ensure(room(2, alias=room(1).alias, join_id=room(1).join_id))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(3, alias=OTHER_ALIAS))

    async def test_the_alias_of_another_room_is_taken(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        with pytest.raises(AliasTakenError) as raised:
            await platform.ensure(room(2, alias=room(1).alias))
        assert "Planning" not in str(raised.value)
        await platform.ensure(room(2))

    async def test_a_change_to_the_alias_of_another_room_leaves_both_as_they_are(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.ensure(room(2))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(2, alias=room(1).alias))
        for number in (1, 2):
            with pytest.raises(AliasTakenError):
                await platform.ensure(room(3, alias=room(number).alias))

    async def test_retiring_is_safe_to_repeat_and_without_a_room(self, platform: Platform) -> None:
        await platform.retire(room(1).mark)
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.retire(room(1).mark)

    async def test_a_retired_room_can_be_made_again(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.ensure(room(1))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(2, alias=room(1).alias))

    async def test_the_alias_of_a_retired_room_is_free_after_its_quarantine_and_not_before(
        self, platform: Platform, later: Later
    ) -> None:
        endless = once(NOON, None)
        await platform.ensure(room(1, admission=endless))
        await platform.retire(room(1).mark)
        second = room(2, admission=endless, alias=room(1).alias, join_id=room(1).join_id)
        if quarantine := platform.capabilities.alias_quarantine:
            later(quarantine)
            with pytest.raises(AliasTakenError):
                await platform.ensure(second)
            later(TICK)
        await platform.ensure(second)
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(1, admission=endless))

    async def test_a_room_may_have_its_own_alias_again_at_once(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.ensure(room(1))
        await platform.ensure(room(1, alias=OTHER_ALIAS))
        await platform.ensure(room(1))

    async def test_what_is_ours_is_told_exactly(self, platform: Platform) -> None:
        if not platform.capabilities.lists:
            pytest.skip("it does not list rooms")
        assert await owned(platform) == {}
        await platform.ensure(room(1))
        await platform.ensure(room(2))
        await platform.ensure(room(2, alias=OTHER_ALIAS))
        expected = {room(1).mark: dialled(room(1)), room(2).mark: {OTHER_ALIAS.name, OTHER_ALIAS.numeric}}
        assert await owned(platform) == expected
        await platform.retire(room(1).mark)
        assert await owned(platform) == {room(2).mark: expected[room(2).mark]}
        await platform.ensure(room(1))
        assert await owned(platform) == expected

    async def test_rooms_of_meetings_are_nobodys_permanent_rooms(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        assert list(await platform.personal_rooms(room(1).owner)) == []
        assert list(await platform.personal_rooms("nobody@example.com")) == []

    async def test_tending_is_safe_to_repeat_and_without_a_room(self, platform: Platform) -> None:
        assert await platform.tend() is None
        await platform.ensure(room(1))
        before = await owned(platform)
        first = await platform.tend()
        assert await platform.tend() == first
        assert first is None or first > NOON
        assert await owned(platform) == before

    async def test_tending_says_when_something_is_due_until_nothing_is(self, platform: Platform, later: Later) -> None:
        await platform.ensure(timed_room())
        now = NOON
        for _ in range(20):
            at = await platform.tend()
            if at is None:
                break
            assert at > now, "what was due is done, or put off"
            later(at - now)
            now = at
        assert await platform.tend() is None
        await platform.retire(timed_room().mark)
        assert await platform.tend() is None
        assert await owned(platform) == {}

    async def test_closing_is_safe_to_repeat(self, platform: Platform) -> None:
        await platform.close()
        await platform.close()


class TimeContract:
    """What a platform that says `judges_time` must do besides: the facts about time, met at the door."""

    async def test_it_says_that_it_judges_the_time(self, platform: Platform) -> None:
        assert platform.capabilities.judges_time

    async def test_a_meeting_that_takes_place_once_is_open_within_its_window(
        self, platform: Platform, door: Door
    ) -> None:
        await platform.ensure(spec := timed_room(Once(NOON, NOON + HOUR)))
        await self._opens(door, spec, NOON - BEFORE, NOON + HOUR + AFTER)

    async def test_a_series_is_open_around_each_occurrence_and_closed_before_between_and_after(
        self, platform: Platform, door: Door
    ) -> None:
        await platform.ensure(spec := timed_room())
        assert not await door.admits(spec, NOON - WEEK)
        for number in range(3):
            starts = NOON + WEEK * number
            await self._opens(door, spec, starts - BEFORE, starts + HOUR + AFTER)
            assert not await door.admits(spec, starts + WEEK / 2)
        assert not await door.admits(spec, NOON + 3 * WEEK)

    async def test_an_endless_series_is_open_after_half_a_century(self, platform: Platform, door: Door) -> None:
        await platform.ensure(spec := timed_room(weekly()))
        starts = datetime(2076, 3, 2, 12, tzinfo=UTC)  # a Monday
        await self._opens(door, spec, starts - BEFORE, starts + HOUR + AFTER)

    async def test_an_occurrence_keeps_its_time_of_day_when_clocks_change(self, platform: Platform, door: Door) -> None:
        await platform.ensure(spec := timed_room(weekly()))
        summer = datetime(2026, 3, 30, 11, tzinfo=UTC)  # 13:00 in Berlin since the day before
        await self._opens(door, spec, summer - BEFORE, summer + HOUR + AFTER)

    async def test_a_moved_occurrence_is_open_at_its_new_time_alone(self, platform: Platform, door: Door) -> None:
        starts = SECOND + timedelta(days=2, hours=5)
        moved = replace(weekly(count=3), moved=(Moved(date(2026, 3, 9), starts, starts + 2 * HOUR),))
        await platform.ensure(spec := timed_room(moved))
        assert not await door.admits(spec, SECOND)
        await self._opens(door, spec, starts - BEFORE, starts + 2 * HOUR + AFTER)
        assert await door.admits(spec, NOON)

    async def test_a_cancelled_occurrence_is_closed_and_the_others_are_not(
        self, platform: Platform, door: Door
    ) -> None:
        gone = replace(weekly(count=3), gone=frozenset({date(2026, 3, 9)}))
        await platform.ensure(spec := timed_room(gone))
        assert [await door.admits(spec, NOON + WEEK * number) for number in range(4)] == [True, False, True, False]

    async def test_windows_that_overlap_are_one(self, platform: Platform, door: Door) -> None:
        long = replace(weekly(count=2), length=WEEK - HOUR)
        await platform.ensure(spec := timed_room(long))
        await self._opens(door, spec, NOON - BEFORE, NOON + 2 * WEEK - HOUR + AFTER)
        assert await door.admits(spec, SECOND - BEFORE)

    async def test_a_shared_room_is_open_for_all_its_meetings(self, platform: Platform, door: Door) -> None:
        other = replace(weekly(count=3), begins=(NOON + 7 * HOUR).time())
        await platform.ensure(spec := timed_room(weekly(count=3), other))
        for starts in (NOON, NOON + 6 * HOUR, SECOND, SECOND + 6 * HOUR):
            await self._opens(door, spec, starts - BEFORE, starts + HOUR + AFTER)

    async def test_a_changed_series_is_judged_by_what_it_is_now(self, platform: Platform, door: Door) -> None:
        await platform.ensure(timed_room())
        later = replace(weekly(count=3), begins=(NOON + 7 * HOUR).time())
        await platform.ensure(spec := timed_room(later))
        assert not await door.admits(spec, SECOND)
        await self._opens(door, spec, SECOND + 6 * HOUR - BEFORE, SECOND + 7 * HOUR + AFTER)

    async def test_nobody_gets_into_a_retired_room_at_any_occurrence(self, platform: Platform, door: Door) -> None:
        await platform.ensure(spec := timed_room())
        await platform.retire(spec.mark)
        assert not any([await door.admits(spec, NOON + WEEK * number) for number in range(3)])
        await platform.ensure(spec)
        assert await door.admits(spec, SECOND)

    async def _opens(self, door: Door, spec: RoomSpec, opens: datetime, closes: datetime) -> None:
        """Everybody gets in from `opens` to before `closes`, and nobody just before and after."""
        moments = (opens - TICK, opens, closes - TICK, closes)
        assert [await door.admits(spec, now) for now in moments] == [False, True, True, False]
