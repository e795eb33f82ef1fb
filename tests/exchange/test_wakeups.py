"""Streaming: affinity, gaps, and an end without noise."""

import asyncio
from contextlib import aclosing
from typing import Any

import httpx2
import pytest

from exchange.scripted import Asked, Server, answer, bad, fault, ok
from greenroom.exchange.ews import wakeups
from greenroom.exchange.ews.affinity import Affinity


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_GATHER", 0.01)
    monkeypatch.setattr(wakeups, "_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(wakeups.Wakeups.__init__, "__kwdefaults__", {"pauses": (0.01, 0.02)})


EVENT = (
    '<m:Notifications><m:Notification><t:SubscriptionId>s</t:SubscriptionId><t:CreatedEvent><t:ItemId Id="i"/>'
    "</t:CreatedEvent></m:Notification></m:Notifications>"
)
STATUS = "<m:ConnectionStatus>{}</m:ConnectionStatus>"


def news(content: str = "", status: str = "OK") -> bytes:
    return answer("GetStreamingEvents", ok(content + STATUS.format(status))).content


class Stream(httpx2.AsyncByteStream):
    """Sends these parts, then stays silent until it is closed, or ends."""

    def __init__(self, *parts: bytes, ends: bool = False) -> None:
        self.parts = parts
        self.ends = ends

    async def __aiter__(self) -> Any:
        for part in self.parts:
            yield part
        if not self.ends:
            await asyncio.Event().wait()


def subscribed() -> httpx2.Response:
    response = answer("Subscribe", ok("<m:SubscriptionId>s</m:SubscriptionId>"))
    response.headers["Set-Cookie"] = "X-BackEndOverrideCookie=server~1; path=/; secure; HttpOnly"
    return response


def streaming(*streams: Any) -> Server:
    """Opens these streams one after the other; the last one again and again."""
    left = list(streams)

    def script(asked: Asked) -> httpx2.Response | Exception:
        if asked.operation == "Subscribe":
            return subscribed()
        if asked.operation == "Unsubscribe":
            return answer("Unsubscribe", ok())
        found = left.pop(0) if len(left) > 1 else left[0]
        return httpx2.Response(200, stream=found) if isinstance(found, Stream) else found

    return Server(script)


async def hints(server: Server, count: int) -> None:
    async with aclosing(server.mailbox().wakeups()) as found:
        for _ in range(count):
            await asyncio.wait_for(anext(found), 5)


async def test_every_request_of_a_subscription_goes_to_its_server() -> None:
    server = streaming(Stream(news(), news(EVENT)))
    await hints(server, 1)
    assert [a.operation for a in server.asked] == ["Subscribe", "GetStreamingEvents", "Unsubscribe"]
    assert all(a.headers["x-preferserveraffinity"] == "true" for a in server.asked)
    assert [a.headers.get("cookie") for a in server.asked] == [None, *["X-BackEndOverrideCookie=server~1"] * 2]


async def test_many_events_are_one_hint() -> None:
    server = streaming(Stream(*[news(EVENT)] * 50))
    async with aclosing(server.mailbox().wakeups()) as found:
        await asyncio.wait_for(anext(found), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(found), 0.2)


async def test_heartbeats_are_no_hints() -> None:
    server = streaming(Stream(*[news()] * 50))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), aclosing(server.mailbox().wakeups()) as found:
            await anext(found)


@pytest.mark.parametrize(
    "gap",
    [
        Stream(news(), ends=True),
        Stream(news(status="Closed")),
        Stream(b"<html>nothing here</html></s:Envelope>", ends=True),
        Stream(news()[:100], ends=True),
        fault("ErrorInternalServerError"),
        httpx2.Response(502),
        httpx2.ReadError("x"),
        answer("GetStreamingEvents", bad("ErrorServerBusy", 20)),
    ],
    ids=lambda gap: type(gap).__name__,
)
async def test_after_a_gap_there_is_a_hint_and_the_stream_goes_on(gap: Any) -> None:
    await hints(streaming(gap, Stream(news(EVENT))), 1)


async def test_a_subscription_exchange_forgot_is_made_anew() -> None:
    lost = Stream(answer("GetStreamingEvents", bad("ErrorSubscriptionNotFound")).content)
    server = streaming(lost, Stream(news(EVENT)))
    await hints(server, 1)
    assert server.count("Subscribe") == 2


async def test_a_connection_that_ran_its_time_keeps_the_subscription() -> None:
    server = streaming(Stream(news(status="Closed")), Stream(news(EVENT)))
    await hints(server, 1)
    assert server.count("Subscribe") == 1


@pytest.mark.parametrize("response", [httpx2.Response(401), fault("ErrorImpersonateUserDenied"), httpx2.Response(404)])
async def test_without_hope_it_ends_quietly(response: httpx2.Response) -> None:
    server = Server(lambda _: response)
    async with asyncio.timeout(5):
        assert [hint async for hint in server.mailbox().wakeups()] == []
    assert server.count() == 1


async def test_a_sign_in_refused_while_opening_the_stream_is_remembered() -> None:
    server = streaming(httpx2.Response(401))
    mailbox = server.mailbox()
    async with asyncio.timeout(5):
        assert [hint async for hint in mailbox.wakeups()] == []
    before = server.count()
    with pytest.raises(Exception, match="refused"):
        await mailbox.check()
    assert server.count() == before


@pytest.mark.parametrize(
    "end",
    [Stream(news(status="Closed")), Stream(news(), ends=True), Stream(news(EVENT, status="Closed"))],
    ids=["closed", "broken-off", "closed-after-an-event"],
)
async def test_streams_that_end_at_once_are_not_opened_in_a_hurry(end: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups.Wakeups.__init__, "__kwdefaults__", {"pauses": (0.01, 0.02, 60.0)})
    server = streaming(end)

    async def follow() -> None:
        async with aclosing(server.mailbox().wakeups()) as found:
            async for _ in found:
                pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(follow(), 0.5)
    assert server.count("GetStreamingEvents") == 3


async def test_it_can_be_cancelled_while_it_waits() -> None:
    server = streaming(Stream(news()))

    async def follow() -> None:
        async with aclosing(server.mailbox().wakeups()) as found:
            async for _ in found:
                pass

    task = asyncio.create_task(follow())
    while not server.count("GetStreamingEvents"):  # noqa: ASYNC110  a counter has no event to wait for
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.count("Unsubscribe") == 1


def test_only_the_affinity_cookie_is_taken() -> None:
    affinity = Affinity()
    affinity.learn(["exchangecookie=abc; path=/", "x-backendoverridecookie=a~b=c; HttpOnly"])
    assert affinity.headers()["Cookie"] == "X-BackEndOverrideCookie=a~b=c"
    affinity.learn(["X-BackEndOverrideCookie=\r\nInjected: yes"])
    assert affinity.headers()["Cookie"] == "X-BackEndOverrideCookie=a~b=c"
