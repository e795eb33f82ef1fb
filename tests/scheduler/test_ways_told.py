"""How people get in, as invitations and replies tell it: from the settings of an integration to the organizer's mail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.meetings.dialling import Phone, WaysToJoin, pexip_ways
from greenroom.meetings.meeting import MeetingKey, Observation
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.platforms.contract import Capabilities
from greenroom.scheduler.integration import JoinLinks
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation, weekly
from support.stubborn_platform import StubbornPlatform

ONE = MeetingKey.of_uid("one")
BASE = "https://meet.example.org"
PEXIP = replace(pexip_ways("https://vc.example.org", phones=(Phone("DE", "+49 30 1234567", "Germany"),)), qr=True)
LATENCY = timedelta(seconds=90)
SOON = "The room can be dialled in about a minute and a half."


@asynccontextmanager
async def told_by(ways: WaysToJoin, *, latency: timedelta = timedelta()) -> AsyncIterator[AtWork]:
    """A Greenroom whose platform takes a while until rooms can be dialled."""
    async with at_work(policy=Policy(MAILBOX, pin=PinPolicy.GUEST), platform=StubbornPlatform) as work:
        platform = work.integration.platform
        assert isinstance(platform, StubbornPlatform)
        platform.capabilities = Capabilities(judges_time=True, pins=True, closes=True, latency=latency)
        work.integration = replace(work.integration, links=JoinLinks(BASE, ways))
        yield work


async def said(work: AtWork, seen: Observation) -> str:
    """The reply to an invitation."""
    work.mailbox.invite(seen)
    await work.attend()
    return work.mailbox.replies_to(seen.key)[-1].body_html


async def test_the_invitation_tells_all_ways_and_shows_the_join_page_as_a_picture() -> None:
    async with told_by(PEXIP) as work:
        await said(work, observation())
        room = await work.room(ONE)
        assert room is not None
        alias, page = room.spec.alias, f"{BASE}/j/{room.spec.join_id}"
        body = work.mailbox.organizer_bodies[ONE].body_html
        for link in (
            f"sip:{alias.name}",
            f"h323:{alias.name}",
            f"pexip://{alias.name}",
            f"tel:+49301234567,,{alias.numeric}#",
            page,
        ):
            assert f'href="{link}"' in body
        assert f'<img src="{page}/qr.png"' in body
        assert f"PIN: <b>{room.spec.guest_pin}</b>" in body
        assert body.index(f'href="{page}"') < body.index("sip:") < body.index("tel:") < body.index("qr.png")
        assert "vc.example.org" not in body, "the join page knows when the room is open, the web app does not"


async def test_without_any_ways_the_invitation_leads_to_the_join_page() -> None:
    async with told_by(WaysToJoin()) as work:
        await said(work, observation())
        body = work.mailbox.organizer_bodies[ONE].body_html
        assert f'href="{BASE}/j/' in body
        for absent in ("<img", "tel:", "sip:", "elephone"):
            assert absent not in body


@pytest.mark.parametrize("starts_in", [timedelta(), timedelta(minutes=30), timedelta(minutes=31)])
async def test_a_meeting_that_starts_now_says_when_its_room_can_be_dialled(starts_in: timedelta) -> None:
    async with told_by(PEXIP, latency=LATENCY) as work:
        assert SOON in await said(work, observation(starts_in=starts_in))


@pytest.mark.parametrize("starts_in", [timedelta(minutes=33), timedelta(days=1)])
async def test_a_meeting_whose_room_is_there_before_its_door_opens_does_not_speak_of_it(starts_in: timedelta) -> None:
    async with told_by(PEXIP, latency=LATENCY) as work:
        assert "can be dialled" not in await said(work, observation(starts_in=starts_in))


async def test_a_room_that_can_be_dialled_at_once_needs_no_word() -> None:
    async with told_by(PEXIP) as work:
        assert "can be dialled" not in await said(work, observation(starts_in=timedelta()))


async def test_a_series_speaks_of_it_when_its_first_occurrence_is_now() -> None:
    async with told_by(PEXIP, latency=LATENCY) as work:
        assert SOON in await said(work, weekly(starts_in=timedelta()))


async def test_a_room_that_is_there_already_is_not_announced_anew() -> None:
    async with told_by(PEXIP, latency=LATENCY) as work:
        assert SOON in await said(work, observation(starts_in=timedelta()))
        work.clock.forward(seconds=5)
        item = work.mailbox.items["item-one"]
        assert item.span is not None
        later = replace(item.span, end=item.span.end + timedelta(hours=1))
        again = await said(work, replace(item, span=later, sent_at=work.clock.now))
        assert len(work.mailbox.replies_to(ONE)) == 2
        assert "can be dialled" not in again
