"""The database: whether it is there, prepared and writable, how fast, and where an SQLite file lies."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from greenroom.doctor.blocking import in_thread
from greenroom.doctor.contract import Check, Explain, Finding
from greenroom.doctor.disk import mounts, network_system
from greenroom.doctor.findings import About, size
from greenroom.storage import Storage, StorageError
from greenroom.storage.errors import StorageNotPreparedError

WHY = "Without it Greenroom does not start, and while it cannot be written every meeting waits."
_LONG_LOG = 256 * 10**6
_SLOW = 0.25
_PATIENCE = timedelta(seconds=12)
"""A little more than the database's own for connections and locks, so that its own sentence is told."""


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite address; None for another database, or one in memory."""
    kind, _, file = url.partition(":///")
    return Path(file) if kind.startswith("sqlite") and file not in {"", ":memory:"} else None


def database_checks(storage: Storage, file: Path | None, explain: Explain) -> list[Check]:
    """Make the checks of the database; `file` is there if it is SQLite in a file. `subject` is what a user calls it."""
    subject = "PostgreSQL" if file is None else str(file)

    def look() -> Awaitable[list[Finding]]:
        return _database(storage, file, explain, subject)

    found = [Check("database", subject, look, _PATIENCE, tells=("database-speed",), silence=WHY)]
    if file is not None:
        found.append(Check("database-file", subject, lambda: _file(file, subject)))
    return found


async def is_prepared(storage: Storage) -> bool:
    """Whether anything is remembered yet. Raises StorageError for a database that cannot be used."""
    if not await in_thread(lambda: storage.exists):  # which waits for a disk
        return False
    try:
        await storage.check()
    except StorageNotPreparedError:
        return False
    return True


async def _database(storage: Storage, file: Path | None, explain: Explain, subject: str) -> list[Finding]:
    about = About("database", subject)
    if file is not None and not await in_thread(file.exists):
        folder = await in_thread(lambda: file.absolute().parent)
        if not await in_thread(folder.is_dir):
            mend = f"mkdir -p {folder}, or correct storage.url; the path is seen from the working folder."
            return [about.wrong(f"There is no folder {folder}.", WHY, mend)]
        return [about.note("There is no database yet; `greenroom serve` makes it.", "", "greenroom serve")]
    try:
        await storage.check()
        async with storage.work():  # SQLite takes the writer's turn here, which a file that may only be read refuses
            pass
        async with storage.whole(reading=True) as connection:
            began = time.monotonic()
            version = (await connection.execute(sa.text(_version(connection.dialect.name)))).scalar_one()
            took = time.monotonic() - began
    except StorageNotPreparedError:
        return [about.note("The database is empty; `greenroom serve` prepares it.", "", "greenroom serve")]
    except StorageError as error:
        told = explain.storage(error)
        return [about.wrong(told.what, WHY, told.mend)]
    name = "SQLite" if file is not None else "PostgreSQL"
    found = [about.well(f"{name} {str(version)[:40]}, prepared for this version and writable.")]
    speed = About("database-speed", subject)
    milliseconds = f"{took * 1000:.0f} ms"
    if took > _SLOW:
        why = "Each meeting takes several questions; call-time answers for Pexip must come within seconds."
        return [
            *found,
            speed.note(
                f"A question takes {milliseconds}.", why, "See the load of the database, and the network to it."
            ),
        ]
    return [*found, speed.well(f"A question takes {milliseconds}.")]


def _version(dialect: str) -> str:
    return "select sqlite_version()" if dialect == "sqlite" else "show server_version"


async def _file(
    file: Path, subject: str, *, told: Callable[[], str] = mounts, long_log: int = _LONG_LOG
) -> list[Finding]:
    about = About("database-file", subject)
    kind = await in_thread(lambda: network_system(file.absolute(), told()))
    found = []
    if kind:
        why = "Locks of network file systems are not reliable: two processes can damage an SQLite database there."
        found.append(
            about.wrong(
                f"The file is on a network file system ({kind}).",
                why,
                "Move it to a local disk, or use PostgreSQL (storage.url).",
            )
        )
    log = await in_thread(lambda: _length(Path(f"{file}-wal")))
    if log > long_log:
        why = "SQLite cannot shorten it while a reader holds on; the disk fills, and reading becomes slow."
        mend = f"See which program keeps the database open: fuser -v {file}; then: greenroom serve, started anew"
        found.append(about.note(f"Its log of changes (-wal) is {size(log)} long.", why, mend))
    return found or [about.well(f"On a local disk; its log of changes is {size(log)} long.")]


def _length(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
