"""The demo's world: simulator, service and pages on one port, with a clock that can be set."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from greenroom.assembly import Greenroom, bind, open_greenroom, serving
from greenroom.cli.demonstration.addin import DOORS as OF_ADDIN
from greenroom.cli.demonstration.addin import DemoAddin
from greenroom.cli.demonstration.errors import FolderError, UnlikelyError
from greenroom.cli.demonstration.home import create_home
from greenroom.cli.demonstration.platforms import (
    PexipFile,
    PlatformKind,
    check_platform,
    open_pexip,
    platform_tables,
)
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import JournalEntry, Record
from greenroom.scheduler.watching import Times
from greenroom.settings import load_settings
from greenroom.simulator import demo_world
from greenroom.simulator.app import SimulatorApp, create_simulator_app
from greenroom.simulator.applications import Application
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.ews_face import EWS_PATH
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.outlook.app import create_outlook_app
from greenroom.simulator.pexip import Pexip, pexip_routes
from greenroom.simulator.pexip.visiting import PATHS as VISITING
from greenroom.simulator.pexip.visiting import Lobby, create_visiting_app
from greenroom.simulator.snapshot import load, save
from greenroom.storage import StoredRoom

Protocol = Literal["graph", "ews"]
SPOKEN: Mapping[Protocol, str] = {
    "graph": "Microsoft Graph, as with Microsoft 365",
    "ews": "Exchange Web Services, as with Exchange Server",
}
_SAVE_EVERY = 2.0
_LOOK_EVERY = 0.25  # a real Pexip forgets nothing that it said it has
_HOSTS = (b"127.0.0.1", b"localhost")  # no page of somewhere else may reach the demo under a name of its own
_SNAPSHOT = "exchange.json"
_WATCH = Times(lapse=timedelta(days=365))  # the script sets the clock, and that is no machine that slept
_OF_SIMULATOR = ("/EWS", "/control", "/v1.0/", "/metadata/", "/common/discovery/")
_EXACT = ("/", "/mail")
_OF_PEXIP = ("/api/admin/", "/oauth/", "/pexip/control/")


@dataclass(slots=True)
class World:
    """What the demo holds in its hands. `pexip` is there if rooms are on Pexip."""

    clock: SimulatorClock
    exchange: Exchange
    greenroom: Greenroom
    address: str
    folder: Path
    protocol: Protocol
    pexip: Pexip | None

    @property
    def equipment(self) -> str:
        """Address of the equipment mailbox."""
        return demo_world.EQUIPMENT

    async def record(self, key: MeetingKey) -> Record | None:
        """What Greenroom did for a meeting; where only occurrences of it are invited to, for the one it looked at last."""
        async with self.greenroom.storage.reading() as work:
            kin = await work.meetings.kin(1, [key])
        exact = (record for record in kin if record.key == key)
        return next(exact, max(kin, key=lambda record: record.updated_at, default=None))

    async def room(self, key: MeetingKey) -> StoredRoom | None:
        """The meeting's room on the embedded platform."""
        record = await self.record(key)
        async with self.greenroom.storage.reading() as work:
            return await work.rooms.by_mark(1, key.digest if record is None else record.mark)

    async def journal(self, key: MeetingKey) -> list[JournalEntry]:
        """The meeting's timeline."""
        async with self.greenroom.storage.reading() as work:
            return await work.journal.of_meeting(1, key)

    async def two_passes(self) -> None:
        """Let the mailbox be looked at twice from now on. Raises UnlikelyError when it is not."""
        for _ in range(2):
            before = await self._last_pass()
            await self.greenroom.service.look("demo")

            async def another(since: datetime | None = before) -> bool:
                return await self._last_pass() != since

            await self.until("the mailbox is looked at", another)

    async def _last_pass(self) -> datetime | None:
        async with self.greenroom.storage.reading() as work:
            return (await work.mailboxes.get(self.equipment)).last_pass_at

    async def until(self, what: str, test: Callable[[], Awaitable[bool]], *, seconds: float = 15.0) -> float:
        """Wait until something is true; returns the seconds it took. Raises UnlikelyError if it does not come true."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            if await test():
                return time.monotonic() - start
            await asyncio.sleep(0.05)
        raise UnlikelyError(f"within {seconds:.0f} seconds this did not happen: {what}")


@asynccontextmanager
async def open_world(
    folder: Path,
    *,
    port: int = 0,
    now: datetime | None = None,
    protocol: Protocol = "graph",
    platform: PlatformKind = "embedded",
) -> AsyncIterator[World]:
    """Open a world whose data lie in `folder`; what was there before is taken up again, over whichever protocol it was begun.

    Raises PortInUseError, FolderError for files of an earlier demo that are damaged or of another platform, OSError where
    nothing can be written, and what is wrong with the database or the ticket keys.
    """
    check_platform(folder, platform, folder / _SNAPSHOT)
    clock = SimulatorClock(now)
    listener = bind("127.0.0.1", port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    pexip = open_pexip(folder, clock, address) if platform == "pexip" else None
    lobby = None if pexip is None else Lobby(pexip)
    exchange = _exchange(folder, clock)
    addin = DemoAddin(clock, address)
    tables = f"{platform_tables(platform, address)}\n{addin.tables}"
    settings = load_settings(_configure(folder, address, protocol, exchange.site.tenant, tables), {})
    simulator = create_simulator_app(exchange, routes=() if pexip is None else pexip_routes(pexip))
    async with open_greenroom(settings, clock=clock, watch=_WATCH) as greenroom:
        world = World(clock, exchange, greenroom, address, folder, protocol, pexip)
        home = create_home(
            greenroom.storage, equipment=demo_world.EQUIPMENT, folder=folder, spoken=SPOKEN[protocol], lobby=lobby
        )
        app = _front(simulator, greenroom.app, home, exchange, lobby=lobby, addin=addin)
        stop = asyncio.Event()
        files: list[tuple[Callable[[], None], float]] = [(partial(save, exchange, folder / _SNAPSHOT), _SAVE_EVERY)]
        if pexip is not None:
            files.append((PexipFile(pexip, folder).keep, _LOOK_EVERY))
        async with serving(app, listener, close=simulator.close):
            work = asyncio.create_task(greenroom.work(stop))
            keeping = [asyncio.create_task(_keep(keep, every)) for keep, every in files]
            try:
                yield world
            finally:
                stop.set()
                with suppress(asyncio.CancelledError):
                    await work
                for task in keeping:
                    task.cancel()
                await asyncio.gather(*keeping, return_exceptions=True)
                for keep, _ in files:
                    keep()


def _front(
    simulator: SimulatorApp,
    pages: ASGIApp,
    home: ASGIApp,
    exchange: Exchange,
    *,
    lobby: Lobby | None,
    addin: DemoAddin,
) -> ASGIApp:
    """One address for all: Exchange, mail, Pexip, join pages, the add-in, and the page to begin at."""
    people = [box.address for box in exchange.mailboxes() if box.kind == "user"]
    outlook = create_outlook_app(
        exchange, people=people, equipment=[demo_world.EQUIPMENT], links=[("Demo", "/")], addin=addin.link
    )
    mail = Starlette(routes=[Mount("/mail", outlook)])
    doors: list[tuple[tuple[str, ...], ASGIApp]] = [
        (_OF_SIMULATOR, simulator),
        (tuple(f"/{exchange.site.tenant}/{door}" for door in ("oauth2/", "v2.0/", "discovery/")), simulator),
        (("/mail/",), mail),
        (("/demo/",), home),
        (OF_ADDIN, addin.app),
    ]
    if lobby is not None:
        doors += [(_OF_PEXIP, simulator), (VISITING, create_visiting_app(lobby))]

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        host = dict(scope.get("headers", ())).get(b"host", b"").partition(b":")[0]
        if host not in _HOSTS:
            app: ASGIApp = Response("This demo answers on this computer only.", 421)
        elif path in _EXACT:
            app = mail if path == "/mail" else home
        else:
            app = next((door for beginnings, door in doors if path.startswith(beginnings)), pages)
        await app(scope, receive, send)

    return front


def _exchange(folder: Path, clock: SimulatorClock) -> Exchange:
    snapshot = folder / _SNAPSHOT
    if snapshot.exists():
        try:
            exchange = load(snapshot, clock)
        except OSError as error:
            raise FolderError(snapshot, error.strerror or "it cannot be read") from error
        except ValueError as error:
            raise FolderError(snapshot, "it is damaged, or another version wrote it") from error
        if exchange.application(demo_world.CLIENT_ID) is None:  # of a time when there was only EWS
            exchange.add_application(Application(demo_world.CLIENT_ID, secret=demo_world.CLIENT_SECRET))
        return exchange
    exchange = Exchange(clock)
    demo_world.populate(exchange)
    return exchange


def _configure(folder: Path, address: str, protocol: Protocol, tenant: str, tables: str) -> Path:
    """Write the demo's greenroom.toml, so that the other commands can be tried on it. Keys stay what they were."""
    keys = folder / "ticket-keys"
    if not keys.exists():
        keys.write_text(f"0:{base64.b64encode(secrets.token_bytes(32)).decode()}\n", encoding="utf-8")
        keys.chmod(0o600)
    config = folder / "greenroom.toml"
    values = {
        "url": json.dumps(address + EWS_PATH),
        "tenant": json.dumps(tenant),
        "client": json.dumps(demo_world.CLIENT_ID),
        "secret": json.dumps(demo_world.CLIENT_SECRET),
        "public": json.dumps(address),
        "database": json.dumps(f"sqlite:///{(folder / 'greenroom.db').resolve()}"),
        "login": json.dumps(demo_world.SERVICE_LOGIN),
        "password": json.dumps(demo_world.PASSWORD),
        "mailbox": json.dumps(demo_world.EQUIPMENT),
        "tables": tables,
    }
    values["exchange"] = _EXCHANGE[protocol].format_map(values)
    config.write_text(_CONFIG.format_map(values), encoding="utf-8")
    return config


async def _keep(save_now: Callable[[], None], every: float) -> None:
    """Save something now and then, so that a demo that is killed can go on; more rarely where that takes long."""
    took = 0.0
    while True:
        await asyncio.sleep(max(every, 10 * took))
        begun = time.monotonic()
        save_now()
        took = time.monotonic() - begun


_EXCHANGE: Mapping[Protocol, str] = {
    "graph": """\
protocol = "graph"
tenant = {tenant}
client_id = {client}
client_secret = {secret}
cloud = "custom"
login_url = {public}
graph_url = {public}
""",
    "ews": """\
protocol = "ews"
url = {url}
username = {login}
password = {password}
""",
}
_CONFIG = """\
# Written by `greenroom demo`; it is written anew whenever the demo starts in this folder.
[service]
public_url = {public}

[storage]
url = {database}

[[integration]]
number = 1
name = "demo"
mailbox = {mailbox}
ticket_keys_file = "ticket-keys"

[integration.exchange]
{exchange}poll_seconds = 2

{tables}"""
