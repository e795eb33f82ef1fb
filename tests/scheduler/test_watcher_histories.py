"""However the steps of several installations fall among each other: never two at work, and before long one."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.scheduler.whereabouts import host
from support.watched import Hours, Installation

WRONG = st.sampled_from([timedelta(), timedelta(hours=-3), timedelta(minutes=7), timedelta(days=400)])
PAUSES = st.sampled_from([0.0, 0.0, 0.3, 3.0, 20.0, 61.0, 130.0, 239.0, 301.0, 1000.0])
BURSTS = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 40, 40, 40])
HISTORIES = st.lists(
    st.tuples(st.integers(0, 2), PAUSES, BURSTS, st.sampled_from(["", "", "", "", "dies", "clock"])), max_size=40
)


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Printing what is logged would take longer than all the rest."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def alone(people: list[Installation]) -> bool:
    return sum(one.works for one in people) <= 1


def live(wrong: list[timedelta], history: list[tuple[int, float, int, str]]) -> None:
    """Each in turn does so many steps; what it began goes on when its turn comes again, however late."""
    hours, shared = Hours(), dict[str, str]()
    people = [Installation(hours, shared, name, off) for name, off in zip("abc", wrong, strict=True)]
    for who, pause, burst, what in history:
        hours.seconds += pause
        one = people[who]
        if what == "dies":
            one.start()
        elif what == "clock":
            one.wrong += timedelta(minutes=30)
        for _ in range(burst):
            one.step()
            assert alone(people)
            if one.doing is None:
                break
    for _ in range(35):
        hours.seconds += 61.0
        for one in people:
            one.finish()
            assert alone(people)
    assert sum(one.works for one in people) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(WRONG, min_size=3, max_size=3), HISTORIES)
def test_never_do_two_installations_work_on_one_mailbox_and_in_the_end_one_does(
    wrong: list[timedelta], history: list[tuple[int, float, int, str]]
) -> None:
    live(wrong, history)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(st.lists(WRONG, min_size=3, max_size=3), HISTORIES)
def test_never_do_two_work_in_very_many_histories(
    wrong: list[timedelta], history: list[tuple[int, float, int, str]]
) -> None:
    live(wrong, history)


@settings(max_examples=50, deadline=None)
@given(order=st.lists(st.integers(0, 1), min_size=24, max_size=60), pause=st.sampled_from([0.0, 0.1, 0.4]))
def test_of_two_that_start_in_the_same_second_exactly_one_goes_on(order: list[int], pause: float) -> None:
    hours, shared = Hours(), dict[str, str]()
    people = [Installation(hours, shared, name) for name in "ab"]
    for who in order:
        hours.seconds += pause
        people[who].step()
        assert alone(people)
    for _ in range(14):
        for one in people:
            one.finish()
            assert alone(people)
        hours.seconds += 30.0
    assert sorted(one.works for one in people) == [False, True]
    kept, holder = sorted(people, key=lambda one: one.works)
    assert ("second-watcher", host()) in kept.book.alarms
    assert [code for code, _ in holder.book.alarms][-1:] == ["contender"]


@settings(max_examples=30, deadline=None)
@given(times=st.integers(1, 5), steps=st.integers(0, 14))
def test_who_dies_and_starts_again_goes_on_at_once(times: int, steps: int) -> None:
    hours, shared = Hours(), dict[str, str]()
    (one,) = [Installation(hours, shared, "a")]
    for _ in range(times):
        for _ in range(steps):
            one.step()
        one.start()
    one.finish()
    assert one.works
