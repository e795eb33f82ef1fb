"""The way from nothing to the first meeting, as an administrator goes it: real programs, and the scripts that they wrote.

The scripts are those on the disk, run in the shells of a simulator that is a process of its own; the configuration is the one that
`greenroom setup` told, with the secrets put beside it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from click.testing import CliRunner

from greenroom.cli import main
from greenroom.simulator.demo_world import DOMAIN
from support.certificates import of_this_machine
from support.powershell.cmdlets import Shell
from support.powershell.plain import Outcome
from support.powershell.running import Cmdlets
from support.powershell.shells import at
from support.preparing import Preparer
from support.whole import Program, SimulatedExchange, eventually, free_port, listens, started

MAILBOX: Final = f"vmr@{DOMAIN}"
ACCOUNT: Final = f"greenroom@{DOMAIN}"
ORGANIZER: Final = f"ada@{DOMAIN}"
GROUP: Final = {"exchange-server": "Greenroom production organizers", "microsoft-365": "Greenroom production scope"}
_NOBODY: Final = frozenset({"reach", "service"})
_PASSWORD: Final = "Correct-Horse-9"
_COLLEAGUE: Final = {"client_id": "c0ffee00-1111-4222-8333-444455556666", "secret": "a-colleague-s-mail-program"}


@dataclass
class Way:
    """Somebody on the way. `kind` is what was chosen; the folder is the machine on which Greenroom will run."""

    kind: str
    exchange: SimulatedExchange
    folder: Path
    port: int = field(default_factory=free_port)
    preparer: Preparer = field(init=False)
    settings: str = ""

    def __post_init__(self) -> None:
        def shell(name: Shell) -> Cmdlets:
            return at(self.exchange.url, name)

        self.preparer = Preparer(shell, {"password": _PASSWORD})

    @property
    def scripts(self) -> list[str]:
        """Names of the files, in their order."""
        return sorted(file.name for file in (self.folder / "scripts").glob("*.ps1"))

    @property
    def facts(self) -> Path:
        """Where the check writes."""
        return self.folder / "greenroom-facts.json"

    def greenroom(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Greenroom on its machine."""
        command = [sys.executable, "-m", "greenroom", *words]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM")}
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=100, env=environment
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def told(self, *words: str) -> str:
        """Run a command in this process, where it need not be a whole program; returns what it printed."""
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == 0, result.output
        return result.stdout

    def write_scripts(self, *options: str, as_program: bool = False) -> None:
        """`greenroom setup`, as somebody who has no configuration yet."""
        reach = {
            "exchange-server": ("--account", ACCOUNT, "--url", self.exchange.ews_url),
            "microsoft-365": ("--tenant", self.exchange.tenant),
        }[self.kind]
        words = (
            *("setup", self.kind, "--no-config", "--no-input", "--json", "--environment", "production"),
            *(
                "--mailbox",
                MAILBOX,
                "--public-url",
                f"http://127.0.0.1:{self.port}",
                "--to",
                str(self.folder / "scripts"),
            ),
            *("--delegate", f"administrator@{DOMAIN}", "--organizers", "--no-addin"),
            *(*reach, *options),
        )
        self.settings = json.loads(self.greenroom(*words).stdout if as_program else self.told(*words))["settings"]
        if self.kind == "microsoft-365":
            identity = of_this_machine(self.folder, "greenroom")
            (self.folder / "secrets").mkdir(exist_ok=True)
            pem = identity.certificate.read_text() + identity.key.read_text()
            (self.folder / "secrets" / "greenroom.pem").write_text(pem)
            self.preparer.files["greenroom.crt"] = identity.certificate.read_bytes()

    def run(self, name: str) -> Outcome:
        """Run one script from the disk, in the shell that it names; its files are copied back."""
        text = (self.folder / "scripts" / name).read_bytes().decode("utf-8-sig")
        head = text.partition("[CmdletBinding")[0]
        shell: Shell = "server" if "Exchange Management Shell" in head else "online"
        outcome = self.preparer.run_text(text, "graph" if "Microsoft Graph PowerShell" in head else shell)
        for file, content in outcome.files.items():
            (self.folder / file).write_text(content, encoding="utf-8-sig")  # as Windows PowerShell does
        return outcome

    def prepare(self, *, without: Sequence[str] = ()) -> list[str]:
        """Run what prepares and what checks; returns the errors. Scripts whose name ends in one of these are left out."""
        named = [name for name in self.scripts if "undo" not in name and not name[3:].startswith(tuple(without) or "-")]
        return [error for name in named if (error := self.run(name).error)]

    def put_organizer_into_group(self) -> None:
        """The step by hand."""
        member = {"Identity": GROUP[self.kind], "Member": ORGANIZER}
        self.preparer.shell("server" if self.kind == "exchange-server" else "online")(
            "Add-DistributionGroupMember", member
        )

    def configure(self) -> None:
        """Write greenroom.toml as it was told, and the secrets beside it."""
        text = self.settings.replace("[service]\n", f'[service]\nlisten = "127.0.0.1:{self.port}"\n')
        if self.kind == "microsoft-365":
            text = text.replace(
                "00000000-0000-0000-0000-000000000000", self.preparer.answers["Application (client) id"]
            )
            reach = f'cloud = "custom"\nlogin_url = "{self.exchange.login_url}"\ngraph_url = "{self.exchange.url}"\n'
            text = text.replace('protocol = "graph"\n', f'protocol = "graph"\n{reach}')
        text = text.replace("[integration.exchange]\n", "[integration.exchange]\npoll_seconds = 1\n")
        (self.folder / "greenroom.toml").write_text(text, encoding="utf-8")
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "exchange-password").write_text(_PASSWORD)
        (secrets / "ticket-keys").write_text(self.told("config", "new-key", "--format", "file"))

    @contextmanager
    def serving(self) -> Iterator[Program]:
        """Run `greenroom serve`."""
        command = [
            "env",
            "-C",
            str(self.folder),
            sys.executable,
            "-m",
            "greenroom",
            "serve",
        ]  # its database is where it runs
        with started(command, self.folder / "greenroom.log") as program:
            eventually(lambda: listens(self.port) or program.process.poll() is not None, seconds=60)
            assert program.process.poll() is None, program.output()
            yield program

    def examined(self) -> tuple[int, list[dict[str, Any]]]:
        """`greenroom doctor`, with the facts of the check where there are any: exit code and findings."""
        told = self.greenroom("doctor", *self._examination())
        return told.returncode, _findings(told.stdout)

    def _examination(self) -> list[str]:
        facts = ["--facts", str(self.facts), "--environment", "production"] if self.facts.exists() else []
        return ["--json", "--config", str(self.folder / "greenroom.toml"), *facts]

    def wrong(self) -> dict[str, str]:
        """What the scripts that check and the doctor find wrong, by what found it. Nobody serves here, which is left out.

        In this process, since there are many to be made.
        """
        self.facts.unlink(missing_ok=True)
        checks = {name: self.run(name) for name in self.scripts if "verify" in name}
        stopped = {name: outcome.error for name, outcome in checks.items() if outcome.error}
        told = CliRunner().invoke(main, ["doctor", *self._examination()])
        findings = _findings(told.stdout)
        wrong = {one["check"]: one["what"] for one in findings if one["state"] == "wrong"}
        return stopped | {check: what for check, what in wrong.items() if check not in _NOBODY}


def _findings(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["findings"]
    return found


@dataclass
class Colleague:
    """An organizer with a mail program that speaks Graph, as which it was registered long ago."""

    exchange: SimulatedExchange
    address: str = ORGANIZER

    def __post_init__(self) -> None:
        self.exchange.post("applications", **_COLLEAGUE, scope=[self.address])
        form = {
            "grant_type": "client_credentials",
            "client_id": _COLLEAGUE["client_id"],
            "client_secret": _COLLEAGUE["secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = httpx2.post(f"{self.exchange.login_url}/{self.exchange.tenant}/oauth2/v2.0/token", data=form)
        self._token = answer.raise_for_status().json()["access_token"]

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        url = f"{self.exchange.url}/v1.0/users/{self.address}/{path}"
        head = {"Authorization": f"Bearer {self._token}"}
        answer = httpx2.request(method, url, headers=head, timeout=20, **more)
        return answer.raise_for_status().json()

    def books(self, subject: str = "Planning") -> str:
        """Invite the equipment mailbox to a meeting tomorrow; returns the id of the organizer's own event."""
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        times = {
            name: {"dateTime": when.replace(tzinfo=None).isoformat(), "timeZone": "UTC"}
            for name, when in (("start", start), ("end", start + timedelta(hours=1)))
        }
        room = {"type": "resource", "emailAddress": {"address": MAILBOX, "name": "Room"}}
        body = {"contentType": "html", "content": "<p>Agenda</p>"}
        event = self._asked("POST", "events", json={"subject": subject, "body": body, "attendees": [room], **times})
        return str(event["id"])

    def answer_to(self, event: str) -> str:
        """What the equipment mailbox answered so far."""
        found = self._asked("GET", f"events/{event}")
        return str(found["attendees"][0]["status"]["response"])

    def text_of(self, event: str) -> str:
        """The text of the organizer's own meeting."""
        return str(self._asked("GET", f"events/{event}")["body"]["content"])
