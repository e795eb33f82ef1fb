"""Other people's Graph clients, each a process in an environment of its own (`.peers/`, made by ./test)."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

PEERS = ("o365", "msgraph")
_HOUSE = Path(__file__).parents[2]
_SCRIPTS = _HOUSE / "tests" / "peers"


class PeerMissingError(Exception):
    """A client's environment is not there."""


class PeerError(Exception):
    """The client could not do what it was asked for; the text is its own."""


@dataclass
class Peer:
    """A running client. Times are aware; ids are the client's."""

    process: "subprocess.Popen[str]"

    def do(self, order: str, **more: Any) -> Any:
        """Give an order and wait for its answer. Raises PeerError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": order, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{order}: the client ended")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{order}: {answer['error']}")
        return answer["ok"]

    def invite(
        self, organizer: str, subject: str, *, start: datetime, end: datetime, equipment: str, attendees: list[str]
    ) -> str:
        return str(
            self.do(
                "invite",
                organizer=organizer,
                subject=subject,
                start=start.isoformat(),
                end=end.isoformat(),
                body="<p>Agenda</p>",
                equipment=equipment,
                attendees=attendees,
            )
        )


@contextlib.contextmanager
def peer(name: str, *, root: str, tenant: str, client: str, secret: str, authority: Path) -> Iterator[Peer]:
    """Run a client that is signed in at the simulator at `root` (https). Raises PeerMissingError."""
    python = _HOUSE / ".peers" / name / "bin" / "python"
    if not python.exists():
        raise PeerMissingError(f"{name} is not installed; ./test does it")
    options = {"root": root, "tenant": tenant, "client": client, "secret": secret, "ca": str(authority)}
    command = [str(python), str(_SCRIPTS / f"{name}_client.py")]
    command += [part for key, value in options.items() for part in (f"--{key}", value)]
    # requests lets such a variable win over its own argument
    strange = ("PYTHON", "proxy", "PROXY", "CA_BUNDLE", "SSL_CERT")
    clean = {key: value for key, value in os.environ.items() if not any(word in key for word in strange)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()
