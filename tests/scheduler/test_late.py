"""Rooms that are late: how often they are tried for, and what the organizer is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import Record, State
from greenroom.meetings.rules import Daily
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformUnavailableError
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import MAILBOX, observation, recurring
from support.stubborn_platform import StubbornPlatform

ONE = MeetingKey.of_uid("one")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def while_the_platform_is_away(
    times: int = 1000, *, policy: Policy | None = None
) -> AsyncIterator[tuple[AtWork, StubbornPlatform]]:
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner, [PlatformUnavailableError("down")] * times))
        return built[0]

    async with at_work(platform=wrap, policy=policy) as work:
        yield work, built[0]


async def minutes(work: AtWork, number: int) -> None:
    """Passes as they come, four a minute."""
    for _ in range(4 * number):
        await work.attend()
        work.clock.forward(seconds=14)


async def record_of(work: AtWork, key: MeetingKey = ONE) -> Record:
    record = await work.record(key)
    assert record is not None
    return record


def verdicts(work: AtWork, key: MeetingKey = ONE) -> list[Verdict]:
    return [sent.verdict for sent in work.mailbox.replies_to(key)]


async def test_an_organizer_is_warned_once_when_the_start_is_near_and_accepted_when_the_room_is_there() -> None:
    async with while_the_platform_is_away() as (work, platform):
        work.mailbox.invite(observation(starts_in=20 * MINUTE))
        await minutes(work, 10)
        assert verdicts(work) == [Verdict.TENTATIVE]
        record = await record_of(work)
        assert record.correlation_id in work.mailbox.sent[0].body_html
        assert record.state is State.DEFECTIVE
        platform.ensuring.clear()
        await minutes(work, 2)
        assert verdicts(work) == [Verdict.TENTATIVE, Verdict.ACCEPT]
        assert (await record_of(work)).warned_at is None
        assert "room_late" in [line.code for line in await work.journal(ONE)]


async def test_a_platform_that_is_back_soon_is_worth_no_warning() -> None:
    async with while_the_platform_is_away(2) as (work, _):
        work.mailbox.invite(observation(starts_in=20 * MINUTE))
        await minutes(work, 5)
        assert verdicts(work) == [Verdict.ACCEPT]


@pytest.mark.slow
async def test_nobody_is_warned_before_the_start_is_near_and_then_at_once() -> None:
    async with while_the_platform_is_away() as (work, _):
        work.mailbox.invite(observation(starts_in=5 * HOUR))
        for _ in range(265):
            await work.attend()
            work.clock.forward(seconds=59)
        assert verdicts(work) == []
        record = await record_of(work)
        assert record.span is not None
        assert record.retry_at is not None
        assert record.retry_at <= record.span.start - 29 * MINUTE, "no pause sleeps past the warning"
        await minutes(work, 7)
        assert verdicts(work) == [Verdict.TENTATIVE]


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("before", [timedelta(), 10 * MINUTE], ids=["never", "ten-minutes"])
async def test_policy_says_how_near_the_start_must_be(before: timedelta) -> None:
    async with while_the_platform_is_away(policy=Policy(MAILBOX, warn_before=before)) as (work, _):
        work.mailbox.invite(observation(starts_in=20 * MINUTE))
        await minutes(work, 8)
        assert verdicts(work) == []
        await minutes(work, 5)
        assert verdicts(work) == ([Verdict.TENTATIVE] if before else [])


@pytest.mark.slow
async def test_near_the_start_a_room_is_tried_for_every_minute() -> None:
    async with while_the_platform_is_away() as (work, platform):
        work.mailbox.invite(observation(starts_in=20 * MINUTE))
        await minutes(work, 5)
        before = len(platform.ensuring)
        await minutes(work, 10)
        assert 8 <= before - len(platform.ensuring) <= 12


@pytest.mark.slow
async def test_what_cannot_be_changed_is_worth_no_warning_while_people_get_in() -> None:
    async with while_the_platform_is_away(0) as (work, platform):
        first = observation(starts_in=20 * MINUTE)
        work.mailbox.invite(first)
        await work.attend()
        platform.ensuring += [PlatformUnavailableError("down")] * 100
        shown = work.mailbox.items["item-one"]
        work.mailbox.put(replace(shown, subject="Another title", sent_at=work.clock()))
        await minutes(work, 8)
        assert verdicts(work).count(Verdict.TENTATIVE) == 0


@pytest.mark.parametrize(
    ("error", "told"),
    [(TryLaterError("busy"), 1), (OutcomeUnknownError("cut off"), 0)],
    ids=["surely-not-sent", "perhaps-sent"],
)
async def test_a_warning_that_was_surely_not_sent_is_sent_later_and_another_one_is_not(
    error: ExchangeError, told: int
) -> None:
    async with while_the_platform_is_away() as (work, _):
        work.mailbox.invite(observation(starts_in=20 * MINUTE))
        work.mailbox.fail("respond", error)
        await minutes(work, 10)
        assert verdicts(work) == [Verdict.TENTATIVE] * told


@pytest.mark.slow
async def test_dying_while_warning_warns_nobody_twice() -> None:
    for number in range(1, 9):
        async with while_the_platform_is_away() as (work, _):
            work.mailbox.invite(observation(starts_in=20 * MINUTE))
            await minutes(work, 1)
            step: Callable[[str], None] = die_at(number)[0]
            with suppress(Died):
                await work.attend(step)
            await minutes(work, 6)
            assert len(verdicts(work)) == 1


@pytest.mark.slow
async def test_a_mailbox_whose_allowance_is_used_up_warns_when_it_may_send_again() -> None:
    async with while_the_platform_is_away() as (work, _):
        work.mailbox.sends_per_minute = 3
        for number in range(7):
            work.mailbox.invite(observation(str(number), starts_in=20 * MINUTE))
        await minutes(work, 12)
        keys = [MeetingKey.of_uid(str(number)) for number in range(7)]
        assert [verdicts(work, key) for key in keys] == [[Verdict.TENTATIVE]] * 7
        assert work.mailbox.violations == []


@pytest.mark.slow
async def test_when_the_platform_is_back_those_who_wait_longest_are_not_left_waiting() -> None:
    async with while_the_platform_is_away() as (work, platform):
        for number in range(4):
            work.mailbox.invite(observation(str(number), starts_in=timedelta(days=number + 1)))
        for _ in range(40):
            await work.attend()
            work.clock.forward(minutes=10)
        platform.ensuring.clear()
        waits = [await record_of(work, MeetingKey.of_uid(str(number))) for number in range(4)]
        work.clock.now = min(one.retry_at for one in waits if one.retry_at is not None)
        for _ in range(3):
            await work.attend()
            work.clock.forward(seconds=15)
        states = [(await record_of(work, MeetingKey.of_uid(str(number)))).state for number in range(4)]
        assert states == [State.SCHEDULED] * 4


async def test_the_next_occurrence_of_a_series_is_what_is_near() -> None:
    async with while_the_platform_is_away() as (work, _):
        work.mailbox.invite(recurring(pattern=Daily(1), starts_in=20 * MINUTE - 24 * HOUR, count=20))
        await minutes(work, 6)
        assert verdicts(work, MeetingKey.of_uid("series")) == [Verdict.TENTATIVE]
