"""What every queue must do. Bind it by a subclass with a fixture `queue` that returns a queue nobody runs yet."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.scheduler.queue import Queue, UnknownJobError

SECOND = timedelta(seconds=1)
PATIENCE = 20


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(queue: Queue) -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE):
        task = asyncio.create_task(queue.run())
        try:
            yield
        finally:
            await queue.stop(SECOND)
            await task


class Desk:
    """A handler that notes what it does, and can be kept from ending."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.at_once: Counter[str] = Counter()
        self.most = 0
        self.most_of_one = 0
        self.door = asyncio.Event()
        self.door.set()
        self.failing: set[str] = set()
        self.changed = asyncio.Condition()

    async def __call__(self, key: str) -> None:
        self.at_once[key] += 1
        self.most_of_one = max(self.most_of_one, self.at_once[key])
        self.most = max(self.most, self.at_once.total())
        await self._note(self.begun, key)
        try:
            await self.door.wait()
            if key in self.failing:
                raise RuntimeError("on purpose")
        finally:
            self.at_once[key] -= 1
            await self._note(self.ended, key)

    async def _note(self, where: list[str], key: str) -> None:
        async with self.changed:
            where.append(key)
            self.changed.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(holds)


class QueueContract:
    """Tests of the contract; `concurrency` is what the queue under test was made with."""

    concurrency = 4

    @pytest.fixture
    def desk(self, queue: Queue) -> Desk:
        desk = Desk()
        queue.register("look", desk)
        return desk

    async def test_a_submitted_job_is_done_with_its_key(self, queue: Queue, desk: Desk) -> None:
        async with running(queue):
            await queue.submit("look", "a")
            await queue.idle()
        assert desk.ended == ["a"]

    async def test_jobs_submitted_before_the_start_are_done(self, queue: Queue, desk: Desk) -> None:
        await queue.submit("look", "a")
        await queue.submit("look", "b")
        async with running(queue):
            await queue.idle()
        assert sorted(desk.ended) == ["a", "b"]

    async def test_an_unknown_job_is_refused(self, queue: Queue) -> None:
        with pytest.raises(UnknownJobError):
            await queue.submit("nothing", "a")

    async def test_a_name_has_one_handler(self, queue: Queue, desk: Desk) -> None:
        with pytest.raises(ValueError, match="look"):
            queue.register("look", desk)

    async def test_a_naive_time_is_refused(self, queue: Queue, desk: Desk) -> None:
        with pytest.raises(ValueError, match="aware"):
            await queue.submit("look", "a", not_before=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point

    async def test_the_same_submitted_while_it_waits_is_done_once(self, queue: Queue, desk: Desk) -> None:
        for _ in range(5):
            await queue.submit("look", "a")
        async with running(queue):
            await queue.idle()
        assert desk.ended == ["a"]

    async def test_the_same_submitted_while_it_runs_is_done_once_more_afterwards(
        self, queue: Queue, desk: Desk
    ) -> None:
        desk.door.clear()
        async with running(queue):
            await queue.submit("look", "a")
            await desk.until(lambda: desk.begun == ["a"])
            for _ in range(5):
                await queue.submit("look", "a")
            await asyncio.sleep(0.05)
            assert desk.begun == ["a"]
            desk.door.set()
            await queue.idle()
        assert desk.ended == ["a", "a"]
        assert desk.most_of_one == 1

    async def test_one_key_under_two_names_is_two_jobs(self, queue: Queue, desk: Desk) -> None:
        other = Desk()
        queue.register("other", other)
        desk.door.clear()
        async with running(queue):
            await queue.submit("look", "a")
            await queue.submit("other", "a")
            await other.until(lambda: other.ended == ["a"])
            desk.door.set()

    async def test_a_job_waits_for_its_time_and_does_not_keep_the_queue_from_being_idle(
        self, queue: Queue, desk: Desk
    ) -> None:
        async with running(queue):
            due = now() + 0.3 * SECOND
            await queue.submit("look", "later", not_before=due)
            await queue.submit("look", "much later", not_before=now() + 3600 * SECOND)
            await queue.submit("look", "past", not_before=now() - SECOND)
            await queue.idle()
            assert desk.ended == ["past"]
            await desk.until(lambda: "later" in desk.ended)
            assert now() >= due
        assert desk.ended == ["past", "later"]

    async def test_the_earliest_time_wins(self, queue: Queue, desk: Desk) -> None:
        async with running(queue):
            await queue.submit("look", "a", not_before=now() + 3600 * SECOND)
            await queue.submit("look", "a", not_before=now() + 0.1 * SECOND)
            await queue.submit("look", "a", not_before=now() + 1800 * SECOND)
            await queue.submit("look", "b", not_before=now() + 3600 * SECOND)
            await queue.submit("look", "b")
            await queue.submit("look", "b", not_before=now() + 3600 * SECOND)
            await desk.until(lambda: len(desk.ended) == 2)
            await asyncio.sleep(0.05)
        assert desk.ended == ["b", "a"]

    async def test_a_job_held_back_by_itself_still_waits_for_its_time(self, queue: Queue, desk: Desk) -> None:
        desk.door.clear()
        async with running(queue):
            await queue.submit("look", "a")
            await desk.until(lambda: desk.begun == ["a"])
            await queue.submit("look", "a", not_before=now() + 3600 * SECOND)
            desk.door.set()
            await queue.idle()
            assert desk.begun == ["a"]

    async def test_higher_priority_goes_first_and_equals_in_their_order(self, queue: Queue, desk: Desk) -> None:
        desk.door.clear()
        async with running(queue):
            for number in range(self.concurrency):
                await queue.submit("look", f"busy {number}")
            await desk.until(lambda: len(desk.begun) == self.concurrency)
            for key, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 5), ("raised", -9), ("raised", 9)):
                await queue.submit("look", key, priority=priority)
            desk.door.set()
            await queue.idle()
        assert desk.begun[self.concurrency :] == ["raised", "high", "first", "second", "low"]

    async def test_no_more_run_at_once_than_allowed(self, queue: Queue, desk: Desk) -> None:
        desk.door.clear()
        async with running(queue):
            for number in range(self.concurrency * 3):
                await queue.submit("look", f"{number}")
            await desk.until(lambda: len(desk.begun) == self.concurrency)
            await asyncio.sleep(0.05)
            desk.door.set()
            await queue.idle()
        assert desk.most == self.concurrency
        assert len(desk.ended) == self.concurrency * 3

    async def test_a_failing_handler_harms_nobody(self, queue: Queue, desk: Desk) -> None:
        desk.failing.add("bad")
        async with running(queue):
            for _ in range(3):
                await queue.submit("look", "bad")
                await queue.submit("look", "good")
                await queue.idle()
        assert Counter(desk.ended) == {"bad": 3, "good": 3}

    async def test_a_handler_that_is_cancelled_from_within_harms_nobody(self, queue: Queue) -> None:
        seen: list[str] = []

        async def handler(key: str) -> None:
            seen.append(key)
            raise asyncio.CancelledError

        queue.register("odd", handler)
        async with running(queue):
            for _ in range(2):
                await queue.submit("odd", "a")
                await queue.idle()
        assert seen == ["a", "a"]

    async def test_a_handler_may_submit_itself_again(self, queue: Queue) -> None:
        seen: list[str] = []

        async def handler(key: str) -> None:
            seen.append(key)
            if len(seen) < 5:
                await queue.submit("again", key)

        queue.register("again", handler)
        async with running(queue):
            await queue.submit("again", "a")
            await queue.idle()
        assert seen == ["a"] * 5

    async def test_stopping_waits_for_what_runs_and_starts_nothing_else(self, queue: Queue, desk: Desk) -> None:
        desk.door.clear()
        run = asyncio.create_task(queue.run())
        await queue.submit("look", "a")
        await desk.until(lambda: desk.begun == ["a"])
        await queue.submit("look", "a")
        stop = asyncio.create_task(queue.stop(60 * SECOND))
        await asyncio.sleep(0.05)
        assert not stop.done()
        assert not run.done()
        desk.door.set()
        async with asyncio.timeout(PATIENCE):
            await stop
            await run
        await queue.submit("look", "b")
        assert (desk.begun, desk.ended) == (["a"], ["a"])

    async def test_stopping_cancels_what_does_not_end_in_time(self, queue: Queue, desk: Desk) -> None:
        desk.door.clear()
        async with running(queue):
            await queue.submit("look", "a")
            await desk.until(lambda: desk.begun == ["a"])
            await queue.stop(timedelta(0))
            assert desk.at_once.total() == 0

    async def test_stopping_twice_or_before_the_start_is_harmless(self, queue: Queue, desk: Desk) -> None:
        await queue.submit("look", "a")
        await queue.stop(SECOND)
        async with asyncio.timeout(PATIENCE):
            await queue.run()
            await queue.stop(SECOND)
        assert desk.begun == []

    @pytest.mark.parametrize("seed", range(5))
    async def test_never_two_at_once_per_key_and_nothing_is_lost(self, queue: Queue, seed: int) -> None:
        chance = random.Random(seed)
        asked: Counter[str] = Counter()
        looked: dict[str, int] = {}
        inside: set[str] = set()
        overlaps: list[str] = []

        async def look(key: str) -> None:
            overlaps.extend(inside & {key})
            inside.add(key)
            # What is seen is what had been asked for when the look began: anything asked later needs another look.
            looked[key] = asked[key]
            await _pause(chance)
            inside.discard(key)
            if chance.random() < 0.2:
                raise RuntimeError("on purpose")

        queue.register("random", look)
        with capture_logs():  # a hundred tracebacks
            async with running(queue):
                for _ in range(400):
                    key = f"key {chance.randrange(6)}"
                    asked[key] += 1
                    delay = chance.choice([None, None, 0.0, 0.01, 0.03])
                    await queue.submit(
                        "random",
                        key,
                        not_before=None if delay is None else now() + delay * SECOND,
                        priority=chance.randrange(3),
                    )
                    if chance.random() < 0.3:
                        await _pause(chance)
                await asyncio.sleep(0.1)
                await queue.idle()
        assert looked == dict(asked)
        assert overlaps == []


async def _pause(chance: random.Random) -> None:
    await asyncio.sleep(chance.choice([0, 0, 0, 0.001, 0.004]))
