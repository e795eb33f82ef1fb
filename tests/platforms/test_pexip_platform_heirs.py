"""Conferences with another mark than their room: after a lost database, after a change that waits, under another prefix."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from greenroom.platforms import AliasTakenError, PlatformMisconfiguredError, PlatformUnavailableError
from greenroom.platforms.pexip.style import PexipSettings
from support.empty import empty_storage
from support.pexip_site import AHEAD, Site
from support.records import DAY, HOUR, NOON, once, room

LONG = once(NOON, NOON + DAY)
FIRST = room(1, admission=LONG, host_pin=None, guest_pin=None)
HEIR = replace(FIRST, mark=room(2).mark)
"""A meeting that shares the first one's room, and is read before it when the database was lost."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with empty_storage() as storage:
        yield Site(storage, PexipSettings(1, provisioning=AHEAD))


@pytest.fixture
async def empty(site: Site) -> AsyncIterator[Site]:
    """The same Pexip with a database that knows nothing of the first room, which is there."""
    await site.platform.ensure(FIRST)
    async with empty_storage() as storage:
        site.storage = storage
        site.restart()
        yield site


async def test_after_a_lost_database_a_shared_room_goes_on_under_the_mark_of_whoever_is_read_first(empty: Site) -> None:
    uri = empty.conferences()[0]["resource_uri"]
    await empty.platform.tend()
    await empty.platform.ensure(HEIR)
    (kept,) = empty.pexip.conferences()
    assert (kept["resource_uri"], kept["tag"]) == (uri, empty.settings.tag(HEIR.mark))
    assert empty.dialled() == {FIRST.alias.name, FIRST.alias.numeric}
    await empty.platform.retire(HEIR.mark)
    assert empty.pexip.conferences() == []


async def test_a_room_that_goes_on_under_another_mark_with_people_in_it_is_found_to_be_retired(empty: Site) -> None:
    empty.pexip.replicate()
    caller = await empty.pexip.dial(FIRST.alias.name, join=True)
    await empty.platform.ensure(HEIR)
    await empty.platform.tend()
    assert [one["tag"] for one in empty.pexip.conferences()] == [empty.settings.tag(FIRST.mark)], "people are in it"
    await empty.platform.retire(HEIR.mark)
    assert empty.pexip.conferences() == []
    assert empty.pexip.hangup(caller["participant"])


async def test_another_organizers_forgotten_room_is_nobodys_heritage(empty: Site) -> None:
    with pytest.raises(AliasTakenError):
        await empty.platform.ensure(replace(HEIR, owner="bob@example.com"))
    assert [one["tag"] for one in empty.pexip.conferences()] == [empty.settings.tag(FIRST.mark)]


async def test_a_forgotten_room_is_not_inherited_by_a_room_that_has_a_conference(empty: Site) -> None:
    await empty.platform.ensure(other := replace(room(2, admission=LONG), host_pin=None, guest_pin=None))
    with pytest.raises(AliasTakenError):
        await empty.platform.ensure(replace(other, alias=FIRST.alias))
    assert len(empty.pexip.conferences()) == 2


async def test_an_alias_that_our_own_room_leaves_when_its_people_have_left_is_waited_for(site: Site) -> None:
    await site.platform.ensure(FIRST)
    site.pexip.replicate()
    caller = await site.pexip.dial(FIRST.alias.name, join=True)
    await site.platform.ensure(replace(FIRST, alias=room(9).alias, join_id=room(9).join_id))
    with pytest.raises(PlatformUnavailableError, match="alias-leaves-another-room"):
        await site.platform.ensure(HEIR)
    assert len(site.conferences()) == 1
    site.pexip.hangup(caller["participant"])
    site.clock.advance(HOUR / 60)
    await site.platform.tend()
    await site.platform.ensure(HEIR)
    assert [len(site.conferences(mark)) for mark in (FIRST.mark, HEIR.mark)] == [1, 1]
    assert site.dialled(HEIR.mark) == {FIRST.alias.name, FIRST.alias.numeric}


async def test_another_tag_prefix_declines_nobody_and_loses_no_room(site: Site) -> None:
    before = site.settings
    await site.platform.ensure(FIRST)
    site.restart(replace(before, tag_prefix="other"))
    for _ in range(3):
        await site.platform.tend()
        site.clock.advance(HOUR / 6)
    with pytest.raises(PlatformMisconfiguredError, match="tag-prefix"):
        await site.platform.ensure(replace(FIRST, name="Other"))
    with pytest.raises(PlatformMisconfiguredError, match="tag-prefix"):
        await site.platform.retire(FIRST.mark)
    assert [one["tag"] for one in site.pexip.conferences()] == [before.tag(FIRST.mark)]
    site.restart(before)
    site.clock.advance(HOUR / 6)
    await site.platform.tend()
    assert site.pexip.conferences() == []
