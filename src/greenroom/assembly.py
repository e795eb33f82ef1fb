"""Puts Greenroom together: with `calendars`, `rooms` and `addins`, the only place that knows every adapter.

`open_greenroom` builds everything a process needs from the configuration; `Greenroom.run` serves until it is told to stop.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, ip_network

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from greenroom.addins import Addins
from greenroom.calendars import CalendarError, Calendars, Side
from greenroom.exchange.contract import OrganizerCalendars
from greenroom.exchange.errors import ExchangeError
from greenroom.integrations import build_integrations
from greenroom.rooms import Platforms
from greenroom.scheduler.case import Clock, Step, no_step
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.numbers import hold_numbers
from greenroom.scheduler.queue.in_process import InProcessQueue
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.service import Service
from greenroom.scheduler.watching import Times
from greenroom.settings import EwsExchange, Settings
from greenroom.settings import Integration as IntegrationSettings
from greenroom.storage import Storage
from greenroom.web.app import create_app
from greenroom.web.http import BoundedHttp
from greenroom.web.metrics import Metrics, Watched, metrics_router
from greenroom.web.places import places_of
from greenroom.web.policy import policy_app
from greenroom.web.policy_alarms import keep_alarms
from greenroom.web.policy_guard import Guard
from greenroom.web.policy_listener import policy_tls, serving_policy
from greenroom.web.rooms import StoredRooms

log = structlog.get_logger(__name__)

__all__ = [
    "CalendarError",
    "Calendars",
    "Greenroom",
    "PortInUseError",
    "Side",
    "Tried",
    "bind",
    "build_integrations",
    "open_greenroom",
    "serving",
    "try_calendars",
    "wall_clock",
]


class PortInUseError(Exception):
    """Another program listens where Greenroom should. `host` and `port` say where."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port


def wall_clock() -> datetime:
    """Tell the time: aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """One Exchange of an integration was signed in to, or not: `error` says why. `expires_at` is that of the credential."""

    integration: str
    side: Side
    mailbox: str
    error: ExchangeError | None
    expires_at: datetime | None


@dataclass(slots=True)
class Greenroom:
    """Everything one process holds. Use it within `open_greenroom`."""

    settings: Settings
    storage: Storage
    calendars: Calendars
    platforms: Platforms
    integrations: tuple[Integration, ...]
    service: Service
    app: FastAPI
    guard: Guard
    clock: Clock

    async def run(self, stop: asyncio.Event, *, on_ready: Callable[[str], None] = lambda _address: None) -> None:
        """Attend the mailboxes and serve the pages until `stop` is set. Raises PortInUseError before anything else is done.

        `on_ready` is called with the address of the pages once they can be opened. Raises PolicyCertificateError, too.
        """
        async with contextlib.AsyncExitStack() as stack:
            listener = bind(self.settings.service.host, self.settings.service.port)
            stack.callback(listener.close)
            await self._serve_policy_apart(stack)
            host, port = listener.getsockname()[:2]
            await stack.enter_async_context(serving(self.app, listener, proxies=self.settings.service.trusted_proxies))
            on_ready(f"http://{host}:{port}")
            await self.work(stop)

    async def work(self, stop: asyncio.Event) -> None:
        """Attend the mailboxes, and keep what the policy server answers from current, until `stop` is set."""
        following = asyncio.create_task(self.platforms.run(), name="follower")
        alarms = asyncio.create_task(keep_alarms(self.guard, self.storage, stop), name="alarms")
        for task in (following, alarms):
            task.add_done_callback(_tell_an_end)
        try:
            await self.service.run(stop)
        finally:
            following.cancel()
            await asyncio.gather(following, alarms, return_exceptions=True)

    async def _serve_policy_apart(self, stack: contextlib.AsyncExitStack) -> None:
        apart, policy = self.settings.service.policy_listener, self.platforms.policy
        if apart is None or policy is None:
            return
        tls = policy_tls(apart.certificate_file, apart.certificate_key_file, apart.client_ca_file)
        host, _, port = apart.listen.rpartition(":")
        app = policy_app(
            policy.desk, policy.callers, self.guard, self.clock, certified=apart.client_ca_file is not None
        )
        await stack.enter_async_context(serving_policy(app, bind(host.strip("[]"), int(port)), tls))

    async def check(self) -> list[Tried]:
        """Sign in to every Exchange of every integration once; what is wrong stands in the results."""
        entries = {entry.name: entry for entry in self.settings.integration}
        return [
            tried
            for integration in self.integrations
            for tried in await try_calendars(entries[integration.name], integration, self.calendars)
        ]


def _tell_an_end(task: asyncio.Task[None]) -> None:
    """Let nothing that works in the background fail without a word."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("policy.stopped_working", task=task.get_name(), error=type(error).__name__)


@asynccontextmanager
async def open_greenroom(
    settings: Settings, *, clock: Clock = wall_clock, step: Step = no_step, watch: Times | None = None
) -> AsyncIterator[Greenroom]:
    """Open storage, bring it up to date and build all adapters. `watch` is for clocks that jump, as the demo's does.

    Raises StorageError (also MixedUpError, where a number was another mailbox's), and CalendarError for a certificate or other
    file of the configuration that cannot be used.
    """
    storage = Storage.open(settings.storage.url.get_secret_value())
    calendars = Calendars(settings, clock, storage)
    platforms = Platforms(settings, storage, clock)
    guard = _guard(settings, platforms)
    integrations: list[Integration] = []
    addins: Addins | None = None
    try:
        await storage.migrate()
        await hold_numbers(storage, {entry.number: entry.mailbox for entry in settings.integration})
        integrations += build_integrations(settings, calendars, platforms)
        addins = Addins(settings, integrations, storage, clock)
        service = Service(
            integrations,
            storage,
            InProcessQueue(clock),
            clock,
            poll={entry.name: float(entry.exchange.poll_seconds) for entry in settings.integration},
            push={entry.name: _is_pushed(entry, calendars) for entry in settings.integration},
            drift={entry.name: timedelta(hours=entry.meetings.drift_hours) for entry in settings.integration},
            step=step,
            times=watch,
        )
        policy = None
        if platforms.policy is not None and settings.service.policy_listener is None:
            policy = policy_app(platforms.policy.desk, platforms.policy.callers, guard, clock)
        app = create_app(
            StoredRooms(storage),
            clock,
            places_of(settings),
            calendars.intakes,
            base=settings.service.public_url,
            policy=policy,
            more=[*addins.routers(), _metrics(settings, storage, clock)],
        )
        yield Greenroom(settings, storage, calendars, platforms, tuple(integrations), service, app, guard, clock)
    finally:
        await calendars.close()
        if addins is not None:
            await addins.close()
        for integration in integrations:
            await integration.platform.close()
        await platforms.close()
        await storage.close()


def _metrics(settings: Settings, storage: Storage, clock: Clock) -> APIRouter:
    watched = [Watched(entry.number, entry.name, entry.mailbox) for entry in settings.integration]
    kinds = [kind.value for kind in DriftKind]
    return metrics_router(Metrics(storage, watched, clock, kinds=kinds), settings.service.metrics_from)


def _guard(settings: Settings, platforms: Platforms) -> Guard:
    """Make the guard against guessing; callers' digests in alarms stay the same while the first ticket key does."""
    limits = None if platforms.policy is None else platforms.policy.limits
    return Guard(limits, key=b"policy callers" + settings.integration[0].ticket_keys[0].key)


async def try_calendars(entry: IntegrationSettings, built: Integration, calendars: Calendars) -> list[Tried]:
    """Sign in to an integration's Exchange, and to that of its organizers if they have one of their own."""

    async def one(side: Side, mailbox: str, there: OrganizerCalendars) -> Tried:
        error = None
        try:
            await there.check()
        except ExchangeError as found:
            error = found
        return Tried(entry.name, side, mailbox, error, calendars.expires_at(entry.name, side))

    tried = [await one("exchange", entry.mailbox, built.mailbox)]
    if entry.organizers is not None and built.elsewhere is not None:
        tried.append(await one("organizers", entry.organizers.mailbox, built.elsewhere))
    return tried


def _is_pushed(entry: IntegrationSettings, calendars: Calendars) -> bool:
    exchange = entry.exchange
    return exchange.streaming if isinstance(exchange, EwsExchange) else entry.name in calendars.intakes


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


def _in_ipv6(networks: Sequence[str]) -> list[str]:
    """Return the IPv4 networks as a listener on [::] sees them, which takes both kinds."""
    known = [ip_network(network) for network in networks]
    return [f"::ffff:{one.network_address}/{one.prefixlen + 96}" for one in known if isinstance(one, IPv4Network)]


@asynccontextmanager
async def serving(
    app: ASGIApp,
    listener: socket.socket,
    *,
    close: Callable[[], None] = lambda: None,
    proxies: Sequence[str] = ("127.0.0.1", "::1"),
) -> AsyncIterator[None]:
    """Serve an application on a bound socket while the block runs; `close` ends what would keep connections open.

    What `proxies` (addresses and networks) say of the visitor's address is believed.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=BoundedHttp,
        timeout_graceful_shutdown=3,
        forwarded_allow_ips=[*proxies, *_in_ipv6(proxies)],
    )
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
