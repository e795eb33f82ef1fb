"""Rooms that Pexip makes when they are due are missing only when they should be there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Policy
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.drift import Drift, drift
from greenroom.scheduler.recovery.mending import Mended, mend
from greenroom.scheduler.windows import close_windows
from support.empty import empty_storage
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX, NOW, observation
from support.pexip_site import AHEAD, JUST_IN_TIME, NONE, Site

ONE = MeetingKey.of_uid("one")
HOUR = timedelta(hours=1)


@dataclass
class Home:
    """A Greenroom with a fake mailbox on a simulated Pexip."""

    site: Site
    mailbox: FakeMailbox
    integration: Integration

    @property
    def attendant(self) -> Attendant:
        return Attendant(self.integration, self.site.storage, self.site.clock)

    def at(self, now: datetime) -> None:
        self.site.clock.set(now, frozen=True)

    async def settled(self) -> None:
        self.mailbox.invite(observation())
        for _ in range(2):
            await self.attendant.attend()
            self.at(self.site.clock() + timedelta(minutes=10))
        assert len(self.mailbox.replies_to(ONE)) == 1

    async def drift(self) -> Drift:
        return await drift(self.integration, self.site.storage, self.site.clock())

    async def facts(self) -> list[tuple[DriftKind, str]]:
        return [(one.kind, one.detail) for one in (await self.drift()).differences]

    async def mend(self) -> Mended:
        found = await self.drift()
        before = {one.subject for one in found.of(DriftKind.ORPHAN_ROOM)}
        return await mend(
            self.integration, self.site.storage, self.attendant, found, self.site.clock, found_before=before
        )

    async def lose(self) -> None:
        """Let somebody delete the conference at Pexip."""
        for one in self.site.conferences():
            await self.site.client().delete(one["resource_uri"])
        assert not self.site.conferences()


@pytest.fixture
async def home(request: pytest.FixtureRequest) -> AsyncIterator[Home]:
    provisioning, policy = request.param
    async with empty_storage() as storage:
        settings = PexipSettings(integration=1, provisioning=provisioning, policy=policy, grace=timedelta())
        site = Site(storage, settings, managed=provisioning is not NONE)
        site.clock.set(NOW, frozen=True)
        mailbox = FakeMailbox(MAILBOX, site.clock)
        integration = Integration(
            number=1,
            name="main",
            mailbox=mailbox,
            platform=site.platform,
            policy=Policy(MAILBOX),
            aliases=AliasPlan("meet", 9, "video.example"),
            ring=KeyRing("GRM", 1, {0: b"k" * 32}),
            texts=Texts(),
            links=JoinLinks("https://meet.example"),
        )
        yield Home(site, mailbox, integration)


def ways(*them: tuple[Provisioning, bool]) -> pytest.MarkDecorator:
    ids = [f"{one.value}{'-policy' if policy else ''}" for one, policy in them]
    return pytest.mark.parametrize("home", them, indirect=True, ids=ids)


@ways((AHEAD, False), (JUST_IN_TIME, False), (AHEAD, True), (JUST_IN_TIME, True), (NONE, True))
async def test_nothing_differs_in_the_whole_life_of_a_room(home: Home) -> None:
    await home.settled()
    assert await home.facts() == []
    start = NOW + timedelta(days=1)
    for now in (start - HOUR, start - timedelta(minutes=20), start + HOUR, start + 3 * HOUR, start + 30 * HOUR):
        home.at(now)
        await home.attendant.attend()
        await close_windows(home.integration, home.site.storage, home.site.clock)
        await home.integration.platform.tend()
        assert await home.facts() == [], now
        home.at(now + timedelta(minutes=6))  # and once it does not count as just handled
        assert await home.facts() == [], now
    assert not home.site.conferences()


@ways((AHEAD, False), (AHEAD, True))
async def test_a_conference_that_was_deleted_by_hand_is_missing_and_made_again(home: Home) -> None:
    await home.settled()
    await home.lose()
    detail = "by-policy-alone" if home.integration.platform.capabilities.judges_time else "gone"
    assert await home.facts() == [(DriftKind.ROOM_MISSING, detail)]
    mended = await home.mend()
    assert (len(mended.done), mended.left) == (1, [])
    assert len(home.site.conferences(ONE.digest)) == 1
    home.at(home.site.clock() + timedelta(minutes=10))
    assert await home.facts() == []
    assert len(home.mailbox.sent) == 1


@ways((JUST_IN_TIME, False))
async def test_a_conference_that_is_not_due_yet_is_not_missing(home: Home) -> None:
    await home.settled()
    assert not home.site.conferences()
    assert await home.facts() == []
    home.at(NOW + timedelta(days=1))
    await home.integration.platform.tend()
    assert len(home.site.conferences(ONE.digest)) == 1
    await home.lose()
    assert await home.facts() == [(DriftKind.ROOM_MISSING, "gone")]
    await home.mend()
    assert len(home.site.conferences(ONE.digest)) == 1


@ways((AHEAD, False))
async def test_a_conference_that_came_back_after_its_meeting_was_cancelled_is_an_orphan(home: Home) -> None:
    await home.settled()
    (there,) = home.site.conferences()
    home.mailbox.put(replace(home.mailbox.items["item-one"], cancelled=True, sent_at=home.site.clock()))
    await home.attendant.attend()
    home.at(home.site.clock() + timedelta(minutes=10))
    assert not home.site.conferences()
    assert await home.facts() == []
    fields = {
        "name": "back",
        "tag": there["tag"],
        "service_type": "conference",
        "aliases": [{"alias": "back@video.example"}],
    }
    await home.site.client().create(fields)
    assert await home.facts() == [(DriftKind.ORPHAN_ROOM, "known")]
    assert len((await home.mend()).done) == 1
    assert not home.site.conferences()


@ways((AHEAD, False))
async def test_a_conference_with_a_mark_that_nobody_remembers_is_left_alone(home: Home) -> None:
    await home.settled()
    fields = {"name": "x", "tag": home.site.settings.tag("ab" * 16), "service_type": "conference"}
    await home.site.client().create(fields | {"aliases": [{"alias": "x@video.example"}]})
    assert await home.facts() == [(DriftKind.ORPHAN_ROOM, "unknown")]
    mended = await home.mend()
    assert (mended.done, len(mended.left), len(home.site.conferences())) == ([], 1, 2)
