"""Microsoft 365 in a process of its own, over TLS, and a Greenroom that attends equipment mailboxes there."""

import contextlib
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from support.certificates import of_this_machine
from support.whole import CLIENT_ID, CLIENT_SECRET, Program, eventually, free_port, key_of, started

_SECONDS = 60


@dataclass
class Online:
    """A simulator that speaks TLS, acted upon through its control surface. `authority` is the certificate to trust."""

    url: str
    tenant: str
    authority: Path
    http: httpx2.Client = field(repr=False)

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(f"{self.url}/control/{path}", params=query).raise_for_status().json()

    def calls(self, operation: str) -> int:
        """Calls of one operation so far."""
        return int(self.get("counters")["operations"].get(operation, 0))

    def answers(self, organizer: str, equipment: str, subject: str) -> list[str]:
        """What an equipment mailbox answered to a meeting, as it lies in the organizer's Inbox, oldest first."""
        inbox = self.get("state", mailbox=organizer)["inbox"]
        answers = [item for item in inbox if ".Resp." in item["class"] and item["from"] == equipment]
        return [item["response"] for item in answers if subject in item["subject"]]


@contextlib.contextmanager
def online(folder: Path, seed: Mapping[str, Any]) -> Iterator[Online]:
    """Run a simulator on a seed while the block runs."""
    papers, file = of_this_machine(folder), folder / "seed.json"
    file.write_text(json.dumps(seed), encoding="utf-8")
    command = [sys.executable, "-m", "greenroom.simulator", "--seed", str(file)]
    command += ["--tls-cert", str(papers.certificate), "--tls-key", str(papers.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            trusting = ssl.create_default_context(cafile=papers.certificate)
            with httpx2.Client(timeout=30, trust_env=False, verify=trusting) as http:
                yield Online(told["url"], told["tenant"], papers.certificate, http)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Attended:
    """How one equipment mailbox is attended; `more` are further sections of its integration."""

    mailbox: str
    notifications: bool = False
    poll_seconds: int = 1
    more: str = ""


@contextlib.contextmanager
def serving_online(folder: Path, exchange: Online, mailboxes: Sequence[Attended]) -> Iterator[Program]:
    """Run `greenroom serve` while the block runs: its pages can be opened and its subscriptions are made."""
    port, config = free_port(), folder / "greenroom.toml"
    address = f"http://127.0.0.1:{port}"
    head = f"""\
[service]
listen = "127.0.0.1:{port}"
public_url = "{address}"

[storage]
url = "sqlite:///{(folder / "greenroom.db").resolve()}"
"""
    integrations = [_integration(number, one, exchange) for number, one in enumerate(mailboxes, 1)]
    config.write_text("".join([head, *integrations]), encoding="utf-8")
    command = [sys.executable, "-m", "greenroom", "serve", "--config", str(config)]
    subscriptions = sum(one.notifications for one in mailboxes)
    with started(command, folder / "greenroom.log") as program:
        eventually(lambda: program.process.poll() is not None or _answers(address), seconds=_SECONDS)
        assert program.process.poll() is None, program.output()
        eventually(lambda: exchange.calls("CreateSubscription") >= subscriptions, seconds=_SECONDS)
        yield program


def _integration(number: int, attended: Attended, exchange: Online) -> str:
    return f"""
[[integration]]
number = {number}
name = "main-{number}"
mailbox = "{attended.mailbox}"
ticket_keys = [{{ id = 0, key = "{key_of(number)}" }}]

[integration.alias]
prefix = "meet{number}"

[integration.exchange]
protocol = "graph"
tenant = "{exchange.tenant}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
cloud = "custom"
login_url = "{exchange.url}"
graph_url = "{exchange.url}"
ca_file = "{exchange.authority}"
poll_seconds = {attended.poll_seconds}
notifications = {str(attended.notifications).lower()}

{attended.more}
"""


def _answers(address: str) -> bool:
    with contextlib.suppress(httpx2.TransportError):
        return httpx2.get(f"{address}/healthz", trust_env=False).is_success
    return False
