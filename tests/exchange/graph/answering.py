"""A Microsoft Graph that answers from a script, and tokens from nowhere: for what a well-behaved server never does."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from exchange.scripted import Clock, unread
from greenroom.exchange.graph.call import Call, path
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.exchange.graph.transport import GraphTransport

MAILBOX = "vmr@example.test"
READ = Call("GetEvent", "GET", path("users", MAILBOX, "events", "a"), MAILBOX)
WRITE = Call("UpdateEvent", "PATCH", path("users", MAILBOX, "events", "a"), MAILBOX, body={"x": 1}, writes=True)
SEND = Call("AcceptEvent", "POST", path("users", MAILBOX, "events", "a", "accept"), MAILBOX, writes=True, sends=True)

Answer = httpx2.Response | Exception
Script = Callable[[httpx2.Request], Answer]


@dataclass
class Tokens:
    """Gives `token-1`, and one more each time a fresh one is asked for."""

    given: int = 1
    error: Exception | None = None
    expires_at: datetime | None = None

    async def token(self, *, fresh: bool = False) -> str:
        if self.error is not None:
            raise self.error
        self.given += fresh
        return f"token-{self.given}"

    async def close(self) -> None:
        pass


@dataclass
class Graph:
    """Answers each request as `script` says, and keeps what was asked."""

    script: Script
    tokens: Tokens = field(default_factory=Tokens)
    clock: Clock = field(default_factory=Clock)
    asked: list[httpx2.Request] = field(default_factory=list)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.clock)

    def transport(self, **more: Any) -> GraphTransport:
        settings = GraphSettings(MAILBOX, "tenant", self.tokens, timeout=timedelta(seconds=5), **more)
        return GraphTransport(settings, limits=self.limits, clock=self.clock, http=httpx2.MockTransport(self._answer))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        answer = self.script(request)
        if isinstance(answer, Exception):
            raise answer
        return unread(answer)


def always(*answers: Answer) -> Graph:
    """A Graph that gives these answers in turn, and then the last one for ever."""
    left = list(answers)
    return Graph(lambda _: left.pop(0) if len(left) > 1 else left[0])


def ok(body: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps(body if body is not None else {}).encode(), headers=headers)


def refused(status: int, code: str = "ErrorOdd", **headers: str) -> httpx2.Response:
    body = {"error": {"code": code, "message": "Zimtschnecken", "innerError": {}}}
    return httpx2.Response(status, content=json.dumps(body).encode(), headers=headers)
