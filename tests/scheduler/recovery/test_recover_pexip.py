"""Recovery where rooms are at Pexip: made ahead or just in time, or known to policy alone."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Policy
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.recovery.contract import Fate
from greenroom.scheduler.recovery.plan import plan
from greenroom.scheduler.recovery.recover import Recovered, recover
from support.empty import empty_storage
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX, NOW, observation
from support.pexip_site import AHEAD, JUST_IN_TIME, NONE, Site

ONE = MeetingKey.of_uid("one")


@dataclass
class Home:
    """A Greenroom with a fake mailbox on a simulated Pexip."""

    site: Site
    mailbox: FakeMailbox
    integration: Integration

    @property
    def attendant(self) -> Attendant:
        return Attendant(self.integration, self.site.storage, self.site.clock)

    async def settled(self) -> None:
        self.mailbox.invite(observation())
        await self.attendant.attend()
        self.site.clock.set(self.site.clock() + timedelta(minutes=10), frozen=True)
        await self.attendant.attend()
        assert len(self.mailbox.replies_to(ONE)) == 1

    async def fates(self) -> Mapping[Fate, int]:
        return (await plan(self.integration, self.site.storage, self.site.clock)).counts

    async def recover(self) -> Recovered:
        return await recover(self.integration, self.site.storage, self.attendant, self.site.clock)

    async def empty(self) -> None:
        """Let somebody delete all conferences at Pexip."""
        for one in self.site.conferences():
            await self.site.client().delete(one["resource_uri"])

    async def forget(self) -> None:
        """Lose the records, and what is known of rooms."""
        async with self.site.storage.work() as work:
            session = work.meetings._session
            for table in ("meetings", "reservations", "rooms", "journal", "mailboxes"):
                await session.connection.exec_driver_sql(f"DELETE FROM {table}")


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
async def test_a_room_that_is_not_due_yet_is_not_missing(home: Home) -> None:
    await home.settled()
    assert await home.fates() == {Fate.LEAVE: 1}


@ways((AHEAD, False), (AHEAD, True))
async def test_an_emptied_pexip_gets_its_rooms_back(home: Home) -> None:
    await home.settled()
    before = [one["name"] for one in home.site.conferences()]
    await home.empty()
    assert await home.fates() == {Fate.MAKE: 1}
    assert (await home.recover()).done == {Fate.MAKE: 1}
    assert [one["name"] for one in home.site.conferences()] == before
    assert await home.fates() == {Fate.LEAVE: 1}
    assert len(home.mailbox.sent) == 1


@pytest.mark.slow
@ways((AHEAD, False), (JUST_IN_TIME, True), (NONE, True))
async def test_after_the_database_was_lost_there_is_one_room_again(home: Home) -> None:
    await home.settled()
    before = home.site.conferences()
    await home.forget()
    assert (await home.recover()).done == {Fate.KEEP: 1}
    assert [one["id"] for one in home.site.conferences()] == [one["id"] for one in before]
    assert await home.fates() == {Fate.LEAVE: 1}
    assert len(home.mailbox.sent) == 1


@pytest.mark.slow
@ways((AHEAD, False))
async def test_a_conference_of_a_meeting_that_is_gone_is_removed(home: Home) -> None:
    await home.settled()
    home.mailbox.remove("item-one")
    await home.forget()
    assert await home.fates() == {Fate.ORPHAN: 1}
    assert (await home.recover()).done == {Fate.ORPHAN: 1}
    assert home.site.conferences() == []
