"""The whole life of meetings whose rooms are on Pexip: Exchange, Pexip and Greenroom are processes, and somebody dials.

Rooms open at their start and close at their end here; whatever takes seconds is real time.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from support.colleague import in_seconds
from support.pexip_at_work import (
    BOTH_PINS,
    FOREIGN_NAME,
    TO_THE_SECOND,
    Home,
    Room,
    Way,
    dialled_until,
    site,
)
from support.whole import PEXIP_DOMAIN, Spoken, eventually

slow = pytest.mark.slow
BY_POLICY = pytest.mark.parametrize(
    ("way", "protocol"),
    [
        ("both", "graph"),
        pytest.param("both", "ews", marks=slow),
        pytest.param("policy", "ews", marks=slow),
        pytest.param("policy", "graph", marks=slow),
    ],
)


@BY_POLICY
def test_a_room_by_policy_follows_its_meeting(tmp_path: Path, way: Way, protocol: Spoken) -> None:
    with site(tmp_path, way, protocol=protocol, more=TO_THE_SECOND + BOTH_PINS) as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        told = time.monotonic()
        asked = eventually(lambda: _unless_rejected(home, room.alias), seconds=1)
        assert asked is not None
        assert time.monotonic() - told < 1
        assert (asked["by"], asked["reason"]) == ("policy", "PIN required")
        assert asked["name"].startswith("Planning")
        assert asked["service_tag"] == room.tag
        roles_by_pin(home, room)
        strangers_go_their_way(home)
        home.olga.cancel("Planning")
        eventually(lambda: home.dial(room.alias, pin=room.host_pin)["reason"] == "rejected")
        eventually(lambda: not home.pexip.conferences())


@slow
@BY_POLICY
def test_a_room_is_found_however_it_is_dialled_and_moves_with_its_meeting(
    tmp_path: Path, way: Way, protocol: Spoken
) -> None:
    with site(tmp_path, way, protocol=protocol, more=TO_THE_SECOND + BOTH_PINS) as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        however_it_is_spelled(home, room)
        begins = in_seconds(12)
        home.olga.move("Planning", begins)
        home.answered("Accept", "Accept")
        assert home.dial(room.alias, pin=room.host_pin)["reason"] == "rejected"
        assert begins.timestamp() - time.time() > 1, "the machine is too slow to see this"
        seen = dialled_until(home, room.alias, admitted=True, seconds=20, pin=room.guest_pin)
        assert seen.last_before < begins.timestamp() <= seen.first_after < begins.timestamp() + 1


def _unless_rejected(home: Home, alias: str) -> dict[str, Any] | None:
    report = home.dial(alias)
    return report if report["reason"] != "rejected" else None


def roles_by_pin(home: Home, room: Room) -> None:
    for pin, role in ((room.host_pin, "host"), (room.guest_pin, "guest")):
        report = home.dial(room.alias, pin=pin)
        assert (report["admitted"], report["role"], report["by"]) == (True, role, "policy")
    assert home.dial(room.alias, pin="0000")["reason"] == "wrong PIN"
    assert room.host_pin != room.guest_pin


def however_it_is_spelled(home: Home, room: Room) -> None:
    name = home.dial(room.alias, pin=room.host_pin)["name"]
    for alias in (
        room.alias,
        room.alias.upper(),
        room.alias.partition("@")[0],
        room.numeric,
        f"{room.numeric}@{PEXIP_DOMAIN}",
        f"{room.numeric}@192.0.2.77",
    ):
        for protocol in ("webrtc", "sip", "h323"):
            report = home.dial(alias, protocol=protocol, pin=room.host_pin)
            assert (report["admitted"], report["by"], report["name"]) == (True, "policy", name), alias


def strangers_go_their_way(home: Home) -> None:
    for alias in (f"lobby@{PEXIP_DOMAIN}", "lobby"):
        report = home.dial(alias)
        assert (report["admitted"], report["by"], report["name"]) == (True, "database", FOREIGN_NAME)
        assert report["policy"]["valid"]
    assert home.dial(f"nobody@{PEXIP_DOMAIN}")["reason"] == "not found"


@slow
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_while_greenroom_is_down_people_meet_in_the_same_conference(tmp_path: Path, protocol: Spoken) -> None:
    with site(tmp_path, "both", protocol=protocol) as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        early = home.dial(room.alias, join=True)
        assert (early["admitted"], early["by"]) == (True, "policy")
        home.kill()
        late = home.dial(room.alias, join=True)
        assert (late["admitted"], late["by"]) == (True, "database")
        assert (late["name"], late["service_tag"]) == (early["name"], early["service_tag"])
        assert [one["name"] for one in home.pexip.get("state")["running"]] == [early["name"]]
        home.start()
        again = home.dial(room.alias)
        assert (again["by"], again["name"]) == ("policy", early["name"])
        home.olga.move("Planning", in_seconds(3600))
        home.answered("Accept", "Accept")
        assert home.dial(room.alias)["reason"] == "rejected"
        (conference,) = home.pexip.conferences()
        assert conference["tag"] == room.tag


@slow
@pytest.mark.parametrize("way", ["both", "policy"])
def test_whoever_comes_after_a_meeting_was_renamed_meets_those_who_are_there(tmp_path: Path, way: Way) -> None:
    with site(tmp_path, way) as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        early = home.dial(room.alias, join=True)
        home.olga.change("Planning", subject="Strategy", start=in_seconds(-120))
        home.answered("Accept", "Accept")
        eventually(lambda: home.room("Strategy"))
        late = home.dial(room.alias, join=True)
        assert late["name"] == early["name"]
        assert len(home.pexip.get("state")["running"]) == 1
