from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation, Person, Response, Sensitivity, Span

HEAD = "040000008200E00074C5B7101A82E008"
CLEAN = HEAD + "00000000" + "30AB5C1E2D4FDC01" + "0000000000000000" + "10000000" + "0123456789ABCDEF0123456789ABCDEF"
DATED = HEAD + "07EA0803" + CLEAN[40:]
START = datetime(2026, 8, 3, 9, tzinfo=UTC)


def observation(**changes: object) -> Observation:
    base = Observation(
        MeetingKey(CLEAN),
        ItemRef("AAMk=", "1"),
        Kind.SINGLE,
        Span(START, START + timedelta(hours=1)),
        Person("ada@example.org", "Ada"),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the tests name real fields


def test_the_global_object_id_of_an_occurrence_is_that_of_its_series() -> None:
    assert MeetingKey.of_global_object_id(bytes.fromhex(DATED)) == MeetingKey(CLEAN)
    assert MeetingKey.of_global_object_id(bytes.fromhex(CLEAN)) == MeetingKey(CLEAN)
    assert MeetingKey.of_uid(DATED) == MeetingKey.of_uid(CLEAN.lower()) == MeetingKey(CLEAN)


def test_a_foreign_uid_is_wrapped_as_exchange_wraps_it() -> None:
    # MS-OXCICAL 2.1.3.1.1.20.26: class id, zeros, the length, "vCal-Uid", 01000000, the text, a zero byte.
    uid = "abc123@google.com"
    wrapped = HEAD + "00" * 20 + "1E000000" + b"vCal-Uid".hex().upper() + "01000000" + uid.encode().hex().upper() + "00"
    assert MeetingKey.of_uid(uid).value == wrapped
    assert MeetingKey.of_global_object_id(bytes.fromhex(wrapped)) == MeetingKey.of_uid(uid)
    assert MeetingKey.of_uid(f"  {uid}\r\n") == MeetingKey.of_uid(uid)


@given(st.text(min_size=1, max_size=80).filter(str.strip))
def test_any_uid_has_one_key_and_the_key_its_bytes(uid: str) -> None:
    key = MeetingKey.of_uid(uid)
    assert MeetingKey.of_global_object_id(key.to_bytes()) == key
    assert key == MeetingKey.of_uid(uid)
    assert len(key.digest) == 32


def test_a_uid_that_only_begins_like_a_global_object_id_is_foreign() -> None:
    uid = HEAD + "-not hex"
    assert MeetingKey.of_uid(uid).to_bytes().endswith(uid.encode() + b"\0")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_key_that_does_not_change_again(raw: bytes) -> None:
    key = MeetingKey.of_global_object_id(raw)
    assert MeetingKey.of_global_object_id(key.to_bytes()) == key


def test_the_domain_of_a_person_is_behind_the_last_at() -> None:
    assert Person("ada@example.org").domain == "example.org"
    assert Person('"a@b"@example.org').domain == "example.org"
    assert Person("/o=org/cn=ada").domain == ""


def test_no_name_subject_or_body_is_shown() -> None:
    text = repr(
        observation(
            subject="planted subject",
            body_html="planted body",
            location="planted place",
            attendees=(Person("b@x", "planted"),),
        )
    )
    assert "planted" not in text
    assert "Ada" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "new"},
        {"kind": Kind.SERIES},
        {"cancelled": True},
        {"sensitivity": Sensitivity.PRIVATE},
        {"recurrence": "FREQ=DAILY"},
        {"span": Span(START, START + timedelta(hours=2))},
        {"span": None},
        {"key": MeetingKey.of_uid("x")},
    ],
)
def test_a_change_that_concerns_the_room_changes_the_fingerprint(changes: dict[str, object]) -> None:
    assert observation(**changes).fingerprint != observation().fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"body_html": "new"},
        {"response": Response.ACCEPTED},
        {"ref": ItemRef("other")},
        {"replied_at": START},
        {"location": "new"},
        {"span": Span(START, START + timedelta(hours=1), zone="W. Europe Standard Time")},
    ],
)
def test_an_echo_of_our_own_answer_keeps_the_fingerprint(changes: dict[str, object]) -> None:
    assert observation(**changes).fingerprint == observation().fingerprint


def test_a_lone_surrogate_in_a_subject_has_a_fingerprint_too() -> None:
    assert len(observation(subject="\ud800").fingerprint) == 32
