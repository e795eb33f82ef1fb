"""What becomes of rooms at Pexip by the clock, by changed settings, and by other hands."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from greenroom.meetings.admission import Admission, Once
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle
from greenroom.simulator.pexip import Fault
from support.empty import empty_storage
from support.pexip_site import AHEAD, JUST_IN_TIME, NONE, Site
from support.platform_contract import owned, timed_room
from support.records import DAY, HOUR, NOON, once, room

ROOMS = "configuration/conference"
OTHERS = {"name": "Theirs", "aliases": [{"alias": room(1).alias.name}]}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with empty_storage() as storage:
        yield Site(storage, PexipSettings(1, provisioning=AHEAD))


def minutes(number: float) -> Any:
    return HOUR / 60 * number


async def test_changed_settings_are_told_to_all_rooms_at_once_by_the_next_process(site: Site) -> None:
    for number in range(5):
        await site.platform.ensure(room(number))
    site.pexip.create("ivr_theme", name="Ours")
    site.restart(replace(site.settings, style=RoomStyle(theme="Ours")))
    site.pexip.calls.clear()
    await site.platform.tend()
    assert [one["ivr_theme"]["name"] for one in site.conferences()] == ["Ours"] * 5
    assert site.writes() == ["PATCH conference"]
    site.pexip.calls.clear()
    await site.platform.tend()
    assert site.pexip.calls.count() == 0


async def test_what_is_refused_together_is_told_singly(site: Site) -> None:
    for number in range(3):
        await site.platform.ensure(room(number))
    site.restart(replace(site.settings, style=RoomStyle(participant_limit=5)))
    site.pexip.faults.add(Fault("http_400", method="PATCH", target="list", times=1, fields={"name": ["No."]}))
    await site.platform.tend()
    assert [one["participant_limit"] for one in site.conferences()] == [5] * 3


async def test_rooms_that_are_over_go_together_and_are_remembered(site: Site) -> None:
    for number in range(3):
        await site.platform.ensure(room(number))
    site.clock.advance(2 * HOUR + minutes(4))
    due = await site.platform.tend()
    assert len(site.conferences()) == 3, "grace is not over"
    assert due == site.clock() + minutes(1)
    site.clock.advance(minutes(1))
    site.pexip.calls.clear()
    assert await site.platform.tend() is None
    assert site.conferences() == []
    assert site.writes() == ["PATCH conference"]
    kept = await site.kept(room(1).mark)
    assert (kept.retired_at, kept.there.ref, kept.there.told, kept.there.due_at) == (None, None, None, None)


async def test_just_in_time_a_room_is_there_around_each_window(site: Site) -> None:
    spec = timed_room()  # three weeks, from 30 minutes before to 60 past
    site.clock.set(NOON - DAY, frozen=True)
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    await site.platform.ensure(spec)
    assert site.conferences() == []
    seen = []
    for _ in range(20):
        due = await site.platform.tend()
        seen.append((site.clock() - NOON, len(site.conferences())))
        if due is None:
            break
        site.clock.set(due, frozen=True)
    opens, closes = -minutes(35), minutes(125)
    weeks = [7 * DAY * week for week in range(3)]
    assert seen == [(-DAY, 0), *((week + at, there) for week in weeks for at, there in ((opens, 1), (closes, 0)))]


@pytest.mark.parametrize(("gap", "stays"), [(5, True), (11, True), (12, False), (16, False)])
async def test_just_in_time_a_room_stays_where_it_would_hardly_be_gone(site: Site, gap: int, stays: bool) -> None:
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    times = (Once(NOON, NOON + HOUR), Once(NOON + 3 * HOUR + minutes(gap), NOON + 4 * HOUR))
    await site.platform.ensure(room(1, admission=Admission(times, HOUR, HOUR)))  # closes at 14:00, opens `gap` later
    uri = site.conferences()[0]["resource_uri"]
    site.clock.set(NOON + 2 * HOUR + minutes(5), frozen=True)
    await site.platform.tend()
    assert len(site.conferences()) == stays
    site.clock.set(NOON + 2 * HOUR + minutes(gap - 5), frozen=True)
    await site.platform.tend()
    assert (site.conferences()[0]["resource_uri"] == uri) == stays
    site.clock.set(NOON + 5 * HOUR + minutes(5), frozen=True)
    assert await site.platform.tend() is None
    assert site.conferences() == []


async def test_a_meeting_that_is_put_off_takes_its_room_away_until_then(site: Site) -> None:
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    await site.platform.ensure(room(1))
    assert len(site.conferences()) == 1
    await site.platform.ensure(room(1, admission=once(NOON + DAY, NOON + DAY + HOUR)))
    assert site.conferences() == []
    assert await site.platform.tend() == NOON + DAY - HOUR - site.settings.lead


async def test_another_way_of_making_rooms_takes_hold_with_the_next_process(site: Site) -> None:
    await site.platform.ensure(spec := room(1, admission=once(NOON + DAY, NOON + DAY + HOUR)))
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    due = await site.platform.tend()
    assert due == NOON + DAY - HOUR - site.settings.lead
    assert site.conferences() == []
    await site.platform.ensure(room(2, admission=spec.admission))
    site.restart(replace(site.settings, provisioning=AHEAD))
    await site.platform.tend()
    assert len(site.conferences()) == 2
    site.restart(replace(site.settings, provisioning=NONE, policy=True))
    assert await site.platform.tend() is None
    assert site.conferences() == []
    assert set(await owned(site.platform)) == {room(1).mark, room(2).mark}


async def test_one_rooms_failure_stops_no_other_and_is_tried_later_and_later(site: Site) -> None:
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    coming = once(NOON + 2 * HOUR, None)
    for number in range(1, 5):
        await site.platform.ensure(room(number, admission=coming))
    site.pexip.create("conference", **OTHERS)
    site.clock.set(NOON + HOUR, frozen=True)
    pauses = []
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):
            due = await site.platform.tend()
            assert due is not None
            pauses.append((due - site.clock()) / minutes(1))
            site.clock.set(due, frozen=True)
    assert len(site.conferences()) == 3
    assert pauses == [1, 2, 4, 8]
    assert [(log["event"], log["code"]) for log in logs if "attempts" in log] == [
        ("room not looked after", "alias: taken")
    ] * 4


async def test_when_pexip_does_not_answer_a_pass_ends_early(site: Site) -> None:
    for number in range(12):
        await site.platform.ensure(room(number))
    site.clock.advance(3 * HOUR)
    site.pexip.faults.add(Fault("timeout_before"))
    site.pexip.calls.clear()
    assert await site.platform.tend() == site.clock() + minutes(1)
    assert site.pexip.calls.count() < 20
    site.pexip.faults.clear()
    site.clock.advance(minutes(1))
    assert await site.platform.tend() is None
    assert site.conferences() == []


async def test_what_an_administrator_must_mend_ends_a_pass_and_is_no_rooms_fault(site: Site) -> None:
    await site.platform.ensure(room(1))
    site.clock.advance(3 * HOUR)
    site.pexip.faults.add(Fault("http_401", times=1))
    assert await site.platform.tend() == site.clock() + minutes(5)
    assert (await site.there(room(1).mark)).attempts == 0
    site.clock.advance(HOUR)  # a refused credential rests
    assert await site.platform.tend() is None
    assert site.conferences() == []


async def test_what_hands_have_done_at_pexip_is_found_once_a_day(site: Site) -> None:
    endless = once(NOON, None)
    for number in range(1, 4):
        await site.platform.ensure(room(number, admission=endless))
    await site.platform.tend()
    await site.platform.retire(room(3).mark)
    site.pexip.delete(site.conferences(room(1).mark)[0]["resource_uri"])
    again = {"name": "From a backup", "tag": site.settings.tag(room(3).mark)}
    site.pexip.create("conference", **again)
    site.pexip.create("conference", **(again | {"name": "Not remembered", "tag": site.settings.tag(room(4).mark)}))
    await site.platform.tend()
    assert len(site.conferences(room(1).mark)) == 0
    site.clock.advance(DAY)
    await site.platform.tend()
    assert [len(site.conferences(room(number).mark)) for number in range(1, 5)] == [1, 1, 0, 1]
    site.pexip.calls.clear()
    site.clock.advance(HOUR)
    await site.platform.tend()
    assert site.pexip.calls.count() == 0
