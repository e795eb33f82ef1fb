"""The lists of fields, and payloads held against them."""

from typing import Any

import pytest

from greenroom.simulator.pexip.fields import CONFIGURATION, RESOURCES
from support.pexip_fields import assert_known_fields, assert_known_list_patch, field_problems

CONFERENCE = "/api/admin/configuration/v1/conference/1/"


def test_the_lists_have_as_many_fields_as_the_published_schema() -> None:
    published = {
        "configuration/conference": 53,
        "configuration/conference_alias": 7,
        "configuration/ivr_theme": 10,
        "configuration/identity_provider_group": 5,
        "configuration/end_user": 18,
        "configuration/media_library_playlist": 7,
        "configuration/ms_exchange_connector": 104,
        "configuration/exchange_domain": 5,
        "configuration/scheduled_alias": 11,
        "configuration/scheduled_conference": 10,
        "configuration/recurring_conference": 8,
        "configuration/system_location": 32,
        "status/conference": 10,
        "status/participant": 47,
        "status/licensing": 21,
        "history/conference": 12,
        "status/exchange_scheduler": 4,
    }
    assert {name: len(RESOURCES[name].fields) for name in published} == published


def test_references_point_to_resources_and_every_field_is_there_once() -> None:
    for resource in RESOURCES.values():
        assert len(resource.by_name) == len(resource.fields), resource.key
        assert set(resource.filtering) <= set(resource.by_name), resource.key
        assert set(resource.ordering) <= set(resource.by_name), resource.key
        for field in resource.fields:
            assert (field.points_to is not None) is (field.kind == "related"), (resource.key, field.name)
            assert field.default is None or not field.choices or field.default in ("", *field.choices)
            if field.reverse is not None and field.points_to in CONFIGURATION:
                assert field.reverse in CONFIGURATION[field.points_to].by_name


@pytest.mark.parametrize(
    ("resource", "payload"),
    [
        ("conference", {"name": "x", "aliases": [{"alias": "a", "description": ""}], "pin": "1234", "ivr_theme": None}),
        ("conference", {"ivr_theme": "/api/admin/configuration/v1/ivr_theme/3/", "participant_limit": 5}),
        ("conference_alias", {"alias": "a", "conference": CONFERENCE}),
        ("command/conference/disconnect", {"conference_id": "x"}),
    ],
)
def test_a_good_payload_passes(resource: str, payload: dict[str, Any]) -> None:
    assert_known_fields(resource, payload)


@pytest.mark.parametrize(
    ("resource", "payload"),
    [
        ("conference", {"alias": "a"}),
        ("conference", {"aliases": [{"name": "a"}]}),
        ("conference", {"aliases": [{"alias": "x" * 251}]}),
        ("conference", {"tag": None}),
        ("conference", {"pin": 1234}),
        ("conference", {"creation_time": "2026-12-01T00:00:00"}),
        ("conference", {"ivr_theme": 3}),
        ("conference", {"ivr_theme": CONFERENCE}),
        ("conference", {"call_type": "voice"}),
        ("conference", {"participant_limit": True}),
        ("conference_alias", {"conference": {"name": "x"}}),
    ],
)
def test_a_bad_payload_does_not(resource: str, payload: dict[str, Any]) -> None:
    assert field_problems(resource, payload)
    with pytest.raises(AssertionError):
        assert_known_fields(resource, payload)


def test_what_was_read_may_have_fields_that_cannot_be_written() -> None:
    read = {
        "id": 1,
        "name": "x",
        "scheduled_conferences_count": 0,
        "aliases": [{"id": 1, "alias": "a", "conference": CONFERENCE}],
    }
    assert_known_fields("conference", read, writing=False)
    with pytest.raises(AssertionError):
        assert_known_fields("conference", read)


def test_a_new_object_needs_what_is_required() -> None:
    assert field_problems("conference", {"tag": "x"}, creating=True) == ["name is required"]


def test_the_patch_of_a_list_is_looked_into() -> None:
    good = {"objects": [{"resource_uri": CONFERENCE, "tag": "x"}, {"name": "y"}], "deleted_objects": [CONFERENCE]}
    assert_known_list_patch("conference", good)
    refused: tuple[dict[str, Any], ...] = (
        {"objects": [{"tag": "x"}]},
        {"deleted_objects": [CONFERENCE]},
        {"objects": [], "deleted_objects": ["/api/admin/configuration/v1/conference/"]},
        {"objects": [], "delete": []},
    )
    for bad in refused:
        with pytest.raises(AssertionError):
            assert_known_list_patch("conference", bad)
