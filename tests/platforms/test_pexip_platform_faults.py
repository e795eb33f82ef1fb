"""Whatever goes wrong between us and Pexip: in the end there is one room, never two, and nobody's meeting is declined for it.

A fault strikes each call of an operation in turn, with every kind of fault; then the caller repeats, as the scheduler does, in
the same process or in a new one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from greenroom.meetings.room import RoomSpec
from greenroom.platforms import PlatformMisconfiguredError, PlatformSetupError, PlatformUnavailableError
from greenroom.platforms.pexip.payload import aliases
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.simulator.pexip import Fault
from support.empty import empty_storage
from support.pexip_site import AHEAD, JUST_IN_TIME, Site
from support.records import DAY, HOUR, NOON, once, room

SETTINGS = PexipSettings(1, provisioning=AHEAD)
MINUTE = timedelta(minutes=1)
PASSING = (
    "timeout_before",
    "timeout_after_commit",
    "truncated",
    "cut_body",
    "half_page",
    "garbage",
    "http_401",
    "http_403",
    "http_408",
    "http_429",
    "http_500",
    "http_503",
)
COMMITTED = ("http_500", "http_502", "http_503", "http_504")
FAULTS = {kind: Fault(kind, times=1) for kind in PASSING} | {
    f"{kind}_after_commit": Fault(kind, times=1, committed=True) for kind in COMMITTED
}
FEW = ("timeout_after_commit", "half_page", "http_503")
CHANGED = room(1, name="Other", alias=room(9).alias, guest_pin=None)


@dataclass(frozen=True)
class Work:
    """An operation, what comes before it, how many calls it makes at most, and what is there in the end."""

    prepare: Callable[[Site], Awaitable[object]]
    work: Callable[[Site], Awaitable[object]]
    calls: int
    expected: RoomSpec | None = None
    settings: PexipSettings = SETTINGS


async def nothing(site: Site) -> None:
    pass


async def tend_later(site: Site) -> None:
    if site.clock() < NOON + 3 * HOUR:
        site.clock.set(NOON + 3 * HOUR, frozen=True)
    await site.platform.tend()


def ensuring(*specs: RoomSpec) -> Callable[[Site], Awaitable[object]]:
    async def ensure(site: Site) -> None:
        for spec in specs:
            await site.platform.ensure(spec)

    return ensure


COMING = room(1, admission=once(NOON + 4 * HOUR, NOON + DAY))
WORKS = {
    "make": Work(nothing, ensuring(room(1)), 4, room(1)),
    "change": Work(ensuring(room(1)), ensuring(CHANGED), 9, CHANGED),
    "retire": Work(ensuring(room(1)), lambda site: site.platform.retire(room(1).mark), 3),
    "open": Work(ensuring(COMING), tend_later, 4, COMING, PexipSettings(1, provisioning=JUST_IN_TIME)),
    "close": Work(ensuring(room(1), room(2), room(3)), tend_later, 5),
}


@pytest.fixture
async def storage_site() -> AsyncIterator[Callable[[PexipSettings], Site]]:
    async with empty_storage() as storage:
        yield lambda settings: Site(storage, settings)


def matrix(kinds: tuple[str, ...], *, all_calls: bool) -> list[Any]:
    """Every kind at every call, every second time with a death; or every kind at one call."""
    return [
        pytest.param(work, FAULTS[kind], after, dies := (after + number) % 2 == 0, id=f"{name}-{kind}-{after}-{dies}")
        for name, work in WORKS.items()
        for number, kind in enumerate(kinds)
        for after in (range(work.calls) if all_calls else (min(2, work.calls - 1),))
    ]


async def struck(site: Site, work: Work, fault: Fault, after: int, *, dies: bool) -> None:
    await work.prepare(site)
    site.pexip.calls.clear()
    site.pexip.faults.add(replace(fault, after=after))
    for _ in range(4):
        try:
            await work.work(site)
        except (PlatformUnavailableError, PlatformSetupError):
            site.clock.advance(20 * MINUTE)  # a refused credential rests for a quarter of an hour
            if dies:
                site.restart()
        else:
            break
    site.pexip.faults.clear()
    await work.work(site)
    for _ in range(6):
        await site.platform.tend()
        site.clock.advance(MINUTE * 5)
    assert not site.pexip.calls.wipes()
    there = site.conferences()
    if work.expected is None:
        assert there == []
        return
    (made,) = there
    spec = work.expected
    assert made["name"] == spec.name
    assert {alias["alias"] for alias in made["aliases"]} == set(aliases(spec))
    assert (made["pin"], made["guest_pin"]) == (spec.host_pin or "", spec.guest_pin or "")
    assert (await site.kept(spec.mark)).there.told


@pytest.mark.parametrize(("work", "fault", "after", "dies"), matrix(FEW, all_calls=False))
async def test_a_passing_fault_leaves_one_room(
    storage_site: Callable[[PexipSettings], Site], work: Work, fault: Fault, after: int, dies: bool
) -> None:
    await struck(storage_site(work.settings), work, fault, after, dies=dies)


@pytest.mark.slow
@pytest.mark.parametrize(("work", "fault", "after", "dies"), matrix(tuple(FAULTS), all_calls=True))
async def test_every_passing_fault_at_every_call_leaves_one_room(
    storage_site: Callable[[PexipSettings], Site], work: Work, fault: Fault, after: int, dies: bool
) -> None:
    await struck(storage_site(work.settings), work, fault, after, dies=dies)


@pytest.mark.parametrize("masked", [False, True])
async def test_a_lost_answer_is_found_again_at_once(
    storage_site: Callable[[PexipSettings], Site], masked: bool
) -> None:
    site = storage_site(PexipSettings(1))
    site.pexip.options.masked_pins = masked
    site.pexip.faults.add(Fault("timeout_after_commit", method="POST", times=1))
    await site.platform.ensure(room(1))
    assert len(site.conferences()) == 1
    assert (await site.there(room(1).mark)).ref == site.conferences()[0]["resource_uri"]


async def test_a_room_that_appears_long_after_its_answer_was_lost_is_found(
    storage_site: Callable[[PexipSettings], Site],
) -> None:
    site = storage_site(PexipSettings(1))
    site.pexip.faults.add(Fault("timeout_before", method="POST", times=1))
    with pytest.raises(PlatformUnavailableError):
        await site.platform.ensure(room(1))
    late = [{"alias": alias, "description": "greenroom"} for alias in aliases(room(1))]
    site.pexip.create("conference", name="Planning 1", tag=site.settings.tag(room(1).mark), aliases=late)
    await site.platform.ensure(room(1))
    (made,) = site.conferences()
    assert made["pin"] == room(1).host_pin


async def test_a_bad_certificate_is_an_administrators_matter_and_no_room_is_declined(
    storage_site: Callable[[PexipSettings], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = storage_site(PexipSettings(1))
    await site.platform.ensure(room(1))
    assert site.api is not None
    wrong = PlatformMisconfiguredError("bad-certificate", hint="set ca_file")

    async def untrusted(*_: object, **__: object) -> object:
        raise wrong

    with monkeypatch.context() as broken:
        for name in ("find_by_tag", "aliases_among", "ping"):
            broken.setattr(site.api, name, untrusted)
        for call in (site.platform.ensure(room(2)), site.platform.retire(room(1).mark), site.platform.check()):
            with pytest.raises(PlatformMisconfiguredError):
                await call
    site.clock.advance(HOUR)
    await site.platform.tend()
    assert site.conferences() == [], "what was retired meanwhile is gone, as soon as that can be done"
