"""People dial into the simulated platform's database: replication, PINs, sign-in, running conferences."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip import Pexip
from support.pexip_calls import CONFERENCES, calling

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def platform(**room: Any) -> Pexip:
    pexip = Pexip(SimulatorClock(NOW, frozen=True))
    pexip.seed({"conference": [{"name": "Room", "tag": "mine", "aliases": [{"alias": "room@x.example"}], **room}]})
    return pexip


async def test_nodes_see_a_change_a_minute_later() -> None:
    clock = SimulatorClock(NOW, frozen=True)
    pexip = Pexip(clock)
    room = pexip.create("conference", name="Room", aliases=[{"alias": "room"}])
    assert (await pexip.dial("room"))["reason"] == "not found"
    clock.advance(timedelta(seconds=59))
    assert not (await pexip.dial("room"))["admitted"]
    clock.advance(timedelta(seconds=1))
    report = await pexip.dial("room")
    assert (report["admitted"], report["by"], report["role"]) == (True, "database", "host")
    pexip.delete(room)
    assert (await pexip.dial("room"))["admitted"]
    clock.advance(timedelta(seconds=60))
    assert not (await pexip.dial("room"))["admitted"]


async def test_an_alias_that_moves_is_known_at_its_old_place_until_the_nodes_hear_of_it() -> None:
    pexip = Pexip(SimulatorClock(NOW, frozen=True))
    pexip.seed({"conference": [{"name": "A", "aliases": [{"alias": "a"}]}, {"name": "B"}]})
    pexip.change("/api/admin/configuration/v1/conference_alias/1/", conference=f"{CONFERENCES}2/")
    assert (await pexip.dial("a"))["name"] == "A"
    pexip.replicate()
    assert (await pexip.dial("a"))["name"] == "B"


@pytest.mark.parametrize(
    ("alias", "protocol"),
    [
        ("ROOM@x.example", "webrtc"),
        ("room@x.example", "sip"),
        ("sip:room@x.example;transport=tls", "sip"),
        ("room@x.example", "h323"),
    ],
)
async def test_an_alias_is_found_in_the_form_every_protocol_has(alias: str, protocol: str) -> None:
    assert (await platform().dial(alias, protocol=protocol))["name"] == "Room"


@pytest.mark.parametrize(
    ("room", "pin", "outcome"),
    [
        ({}, None, "host"),
        ({"pin": "1234"}, None, "PIN required"),
        ({"pin": "1234"}, "1235", "wrong PIN"),
        ({"pin": "1234"}, "1234", "host"),
        ({"pin": "1234#"}, "1234", "host"),
        ({"pin": "1234", "allow_guests": True}, None, "guest"),
        ({"pin": "1234", "allow_guests": True}, "9999", "wrong PIN"),
        ({"pin": "1234", "allow_guests": True, "guest_pin": "5678"}, None, "PIN required"),
        ({"pin": "1234", "allow_guests": True, "guest_pin": "5678"}, "5678", "guest"),
        ({"pin": "1234", "allow_guests": True, "guest_pin": "5678"}, "1234", "host"),
    ],
)
async def test_pins_make_hosts_and_guests(room: dict[str, Any], pin: str | None, outcome: str) -> None:
    report = await platform(**room).dial("room@x.example", pin=pin)
    assert outcome == (report["role"] or report["reason"])
    assert report["admitted"] is (report["role"] is not None)
    assert report["pin_required"] is not report["admitted"]


async def test_whoever_must_sign_in_is_not_let_in_without() -> None:
    pexip = Pexip(SimulatorClock(NOW, frozen=True))
    group = {"key": "staff", "name": "Staff"}
    room = {"name": "Room", "aliases": [{"alias": "room"}], "host_identity_provider_group": "@staff"}
    pexip.seed(
        {"identity_provider_group": [group], "conference": [room | {"non_idp_participants": "allow_if_trusted"}]}
    )
    assert (await pexip.dial("room"))["reason"] == "authentication required"
    assert (await pexip.dial("room", idp=True))["admitted"]
    assert not (await pexip.dial("room", protocol="sip"))["admitted"]
    assert (await pexip.dial("room", protocol="sip", registered=True))["admitted"]
    pexip.change(f"{CONFERENCES}1/", non_idp_participants="disallow_all")
    pexip.replicate()
    assert not (await pexip.dial("room", protocol="sip", registered=True))["admitted"]


async def test_joining_makes_a_conference_run_until_the_last_one_leaves() -> None:
    pexip = platform(pin="1234", allow_guests=True, participant_limit=2)
    guest = await pexip.dial("room@x.example", join=True)
    assert (guest["role"], guest["waiting"]) == ("guest", True)
    host = await pexip.dial("room@x.example", pin="1234", join=True)
    assert (host["role"], host["waiting"]) == ("host", False)
    assert (await pexip.dial("room@x.example"))["reason"] == "full"
    async with calling(pexip) as http:
        (running,) = (await http.get("/api/admin/status/v1/conference/", params={"tag": "mine"})).json()["objects"]
        assert (running["name"], running["is_started"], running["start_time"]) == ("Room", True, "2026-11-23T09:00:00")
        people = (await http.get("/api/admin/status/v1/participant/", params={"conference": "Room"})).json()["objects"]
        assert sorted(one["role"] for one in people) == ["chair", "guest"]
        assert (await http.get(running["resource_uri"])).json() == running
        assert pexip.hangup(guest["participant"])
        assert not pexip.hangup(guest["participant"])
        assert pexip.hangup(host["participant"])
        assert (await http.get("/api/admin/status/v1/conference/")).json()["objects"] == []
        history = (await http.get("/api/admin/history/v1/conference/")).json()["objects"]
        assert [one["name"] for one in history] == ["Room"]


async def test_deleting_a_room_does_not_end_its_conference_but_a_command_does() -> None:
    pexip = platform()
    await pexip.dial("room@x.example", join=True)
    async with calling(pexip) as http:
        await http.delete(f"{CONFERENCES}1/")
        (running,) = (await http.get("/api/admin/status/v1/conference/")).json()["objects"]
        command = "/api/admin/command/v1/conference/disconnect/"
        assert (await http.post(command, json={"conference": running["id"]})).status_code == 400
        assert (await http.post(command, json={"conference_id": "another"})).status_code == 400
        ended = await http.post(command, json={"conference_id": running["id"]})
        assert (ended.status_code, ended.json()["status"]) == (202, "success")
        assert (await http.get("/api/admin/status/v1/conference/")).json()["meta"]["total_count"] == 0


async def test_rewriting_a_running_conference_is_noticed() -> None:
    pexip = platform()
    pexip.change(f"{CONFERENCES}1/", description="before")
    await pexip.dial("room@x.example", join=True)
    assert pexip.disturbed == []
    pexip.change(f"{CONFERENCES}1/", description="while it runs")
    assert pexip.disturbed == ["Room"]


async def test_a_probe_finds_out_but_joins_nothing() -> None:
    report = await platform().dial(
        "room@x.example", protocol="sip", call_direction="non_dial", trigger="options", join=True
    )
    assert (report["admitted"], report["reason"], report["name"], report["participant"]) == (
        False,
        "probe",
        "Room",
        None,
    )
