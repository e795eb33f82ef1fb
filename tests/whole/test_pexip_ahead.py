"""Rooms that are made at Pexip ahead of their meetings, or just in time: made before the reply, changed in place, taken away."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.colleague import in_seconds
from support.pexip_at_work import BOTH_PINS, GUESTS, HOSTS, THEME, TO_THE_SECOND, Home, site
from support.whole import PEXIP_DOMAIN, Spoken, eventually, settles

pytestmark = pytest.mark.slow
over_both = pytest.mark.parametrize("protocol", ["ews", "graph"])
STYLE = f"""\
theme = "{THEME}"
host_identity_provider_group = "{HOSTS}"
guest_identity_provider_group = "{GUESTS}"
non_idp_participants = "allow_if_trusted"
guests_can_present = false
mute_all_guests = true
participant_limit = 40
host_view = "one_main_zero_pips"
enable_chat = "no"
max_callrate_in = 2048
"""
PLAIN = {
    "non_idp_participants": "allow_if_trusted",
    "guests_can_present": False,
    "mute_all_guests": True,
    "participant_limit": 40,
    "host_view": "one_main_zero_pips",
    "enable_chat": "no",
    "max_callrate_in": 2048,
    "allow_guests": True,
    "service_type": "conference",
}


def only(home: Home) -> dict[str, Any]:
    """The only conference of the organizer at Pexip."""
    (conference,) = home.conferences()
    return conference


def changed_nothing_else(home: Home) -> None:
    calls = home.pexip.get("calls")
    assert calls["wipes"] == 0
    (foreign,) = (one for one in home.pexip.get("state")["conference"] if not one["tag"].startswith("greenroom-"))
    assert len(foreign["aliases"]) == 2


@over_both
def test_a_conference_is_there_in_full_before_the_reply_says_so(tmp_path: Path, protocol: Spoken) -> None:
    latency = "replication_seconds = 1"
    more = TO_THE_SECOND + BOTH_PINS
    with site(tmp_path, "ahead", protocol=protocol, more=more, rooms=STYLE, lines=latency, replication=1) as home:
        home.olga.invite("Planning", in_seconds(3600))
        room = home.accepted("Planning")
        conference = only(home)
        assert {name: conference[name] for name in PLAIN} == PLAIN
        assert conference["tag"] == room.tag
        assert conference["name"].startswith("Planning")
        assert conference["primary_owner_email_address"] == home.olga.address
        assert (conference["pin"], conference["guest_pin"]) == (room.host_pin, room.guest_pin)
        assert {alias["alias"] for alias in conference["aliases"]} == {room.alias, room.numeric}
        assert room.alias.endswith(f"@{PEXIP_DOMAIN}")
        assert conference["description"]
        state = home.pexip.get("state")
        named = {one["resource_uri"]: one["name"] for one in [*state["ivr_theme"], *state["identity_provider_group"]]}
        links = ("ivr_theme", "host_identity_provider_group", "guest_identity_provider_group")
        assert [named[_address(conference[link])] for link in links] == [THEME, HOSTS, GUESTS]
        eventually(lambda: home.admits(room.alias, pin=room.host_pin, idp=True), seconds=3)
        report = home.dial(room.numeric, pin=room.guest_pin, idp=True, protocol="sip")
        assert (report["by"], report["role"], report["service_tag"]) == ("database", "guest", room.tag)
        changed_in_place(home, conference)
        home.olga.cancel("Strategy")
        eventually(lambda: not home.conferences())
        eventually(lambda: home.dial(room.alias)["reason"] == "not found")
        changed_nothing_else(home)


def changed_in_place(home: Home, before: dict[str, Any]) -> None:
    home.olga.change("Planning", subject="Strategy")
    eventually(lambda: only(home)["name"].startswith("Strategy"))
    after = only(home)
    differing = {name for name in before if before[name] != after[name]}
    assert differing <= {"name", "description", "aliases"}
    assert [alias["id"] for alias in after["aliases"]] == [alias["id"] for alias in before["aliases"]]
    assert len(home.pexip.calls("POST")) == 1


def _address(link: Any) -> str:
    return str(link["resource_uri"] if isinstance(link, dict) else link)


@over_both
def test_a_conference_goes_when_its_window_is_over(tmp_path: Path, protocol: Spoken) -> None:
    with site(tmp_path, "ahead", protocol=protocol) as home:
        home.olga.invite("Planning", in_seconds(-60), span=timedelta(seconds=75))
        room = home.accepted("Planning")
        assert home.admits(room.alias)
        eventually(lambda: not home.conferences(), seconds=40)
        assert home.dial(room.alias)["reason"] == "not found"
        assert settles(home.replies) == ["Accept"]
        assert home.room("Planning").retired or home.room("Planning") == room
        changed_nothing_else(home)


def test_a_conference_with_people_in_it_is_left_alone_until_they_have_left(tmp_path: Path) -> None:
    with site(tmp_path, "ahead") as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        before = only(home)
        inside = home.dial(room.alias, join=True)
        home.olga.change("Planning", subject="Strategy", start=in_seconds(-120), end=in_seconds(3600))
        home.answered("Accept", "Accept")
        assert settles(lambda: only(home), still=3) == before
        assert home.pexip.get("state")["disturbed"] == []
        home.pexip.post("hangup", participant=inside["participant"])
        eventually(lambda: only(home)["name"].startswith("Strategy"), seconds=100)
        assert only(home)["id"] == before["id"]
        assert home.pexip.get("state")["disturbed"] == []
        changed_nothing_else(home)


@over_both
def test_just_in_time_a_conference_comes_before_its_window_and_goes_behind_it(tmp_path: Path, protocol: Spoken) -> None:
    lines = "lead = 2\nreplication_seconds = 1"
    with site(tmp_path, "just-in-time", protocol=protocol, lines=lines) as home:
        home.olga.invite("Later", in_seconds(135))
        room = home.accepted("Later")
        assert home.conferences() == []
        eventually(home.conferences, seconds=30)
        assert home.admits(room.alias)
        home.olga.move("Later", in_seconds(7200))
        home.answered("Accept", "Accept")
        eventually(lambda: not home.conferences())
        home.olga.invite("Now", in_seconds(-60), span=timedelta(seconds=80))
        home.answered("Accept", "Accept", "Accept")
        assert home.admits(home.room("Now").alias)
        eventually(lambda: not home.conferences(), seconds=40)
        assert settles(home.replies) == ["Accept"] * 3
        changed_nothing_else(home)
