"""The simulated web app, the lobby to dial from, and a platform that is kept in a file."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip import Pexip, PolicyProfile
from greenroom.simulator.pexip.demo import demo_pexip, demo_seed
from greenroom.simulator.pexip.snapshot import load, save
from greenroom.simulator.pexip.visiting import Lobby, create_visiting_app
from support.pexip_calls import ScriptedPolicy
from support.records import NOON

ADAS = "meet.ada@greenroom.example"
HOSTILE = "<script>alert(1)</script>'\"&%0d%0a"


def seeded(policy: ScriptedPolicy | None = None) -> Pexip:
    profile = PolicyProfile("http://policy.test") if policy else None
    pexip = Pexip(SimulatorClock(NOON, frozen=True), policy=profile, transport=policy)
    pexip.seed(demo_seed())
    return pexip


@asynccontextmanager
async def visiting(pexip: Pexip) -> AsyncIterator[tuple[httpx2.AsyncClient, Lobby]]:
    lobby = Lobby(pexip)
    transport = httpx2.ASGITransport(app=create_visiting_app(lobby))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield http, lobby


async def test_a_call_from_the_lobby_is_told_and_stays_until_somebody_hangs_up() -> None:
    pexip = seeded()
    async with visiting(pexip) as (http, lobby):
        answer = await http.post("/pexip/dial", data={"alias": ADAS, "pin": "4711"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == "http://127.0.0.1/?alias=meet.ada%40greenroom.example#dial"
        told = str(lobby.parts())
        assert "Admitted as host" in told
        assert "running, 1 inside" in told
        assert (await http.get("/pexip/lobby")).text == told
        (one,) = pexip.running.status_participants()
        await http.post("/pexip/hangup", data={"participant": one["id"]})
        assert not pexip.running.conferences
        assert "running" not in str(lobby.parts())


@pytest.mark.parametrize(
    ("policy", "alias", "told"),
    [
        ({"status": "success", "action": "reject"}, ADAS, 'Rejected</strong> <span class="px-soft">by policy'),
        ({"status": "success", "action": "continue"}, "gone@x.example", "policy left it to the node"),
        ({"status": "failed"}, ADAS, "Admitted as guest"),
        ({"status": "failed"}, "gone@x.example", "Nobody knows this alias."),
    ],
    ids=["rejected", "left-to-the-node", "database", "unknown"],
)
async def test_the_lobby_says_what_became_of_a_call_and_who_decided(
    policy: dict[str, str], alias: str, told: str
) -> None:
    async with visiting(seeded(ScriptedPolicy(policy))) as (http, lobby):
        await http.post("/pexip/dial", data={"alias": alias})
        assert told in " ".join(str(lobby.parts()).split())


async def test_a_cut_line_to_policy_asks_nobody_until_it_is_mended() -> None:
    policy = ScriptedPolicy({"status": "success", "action": "reject"})
    pexip = seeded(policy)
    async with visiting(pexip) as (http, lobby):
        await http.post("/pexip/policy", data={"reachable": "no"})
        report = await pexip.dial(ADAS, pin="4711")
        assert (report["admitted"], report["by"], policy.asked) == (True, "database", [])
        assert "line to the policy server is cut" in str(lobby.parts())
        await http.post("/pexip/policy", data={"reachable": "yes"})
        assert (await pexip.dial(ADAS))["by"] == "policy"


async def test_a_room_the_nodes_have_not_heard_of_is_said_to_be_on_its_way() -> None:
    pexip = seeded()
    pexip.create("conference", name="New", aliases=[{"alias": "new@x.example"}])
    async with visiting(pexip) as (http, lobby):
        await http.post("/pexip/dial", data={"alias": "new@x.example"})
        assert "The nodes hear of it within a minute." in str(lobby.parts())
        assert "on its way to the nodes" in str(lobby.parts())
        pexip.clock.advance(timedelta(seconds=60))  # type: ignore[attr-defined]  # it is a SimulatorClock
        assert "on its way" not in str(lobby.parts())


async def test_the_web_app_asks_for_the_pin_and_says_who_one_is() -> None:
    pexip = seeded()
    pexip.seed({"conference": [{"name": "A & B", "aliases": [{"alias": "ab"}], "pin": "1111", "guest_pin": "2222",
                                "allow_guests": True}]})  # fmt: skip
    async with visiting(pexip) as (http, _):
        entrance = await http.get("/webapp3/m/ab")
        assert "required" in entrance.text
        assert not pexip.running.conferences, "whoever only looks is not in"
        wrong = await http.post("/webapp3/m/ab", data={"pin": "9999", "name": HOSTILE})
        assert 'role="alert"' in wrong.text
        guest = await http.post("/webapp3/m/ab", data={"pin": "2222", "name": HOSTILE}, follow_redirects=True)
        assert "You are in “A &amp; B” as guest" in guest.text
        assert "You wait for the first host." in guest.text
        host = await http.post("/webapp3/m/ab", data={"pin": "1111"}, follow_redirects=True)
        assert "as host" in host.text
        assert "1 other is here." in host.text
        assert "You wait" not in (await http.get(guest.url)).text
        assert "You have left" in (await http.post(host.url, follow_redirects=True)).text
        for page in (wrong.text, guest.text):
            assert "<script" not in page


@pytest.mark.parametrize(
    "alias", [HOSTILE, "x" * 5000, "a/b/../c", "%00", "🎭"], ids=["html", "long", "path", "nul", "mask"]
)
async def test_an_odd_alias_is_only_unknown(alias: str) -> None:
    async with visiting(seeded()) as (http, lobby):
        answer = await http.get(httpx2.URL("http://127.0.0.1").copy_with(path=f"/webapp3/m/{alias}"))
        assert answer.status_code == 200
        assert "You cannot get in" in answer.text
        assert (await http.post("/pexip/dial", data={"alias": alias})).status_code == 303
        for text in (answer.text, str(lobby.parts()), str(lobby.form(alias))):
            assert "<script" not in text
            assert len(text) < 20_000


async def test_forms_of_other_sites_and_files_are_refused() -> None:
    pexip = seeded()
    async with visiting(pexip) as (http, _):
        elsewhere = {"Origin": "https://evil.example"}
        assert (await http.post("/pexip/dial", data={"alias": ADAS}, headers=elsewhere)).status_code == 403
        assert (await http.post("/pexip/dial", files={"alias": b"x"})).status_code == 400
        assert not pexip.running.conferences
        assert "script-src 'self'" in (await http.get("/webapp3/m/x")).headers["Content-Security-Policy"]


def test_a_kept_platform_has_its_rooms_and_gives_no_id_twice(tmp_path: Path) -> None:
    pexip, file = seeded(), tmp_path / "pexip.json"
    address = pexip.create("conference", name="Last", aliases=[{"alias": "last@x.example"}])
    pexip.delete(address)
    pexip.create("conference", name="Kept", aliases=[{"alias": "kept@x.example"}], tag="greenroom-1-x")
    save(pexip, file)
    again = demo_pexip(pexip.clock, "http://127.0.0.1:1")
    load(again, file)
    assert again.conferences() == pexip.conferences()
    assert again.node.service_of("kept@x.example") is not None
    fresh = again.create("conference", name="Next")
    number = re.search(r"(\d+)/$", address)
    assert number is not None
    assert int(fresh.split("/")[-2]) > int(number[1]) + 1
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1, "ids": {}, "rows": {"conference": [{"id": 1}]}}',
     '{"version": 1, "ids": {}, "rows": {"nonsense": [{"id": 1}]}}', '{"version": 1, "ids": {}, "rows": []}',
     '{"version": {"$time": "then"}}', '{"$time": 1}', "[" * 100_000],
    ids=["empty", "list", "bare", "version", "row", "resource", "rows", "time", "times", "deep"],
)  # fmt: skip
def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pexip.json").write_text(text)
    with pytest.raises(ValueError, match=r"snapshot|isoformat|line 1 column|row of|JSON"):
        load(Pexip(), tmp_path / "pexip.json")


def test_a_platform_counts_what_was_changed_and_a_clock_set_back_hides_nothing(tmp_path: Path) -> None:
    pexip = seeded()
    before = pexip.store.revision
    pexip.create("conference", name="X", aliases=[{"alias": "x"}])
    assert pexip.store.revision == before + 1
    pexip.clock.set(NOON - timedelta(days=1), frozen=True)  # type: ignore[attr-defined]  # it is a SimulatorClock
    assert pexip.node.service_of("x") is not None
    save(pexip, tmp_path / "one.json")
    assert json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))["version"] == 1
