"""`greenroom doctor` as it is called: against a simulated Exchange, with single things broken."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.doctor.groups import group_of
from support import planted
from support.empty import write_empty
from support.simulator import RunningSimulator, running_simulator
from support.whole import EQUIPMENT, configure, free_port, world

pytestmark = pytest.mark.slow  # a dozen of whole commands
FACTS = {
    "greenroom": 1,
    "kind": "exchange-server",
    "mailbox": {"address": EQUIPMENT, "RecipientTypeDetails": "EquipmentMailbox", "CustomAttribute1": "Greenroom test"},
    "calendar": {"AutomateProcessing": "AutoAccept"},
}


def run(folder: Path, *arguments: str) -> Result:
    command = ["doctor", *arguments, "--config", str(folder / "greenroom.toml")]
    return CliRunner().invoke(main, command, env={"COLUMNS": "140", "TZ": "UTC"})


def told(folder: Path, *arguments: str) -> tuple[int, dict[tuple[str, str], str]]:
    result = run(folder, "--json", *arguments)
    data = json.loads(result.stdout)
    assert data["ok"] is (result.exit_code == 0)
    return result.exit_code, {(one["check"], one["subject"]): one["state"] for one in data["findings"]}


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(world()) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, simulator: RunningSimulator) -> Path:
    """A configuration that is right, with its database, and its web server not started."""
    configure(tmp_path, simulator, port=free_port(), push=False)
    write_empty(tmp_path / "greenroom.db")
    return tmp_path


def without_the_way_to_ourselves(found: dict[tuple[str, str], str]) -> dict[str, str]:
    """What is not well, but for the web server that nobody started."""
    return {
        check: state
        for (check, subject), state in found.items()
        if state != "well" and check != "service" and not (check == "reach" and subject.startswith("127.0.0.1:"))
    }


def test_a_healthy_exchange_is_well_and_who_never_started_is_told_to(house: Path) -> None:
    code, found = told(house)
    assert code == 1  # nothing listens at the public address
    odd = {"heartbeat": "note", "exchange-version": "note", "clock-zones": "note", "mailbox-rights": "note"}
    odd |= dict.fromkeys(("mailbox-kind", "mailbox-organizers", "mailbox-arrivals"), "unknown")  # nobody has booked yet
    assert without_the_way_to_ourselves(found).items() <= odd.items()
    assert found["exchange-sign-in", "main-1"] == found["exchange-rights", "main-1"] == "well"
    assert found["watcher", "main-1"] == found["platform", "main-1"] == "well"


def test_it_says_what_why_and_what_mends_it_with_no_secret(house: Path) -> None:
    result = run(house)
    words = " ".join(result.output.split())
    assert result.exit_code == 1
    for expected in ("✓", "✗", "why: Join pages", "mend: Start what should listen there", "1 wrong."):
        assert expected in words
    assert planted.PASSWORD not in words
    quiet = run(house, "--quiet").output
    assert "✓" not in quiet
    assert "mend: Start what should listen there" in " ".join(quiet.split())


def test_only_some_checks_are_done_with_what_they_need(house: Path, simulator: RunningSimulator) -> None:
    code, found = told(house, "--only", "exchange-sign-in")
    assert (code, list(found)) == (0, [("exchange-sign-in", "main-1")])
    before = simulator.calls()
    code, found = told(house, "--only", "disk", "--only", "database")
    assert (code, {check.partition("-")[0] for check, _ in found}) == (0, {"disk", "database"})
    assert simulator.calls() == before
    assert run(house, "--only", "no-such-check").exit_code == 2
    assert run(house, "--integration", "nobody").exit_code == 2


def test_a_refused_password_has_its_sentence_and_is_not_shown(house: Path) -> None:
    file = house / "greenroom.toml"
    file.write_text(file.read_text().replace(f'password = "{planted.PASSWORD}"', 'password = "another-planted-one"'))
    result = run(house, "--only", "exchange")
    assert result.exit_code == 1
    assert "Correct username and password of integration[main-1].exchange" in " ".join(result.output.split())
    assert "another-planted-one" not in result.output
    code, found = told(house, "--only", "watcher")
    assert (code, found["watcher", "main-1"]) == (0, "unknown")


def test_an_account_without_rights_is_told_from_a_refused_one(tmp_path: Path) -> None:
    seed = world()
    seed["accounts"] = [{**seed["accounts"][0], "impersonate": []}]
    with running_simulator(seed) as simulator:
        configure(tmp_path, simulator, push=False)
        code, found = told(tmp_path, "--only", "exchange")
    assert code == 1
    assert found["exchange-sign-in", "main-1"] == "well"
    assert found["exchange-rights", "main-1"] == "wrong"


def test_an_exchange_that_is_not_there_makes_the_rest_pointless(house: Path) -> None:
    file = house / "greenroom.toml"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    lines = [
        f'url = "http://127.0.0.1:{port}/EWS/Exchange.asmx"' if line.startswith('url = "http') else line
        for line in file.read_text().splitlines()
    ]
    file.write_text("\n".join(lines))
    code, found = told(house)
    assert code == 3  # neither Exchange nor ourselves
    assert found["reach", f"127.0.0.1:{port}"] == "wrong"
    assert found["exchange-sign-in", "main-1"] == "unknown"
    assert found["database", str(house / "greenroom.db")] == "well"


def test_what_something_else_stands_before_is_one_line_and_needs_nobody(house: Path) -> None:
    file = house / "greenroom.toml"
    file.write_text(file.read_text().replace(f'password = "{planted.PASSWORD}"', 'password = "another-planted-one"'))
    text = " ".join(run(house, "--only", "exchange", "--only", "watcher", "--only", "mailbox").output.split())
    assert (
        text.count("Not looked at, because of exchange-sign-in of main-1.") == 2
    )  # once among Exchange, once of the mailbox
    assert "Mend that first" not in text
    quiet = json.loads(run(house, "--json", "--quiet", "--only", "exchange", "--only", "watcher").stdout)
    assert {one["state"] for one in quiet["findings"]} <= {"wrong", "note"}


def test_a_database_that_cannot_be_opened_is_a_finding_and_the_rest_is_looked_at(house: Path) -> None:
    file = house / "greenroom.toml"
    file.write_text(file.read_text().replace("sqlite:///", "oracle:///"))
    code, found = told(house)
    assert (code, found["database", "storage.url"]) == (1, "wrong")
    assert found["exchange-sign-in", "main-1"] == "well"


def test_a_certificate_that_cannot_be_used_is_a_finding(tmp_path: Path, simulator: RunningSimulator) -> None:
    file = configure(tmp_path, simulator, protocol="graph", push=False)
    lines = file.read_text().splitlines()
    file.write_text(
        "\n".join('certificate_file = "greenroom.toml"' if "client_secret" in line else line for line in lines)
    )
    code, found = told(tmp_path, "--only", "config")
    assert (code, found["config-exchange", "main-1"]) == (1, "wrong")


def test_exported_facts_are_compared(house: Path) -> None:
    facts = house / "facts.json"
    facts.write_text(json.dumps(FACTS), encoding="utf-8-sig")
    result = run(house, "--facts", str(facts), "--only", "processing", "--only", "mailbox", "--only", "disk")
    words = " ".join(result.output.split())
    assert result.exit_code == 1
    assert f"mend: Set-CalendarProcessing -Identity '{EQUIPMENT}' -AutomateProcessing 'AutoUpdate'" in words
    code, found = told(house, "--facts", str(facts), "--environment", "production", "--only", "mailbox-mark")
    assert (code, found["mailbox-mark", EQUIPMENT]) == (1, "wrong")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("rubbish", "no JSON"),
        (json.dumps(FACTS | {"mailbox": {"address": "other@sim.test"}}), "another mailbox"),
    ],
    ids=["rubbish", "other"],
)
def test_a_file_of_facts_that_cannot_be_used_ends_with_a_sentence(content: str, words: str, house: Path) -> None:
    facts = house / "facts.json"
    facts.write_text(content)
    result = run(house, "--facts", str(facts))
    assert (result.exit_code, words in result.output) == (2, True), result.output
    broken: dict[str, Any] = json.loads(run(house, "--facts", str(facts), "--json").stdout)
    assert broken["ok"] is False


def test_help_shows_examples() -> None:
    output = CliRunner().invoke(main, ["doctor", "--help"]).output
    assert "greenroom doctor --only tls" in output
    assert "Exit code 1" in output


def test_every_check_has_a_heading(house: Path) -> None:
    _, found = told(house)
    assert {group_of(check) for check, _ in found} <= {
        "Configuration",
        "This computer",
        "Database",
        "Ways to others",
        "Exchange",
        "Mailbox",
        "Service",
        "Platform",
        "Add-in",
    }
