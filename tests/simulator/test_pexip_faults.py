"""Bad days of the simulated management API."""

import json
from typing import Any

import httpx2
import pytest

from greenroom.simulator.faults import FaultRuleError
from greenroom.simulator.pexip import Fault, Pexip
from support.pexip_calls import CONFERENCES, calling


def names(pexip: Pexip) -> list[str]:
    return [room["name"] for room in pexip.conferences()]


@pytest.mark.parametrize("kind", ["timeout_after_commit", "timeout_before"])
@pytest.mark.parametrize(
    ("seconds", "error"), [(0.0, httpx2.ReadError), (5.0, httpx2.ReadTimeout)], ids=["cut", "hangs"]
)
async def test_an_answer_is_lost_with_or_without_the_work_being_done(
    kind: str, seconds: float, error: type[Exception]
) -> None:
    pexip = Pexip()
    pexip.faults.add(Fault(kind, "POST", "configuration/conference", times=1, seconds=seconds))
    async with calling(pexip) as http:
        with pytest.raises(error):
            await http.post(CONFERENCES, json={"name": "x"}, timeout=0.05)
        assert names(pexip) == (["x"] if kind == "timeout_after_commit" else [])
        assert (await http.post(CONFERENCES, json={"name": "y"})).status_code == 201
    assert [call.fault for call in pexip.calls.made()] == [kind, None]


@pytest.mark.parametrize("committed", [False, True])
async def test_a_status_comes_instead_of_an_answer(committed: bool) -> None:
    pexip = Pexip()
    pexip.faults.add(Fault("http_503", "POST", times=1, retry_after=7, committed=committed))
    async with calling(pexip) as http:
        refused = await http.post(CONFERENCES, json={"name": "x"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
        assert refused.headers["Content-Type"].startswith("text/plain")
    assert names(pexip) == (["x"] if committed else [])


async def test_a_refusal_can_name_fields() -> None:
    pexip = Pexip()
    pexip.faults.add(Fault("http_400", fields={"name": ["No."]}))
    async with calling(pexip) as http:
        assert (await http.post(CONFERENCES, json={"name": "x"})).json() == {"conference": {"name": ["No."]}}


async def test_rules_strike_what_they_say_after_what_they_let_pass() -> None:
    pexip = Pexip()
    pexip.faults.add(Fault("http_500", "GET", "*/conference", "list", times=1, after=1))
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json={"name": "x"})
        got = [
            (await http.get(path)).status_code for path in (f"{CONFERENCES}1/", CONFERENCES, CONFERENCES, CONFERENCES)
        ]
        assert got == [200, 200, 500, 200]
    rule = pexip.faults.snapshot()[0]
    assert (rule["met"], rule["struck"]) == (2, 1)
    assert pexip.faults.remove(rule["id"])
    assert not pexip.faults.remove(rule["id"])


async def test_pages_come_halved_cut_short_or_as_something_else() -> None:
    pexip = Pexip()
    for at in range(4):
        pexip.create("conference", name=str(at))
    for kind in ("half_page", "truncated", "cut_body", "garbage", "slow"):
        pexip.faults.add(Fault(kind, "GET", times=1, seconds=0.01))
    async with calling(pexip) as http:
        half = (await http.get(CONFERENCES)).json()
        assert (len(half["objects"]), half["meta"]["total_count"], half["meta"]["next"]) == (2, 4, None)
        with pytest.raises(json.JSONDecodeError):
            (await http.get(CONFERENCES)).json()
        with pytest.raises(httpx2.ReadError):
            await http.get(CONFERENCES)
        garbage = await http.get(CONFERENCES)
        assert (garbage.status_code, garbage.headers["Content-Type"][:9]) == (200, "text/html")
        assert len((await http.get(CONFERENCES)).json()["objects"]) == 4


async def test_the_sign_in_fails_only_when_it_is_named() -> None:
    pexip = Pexip()
    pexip.faults.add(Fault("http_500"))
    async with calling(pexip) as http:
        assert (await http.post("/oauth/token/")).status_code == 400
        pexip.faults.add(Fault("http_503", resource="oauth/token"))
        assert (await http.post("/oauth/token/")).status_code == 503


@pytest.mark.parametrize(
    "rule", [{}, {"kind": "http_999"}, {"kind": "slow", "x": 1}, {"kind": "slow", "seconds": "1"}], ids=str
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(FaultRuleError):
        Fault.from_json(rule)
