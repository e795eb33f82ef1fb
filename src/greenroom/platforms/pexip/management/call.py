"""One request to the management API as a value: the pure parts make it, `transport` sends it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from greenroom.platforms.pexip.management import addresses


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `operation` is its name for logs; `path` comes from `addresses` and ends with a slash."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def writes(self) -> bool:
        """Whether it changes something; such a request is never repeated by the transport."""
        return self.method != "GET"

    @property
    def target(self) -> str:
        """Path and query as they stand behind the root."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote, errors='replace')}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx: `body` is the parsed JSON (None for an empty one), `headers` have lower-case names."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def read(uri: str, resource: str) -> Call:
    """Read one item; ValueError for anything but its address."""
    return Call(f"read {resource}", "GET", addresses.item(uri, resource))


def create(resource: str, payload: Mapping[str, Any]) -> Call:
    """Make one object (POST on the list)."""
    return Call(f"create {resource}", "POST", addresses.configuration(resource), body=dict(payload))


def update(uri: str, resource: str, payload: Mapping[str, Any]) -> Call:
    """Change some fields of one item (PATCH on it); ValueError for anything but its address."""
    return Call(f"update {resource}", "PATCH", addresses.item(uri, resource), body=dict(payload))


def delete(uri: str, *resources: str) -> Call:
    """Delete one item; ValueError for anything but its address."""
    return Call("delete", "DELETE", addresses.item(uri, *resources))


def change_many(resource: str, objects: Sequence[Mapping[str, Any]], deleted: Sequence[str]) -> Call:
    """Change, make and delete in one request (PATCH on the list).

    An object with `resource_uri` is changed, one without is made. ValueError for anything but addresses of items.
    """
    for changed in objects:
        if "resource_uri" in changed:
            addresses.item(changed["resource_uri"], resource)
    gone = [addresses.item(uri, resource) for uri in deleted]
    body: dict[str, Any] = {"objects": [dict(changed) for changed in objects]}
    if gone:
        body["deleted_objects"] = gone
    return Call(f"change {resource}", "PATCH", addresses.configuration(resource), body=body)
