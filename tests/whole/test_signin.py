"""A service account signs in by hand, once: then a mailbox is attended over EWS by OAuth, until somebody ends its session."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.behind_door import accepted, invite
from support.browser import chromium, open_page
from support.simulator import RunningSimulator, running_simulator
from support.whole import EQUIPMENT, PASSWORD, Program, eventually, free_port, key_of, listens, started, world

USER = "svc@sim.test"
PUBLIC = "7c1d0e55-0000-4000-8000-000000000007"


@pytest.fixture
def sim() -> Iterator[RunningSimulator]:
    seed = world()
    accounts = [{"login": USER, "password": PASSWORD, "impersonate": "everybody"}]
    with running_simulator(
        {**seed, "accounts": accounts, "applications": [{"client_id": PUBLIC, "public": True}]}
    ) as one:
        yield one


class House:
    def __init__(self, folder: Path, sim: RunningSimulator) -> None:
        self.folder = folder
        self.sim = sim
        self.port = free_port()
        self.file = folder / "greenroom.toml"
        self.file.write_text(f"""\
[service]
listen = "127.0.0.1:{self.port}"
public_url = "http://127.0.0.1:{self.port}"
log_level = "debug"
[storage]
url = "sqlite:///{folder}/greenroom.db"
[[integration]]
number = 1
name = "main"
mailbox = "{EQUIPMENT}"
ticket_keys = [{{ id = 0, key = "{key_of(1)}" }}]
[integration.meetings]
unticketed = "schedule"
[integration.exchange]
url = "{sim.ews_url}"
auth = "oauth"
username = "{USER}"
poll_seconds = 1
[integration.exchange.oauth]
account = "service-account"
tenant = "{sim.tenant}"
client_id = "{PUBLIC}"
cloud = "custom"
login_url = "{sim.login_url}"
""")

    def run(self, name: str, *arguments: str) -> Any:
        command = [sys.executable, "-m", "greenroom", *arguments, "--config", str(self.file)]
        return started(command, self.folder / f"{name}.log")

    @contextmanager
    def served(self, name: str) -> Iterator[Program]:
        with self.run(name, "serve") as program:
            eventually(lambda: listens(self.port) or program.process.poll() is not None, seconds=60)
            yield program

    def sign_in(self, name: str) -> str:
        """Sign in by a code, as somebody at a terminal and a browser elsewhere does; returns what was printed."""
        with self.run(name, "signin", "--device-code") as program:
            [code] = eventually(lambda: re.findall(r"^ {4}([A-Z]{9})$", program.output(), re.MULTILINE), seconds=60)
            form = {"user_code": code, "login": USER, "password": PASSWORD, "answer": "allow"}
            assert httpx2.post(f"{self.sim.url}/device", data=form).status_code == 200
            assert program.process.wait(60) == 0, program.output()
            return str(program.output())

    def status(self) -> Any:
        command = [sys.executable, "-m", "greenroom", "status", "--json", "--config", str(self.file)]
        return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)

    def secrets(self) -> list[str]:
        sessions = self.sim.graph.sessions
        renew = [token for one in sessions._sessions.values() for token in (one.current, *one.spent)]
        return [*renew, *self.sim.graph.tokens._tokens, *sessions._asked, PASSWORD]


@pytest.mark.slow
def test_from_a_code_to_accepted_meetings_until_the_session_is_ended(tmp_path: Path, sim: RunningSimulator) -> None:
    house = House(tmp_path, sim)
    said = [house.sign_in("signin")]
    for name in ("first", "second"):
        with house.served(name) as program:
            item = invite(sim)
            eventually(lambda item=item: accepted(sim, item), seconds=30)  # type: ignore[misc]  # bound at once
            if name == "second":
                given = sim.calls("Token")
                sim.graph.sessions.revoke(USER)
                sim.graph.tokens.revoke_all()
                lost = eventually(lambda: [one for one in house.status()["alarms"] if one["code"] == "sign-in-lost"])
                assert "AADSTS50173" in lost[0]["subject"]
                assert house.status()["integrations"][0]["sign_ins"][0]["problem"] == "sign-in-lost"
                house.sign_in("again")
                item = invite(sim)
                eventually(lambda item=item: accepted(sim, item), seconds=60)  # type: ignore[misc]  # as above
                assert sim.calls("Token") <= given + 10
                assert house.status()["integrations"][0]["sign_ins"][0]["ok"]
            program.stop()
            said.append(program.output())
    assert "sign-in.lost" in said[-1]
    assert not [secret for secret in house.secrets() if any(secret in text for text in said)]


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, sim: RunningSimulator) -> None:
    house = House(tmp_path, sim)
    with house.run("signin", "signin") as program:
        eventually(lambda: "Ctrl-C ends it" in program.output(), seconds=60)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(15) == 1
        assert program.output().rstrip().endswith("Nobody was signed in; nothing was changed.")
    assert "Traceback" not in program.output()


@pytest.mark.slow
@pytest.mark.browser
def test_in_a_real_browser(tmp_path: Path, sim: RunningSimulator) -> None:
    house = House(tmp_path, sim)
    with chromium() as browser, house.run("signin", "signin", "--browser") as program:
        page_of = re.compile(rf"^{re.escape(sim.url)}\S+$", re.MULTILINE)
        [address] = eventually(lambda: page_of.findall(program.output()), seconds=60)
        with open_page(browser) as (page, errors):
            page.goto(address)
            assert page.input_value("[name=login]") == USER
            page.fill("[name=password]", PASSWORD)
            page.click("text=Allow")
            page.wait_for_selector("text=You can close this window")
            assert not [error for error in errors if "404" not in error]  # it asks for an icon
        assert program.process.wait(60) == 0, program.output()
    assert f"{USER} is signed in for main, exchange." in program.output()
