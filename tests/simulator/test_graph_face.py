"""The Graph face around its operations: who is let in, what refusals look like, how faults strike, one store behind all."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from greenroom.simulator import demo_world, ids, seeding, snapshot
from greenroom.simulator.applications import Application
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.graph.asking import preferences
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from support.ews_raw import RawClient
from support.simulator import (
    ATTENDEE,
    CLIENT_ID,
    EQUIPMENT,
    ORGANIZER,
    RunningSimulator,
    running_simulator,
    simulator_in_loop,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(clock=SimulatorClock(NOW, frozen=True)) as running:
        yield running


@pytest.fixture
async def http(sim: RunningSimulator) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False, headers=sim.bearer(), base_url=sim.graph_url) as client:
        yield client


def invite(sim: RunningSimulator, **more: Any) -> CalendarItem:
    draft: MeetingDraft = {"subject": "s", "start": NOW + timedelta(days=1), "end": NOW + timedelta(days=1, hours=1)}
    draft["attendees"] = (Attendee(Person(EQUIPMENT), "resource"),)
    draft.update(more)  # type: ignore[typeddict-item]  # a test says what it wants in the words of the draft
    return sim.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")


def of(sim: RunningSimulator, mailbox: str) -> CalendarItem:
    (item,) = (one for one in sim.exchange.items(mailbox, "calendar") if isinstance(one, CalendarItem))
    return item


# --- who is let in ----------------------------------------------------------------------------------------------------


async def test_a_user_is_named_by_address_alias_or_id(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    seeding.add_mailbox(sim.exchange, {"address": "zoe@sim.test", "aliases": ["z.o@sim.test"]})
    for user in ("zoe@sim.test", "ZOE%40sim.test", "z.o@sim.test", ids.mailbox_guid("zoe@sim.test")):
        assert (await http.get(f"/users/{user}/events")).status_code == 200
    assert (await http.get("/users('zoe%40sim.test')/events")).status_code == 200
    assert sim.counters.snapshot()["mailboxes"] == {"zoe@sim.test": {"ListEvents": 5}}
    assert sim.counters.snapshot()["accounts"] == {CLIENT_ID: {"ListEvents": 5}}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/users/nobody@sim.test/events", 404, "ErrorInvalidUser"),
        (f"/users/{ATTENDEE}/events", 404, "MailboxNotEnabledForRESTAPI"),
        (f"/users/{ORGANIZER}/events", 403, "ErrorAccessDenied"),
        (f"/users/{EQUIPMENT}/teapots", 400, "BadRequest"),
        ("/me/events", 400, "BadRequest"),
        ("/users//events", 400, "BadRequest"),
        ("/" + "a/" * 500, 400, "BadRequest"),
        (f"/users/{EQUIPMENT}/events/x%2Fy%00", 400, "ErrorInvalidIdMalformed"),
    ],
)
async def test_refusals_have_the_codes_of_graph(
    sim: RunningSimulator, http: httpx2.AsyncClient, path: str, status: int, code: str
) -> None:
    sim.exchange.mailbox(ATTENDEE).home = "on-premises"
    sim.exchange.add_application(Application(CLIENT_ID, scope=(EQUIPMENT, ATTENDEE)))
    reply = await http.get(path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert sim.counters.snapshot()["statuses"] == {str(status): 1}


async def test_a_method_an_address_does_not_have_is_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.put(f"/users/{EQUIPMENT}/events")).status_code == 405


async def test_a_mailbox_in_the_cloud_is_unknown_to_ews_and_one_on_premises_to_graph(sim: RunningSimulator) -> None:
    folder = (
        "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
        '<t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:GetFolder>'
    )
    async with httpx2.AsyncClient(trust_env=False) as http:
        ews = RawClient(sim, http)
        for home, in_ews, in_graph in (("both", True, True), ("cloud", False, True), ("on-premises", True, False)):
            reply = await http.post(f"{sim.url}/control/options", json={"home": {EQUIPMENT: home}})
            assert reply.status_code == 200
            asked = await ews.call(folder, EQUIPMENT)
            assert (asked.status == 200) is in_ews
            reply = await http.get(f"{sim.graph_url}/users/{EQUIPMENT}/events", headers=sim.bearer())
            assert (reply.status_code == 200) is in_graph


# --- requests and replies ---------------------------------------------------------------------------------------------


async def test_every_reply_tells_ids_and_the_simulators_time(http: httpx2.AsyncClient) -> None:
    reply = await http.get(f"/users/{EQUIPMENT}/events", headers={"client-request-id": "mine"})
    assert parsedate_to_datetime(reply.headers["Date"]) == NOW
    assert reply.headers["client-request-id"] == "mine"
    assert len(reply.headers["request-id"]) == 36
    assert reply.headers["Content-Type"].startswith("application/json;odata.metadata=minimal")
    refused = await http.get("/users/nobody/events", headers={"client-request-id": "mine"})
    inner = refused.json()["error"]["innerError"]
    assert inner == {
        "date": "2026-11-23T09:00:00",
        "request-id": refused.headers["request-id"],
        "client-request-id": "mine",
    }


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"{}", {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b" " * (4 * 1024 * 1024 + 1), {"Content-Type": "application/json"}, 413),
    ],
)
async def test_bodies_that_cannot_be_taken(
    http: httpx2.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    reply = await http.post(f"/users/{EQUIPMENT}/events", content=content, headers=headers)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "message", "innerError"}


async def test_preferences_that_were_heeded_are_told(http: httpx2.AsyncClient) -> None:
    prefer = [("Prefer", 'IdType="ImmutableId", odata.maxpagesize=5'), ("Prefer", 'outlook.timezone="UTC", made-up')]
    reply = await http.get(f"/users/{EQUIPMENT}/events", headers=prefer)
    applied = reply.headers["Preference-Applied"]
    assert applied == 'IdType="ImmutableId", odata.maxpagesize=5, outlook.timezone="UTC"'


def test_preferences_are_read_with_quotes_and_without() -> None:
    found, applied = preferences(
        'outlook.body-content-type="text", outlook.allow-unsafe-html, IdType=ImmutableId, outlook.timezone="A, B"'
    )
    assert (found.body_type, found.unsafe_html, found.immutable_ids, found.time_zone) == ("text", True, True, "A, B")
    assert applied.count(",") == 4
    assert preferences("odata.maxpagesize=-1, IdType=Fancy, outlook.timezone") == preferences("")


async def test_a_request_that_does_not_fit_the_schema_is_refused_and_fails_the_test() -> None:
    async with simulator_in_loop() as sim, httpx2.AsyncClient(trust_env=False) as http:
        url = f"{sim.graph_url}/users/{ORGANIZER}/events"
        reply = await http.post(url, json={"subject": 7, "colour": "red"}, headers=sim.bearer())
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadRequest")
        (complaint,) = sim.invalid
        sim.invalid.clear()
    assert complaint.startswith("request CreateEvent: event/subject")
    assert "unknown property colour" in complaint


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "refusal", "retry_after"),
    [
        ({"kind": "http_429", "retry_after": 17}, (429, "ApplicationThrottled"), "17"),
        ({"kind": "http_429"}, (429, "ApplicationThrottled"), "1"),
        ({"kind": "http_503"}, (503, "ServiceUnavailable"), None),
        ({"kind": "http_504", "retry_after": 2}, (504, "GatewayTimeout"), "2"),
        ({"kind": "server_busy", "back_off_ms": 2500}, (503, "ErrorServerBusy"), "3"),
        ({"kind": "unauthorized"}, (401, "InvalidAuthenticationToken"), None),
        ({"kind": "access_denied"}, (403, "ErrorAccessDenied"), None),
    ],
)
async def test_faults_answer_in_place_of_graph(
    sim: RunningSimulator,
    http: httpx2.AsyncClient,
    rule: dict[str, Any],
    refusal: tuple[int, str],
    retry_after: str | None,
) -> None:
    sim.fail(**rule, operation="ListEvents", mailbox=EQUIPMENT, times=1)
    assert (await http.get(f"/users/{ORGANIZER}/events")).status_code == 200
    reply = await http.get(f"/users/{EQUIPMENT}/events")
    assert (reply.status_code, reply.json()["error"]["code"]) == refusal
    assert reply.headers.get("Retry-After") == retry_after
    assert (await http.get(f"/users/{EQUIPMENT}/events")).status_code == 200
    assert sim.counters.snapshot()["faults"] == {rule["kind"]: 1}


async def test_a_delta_token_can_expire(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    sim.fail(kind="expired_sync_state")
    view = f"/users/{EQUIPMENT}/calendarView/delta?startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-12-23T00:00:00Z"
    first = await http.get(view)
    assert first.status_code == 200
    expired = await http.get(first.json()["@odata.deltaLink"])
    assert (expired.status_code, expired.json()["error"]["code"]) == (410, "SyncStateNotFound")


@pytest.mark.parametrize(("kind", "answered"), [("timeout_before", False), ("timeout_after_commit", True)])
async def test_a_connection_can_be_lost_before_and_after_the_work(
    sim: RunningSimulator, http: httpx2.AsyncClient, kind: str, answered: bool
) -> None:
    invite(sim)
    address = f"/users/{EQUIPMENT}/events/{of(sim, EQUIPMENT).id.replace('/', '-').replace('+', '_')}"
    sim.fail(kind=kind, operation="AcceptEvent", times=1)
    with pytest.raises(httpx2.TransportError):
        await http.post(f"{address}/accept", json={})
    assert (of(sim, EQUIPMENT).my_response == "Accept") is answered


async def test_replies_can_be_spoilt(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    sim.fail(kind="truncated_reply", times=1)
    cut = await http.get(f"/users/{EQUIPMENT}/events")
    with pytest.raises(json.JSONDecodeError):
        cut.json()
    sim.fail(kind="garbage_reply", times=1)
    assert (await http.get(f"/users/{EQUIPMENT}/events")).content.startswith(b"<html>")


# --- one store --------------------------------------------------------------------------------------------------------


def test_a_simulator_in_a_thread_serves_graph_too() -> None:
    with running_simulator() as sim, httpx2.Client(trust_env=False) as http:
        item = sim.exchange.create_meeting(
            ORGANIZER, {"subject": "s", "start": NOW, "end": NOW + timedelta(hours=1)}, "SendToNone"
        )
        events = http.get(f"{sim.graph_url}/users/{ORGANIZER}/events", headers=sim.bearer()).json()["value"]
        assert [one["changeKey"] for one in events] == [item.change_key]


async def test_updates_without_weight_are_silent_where_the_site_has_it_so(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    reply = await http.post(f"{sim.url}/control/options", json={"silent_updates": True})
    assert reply.status_code == 200
    mine = invite(sim)

    def change(**draft: Any) -> tuple[int, int]:
        """Messages in Inbox and Deleted Items that an update adds."""
        folders = ("inbox", "deleteditems")
        before = [len(sim.exchange.items(EQUIPMENT, folder)) for folder in folders]
        sim.exchange.update_item(ORGANIZER, mine.id, draft, send="SendToAllAndSaveCopy")  # type: ignore[arg-type]  # as above
        after = [len(sim.exchange.items(EQUIPMENT, folder)) for folder in folders]
        return after[0] - before[0], after[1] - before[1]

    assert change(subject="not answered yet") == (1, 0)
    sim.exchange.respond(EQUIPMENT, of(sim, EQUIPMENT).id, "Accept")
    assert change(body=Body("new", "Text"), subject="answered") == (0, 1)
    assert of(sim, EQUIPMENT).subject == "answered"
    assert of(sim, EQUIPMENT).my_response == "Accept"
    assert change(location="elsewhere") == (1, 0)
    assert change(start=NOW + timedelta(days=2), end=NOW + timedelta(days=2, hours=1)) == (1, 0)
    sim.exchange.respond(EQUIPMENT, of(sim, EQUIPMENT).id, "Accept")
    sim.clock.advance(timedelta(days=2) - timedelta(minutes=10))
    assert change(subject="just before") == (1, 0)


def test_applications_tenant_and_homes_survive_a_snapshot(tmp_path: Path) -> None:
    exchange = Exchange(SimulatorClock(NOW))
    demo_world.populate(exchange)
    ada = f"ada@{demo_world.DOMAIN}"
    exchange.mailbox(ada).home = "cloud"
    exchange.site.silent_updates = True
    federated = {"issuer": "i", "subject": "s", "key": "k"}
    expires = "2027-01-01T00:00:00+01:00"
    entry = {"client_id": "Narrow", "scope": [ada], "federated": federated, "secret": "s", "secret_expires": expires}
    seeding.add_application(exchange, entry)
    snapshot.save(exchange, tmp_path / "file")
    again = snapshot.load(tmp_path / "file", exchange.clock)
    assert again.site.tenant == exchange.site.tenant
    assert again.site.silent_updates
    assert again.mailbox(ada).home == "cloud"
    for client_id in (demo_world.CLIENT_ID, "narrow"):
        assert again.application(client_id) == exchange.application(client_id) is not None


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({}, "client_id is missing"),
        ({"client_id": "x", "scope": "some"}, "scope"),
        ({"client_id": "x", "scope": ["nobody@sim.test"]}, "scope"),
        ({"client_id": "x", "secret_expires": "soon"}, "secret_expires"),
        ({"client_id": "x", "federated": {"issuer": "i"}}, "subject is missing"),
    ],
)
async def test_an_application_that_cannot_be_is_refused_with_the_reason(
    sim: RunningSimulator, http: httpx2.AsyncClient, entry: dict[str, Any], complaint: str
) -> None:
    reply = await http.post(f"{sim.url}/control/applications", json=entry)
    assert reply.status_code == 400
    assert complaint in reply.json()["error"]


async def test_options_that_are_none_are_refused(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    wrong: tuple[Any, ...] = ({"tea": True}, {"strict": "yes"}, {"home": {EQUIPMENT: "moon"}}, [])
    for options in wrong:
        assert (await http.post(f"{sim.url}/control/options", json=options)).status_code == 400
    assert (await http.post(f"{sim.url}/control/options", json={"strict": False, "latency": 0})).status_code == 200
    assert not sim.graph.throttle.strict


def test_the_program_tells_where_graph_and_tokens_are() -> None:
    command = [sys.executable, "-m", "greenroom.simulator", "--demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        form = {
            "grant_type": "client_credentials",
            "client_id": demo_world.CLIENT_ID,
            "client_secret": demo_world.CLIENT_SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }
        try:
            with httpx2.Client(trust_env=False) as http:
                token = http.post(f"{told['login']}/{told['tenant']}/oauth2/v2.0/token", data=form).json()
                headers = {"Authorization": f"Bearer {token['access_token']}"}
                reply = http.get(f"{told['graph']}/users/{demo_world.EQUIPMENT}/events", headers=headers)
            assert reply.json()["value"] == []
        finally:
            process.terminate()
