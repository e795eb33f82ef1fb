import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.scheduler.queue import InProcessQueue, Queue
from support.queue_contract import Desk, QueueContract, now, running


class TestInProcessQueue(QueueContract):
    @pytest.fixture
    def queue(self) -> Queue:
        return InProcessQueue(now, concurrency=self.concurrency)


async def test_a_failure_is_logged_with_job_and_key() -> None:
    queue, desk = InProcessQueue(now), Desk()
    queue.register("look", desk)
    desk.failing.add("a")
    with capture_logs() as logs:
        async with running(queue):
            await queue.submit("look", "a")
            await queue.idle()
    (entry,) = logs
    assert (entry["event"], entry["job"], entry["key"], entry["log_level"]) == (
        "queue.job_failed",
        "look",
        "a",
        "error",
    )


async def test_a_clock_that_was_moved_is_noticed_when_somebody_waits_for_idle() -> None:
    time = datetime(2026, 3, 2, tzinfo=UTC)
    queue, desk = InProcessQueue(lambda: time), Desk()
    queue.register("look", desk)
    async with running(queue):
        await queue.submit("look", "a", not_before=time + timedelta(hours=1))
        await queue.idle()
        assert desk.begun == []
        time += timedelta(hours=2)
        await queue.idle()
        assert desk.begun == ["a"]


async def test_cancelling_the_queue_cancels_its_jobs() -> None:
    queue, desk = InProcessQueue(now), Desk()
    queue.register("look", desk)
    desk.door.clear()
    run = asyncio.create_task(queue.run())
    await queue.submit("look", "a")
    await desk.until(lambda: desk.begun == ["a"])
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert desk.ended == ["a"]


async def test_a_queue_runs_once() -> None:
    queue = InProcessQueue(now)
    async with running(queue):
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await queue.run()


async def test_a_waiting_queue_costs_no_time() -> None:
    looks = 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        return now()

    queue, desk = InProcessQueue(clock, concurrency=1), Desk()
    queue.register("look", desk)
    desk.door.clear()
    async with running(queue):
        # All slots are taken, one job is due, one lies ahead.
        for key in ("a", "b"):
            await queue.submit("look", key)
        await queue.submit("look", "c", not_before=now() + timedelta(seconds=30))
        await queue.submit("look", "d", not_before=now())
        await asyncio.sleep(0.2)
        desk.door.set()
    assert looks < 30
