"""Places in the organizer's meeting over Graph: a list that reads as one text, of which nobody else's entry is changed."""

from typing import Any

import pytest

from greenroom.exchange.graph import locations
from greenroom.meetings.instructions import with_location

PLACES = (
    {"displayName": "Room 4", "locationEmailAddress": "r4@example.test", "coordinates": {"latitude": 52.5}},
    {"displayName": "Room 4; annexe", "locationType": "conferenceRoom"},
)


def test_a_new_place_is_appended_and_the_others_stay_as_they_were() -> None:
    text = locations.text_of(PLACES)
    assert text == "Room 4; Room 4; annexe"
    changed = locations.changed(PLACES, with_location(text, "VMR 123"))
    assert changed == [*PLACES, {"displayName": "VMR 123", "locationType": "default"}]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("VMR; Room 4", ["VMR", "Room 4"]),
        ("Room 4; annexe", ["Room 4; annexe"]),
        ("A; B", ["A", "B"]),
        ("", []),
        ("; ;  ; A", ["A"]),
        ("Room 45", ["Room 45"]),
    ],
)
def test_the_list_reads_as_the_text(wanted: str, names: list[str]) -> None:
    assert [place["displayName"] for place in locations.changed(PLACES, wanted)] == names


def test_places_come_from_the_list_or_the_single_one() -> None:
    assert locations.places_of({"location": {"displayName": "A"}, "locations": []}) == ({"displayName": "A"},)
    nothing: tuple[Any, ...] = (
        {},
        {"locations": [1, {}, {"displayName": ""}, {"displayName": 5}]},
        {"location": None},
        None,
        [],
    )
    for raw in nothing:
        assert locations.places_of(raw) == ()
