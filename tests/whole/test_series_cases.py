"""The table of traps with series and time (see `whole.series_cases`), through the whole program, over both protocols.

All cases of a protocol share one life; what became of each is a test of its own. Workers of pytest-xdist share it, too.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Split
from support.attended import Home, attended
from support.greenroom_at_work import Clock
from support.series_desk import DAY, HOUR, WINDOWS
from support.series_life import Outcomes, live, shared
from support.whole import ORGANIZER, Spoken
from whole.series_cases import CASES
from whole.series_cases.common import FIRST, SECOND, THIRD, TUESDAYS

PROTOCOLS: tuple[Spoken, ...] = get_args(Spoken)


@pytest.fixture(scope="module")
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Spoken], Outcomes]:
    """The life of all cases that are asked for, over a protocol: lived when the first test needs it."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    found: dict[Spoken, Outcomes] = {}

    def of(protocol: Spoken) -> Outcomes:
        if protocol not in found:
            wanted = {item.callspec.params["name"] for item in _tests(request, protocol) if hasattr(item, "callspec")}
            cases = [case for name, case in CASES.items() if name in wanted]
            folder = tmp_path_factory.mktemp(f"series-{protocol}")
            found[protocol] = shared(common / f"series-{protocol}.json", lambda: live(protocol, folder, cases))
        return found[protocol]

    return of


def _tests(request: pytest.FixtureRequest, protocol: Spoken) -> list[pytest.Function]:
    mine = [item for item in request.session.items if isinstance(item, pytest.Function)]
    return [item for item in mine if item.originalname == f"test_{protocol}" and item.module is request.module]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_graph(life: Callable[[Spoken], Outcomes], name: str) -> None:
    life("graph").judge(name)


@pytest.mark.slow
def test_graph_lives_and_ends_well(life: Callable[[Spoken], Outcomes]) -> None:
    assert life("graph").life == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ews(life: Callable[[Spoken], Outcomes], name: str) -> None:
    life("ews").judge(name)


@pytest.mark.slow
def test_ews_lives_and_ends_well(life: Callable[[Spoken], Outcomes]) -> None:
    assert life("ews").life == ""


# --- what cannot share that life: another policy, and the patience of minutes -----------------------------------------


async def settled(home: Home, clock: Clock, minutes: int = 3) -> None:
    for _ in range(minutes):
        await home.look()
        clock.forward(minutes=1)


async def split(home: Home, clock: Clock, *, new_first: bool = False) -> None:
    """A series "old" of four Tuesdays, whose third and fourth become "new"."""
    home.invite("old", start=FIRST, end=FIRST + HOUR, recurrence=TUESDAYS, start_zone=WINDOWS, end_zone=WINDOWS)
    await settled(home, clock)
    old = home.own("old")
    assert old is not None
    new = home.exchange.split_series(ORGANIZER, old.id, THIRD, new_first=new_first)
    home.keys["new"] = MeetingKey.of_global_object_id(new.meeting.clean_goid)
    await settled(home, clock)


@pytest.mark.parametrize("new_first", [False, True], ids=["old-first", "new-first"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_where_policy_says_so_the_new_half_of_a_split_has_a_room_of_its_own(
    protocol: Spoken, *, new_first: bool
) -> None:
    clock = Clock(FIRST - 100 * DAY)
    async with attended(clock, protocol=protocol) as home:
        home.integration = replace(home.integration, policy=replace(home.integration.policy, split=Split.NEW_ROOM))
        await split(home, clock, new_first=new_first)
        old, new, text = await home.room("old"), await home.room("new"), home.own("new")
        assert old is not None
        assert new is not None
        assert text is not None
        assert old.spec.alias != new.spec.alias
        assert home.tickets_in(text.body.content) == [new.spec.alias.number]
        assert (home.answers("old"), home.answers("new")) == (["Accept", "Accept"], ["Accept"])
        assert old.spec.admission.closes == SECOND + 2 * HOUR
        assert new.spec.admission.first_opens == THIRD - HOUR / 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_looks_like_half_a_split_and_is_a_copy_gets_its_own_room_after_a_while(protocol: Spoken) -> None:
    clock = Clock(FIRST - 100 * DAY)
    async with attended(clock, protocol=protocol) as home:
        home.invite("old", start=FIRST, end=FIRST + HOUR, recurrence=TUESDAYS, start_zone=WINDOWS, end_zone=WINDOWS)
        await settled(home, clock)
        old = home.own("old")
        assert old is not None
        later = replace(TUESDAYS, start=date(2031, 3, 11), count=2)
        home.invite("copy", start=SECOND, end=SECOND + HOUR, recurrence=later, body=old.body.content)
        await home.look()
        assert home.answers("copy") == []  # the old series may be about to end
        await settled(home, clock, minutes=5)
        first, second, text = await home.room("old"), await home.room("copy"), home.own("copy")
        assert first is not None
        assert second is not None
        assert text is not None
        assert first.spec.alias != second.spec.alias
        assert home.tickets_in(text.body.content) == [second.spec.alias.number]
        assert (home.answers("old"), home.answers("copy")) == (["Accept"], ["Accept"])
