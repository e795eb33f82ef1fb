"""Calls to the operations of the simulator's Graph face without HTTP: route found by method and address, answers checked.

Every event and every calendar that is answered is held against the published shape (where the schema is at hand).
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import pytest

from greenroom.simulator.exchange import Exchange
from greenroom.simulator.graph.call import App, GraphCall, GraphError, GraphReply, Preferences, Route
from greenroom.simulator.graph.routes import ROUTES
from support.shared import shared_path

BASE = "http://127.0.0.1:1/v1.0"


class Graph:
    """A client of the operations. `get`, `post`, `patch`, `delete` give the body; `call` the whole reply."""

    def __init__(self, exchange: Exchange, user: str, **prefer: Any) -> None:
        self.exchange = exchange
        self.user = user
        self.prefer = Preferences(**prefer)
        self.operations: list[str] = []

    def call(self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None) -> GraphReply:
        route, call = self.prepared(method, address, body, headers)
        self.operations.append(route.operation)
        reply = route.answer(call)
        json.dumps(reply.body).encode()
        check(reply.body)
        return reply

    def prepared(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Route, GraphCall]:
        """The route of an address and the call it is given. Addresses without "users/" are those of this user."""
        parts = urlsplit(address.removeprefix(BASE).lstrip("/"))
        path = parts.path if parts.path.startswith("users/") else f"users/{self.user}/{parts.path}"
        for route in ROUTES:
            values = _match(route.template, path.rstrip("/"))
            if route.method == method and values is not None:
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                mailbox = self.exchange.mailbox(values["user"]).address if "user" in values else ""
                lower = {name.lower(): value for name, value in (headers or {}).items()}
                app = App("app")
                return route, GraphCall(self.exchange, app, mailbox, values, query, lower, body, BASE, self.prefer)
        raise AssertionError(f"no route for {method} {path}")

    def sends(self, method: str, address: str, body: Any = None) -> bool:
        route, call = self.prepared(method, address, body)
        return route.sends is not None and route.sends(call)

    def get(self, address: str) -> Any:
        return self.call("GET", address).body

    def value(self, address: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(address)["value"]
        return found

    def only(self, address: str = "events") -> dict[str, Any]:
        (event,) = self.value(address)
        return event

    def post(self, address: str, body: Any = None) -> Any:
        return self.call("POST", address, body).body

    def patch(self, address: str, body: Any, **headers: str) -> Any:
        return self.call("PATCH", address, body, headers).body

    def delete(self, address: str) -> None:
        assert self.call("DELETE", address).status == 204

    def refused(self, method: str, address: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Status and code of a refusal."""
        with pytest.raises(GraphError) as caught:
            self.call(method, address, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return caught.value.status, caught.value.code


def _match(template: str, path: str) -> dict[str, str] | None:
    names, values = template.split("/"), path.split("/")
    if len(names) != len(values):
        return None
    found = {}
    for name, value in zip(names, values, strict=True):
        if name.startswith("{"):
            found[name[1:-1]] = unquote(value)
        elif name != value:
            return None
    return found


@cache
def _validator(kind: str) -> Any:
    try:
        path = shared_path("schemas/graph/outlook.json")
    except pytest.skip.Exception:
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{kind}"})


EVENT_NAMES = {"start", "iCalUId", "type", "subject", "changeKey", "@removed"}


def check(body: Any) -> None:
    """Raise when an event or calendar in a reply does not fit the schema, or has properties of no event."""
    if not isinstance(body, dict):
        return
    for one in body["value"] if isinstance(body.get("value"), list) else [body]:
        if not isinstance(one, dict):
            continue
        kind = "calendar" if "isDefaultCalendar" in one else "event" if EVENT_NAMES & set(one) else None
        validator = None if kind is None else _validator(kind)
        if validator is None:
            continue
        validator.validate(one)
        if kind == "event":
            known = validator.schema["$defs"]["event"]["properties"]
            assert {name for name in one if "@" not in name} <= set(known)


__all__ = ["BASE", "Graph", "check"]
