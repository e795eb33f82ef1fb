"""The job that all sides of the benchmarks do: invitations with a ticket wait in an equipment mailbox and are to be accepted.

`waiting_exchange.py` serves them as a process of its own and counts the calls; it is the referee.
"""

import base64
import contextlib
import hashlib
import json
import re
import resource
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from greenroom.meetings.ticket import KeyRing

HOUSE = Path(__file__).parents[1]
sys.path.append(str(HOUSE / "tests"))  # other people's clients, and certificates, are helpers of the tests too
PASSWORD = "made up for the benchmark"
DOMAIN = "bench.test"
TICKET = r"GRM(?:-[0-9A-Z]{5}){8}"
HOUR = timedelta(hours=1)
PEOPLE = tuple(f"person{number}@{DOMAIN}" for number in range(20))
_PARAGRAPH = (
    '<p class="MsoNormal" style="margin:0cm;font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif">'
    "Please have a look at the papers before we meet, and bring what you think is missing.<o:p></o:p></p>\r\n"
)


def ring(integration: int = 1) -> KeyRing:
    """What signs the tickets of an integration."""
    return KeyRing("GRM", integration, {0: _key(integration)})


def ticket_keys(integration: int = 1) -> str:
    """The key that signs the tickets of an integration, as a line of the configuration."""
    return f'ticket_keys = [{{ id = 0, key = "{base64.b64encode(_key(integration)).decode()}" }}]'


def _key(integration: int) -> bytes:
    return hashlib.sha256(f"{PASSWORD} {integration}".encode()).digest()


def people() -> list[dict[str, Any]]:
    """Everybody's mailboxes, as a seed has them."""
    return [{"address": person, "password": PASSWORD} for person in PEOPLE]


def equipment(address: str) -> dict[str, Any]:
    """An equipment mailbox, as a seed has it."""
    return {"address": address, "kind": "equipment", "processing": "auto_update", "password": PASSWORD}


def invitations(count: int, mailbox: str, *, first_ticket: int = 100_000_000) -> list[dict[str, Any]]:
    """Make that many hours of meetings, of twenty organizers, that begin tomorrow."""
    signs = ring()
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    meetings = []
    for number in range(count):
        ticket = signs.issue(first_ticket + number, begin - timedelta(days=2))
        start = begin + HOUR * number
        meetings.append(
            {
                "organizer": PEOPLE[number % len(PEOPLE)],
                "subject": f"Meeting {number}",
                "body": text_with(ticket),
                "start": start.isoformat(),
                "end": (start + HOUR).isoformat(),
                "attendees": [PEOPLE[(number + 1) % len(PEOPLE)]],
                "equipment": [mailbox],
            }
        )
    return meetings


def text_with(ticket: str) -> str:
    """An invitation as Outlook writes it, with joining instructions."""
    told = f"<div><p>Join at https://meet.example/</p><p>Meeting reference: {ticket}</p></div>"
    return f"<html><head><meta charset='utf-8'></head><body lang=EN>\r\n{_PARAGRAPH * 12}{told}</body></html>"


def ticket_in(body: str) -> str | None:
    """Find the ticket as a simple program would."""
    found = re.search(TICKET, body)
    return found[0] if found else None


def cpu() -> float:
    """Seconds this process has worked so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Referee:
    """A running simulator: where it is, and its control surface. `authority` is the certificate to trust, if it speaks TLS."""

    url: str
    ews: str
    tenant: str
    authority: Path | None = None

    def ask(self, path: str, data: Any = None) -> Any:
        """Get from, or post to, the control surface."""
        request = urllib.request.Request(f"{self.url}/control/{path}", method="GET" if data is None else "POST")
        if data is not None:
            request.data = json.dumps(data).encode()
            request.add_header("Content-Type", "application/json")
        trusting = ssl.create_default_context(cafile=self.authority) if self.authority else None
        with urllib.request.urlopen(request, context=trusting) as answer:
            return json.load(answer)

    def calls_of(self, account: str) -> dict[str, int]:
        """Calls of one login or application so far, by operation."""
        return dict(self.ask("counters")["accounts"].get(account, {}))

    def calls_in(self, mailbox: str) -> dict[str, int]:
        """Calls for one mailbox so far, by operation."""
        return dict(self.ask("counters")["mailboxes"].get(mailbox, {}))


@contextlib.contextmanager
def exchange(
    folder: Path, seed: dict[str, Any], options: Sequence[str] = (), *, authority: Path | None = None
) -> Iterator[Referee]:
    """Let an Exchange with waiting invitations listen while the block runs."""
    file = folder / "seed.json"
    file.write_text(json.dumps(seed), encoding="utf-8")
    command = [sys.executable, str(HOUSE / "bench" / "waiting_exchange.py"), "--seed", str(file), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield Referee(told["url"], told["ews"], told["tenant"], authority)
        finally:
            process.terminate()
