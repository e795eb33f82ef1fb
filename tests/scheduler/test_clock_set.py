"""The clock of the machine had run ahead by days and was set right: nothing waits for the time that it had shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.exchange.backoff import BackOff
from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import State
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.queue import InProcessQueue
from greenroom.scheduler.service import Service
from support.greenroom_at_work import AtWork, at_work
from support.observations import observation

ONE = MeetingKey.of_uid("one")
AHEAD = timedelta(days=2)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_a_running_service_compares_at_once_and_closes_in_time_when_its_clock_is_set_back() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=timedelta(hours=5)))
        await work.settle_quickly()
        queue = InProcessQueue(work.clock)
        service = Service(
            [work.integration], work.storage, queue, work.clock, poll={"main": 3600.0}, push={"main": False}
        )
        async with serving(service):
            await looks(work, queue)
            now = work.clock.now
            work.clock.now = now + AHEAD
            await looks(work, queue)
            assert await state(work) is State.ENDED
            work.clock.now = now
            await looks(work, queue)
            await looks(work, queue)
            assert await state(work) is State.SCHEDULED
            work.clock.forward(hours=12)
            await looks(work, queue)
            assert await state(work) is State.ENDED
        assert len(work.mailbox.sent) == 1


async def test_replies_that_waited_by_a_clock_ahead_go_out_when_a_new_process_has_the_right_one() -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = 3
        keys = [MeetingKey.of_uid(f"m{n}") for n in range(6)]
        for n in range(6):
            work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=9 + n)))
        now = work.clock.now
        work.clock.now = now + AHEAD
        before = Attendant(work.integration, work.storage, work.clock)
        for _ in range(2):
            await before.attend()
        assert 0 < len(work.mailbox.sent) < len(keys)
        work.clock.now = now
        attendant = Attendant(work.integration, work.storage, work.clock)
        await attendant.attend()
        await attendant.reconcile()
        for _ in range(8):
            work.clock.forward(seconds=62)
            await attendant.attend()
        assert sorted(sent.key for sent in work.mailbox.sent) == sorted(keys)


def test_a_pause_begun_by_a_clock_ahead_is_no_pause_of_days() -> None:
    back_off = BackOff()
    back_off.wait("a", NOON + AHEAD, timedelta(minutes=5))
    back_off.check("a", NOON)
    assert back_off.wait("a", NOON, timedelta(minutes=1)) == timedelta(minutes=1)
    with pytest.raises(TryLaterError):
        back_off.check("a", NOON)
    back_off.check("a", NOON + timedelta(hours=1, seconds=1))


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task


async def state(work: AtWork) -> State:
    record = await work.record(ONE)
    assert record is not None
    return record.state


async def looks(work: AtWork, queue: InProcessQueue) -> None:
    await queue.submit("attend", "main")
    await queue.idle()
