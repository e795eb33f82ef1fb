"""An Exchange in a box in whose mailboxes invitations wait already: the simulator's command with one more key in the seed.

`python bench/waiting_exchange.py --port 0 --seed FILE`; the file may hold a list `meetings` beside the keys of a seed,
each with organizer, subject, body (HTML), start and end (ISO 8601 with offset), attendees and equipment (addresses).
"""

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.model import Attendee, Body, MeetingDraft, Person
from greenroom.simulator.seeding import seed
from greenroom.simulator.server import SimulatorServer, address_of, addresses, listening_socket, simulator_config


def invite(exchange: Exchange, meeting: dict[str, Any]) -> None:
    """Let an organizer send one invitation."""
    people = [Attendee(Person(address)) for address in meeting["attendees"]]
    draft: MeetingDraft = {
        "subject": meeting["subject"],
        "body": Body(meeting["body"], "HTML"),
        "start": datetime.fromisoformat(meeting["start"]),
        "end": datetime.fromisoformat(meeting["end"]),
        "attendees": (*people, *(Attendee(Person(address), "resource") for address in meeting["equipment"])),
    }
    exchange.create_meeting(meeting["organizer"], draft, "SendToAllAndSaveCopy")


def main() -> None:
    """Serve until told to stop; prints one line of JSON when it listens, as the simulator does."""
    parser = argparse.ArgumentParser(description="Exchange in a box with invitations that wait")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=Path, required=True)
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--lenient", action="store_true", help="delay messages over the rate, instead of refusing them")
    arguments = parser.parse_args()
    data = json.loads(arguments.seed.read_text(encoding="utf-8"))
    meetings = data.pop("meetings", [])
    exchange = Exchange(SimulatorClock())
    seed(exchange, data)
    for meeting in meetings:
        invite(exchange, meeting)
    app = create_simulator_app(exchange, strict=not arguments.lenient)
    sock = listening_socket("127.0.0.1", arguments.port)
    url = address_of(sock, tls=bool(arguments.tls_cert))

    def tell() -> None:
        sys.stdout.write(json.dumps({**addresses(url, app), "pid": os.getpid()}) + "\n")
        sys.stdout.flush()

    config = simulator_config(app, certificate=arguments.tls_cert, key=arguments.tls_key)
    SimulatorServer(config, close=app.close, started=tell).run([sock])


if __name__ == "__main__":
    main()
