"""Calls to the operations of the simulator's Graph face without HTTP: route found by method and address, answers checked.

Every answer is held against the published schema (where it is at hand), as the running face's are.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from greenroom.simulator.exchange import Exchange
from greenroom.simulator.graph.call import App, GraphCall, GraphError, GraphReply, Preferences, Route
from greenroom.simulator.graph.matching import Router
from greenroom.simulator.graph.routes import ROUTES
from support.graph_schema import graph_judge

BASE = "http://127.0.0.1:1/v1.0"
ROUTER = Router(ROUTES)


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
        assert isinstance(reply, GraphReply)
        body = json.loads(json.dumps(reply.body).encode())
        wrong: list[str] = []
        judge = graph_judge(wrong)
        if judge is not None:
            judge.reply(route.operation, reply.status, body)
        assert wrong == []
        return reply

    def prepared(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Route, GraphCall]:
        """The route of an address and the call it is given. Addresses without "users/" are those of this user."""
        parts = urlsplit(address.removeprefix(BASE).lstrip("/"))
        path = parts.path if parts.path.startswith("users/") else f"users/{self.user}/{parts.path}"
        route, values = ROUTER.match(method, path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        mailbox = self.exchange.mailbox(values["user"]).address
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return route, GraphCall(self.exchange, App("app"), mailbox, values, query, lower, body, BASE, self.prefer)

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
