"""Calls to the simulated Pexip, without a network; and a policy server that says what a test wants."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from greenroom.simulator.pexip import InProcess, Pexip

CONFIGURATION = "/api/admin/configuration/v1"
CONFERENCES = f"{CONFIGURATION}/conference/"
ALIASES = f"{CONFIGURATION}/conference_alias/"
ADMIN = ("admin", "pexip-admin")


@asynccontextmanager
async def calling(pexip: Pexip, auth: tuple[str, str] | None = ADMIN) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the management API and of the control surface."""
    transport = InProcess(pexip)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", auth=auth, timeout=0.5) as http:
        yield http


@dataclass
class ScriptedPolicy(httpx2.AsyncBaseTransport):
    """A policy server as a transport: answers what `reply` is, and keeps what it was asked."""

    reply: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    asked: list[httpx2.Request] = field(default_factory=list)
    answer: Callable[[httpx2.Request], httpx2.Response] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.answer is not None:
            return self.answer(request)
        body = self.reply if isinstance(self.reply, bytes) else json.dumps(self.reply).encode()
        return httpx2.Response(self.status, headers=self.headers, content=body)

    @property
    def last(self) -> dict[str, str]:
        """The parameters of the last question."""
        return dict(self.asked[-1].url.params)


def success(result: Any = None, action: str = "continue") -> dict[str, Any]:
    """An answer of a policy server that counts."""
    return {"status": "success", "action": action, "result": {} if result is None else result}
