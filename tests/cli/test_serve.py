"""`greenroom serve` as a process of its own, with real ports and signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from support.certificates import of_this_machine
from support.ews_doors import door
from support.house import write_config

PATIENCE = 90.0  # a busy machine without byte code takes long to import
pytestmark = pytest.mark.slow


class Served:
    """The process and what it said so far."""

    def __init__(self, process: subprocess.Popen[str], said: Path) -> None:
        self.process, self._said = process, said

    def said(self) -> str:
        return self._said.read_text()

    def wait_for(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while words not in " ".join(self.said().split()):
            assert time.monotonic() < deadline, f"never said {words!r}: {self.said()}"
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        return self.said()


@contextmanager
def serve(config: Path) -> Iterator[Served]:
    said = config.parent / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "greenroom", "serve", "--config", str(config)],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )
        try:
            yield Served(process, said)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def test_it_serves_tells_what_is_wrong_tries_a_refused_password_once_and_ends_on_sigterm(tmp_path: Path) -> None:
    with door(401) as exchange, serve(write_config(tmp_path, ews=exchange.url, more="poll_seconds = 1")) as served:
        said = served.wait_for("Greenroom listens on")
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert address is not None
        served.wait_for("next: Correct username and password of integration[main].exchange")
        assert httpx2.get(f"{address[0]}/healthz").json() == {"status": "ok"}
        assert httpx2.get(f"{address[0]}/j/0123456789abcdef").status_code == 404
        time.sleep(2.5)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=PATIENCE) == 0
        assert exchange.knocks == 1, "accounts lock"
        assert "planted-password" not in served.said()
        assert "Traceback" not in served.said()


def test_a_port_in_use_has_its_own_sentence_and_exit_code(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = write_config(tmp_path)
        file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        with serve(file) as served:
            assert served.process.wait(timeout=PATIENCE) == 4
    assert f"Port {port} on 127.0.0.1 is in use by another program." in served.said()
    assert "next: End that program" in served.said()
    assert "Traceback" not in served.said()


def test_a_certificate_of_the_policy_server_that_cannot_be_used_has_its_own_sentence(tmp_path: Path) -> None:
    server, other = of_this_machine(tmp_path), of_this_machine(tmp_path, "other")
    file = write_config(tmp_path)
    listener = f"""\
[service.policy_listener]
listen = "127.0.0.1:0"
certificate_file = "{server.certificate}"
certificate_key_file = "{other.key}"

[storage]"""
    policy = """\
[integration.platform]
kind = "pexip"
[integration.pexip.policy]
username = "node"
password = "planted-password"
"""
    file.write_text(file.read_text().replace("[storage]", listener) + policy)
    with serve(file) as served:
        assert served.process.wait(timeout=PATIENCE) == 2
    assert "other.key: the key is not that of the certificate" in " ".join(served.said().split())
    assert "Traceback" not in served.said()


def test_a_database_folder_that_is_not_there_ends_it_with_a_sentence(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    file.write_text(file.read_text().replace("/greenroom.db", "/nowhere/greenroom.db"))
    with serve(file) as served:
        assert served.process.wait(timeout=PATIENCE) == 3
    assert "cannot be opened" in served.said()
    assert "Traceback" not in served.said()
