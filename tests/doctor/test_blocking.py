"""What blocks hangs alone: loops, checks and processes end without it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from greenroom.doctor.blocking import Apart, in_thread


async def test_what_is_done_in_a_thread_comes_back_or_raises() -> None:
    assert await in_thread(lambda: 7) == 7

    def failing() -> int:
        raise OSError(5, "planted")

    with pytest.raises(OSError, match="planted"):
        await in_thread(failing)


async def test_a_thread_that_hangs_is_left_and_is_nobodys_to_wait_for() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await in_thread(lambda: release.wait(20))
    assert all(one.daemon for one in threading.enumerate() if one.name == "greenroom-doctor")
    release.set()


def test_a_loop_apart_hands_its_result_over_before_it_tidies_up() -> None:
    release = threading.Event()

    async def work(hand_over: Callable[[Any], None]) -> None:
        hand_over("found")
        release.wait(20)  # listens to nobody

    apart = Apart(work)
    assert apart.result(5) == "found"
    assert not apart.is_tidy(0.02)
    release.set()
    assert apart.is_tidy(5)


def test_errors_of_a_loop_apart_are_raised_where_its_result_is_waited_for() -> None:
    async def work(_hand_over: Callable[[Any], None]) -> None:
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        Apart(work).result(5)


def test_the_default_executor_of_a_loop_apart_has_room_for_all_that_hang() -> None:
    release = threading.Event()

    async def work(hand_over: Callable[[Any], None]) -> None:
        hanging = [asyncio.create_task(asyncio.to_thread(release.wait, 20)) for _ in range(50)]
        hand_over(await asyncio.to_thread(lambda: "free"))
        for one in hanging:
            one.cancel()

    began = time.monotonic()
    apart = Apart(work)
    assert apart.result(5) == "free"
    assert apart.is_tidy(5)
    release.set()
    assert time.monotonic() - began < 5
