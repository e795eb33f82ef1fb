"""A key distribution center of MIT Kerberos on loopback, as a process of its own, in a temporary folder.

::

    with running_kdc(folder) as kdc:
        kdc.add("svc", PASSWORD)
        kdc.keytab(folder / "exchange.keytab", "HTTP/localhost")
        kdc.address, kdc.realm       # for the configuration
        kdc.asked("AS_REQ")          # its log's lines of a kind

`needs_kerberos` skips a test, with a reason, where MIT Kerberos or the Python modules are missing.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REALM = "SIM.TEST"
_SBIN = "/usr/sbin:/sbin:/usr/local/sbin"
_START_SECONDS = 20


def program(name: str) -> str | None:
    """Where a program of MIT Kerberos is, if it is here."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def _missing() -> str:
    programs = [name for name in ("krb5kdc", "kdb5_util", "kadmin.local") if program(name) is None]
    modules = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    lacking = [*programs, *(f"the Python module {name}" for name in modules)]
    return f"no MIT Kerberos here: {', '.join(lacking)}" if lacking else ""


needs_kerberos = pytest.mark.skipif(bool(_missing()), reason=_missing() or "MIT Kerberos is here")
needs_faketime = pytest.mark.skipif(shutil.which("faketime") is None, reason="no faketime here: clocks cannot differ")


@dataclass
class Kdc:
    """One realm and its database. `port` is where its process listens, over TCP and UDP."""

    folder: Path
    realm: str
    port: int
    shift: str = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "krb5.conf"

    @property
    def environment(self) -> dict[str, str]:
        """What MIT's programs need to work on this realm."""
        return {**os.environ, "KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}

    def add(self, name: str, password: str = "", *options: str) -> None:
        """Add a principal; without a password it gets a random key. `options` are those of kadmin's addprinc."""
        secret = ["-pw", password] if password else ["-randkey"]
        self.admin("addprinc", *secret, *options, name)

    def keytab(self, file: Path, name: str) -> Path:
        """Append a principal's keys to a keytab, and leave them as they are."""
        self.admin("ktadd", "-norandkey", "-k", str(file), name)
        return file

    def admin(self, *words: str) -> None:
        """Ask kadmin.local to do something."""
        self._run("kadmin.local", *words)

    def asked(self, kind: str = "AS_REQ") -> list[str]:
        """What was asked of it so far, one line of its log each."""
        return [line for line in self._log.read_text().splitlines() if f" {kind} " in line]

    def settings(self) -> str:
        """The table of an integration's section that leads here."""
        return f'realm = "{self.realm}"\nkdc = ["{self.address}"]\n'

    @property
    def _log(self) -> Path:
        return self.folder / "kdc.log"

    def create(self) -> None:
        """Write its configuration and an empty database."""
        self._log.touch()
        self.config.write_text(
            f"[libdefaults]\ndefault_realm = {self.realm}\ndns_lookup_kdc = false\ndns_lookup_realm = false\n"
            f"[realms]\n{self.realm} = {{\n kdc = {self.address}\n}}\n"
            f"[logging]\nkdc = FILE:{self._log}\nadmin_server = FILE:{self.folder / 'admin.log'}\n"
        )
        (self.folder / "kdc.conf").write_text(
            f"[kdcdefaults]\nkdc_listen = {self.address}\nkdc_tcp_listen = {self.address}\n"
            f"[realms]\n{self.realm} = {{\n database_name = {self.folder / 'principal'}\n"
            f" key_stash_file = {self.folder / 'stash'}\n acl_file = {self.folder / 'acl'}\n"
            " default_principal_flags = +preauth\n max_life = 10h\n}\n"
        )
        self._run("kdb5_util", "create", "-s", "-r", self.realm, "-P", "only for tests")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs; its clock differs from ours by `shift`, as faketime writes it (`+10m`)."""
        kdc = program("krb5kdc")
        assert kdc is not None
        pid = self.folder / "pid"
        command = [*self._shifted(), kdc, "-n", "-r", self.realm, "-P", str(pid)]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self._wait(process)
            yield
        finally:
            # By the number it has written: ending faketime, which stays in front of it, would leave it behind.
            if process.poll() is None:
                os.kill(int(pid.read_text()), signal.SIGTERM)
            process.wait(10)
            pid.unlink(missing_ok=True)

    def _shifted(self) -> Sequence[str]:
        return ["faketime", "-f", self.shift] if self.shift else []

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            with contextlib.closing(socket.socket()) as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0 and self._known():
                    return
            time.sleep(0.02)
        raise AssertionError("the key distribution center did not start")

    def _known(self) -> bool:
        pid = self.folder / "pid"
        return pid.exists() and bool(pid.read_text().strip())

    def _run(self, name: str, *words: str) -> None:
        found = program(name)
        assert found is not None
        done = subprocess.run([found, *words], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, words[:1], done.stderr)


def made_kdc(folder: Path, *, realm: str = REALM, shift: str = "") -> Kdc:
    """Create a realm in a folder; it may get its principals before it serves."""
    kdc = Kdc(folder, realm, _free_port(), shift)
    kdc.create()
    return kdc


@contextlib.contextmanager
def running_kdc(folder: Path, *, realm: str = REALM, shift: str = "") -> Iterator[Kdc]:
    """Create a realm in a folder and serve it while the block runs."""
    kdc = made_kdc(folder, realm=realm, shift=shift)
    with kdc.running():
        yield kdc


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
