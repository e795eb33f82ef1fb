"""The turns at one node: a steady rate, few at a time, everybody in turn. Time passes only where nothing else can happen."""

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.platforms.pexip.management import RequestBudget


class World:
    """A clock and sleepers: `settle` runs what can run, `until_done` lets time pass to the next sleeper's end."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._count), future))
        await future

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def passes(self, seconds: float) -> None:
        end = self.now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            self.now = max(self.now, at)
            if not future.done():
                future.set_result(None)
            await self.settle()
        self.now = end

    async def until_done(self, *tasks: "asyncio.Task[Any]") -> None:
        await self.settle()
        while not all(task.done() for task in tasks):
            assert self._sleepers, "nobody sleeps, and yet somebody waits: this would hang for ever"
            await self.passes(self._sleepers[0][0] - self.now)

    def budget(self, per_minute: int = 1000, parallel: int = 5) -> RequestBudget:
        return RequestBudget(per_minute, parallel, clock=self.clock, sleep=self.sleep)


class Work:
    """Requests through a budget: when each began, in which order, and how many at once."""

    def __init__(self, world: World, budget: RequestBudget) -> None:
        self.world, self.budget = world, budget
        self.began: list[tuple[str, float]] = []
        self.running = self.most = 0

    async def one(self, name: str, lane: str = "a", *, bulk: bool = False, lasts: float = 0.0) -> None:
        async with self.budget.turn(lane, bulk=bulk):
            self.began.append((name, self.world.now))
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                if lasts:
                    await self.world.sleep(lasts)
            finally:
                self.running -= 1

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.began]


def started(*work: Coroutine[Any, Any, None]) -> "list[asyncio.Task[None]]":
    return [asyncio.create_task(one) for one in work]


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(
    st.integers(10, 200),
    st.integers(1, 6),
    st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.floats(0, 3)), min_size=1, max_size=80),
)
def test_no_minute_has_more_than_the_node_takes_and_nobody_is_forgotten(
    per_minute: int, parallel: int, asked: list[tuple[bool, str, float]]
) -> None:
    async def run() -> None:
        world = World()
        work = Work(world, world.budget(per_minute, parallel))
        await world.until_done(
            *started(*(work.one(str(n), lane, bulk=bulk, lasts=lasts) for n, (bulk, lane, lasts) in enumerate(asked)))
        )
        times = [at for _, at in work.began]
        assert len(times) == len(asked)
        assert work.most <= parallel
        for start in times:
            assert sum(start <= at < start + 60 for at in times) <= per_minute
        assert world.sleeps <= 4 * len(asked) + 4  # no busy loop

    asyncio.run(run())


async def test_a_part_of_what_the_node_takes_is_left_to_others() -> None:
    world = World()
    work = Work(world, world.budget(1000, 5))
    tasks = started(*(work.one(str(n)) for n in range(2000)))
    await world.passes(59.9)
    assert 850 <= len(work.began) <= 900
    await world.until_done(*tasks)
    assert len(work.began) == 2000


async def test_lanes_take_turns() -> None:
    world = World()
    work = Work(world, world.budget(1000, 1))
    many = [work.one(f"a{n}", "a", lasts=1) for n in range(4)]
    await world.until_done(
        *started(*many, work.one("b0", "b", lasts=1), work.one("c0", "c", lasts=1), work.one("b1", "b", lasts=1))
    )
    assert work.order == ["a0", "a1", "b0", "c0", "a2", "b1", "a3"]


async def test_who_is_waited_for_goes_before_bulk() -> None:
    world = World()
    work = Work(world, world.budget(1000, 1))
    bulk = [work.one(f"bulk{n}", "a", bulk=True, lasts=1) for n in range(3)]
    await world.until_done(*started(*bulk, work.one("now0", "a", lasts=1), work.one("now1", "b", lasts=1)))
    assert work.order == ["bulk0", "now0", "now1", "bulk1", "bulk2"]


async def test_bulk_leaves_a_place_and_some_requests_free() -> None:
    world = World()
    work = Work(world, world.budget(1000, 5))
    slow = started(*(work.one("bulk", bulk=True, lasts=1000) for _ in range(9)))
    await world.settle()
    assert work.running == 4
    await world.until_done(*started(work.one("now")))
    assert (work.order.count("now"), world.now) == (1, 0.0)
    for task in slow:
        task.cancel()
    await world.settle()
    quick = started(*(work.one("bulk", bulk=True) for _ in range(300)))
    await world.settle()
    urgent = started(*(work.one(f"now{n}") for n in range(20)))
    await world.until_done(*urgent)
    assert world.now == 0.0
    await world.until_done(*quick)


async def test_bulk_is_not_forgotten_where_somebody_is_always_waited_for() -> None:
    world = World()
    work = Work(world, world.budget(20, 1))
    urgent = [work.one(f"now{n}", lasts=1) for n in range(40)]
    tasks = started(urgent[0], work.one("bulk0", bulk=True), work.one("bulk1", bulk=True), *urgent[1:])
    await world.until_done(*tasks)
    assert [work.order.index(f"bulk{n}") for n in range(2)] == [9, 18]


async def test_who_comes_while_bulk_is_slept_for_is_served_first_and_soon() -> None:
    world = World()
    budget = world.budget(60, 2)
    work = Work(world, budget)
    await world.until_done(*started(*(work.one("first") for _ in range(5))))
    bulk = started(work.one("bulk", bulk=True))
    await world.settle()
    await world.until_done(*started(work.one("now")))
    assert world.now == pytest.approx(0.74, abs=0.5)
    await world.until_done(*bulk)
    assert work.order[-2:] == ["now", "bulk"]


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(st.lists(st.tuples(st.sampled_from(["ask", "bulk", "cancel", "pass"]), st.integers(0, 50)), max_size=60))
def test_cancelling_at_any_moment_loses_no_turn(steps: list[tuple[str, int]]) -> None:
    async def run() -> None:
        world = World()
        work = Work(world, world.budget(60, 2))
        tasks: list[asyncio.Task[None]] = []
        for what, number in steps:
            if what == "pass":
                await world.passes(number / 10)
            elif what == "cancel" and tasks:
                tasks[number % len(tasks)].cancel()
                if number % 2:
                    await world.settle()
            elif what != "cancel":
                tasks += started(work.one("x", bulk=what == "bulk", lasts=number / 20))
                if number % 3:
                    await asyncio.sleep(0)
        await world.until_done(*tasks)
        last = started(work.one("l1", lasts=1), work.one("l2", lasts=1))
        await world.until_done(*last)
        assert work.running == 0
        assert not any(task.exception() for task in last)

    asyncio.run(run())


async def test_a_turn_that_is_cancelled_as_it_is_given_goes_to_the_next() -> None:
    world = World()
    work = Work(world, world.budget(1000, 1))
    first, second, third = started(work.one("1", lasts=5), work.one("2"), work.one("3"))
    await world.settle()
    first.cancel()
    await asyncio.sleep(0)  # the place is free and given to the second, which has not run yet
    second.cancel()
    await world.until_done(third)
    assert work.order == ["1", "3"]
    assert second.cancelled()


async def test_a_pause_tells_those_who_wait() -> None:
    world = World()
    budget = world.budget(1000, 1)
    work = Work(world, budget)
    first, *waiting = started(work.one("1", lasts=5), work.one("2"), work.one("3", bulk=True))
    await world.settle()
    assert budget.pause(timedelta(seconds=30)) == timedelta(seconds=30)
    await world.until_done(first, *waiting)
    for task in waiting:
        error = task.exception()
        assert isinstance(error, PlatformUnavailableError)
        assert error.after == timedelta(seconds=30)
    with pytest.raises(PlatformUnavailableError, match="paused"):
        await work.one("4")
    await world.passes(30)
    await work.one("5")
    assert budget.pause(timedelta(days=9)) == timedelta(hours=1)
    assert budget.pause(timedelta(seconds=-5)) == timedelta()


async def test_an_error_within_a_turn_gives_it_back() -> None:
    world = World()
    budget = world.budget(1000, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with budget.turn("a"):
                raise RuntimeError
    budget.charge()


@pytest.mark.parametrize(("per_minute", "parallel"), [(1, 5), (0, 1), (100, 0)])
def test_a_budget_of_nothing_is_none(per_minute: int, parallel: int) -> None:
    with pytest.raises(ValueError, match="least"):
        RequestBudget(per_minute, parallel)
