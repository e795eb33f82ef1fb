"""Long lives of many rooms, with faults, deaths and other people's hands: what should be there in the end is there, and no more."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.room import RoomSpec
from greenroom.platforms import AliasTakenError, PlatformSetupError, PlatformUnavailableError
from greenroom.platforms.pexip.names import names
from greenroom.platforms.pexip.payload import aliases
from greenroom.platforms.pexip.style import PexipSettings, Provisioning, RoomStyle
from greenroom.simulator.pexip import Fault
from support.empty import empty_storage
from support.pexip_site import AHEAD, JUST_IN_TIME, Site
from support.records import DAY, HOUR, room

MINUTE = timedelta(minutes=1)
KINDS = (
    "timeout_before",
    "timeout_after_commit",
    "truncated",
    "cut_body",
    "half_page",
    "garbage",
    "http_401",
    "http_429",
    "http_500",
    "http_503",
)
MEETINGS, ALIASES, STEPS = 5, 8, 40


class Killed(BaseException):
    """The process dies."""


class Life:
    """Does what a scheduler would, at random, and remembers what was promised."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.random = random.Random(seed)
        self.promised: dict[str, RoomSpec] = {}
        self.unsettled: dict[str, RoomSpec | None] = {}
        self.strangers = 0

    async def step(self) -> None:
        doing = self.random.choices(
            (self.ensure, self.retire, self.tend, self.pass_time, self.fault, self.die, self.interfere),
            (8, 3, 5, 3, 4, 1, 1),
        )[0]
        await doing()

    async def ensure(self) -> None:
        spec = self.spec(self.random.randrange(MEETINGS))
        await self.attempt(spec.mark, spec)

    async def retire(self) -> None:
        await self.attempt(room(self.random.randrange(MEETINGS)).mark, None)

    async def attempt(self, mark: str, spec: RoomSpec | None) -> None:
        """Ensure or retire once, perhaps dying on the way; what failed is repeated later, as its caller would."""
        platform = self.site.platform
        was_settled = mark not in self.unsettled
        self.unsettled[mark] = spec
        try:
            with self.dying():
                await (platform.retire(mark) if spec is None else platform.ensure(spec))
        except AliasTakenError:
            assert spec is not None
            assert await self.is_held_by_another(spec), "an alias was said to be taken and is not"
            kept = self.promised.get(mark)
            if was_settled and (kept is None or kept.alias != spec.alias):
                self.unsettled.pop(mark)  # it is as it was before
            else:
                self.unsettled[mark] = None  # declined
        except (PlatformUnavailableError, PlatformSetupError):
            pass
        except Killed:
            self.site.restart(self.site.settings)
        else:
            self.unsettled.pop(mark)
            self.promised.pop(mark, None)
            if spec is not None:
                self.promised[mark] = spec

    def dying(self) -> AbstractContextManager[None]:
        """In one case of ten, a call to Pexip or the next note in the database is the last thing the process does."""
        if self.random.random() > 0.1 or self.site.api is None:
            return nullcontext()
        return Death(self.site, self.random.randrange(1, 5))

    async def tend(self) -> None:
        try:
            with self.dying():
                await self.site.platform.tend()
        except Killed:
            self.site.restart(self.site.settings)

    async def pass_time(self) -> None:
        self.site.clock.advance(self.random.choice((MINUTE, 20 * MINUTE, HOUR, 5 * HOUR)))

    async def fault(self) -> None:
        self.site.pexip.faults.add(
            Fault(
                self.random.choice(KINDS),
                method=self.random.choice(("*", "GET", "POST", "PATCH", "DELETE")),
                times=self.random.randrange(1, 4),
                after=self.random.randrange(3),
                committed=self.random.random() < 0.3,
            )
        )

    async def die(self) -> None:
        style = RoomStyle(participant_limit=self.random.choice((None, 5, 6)))
        way = self.random.choice((self.site.settings.provisioning, AHEAD, JUST_IN_TIME))
        self.site.restart(replace(self.site.settings, style=style, provisioning=way))

    async def interfere(self) -> None:
        """An administrator makes a room with one of our names or aliases, or deletes one of ours."""
        ours = self.site.conferences()
        if ours and self.random.random() < 0.3:
            self.site.pexip.delete(self.random.choice(ours)["resource_uri"])
            return
        self.strangers += 1
        number = self.random.randrange(ALIASES)
        with suppress(Exception):  # it is taken
            self.site.pexip.create(
                "conference", name=f"Planning {number}", aliases=[{"alias": room(number).alias.numeric}]
            )

    def spec(self, number: int) -> RoomSpec:
        start = self.site.clock() + self.random.choice((-HOUR, 0 * HOUR, 3 * HOUR, 2 * DAY))
        times = tuple(Once(start + week * 7 * DAY, start + week * 7 * DAY + HOUR) for week in range(2))
        return room(
            number,
            alias=room(self.random.choice((number, self.random.randrange(ALIASES)))).alias,
            name=self.random.choice((f"Planning {number}", "Planning", "")),
            admission=Admission(times, 30 * MINUTE, HOUR),
            guest_pin=self.random.choice((None, "543210", "111111")),
        )

    async def is_held_by_another(self, spec: RoomSpec) -> bool:
        """Whether anything at Pexip, or that lives in our database, has the alias and is not this room's."""
        tag = self.site.settings.tag(spec.mark)
        holders = [self.site.pexip.conference(alias) for alias in aliases(spec)]
        if any(holder is not None and holder["tag"] != tag for holder in holders):
            return True
        return any([one.mark != spec.mark and one.spec.alias == spec.alias async for one in self.site.rooms.rooms()])

    async def settle(self) -> None:
        """Let everything work again, and everybody repeat what failed."""
        self.site.pexip.faults.clear()
        self.site.clock.advance(7 * HOUR)  # a credential that was refused often rests so long
        for _ in range(5):
            for mark, spec in list(self.unsettled.items()):
                await self.attempt_surely(mark, spec)
            if not self.unsettled:
                break
        assert not self.unsettled
        self.site.clock.advance(DAY)  # once a day it is looked what hands have done
        for _ in range(40):
            due = await self.site.platform.tend()
            if due is None or due > self.site.clock() + HOUR:
                return
            self.site.clock.advance(max(due - self.site.clock(), MINUTE))
        raise AssertionError("it never comes to rest")

    async def attempt_surely(self, mark: str, spec: RoomSpec | None) -> None:
        self.random.random = lambda: 1.0  # type: ignore[method-assign]  # nobody dies any more
        await self.attempt(mark, spec)

    def expected(self) -> dict[str, RoomSpec]:
        settings, now = self.site.settings, self.site.clock()
        found = {}
        for mark, spec in self.promised.items():
            closes = spec.admission.closes
            over = closes is not None and now >= closes + settings.grace
            near = any(
                one.start - spec.admission.before - settings.lead <= now < (one.end or now) + HOUR + settings.grace
                for one in spec.admission.times
                if isinstance(one, Once)
            )
            if not over and (settings.provisioning is AHEAD or near):
                found[mark] = spec
        return found

    def judge(self) -> None:
        there = {one["tag"].removeprefix(self.site.settings.tag_start): one for one in self.site.conferences()}
        assert len(there) == len(self.site.conferences()), "two rooms with one mark"
        expected = self.expected()
        assert set(there) == set(expected)
        for mark, spec in expected.items():
            made = there[mark]
            assert {alias["alias"] for alias in made["aliases"]} == set(aliases(spec))
            assert made["name"] in names(spec, policy=self.site.settings.policy)
            assert made["guest_pin"] == (spec.guest_pin or "")
            assert made["description"] == spec.description
            limit = self.site.settings.style.participant_limit
            assert limit is None or made["participant_limit"] == limit
        assert not self.site.pexip.calls.wipes()
        ours = {one["name"] for one in self.site.conferences()}
        assert len(self.site.pexip.conferences()) - len(ours) <= self.strangers


class Death:
    """The process dies after so many writes to the database, before the next."""

    def __init__(self, site: Site, writes: int) -> None:
        self.rooms = site.rooms
        self.left = writes

    def __enter__(self) -> None:
        for name in ("ensure", "retire", "note"):
            setattr(self.rooms, name, self._counted(getattr(self.rooms, name)))

    def __exit__(self, *_: object) -> None:
        for name in ("ensure", "retire", "note"):
            delattr(self.rooms, name)

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: Any, **more: Any) -> Any:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return await call(*args, **more)

        return counted


async def lived(seed: int, way: Provisioning, *, policy: bool, steps: int = STEPS) -> None:
    async with empty_storage() as storage:
        settings = PexipSettings(1, provisioning=way, policy=policy, alias_quarantine=timedelta())
        site = Site(storage, settings, masked_pins=seed % 3 == 0, half_made=seed % 2 == 0)
        life = Life(site, seed)
        for _ in range(steps):
            await life.step()
        await life.settle()
        life.judge()
        site.restart(site.settings)
        await site.platform.tend()
        life.judge()


WAYS = pytest.mark.parametrize(
    ("way", "policy"),
    [(AHEAD, False), (JUST_IN_TIME, False), (AHEAD, True)],
    ids=["ahead", "just-in-time", "both"],
)


@WAYS
async def test_after_a_short_life_what_should_be_there_is_there(way: Provisioning, policy: bool) -> None:
    await lived(1, way, policy=policy)


@pytest.mark.slow
@WAYS
@pytest.mark.parametrize("seed", range(100, 125))
async def test_after_a_long_life_what_should_be_there_is_there(seed: int, way: Provisioning, policy: bool) -> None:
    await lived(seed, way, policy=policy, steps=80)
