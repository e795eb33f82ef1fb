"""Subscriptions of Graph: the handshake, lifetimes, what is posted when something happens, and what never arrives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from greenroom.simulator.applications import Application
from greenroom.simulator.graph.callbacks import Callbacks, usable
from greenroom.simulator.model import Attendee, CalendarItem, MeetingDraft, Person
from greenroom.simulator.server import address_of, listening_socket
from support.simulator import CLIENT_ID, EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

STATE = "a state"


@dataclass
class Receiver:
    """A subscriber's web server."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    lifecycle: list[dict[str, Any]] = field(default_factory=list)
    validations: int = 0
    refuse: int = 0  # posts to be refused yet
    handshake: Callable[[str], Response] = PlainTextResponse

    async def events(self, request: Request) -> Response:
        return await self._take(request, self.posts)

    async def told(self, request: Request) -> Response:
        return await self._take(request, self.lifecycle)

    async def _take(self, request: Request, into: list[dict[str, Any]]) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            self.validations += 1
            return self.handshake(token)
        if self.refuse:
            self.refuse -= 1
            return Response(status_code=503)
        into += (await request.json())["value"]
        return Response(status_code=202)

    def changes(self) -> list[str]:
        return [str(one["changeType"]) for one in self.posts]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    routes = [Route("/hook", found.events, methods=["POST"]), Route("/life", found.told, methods=["POST"])]
    with contextlib.closing(listening_socket("127.0.0.1", 0)) as sock:
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # signals are the test's
        serving = asyncio.create_task(server.serve([sock]))
        found.url = address_of(sock, tls=False)
        yield found
        server.should_exit = True
        await serving


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        running.graph.callbacks.repeat_seconds = 0.02
        yield running


@dataclass
class Client:
    sim: RunningSimulator
    http: httpx2.AsyncClient
    receiver: Receiver

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.http.request(
            method, f"{self.sim.graph_url}/{path}", json=body, headers=self.sim.bearer() | headers
        )

    def wanted(self, **more: Any) -> dict[str, Any]:
        return {
            "changeType": "created,updated,deleted",
            "resource": f"users/{EQUIPMENT}/events",
            "notificationUrl": f"{self.receiver.url}/hook",
            "lifecycleNotificationUrl": f"{self.receiver.url}/life",
            "clientState": STATE,
            "expirationDateTime": self.at(timedelta(days=6)),
        } | more

    def at(self, span: timedelta) -> str:
        return (self.sim.clock() + span).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def subscribe(self, **more: Any) -> str:
        reply = await self.ask("POST", "subscriptions", self.wanted(**more))
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    async def refused(self, **more: Any) -> tuple[int, str]:
        reply = await self.ask("POST", "subscriptions", self.wanted(**more))
        return reply.status_code, reply.json()["error"]["code"]


@pytest.fixture
async def client(sim: RunningSimulator, receiver: Receiver) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        yield Client(sim, http, receiver)


def invite(sim: RunningSimulator) -> CalendarItem:
    start = sim.clock() + timedelta(days=1)
    draft: MeetingDraft = {"subject": "s", "start": start, "end": start + timedelta(hours=1)}
    draft["attendees"] = (Attendee(Person(EQUIPMENT), "resource"),)
    return sim.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")


def of_room(sim: RunningSimulator) -> CalendarItem:
    (item,) = (one for one in sim.exchange.items(EQUIPMENT, "calendar") if isinstance(one, CalendarItem))
    return item


async def until(fact: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110  what is waited for happens in a server
            await asyncio.sleep(0.01)


async def quiet(seconds: float = 0.15) -> None:
    await asyncio.sleep(seconds)


async def test_a_new_meeting_is_posted_with_state_tenant_and_immutable_id(client: Client) -> None:
    sim, receiver = client.sim, client.receiver
    reply = await client.ask("POST", "subscriptions", client.wanted(), Prefer='IdType="ImmutableId"')
    made = reply.json()
    assert receiver.validations == 2
    assert (made["applicationId"], made["clientState"]) == (CLIENT_ID, STATE)
    invite(sim)
    await until(lambda: receiver.changes()[:2] == ["created", "updated"])
    first, item = receiver.posts[0], of_room(sim)
    assert (first["subscriptionId"], first["clientState"], first["tenantId"]) == (made["id"], STATE, sim.tenant)
    data = first["resourceData"]
    assert data["id"] == item.immutable_id.replace("/", "-").replace("+", "_")
    assert data["@odata.type"] == "#Microsoft.Graph.Event"
    assert first["resource"] == data["@odata.id"] == f"Users/{data['@odata.id'].split('/')[1]}/Events/{data['id']}"
    assert first["subscriptionExpirationDateTime"] == made["expirationDateTime"]


async def test_changes_are_updated_and_what_leaves_the_calendar_is_deleted(client: Client) -> None:
    sim, receiver = client.sim, client.receiver
    mine = invite(sim)
    await client.subscribe()
    sim.exchange.update_item(ORGANIZER, mine.id, {"subject": "t"}, send="SendToAllAndSaveCopy")
    await until(lambda: "updated" in receiver.changes())
    item = of_room(sim)
    shown = item.id.replace("/", "-").replace("+", "_")
    sim.exchange.respond(EQUIPMENT, item.id, "Decline")
    await until(lambda: "deleted" in receiver.changes())
    assert next(one for one in receiver.posts if one["changeType"] == "deleted")["resourceData"]["id"] == shown


async def test_only_what_was_asked_for_is_posted(client: Client) -> None:
    sim, receiver = client.sim, client.receiver
    await client.subscribe(changeType="deleted")
    invite(sim)
    sim.exchange.move_item(EQUIPMENT, of_room(sim).id, "deleteditems")
    await until(lambda: receiver.posts)
    await quiet()
    assert receiver.changes() == ["deleted"]


async def test_nothing_is_posted_after_the_end(client: Client) -> None:
    sim, receiver = client.sim, client.receiver
    id_ = await client.subscribe()
    assert (await client.ask("DELETE", f"subscriptions/{id_}")).status_code == 204
    assert (await client.ask("GET", f"subscriptions/{id_}")).status_code == 404
    await client.subscribe()
    sim.clock.advance(timedelta(days=7))
    invite(sim)
    await quiet()
    assert receiver.posts == []
    assert (await client.ask("GET", "subscriptions")).json()["value"] == []


async def test_a_refused_post_is_repeated_until_it_is_taken(client: Client) -> None:
    client.receiver.refuse = 2
    await client.subscribe(changeType="created")
    invite(client.sim)
    await until(lambda: client.receiver.changes() == ["created"])


@pytest.mark.parametrize(
    "handshake",
    [
        lambda token: PlainTextResponse(token, 202),
        lambda _: PlainTextResponse("another"),
        JSONResponse,
        lambda token: Response(token, 302, {"Location": "https://elsewhere.test"}, "text/plain"),
        lambda token: PlainTextResponse(token + "x" * 10_000),
    ],
)
async def test_who_fails_the_handshake_gets_no_subscription(
    client: Client, handshake: Callable[[str], Response]
) -> None:
    client.receiver.handshake = handshake
    assert await client.refused() == (400, "ValidationError")
    assert (await client.ask("GET", "subscriptions")).json()["value"] == []


async def test_both_addresses_must_pass_the_handshake(client: Client) -> None:
    away = f"{client.receiver.url}/nothing"
    assert await client.refused(lifecycleNotificationUrl=away) == (400, "ValidationError")
    assert await client.refused(notificationUrl=away) == (400, "ValidationError")


@pytest.mark.parametrize(
    "more",
    [
        {"notificationUrl": "http://example.com/hook"},
        {"notificationUrl": "ftp://127.0.0.1/"},
        {"changeType": "created,moved"},
        {"changeType": ""},
        {"resource": "me/events"},
        {"resource": f"users/{EQUIPMENT}/messages"},
        {"clientState": "x" * 129},
        {"expirationDateTime": "soon"},
        {"includeResourceData": True},
    ],
)
async def test_what_graph_does_not_take_is_refused(receiver: Receiver, more: dict[str, Any]) -> None:
    async with simulator_in_loop(check_requests=False) as sim, httpx2.AsyncClient(trust_env=False) as http:
        assert await Client(sim, http, receiver).refused(**more) == (400, "InvalidRequest")


async def test_the_lifetime_has_bounds(client: Client) -> None:
    def in_minutes(minutes: int) -> str:
        return client.at(timedelta(minutes=minutes))

    assert await client.refused(expirationDateTime=in_minutes(10_082)) == (400, "InvalidRequest")
    assert await client.refused(expirationDateTime=in_minutes(-1)) == (400, "InvalidRequest")
    made = (await client.ask("POST", "subscriptions", client.wanted(expirationDateTime=in_minutes(5)))).json()
    told = datetime.fromisoformat(made["expirationDateTime"])
    assert timedelta(minutes=44) < told - client.sim.clock() <= timedelta(minutes=45)
    body = {"expirationDateTime": in_minutes(10_000)}
    renewed = await client.ask("PATCH", f"subscriptions/{made['id']}", body)
    assert renewed.status_code == 200
    assert datetime.fromisoformat(renewed.json()["expirationDateTime"]) > told + timedelta(days=6)
    assert (await client.ask("POST", f"subscriptions/{made['id']}/reauthorize")).status_code == 204


async def test_a_lifecycle_address_cannot_be_added_later(client: Client) -> None:
    id_ = await client.subscribe(lifecycleNotificationUrl=None)
    reply = await client.ask(
        "PATCH", f"subscriptions/{id_}", {"lifecycleNotificationUrl": f"{client.receiver.url}/life"}
    )
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "resource", ["users/{}/events", "/users/{}/events", "Users('{}')/events", "users/{}/calendar/events", "{}/events"]
)
async def test_the_same_subscription_twice_is_a_conflict_however_it_is_spelt(client: Client, resource: str) -> None:
    await client.subscribe()
    again = {"resource": resource.format(EQUIPMENT), "changeType": "deleted,created,updated"}
    assert await client.refused(**again) == (409, "Conflict")
    await client.subscribe(changeType="created")
    await client.subscribe(resource=f"users/{ORGANIZER}/events")


async def test_subscriptions_of_others_are_not_seen_and_mailboxes_outside_the_scope_not_followed(
    client: Client,
) -> None:
    id_ = await client.subscribe()
    client.sim.exchange.add_application(Application("other", scope=(ORGANIZER,)))
    other = client.sim.bearer("other")
    assert (await client.ask("GET", f"subscriptions/{id_}", **other)).status_code == 404
    assert (await client.ask("GET", "subscriptions", **other)).json()["value"] == []
    refused = await client.ask("POST", "subscriptions", client.wanted(), **other)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    client.sim.exchange.mailbox(ORGANIZER).home = "on-premises"
    away = client.wanted(resource=f"users/{ORGANIZER}/events")
    elsewhere = await client.ask("POST", "subscriptions", away)
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (404, "ExtensionError")


@pytest.mark.parametrize("event", ["missed", "reauthorizationRequired", "subscriptionRemoved"])
async def test_lifecycle_events_go_to_their_own_address(client: Client, event: str) -> None:
    id_ = await client.subscribe()
    url = f"{client.sim.url}/control/lifecycle"
    assert (await client.http.post(url, json={"subscription": id_, "event": event})).status_code == 202
    await until(lambda: client.receiver.lifecycle)
    (told,) = client.receiver.lifecycle
    assert (told["lifecycleEvent"], told["subscriptionId"], told["clientState"]) == (event, id_, STATE)
    gone = event == "subscriptionRemoved"
    assert (await client.ask("GET", f"subscriptions/{id_}")).status_code == (404 if gone else 200)
    assert (await client.http.post(url, json={"subscription": id_, "event": "tea"})).status_code == 400
    assert (await client.http.post(url, json={"subscription": "x", "event": event})).status_code == 404


async def test_notifications_can_be_lost_and_late(client: Client) -> None:
    sim, receiver = client.sim, client.receiver
    await client.subscribe(changeType="created")
    sim.fail(kind="drop_notifications", times=1)
    invite(sim)
    await quiet()
    assert receiver.posts == []
    sim.fail(kind="late", seconds=0.2, times=1)
    started = asyncio.get_running_loop().time()
    invite(sim)
    await until(lambda: receiver.posts)
    assert asyncio.get_running_loop().time() - started >= 0.2
    assert sim.counters.snapshot()["faults"] == {"drop_notifications": 1, "late": 1}


async def test_a_thousand_subscriptions_fill_a_mailbox(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.simulator.graph.subscriptions.PER_MAILBOX", 1)
    await client.subscribe()
    assert await client.refused(changeType="created") == (403, "ExtensionError")


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/hook",
        "https://greenroom.example.org/hook",
        "https://127.0.0.1.example.org/",
        "https://[2001:db8::1]/",
    ],
)
async def test_nothing_is_sent_to_other_computers(url: str) -> None:
    callbacks = Callbacks(clock=lambda: datetime.now(UTC), pause=asyncio.sleep)
    assert not await callbacks.validate(url)
    assert not await callbacks.post(url, {})
    assert callbacks._client is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/\nx", "http://127.0.0.1/\u00e9", "http://127.0.0.1\\@x.test/", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert not usable(url)


async def test_what_a_subscriber_answers_besides_the_status_is_not_read() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 50_000_000:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        writer.close()

    callbacks = Callbacks(clock=lambda: datetime.now(UTC), pause=asyncio.sleep)
    async with await asyncio.start_server(pour, "127.0.0.1", 0) as server:
        assert await callbacks.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {})
        callbacks.close()
    assert sent < 50_000_000
