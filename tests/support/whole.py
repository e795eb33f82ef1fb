"""Whole programs: the simulator and Greenroom, each a process of its own, on free ports of 127.0.0.1.

::

    with simulated_exchange(tmp_path, world()) as exchange, serving(tmp_path, exchange, protocol="graph") as greenroom:
        ...
        greenroom.output()      # everything it has written so far

The simulator always has both faces; `protocol` says which one Greenroom speaks with.
"""

import base64
import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import httpx2

from greenroom.settings import Settings, load_settings
from support import planted

T = TypeVar("T")
Processing = Literal["auto_update", "none", "auto_accept"]
Spoken = Literal["ews", "graph"]
"""The protocol that Greenroom speaks."""
HOUSES: tuple[tuple[Spoken, Processing], ...] = (
    ("ews", "auto_update"),
    ("ews", "none"),
    ("ews", "auto_accept"),
    ("graph", "auto_update"),
    ("graph", "auto_accept"),
)
"""How equipment mailboxes are attended. Where requests are left to us nothing is in the calendar, and Graph answers events only."""

EQUIPMENT = "vmr@sim.test"
ORGANIZER = "olga@sim.test"
ATTENDEE = "anton@sim.test"
LATECOMER = "lena@sim.test"
PEXIP_DOMAIN = "video.test"
SERVICE = "svc"
PASSWORD = planted.PASSWORD
CLIENT_ID = "5e0a4d1c-93f2-4c7b-a8d6-1f0b7c2e9d34"
CLIENT_SECRET = planted.CLIENT_SECRET
NAMES = {ORGANIZER: planted.NAME, ATTENDEE: f"{planted.NAME} jr.", LATECOMER: f"{planted.NAME} sr."}

_START_SECONDS = 60


def world(processing: Processing = "auto_update", *, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Three colleagues, an equipment mailbox, a service account that may impersonate everybody, an application likewise."""
    people = {**NAMES, **(names or {})}
    return {
        "mailboxes": [
            *({"address": address, "name": name, "password": PASSWORD} for address, name in people.items()),
            equipment(EQUIPMENT, processing),
        ],
        "accounts": [{"login": SERVICE, "password": PASSWORD, "impersonate": "everybody"}],
        "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": "everybody"}],
    }


def equipment(address: str, processing: Processing) -> dict[str, str]:
    """An equipment mailbox as a seed describes it."""
    return {
        "address": address,
        "name": "Meeting room, virtual",
        "password": PASSWORD,
        "kind": "equipment",
        "processing": processing,
    }


class Addresses(Protocol):
    """Where a simulator is: all of it, its EWS face, the door to its tokens, and the tenant it is."""

    @property
    def url(self) -> str: ...

    @property
    def ews_url(self) -> str: ...

    @property
    def login_url(self) -> str: ...

    @property
    def tenant(self) -> str: ...


def configure(
    folder: Path,
    simulator: Addresses,
    *,
    protocol: Spoken = "ews",
    mailboxes: Sequence[str] = (EQUIPMENT,),
    port: int = 0,
    push: bool = True,
    service: str = "",
    more: str = "",
    pexip: str = "",
    public_url: str = "",
) -> Path:
    """Write a greenroom.toml with one integration for each mailbox into a folder.

    `service` are further lines of its section; `more` are further sections of every integration. Without `push` it polls only.
    With `pexip`, the `[integration.pexip]` tables, rooms are on Pexip. `public_url` is where people think that it is.
    """
    path = folder / "greenroom.toml"
    public = public_url or (f"http://127.0.0.1:{port}" if port else "https://meet.example")
    head = f"""\
[service]
listen = "127.0.0.1:{port}"
public_url = "{public}"
{service}

[storage]
url = "sqlite:///{(folder / "greenroom.db").resolve()}"
"""
    integrations = [
        f"""
[[integration]]
number = {number}
name = "main-{number}"
mailbox = "{mailbox}"
ticket_keys = [{{ id = 0, key = "{key_of(number)}" }}]

[integration.alias]
prefix = "meet{number}"
domain = "{PEXIP_DOMAIN if pexip else ""}"

[integration.exchange]
{_reach(simulator, protocol, push=push)}
poll_seconds = 1
timeout_seconds = 10

[integration.platform]
kind = "{"pexip" if pexip else "embedded"}"

{pexip}
{more}
"""
        for number, mailbox in enumerate(mailboxes, 1)
    ]
    path.write_text("".join([head, *integrations]), encoding="utf-8")
    return path


def _reach(simulator: Addresses, protocol: Spoken, *, push: bool) -> str:
    if protocol == "ews":
        return f"""\
url = "{simulator.ews_url}"
username = "{SERVICE}"
password = "{PASSWORD}"
streaming = {str(push).lower()}"""
    return f"""\
protocol = "graph"
tenant = "{simulator.tenant}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
cloud = "custom"
login_url = "{simulator.login_url}"
graph_url = "{simulator.url}"
notifications = {str(push).lower()}"""


def key_of(integration: int) -> str:
    """The ticket key of an integration, as the configuration wants it."""
    return base64.b64encode(hashlib.sha256(f"made up {integration}".encode()).digest()).decode()


def settings_in(folder: Path) -> Settings:
    """Read what `configure` wrote."""
    return load_settings(folder / "greenroom.toml", {})


def free_port() -> int:
    """A port that was free a moment ago: join links must be known before the service listens."""
    with contextlib.closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Program:
    """A process that was started, with a file of what it wrote to standard output and standard error."""

    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, seconds: float = 15) -> int:
        """End it as an administrator does (SIGTERM); returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextlib.contextmanager
def started(command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run a program while the block runs. It is killed if it does not end by itself."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, **(env or {})})
    program = Program(process, log)
    try:
        yield program
    finally:
        if process.poll() is None:
            try:
                program.stop()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class SimulatedExchange:
    """A simulator in a process of its own, acted upon through its control surface."""

    url: str
    ews_url: str
    login_url: str
    tenant: str
    http: httpx2.Client = field(repr=False)

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(f"{self.url}/control/{path}", params=query).raise_for_status().json()

    def post(self, path: str, **data: Any) -> Any:
        return self.http.post(f"{self.url}/control/{path}", json=data).raise_for_status().json()

    def state(self, mailbox: str) -> Any:
        """What lies in a mailbox (see `greenroom.simulator.control`)."""
        return self.get("state", mailbox=mailbox)

    def answers(self, organizer: str = ORGANIZER, sender: str = EQUIPMENT) -> list[dict[str, Any]]:
        """The answers of the equipment mailbox in an organizer's Inbox, oldest first."""
        inbox = self.state(organizer)["inbox"]
        return [item for item in inbox if ".Resp." in item["class"] and item["from"] == sender]

    def calls(self) -> dict[str, int]:
        """Calls so far, by operation."""
        return dict(self.get("counters")["operations"])


@contextlib.contextmanager
def simulated_exchange(
    folder: Path, seed: Mapping[str, Any] | None, *options: str, command: Sequence[str] = ("-m", "greenroom.simulator")
) -> Iterator[SimulatedExchange]:
    """Run `python -m greenroom.simulator` (or another `command` that speaks like it) on a seed while the block runs.

    Without a seed it is the organisation in which nobody has prepared anything.
    """
    file = folder / "seed.json"
    file.write_text(json.dumps(seed), encoding="utf-8")
    filled = ["--untouched"] if seed is None else ["--seed", str(file)]
    line = [sys.executable, *command, "--port", "0", *filled, *options]
    process = subprocess.Popen(line, stdout=subprocess.PIPE)
    try:
        told = json.loads(first_line(process))
        with httpx2.Client(timeout=30, trust_env=False) as http:
            yield SimulatedExchange(told["url"], told["ews"], told["login"], told["tenant"], http)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    line = process.stdout.readline() if ready else b""
    assert line, "the program did not start"
    return line


@contextlib.contextmanager
def serving(
    folder: Path,
    exchange: Addresses,
    *,
    protocol: Spoken = "ews",
    mailboxes: Sequence[str] = (EQUIPMENT,),
    service: str = "",
    more: str = "",
    pexip: str = "",
    port: int = 0,
) -> Iterator[Program]:
    """Run `greenroom serve` while the block runs; it listens, its join links are right, and Exchange can notify it.

    `port` is where it listens, if others have to know that before.
    """
    port = port or free_port()
    config = configure(
        folder,
        exchange,
        protocol=protocol,
        mailboxes=mailboxes,
        port=port,
        service=service,
        more=more,
        pexip=pexip,
    )
    command = [sys.executable, "-m", "greenroom", "serve", "--config", str(config)]
    with started(command, folder / "greenroom.log") as program:
        eventually(lambda: listens(port) or program.process.poll() is not None, seconds=_START_SECONDS)
        assert program.process.poll() is None, program.output()
        yield program


def listens(port: int) -> bool:
    """Whether something answers on a port of this computer."""
    with contextlib.closing(socket.socket()) as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def eventually(fact: Callable[[], T], seconds: float = 20) -> T:
    """Wait until something is true (or holds something), and return it."""
    end = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
    return found


def settles(count: Callable[[], T], *, still: float = 1.5, seconds: float = 30) -> T:
    """Wait until a value has not changed for a while, and return it."""
    end = time.monotonic() + seconds
    value, since = count(), time.monotonic()
    while time.monotonic() - since < still:
        assert time.monotonic() < end, "it does not come to rest"
        time.sleep(0.1)
        if (now := count()) != value:
            value, since = now, time.monotonic()
    return value
