"""`greenroom doctor` where something does not answer at all: it ends in time, and never with success."""

import contextlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import doctor as command
from greenroom.cli import main
from greenroom.doctor.contract import Check, Finding
from support.doctor_house import black_hole, examined
from support.empty import write_empty
from support.house import write_config

LONGEST = 30
PLANTED = "Quittenbrot-Sprung-1907"


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments, "--config", str(file)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def opening(*checks: Check) -> Callable[..., contextlib.AbstractAsyncContextManager[list[Check]]]:
    @contextlib.asynccontextmanager
    async def open_checks(*_settings: object, **_options: object) -> AsyncIterator[list[Check]]:
        yield list(checks)

    return open_checks


def test_a_check_that_has_nothing_to_tell_is_no_wrong_name(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> list[Finding]:
        return []

    check = Check("heartbeat", "main-1", nothing, tells=("alarms",))
    monkeypatch.setattr(command, "open_checks", opening(check))
    result = run(config, "--only", "alarms")
    assert (result.exit_code, result.output.strip()) == (0, "There is nothing to tell.")
    assert run(config, "--only", "no-such-check").exit_code == 2


def test_what_holds_up_all_of_this_computer_is_told(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    async def blocking() -> list[Finding]:
        over.wait(30)  # as a file on a disk that is gone, read without a thread of its own
        return []

    ended: list[int] = []

    def ends(code: int) -> None:
        ended.append(code)
        raise SystemExit(code)

    monkeypatch.setattr(command, "open_checks", opening(Check("disk", "here", blocking)))
    monkeypatch.setattr(command, "_stop", ends)
    monkeypatch.setattr(command, "_SPARE", -19.9)
    monkeypatch.setattr(command, "_TIDY", 0.1)
    try:
        result = run(config)
    finally:
        over.set()
    assert (ended, result.exit_code) == ([1], 1)
    assert "Something on this computer does not answer" in result.output


@pytest.mark.slow
def test_a_database_on_a_dead_disk_is_wrong_and_holds_up_nothing_else(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at the file hangs, as on a network file system whose server is gone."""
    over, usual = threading.Event(), Path.exists

    def exists(path: Path, **options: Any) -> bool:
        if path.name == "greenroom.db":
            over.wait(60)
        return usual(path, **options)

    def ends(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(Path, "exists", exists)
    monkeypatch.setattr(command, "_stop", ends)
    began = time.monotonic()
    try:
        result = run(config, "--json", "--only", "database", "--only", "heartbeat", "--only", "platform")
    finally:
        over.set()
    found = {one["check"]: one["state"] for one in json.loads(result.stdout)["findings"]}
    assert time.monotonic() - began < LONGEST
    assert result.exit_code == 1
    assert {name: found[name] for name in ("database", "heartbeat", "platform")} == {
        "database": "wrong",
        "heartbeat": "unknown",
        "platform": "unknown",
    }


@pytest.mark.slow
def test_a_database_that_takes_connections_and_says_nothing_is_wrong(config: Path) -> None:
    with black_hole() as hole:
        url = f"postgresql://greenroom:{PLANTED}@127.0.0.1:{hole}/greenroom"
        config.write_text(re.sub(r'url = "sqlite[^"]*"', f'url = "{url}"', config.read_text()))
        found = examined(config, "--only", "database", "--only", "heartbeat")
    assert (found.code, found.wrong, found.unknown) == (1, {"database"}, {"heartbeat"}), found
    assert found.seconds < LONGEST
    assert PLANTED not in json.dumps(found.findings) + found.errors


@pytest.mark.slow
def test_a_locked_database_and_an_exchange_that_listens_without_answering_are_wrong(tmp_path: Path) -> None:
    write_empty(tmp_path / "greenroom.db")
    lock = sqlite3.connect(tmp_path / "greenroom.db", isolation_level=None)
    with mute_exchange() as port, contextlib.closing(lock):
        lock.execute("BEGIN EXCLUSIVE")
        config = write_config(tmp_path, ews=f"http://127.0.0.1:{port}/EWS/Exchange.asmx")
        config.write_text(config.read_text().replace("timeout_seconds = 5", "timeout_seconds = 60"))
        found = examined(config, "--only", "database", "--only", "exchange")
    assert (found.code, found.wrong) == (1, {"database", "exchange-sign-in"}), found
    assert found.seconds < LONGEST
    locked = next(one for one in found.findings if one["check"] == "database")
    assert "which other program uses the database" in locked["mend"], locked


@contextlib.contextmanager
def mute_exchange() -> Iterator[int]:
    """A web server that answers a HEAD and nothing else."""

    class Mute(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(401)
            self.end_headers()

        def do_POST(self) -> None:
            over.wait(60)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    over = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Mute) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            over.set()
            server.shutdown()
