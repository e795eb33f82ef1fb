"""What Pexip is told of a room, and what it would never accept."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import Alias, AliasPlan
from greenroom.platforms import RoomRefusedError
from greenroom.platforms.pexip.management.values import conference
from greenroom.platforms.pexip.names import LONGEST, names, one_line
from greenroom.platforms.pexip.payload import LINKS, aliases, changed, check, fingerprint, payload
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle
from support.pexip_fields import assert_known_fields
from support.records import room

SETTINGS = PexipSettings(7)
FULL = RoomStyle(
    theme="Ours",
    host_identity_provider_group="Staff",
    guest_identity_provider_group="Guests",
    non_idp_participants="allow_if_trusted",
    guests_can_present=False,
    mute_all_guests=True,
    participant_limit=0,
    call_type="video-only",
    host_view="one_main_seven_pips",
    crypto_mode="besteffort",
    enable_chat="no",
    live_captions_enabled="yes",
    max_pixels_per_second="fullhd",
    max_callrate_in=128,
    max_callrate_out=8192,
)
URIS = {
    "ivr_theme": "/api/admin/configuration/v1/ivr_theme/3/",
    "host_identity_provider_group": "/api/admin/configuration/v1/identity_provider_group/1/",
    "guest_identity_provider_group": "/api/admin/configuration/v1/identity_provider_group/2/",
}
PINS = st.one_of(st.none(), st.from_regex(r"\A[0-9]{4,19}#?\Z"))


def test_a_room_without_wishes_leaves_everything_to_pexip() -> None:
    told = payload(room(1), SETTINGS, {})
    assert told == {
        "name": "Planning 1",
        "service_type": "conference",
        "description": "For the planning",
        "tag": f"greenroom-7-{room(1).mark}",
        "primary_owner_email_address": "ann@example.com",
        "pin": "012345",
        "guest_pin": "543210",
        "allow_guests": True,
        "aliases": [
            {"alias": "vc-900000001@example.com", "description": "greenroom"},
            {"alias": "900000001", "description": "greenroom"},
        ],
    }
    assert_known_fields("conference", told, creating=True)


def test_every_wish_is_a_field_of_the_published_schema_with_a_value_it_allows() -> None:
    assert all(getattr(FULL, one.name) is not None for one in fields(FULL))
    told = payload(room(1), replace(SETTINGS, style=FULL), URIS)
    assert_known_fields("conference", told, creating=True)
    assert {LINKS.get(one.name, one.name) for one in fields(FULL)} <= set(told)
    assert told["max_callrate_in"] == 128, "in kbit/s, as the management API counts"


@given(name=st.text(), description=st.text(), owner=st.text(max_size=120), host=PINS, guest=PINS)
def test_whatever_passes_the_check_is_a_valid_payload(
    name: str, description: str, owner: str, host: str | None, guest: str | None
) -> None:
    spec = room(1, name=name, description=description, owner=owner, host_pin=host, guest_pin=guest)
    try:
        check(spec)
    except RoomRefusedError:
        assert host is not None
        assert guest is not None
        return
    for one in names(spec):
        told = payload(spec, SETTINGS, {}, one)
        assert_known_fields("conference", told, creating=True)
        assert told["name"].strip() == told["name"] != ""
        assert ("pin" in told) == (host is not None or guest is not None)
        assert told["allow_guests"] == (host is not None), "guests are allowed exactly where hosts are known"
        assert "guest_pin" not in told or told["allow_guests"]


@pytest.mark.parametrize(
    ("host", "guest", "expected"),
    [
        ("1234", "5678", {"pin": "1234", "guest_pin": "5678", "allow_guests": True}),
        ("1234#", "56789#", {"pin": "1234#", "guest_pin": "56789#", "allow_guests": True}),
        (None, "5678", {"pin": "5678", "allow_guests": False}),
        ("1234", None, {"pin": "1234", "allow_guests": True}),
        (None, None, {"allow_guests": False}),
    ],
    ids=["both", "both-of-other-length", "guest", "host", "none"],
)
def test_pins_are_told_by_who_uses_them(host: str | None, guest: str | None, expected: dict[str, Any]) -> None:
    spec = room(1, host_pin=host, guest_pin=guest)
    check(spec)
    told = payload(spec, SETTINGS, {})
    assert {key: told[key] for key in ("pin", "guest_pin", "allow_guests") if key in told} == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host_pin": "123"}, "pin: not-a-pin"),
        ({"host_pin": "1" * 21}, "pin: not-a-pin"),
        ({"guest_pin": "12a4"}, "guest_pin: not-a-pin"),
        ({"guest_pin": "12#4"}, "guest_pin: not-a-pin"),
        ({"guest_pin": ""}, "guest_pin: not-a-pin"),
        ({"guest_pin": "١٢٣٤"}, "guest_pin: not-a-pin"),
        ({"host_pin": "1234", "guest_pin": "1234"}, "guest_pin: same-as-pin"),
        ({"host_pin": "1234", "guest_pin": "12345"}, "guest_pin: other-length"),
        ({"host_pin": "1234#", "guest_pin": "12345"}, "guest_pin: other-length"),
        ({"alias": Alias(1, "a" * 251, "1")}, "alias: too-long"),
        ({"alias": Alias(1, "a\nb", "1")}, "alias: not-an-alias"),
        ({"alias": Alias(1, "", "1")}, "alias: not-an-alias"),
    ],
)
def test_what_pexip_would_never_accept_is_refused_by_code(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(RoomRefusedError) as raised:
        check(room(1, **changes))
    assert str(raised.value) == code


def test_one_alias_is_told_once() -> None:
    alias = AliasPlan().alias(123456789)
    assert alias.name == alias.numeric
    assert aliases(room(1, alias=alias)) == ("123456789",)
    assert len(payload(room(1, alias=alias), SETTINGS, {})["aliases"]) == 1


def test_an_address_that_is_too_long_is_left_out() -> None:
    owner = "a" * 89 + "@example.com"
    assert "primary_owner_email_address" not in payload(room(1, owner=owner), SETTINGS, {})
    assert payload(room(1, owner=owner[1:]), SETTINGS, {})["primary_owner_email_address"] == owner[1:]


def test_texts_are_one_line_and_not_too_long() -> None:
    spec = room(1, name=" Plan\tning\x00 \u2028 now ", description="x" * 300)
    told = payload(spec, SETTINGS, {})
    assert told["name"] == "Plan ning now"
    assert told["description"] == "x" * 250
    assert one_line("\ud800half") == "half"


def test_a_name_that_another_has_gets_a_number_that_stays_the_same() -> None:
    first, *numbered = names(room(1, name="x" * 300))
    assert first == "x" * LONGEST
    assert [len(name) for name in numbered] == [LONGEST] * 4
    assert [name.rpartition(" (")[2].rstrip(")").isdigit() for name in numbered] == [True] * 4
    assert names(room(1, name="x" * 300)) == (first, *numbered)
    assert not set(numbered) & set(names(room(2, name="x" * 300))), "another room has other numbers"


def test_a_room_without_a_name_gets_a_neutral_one_with_a_number() -> None:
    assert all(name.startswith("Meeting (") for name in names(room(1, name=" \n")))


def test_a_fingerprint_follows_what_is_told_and_nothing_else() -> None:
    told = fingerprint(room(1), SETTINGS)
    assert told == fingerprint(room(1, join_id="another", admission=room(2).admission), SETTINGS)
    others = [
        fingerprint(room(1, name="Other"), SETTINGS),
        fingerprint(room(1, host_pin="999999"), SETTINGS),
        fingerprint(room(1, alias=room(2).alias), SETTINGS),
        fingerprint(room(1), replace(SETTINGS, style=RoomStyle(theme="Ours"))),
        fingerprint(room(1), replace(SETTINGS, style=RoomStyle(theme="Theirs"))),
    ]
    assert len({told, *others}) == 6


def seen(told: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A conference as it would be read back."""
    uri = "/api/admin/configuration/v1/conference/1/"
    alias_uri = "/api/admin/configuration/v1/conference_alias/"
    read = [
        one | {"resource_uri": f"{alias_uri}{at}/", "conference": uri}
        for at, one in enumerate(told["aliases"], start=1)
    ]
    return {"pin": "", "guest_pin": "", **told, "aliases": read, "resource_uri": uri, **fields}


def test_only_what_differs_is_changed() -> None:
    styled = replace(SETTINGS, style=FULL)
    told = payload(room(1), styled, URIS)
    in_full = {"resource_uri": URIS["ivr_theme"], "name": "Ours"}
    assert changed(room(1), styled, URIS, conference(seen(told, ivr_theme=in_full))) == {}
    other = conference(seen(told, ivr_theme=None, pin="****", guests_can_present=True))
    assert changed(room(1), styled, URIS, other) == {
        "ivr_theme": URIS["ivr_theme"],
        "pin": "012345",
        "guests_can_present": False,
    }


def test_pins_and_owners_that_are_no_more_are_cleared() -> None:
    there = conference(seen(payload(room(1), SETTINGS, {})))
    bare = room(1, host_pin=None, guest_pin=None, owner="a" * 101)
    told = changed(bare, SETTINGS, {}, there)
    assert told == {"pin": "", "guest_pin": "", "allow_guests": False, "primary_owner_email_address": ""}
    assert_known_fields("conference", told)
