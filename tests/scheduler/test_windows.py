from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from greenroom.meetings.meeting import Kind, MeetingKey, Response
from greenroom.meetings.record import State
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformUnavailableError, RoomRefusedError
from greenroom.scheduler.windows import close_windows
from support.greenroom_at_work import AtWork, at_work
from support.observations import observation
from support.stubborn_platform import StubbornPlatform

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")


@asynccontextmanager
async def with_meetings(*, judges_time: bool) -> AsyncIterator[tuple[AtWork, StubbornPlatform]]:
    """Two meetings of an hour, tomorrow and the day after; the window stays open for another hour."""
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner, judges_time=judges_time))
        return built[0]

    async with at_work(platform=wrap) as work:
        work.mailbox.invite(observation(body_html=work.ticket(111111111)))
        work.mailbox.invite(observation("two", starts_in=timedelta(days=2), body_html=work.ticket(222222222)))
        await work.attend()
        yield work, built[0]


async def close(work: AtWork) -> int:
    return await close_windows(work.integration, work.storage, work.clock)


async def state_of(work: AtWork, key: MeetingKey) -> State:
    record = await work.record(key)
    assert record is not None
    return record.state


async def test_a_meeting_ends_when_its_window_closes_and_not_before() -> None:
    async with with_meetings(judges_time=True) as (work, _):
        work.clock.forward(days=1, hours=1, minutes=59)
        assert await close(work) == 0
        work.clock.forward(minutes=1)
        assert await close(work) == 1
        assert await close(work) == 0
        assert (await state_of(work, ONE), await state_of(work, TWO)) == (State.ENDED, State.SCHEDULED)
        assert [(e.step, e.code) for e in await work.journal(ONE)][-1] == ("closed", "over")


async def test_a_platform_that_judges_the_time_needs_no_call() -> None:
    async with with_meetings(judges_time=True) as (work, platform):
        work.clock.forward(days=3)
        assert await close(work) == 2
        assert platform.retired == []


async def test_from_other_platforms_the_room_is_retired() -> None:
    async with with_meetings(judges_time=False) as (work, platform):
        work.clock.forward(days=3)
        assert await close(work) == 2
        assert sorted(platform.retired) == sorted([ONE.digest, TWO.digest])
        record = await work.record(ONE)
        assert record is not None
        assert record.room is None


async def test_a_room_that_cannot_be_retired_is_tried_again_and_holds_up_no_other() -> None:
    for error in (PlatformUnavailableError("down"), RoomRefusedError("never"), ZeroDivisionError("a bug")):
        async with with_meetings(judges_time=False) as (work, platform):
            platform.broken[ONE.digest] = error
            work.clock.forward(days=3)
            assert await close(work) == 1
            assert (await state_of(work, ONE), await state_of(work, TWO)) == (State.SCHEDULED, State.ENDED)
            platform.broken.clear()
            assert await close(work) == 1
            assert await state_of(work, ONE) is State.ENDED


async def test_a_series_without_end_is_never_closed() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(kind=Kind.SERIES, body_html=work.ticket(111111111)))
        await work.attend()
        work.clock.forward(days=4000)
        assert await close(work) == 0


async def test_a_meeting_that_is_over_and_moved_into_the_future_lives_again() -> None:
    async with with_meetings(judges_time=True) as (work, _):
        work.clock.forward(days=1, hours=5)
        await close(work)
        later = observation(starts_in=timedelta(days=9), body_html=work.ticket(111111111), sent_at=work.clock.now)
        work.mailbox.put(later)
        await work.attend()
        assert await state_of(work, ONE) is State.SCHEDULED
        assert len(work.mailbox.replies_to(ONE)) == 2
        assert work.mailbox.items["item-one"].response is Response.ACCEPTED
