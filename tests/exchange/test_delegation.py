"""Without impersonation: an account with full access to the equipment mailbox, whose own mailbox is another one or none."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exchange.conforming.asking import everything, the_one
from exchange.simulated import EwsHouse, House, settings, world
from greenroom.exchange.contract import Invitation, Reply, UpdateResult, Verdict
from greenroom.exchange.errors import MisconfiguredError, NotPermittedError
from greenroom.exchange.ews import BasicAuth, EwsMailbox
from greenroom.meetings.meeting import Response
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, simulator_in_loop


@asynccontextmanager
async def delegated(login: str, *, access: bool = True, address: str = EQUIPMENT) -> AsyncIterator[House]:
    async with simulator_in_loop(world("auto_update", impersonate=[])) as simulator:
        if access:
            simulator.face.grant_access(login, EQUIPMENT)
        own = settings(simulator, auth=BasicAuth(login, PASSWORD), impersonate=False)
        wanted = dataclasses.replace(own, address=address)
        mailbox = EwsMailbox(wanted, clock=simulator.clock)
        try:
            yield EwsHouse(simulator, mailbox, "auto_update")
        finally:
            await mailbox.close()


@pytest.mark.parametrize("login", [SERVICE, ATTENDEE], ids=["no-mailbox", "another-mailbox"])
async def test_the_named_mailbox_is_attended_and_no_other(login: str) -> None:
    async with delegated(login) as house:
        await house.mailbox.check()
        key = house.invite()
        seen = await the_one(house)
        (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "<p>Room 123</p>")])
        assert result.error is None
        assert house.answer_seen_by_organizer(key) == "Accept"
        (body,) = house.replies_to_organizer()
        assert "Room 123" in body
        found = await house.mailbox.find(key)
        assert found is not None
        assert found.response is Response.ACCEPTED
        assert house.own(key, ATTENDEE).my_response != "Accept"
        assert (await everything(house))[0]
        before = house.text(key)
        told = await house.mailbox.update_invitation(ORGANIZER, key, lambda _: Invitation("<p>changed</p>", ""))
        assert told is UpdateResult.REFUSED
        assert house.text(key) == before


async def test_the_mailbox_itself_may_sign_in() -> None:
    async with delegated(EQUIPMENT, access=False) as house:
        await house.mailbox.check()
        house.invite()
        await the_one(house)


async def test_an_account_without_full_access_is_told_so() -> None:
    async with delegated(ATTENDEE, access=False) as house:
        with pytest.raises(NotPermittedError, match="no full access"):
            await house.mailbox.check()


async def test_a_mailbox_that_is_not_there_is_no_lack_of_access() -> None:
    async with delegated(EQUIPMENT, access=False, address=f"nobody.{EQUIPMENT}") as house:
        with pytest.raises(MisconfiguredError, match="cannot act for the mailbox nobody") as error:
            await house.mailbox.check()
        assert error.value.code == "ErrorNonExistentMailbox"
