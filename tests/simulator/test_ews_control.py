"""The control surface, and the simulator as a process of its own."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greenroom.simulator import demo_world
from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.seeding import SeedError, seed
from greenroom.simulator.server import main
from support.ews_raw import RawClient, answer, get_item, meeting, soap, sync
from support.simulator import EQUIPMENT, ORGANIZER, RunningSimulator, running_simulator, simulator_in_loop

INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//made up//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:made-up-1@elsewhere.test
DTSTAMP:20261121T080000Z
DTSTART:20261203T090000Z
DTEND:20261203T100000Z
SUMMARY:From outside
ORGANIZER;CN=Otto:mailto:otto@elsewhere.test
ATTENDEE;CN=VMR;RSVP=TRUE:mailto:vmr@sim.test
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        yield running


@pytest.fixture
async def http(sim: RunningSimulator) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=sim.url, verify=False) as client:
        yield client


async def test_counters_are_read_and_reset(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    await RawClient(sim, http).call(sync("inbox"), EQUIPMENT)
    assert (await http.get("/control/counters")).json()["operations"] == {"SyncFolderItems": 1}
    await http.post("/control/counters/reset")
    assert (await http.get("/control/counters")).json()["total"] == 0


async def test_faults_are_switched_on_and_off(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    number = (await http.post("/control/faults", json={"kind": "http_503", "operation": "GetItem"})).json()["id"]
    (rule,) = (await http.get("/control/faults")).json()
    assert (rule["id"], rule["kind"], rule["met"]) == (number, "http_503", 0)
    assert (await http.delete(f"/control/faults/{number}")).status_code == 200
    assert (await http.delete(f"/control/faults/{number}")).status_code == 404
    await http.post("/control/faults", json={"kind": "slow"})
    assert (await http.delete("/control/faults")).json() == []
    wrong = await http.post("/control/faults", json={"kind": "fire"})
    assert (wrong.status_code, "kind must be one of" in wrong.json()["error"]) == (400, True)


async def test_mailboxes_and_logins_are_made_and_used(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    made = await http.post("/control/mailboxes", json={"address": "new@sim.test", "password": "pw"})
    assert (made.status_code, made.json()["address"]) == (201, "new@sim.test")
    assert (await RawClient(sim, http, "new@sim.test", "pw").call(sync("inbox"))).codes == ["NoError"]
    assert (await http.post("/control/mailboxes", json={"address": "new@sim.test"})).status_code == 400
    assert (await http.post("/control/mailboxes", json={"address": "x@sim.test", "kind": "dog"})).status_code == 400
    account = {"login": "two", "password": "pw", "impersonate": ["new@sim.test"]}
    assert (await http.post("/control/accounts", json=account)).status_code == 201
    two = RawClient(sim, http, "two", "pw")
    assert (await two.call(sync("inbox"), "new@sim.test")).codes == ["NoError"]
    assert (await two.call(sync("inbox"), EQUIPMENT)).codes == ["ErrorImpersonateUserDenied"]


async def test_an_invitation_file_is_delivered_and_the_mailbox_shown(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    done = (await http.post("/control/deliver", json={"mailbox": EQUIPMENT, "ics": INVITATION})).json()
    assert done["method"] == "REQUEST"
    state = (await http.get("/control/state", params={"mailbox": EQUIPMENT})).json()
    (item,) = state["calendar"]
    assert (item["subject"], item["response"], item["organizer"]) == (
        "From outside",
        "NoResponseReceived",
        "otto@elsewhere.test",
    )
    await RawClient(sim, http).call(answer("AcceptItem", item["id"]), EQUIPMENT)
    state = (await http.get("/control/state", params={"mailbox": EQUIPMENT})).json()
    assert state["calendar"][0]["response"] == "Accept"
    assert "ready" in state["sentitems"][0]["body"]
    assert [mail["recipient"] for mail in state["outbound"]] == ["otto@elsewhere.test"]
    broken = await http.post("/control/deliver", json={"mailbox": EQUIPMENT, "ics": "BEGIN:NOTHING"})
    assert broken.status_code == 400
    assert (await http.get("/control/state", params={"mailbox": "nobody@sim.test"})).status_code == 400


async def test_the_clock_is_set_and_let_go(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    told = await http.post("/control/clock", json={"now": "2027-01-01T00:00:00+00:00", "frozen": True})
    assert told.json() == {"now": "2027-01-01T00:00:00+00:00"}
    reply = await RawClient(sim, http).call(sync("inbox"), EQUIPMENT)
    assert reply.headers["Date"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert (await http.post("/control/clock", json={"now": "2027-01-01T00:00:00"})).status_code == 400
    await http.post("/control/clock", json={"now": None})
    assert abs(sim.clock() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.test"}, 403),
        ({"Host": "evil.test"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "http://127.0.0.1:1"}, 201),
    ],
)
async def test_a_web_page_of_another_origin_cannot_use_it(
    http: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"kind": "slow"})
    reply = await http.post("/control/faults", content=body, headers={"Content-Type": "application/json"} | headers)
    assert reply.status_code == status


async def test_another_machine_cannot_use_it(sim: RunningSimulator) -> None:
    elsewhere = httpx2.ASGITransport(create_simulator_app(sim.exchange), client=("192.0.2.1", 1))
    async with httpx2.AsyncClient(transport=elsewhere, base_url="http://127.0.0.1") as http:
        assert (await http.get("/control/counters")).status_code == 403


def test_the_clock_ticks_on_from_where_it_was_set() -> None:
    clock = SimulatorClock(datetime(2027, 1, 1, tzinfo=UTC))
    assert timedelta() <= clock() - datetime(2027, 1, 1, tzinfo=UTC) < timedelta(seconds=5)
    clock.advance(timedelta(hours=1))
    assert clock() >= datetime(2027, 1, 1, 1, tzinfo=UTC)
    clock.set(datetime(2027, 1, 1, tzinfo=UTC), frozen=True)
    assert clock() == clock() == datetime(2027, 1, 1, tzinfo=UTC)


def test_the_demo_company_has_people_equipment_and_a_service_account() -> None:
    exchange = Exchange(SimulatorClock())
    demo_world.populate(exchange)
    assert exchange.find_mailbox("ada@greenroom.example") is not None
    equipment = exchange.mailbox(demo_world.EQUIPMENT)
    assert (equipment.kind, equipment.processing) == ("equipment", "auto_update")
    assert exchange.authenticate(demo_world.SERVICE_LOGIN, demo_world.PASSWORD) is not None
    assert exchange.may_impersonate(demo_world.SERVICE_LOGIN, "ada@greenroom.example")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ([], "JSON object"),
        ({"people": []}, "JSON object with"),
        ({"mailboxes": [{}]}, "address is missing"),
        ({"mailboxes": [{"address": 1}]}, "address has the wrong type"),
        ({"mailboxes": [{"address": "a@b.test", "processing": "magic"}]}, "processing must be"),
        ({"accounts": [{"login": "a", "password": "b", "impersonate": "some"}]}, "impersonate must be"),
        ({"accounts": [{"login": "a", "password": "b", "colour": "red"}]}, "unknown field colour"),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused_by_field(data: Any, complaint: str) -> None:
    with pytest.raises(SeedError, match=complaint):
        seed(Exchange(SimulatorClock()), data)


@contextmanager
def process(*options: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "greenroom.simulator", *options]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line, "the simulator ended before it listened"
            yield json.loads(line)
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(15)


def test_the_simulator_runs_as_a_process_and_says_where(tmp_path: Path) -> None:
    world = tmp_path / "world.json"
    world.write_text(json.dumps(demo_world.demo_seed()))
    with process("--seed", str(world), "--now", "2026-12-01T08:00:00+00:00") as where:
        reply = httpx2.post(
            where["ews"],
            content=soap(sync("calendar"), impersonate=demo_world.EQUIPMENT),
            auth=(demo_world.SERVICE_LOGIN, demo_world.PASSWORD),
        )
        assert reply.status_code == 200
        assert reply.headers["Date"].startswith("Tue, 01 Dec 2026 08:00")


def test_a_seed_file_that_cannot_be_read_ends_the_process_with_a_sentence(tmp_path: Path) -> None:
    assert main(["--seed", str(tmp_path / "missing.json")]) == 2


async def test_answers_do_not_wait_for_one_another(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    organizer = RawClient(sim, http, ORGANIZER)
    replies = await asyncio.gather(*(organizer.call(meeting(hour=8 + n)) for n in range(8)))
    ids = [reply.ids("CalendarItem")[0][0] for reply in replies]
    assert len(set(ids)) == 8
    reply = await organizer.call(get_item(*ids))
    assert reply.codes == ["NoError"] * 8
    assert sim.counters.snapshot()["accounts"] == {ORGANIZER: {"CreateItem": 8, "GetItem": 1}}


def test_it_speaks_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    certificate, key = _self_signed(tmp_path)
    with running_simulator(tls=(certificate, key)) as sim:
        assert sim.url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert httpx2.get(f"{sim.url}/control/counters", verify=trusting).json()["total"] == 0
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{sim.url}/control/counters")


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
