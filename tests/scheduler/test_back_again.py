"""What waits while the platform is away is done when it is back, and nothing is said twice or too late for that."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from greenroom.exchange.errors import OutcomeUnknownError
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import Record, State
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.attend import Attendant
from support.greenroom_at_work import AtWork, at_work
from support.observations import NOW, observation
from support.recovering import disaster
from support.stubborn_platform import StubbornPlatform

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DOWN = PlatformUnavailableError("down")


@asynccontextmanager
async def with_the_platform_away(times: int) -> AsyncIterator[tuple[AtWork, StubbornPlatform]]:
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner, [DOWN] * times))
        return built[0]

    async with at_work(platform=wrap) as work:
        yield work, built[0]


async def record_of(work: AtWork, name: str) -> Record:
    record = await work.record(MeetingKey.of_uid(name))
    assert record is not None
    return record


async def test_one_room_that_was_made_at_last_lets_all_others_be_tried_at_once() -> None:
    async with with_the_platform_away(3) as (work, _):
        for number, name in enumerate(("one", "two", "three")):
            work.mailbox.invite(observation(name, starts_in=(3 + number) * DAY))
        await work.attend()
        others = [await record_of(work, name) for name in ("two", "three")]
        async with work.storage.work() as storage:
            await storage.meetings.save([replace(one, retry_at=work.clock() + HOUR) for one in others])
        work.clock.forward(seconds=20)
        for _ in range(2):
            await work.attend()
        assert {(await record_of(work, name)).state for name in ("one", "two", "three")} == {State.SCHEDULED}


async def test_a_reply_that_may_still_be_under_way_is_not_repeated_because_the_platform_is_back() -> None:
    async with with_the_platform_away(2) as (work, platform):
        one = observation("one", starts_in=3 * DAY)
        work.mailbox.invite(one)
        work.mailbox.invite(observation("two", starts_in=4 * DAY))
        await work.attend()
        work.clock.forward(seconds=40)
        past = replace(one.span, start=NOW - DAY, end=NOW - DAY + HOUR) if one.span else None
        work.mailbox.put(replace(work.mailbox.items["item-one"], span=past, sent_at=work.clock()))
        work.mailbox.fail("respond", OutcomeUnknownError("lost"))
        platform.ensuring = [DOWN]
        await work.attend()
        declined = await record_of(work, "one")
        assert (declined.state, declined.replying is None) == (State.DEFECTIVE, False)
        waits, until = (await record_of(work, "two")).retry_at, declined.retry_at
        assert waits is not None
        assert until is not None
        work.clock.now = waits
        for _ in range(2):
            await work.attend()
        assert (await record_of(work, "two")).state is State.SCHEDULED
        assert work.clock() < until
        assert (await record_of(work, "one")).retry_at == until
        assert work.mailbox.replies_to(one.key) == []


async def test_a_room_that_could_not_be_made_again_is_made_by_the_next_passes() -> None:
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner))
        built[0].capabilities = inner.capabilities
        return built[0]

    async with disaster(platform=wrap) as at:
        key = at.book("one", 500000001)
        await at.attend()
        await at.lose(only=("rooms",))
        built[0].ensuring = [DOWN]
        assert len((await at.recover()).failed) == 1
        await at.settle_quickly()
        assert key.digest in await at.rooms()
        assert len(at.mailbox.sent) == 1


async def test_nothing_that_waits_is_answered_beside_a_meeting_taken_up_when_the_calendar_was_not_looked_at_lately() -> (
    None
):
    async with at_work() as work:
        work.mailbox.sends_per_minute = 2
        for number in range(3):
            work.mailbox.invite(observation(f"m{number}", starts_in=(1 + number) * DAY))
        attendant = Attendant(work.integration, work.storage, work.clock)
        await attendant.attend()
        told = len(work.mailbox.sent)
        assert told < 3
        work.clock.forward(minutes=10)
        for name in list(work.mailbox.items):
            work.mailbox.put(replace(work.mailbox.items[name], cancelled=True, sent_at=work.clock()))
        new = observation("new", starts_in=4 * DAY)
        work.mailbox.invite(new)
        await attendant.take_up([new])
        assert len(work.mailbox.sent) == told
        await attendant.attend()
        assert [one.key for one in work.mailbox.sent[told:]] == [new.key]
