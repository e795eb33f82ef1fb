"""Streaming notifications: in time, kept alive, ended in order, cut when a fault says so."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import cast

import httpx2
import pytest
from lxml import etree

from support.ews_raw import NAMES, RawClient, envelopes, meeting, soap
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, RunningSimulator, simulator_in_loop

FOLDERS = '<t:DistinguishedFolderId Id="inbox"/><t:DistinguishedFolderId Id="calendar"/>'
EVENTS = "".join(
    f"<t:EventType>{name}Event</t:EventType>" for name in ("NewMail", "Created", "Modified", "Deleted", "Moved")
)
SUBSCRIBE = (
    f"<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>{FOLDERS}</t:FolderIds><t:EventTypes>{EVENTS}</t:EventTypes>"
    "</m:StreamingSubscriptionRequest></m:Subscribe>"
)


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(minute=1.0, keep_alive_seconds=0.3) as running:
        yield running


@pytest.fixture
async def svc(sim: RunningSimulator) -> AsyncIterator[RawClient]:
    async with httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


def open_stream(*ids: str, minutes: int = 30) -> bytes:
    listed = "".join(f"<t:SubscriptionId>{one}</t:SubscriptionId>" for one in ids)
    return soap(
        f"<m:GetStreamingEvents><m:SubscriptionIds>{listed}</m:SubscriptionIds><m:ConnectionTimeout>{minutes}"
        "</m:ConnectionTimeout></m:GetStreamingEvents>",
        impersonate=EQUIPMENT,
    )


async def subscribe(svc: RawClient) -> str:
    return (await svc.call(SUBSCRIBE, EQUIPMENT)).text("//m:SubscriptionId")


class Stream:
    """Reads a streaming reply envelope by envelope."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._parts = response.aiter_bytes()
        self._rest = b""

    async def next(self) -> etree._Element:
        while b"</s:Envelope>" not in self._rest:
            self._rest += await asyncio.wait_for(anext(self._parts), 5)
        one, _, self._rest = self._rest.partition(b"</s:Envelope>")
        return next(envelopes(one + b"</s:Envelope>"))

    async def until(self, path: str) -> etree._Element:
        while True:
            envelope = await self.next()
            found = cast("list[etree._Element]", envelope.xpath(path, namespaces=NAMES))
            if found:
                return found[0]


@contextlib.asynccontextmanager
async def stream(svc: RawClient, *ids: str, minutes: int = 30) -> AsyncIterator[Stream]:
    async with svc.http.stream(
        "POST", svc.sim.ews_url, content=open_stream(*ids, minutes=minutes), auth=(SERVICE, PASSWORD)
    ) as response:
        assert response.status_code == 200
        yield Stream(response)


async def test_an_event_arrives_within_a_tenth_of_a_second(svc: RawClient) -> None:
    async with stream(svc, await subscribe(svc)) as events:
        assert (await events.until("//m:ConnectionStatus")).text == "OK"
        await svc.call(meeting(), ORGANIZER)
        sent = time.monotonic()
        found = await events.until("//m:Notification[t:NewMailEvent]")
        assert time.monotonic() - sent < 0.1
        (item_id,) = found.findall("t:NewMailEvent/t:ItemId", NAMES)
        assert item_id.get("Id") == svc.sim.exchange.items(EQUIPMENT, "inbox")[0].id


async def test_events_wait_for_the_connection(svc: RawClient) -> None:
    subscription = await subscribe(svc)
    await svc.call(meeting(), ORGANIZER)
    async with stream(svc, subscription) as events:
        await events.until("//t:NewMailEvent")


async def test_a_moved_item_tells_both_its_ids(svc: RawClient) -> None:
    await svc.call(meeting(), ORGANIZER)
    subscription = await subscribe(svc)
    (request,) = svc.sim.exchange.items(EQUIPMENT, "inbox")
    old = request.id
    svc.sim.exchange.move_item(EQUIPMENT, old, "deleteditems")
    async with stream(svc, subscription) as events:
        moved = await events.until("//t:MovedEvent")
    assert moved.find("t:OldItemId", NAMES).get("Id") == old  # type: ignore[union-attr]  # it is there, or the test fails


async def test_silence_is_broken_by_status_events(svc: RawClient) -> None:
    async with stream(svc, await subscribe(svc)) as events:
        await events.until("//t:StatusEvent")


async def test_a_connection_ends_when_its_time_is_over(svc: RawClient) -> None:
    subscription = await subscribe(svc)
    began = time.monotonic()
    async with stream(svc, subscription, minutes=1) as events:
        await events.until("//m:ConnectionStatus[.='Closed']")
        with pytest.raises(StopAsyncIteration):
            await events.next()
    assert 0.9 < time.monotonic() - began < 3


async def test_an_unknown_subscription_is_named_and_the_connection_closed(svc: RawClient) -> None:
    async with stream(svc, await subscribe(svc), "AAAA") as events:
        envelope = await events.next()
        assert envelope.xpath("string(//m:ResponseCode)", namespaces=NAMES) == "ErrorSubscriptionNotFound"
        assert envelope.xpath("string(//m:ErrorSubscriptionIds/t:SubscriptionId)", namespaces=NAMES) == "AAAA"


async def test_somebody_elses_subscription_is_unknown(svc: RawClient) -> None:
    subscription = (await svc.call(SUBSCRIBE, ORGANIZER)).text("//m:SubscriptionId")
    async with stream(svc, subscription) as events:
        assert (await events.until("//m:ResponseCode")).text == "ErrorSubscriptionNotFound"
    end = f"<m:Unsubscribe><m:SubscriptionId>{subscription}</m:SubscriptionId></m:Unsubscribe>"
    assert (await svc.call(end, EQUIPMENT)).codes == ["ErrorSubscriptionAccessDenied"]


async def test_unsubscribing_ends_the_connection_and_cannot_be_done_twice(svc: RawClient) -> None:
    subscription = await subscribe(svc)
    end = f"<m:Unsubscribe><m:SubscriptionId>{subscription}</m:SubscriptionId></m:Unsubscribe>"
    async with stream(svc, subscription) as events:
        await events.next()
        assert (await svc.call(end, EQUIPMENT)).codes == ["NoError"]
        assert (await events.until("//m:ResponseMessages/*[@ResponseClass='Error']/m:ResponseCode")).text == (
            "ErrorSubscriptionUnsubscribed"
        )
    assert (await svc.call(end, EQUIPMENT)).codes == ["ErrorSubscriptionNotFound"]


async def test_a_second_connection_for_a_subscription_ends_the_first(svc: RawClient) -> None:
    subscription = await subscribe(svc)
    async with stream(svc, subscription) as first:
        await first.next()
        async with stream(svc, subscription) as second:
            await second.next()
            code = await first.until("//m:ResponseMessages/*[@ResponseClass='Error']/m:ResponseCode")
            assert code.text == "ErrorNewEventStreamConnectionOpened"
            await svc.call(meeting(), ORGANIZER)
            await second.until("//t:NewMailEvent")


async def test_a_dropped_stream_ends_in_the_middle(svc: RawClient) -> None:
    async with stream(svc, await subscribe(svc)) as events:
        await events.next()
        svc.sim.fail(kind="drop_stream", times=1)
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await events.until("//m:Nothing")
    assert svc.sim.counters.snapshot()["faults"] == {"drop_stream": 1}


async def test_faults_of_ordinary_calls_strike_the_opening_of_a_stream(svc: RawClient) -> None:
    subscription = await subscribe(svc)
    svc.sim.fail(kind="http_503", operation="GetStreamingEvents", times=1)
    svc.sim.fail(kind="server_busy", operation="GetStreamingEvents", times=1, nested=True)
    svc.sim.fail(kind="access_denied", operation="GetStreamingEvents", times=1)
    statuses = [(await svc.send(open_stream(subscription, minutes=1))).status for _ in range(3)]
    assert statuses == [503, 500, 200]


async def test_the_server_notices_that_a_client_has_gone(svc: RawClient) -> None:
    async with stream(svc, await subscribe(svc)) as events:
        await events.next()
        assert svc.sim.face.streams.count == 1
    for _ in range(100):
        if svc.sim.face.streams.count == 0:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the stream is still open")


async def test_stopping_the_server_ends_open_streams_in_order() -> None:
    async with httpx2.AsyncClient(verify=False) as http:
        async with simulator_in_loop() as sim:
            svc = RawClient(sim, http)
            subscription = await subscribe(svc)
            connection = stream(svc, subscription)
            events = await connection.__aenter__()
            await events.next()
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert (await events.until("//m:ConnectionStatus")).text == "Closed"
        await connection.__aexit__(None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        SUBSCRIBE.replace("inbox", "nowhere"),
        SUBSCRIBE.replace(FOLDERS, '<t:FolderId Id="AAMk"/>'),
        SUBSCRIBE.replace("NewMailEvent", "BigBangEvent"),
        SUBSCRIBE.replace(
            "<m:StreamingSubscriptionRequest>", '<m:StreamingSubscriptionRequest SubscribeToAllFolders="true">'
        ),
        SUBSCRIBE.replace("Streaming", "Pull").replace("</t:EventTypes>", "</t:EventTypes><t:Timeout>1</t:Timeout>"),
    ],
)
async def test_a_subscription_that_cannot_be_is_refused(svc: RawClient, wrong: str) -> None:
    assert (await svc.call(wrong, EQUIPMENT)).codes[0].startswith("Error")


async def test_all_folders_can_be_followed_at_once(svc: RawClient) -> None:
    everything = SUBSCRIBE.replace(f"<t:FolderIds>{FOLDERS}</t:FolderIds>", "").replace(
        "<m:StreamingSubscriptionRequest>", '<m:StreamingSubscriptionRequest SubscribeToAllFolders="true">'
    )
    subscription = (await svc.call(everything, EQUIPMENT)).text("//m:SubscriptionId")
    svc.sim.exchange.create_message(ATTENDEE, {"to": (svc.sim.exchange.mailbox(EQUIPMENT).person,)}, "SendOnly")
    async with stream(svc, subscription) as events:
        await events.until("//t:NewMailEvent")
