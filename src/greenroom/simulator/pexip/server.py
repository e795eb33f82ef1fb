"""The platform as a process of its own.

`python -m greenroom.simulator.pexip --port 0` prints one line of JSON on standard output as soon as it listens::

    {"url": "http://127.0.0.1:40123", "management": "http://127.0.0.1:40123/api/admin/",
     "token": "http://127.0.0.1:40123/oauth/token/", "control": "http://127.0.0.1:40123/pexip/control/", "pid": 4711}
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip.app import PexipApp, create_pexip_app
from greenroom.simulator.pexip.demo import demo_seed
from greenroom.simulator.pexip.oauth import TOKEN_PATH, Client, User
from greenroom.simulator.pexip.platform import REPLICATION, Pexip
from greenroom.simulator.pexip.policy import PolicyProfile
from greenroom.simulator.seeding import SeedError
from greenroom.simulator.serving import SimulatorServer, address_of, listening_socket, simulator_config

if TYPE_CHECKING:
    from collections.abc import Sequence


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m greenroom.simulator.pexip", description="Pexip Infinity in a box")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--replication", type=float, default=REPLICATION.total_seconds(), metavar="SECONDS")
    parser.add_argument("--policy-url", metavar="URL", help="whom the nodes ask when somebody dials")
    parser.add_argument("--policy-user", default="", metavar="NAME")
    parser.add_argument("--policy-password", default="", metavar="PASSWORD")
    parser.add_argument("--policy-ca", metavar="FILE", help="who signed the policy server's certificate")
    parser.add_argument("--policy-cert", metavar="FILE", help="the nodes' own certificate, with --policy-key")
    parser.add_argument("--policy-key", metavar="FILE")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="pexip-admin")
    parser.add_argument("--oauth-client", action="append", default=[], metavar="ID=PUBKEY.pem")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--seed", type=Path, metavar="FILE", help="JSON file, see greenroom.simulator.pexip.seeding")
    parser.add_argument("--demo", action="store_true", help="the rooms of the made-up company of the demo")
    parser.add_argument("--now", type=datetime.fromisoformat, metavar="TIME", help="the clock's time at the start")
    return parser.parse_args(argv)


def build(arguments: argparse.Namespace) -> PexipApp:
    """Make the platform from the options. Raises SeedError, ValueError or OSError for files that cannot be used."""
    profile = PolicyProfile(arguments.policy_url, arguments.policy_user, arguments.policy_password)
    if arguments.policy_ca or arguments.policy_cert:
        profile.verify = ssl.create_default_context(cafile=arguments.policy_ca)
        if arguments.policy_cert:
            profile.verify.load_cert_chain(arguments.policy_cert, arguments.policy_key)
    pexip = Pexip(SimulatorClock(arguments.now), timedelta(seconds=arguments.replication), policy=profile)
    pexip.sign_in.users = {arguments.user: User(arguments.password)}
    for named in arguments.oauth_client:
        client_id, _, file = named.partition("=")
        pexip.sign_in.clients[client_id] = Client(Path(file).read_text(encoding="utf-8"))
    if arguments.demo:
        pexip.seed(demo_seed())
    if arguments.seed is not None:
        pexip.seed(json.loads(arguments.seed.read_text(encoding="utf-8")))
    return create_pexip_app(pexip)


def addresses(url: str) -> dict[str, str]:
    """Where the parts of a listening platform are."""
    return {
        "url": url,
        "management": f"{url}/api/admin/",
        "token": url + TOKEN_PATH,
        "control": f"{url}/pexip/control/",
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the platform until it is told to stop."""
    arguments = _arguments(argv)
    try:
        app = build(arguments)
        sock = listening_socket(arguments.host, arguments.port)
    except (SeedError, ValueError, OSError) as error:
        sys.stderr.write(f"greenroom.simulator.pexip: {error}\n")
        return 2
    url = address_of(sock, tls=bool(arguments.tls_cert))

    def tell() -> None:
        sys.stdout.write(json.dumps({**addresses(url), "pid": os.getpid()}) + "\n")
        sys.stdout.flush()

    config = simulator_config(app, certificate=arguments.tls_cert, key=arguments.tls_key)
    SimulatorServer(config, close=app.close, started=tell).run([sock])
    return 0
