"""`python -m greenroom.simulator.outlook`: the mail client by itself, with the people of the demo, to try by hand."""

import argparse
import contextlib
import socket
import sys
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware

from greenroom.simulator import Exchange
from greenroom.simulator.demo_world import EQUIPMENT, populate
from greenroom.simulator.outlook.app import create_outlook_app


def world() -> tuple[Exchange, Starlette]:
    """The demo's people in a new store, and the client over it."""
    exchange = Exchange(lambda: datetime.now(UTC))
    populate(exchange, processing="auto_update")
    people = [one.address for one in exchange.mailboxes() if one.kind == "user"]
    return exchange, create_outlook_app(exchange, people=people, equipment=[EQUIPMENT])


def main() -> int:
    """Serve on loopback until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m greenroom.simulator.outlook", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a port of 127.0.0.1; 0 (default): any free one")
    arguments = parser.parse_args()
    _, app = world()
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])  # against DNS rebinding
    with contextlib.closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", arguments.port))
        except OSError as error:
            sys.stderr.write(f"Port {arguments.port} cannot be used: {error.strerror}. Choose another with --port.\n")
            return 1
        sys.stdout.write(f"Mail is at http://127.0.0.1:{listener.getsockname()[1]}/ (Ctrl+C ends it)\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
