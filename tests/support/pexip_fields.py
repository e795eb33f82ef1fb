"""Payloads held against the published lists of fields of Pexip's management API."""

from collections.abc import Mapping
from typing import Any

from greenroom.simulator.pexip.fields import RESOURCES, Field, Resource
from greenroom.simulator.pexip.values import value_problem


def field_problems(
    resource: str, payload: Mapping[str, Any], *, writing: bool = True, creating: bool = False
) -> list[str]:
    """What is wrong with a payload; `assert_known_fields` says it loudly. ``creating``: required fields have to be there."""
    known = _resource(resource)
    problems = [
        problem for name, value in payload.items() if (problem := _problem(known, name, value, writing=writing))
    ]
    if creating:
        problems += [
            f"{field.name} is required" for field in known.fields if field.required and field.name not in payload
        ]
    return problems


def assert_known_fields(
    resource: str, payload: Mapping[str, Any], *, writing: bool = True, creating: bool = False
) -> None:
    """Hold a payload against the list of fields: names, types, lengths, ranges, choices, addresses.

    ``resource`` is "conference" or "status/conference"; ``writing``: fields that can only be read are a fault (an item's own
    "resource_uri" and "id" are not); nested aliases are looked into.
    """
    problems = field_problems(resource, payload, writing=writing, creating=creating)
    assert not problems, f"{resource}: " + "; ".join(problems)


def assert_known_list_patch(resource: str, payload: Mapping[str, Any]) -> None:
    """Hold the payload of a PATCH of a list against the list of fields."""
    assert set(payload) <= {"objects", "deleted_objects"}, sorted(payload)
    assert isinstance(payload.get("objects"), list)
    for one in payload["objects"]:
        assert_known_fields(resource, one, creating="resource_uri" not in one)
    path = _resource(resource).path
    assert all(
        isinstance(one, str) and one.startswith(path) and one != path for one in payload.get("deleted_objects", [])
    )


def _resource(name: str) -> Resource:
    key = name if "/" in name else f"configuration/{name}"
    assert key in RESOURCES, f"{key} is not simulated"
    return RESOURCES[key]


def _problem(resource: Resource, name: str, value: Any, *, writing: bool) -> str | None:
    field = resource.by_name.get(name)
    if field is None:
        return f"there is no field {name}"
    if name in ("id", "resource_uri"):
        return None
    if writing and field.readonly:
        return f"{name} cannot be written"
    if field.kind == "related":
        return _reference_problem(field, value, writing=writing)
    problem = value_problem(field, value)
    return f"{name}: {problem}" if problem else None


def _reference_problem(field: Field, value: Any, *, writing: bool) -> str | None:
    if value is None:
        return None if field.nullable else f"{field.name} cannot be null"
    if field.many and not isinstance(value, list):
        return f"{field.name} is not a list"
    for one in value if field.many else [value]:
        if isinstance(one, dict):
            if not field.whole:
                return f"{field.name} is an address, not an object"
            assert field.points_to is not None
            if inside := field_problems(field.points_to, one, writing=writing):
                return f"{field.name}: {inside[0]}"
        elif not (isinstance(one, str) and one.startswith(f"/api/admin/configuration/v1/{field.points_to}/")):
            return f"{field.name} is not the address of a {field.points_to}"
    return None
