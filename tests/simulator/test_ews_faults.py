"""Every fault that can be switched on, seen by a client; signing in, wrongly and rightly."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from lxml import etree

from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.faults import FaultRule, FaultRuleError, Faults
from greenroom.simulator.seeding import seed
from support.ews_raw import RawClient, answer, get_item, meeting, soap, sync
from support.simulator import EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, SMALL_WORLD, RunningSimulator, simulator_in_loop


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        yield running


@pytest.fixture
async def svc(sim: RunningSimulator) -> AsyncIterator[RawClient]:
    async with httpx2.AsyncClient(verify=False) as http:
        yield RawClient(sim, http)


async def invited(svc: RawClient) -> str:
    await svc.call(meeting(), ORGANIZER)
    return svc.sim.exchange.items(EQUIPMENT, "calendar")[0].id


def responses(sim: RunningSimulator) -> int:
    return len(sim.exchange.items(ORGANIZER, "inbox"))


async def test_a_429_says_when_to_come_back(svc: RawClient) -> None:
    svc.sim.fail(kind="http_429", retry_after=7, times=1)
    reply = await svc.call(sync("inbox"), EQUIPMENT)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
    assert (await svc.call(sync("inbox"), EQUIPMENT)).status == 200


async def test_a_503_comes_with_and_without_retry_after(svc: RawClient) -> None:
    svc.sim.fail(kind="http_503", times=1)
    svc.sim.fail(kind="http_503", retry_after=3, times=1)
    first, second = [await svc.call(sync("inbox"), EQUIPMENT) for _ in range(2)]
    assert (first.status, first.headers.get("Retry-After")) == (503, None)
    assert (second.status, second.headers.get("Retry-After")) == (503, "3")


async def test_a_busy_server_tells_its_back_off_in_a_fault(svc: RawClient) -> None:
    svc.sim.fail(kind="server_busy", back_off_ms=1234, times=1)
    reply = await svc.call(sync("inbox"), EQUIPMENT)
    assert (reply.status, reply.codes) == (500, ["ErrorServerBusy"])
    assert reply.text("//t:Value[@Name='BackOffMilliseconds']") == "1234"


async def test_a_busy_server_tells_its_back_off_in_every_response_message(svc: RawClient) -> None:
    item = await invited(svc)
    svc.sim.fail(kind="server_busy", back_off_ms=50, times=1, nested=True)
    reply = await svc.call(answer("AcceptItem", item, item), EQUIPMENT)
    assert (reply.status, reply.codes) == (200, ["ErrorServerBusy"] * 2)
    assert [e.text for e in reply.all("//t:Value[@Name='BackOffMilliseconds']")] == ["50", "50"]
    assert responses(svc.sim) == 0


@pytest.mark.parametrize(("kind", "done"), [("timeout_after_commit", 1), ("timeout_before", 0)])
async def test_a_time_out_leaves_the_work_done_or_not(svc: RawClient, kind: str, done: int) -> None:
    item = await invited(svc)
    svc.sim.fail(kind=kind, operation="CreateItem", times=1)
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        await svc.call(answer("AcceptItem", item), EQUIPMENT)
    assert responses(svc.sim) == done
    assert (await svc.call(sync("inbox"), EQUIPMENT)).status == 200


async def test_a_time_out_may_hang_first(svc: RawClient) -> None:
    item = await invited(svc)
    svc.sim.fail(kind="timeout_after_commit", operation="CreateItem", seconds=30)
    with pytest.raises(httpx2.ReadTimeout):
        await svc.http.post(
            svc.sim.ews_url,
            content=soap(answer("AcceptItem", item), impersonate=EQUIPMENT),
            auth=(SERVICE, PASSWORD),
            timeout=0.3,
        )
    assert responses(svc.sim) == 1


async def test_an_expired_sync_state_strikes_only_who_has_one(svc: RawClient) -> None:
    svc.sim.fail(kind="expired_sync_state", times=1)
    state = (await svc.call(sync("inbox"), EQUIPMENT)).text("//m:SyncState")
    assert (await svc.call(sync("inbox", state), EQUIPMENT)).codes == ["ErrorInvalidSyncStateData"]
    assert (await svc.call(sync("inbox", state), EQUIPMENT)).codes == ["NoError"]


async def test_a_reply_may_be_cut_off_or_nonsense_after_the_work_was_done(svc: RawClient) -> None:
    item = await invited(svc)
    svc.sim.fail(kind="truncated_reply", operation="CreateItem", times=1)
    reply = await svc.http.post(
        svc.sim.ews_url, content=soap(answer("AcceptItem", item), impersonate=EQUIPMENT), auth=(SERVICE, PASSWORD)
    )
    assert reply.status_code == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(reply.content)
    svc.sim.fail(kind="garbage_reply", times=1)
    assert (await svc.call(answer("AcceptItem", item), EQUIPMENT)).root is None
    assert responses(svc.sim) == 2


async def test_access_can_be_denied_for_one_mailbox_only(svc: RawClient) -> None:
    svc.sim.fail(kind="access_denied", mailbox=EQUIPMENT.upper())
    assert (await svc.call(sync("inbox"), EQUIPMENT)).codes == ["ErrorAccessDenied"]
    assert (await svc.call(sync("inbox"), ORGANIZER)).codes == ["NoError"]


async def test_a_slow_answer_is_late_and_others_overtake_it(svc: RawClient) -> None:
    svc.sim.fail(kind="slow", operation="GetItem", seconds=0.4)
    began = time.monotonic()
    slow = asyncio.create_task(svc.call(get_item(await invited(svc)), EQUIPMENT))
    await svc.call(sync("inbox"), EQUIPMENT)
    assert not slow.done()
    assert (await slow).codes == ["NoError"]
    assert time.monotonic() - began >= 0.4


async def test_a_rule_lets_calls_pass_first_and_stops_when_it_has_struck_enough(svc: RawClient) -> None:
    number = svc.sim.fail(kind="http_503", after=1, times=2)
    statuses = [(await svc.call(sync("inbox"), EQUIPMENT)).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert svc.sim.counters.snapshot()["faults"] == {"http_503": 2}
    assert svc.sim.faults.remove(number)
    assert not svc.sim.faults.remove(number)


@pytest.mark.parametrize(
    "rule", [{}, {"kind": "fire"}, {"kind": "slow", "seconds": "long"}, {"kind": "slow", "colour": "red"}]
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(rule: dict[str, Any]) -> None:
    with pytest.raises(FaultRuleError, match=r"kind must be|wrong type|unknown field"):
        FaultRule.from_json(rule)


def test_removing_all_rules_leaves_none() -> None:
    faults = Faults()
    faults.add(FaultRule("slow"))
    faults.clear()
    assert faults.snapshot() == []
    assert faults.strike("GetItem", None) is None


async def test_a_wrong_or_missing_password_is_a_401_and_counted(svc: RawClient) -> None:
    wrong = RawClient(svc.sim, svc.http, SERVICE, "wrong")
    reply = await wrong.call(sync("inbox"), EQUIPMENT)
    assert (reply.status, reply.content) == (401, b"")
    assert 'Basic realm="' in reply.headers["WWW-Authenticate"]
    for header in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Negotiate abc"}):
        assert (await svc.http.post(svc.sim.ews_url, content=b"x", headers=header)).status_code == 401
    assert svc.sim.counters.snapshot()["auth_failures"] == {SERVICE: 1, "-": 3}
    svc.sim.fail(kind="unauthorized", times=1)
    assert (await svc.call(sync("inbox"), EQUIPMENT)).status == 401


async def test_an_account_locks_after_too_many_wrong_passwords() -> None:
    async with simulator_in_loop(lock_after=2) as sim, httpx2.AsyncClient(verify=False) as http:
        right, wrong = RawClient(sim, http), RawClient(sim, http, SERVICE, "wrong")
        assert (await wrong.call(sync("inbox"), EQUIPMENT)).status == 401
        assert (await right.call(sync("inbox"), EQUIPMENT)).status == 200
        for _ in range(2):
            await wrong.call(sync("inbox"), EQUIPMENT)
        assert (await right.call(sync("inbox"), EQUIPMENT)).status == 401
        sim.face.sign_in.unlock(SERVICE)
        assert (await right.call(sync("inbox"), EQUIPMENT)).status == 200


async def test_a_domain_before_the_login_and_a_bearer_token_are_understood(svc: RawClient) -> None:
    assert (await RawClient(svc.sim, svc.http, f"SIM\\{SERVICE}").call(sync("inbox"), EQUIPMENT)).status == 200
    body = soap(sync("inbox"), impersonate=EQUIPMENT)
    for token, status in (("token-of-svc", 200), ("another", 401)):
        headers = {"Authorization": f"Bearer {token}", "X-AnchorMailbox": EQUIPMENT}
        assert (await svc.http.post(svc.sim.ews_url, content=body, headers=headers)).status_code == status


async def test_in_process_clients_see_a_cut_connection_as_an_error() -> None:
    exchange = Exchange(SimulatorClock())
    seed(exchange, SMALL_WORLD)
    app = create_simulator_app(exchange)
    app.face.faults.add(FaultRule("timeout_before"))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
        with pytest.raises(ConnectionResetError):
            await http.post(
                "/EWS/Exchange.asmx", content=soap(sync("inbox"), impersonate=EQUIPMENT), auth=(SERVICE, PASSWORD)
            )
        assert (await http.get("/EWS/Exchange.asmx")).status_code == 405
