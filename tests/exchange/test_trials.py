"""Trials where nobody impersonates, where the settings forbid them, and of answers that make no sense."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exchange.simulated import open_graph, settings, world
from greenroom.exchange.contract import Access, Trial
from greenroom.exchange.errors import NotPermittedError
from greenroom.exchange.ews import EwsMailbox
from greenroom.exchange.ews import trials as over_ews
from greenroom.exchange.ews.envelope import Envelope, read
from greenroom.exchange.ews.faults import GarbledReplyError
from greenroom.exchange.graph import trials as over_graph
from greenroom.meetings.meeting import ItemRef, Response
from support.simulator import EQUIPMENT, ORGANIZER, simulator_in_loop

START = datetime(2031, 5, 6, 3, 0, tzinfo=UTC)
TRIAL = Trial("Test", "<p>word</p>", START, START + timedelta(minutes=30))


async def test_an_account_that_does_not_impersonate_asks_nobody() -> None:
    async with simulator_in_loop(world("auto_update")) as simulator:
        mailbox = EwsMailbox(settings(simulator, impersonate=False))
        assert (await mailbox.may_act_for(ORGANIZER)).access is Access.NO
        with pytest.raises(NotPermittedError):
            await mailbox.book_trial(ORGANIZER, EQUIPMENT, TRIAL)
        with pytest.raises(NotPermittedError):
            await mailbox.trials(ORGANIZER, EQUIPMENT)
        assert simulator.calls() == 0
        await mailbox.close()


async def test_settings_that_leave_organizers_alone_are_heeded_over_graph() -> None:
    async with simulator_in_loop(world("auto_update")) as simulator:
        mailbox = open_graph(simulator, EQUIPMENT)
        allowed = over_graph.Trials(mailbox._transport, allowed=False)
        with pytest.raises(NotPermittedError):
            await allowed.book(ORGANIZER, EQUIPMENT, TRIAL)
        assert simulator.calls() == 0
        await mailbox.close()


def answered(*items: str) -> Envelope:
    """What GetItem might answer."""
    types, messages = (f"http://schemas.microsoft.com/exchange/services/2006/{name}" for name in ("types", "messages"))
    told = "".join(
        f'<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f"<m:Items>{item}</m:Items></m:GetItemResponseMessage>"
        for item in items
    )
    return read(
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="{types}" xmlns:m="{messages}"><s:Body>'
        f"<m:GetItemResponse><m:ResponseMessages>{told}</m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>".encode()
    )


@pytest.mark.parametrize(
    "item",
    [
        "",
        "<t:Message><t:ItemId Id='a'/></t:Message>",
        "<t:CalendarItem><t:UID>u</t:UID></t:CalendarItem>",
        "<t:CalendarItem><t:ItemId Id='a'/></t:CalendarItem>",
        "<t:CalendarItem><t:ItemId Id='a'/><t:IsCancelled>true</t:IsCancelled><t:UID>u</t:UID></t:CalendarItem>",
    ],
    ids=["nothing", "message", "no-id", "no-key", "cancelled"],
)
def test_what_is_no_trial_is_left_out(item: str) -> None:
    assert over_ews.read(answered(item), count=1, mailbox=ORGANIZER) == []


def test_a_trial_that_says_little_is_read() -> None:
    (found,) = over_ews.read(
        answered("<t:CalendarItem><t:ItemId Id='a'/><t:UID>u</t:UID></t:CalendarItem>"), count=1, mailbox=ORGANIZER
    )
    assert (found.ref, found.response, found.replied_at) == (ItemRef("a"), Response.NONE, None)


def test_an_answer_for_another_number_of_items_is_garbled() -> None:
    with pytest.raises(GarbledReplyError):
        over_ews.read(answered(), count=1, mailbox=ORGANIZER)


@pytest.mark.parametrize("attendees", [None, "x", [], [None], [{}], [{"status": []}], [{"status": {"response": 5}}]])
def test_an_odd_attendee_over_graph_has_not_answered(attendees: object) -> None:
    raw = {"id": "a", "iCalUId": "u", "attendees": attendees}
    found = over_graph._meeting(raw)
    assert found is None or replace(found).response is Response.NONE
