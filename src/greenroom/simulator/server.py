"""The simulator as a process of its own: its options, and what it says when it listens.

`python -m greenroom.simulator --port 0 --demo` prints one line of JSON on standard output as soon as it listens::

    {"url": "http://127.0.0.1:40123", "ews": "http://127.0.0.1:40123/EWS/Exchange.asmx",
     "graph": "http://127.0.0.1:40123/v1.0", "login": "http://127.0.0.1:40123", "tenant": "3f9c2c1a-…", "pid": 4711}
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.simulator import demo_world, untouched
from greenroom.simulator.app import SimulatorApp, create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.ews_face import EWS_PATH
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.graph_face import GRAPH_ROOT
from greenroom.simulator.seeding import SeedError, seed
from greenroom.simulator.serving import SimulatorServer, address_of, listening_socket, simulator_config

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SimulatorServer", "address_of", "addresses", "build", "listening_socket", "main", "simulator_config"]


def addresses(url: str, app: SimulatorApp) -> dict[str, str]:
    """Where a listening simulator's faces are, and which tenant it is."""
    return {"url": url, "ews": url + EWS_PATH, "graph": url + GRAPH_ROOT, "login": url, "tenant": app.graph.tenant}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m greenroom.simulator", description="Exchange in a box")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    world = parser.add_mutually_exclusive_group()
    world.add_argument("--seed", type=Path, metavar="FILE", help="JSON file with mailboxes and accounts")
    world.add_argument("--untouched", action="store_true", help="people, an administrator, and Exchange's defaults")
    world.add_argument("--demo", action="store_true", help="the made-up company of the demo")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--lock-after", type=int, metavar="N", help="lock an account after N wrong passwords")
    parser.add_argument("--lenient", action="store_true", help="delay messages over the rate, instead of refusing them")
    parser.add_argument("--now", type=datetime.fromisoformat, metavar="TIME", help="the clock's time at the start")
    return parser.parse_args(argv)


def build(arguments: argparse.Namespace) -> SimulatorApp:
    """Make store and faces from the options. Raises `SeedError` for a seed file that cannot be used."""
    exchange = Exchange(SimulatorClock(arguments.now))
    if arguments.demo:
        demo_world.populate(exchange)
    elif arguments.untouched:
        untouched.populate(exchange)
    elif arguments.seed is not None:
        try:
            data = json.loads(arguments.seed.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SeedError(f"{arguments.seed}: {error}") from None
        seed(exchange, data)
    return create_simulator_app(exchange, lock_after=arguments.lock_after, strict=not arguments.lenient)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the simulator until it is told to stop."""
    arguments = _arguments(argv)
    try:
        app = build(arguments)
        sock = listening_socket(arguments.host, arguments.port)
    except (SeedError, ValueError, OSError) as error:
        sys.stderr.write(f"greenroom.simulator: {error}\n")
        return 2
    url = address_of(sock, tls=bool(arguments.tls_cert))

    def tell() -> None:
        sys.stdout.write(json.dumps({**addresses(url, app), "pid": os.getpid()}) + "\n")
        sys.stdout.flush()

    config = simulator_config(app, certificate=arguments.tls_cert, key=arguments.tls_key)
    SimulatorServer(config, close=app.close, started=tell).run([sock])
    return 0
