"""SIGKILL between any two steps of a pass, and after every call that Exchange or Pexip has carried out: then a restart.

In the end there is one conference and one reply per meeting, and none of a meeting that was cancelled.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.pexip_at_work import simulated_pexip
from support.pexip_days import Abroad, Stage
from support.simulator import RunningSimulator
from whole.test_kill import Nursery, nursery, simulator

__all__ = ["nursery", "simulator"]  # fixtures are found by their names

pytestmark = pytest.mark.slow
HOUSES: tuple[Abroad, ...] = (("ews", "ahead"), ("graph", "both"))
STEPS = 20
CALLS = 36
"""No morning and no afternoon has more steps and calls before the work is done; a test below says so."""
Death = tuple[Abroad, str, int]
DEATHS: list[Death] = [
    (HOUSES[number % len(HOUSES)], at, number)
    for at, most in (("step", STEPS), ("call", CALLS))
    for number in range(1, most + 1)
]
"""The houses take turns: each death costs many seconds, and tests/platforms strikes every call of every way by itself."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, simulator: RunningSimulator, nursery: Nursery) -> Iterator[Stage]:
    with simulated_pexip(tmp_path_factory.mktemp("pexip")) as pexip:
        yield Stage(simulator, pexip, nursery)


def _name(death: Death) -> str:
    (protocol, way), at, number = death
    return f"{protocol}-{way}-{at}-{number}"


@pytest.mark.parametrize("abroad", HOUSES, ids="-".join)
async def test_a_day_without_a_death_has_no_more_steps_and_calls_than_are_tried(
    stage: Stage, tmp_path: Path, abroad: Abroad
) -> None:
    day = stage.day(tmp_path, f"alive-{'-'.join(abroad)}", abroad)
    day.morning()
    morning = stage.nursery.live(day.folder)
    await day.check_morning()
    await day.check_pexip("ticketed", "plain", "copy")
    day.afternoon()
    afternoon = stage.nursery.live(day.folder)
    await day.check_pexip("plain", "copy", renamed=True)
    for lived in (morning, afternoon):
        assert 8 < len(lived["steps"]) <= STEPS, lived
        assert 10 < lived["calls"] <= CALLS, lived
    assert morning["calls"] > CALLS / 2, "most of the deaths happen behind the work"


@pytest.mark.parametrize("death", DEATHS, ids=_name)
async def test_dying_leaves_one_conference_and_one_reply_per_meeting(
    stage: Stage, tmp_path: Path, death: Death
) -> None:
    abroad, at, die_at = death
    day = stage.day(tmp_path, _name(death), abroad)
    day.morning()
    stage.nursery.live_through(day.folder, at, die_at)
    await day.check_morning()
    await day.check_pexip("ticketed", "plain", "copy")
    day.afternoon()
    stage.nursery.live_through(day.folder, at, die_at)
    await day.check_pexip("plain", "copy", renamed=True)
    assert set(day.replies("plain")) == {"Accept"}
    assert day.replies("ticketed") == day.replies("copy") == ["Accept"]
