"""Putting a backup into a database: all of it in one transaction, so that a failure leaves what was there.

The tables are brought to the backup's version first, filled, and then brought up to date like any old database. What only made
sense while the backup was made (claims, wishes, what was being caught up with) is cleared. Places in the feeds of mailboxes stay:
from them on everything that changed since is seen again; and everything is compared when the service starts.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from greenroom.storage import migrate, shapes
from greenroom.storage.backup import Progress
from greenroom.storage.backup_file import BackupFile
from greenroom.storage.backup_format import BackupError, TableEntry
from greenroom.storage.database import Storage
from greenroom.storage.errors import StorageError, StorageVersionError
from greenroom.storage.facts import INSTALLATION, WATCHES
from greenroom.storage.schema import Instant, Words, counters, drifts, facts, mailboxes, metadata, rooms
from greenroom.storage.session import Session
from greenroom.storage.work import Work

_AT_ONCE: Final = 500
_FAR: Final = 2**60
_COUNTED: Final = ("meetings", "reservations", "rooms", "journal")
"""Tables in which a database that was only prepared has no rows."""
_STALE: Final = (
    *("claimed_by", "claimed_until", "wanted_by", "wanted_until", "waiting_replies", "replies_end_at"),
    *("backlog_total", "backlog_done", "backlog_since", "reconciled_at", "drift_at"),
)


class NotEmptyError(StorageError):
    """There is something in the database already, and it was not said that it may be replaced."""


class InUseError(StorageError):
    """Somebody attends a mailbox from this database. `owner` names the process, `until` is how long its claim lasts."""

    def __init__(self, address: str, owner: str, until: datetime) -> None:
        super().__init__(f"a service works with this database: {address} is attended by {owner}")
        self.address = address
        self.owner = owner
        self.until = until


def _nobody(_owner: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Target:
    """What is in a database before a backup is put into it: its version (None: nothing), and how many rows tables have."""

    version: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_filled(self) -> bool:
        """Whether something would be lost if it were replaced."""
        return any(self.rows.values())


async def look_at_target(storage: Storage, now: datetime, *, is_gone: Callable[[str], bool] = _nobody) -> Target:
    """Say what is in the database. `is_gone` knows whether the process of a claim has ended.

    Raises InUseError, StorageVersionError if a newer Greenroom was here, and StorageError.
    """
    if not storage.exists:
        return Target()
    async with storage.whole(reading=True) as connection:
        return await connection.run_sync(_look, now, is_gone)


async def restore(
    storage: Storage,
    backup: BackupFile,
    now: datetime,
    *,
    replace: bool = False,
    is_gone: Callable[[str], bool] = _nobody,
    then: Callable[[Work], Awaitable[None]] | None = None,
    progress: Progress = lambda _table, _done, _all: None,
) -> Target:
    """Put a backup, which was checked, into the database; returns what was there. With `replace` that is lost.

    `then` is done at the end of the same transaction.

    Raises NotEmptyError, InUseError, BackupError if rows contradict each other, and StorageError; then nothing was changed.
    """
    async with storage.whole(reading=False) as connection:
        await migrate.alone(connection)
        await _lock(connection)
        target = await connection.run_sync(_look, now, is_gone)
        if target.is_filled and not replace:
            raise NotEmptyError("there is something in the database already")
        before = await connection.run_sync(_bookkeeping)
        await connection.run_sync(_make_tables, target, backup.manifest.tables_version)
        await connection.run_sync(_fill, backup, progress)
        await migrate.to_head(connection)
        await connection.run_sync(_settle, before)
        if then is not None:
            await then(Work(Session(connection)))
    return target


async def _lock(connection: AsyncConnection) -> None:
    """Keep a service that starts meanwhile from claiming a mailbox. A writer of SQLite is alone anyway."""
    if connection.dialect.name != "postgresql":
        return
    there = await connection.run_sync(_names)
    if there:
        names = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in there)
        await connection.execute(sa.text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))


def _names(connection: Connection) -> list[str]:
    return sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))


def _look(connection: Connection, now: datetime, is_gone: Callable[[str], bool]) -> Target:
    version, there = shapes.version_of(connection), _names(connection)
    if version is not None and version not in shapes.versions():
        raise StorageVersionError(
            f"the database was made by a newer Greenroom (version {version} of its tables): use that one, or an empty database"
        )
    if version is None and there:
        raise StorageVersionError("the database has tables of the same names that are not ours: use an empty one")
    if "mailboxes" in there:
        _refuse_while_in_use(connection, now, is_gone)
    counted = [metadata.tables[name] for name in _COUNTED if name in there]
    rows = {
        table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        for table in counted
    }
    return Target(version, rows)


def _refuse_while_in_use(connection: Connection, now: datetime, is_gone: Callable[[str], bool]) -> None:
    # These columns are as old as the table.
    said = (sa.column(name, Words) for name in ("address", "claimed_by"))
    claims = sa.table("mailboxes", *said, sa.column("claimed_until", Instant))
    alive = sa.select(claims).where(claims.c.claimed_by.is_not(None), claims.c.claimed_until > now)
    for row in connection.execute(alive.order_by(claims.c.claimed_until.desc())):
        if is_gone(row.claimed_by):
            continue  # it was killed, and could not give its claim back
        raise InUseError(row.address, row.claimed_by, row.claimed_until)


@dataclass(frozen=True, slots=True)
class _Before:
    """What of a replaced database is needed behind it: how far changes of rooms were counted, and its id."""

    counted: int = 0
    installation: str | None = None


def _bookkeeping(connection: Connection) -> _Before:
    there = _names(connection)
    counted, installation = 0, None
    if "counters" in there:
        asked = sa.select(counters.c.value).where(counters.c.name == "rooms")
        counted = connection.execute(asked).scalar_one_or_none() or 0
    if "facts" in there:
        asked = sa.select(facts.c.value).where(facts.c.name == INSTALLATION)
        installation = connection.execute(asked).scalar_one_or_none()
    return _Before(counted, installation)


def _make_tables(connection: Connection, target: Target, version: str) -> None:
    """Leave empty tables of that version."""
    there = _names(connection)
    if target.version == version:
        for name in there:  # what others were granted on them stays
            connection.execute(sa.delete(metadata.tables[name]))
        return
    for name in there:
        connection.execute(sa.text(f"DROP TABLE {name}"))
    if target.version is not None:
        connection.execute(sa.text(f"DROP TABLE {shapes.VERSION_TABLE}"))
    shapes.upgrade(connection, version)


def _fill(connection: Connection, backup: BackupFile, progress: Progress) -> None:
    done, every = 0, backup.manifest.rows
    tables = shapes.tables_at(backup.manifest.tables_version)
    for entry in backup.manifest.tables:
        progress(entry.name, done, every)
        rows: list[dict[str, Any]] = []
        for row in backup.rows(entry):
            rows.append(row)
            if len(rows) == _AT_ONCE:
                _insert(connection, tables[entry.name], entry, rows)
                done += len(rows)
                rows.clear()
                progress(entry.name, done, every)
        if rows:
            _insert(connection, tables[entry.name], entry, rows)
            done += len(rows)
    progress("", done, every)


def _insert(connection: Connection, table: sa.Table, entry: TableEntry, rows: list[dict[str, Any]]) -> None:
    try:
        connection.execute(sa.insert(table), rows)
    except (IntegrityError, DataError):
        # Without its cause: the drivers' own texts show rows.
        raise BackupError(f"{entry.member} has rows that contradict each other, or that no database takes") from None


def _settle(connection: Connection, before: _Before) -> None:
    """Make what was restored true for now."""
    connection.execute(sa.update(mailboxes).values(dict.fromkeys(_STALE)))
    connection.execute(sa.delete(drifts))  # found by a comparison that has to be made again
    # Marks on mailboxes that the backup knows as its own are those of the service it was made of, which may be alive.
    connection.execute(sa.delete(facts).where(facts.c.name.startswith(WATCHES, autoescape=True)))
    _tell_followers(connection, before.counted)
    if before.installation is not None:
        known = sa.select(facts.c.name).where(facts.c.name == INSTALLATION)
        if connection.execute(known).one_or_none() is None:
            connection.execute(sa.insert(facts).values(name=INSTALLATION, value=before.installation))
    if connection.dialect.name == "postgresql":
        _count_on(connection)


def _tell_followers(connection: Connection, counted: int) -> None:
    """Let whoever follows the rooms by their counter read all of them anew (see `greenroom.storage.room_feed`).

    A number above all that were seen would tell what is there now, but not which rooms are there no more. One below all of them is
    what a follower takes for another database, which it reads from the beginning; so the count goes on below zero.
    """
    highest = connection.execute(sa.select(sa.func.max(rooms.c.version))).scalar_one_or_none() or 0
    asked = sa.select(counters.c.value).where(counters.c.name == "rooms")
    restored = max(connection.execute(asked).scalar_one_or_none() or 0, highest)
    if abs(restored) > _FAR:
        raise BackupError("the changes of rooms in the backup are counted in numbers that no database reaches")
    begin = min(counted, restored, 0) - 1
    connection.execute(sa.delete(counters).where(counters.c.name == "rooms"))
    connection.execute(sa.insert(counters).values(name="rooms", value=begin))
    connection.execute(sa.update(rooms).values(version=rooms.c.version - (restored - begin)))  # in the order they had


def _count_on(connection: Connection) -> None:
    """Let rows that count up by themselves get numbers behind those that were restored."""
    for name, table in shapes.tables_at(shapes.versions()[-1]).items():
        if any(column.info["serial"] for column in table.columns):
            highest = connection.execute(sa.select(sa.func.max(table.c.id))).scalar_one_or_none() or 0
            sequence = sa.func.pg_get_serial_sequence(name, "id")
            connection.execute(sa.select(sa.func.setval(sequence, max(highest, 0) + 1, False)))
