"""Puts Greenroom together: the only place that knows every adapter.

`open_greenroom` builds everything a process needs from the configuration; `Greenroom.run` serves until it is told to stop.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from greenroom.exchange.contract import Mailbox
from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.ews import EwsMailbox, EwsSettings
from greenroom.exchange.ews.auth import Auth, BasicAuth, BearerAuth, SignInGuard
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.case import Clock, Step, no_step
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.queue.in_process import InProcessQueue
from greenroom.scheduler.service import Service
from greenroom.settings import Exchange as ExchangeSettings
from greenroom.settings import Integration as IntegrationSettings
from greenroom.settings import Settings
from greenroom.storage import RoomStore, Storage
from greenroom.web.app import create_app
from greenroom.web.places import places_of
from greenroom.web.rooms import StoredRooms

log = structlog.get_logger(__name__)


class PortInUseError(Exception):
    """Another program listens where Greenroom should. `host` and `port` say where."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port


def wall_clock() -> datetime:
    """Tell the time: aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Greenroom:
    """Everything one process holds. Use it within `open_greenroom`."""

    settings: Settings
    storage: Storage
    integrations: tuple[Integration, ...]
    service: Service
    app: FastAPI

    async def run(self, stop: asyncio.Event, *, on_ready: Callable[[str], None] = lambda _address: None) -> None:
        """Attend the mailboxes and serve the pages until `stop` is set. Raises PortInUseError before anything else is done.

        `on_ready` is called with the address of the pages once they can be opened.
        """
        listener = bind(self.settings.service.host, self.settings.service.port)
        host, port = listener.getsockname()[:2]
        async with serving(self.app, listener):
            on_ready(f"http://{host}:{port}")
            await self.service.run(stop)

    async def check(self) -> dict[str, ExchangeError | None]:
        """Sign in to every mailbox once; returns what is wrong by integration name."""
        return {integration.name: await _check(integration) for integration in self.integrations}


@asynccontextmanager
async def open_greenroom(
    settings: Settings, *, clock: Clock = wall_clock, step: Step = no_step
) -> AsyncIterator[Greenroom]:
    """Open storage, bring it up to date and build all adapters. Raises StorageError and what the settings make impossible."""
    storage = Storage.open(settings.storage.url.get_secret_value())
    integrations: list[Integration] = []
    try:
        await storage.migrate()
        integrations += build_integrations(settings, storage, clock)
        service = Service(
            integrations,
            storage,
            InProcessQueue(clock),
            clock,
            poll={entry.name: float(entry.exchange.poll_seconds) for entry in settings.integration},
            push={entry.name: entry.exchange.streaming for entry in settings.integration},
            step=step,
        )
        app = create_app(StoredRooms(storage), clock, places_of(settings))
        yield Greenroom(settings, storage, tuple(integrations), service, app)
    finally:
        for integration in integrations:
            await integration.mailbox.close()
            await integration.platform.close()
        await storage.close()


def build_integrations(settings: Settings, storage: Storage, clock: Clock) -> list[Integration]:
    """Build all integrations with the adapters their settings name. Connects to nothing yet.

    Texts of the administrator's that are wrong are logged here; the packaged ones stand in for them.
    """
    guard = SignInGuard()  # one for all: integrations that share an account must not each try a wrong password
    built = [_build(entry, settings, storage, clock, guard) for entry in settings.integration]
    for integration in built:
        for problem in integration.texts.lint():
            log.error("text is wrong", file=problem.file, line=problem.line, problem=problem.problem)
    return built


def _build(
    entry: IntegrationSettings, settings: Settings, storage: Storage, clock: Clock, guard: SignInGuard
) -> Integration:
    keys = {key.id: key.key for key in entry.ticket_keys}
    return Integration(
        number=entry.number,
        name=entry.name,
        mailbox=_open_mailbox(entry.exchange, entry.mailbox, guard),
        platform=EmbeddedPlatform(RoomStore(storage, entry.number, clock)),
        policy=entry.policy,
        aliases=entry.alias.plan,
        ring=KeyRing(entry.ticket_prefix, entry.number, keys, current=entry.ticket_keys[0].id),
        texts=Texts(entry.texts.folder, entry.texts.language),
        links=JoinLinks(settings.service.public_url, entry.platform.phone),
    )


def _open_mailbox(exchange: ExchangeSettings, address: str, guard: SignInGuard) -> Mailbox:
    return EwsMailbox(
        EwsSettings(
            url=exchange.url,
            address=address,
            auth=_authenticator(exchange, guard),
            ca_file=exchange.ca_file,
            impersonate=exchange.impersonate,
            timeout=timedelta(seconds=exchange.timeout_seconds),
        )
    )


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else happens. Raises PortInUseError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle's delay (40 ms a reply) only on sockets that name it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortInUseError(host, port, error.strerror or type(error).__name__) from error
    return listener


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, *, close: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Serve an application on a bound socket while the block runs; `close` ends what would keep connections open."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    server.config.load()
    # Signals belong to the command: uvicorn would take them for itself.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # no public switch for it
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 (uvicorn offers no event for it)
            await asyncio.sleep(0.01)
        yield
    finally:
        close()
        server.should_exit = True
        await task
        listener.close()


def _authenticator(exchange: ExchangeSettings, guard: SignInGuard) -> Auth:
    if exchange.auth == "basic":
        password = exchange.password
        return BasicAuth(exchange.username or "", "" if password is None else password.get_secret_value(), guard=guard)
    if exchange.token_file is not None:
        return BearerAuth(exchange.token_file, guard=guard)
    token = exchange.token
    return BearerAuth(lambda: "" if token is None else token.get_secret_value(), guard=guard)


async def _check(integration: Integration) -> ExchangeError | None:
    try:
        await integration.mailbox.check()
    except ExchangeError as error:
        return error
    return None
