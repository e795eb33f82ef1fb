"""`$batch`: parts answered each on its own."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from greenroom.simulator.applications import Application
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

EVENTS = f"/users/{EQUIPMENT}/events"


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


def part(id_: str, url: str = EVENTS, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"id": id_, "method": method, "url": url} | more


async def batch(
    http: httpx2.AsyncClient, sim: RunningSimulator, *parts: dict[str, Any], client_id: str | None = None
) -> httpx2.Response:
    headers = sim.bearer() if client_id is None else sim.bearer(client_id)
    return await http.post(f"{sim.graph_url}/$batch", json={"requests": parts}, headers=headers)


async def answers(http: httpx2.AsyncClient, sim: RunningSimulator, *parts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    reply = await batch(http, sim, *parts)
    assert reply.status_code == 200, reply.text
    return {one["id"]: one for one in reply.json()["responses"]}


async def test_every_part_has_its_own_answer_and_is_counted(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    found = await answers(
        http,
        sim,
        part("a"),
        part("b", "/users/nobody@sim.test/events"),
        part("c", "users/olga%40sim.test/events?$top=1", headers={"Prefer": 'IdType="ImmutableId"'}),
        part("d", "/nowhere"),
        part("e", EVENTS, "POST", body={"subject": "x"}),
    )
    assert {id_: one["status"] for id_, one in found.items()} == {"a": 200, "b": 404, "c": 200, "d": 400, "e": 400}
    assert found["a"]["body"]["value"] == []
    assert found["b"]["body"]["error"]["code"] == "ErrorInvalidUser"
    assert found["c"]["headers"]["Preference-Applied"] == 'IdType="ImmutableId"'
    assert (sim.calls("Batch"), sim.calls("ListEvents"), sim.calls("CreateEvent")) == (1, 3, 1)
    assert sim.counters.snapshot()["mailboxes"][ORGANIZER] == {"ListEvents": 1}


async def test_answers_come_in_another_order(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    reply = await batch(http, sim, part("1"), part("2"), part("3"))
    ids = [one["id"] for one in reply.json()["responses"]]
    assert sorted(ids) == ["1", "2", "3"] != ids


async def test_at_most_four_parts_run_at_once(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    sim.graph.latency = 0.02
    found = await answers(http, sim, *(part(str(number)) for number in range(20)))
    assert {one["status"] for one in found.values()} == {200}
    assert sim.counters.snapshot()["most_in_flight"] == {EQUIPMENT: 4}


async def test_a_part_waits_for_what_it_depends_on_and_fails_with_it(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    found = await answers(
        http,
        sim,
        part("good"),
        part("bad", "/users/nobody/events"),
        part("after-good", dependsOn=["good"]),
        part("after-bad", dependsOn=["good", "bad"]),
        part("last", dependsOn=["after-bad"]),
    )
    told = {id_: one["status"] for id_, one in found.items()}
    assert told == {"good": 200, "bad": 404, "after-good": 200, "after-bad": 424, "last": 424}


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(str(number)) for number in range(21)],
        [part("1"), part("1")],
        [part("1", dependsOn=["2"]), part("2")],
        [{"id": "1", "method": "GET"}],
        ["x"],
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(http: httpx2.AsyncClient, parts: list[Any]) -> None:
    async with simulator_in_loop(check_requests=False) as sim:
        reply = await batch(http, sim, *parts)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadRequest")
        assert sim.calls("ListEvents") == 0


async def test_a_batch_holds_no_batch_and_no_foreign_address(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    found = await answers(
        http, sim, part("1", "/$batch", "POST"), part("2", "https://elsewhere.test/v1.0/users/x/events")
    )
    assert [one["status"] for one in found.values()] == [400, 400]


async def test_the_scope_holds_for_every_part(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    sim.exchange.add_application(Application("narrow", scope=(ATTENDEE,)))
    reply = await batch(http, sim, part("1"), part("2", f"/users/{ATTENDEE}/events"), client_id="narrow")
    assert {one["id"]: one["status"] for one in reply.json()["responses"]} == {"1": 403, "2": 200}


async def test_faults_strike_parts(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    sim.fail(kind="http_429", operation="ListEvents", mailbox=EQUIPMENT, times=1, retry_after=9)
    sim.fail(kind="timeout_after_commit", operation="ListEvents", mailbox=ATTENDEE, times=1)
    sim.fail(kind="garbage_reply", operation="ListEvents", mailbox=ORGANIZER, times=1)
    found = await answers(
        http, sim, part("1"), part("2", f"/users/{ATTENDEE}/events"), part("3", f"/users/{ORGANIZER}/events"), part("4")
    )
    assert {id_: one["status"] for id_, one in found.items()} == {"1": 429, "2": 504, "3": 502, "4": 200}
    assert found["1"]["headers"]["Retry-After"] == "9"
    sim.fail(kind="http_503", operation="Batch", times=1)
    assert (await batch(http, sim, part("1"))).status_code == 503
