"""A whole installation for the doctor: Exchange, Pexip, providers and the service, each of which a test can break."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.pexip_at_work import NODES_PASSWORD, SimulatedPexip, simulated_pexip, tables
from support.simulator import RunningSimulator, running_simulator
from support.tokens import CLIENT, Issuers, issuers_served
from support.whole import Program, configure, eventually, free_port, listens, started, world

_STARTING = 60


@dataclass
class House:
    """What a test holds in its hands. `text` is the configuration that is right."""

    folder: Path
    exchange: RunningSimulator
    pexip: SimulatedPexip
    issuers: Issuers
    port: int
    text: str
    greenroom: Program | None = field(default=None)

    @property
    def config(self) -> Path:
        return self.folder / "greenroom.toml"

    def doctor(self, *arguments: str, **replaced: str) -> "Examined":
        """Examine, with pieces of the configuration replaced: each name is a key of _PIECES."""
        text = self.text
        for name, value in replaced.items():
            before = {"exchange": self.exchange.ews_url, "pexip": self.pexip.url, "issuers": self.issuers.root}.get(
                name
            )
            before = before or {"policy_password": NODES_PASSWORD, "public": f"127.0.0.1:{self.port}"}[name]
            assert before in text, name
            text = text.replace(before, value)
        file = self.folder / "examined.toml"
        file.write_text(text, encoding="utf-8")
        return examined(file, *arguments)


@dataclass(frozen=True)
class Examined:
    """What the doctor told, and how long the whole program took."""

    code: int
    findings: list[dict[str, Any]]
    seconds: float
    errors: str

    @property
    def wrong(self) -> set[str]:
        return {one["check"] for one in self.findings if one["state"] == "wrong"}

    @property
    def unknown(self) -> set[str]:
        return {one["check"] for one in self.findings if one["state"] == "unknown"}


def examined(config: Path, *arguments: str) -> Examined:
    """Run `greenroom doctor --json` as a process of its own."""
    command = [sys.executable, "-m", "greenroom", "doctor", "--json", *arguments, "--config", str(config)]
    began = time.monotonic()
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=100, env={**os.environ, "TZ": "UTC"}
    )
    took = time.monotonic() - began
    assert "Traceback" not in result.stderr, result.stderr
    return Examined(result.returncode, json.loads(result.stdout)["findings"], took, result.stderr)


@contextlib.contextmanager
def doctor_house(folder: Path) -> Iterator[House]:
    """Run all of it while the block runs."""
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(running_simulator(world()))
        issuers = stack.enter_context(issuers_served())
        pexip = stack.enter_context(simulated_pexip(folder))
        port = free_port()
        addin = f"""
[integration.addin.entra]
tenants = ["{issuers.entra.tenant}"]
client_id = "{CLIENT}"
login_url = "{issuers.root}"

[integration.addin.exchange_tokens]
metadata_urls = ["{issuers.exchange.metadata_url}"]
"""
        rooms = 'theme = "Company"\n'
        file = configure(folder, exchange, port=port, more=addin, pexip=tables(pexip.url, "both", rooms=rooms))
        house = House(folder, exchange, pexip, issuers, port, file.read_text())
        command = [sys.executable, "-m", "greenroom", "serve", "--config", str(file)]
        with started(command, folder / "greenroom.log") as program:
            house.greenroom = program
            eventually(lambda: listens(port) or program.process.poll() is not None, seconds=_STARTING)
            assert program.process.poll() is None, program.output()
            yield house


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as hole:
        yield hole.getsockname()[1]
