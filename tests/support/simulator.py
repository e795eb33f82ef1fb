"""A running simulator for tests: over real HTTP on a free port of 127.0.0.1, its replies checked against the schemas.

Two ways to use it::

    async def test_…():                       # server and test share one event loop
        async with simulator_in_loop(SEED) as sim:
            sim.exchange.create_meeting(...)

    def test_…():                             # server in a thread of its own, for synchronous clients
        with running_simulator(SEED) as sim:
            sim.exchange.create_meeting(...)  # every call is carried into the server's loop

On leaving, the test fails if any reply, or any request to Graph, did not fit the schema (where the schema files are
at hand).
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from greenroom.simulator.app import SimulatorApp, create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.counters import Counters
from greenroom.simulator.ews_face import EWS_PATH, EwsFace
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.faults import FaultRule, Faults
from greenroom.simulator.graph_face import GRAPH_ROOT, GraphFace
from greenroom.simulator.seeding import seed
from greenroom.simulator.server import SimulatorServer, address_of, listening_socket, simulator_config
from greenroom.simulator.wire import SPOILED
from support import planted
from support.ews_schema import ews_schema, request_complaint, validate_body, validate_stream
from support.graph_schema import graph_judge

if TYPE_CHECKING:
    from support.negotiating import Door

T = TypeVar("T")

EQUIPMENT = "vmr@sim.test"
ORGANIZER = "olga@sim.test"
ATTENDEE = "anton@sim.test"
SERVICE = "svc"
PASSWORD = planted.PASSWORD
CLIENT_ID = "5e0a4d1c-93f2-4c7b-a8d6-1f0b7c2e9d34"
CLIENT_SECRET = planted.CLIENT_SECRET

SMALL_WORLD: Mapping[str, Any] = {
    "mailboxes": [
        {"address": ORGANIZER, "name": "Olga Organizer", "password": PASSWORD},
        {"address": ATTENDEE, "name": "Anton Attendee", "password": PASSWORD},
        {
            "address": EQUIPMENT,
            "name": "Meeting room, virtual",
            "password": PASSWORD,
            "kind": "equipment",
            "processing": "auto_update",
        },
    ],
    "accounts": [{"login": SERVICE, "password": PASSWORD, "impersonate": "everybody", "token": "token-of-svc"}],
    "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": "everybody"}],
}
"""An organizer, an attendee, an equipment mailbox with AutoUpdate, a service account that may impersonate everybody, and an
application that may open every mailbox."""


@dataclass
class RunningSimulator:
    """A simulator that listens. `exchange` may be used as it is, whatever thread the server runs in."""

    url: str
    exchange: Exchange
    face: EwsFace
    graph: GraphFace
    clock: SimulatorClock
    invalid: list[str] = field(default_factory=list)

    @property
    def ews_url(self) -> str:
        return self.url + EWS_PATH

    @property
    def graph_url(self) -> str:
        """The root of Graph's version, to which operations' addresses are appended."""
        return self.url + GRAPH_ROOT

    @property
    def login_url(self) -> str:
        """Where tokens come from (an authority without its tenant)."""
        return self.url

    @property
    def tenant(self) -> str:
        return self.graph.tenant

    def bearer(self, client_id: str = CLIENT_ID) -> dict[str, str]:
        """Headers with a fresh access token, as if an application had just signed in."""
        return {"Authorization": f"Bearer {self.graph.tokens.issue(client_id)}"}

    @property
    def counters(self) -> Counters:
        return self.face.counters

    @property
    def faults(self) -> Faults:
        return self.face.faults

    def fail(self, **rule: Any) -> int:
        """Switch a fault on: `sim.fail(kind="http_503", operation="GetItem", times=1)`."""
        return self.faults.add(FaultRule.from_json(rule))

    def calls(self, operation: str | None = None) -> int:
        """How many calls were made, of one operation or all."""
        counts = self.counters.snapshot()
        return int(counts["total"] if operation is None else counts["operations"].get(operation, 0))


class _Referee:
    """ASGI middleware that checks every reply of the EWS face."""

    def __init__(self, app: ASGIApp, invalid: list[str]) -> None:
        self.app = app
        self.invalid = invalid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != EWS_PATH:
            await self.app(scope, receive, send)
            return
        status = 0
        body = b""

        async def watch(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            if body and status in (200, 500) and not scope.get(SPOILED):
                try:
                    (validate_stream if body.count(b"</s:Envelope>") > 1 else validate_body)(body)
                except AssertionError as error:
                    self.invalid.append(str(error))


class _LoopBound:
    """Carries every method call of a store into the loop in which the store lives."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._target = target
        self._loop = loop
        self._thread = thread

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        def carried(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is self._thread:
                return value(*args, **kwargs)
            return _in_loop(self._loop, lambda: value(*args, **kwargs))

        return carried


def _in_loop(loop: asyncio.AbstractEventLoop, work: Callable[[], T]) -> T:
    async def run() -> T:
        return work()

    return asyncio.run_coroutine_threadsafe(run(), loop).result(timeout=30)


def _has_schema() -> bool:
    try:
        ews_schema()
    except pytest.skip.Exception:
        return False
    return True


def _build(
    world: Mapping[str, Any] | None,
    clock: SimulatorClock | None,
    *,
    check_requests: bool,
    door: "Door | None" = None,
    **options: Any,
) -> tuple[SimulatorApp, Exchange, list[str]]:
    exchange = Exchange(clock or SimulatorClock())
    if world is not None:
        seed(exchange, world)
    invalid: list[str] = []
    checker = request_complaint if check_requests and _has_schema() else None
    judge = graph_judge(invalid, check_requests=check_requests)
    app = create_simulator_app(exchange, check_request=checker, check_graph=judge, **options)
    if _has_schema():
        app.app = _Referee(app.app, invalid)
    if door is not None:
        app.app = door.wrap(app.app)
    return app, exchange, invalid


@contextlib.asynccontextmanager
async def simulator_in_loop(
    world: Mapping[str, Any] | None = SMALL_WORLD,
    *,
    clock: SimulatorClock | None = None,
    check_requests: bool = True,
    door: "Door | None" = None,
    **options: Any,
) -> AsyncIterator[RunningSimulator]:
    """Run a simulator in the test's own event loop.

    ``world`` is a seed (see `greenroom.simulator.seeding`); ``check_requests`` answers requests that do not fit the schema with
    ErrorSchemaValidation, as Exchange does; ``options`` go to `create_simulator_app` (lock_after, keep_alive_seconds, strict).
    ``door`` stands in front of EWS and signs in connections.
    """
    app, exchange, invalid = _build(world, clock, check_requests=check_requests, door=door, **options)
    with contextlib.closing(listening_socket("127.0.0.1", 0)) as sock:
        ready = asyncio.Event()
        config = _behind(door, app, None)
        server = _QuietServer(config, close=app.close, started=ready.set)
        serving = asyncio.create_task(server.serve([sock]))
        await asyncio.wait_for(ready.wait(), 10)
        url = address_of(sock, tls=config.is_ssl)
        try:
            yield RunningSimulator(url, exchange, app.face, app.graph, cast("SimulatorClock", exchange.clock), invalid)
        finally:
            server.should_exit = True
            app.close()
            await asyncio.wait_for(serving, 15)
    assert not invalid, "\n".join(invalid)


@contextlib.contextmanager
def running_simulator(
    world: Mapping[str, Any] | None = SMALL_WORLD,
    *,
    clock: SimulatorClock | None = None,
    check_requests: bool = True,
    tls: tuple[Path, Path] | None = None,
    door: "Door | None" = None,
    **options: Any,
) -> Iterator[RunningSimulator]:
    """Run a simulator in a thread, for synchronous clients and for tests of whole programs. ``tls``: certificate and key."""
    app, exchange, invalid = _build(world, clock, check_requests=check_requests, door=door, **options)
    with contextlib.closing(listening_socket("127.0.0.1", 0)) as sock:
        ready = threading.Event()
        config = _behind(door, app, tls)
        server = _QuietServer(config, close=app.close, started=ready.set)
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve([sock])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="simulator", daemon=True)
        thread.start()
        assert ready.wait(10), "the simulator did not start"
        bound = cast("Exchange", _LoopBound(exchange, loops[0], thread))
        try:
            yield RunningSimulator(
                address_of(sock, tls=config.is_ssl),
                bound,
                app.face,
                app.graph,
                cast("SimulatorClock", exchange.clock),
                invalid,
            )
        finally:
            server.should_exit = True
            loops[0].call_soon_threadsafe(app.close)
            thread.join(15)
    assert not thread.is_alive(), "the simulator did not stop"
    assert not invalid, "\n".join(invalid)


def _behind(door: "Door | None", app: ASGIApp, tls: tuple[Path, Path] | None) -> uvicorn.Config:
    if door is not None and door.tls is not None:
        tls = (door.tls.certificate, door.tls.key)
    certificate, key = (str(tls[0]), str(tls[1])) if tls else (None, None)
    config = simulator_config(app, certificate=certificate, key=key, log_level="error")
    if door is not None:
        config.http = door.protocol()
    return config


class _QuietServer(SimulatorServer):
    """Leaves the signals of the test process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
