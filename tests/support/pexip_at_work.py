"""Whole programs with Pexip: a simulated Exchange, a simulated Pexip and Greenroom, each a process of its own.

::

    with site(tmp_path, way="both") as home:
        home.olga.invite("Planning", in_seconds(-60))
        room = home.accepted("Planning")
        home.dial(room.alias)["admitted"]
"""

import base64
import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx2
import psycopg

from greenroom.meetings.ticket import KeyRing
from support.colleague import Colleague
from support.whole import (
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    PEXIP_DOMAIN,
    Processing,
    Program,
    SimulatedExchange,
    Spoken,
    eventually,
    first_line,
    free_port,
    serving,
    settings_in,
    simulated_exchange,
    world,
)

Way = Literal["policy", "ahead", "just-in-time", "both"]
ADMIN, ADMIN_PASSWORD = "greenroom-admin", "Sauerteig~Mangel-1887"
NODES, NODES_PASSWORD = "greenroom-policy", "Hagebutten-Ritt~1912"
FOREIGN_NAME = "Lobby of somebody else"
THEME, HOSTS, GUESTS = "Company", "Staff sign-in", "Guests sign-in"
TO_THE_SECOND = "[integration.meetings]\nbefore = 0\nafter = 0\n"
BOTH_PINS = 'pin = "host-and-guest"\n'
SEED: Mapping[str, Any] = {
    "ivr_theme": [{"key": "theme", "name": THEME}],
    "identity_provider_group": [{"key": "hosts", "name": HOSTS}, {"key": "guests", "name": GUESTS}],
    "media_library_playlist": [{"name": "Too early"}, {"name": "Meeting over"}],
    "conference": [
        {
            "name": FOREIGN_NAME,
            "service_type": "conference",
            "aliases": [{"alias": f"lobby@{PEXIP_DOMAIN}"}, {"alias": "lobby"}],
        }
    ],
}


@dataclass
class SimulatedPexip:
    """A simulated Pexip in a process of its own, acted upon through its control surface."""

    url: str
    http: httpx2.Client = field(repr=False)

    def get(self, path: str) -> Any:
        return self.http.get(f"{self.url}/pexip/control/{path}").raise_for_status().json()

    def post(self, path: str, **data: Any) -> Any:
        return self.http.post(f"{self.url}/pexip/control/{path}", json=data).raise_for_status().json()

    def dial(self, alias: str, **caller: Any) -> dict[str, Any]:
        """Let somebody dial; see `greenroom.simulator.pexip.node.Node.dial`."""
        report: dict[str, Any] = self.post("dial", alias=alias, **caller)
        assert report["policy"]["valid"] is not False or report["policy"]["status"] != httpx2.codes.OK, report
        return report

    def asks(self, port: int) -> None:
        """Let nodes ask the Greenroom that listens there."""
        self.post("policy", url=f"http://127.0.0.1:{port}", username=NODES, password=NODES_PASSWORD)

    def fail(self, kind: str, **rule: Any) -> int:
        """Switch a fault on (see `greenroom.simulator.pexip.faults`)."""
        return int(self.post("faults", kind=kind, **rule)["id"])

    def mend(self) -> None:
        """Switch all faults off."""
        self.http.delete(f"{self.url}/pexip/control/faults").raise_for_status()

    def conferences(self) -> list[dict[str, Any]]:
        """All conferences that carry a mark, oldest first; PINs are shown."""
        found: list[dict[str, Any]] = self.get("state")["conference"]
        return [one for one in found if one["tag"].startswith("greenroom-")]

    def calls(self, method: str = "", resource: str = "configuration/") -> list[dict[str, Any]]:
        """What was asked of the management API, oldest first."""
        made: list[dict[str, Any]] = self.get("calls")["calls"]
        return [one for one in made if one["method"].startswith(method) and one["resource"].startswith(resource)]


@contextlib.contextmanager
def simulated_pexip(
    folder: Path, *options: str, seed: Mapping[str, Any] = SEED, replication: float = 0
) -> Iterator[SimulatedPexip]:
    """Run `python -m greenroom.simulator.pexip` on a seed while the block runs."""
    file = folder / "pexip-seed.json"
    file.write_text(json.dumps(seed), encoding="utf-8")
    line = [sys.executable, "-m", "greenroom.simulator.pexip", "--seed", str(file), "--replication", str(replication)]
    line += ["--user", ADMIN, "--password", ADMIN_PASSWORD, *options]
    process = subprocess.Popen(line, stdout=subprocess.PIPE)
    try:
        told = json.loads(first_line(process))
        with httpx2.Client(timeout=30, trust_env=False, verify=False) as http:
            yield SimulatedPexip(told["url"], http)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def tables(url: str, way: Way, *, rooms: str = "", lines: str = "", management: str = "") -> str:
    """Write `[integration.pexip]`: `lines` are its own, `management` and `rooms` go into those sections."""
    told = ["[integration.pexip]", f'provisioning = "{_PROVISIONING[way]}"', "grace = 0", lines]
    if way != "policy":
        told += ["[integration.pexip.management]", f'url = "{url}"', f'username = "{ADMIN}"']
        told += [f'password = "{ADMIN_PASSWORD}"', "timeout_seconds = 2", management]
    if way in ("policy", "both"):
        told += ["[integration.pexip.policy]", f'username = "{NODES}"', f'password = "{NODES_PASSWORD}"']
    told += ["[integration.pexip.rooms]", rooms]
    return "\n".join(told) + "\n"


_PROVISIONING: Mapping[Way, str] = {
    "policy": "none",
    "ahead": "ahead",
    "both": "ahead",
    "just-in-time": "just-in-time",
}


@dataclass(frozen=True)
class Room:
    """A room as Greenroom remembers it."""

    mark: str
    alias: str
    numeric: str
    name: str
    host_pin: str | None
    guest_pin: str | None
    retired: bool
    owner: str

    @property
    def tag(self) -> str:
        """By what it is known at Pexip."""
        return f"greenroom-1-{self.mark}"


@dataclass
class Home:
    """All three programs, and an organizer."""

    folder: Path
    exchange: SimulatedExchange
    pexip: SimulatedPexip
    olga: Colleague
    port: int
    protocol: Spoken
    pexip_tables: str
    more: str
    service: str = ""
    postgres: str = ""
    greenroom: Program = field(init=False)
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> None:
        """Start Greenroom, again if it was stopped."""
        serve = serving(
            self.folder,
            self.exchange,
            protocol=self.protocol,
            pexip=self.pexip_tables,
            more=self.more,
            service=self.service,
            port=self.port,
        )
        self.greenroom = self._running.enter_context(serve)

    def kill(self) -> None:
        """Kill Greenroom as nobody should."""
        self.greenroom.process.kill()
        self.greenroom.process.wait()
        self._running.close()

    def stop(self) -> None:
        """Stop Greenroom as an administrator does."""
        self._running.close()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Greenroom on its configuration."""
        line = [sys.executable, "-m", "greenroom", *words, "--config", str(self.folder / "greenroom.toml")]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120, env=env)

    def ticket(self, number: int) -> str:
        """Joining instructions with a genuine ticket for an alias number, as the button writes them."""
        (entry,) = settings_in(self.folder).integration
        ring = KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})
        return f"<html><body><p>Meeting reference: {ring.issue(number, datetime.now(UTC))}</p></body></html>"

    @property
    def database(self) -> Path:
        return self.folder / "greenroom.db"

    def dial(self, alias: str, **caller: Any) -> dict[str, Any]:
        return self.pexip.dial(alias, **caller)

    def admits(self, alias: str, **caller: Any) -> bool:
        """Whether somebody who dials gets in."""
        return bool(self.dial(alias, **caller)["admitted"])

    def rooms(self) -> list[Room]:
        """All that Greenroom remembers, tombstones too."""
        query = "SELECT mark, alias, alias_numeric, name, host_pin, guest_pin, retired_at IS NOT NULL, owner FROM rooms"
        if self.postgres:
            with psycopg.connect(self.postgres) as connection:
                return [Room(*row) for row in connection.execute(query).fetchall()]
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as file:
            return [Room(*row) for row in file.execute(query)]

    def room(self, subject: str) -> Room:
        """The room of a meeting of this organizer, by the beginning of its name."""
        mine = [room for room in self.rooms() if room.owner == self.olga.address]
        (found,) = (room for room in mine if room.name.startswith(subject))
        return found

    def conferences(self) -> list[dict[str, Any]]:
        """Her conferences at Pexip."""
        return [one for one in self.pexip.conferences() if one["primary_owner_email_address"] == self.olga.address]

    def somebody_else(self) -> "Home":
        """Let another organizer use the same programs."""
        address = f"olga-{secrets.token_hex(4)}@sim.test"
        self.exchange.post("mailboxes", address=address, name="Olga", password=PASSWORD)
        self.olga = Colleague.at(self.exchange.ews_url, address, EQUIPMENT)
        return self

    def replies(self) -> list[str]:
        """What the organizer was answered, oldest first."""
        return [answer["response"] for answer in self.exchange.answers(self.olga.address)]

    def answered(self, *kinds: str) -> None:
        """Wait until the organizer has been answered just so."""
        eventually(lambda: self.replies() == list(kinds) or len(self.replies()) > len(kinds), seconds=40)
        assert self.replies() == list(kinds)

    def accepted(self, subject: str, count: int = 1) -> Room:
        """Wait for the accept of the only meeting so far (or the last of `count`), and return its room."""
        self.answered(*["Accept"] * count)
        return self.room(subject)


@contextlib.contextmanager
def site(
    folder: Path,
    way: Way,
    *,
    protocol: Spoken = "ews",
    processing: Processing = "auto_update",
    more: str = TO_THE_SECOND,
    seed: Mapping[str, Any] = SEED,
    replication: float = 0,
    options: Sequence[str] = (),
    rooms: str = "",
    lines: str = "",
    management: str = "",
    service: str = "",
) -> Iterator[Home]:
    """Run all three programs while the block runs: `way` is how Greenroom uses Pexip, whose nodes ask it if it answers."""
    with (
        simulated_exchange(folder, world(processing)) as exchange,
        simulated_pexip(folder, *options, seed=seed, replication=replication) as pexip,
    ):
        port = free_port()
        if way in ("policy", "both"):
            pexip.asks(port)
        told = tables(pexip.url, way, rooms=rooms, lines=lines, management=management)
        olga = Colleague.at(exchange.ews_url, ORGANIZER, EQUIPMENT)
        home = Home(folder, exchange, pexip, olga, port, protocol, told, more, service)
        home.start()
        try:
            yield home
        finally:
            home.stop()
        assert "Traceback" not in home.greenroom.output()


@dataclass(frozen=True)
class Seen:
    """What somebody who dialled again and again met: the first instant at which it was so, and the last before that."""

    last_before: float
    first_after: float


def dialled_until(home: Home, alias: str, *, admitted: bool, seconds: float, **caller: Any) -> Seen:
    """Dial every 100 ms until people are let in, or are not; times are those of the wall clock."""
    end = time.time() + seconds
    before = time.time()
    while True:
        begun = time.time()
        assert begun < end, "it stayed as it was"
        if home.admits(alias, **caller) is admitted:
            return Seen(before, time.time())
        before = begun
        time.sleep(max(0.0, 0.1 - (time.time() - begun)))


def basic(username: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
