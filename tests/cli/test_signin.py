"""`greenroom signin` against the simulated login host, with somebody who does what it asks for."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from support.house import KEY
from support.simulator import EQUIPMENT, PASSWORD, SMALL_WORLD, RunningSimulator, running_simulator

pytestmark = pytest.mark.slow

USER = "svc@sim.test"
PUBLIC = "7c1d0e55-0000-4000-8000-000000000007"
SECRET = "planted-client-secret"
CONFIDENTIAL = "7c1d0e55-0000-4000-8000-000000000008"
WORLD = {
    **SMALL_WORLD,
    "accounts": [
        {"login": USER, "password": PASSWORD, "impersonate": "everybody"},
        {"login": "other@sim.test", "password": PASSWORD},
    ],
    "applications": [{"client_id": PUBLIC, "public": True}, {"client_id": CONFIDENTIAL, "secret": SECRET}],
}
OTHER_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(WORLD) as running:
        yield running


def configured(folder: Path, sim: RunningSimulator, *, keys: str = f'{{ id = 0, key = "{KEY}" }}', **more: str) -> Path:
    oauth = {"client_id": PUBLIC, "tenant": sim.tenant} | {
        name: one for name, one in more.items() if name != "username"
    }
    username = f'username = "{more["username"]}"' if "username" in more else ""
    file = folder / "greenroom.toml"
    lines = "\n".join(f'{name} = "{value}"' for name, value in oauth.items())
    file.write_text(f"""\
[service]
public_url = "https://meet.example.org"
[storage]
url = "sqlite:///{folder}/greenroom.db"
[[integration]]
number = 1
name = "main"
mailbox = "{EQUIPMENT}"
ticket_keys = [{keys}]
[integration.exchange]
url = "{sim.ews_url}"
auth = "oauth"
{username}
[integration.exchange.oauth]
account = "service-account"
cloud = "custom"
login_url = "{sim.login_url}"
{lines}
""")
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(config)], env={"COLUMNS": "200", "TZ": "UTC"})


@contextmanager
def somebody(sim: RunningSimulator, does: Callable[[RunningSimulator], bool]) -> Iterator[None]:
    """Let somebody do something as soon as there is something to do."""
    over = threading.Event()

    def live() -> None:
        while not over.is_set() and not does(sim):
            time.sleep(0.05)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def types(login: str = USER, answer: str = "allow") -> Callable[[RunningSimulator], bool]:
    def do(sim: RunningSimulator) -> bool:
        waiting = [
            one for one in list(sim.graph.sessions._asked.values()) if one.user_code and one.standing == "waiting"
        ]
        for one in waiting:
            form = {"user_code": one.user_code, "login": login, "password": PASSWORD, "answer": answer}
            assert httpx2.post(f"{sim.url}/device", data=form).status_code == 200
        return bool(waiting)

    return do


def sign_in(sim: RunningSimulator, config: Path, *arguments: str, login: str = USER, answer: str = "allow") -> Result:
    with somebody(sim, types(login, answer)):
        return run(config, "signin", *arguments)


def failure(result: Result) -> dict[str, Any]:
    told = json.loads(result.stdout)["failure"]
    assert isinstance(told, dict)
    return told


def database(folder: Path) -> str:
    """All that is stored, as text."""
    with sqlite3.connect(folder / "greenroom.db") as connection:
        return "\n".join(connection.iterdump())


def secrets_of(sim: RunningSimulator) -> list[str]:
    """Everything that the login host gave out and nobody may see."""
    sessions = sim.graph.sessions._sessions.values()
    given = [one.current for one in sessions] + [token for one in sessions for token in one.spent]
    return [*given, *sim.graph.tokens._tokens, *sim.graph.sessions._asked]


def test_who_types_the_code_is_signed_in_and_exchange_takes_them(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim, username=USER)
    assert run(config, "signin", "--status").exit_code == 3  # no database yet
    result = sign_in(sim, config)
    assert result.exit_code == 0, result.output
    assert f"{sim.url}/device" in result.stderr
    assert f"{USER} is signed in for main, exchange." in result.stdout
    checked = run(config, "config", "check", "--connect")
    assert f"mailbox {EQUIPMENT}" in checked.stdout
    assert checked.exit_code == 0, checked.output
    state = json.loads(run(config, "signin", "--status", "--json").stdout)
    assert (state["ok"], state["sign_ins"][0]["account"]) == (True, USER)
    shown = [result.output, checked.output, json.dumps(state), database(tmp_path)]
    assert not [secret for secret in secrets_of(sim) if any(secret in text for text in shown)]


def test_it_is_told_in_json_what_became_of_it(tmp_path: Path, sim: RunningSimulator) -> None:
    result = sign_in(
        sim, configured(tmp_path, sim), "--json", "--device-code", "--integration", "main", "--side", "exchange"
    )
    assert json.loads(result.stdout) == {"ok": True, "integration": "main", "side": "exchange", "account": USER}


def test_somebody_else_than_expected_is_not_kept(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim, username=USER)
    result = sign_in(sim, config, "--json", login="other@sim.test")
    assert (result.exit_code, failure(result)["code"]) == (1, "another-account")
    assert "other@sim.test signed in" in failure(result)["what"]
    assert run(config, "signin", "--status").exit_code == 1


def test_who_declines_is_told(tmp_path: Path, sim: RunningSimulator) -> None:
    result = sign_in(sim, configured(tmp_path, sim), "--json", answer="deny")
    assert result.exit_code == 3
    assert "declined" in failure(result)["what"]
    assert "greenroom signin --integration main --side exchange" in failure(result)["next"]


def test_in_a_browser_with_a_secret(tmp_path: Path, sim: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    came: list[int] = []

    def browse(page: str) -> None:
        def go() -> None:
            form = {"login": USER, "password": PASSWORD, "answer": "allow"}
            back = urlsplit(httpx2.post(page, data=form).headers["location"])
            here, host = f"http://127.0.0.1:{back.port}/", {"Host": back.netloc}
            came.append(httpx2.get(f"{here}?code=x&state=y", headers=host).status_code)
            came.append(httpx2.get(f"{here}?{back.query}", headers=host).status_code)

        threading.Thread(target=go).start()

    monkeypatch.setattr("greenroom.cli.signing_in.click.launch", browse)
    config = configured(tmp_path, sim, client_id=CONFIDENTIAL, client_secret=SECRET, username=USER)
    result = run(config, "signin")
    assert result.exit_code == 0, result.output
    assert came == [400, 200]
    assert "without what only that browser knows; it was turned away." in result.stderr
    assert run(config, "config", "check", "--connect").exit_code == 0


def test_what_is_missing_or_unclear_is_told(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim)
    plain = config.read_text()
    config.write_text(
        plain.replace('"service-account"', '"application"').replace("tenant =", 'client_secret = "s"\ntenant =')
    )
    assert failure(run(config, "signin", "--json"))["code"] == "no-service-account"
    config.write_text(plain)
    assert failure(run(config, "signin", "--json", "--side", "organizers"))["code"] == "no-service-account"
    result = run(config, "config", "check", "--connect", "--json")
    [mailbox] = [one for one in json.loads(result.stdout)["connect"] if one["what"].startswith("mailbox")]
    assert mailbox["failure"]["code"] == "not-signed-in"
    assert "greenroom signin --integration main --side exchange" in mailbox["failure"]["next"]


def test_a_revoked_sign_in_is_told_by_status_and_check(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim)
    assert sign_in(sim, config).exit_code == 0
    sim.graph.sessions.revoke(USER)
    asked = sim.calls("Token")
    for _ in range(3):
        result = run(config, "config", "check", "--connect", "--json")
    [mailbox] = [one for one in json.loads(result.stdout)["connect"] if one["what"].startswith("mailbox")]
    assert "not tried again for an hour" in mailbox["failure"]["what"]
    assert sim.calls("Token") == asked + 1
    told = json.loads(run(config, "status", "--json").stdout)
    assert told["ok"] is False
    assert told["integrations"][0]["sign_ins"][0]["problem"] == "sign-in-lost"
    assert [one["code"] for one in told["alarms"]] == ["sign-in-lost"]
    assert "AADSTS50173" in told["alarms"][0]["subject"]
    shown = run(config, "status")
    assert "run `greenroom signin --integration main --side exchange`" in " ".join(shown.stdout.split())
    assert sign_in(sim, config).exit_code == 0
    assert run(config, "config", "check", "--connect").exit_code == 0
    assert json.loads(run(config, "status", "--json").stdout)["ok"] is True


def test_a_new_ticket_key_takes_the_seal_over_and_a_lost_one_is_told(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim)
    assert sign_in(sim, config).exit_code == 0
    both = f'{{ id = 1, key = "{OTHER_KEY}" }}, {{ id = 0, key = "{KEY}" }}'
    configured(tmp_path, sim, keys=both)
    assert failure(run(config, "keys", "prune", "--id", "0", "--json"))["code"] == "key-is-needed"
    assert run(config, "config", "check", "--connect").exit_code == 0
    listed = json.loads(run(config, "keys", "list", "--json").stdout)["integrations"][0]["keys"]
    assert [(one["id"], one["sign_ins"], one["removable"]) for one in listed] == [(1, 1, False), (0, 0, True)]
    configured(tmp_path, sim)
    told = json.loads(run(config, "signin", "--status", "--json").stdout)
    assert told["sign_ins"][0]["problem"] == "sign-in-sealed"
    configured(tmp_path, sim, keys=both, client_id=CONFIDENTIAL, client_secret=SECRET)
    told = json.loads(run(config, "signin", "--status", "--json").stdout)
    assert told["sign_ins"][0]["problem"] == "other-application"


def test_a_sign_in_can_be_forgotten(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim)
    assert sign_in(sim, config).exit_code == 0
    assert failure(run(config, "signin", "--forget", "--json"))["code"] == "not-confirmed"
    assert run(config, "signin", "--forget", "--yes").exit_code == 0
    assert failure(run(config, "signin", "--forget", "--yes", "--json"))["code"] == "not-signed-in"
    assert "nobody has signed in yet" in run(config, "signin", "--status").stdout


def test_a_backup_holds_nothing_that_opens_without_the_ticket_keys(tmp_path: Path, sim: RunningSimulator) -> None:
    config = configured(tmp_path, sim)
    assert sign_in(sim, config).exit_code == 0
    backup = tmp_path / "backup"
    assert run(config, "backup", str(backup)).exit_code == 0
    (tmp_path / "greenroom.db").unlink()
    assert run(config, "restore", str(backup), "--yes").exit_code == 0
    assert run(config, "config", "check", "--connect").exit_code == 0
