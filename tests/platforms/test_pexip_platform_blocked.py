"""One room that cannot be done keeps no other from being done, and what was missed is made up for."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from greenroom.platforms import PlatformMisconfiguredError, PlatformUnavailableError
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.simulator.pexip import Fault
from support.empty import empty_storage
from support.pexip_site import AHEAD, JUST_IN_TIME, Site
from support.records import DAY, HOUR, NOON, once, room

MINUTE = HOUR / 60
NO_LICENCE = Fault("http_400", method="POST", fields={"__all__": ["There is no licence for another VMR."]})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with empty_storage() as storage:
        yield Site(storage, PexipSettings(1, provisioning=AHEAD))


async def tended(site: Site, times: int) -> None:
    """Tend as often as the service does while it polls."""
    for _ in range(times):
        await site.platform.tend()
        site.clock.advance(MINUTE / 4)


async def test_rooms_that_wait_for_a_licence_do_not_keep_those_that_hold_one(site: Site) -> None:
    for number in range(3):
        await site.platform.ensure(room(number))
    site.pexip.faults.add(NO_LICENCE)
    for number in range(10, 25):
        with pytest.raises(PlatformMisconfiguredError):
            await site.platform.ensure(room(number, admission=once(NOON, NOON + DAY)))
    site.clock.advance(3 * HOUR)
    await tended(site, 2)
    assert site.conferences() == []
    site.pexip.faults.clear()
    await tended(site, 40)
    assert len(site.conferences()) == 15


async def test_a_room_that_something_on_the_way_does_not_let_through_keeps_no_other(site: Site) -> None:
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    for number in range(12):
        await site.platform.ensure(room(number, admission=once(NOON + 2 * HOUR, None)))
    site.clock.set(NOON + HOUR, frozen=True)
    site.pexip.faults.add(Fault("http_403", method="POST", times=1))
    await site.platform.tend()
    assert len(site.conferences()) == 11
    site.clock.advance(5 * MINUTE)
    await site.platform.tend()
    assert len(site.conferences()) == 12


async def test_when_pexip_is_back_after_a_long_time_a_room_that_should_be_open_comes_soon(site: Site) -> None:
    site.restart(replace(site.settings, provisioning=JUST_IN_TIME))
    await site.platform.ensure(room(1, admission=once(NOON + 2 * HOUR, None)))
    site.clock.set(NOON + HOUR, frozen=True)
    site.pexip.faults.add(Fault("http_500"))
    for _ in range(30):
        await site.platform.tend()
        site.clock.advance(2 * MINUTE)
    site.pexip.faults.clear()
    site.clock.advance(5 * MINUTE)
    await site.platform.tend()
    assert len(site.conferences()) == 1


async def test_a_room_that_is_to_be_opened_now_does_not_wait_behind_many_that_are_to_be_changed(site: Site) -> None:
    await site.platform.tend()
    for number in range(55):
        await site.platform.ensure(spec := room(number, admission=once(NOON, NOON + DAY)))
        await site.rooms.note(spec.mark, replace(await site.there(spec.mark), told="", due_at=NOON - HOUR))
    site.pexip.faults.add(Fault("http_503", method="POST", times=1))
    with pytest.raises(PlatformUnavailableError):
        await site.platform.ensure(room(999, admission=once(NOON, NOON + DAY)))
    site.clock.advance(MINUTE)
    site.pexip.calls.clear()
    await site.platform.tend()
    assert [call.method for call in site.pexip.calls.made()][:3] == ["GET", "GET", "POST"]


@pytest.mark.parametrize("policy", [False, True], ids=["management", "both"])
async def test_an_organizer_whose_address_is_none_has_a_room_without_an_owner(site: Site, policy: bool) -> None:
    site.restart(replace(site.settings, policy=policy))
    await site.platform.ensure(room(1, owner="/O=EXAMPLE/OU=EXCHANGE/CN=RECIPIENTS/CN=ANN"))
    assert [one["primary_owner_email_address"] for one in site.conferences()] == [""]


async def test_a_rule_for_pins_that_ours_do_not_keep_declines_nobody() -> None:
    async with empty_storage() as storage:
        site = Site(storage, PexipSettings(1, provisioning=AHEAD), min_pin_length=8)
        with pytest.raises(PlatformMisconfiguredError, match="pin"):
            await site.platform.ensure(room(1))


async def test_rooms_closed_by_a_clock_that_was_ahead_are_there_again_when_it_is_set_right(site: Site) -> None:
    await site.platform.ensure(room(1, admission=once(NOON, NOON + 5 * DAY)))
    await site.platform.tend()
    site.clock.advance(400 * DAY)
    await site.platform.tend()
    assert site.conferences() == []
    site.clock.set(NOON + HOUR, frozen=True)
    await site.platform.tend()
    assert len(site.conferences()) == 1


@pytest.mark.parametrize("masked", [False, True], ids=["shown", "masked"])
async def test_rooms_that_nobody_changes_are_left_in_peace(masked: bool) -> None:
    async with empty_storage() as storage:
        site = Site(storage, PexipSettings(1, provisioning=AHEAD), masked_pins=masked)
        for number in range(20):
            await site.platform.ensure(room(number, name="Weekly", admission=once(NOON, NOON + 9 * DAY)))
        await site.platform.tend()
        site.pexip.calls.clear()
        await tended(site, 100)
        assert site.pexip.calls.count() == 0
        site.clock.advance(DAY)
        await site.platform.tend()
        assert (site.writes(), site.pexip.calls.count()) == ([], 1), "all are compared with one list"


async def test_many_rooms_that_a_hand_deleted_are_asked_for_as_they_are_made_again(site: Site) -> None:
    for number in range(20):
        await site.platform.ensure(room(number, admission=once(NOON, NOON + 9 * DAY)))
    await site.platform.tend()
    for one in site.conferences():
        site.pexip.delete(one["resource_uri"])
    site.clock.advance(DAY)
    site.pexip.calls.clear()
    await site.platform.tend()
    assert len(site.conferences()) == 20
    assert site.pexip.calls.count() == 1 + 20 * 3
