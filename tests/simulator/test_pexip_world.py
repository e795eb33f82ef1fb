"""Seeds of the simulated platform, its control surface, and it as a process of its own."""

import json
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from greenroom.simulator.pexip import Pexip
from greenroom.simulator.pexip.demo import demo_seed
from greenroom.simulator.seeding import SeedError
from support.certificates import of_this_machine
from support.pexip_calls import CONFERENCES, CONFIGURATION, calling

OLD: dict[str, Any] = {
    "ms_exchange_connector": [
        {
            "key": "old",
            "name": "Exchange",
            "addin_server_domain": "join.x.example",
            "room_mailbox_email_address": "vmr@x.example",
            "scheduled_alias_prefix": "88",
        }
    ],
    "meetings": [
        {
            "connector": "@old",
            "key": "weekly",
            "name": "Weekly (Ada)",
            "subject": "Weekly",
            "number": 88123456,
            "alias": "88123456@x.example",
            "uuid": "4cd0a4a4-6b0f-4a6b-9a92-0f4d1f6f4c10",
            "owner": "ada@x.example",
            "uid": "040000008200E00074C5B7101A82E008",
            "item": "AAMkAG",
            "series": True,
            "times": [["2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z"], ["2026-12-08T10:00:00", "2026-12-08T11:00:00"]],
        },
        {"connector": "@old", "number": 88000001, "alias": "88000001@x.example", "used": False},
    ],
}


async def test_a_seed_leaves_what_an_existing_scheduler_leaves() -> None:
    pexip = Pexip()
    named = pexip.seed(OLD)
    async with calling(pexip) as http:
        aliases = (await http.get(f"{CONFIGURATION}/scheduled_alias/", params={"is_used": "true"})).json()["objects"]
        assert [one["numeric_alias"] for one in aliases] == ["88123456"]
        assert aliases[0]["exchange_connector"] == named["old"]
        (series,) = (await http.get(f"{CONFIGURATION}/recurring_conference/")).json()["objects"]
        dated = (await http.get(f"{CONFIGURATION}/scheduled_conference/", params={"order_by": "start_time"})).json()[
            "objects"
        ]
        assert [one["start_time"] for one in dated] == ["2026-12-01T10:00:00", "2026-12-08T10:00:00"]
        assert {one["recurring_conference"] for one in dated} == {series["resource_uri"]}
        room = (await http.get(series["conference"])).json()
        assert [one["alias"] for one in room["aliases"]] == ["88123456@x.example", "88123456"]
        assert (room["scheduled_conferences_count"], room["primary_owner_email_address"]) == (2, "ada@x.example")
        assert room["scheduled_conferences"] == [one["resource_uri"] for one in dated]
    assert (await pexip.dial("88123456"))["admitted"]
    assert not (await pexip.dial("88000001"))["admitted"]
    pexip.delete(series["conference"])
    assert pexip.all("scheduled_conference") == pexip.all("recurring_conference") == []
    assert len(pexip.all("scheduled_alias")) == 2


@pytest.mark.parametrize(
    "data",
    [
        {"rooms": []},
        {"conference": [{"nmae": "x"}]},
        {"conference": [{"name": "x", "ivr_theme": "@none"}]},
        {"conference": {}},
        {"meetings": [{"number": 1, "alias": "a"}]},
        {"conference": [{"name": "x"}, {"name": "X"}]},
    ],
    ids=["entry", "field", "name", "list", "missing", "twice"],
)
def test_a_seed_that_cannot_be_used_changes_nothing(data: dict[str, Any]) -> None:
    pexip = Pexip()
    with pytest.raises(SeedError):
        pexip.seed(data)
    assert pexip.conferences() == []


async def test_the_demo_has_personal_rooms() -> None:
    pexip = Pexip()
    pexip.seed(demo_seed())
    room = pexip.conferences()[0]
    assert pexip.conference(room["aliases"][0]["alias"].upper()) == room
    assert (await pexip.dial(room["aliases"][1]["alias"], pin=room["pin"]))["role"] == "host"


async def test_everything_can_be_steered_over_http() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:

        async def post(name: str, **data: Any) -> Any:
            reply = await http.post(f"/pexip/control/{name}", json=data)
            assert reply.status_code == 200, reply.text
            return reply.json()

        named = await post("seed", conference=[{"key": "a", "name": "A", "aliases": [{"alias": "a"}]}])
        assert named == {"a": f"{CONFERENCES}1/"}
        joined = await post("dial", alias="a", protocol="sip", join=True)
        assert joined["by"] == "database"
        state = (await http.get("/pexip/control/state")).json()
        assert [one["name"] for one in state["running"]] == [one["name"] for one in state["conference"]] == ["A"]
        assert await post("hangup", participant=joined["participant"]) == {"left": True}
        rule = await post("faults", kind="http_503", method="GET", times=1)
        assert [(await http.get(CONFERENCES)).status_code for _ in range(2)] == [503, 200]
        assert (await http.delete(f"/pexip/control/faults/{rule['id']}")).status_code == 200
        assert (await http.delete("/pexip/control/faults")).status_code == 200
        calls = (await http.get("/pexip/control/calls")).json()
        assert calls["counts"] == {"GET configuration/conference list": 2}
        assert calls["statuses"] == {"503": 1, "200": 1}
        await post("calls/reset")
        assert (await http.get("/pexip/control/calls")).json()["total"] == 0
        assert (await post("options", masked_pins=True))["masked_pins"]
        assert await post("replication", seconds=5, now=True) == {"seconds": 5.0}
        await post("policy", url="http://127.0.0.1:1", timeout=0.5)
        assert (await post("dial", alias="a"))["policy"]["asked"]
        assert not (await post("ask", kind="location"))["valid"]
        assert (await post("clock", now="2026-12-01T10:00:00+00:00", frozen=True))["now"] == "2026-12-01T10:00:00+00:00"
        assert (await post("clock", advance=60))["now"] == "2026-12-01T10:01:00+00:00"
        for name, data in {
            "options": {"x": 1},
            "faults": {},
            "dial": {"alias": "a", "pin": 1},
            "ask": {"kind": "x"},
            "policy": {"x": 1},
        }.items():
            assert (await http.post(f"/pexip/control/{name}", json=data)).status_code == 400


async def test_a_web_page_cannot_steer_it() -> None:
    async with calling(Pexip()) as http:
        refused = await http.post("/pexip/control/seed", json={}, headers={"Origin": "https://elsewhere.example"})
        assert refused.status_code == 403


def test_it_runs_as_a_process_with_tls(tmp_path: Path) -> None:
    identity = of_this_machine(tmp_path)
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"conference": [{"name": "A", "aliases": [{"alias": "a"}]}]}), encoding="utf-8")
    command = [sys.executable, "-m", "greenroom.simulator.pexip", "--port", "0", "--user", "us", "--password", "pw"]
    command += [
        "--seed",
        str(seed),
        "--tls-cert",
        str(identity.certificate),
        "--tls-key",
        str(identity.key),
        "--replication",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told["pid"] == process.pid
            context = ssl.create_default_context(cafile=str(identity.certificate))
            with httpx2.Client(verify=context, trust_env=False, auth=("us", "pw"), timeout=5) as http:
                rooms = http.get(f"{told['management']}configuration/v1/conference/").json()
                assert [one["name"] for one in rooms["objects"]] == ["A"]
                http.post(
                    f"{told['control']}faults", json={"kind": "timeout_after_commit", "method": "POST", "times": 1}
                )
                with pytest.raises(httpx2.TransportError):
                    http.post(f"{told['management']}configuration/v1/conference/", json={"name": "B"})
                http.post(f"{told['control']}faults", json={"kind": "cut_body", "method": "GET", "times": 1})
                with pytest.raises(httpx2.TransportError):
                    http.get(f"{told['management']}configuration/v1/conference/")
                state = http.get(f"{told['control']}state").json()
                assert [one["name"] for one in state["conference"]] == ["A", "B"]
                assert http.post(f"{told['control']}dial", json={"alias": "a"}).json()["admitted"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
