"""The Graph face: `/v1.0/...` over a store, as Microsoft Graph serves Outlook calendars to applications.

Application permissions only: a bearer token of the token endpoint beside it (see `graph.login`) says which application
calls, its scope which mailboxes it may open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from greenroom.simulator.graph.asking import MAX_BODY_BYTES, Asked
from greenroom.simulator.graph.batch import Batch
from greenroom.simulator.graph.call import GraphError
from greenroom.simulator.graph.callbacks import Callbacks
from greenroom.simulator.graph.dispatch import Answered, Dispatcher
from greenroom.simulator.graph.login import Login
from greenroom.simulator.graph.login_control import login_control
from greenroom.simulator.graph.matching import Router
from greenroom.simulator.graph.routes import ROUTES
from greenroom.simulator.graph.subscriptions import Subscriptions
from greenroom.simulator.graph.throttle import Throttle
from greenroom.simulator.graph.tokens import TokenBook
from greenroom.simulator.wire import SPOILED, bounded_body, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.faults import Faults
    from greenroom.simulator.graph.dispatch import GraphJudge
    from greenroom.simulator.graph.sessions import Sessions
    from greenroom.simulator.graph.subscriptions import LifecycleEvent

GRAPH_ROOT: Final = "/v1.0"
_JSON: Final = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

log = structlog.get_logger(__name__)


class GraphFace:
    """The face itself. `tokens`, `throttle`, `subscriptions`, `callbacks` and `latency` are there for tests to turn.

    ``judge`` may look at every request, reply and notification; notifications go through ``callback_transport`` if it is given.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        faults: Faults,
        counters: Counters,
        strict: bool = True,
        judge: GraphJudge | None = None,
        callback_transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.exchange = exchange
        self.faults = faults
        self.counters = counters
        self.tokens = TokenBook(exchange)
        self.throttle = Throttle(exchange.site.now, strict=strict)
        self._login = Login(exchange, self.tokens, faults=faults, counters=counters, pause=self.pause)
        router = Router(ROUTES)
        self._dispatcher = Dispatcher(
            exchange,
            router,
            faults=faults,
            counters=counters,
            throttle=self.throttle,
            pause=self.pause,
            judge=judge,
        )
        self.callbacks = Callbacks(clock=exchange.site.now, pause=self.pause, transport=callback_transport)
        self.subscriptions = Subscriptions(
            exchange,
            self.callbacks,
            admit=self._dispatcher.admit,
            faults=faults,
            counters=counters,
            pause=self.pause,
            judge=judge,
        )
        router.add(*self.subscriptions.routes(), *Batch(exchange, self._dispatcher.perform).routes())
        self._stopping = asyncio.Event()

    @property
    def sessions(self) -> Sessions:
        """Users who signed in at the login host."""
        return self._login.sessions

    @property
    def tenant(self) -> str:
        """The id of the tenant."""
        return self.exchange.site.tenant

    @property
    def latency(self) -> float:
        """Seconds every answer takes at least, while the request counts as in flight."""
        return self._dispatcher.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._dispatcher.latency = seconds

    def routes(self) -> list[BaseRoute]:
        """The routes of this face and of the doors before it."""
        control = login_control(self.sessions, self.tokens)
        return [*control, WebRoute(GRAPH_ROOT + "/{rest:path}", self), *self._login.routes()]

    def close(self) -> None:
        """End hanging answers and what runs for subscriptions, so that a server can stop."""
        self._stopping.set()
        self.callbacks.close()

    def lifecycle(self, subscription_id: str, event: LifecycleEvent) -> None:
        """Let Graph tell a subscriber about its subscription; see `Subscriptions.lifecycle`."""
        self.subscriptions.lifecycle(subscription_id, event)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the server runs; even for nothing others get their turn."""
        if not seconds:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        request = Request(scope, receive)
        try:
            body = await bounded_body(request, MAX_BODY_BYTES)
        except ClientDisconnect:
            return
        headers = self._headers(request)
        about = {
            "date": self.exchange.clock().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": headers["request-id"],
            "client-request-id": headers["client-request-id"],
        }
        answered = await self._answered(request, body, about)
        await self._send(answered, headers, scope, receive, send)

    async def _answered(self, request: Request, body: bytes | None, about: Mapping[str, str]) -> Answered:
        try:
            app = self.tokens.check(request.headers.get("Authorization"))
        except GraphError as error:
            self.counters.auth_failure("bearer")
            return self._refused(error, about)
        if body is None:
            return self._refused(GraphError(413, "RequestEntityTooLarge", "The request is larger than 4 MB."), about)
        asked = Asked(
            method=request.method,
            path=_raw_path(request.scope)[len(GRAPH_ROOT) :],
            query=request.url.query,
            headers={name.lower(): value for name, value in request.headers.items()}
            | {"prefer": ",".join(request.headers.getlist("prefer"))},
            body=body,
            base=f"{request.url.scheme}://{request.url.netloc}{GRAPH_ROOT}",
        )
        return await self._dispatcher.perform(app, asked, about)

    def _refused(self, error: GraphError, about: Mapping[str, str]) -> Answered:
        self.counters.status(error.status)
        self.counters.code(error.code)
        refusal = {"error": {"code": error.code, "message": error.message, "innerError": dict(about)}}
        return Answered(error.status, refusal, dict(error.headers))

    async def _send(
        self, answered: Answered, headers: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        if answered.spoilt == "cut":
            await cut(scope)
            return
        data = b"" if answered.body is None else json.dumps(answered.body, ensure_ascii=False).encode()
        if answered.spoilt is not None:
            scope[SPOILED] = True
            data = data[: len(data) // 2] if answered.spoilt == "truncated" else b"<html><body>It works!</body>\x00\xff"
        kind = _JSON if data else None
        response = Response(data, answered.status, headers | answered.headers, kind)
        await response(scope, receive, send)

    def _headers(self, request: Request) -> dict[str, str]:
        request_id = str(uuid.uuid4())
        return {
            "Date": format_datetime(self.exchange.clock(), usegmt=True),
            "Cache-Control": "private",
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id)[:200],
        }


def _raw_path(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"])
    return str(path).partition("?")[0]
