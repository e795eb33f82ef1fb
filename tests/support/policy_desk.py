"""A desk that knows two aliases, a door with it, and a node that asks."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx2
from pydantic import SecretStr

from greenroom.platforms.policy import PolicyAnswer, PolicyDesk, PolicyRequest, PolicyVerdict
from greenroom.web.policy import policy_app
from greenroom.web.policy_callers import PolicyCaller
from greenroom.web.policy_guard import Guard, GuessLimits
from support.join_rooms import Clock

OPEN, CLOSED, FOREIGN = "meet.100", "meet.200", "reception"
NAME, PASSWORD = "node", "planted-pässword"
GUEST = "203.0.113.9"
CONFIGURATION = "service/configuration"


class FakeDesk:
    """Aliases that begin with "meet." look like ours, one room is open and one is closed."""

    def __init__(self) -> None:
        self.asked: list[PolicyRequest] = []
        self.broken = False

    async def answer(self, request: PolicyRequest, now: datetime) -> PolicyAnswer:
        self.asked.append(request)
        if self.broken:
            raise ValueError("planted-secret")
        alias = request.parameters.get("local_alias", "")
        if request.service != CONFIGURATION:
            return _answer(PolicyVerdict.ELSE, request)
        if alias == OPEN:
            return _answer(PolicyVerdict.ROOM, request, name="planted-title")
        if alias == CLOSED:
            return _answer(PolicyVerdict.CLOSED, request)
        return _answer(PolicyVerdict.UNKNOWN if "meet." in alias else PolicyVerdict.FOREIGN, request)

    def refusal(self, request: PolicyRequest) -> PolicyAnswer:
        ours = "meet." in request.parameters.get("local_alias", "") and request.service == CONFIGURATION
        return _answer(PolicyVerdict.UNKNOWN if ours else PolicyVerdict.FOREIGN, request)


def _answer(verdict: PolicyVerdict, request: PolicyRequest, **result: str) -> PolicyAnswer:
    action = "reject" if verdict in {PolicyVerdict.UNKNOWN, PolicyVerdict.CLOSED} else "continue"
    body = json.dumps({"status": "success", "action": action, "result": result})
    known = verdict in {PolicyVerdict.ROOM, PolicyVerdict.CLOSED}
    return PolicyAnswer(
        verdict,
        body.encode(),
        integration=1 if known else None,
        mark="ab" * 16 if known else "",
        caller=request.parameters.get("remote_alias", ""),
        caller_address=request.parameters.get("remote_address", ""),
    )


def caller(
    *integrations: int,
    name: str = NAME,
    password: str = PASSWORD,
    networks: Sequence[str] = (),
    certificate: bool = False,
) -> PolicyCaller:
    within = tuple(ip_network(network) for network in networks)
    return PolicyCaller(name, SecretStr(password), frozenset(integrations or {1}), within, certificate)


def basic(name: str = NAME, password: str = PASSWORD, charset: str = "utf-8") -> dict[str, str]:
    pair = f"{name}:{password}".encode(charset)
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class Node:
    """A node of the platform at an address, and the door it asks at."""

    def __init__(
        self,
        *callers: PolicyCaller,
        limits: GuessLimits | None = None,
        certified: bool = False,
        address: str = "10.0.0.5",
        desk: PolicyDesk | None = None,
    ) -> None:
        self.desk, self.clock, self.guard = FakeDesk(), Clock(), Guard(limits, key=b"planted")
        self.app = policy_app(desk or self.desk, callers or (caller(),), self.guard, self.clock, certified=certified)
        self.at(address)

    def at(self, address: str) -> None:
        transport = httpx2.ASGITransport(app=self.app, client=(address, 40_000))
        self.client = httpx2.AsyncClient(transport=transport, base_url="https://meet.example.org")

    async def ask(
        self, path: str = f"/policy/v1/{CONFIGURATION}", method: str = "GET", **options: Any
    ) -> httpx2.Response:
        options.setdefault("headers", basic())
        return await self.client.request(method, path, **options)

    async def dials(
        self, alias: str, caller: str = "sip:eve@example.net", address: str = GUEST, service: str = CONFIGURATION
    ) -> dict[str, Any]:
        """What the node learns when somebody dials an alias."""
        asked = {"local_alias": alias, "remote_alias": caller, "remote_address": address}
        answer = await self.ask(f"/policy/v1/{service}", params=asked)
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told

    async def lets_in(
        self, alias: str = OPEN, caller: str = "sip:ann@example.com", address: str = "198.51.100.7"
    ) -> bool:
        return "name" in (await self.dials(alias, caller, address))["result"]

    def later(self, **passed: float) -> None:
        self.clock.now += timedelta(**passed)
