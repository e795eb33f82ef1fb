"""What Conferencing Nodes are told, and whether they take it."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import Alias
from greenroom.platforms import RoomRefusedError
from greenroom.platforms.pexip.policy import check_answer, problems, room_answer, unique_name
from greenroom.platforms.pexip.policy.answers import NOTHING_FOUND, PASSED_ON, REJECTED, other_answer, playback_answer
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle
from support.records import room

SETTINGS = PexipSettings(1, policy=True)
FULL = RoomStyle(
    theme="Blue",
    host_identity_provider_group="Staff",
    guest_identity_provider_group="Guests",
    non_idp_participants="allow_if_trusted",
    guests_can_present=False,
    mute_all_guests=True,
    participant_limit=25,
    call_type="video",
    host_view="five_mains_seven_pips",
    crypto_mode="on",
    enable_chat="yes",
    live_captions_enabled="default",
    max_pixels_per_second="fullhd",
    max_callrate_in=128,
    max_callrate_out=8192,
)


def result(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["result"]
    return found


def with_result(**changes: Any) -> dict[str, Any]:
    answer = room_answer(room(1), SETTINGS)
    told = {name: value for name, value in (result(answer) | changes).items() if value is not ...}
    return answer | {"result": told}


def test_a_room_is_told_by_the_names_and_units_of_external_policy() -> None:
    assert room_answer(room(1), replace(SETTINGS, style=FULL)) == {
        "status": "success",
        "action": "continue",
        "result": {
            "service_type": "conference",
            "name": "Planning 1 (900000001)",
            "service_tag": f"greenroom-1-{room(1).mark}",
            "description": "For the planning",
            "pin": "012345",
            "guest_pin": "543210",
            "allow_guests": True,
            "primary_owner_email_address": "ann@example.com",
            "ivr_theme_name": "Blue",
            "host_identity_provider_group": "Staff",
            "guest_identity_provider_group": "Guests",
            "non_idp_participants": "allow_if_trusted",
            "guests_can_present": False,
            "mute_all_guests": True,
            "participant_limit": 25,
            "call_type": "video",
            "view": "five_mains_seven_pips",
            "crypto_mode": "on",
            "enable_chat": "yes",
            "live_captions_enabled": "default",
            "max_pixels_per_second": "fullhd",
            "max_callrate_in": 128_000,
            "max_callrate_out": 8_192_000,
        },
    }


def test_what_an_integration_leaves_open_is_not_told() -> None:
    assert set(result(room_answer(room(1, host_pin=None, guest_pin=None, description="", owner=""), SETTINGS))) == {
        "service_type",
        "name",
        "service_tag",
        "allow_guests",
    }


@pytest.mark.parametrize(
    ("host_pin", "guest_pin", "told"),
    [
        (None, None, {"allow_guests": False}),
        (None, "543210", {"pin": "543210", "allow_guests": False}),
        ("012345", None, {"pin": "012345", "allow_guests": True}),
        ("012345", "543210", {"pin": "012345", "guest_pin": "543210", "allow_guests": True}),
        ("", "", {"allow_guests": False}),
    ],
)
def test_pins_are_told_as_pexip_takes_them(host_pin: str | None, guest_pin: str | None, told: dict[str, Any]) -> None:
    answer = room_answer(room(1, host_pin=host_pin, guest_pin=guest_pin), SETTINGS)
    assert {
        name: result(answer)[name] for name in ("pin", "guest_pin", "allow_guests") if name in result(answer)
    } == told
    assert problems(answer) == []


def test_two_meetings_of_one_name_are_two_conferences() -> None:
    names = {unique_name(room(number, name="Planning")) for number in range(100)}
    assert len(names) == 100
    assert all(name.startswith("Planning (") for name in names)


def test_a_name_stays_and_fits() -> None:
    spec = room(1, name="a\tb\r\n  c\x00 " + "x" * 400)
    assert unique_name(spec) == unique_name(replace(spec, owner="bob@example.com", host_pin=None))
    assert unique_name(spec).startswith("a b c xxx")
    assert unique_name(spec).endswith("x (900000001)")
    assert len(unique_name(spec)) == 250
    assert unique_name(replace(spec, name="")) == "900000001"
    assert (
        unique_name(replace(spec, name="Old", alias=Alias(1, "meet.alice@example.com", "")))
        == "Old (meet.alice@example.com)"
    )


def test_an_owner_that_pexip_might_not_take_is_left_out() -> None:
    for owner in ("", "nobody", "a b@example.com", "x" * 90 + "@example.com", "ann@localhost"):
        assert "primary_owner_email_address" not in result(room_answer(room(1, owner=owner), SETTINGS))


_TEXTS = st.text(max_size=300)
_PINS = st.none() | st.just("") | st.integers(0, 999_999).map(lambda pin: f"{pin:06d}")


@given(
    name=_TEXTS,
    description=_TEXTS,
    owner=_TEXTS,
    pins=st.tuples(_PINS, _PINS).filter(lambda two: two[0] != two[1] or not two[0]),
    dropped=st.sets(st.sampled_from([one.name for one in fields(RoomStyle)])),
)
def test_the_answer_for_any_room_of_ours_is_valid(
    name: str, description: str, owner: str, pins: tuple[str | None, str | None], dropped: set[str]
) -> None:
    settings = replace(SETTINGS, style=replace(FULL, **dict.fromkeys(dropped)))
    spec = room(1, name=name, description=description, owner=owner, host_pin=pins[0], guest_pin=pins[1])
    assert problems(room_answer(spec, settings)) == []
    check_answer(spec, settings)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"pin": "", "guest_pin": ...}, ["pin: value", "allow_guests: without-pin"]),
        ({"pin": ...}, ["allow_guests: without-pin"]),
        ({"pin": "123"}, ["pin: value", "guest_pin: lengths"]),
        ({"pin": "12a456"}, ["pin: value"]),
        ({"pin": "12345\u0661"}, ["pin: value"]),
        ({"pin": "543210"}, ["guest_pin: equal"]),
        ({"pin": "12345"}, ["guest_pin: lengths"]),
        ({"pin": "12345#"}, []),
        ({"pin": "1234#", "guest_pin": "123456#"}, []),
        ({"pin": "1234#", "guest_pin": "123456"}, ["guest_pin: lengths"]),
        ({"pin": "1" * 21, "guest_pin": ...}, ["pin: value"]),
        ({"allow_guests": False}, ["guest_pin: without-guests"]),
        ({"allow_guests": "True"}, ["allow_guests: value"]),
        ({"view": "adaptive_composition"}, ["view: value"]),
        ({"view": "one_main_seven_pips"}, []),
        ({"host_view": "one_main_seven_pips"}, ["host_view: unknown"]),
        ({"max_callrate_in": 128}, ["max_callrate_in: value"]),
        ({"max_callrate_out": 8_192_001}, ["max_callrate_out: value"]),
        ({"participant_limit": True}, ["participant_limit: value"]),
        ({"participant_limit": -1}, ["participant_limit: value"]),
        ({"non_idp_participants": "allow"}, ["non_idp_participants: value"]),
        ({"crypto_mode": None}, ["crypto_mode: value"]),
        ({"name": "x" * 251}, ["name: value"]),
        ({"name": ""}, ["name: value"]),
        ({"name": ...}, ["name: missing"]),
        ({"service_tag": ...}, ["service_tag: missing"]),
        ({"description": "x" * 251}, ["description: value"]),
        ({"ivr_theme_name": ["Blue"]}, ["ivr_theme_name: value"]),
        ({"service_type": "gateway"}, ["service_type: value"]),
        ({"service_type": []}, ["service_type: value"]),
        ({"mute_all_guests": 1}, ["mute_all_guests: value"]),
    ],
)
def test_one_bad_field_is_found(changes: dict[str, Any], found: list[str]) -> None:
    assert problems(with_result(**changes)) == found


def test_an_envelope_is_judged_too() -> None:
    answer = room_answer(room(1), SETTINGS)
    assert problems(answer | {"status": "ok"}) == ["status: value"]
    assert problems(answer | {"action": "allow"}) == ["action: value"]
    assert problems(answer | {"action": "reject"}) == ["action: value"]
    assert problems(answer | {"result": "none"}) == ["result: value"]


def test_what_closes_or_passes_on_is_valid() -> None:
    for text in (PASSED_ON, REJECTED):
        assert problems(json.loads(text)) == []


def test_a_playlist_is_played_and_then_hung_up() -> None:
    answer = playback_answer(SETTINGS, "early", "Too early")
    assert result(answer) == {
        "service_type": "media_playback",
        "name": "greenroom-1-early",
        "service_tag": "greenroom-1-early",
        "media_playlist_name": "Too early",
        "on_completion": {"disconnect": True},
    }
    assert problems(answer) == []
    assert problems(answer | {"result": result(answer) | {"media_playlist_name": ""}}) == ["media_playlist_name: value"]
    assert problems(answer | {"result": result(answer) | {"on_completion": "disconnect"}}) == ["on_completion: value"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host_pin": "123"}, "pin: value"),
        ({"host_pin": "543210"}, "guest_pin: equal"),
        ({"guest_pin": "1234"}, "guest_pin: lengths"),
        ({"alias": Alias(1, "m\u00f8terom", "\u0661")}, "alias: value"),
    ],
)
def test_a_room_whose_answer_nobody_would_take_is_refused_before_it_is_stored(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(RoomRefusedError, match=code) as raised:
        check_answer(room(1, **changes), SETTINGS)
    assert not {"Planning", "123", "543210"} & set(str(raised.value).split())


@pytest.mark.parametrize(
    ("service", "status", "text"),
    [
        ("participant/properties", 200, PASSED_ON),
        ("participant/location", 404, None),
        ("participant/avatar/alice", 404, None),
        ("participant/avatar/sip:alice@example.com", 404, None),
        ("registrations", 200, NOTHING_FOUND),
        ("registrations/alice@example.com", 200, PASSED_ON),
        ("", 404, None),
        ("something/new", 404, None),
    ],
)
def test_another_question_leaves_the_platform_to_itself(service: str, status: int, text: bytes | None) -> None:
    found, body = other_answer(service)
    assert found == status
    assert json.loads(body)
    assert text is None or body == text
