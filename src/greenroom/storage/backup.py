"""Writing a backup: every table as it is at one moment, while the service runs.

One transaction that only reads sees one state (a snapshot of SQLite's log, REPEATABLE READ on PostgreSQL). Rows go from the
database to the file one after the other: memory does not grow with them.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from greenroom import __version__
from greenroom.storage import shapes
from greenroom.storage.backup_format import FORMAT, KEYS, MANIFEST, VERSION, Manifest, TableEntry, member_of, zip_time
from greenroom.storage.database import Storage
from greenroom.storage.errors import StorageNotPreparedError, StorageVersionError
from greenroom.storage.facts import INSTALLATION

Progress = Callable[[str, int, int], None]
"""Is told the table, how many rows of all are done, and how many there are."""

_AT_ONCE: Final = 1000


async def write_backup(
    storage: Storage,
    file: Path,
    now: datetime,
    *,
    sealed_keys: bytes | None = None,
    overwrite: bool = False,
    progress: Progress = lambda _table, _done, _all: None,
) -> Manifest:
    """Write everything there is into a new file, which is there whole or not at all, and which its owner alone can read.

    `sealed_keys` are put in as they are. Raises FileExistsError, other OSErrors, and StorageError.
    """
    with _new_file(file, overwrite=overwrite) as stream:
        archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        with archive:
            async with storage.whole(reading=True) as connection:
                manifest = await connection.run_sync(_copy, archive, now, sealed_keys is not None, progress)
            if sealed_keys is not None:
                archive.writestr(_member(KEYS, now), sealed_keys)
            archive.writestr(_member(MANIFEST, now), manifest.model_dump_json(indent=1))
    return manifest


def _copy(connection: Connection, archive: zipfile.ZipFile, now: datetime, keys: bool, progress: Progress) -> Manifest:
    version = shapes.version_of(connection)
    if version is None:
        raise StorageNotPreparedError("there is nothing to back up: the tables were never made")
    if version not in shapes.versions():
        raise StorageVersionError(f"the database was made by a newer Greenroom (version {version} of its tables)")
    tables = shapes.tables_at(version)
    counted = {name: _count(connection, table) for name, table in tables.items()}
    every, done = sum(counted.values()), 0
    entries: list[TableEntry] = []
    for name, table in tables.items():
        with archive.open(_member(member_of(name), now), "w", force_zip64=True) as stream:
            progress(name, done, every)
            digest, rows = hashlib.sha256(), 0
            for lines in _lines(connection, table):
                text = "".join(lines).encode()
                digest.update(text)
                stream.write(text)
                rows += len(lines)
                progress(name, done + rows, every)
        done += rows
        columns = tuple(column.name for column in table.columns)
        entries.append(TableEntry(name=name, columns=columns, rows=rows, sha256=digest.hexdigest()))
    return Manifest(
        format=FORMAT,
        version=VERSION,
        greenroom=__version__,
        tables_version=version,
        made_at=now,
        database="postgresql" if connection.dialect.name == "postgresql" else "sqlite",
        installation=_installation(connection, tables),
        keys=keys,
        tables=tuple(entries),
    )


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _lines(connection: Connection, table: sa.Table) -> Iterator[list[str]]:
    """Yield rows as lines, many at a time, in the order of the primary key: the same state is the same file."""
    asked = sa.select(table).order_by(*table.primary_key.columns)
    found = connection.execute(asked, execution_options={"yield_per": _AT_ONCE})
    for rows in found.partitions():
        yield [json.dumps([_value(value) for value in row], separators=(",", ":")) + "\n" for row in rows]


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _installation(connection: Connection, tables: Mapping[str, sa.Table]) -> str | None:
    facts = tables.get("facts")
    if facts is None:
        return None
    asked = sa.select(facts.c.value).where(facts.c.name == INSTALLATION)
    found: str | None = connection.execute(asked).scalar_one_or_none()
    return found


def _member(name: str, now: datetime) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, zip_time(now))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o600 << 16
    return member


@contextmanager
def _new_file(file: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Write beside the file and put it into its place at the end, once it is safely on the disk."""
    _refuse_existing(file, overwrite=overwrite)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:100]}.", suffix=".part")  # its owner's alone
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _refuse_existing(file, overwrite=overwrite)
        beside.replace(file)
        _sync_folder(file.parent)
    finally:
        beside.unlink(missing_ok=True)


def _refuse_existing(file: Path, *, overwrite: bool) -> None:
    if file.exists() and not (overwrite and file.is_file()):
        raise FileExistsError(f"{file} exists")


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can do this for a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
