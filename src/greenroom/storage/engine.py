"""Engines for SQLite and PostgreSQL, and what their errors mean."""

import asyncio
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from greenroom.storage.errors import (
    BadUrlError,
    StorageBusyError,
    StorageError,
    StorageFaultError,
    StorageSignInError,
    StorageUnreachableError,
    StorageVersionError,
)

if TYPE_CHECKING:
    import psycopg

BUSY_SECONDS = 10
BUSY_PAUSE_SECONDS = 0.01
CONNECT_SECONDS = 10
READING = "greenroom_reading"
"""The execution option of a connection that is to read only."""
_MEMORY = frozenset({None, "", ":memory:"})
_POSTGRES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_SQLITE = frozenset({"sqlite", "sqlite+aiosqlite"})


def parse(text: str) -> URL:
    """Read `sqlite:///path`, `sqlite://` (in memory) or `postgresql://user:password@host:port/database`.

    Raises BadUrlError, whose text never shows the URL: it may hold a password in an unexpected place.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise BadUrlError(
            "the database URL cannot be read; "
            "write sqlite:///path/to/file or postgresql://user:password@host:port/database"
        ) from None
    if url.drivername in _SQLITE:
        if url.host or "?" in text:
            raise BadUrlError(
                "an SQLite URL has three slashes before a relative path, four before an absolute one, and no options"
            )
        database = ":memory:" if url.database in _MEMORY else str(Path(url.database or "").absolute())
        return URL.create("sqlite+aiosqlite", database=database)
    if url.drivername in _POSTGRES:
        if not url.database:
            raise BadUrlError(
                "the PostgreSQL URL names no database; write postgresql://user:password@host:port/database"
            )
        return url.set(drivername="postgresql+psycopg")
    kind = url.drivername if url.drivername.replace("+", "").isalnum() else "this kind"
    raise BadUrlError(
        f"databases of {kind} are not supported; write a URL that begins with sqlite:/// or postgresql://"
    )


def open_engine(url: URL) -> AsyncEngine:
    """Make the engine; nothing is connected yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    defaults = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "greenroom",
        "options": "-c timezone=UTC",
    }
    return create_async_engine(
        url,
        hide_parameters=True,  # subjects and PINs
        pool_pre_ping=True,
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
    )


def _sqlite(url: URL) -> AsyncEngine:
    path = url.database or ""
    if path != ":memory:":
        # Only `prepare_file` creates the file: a wrong path must not leave an empty database behind.
        url = url.set(database="file:" + quote(path), query={"mode": "rw", "uri": "true"})
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})

    def refuse_missing(*_arguments: Any) -> None:
        # The driver would leave a thread behind, and could not say as plainly what is wrong.
        if path != ":memory:" and not Path(path).exists():
            raise StorageUnreachableError(f"the database file {path} does not exist")

    sa.event.listen(engine.sync_engine, "do_connect", refuse_missing)
    sa.event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
    sa.event.listen(engine.sync_engine, "begin", _on_sqlite_begin)
    return engine


def prepare_file(url: URL) -> None:
    """Create the SQLite file where it is missing, readable by its owner alone. Raises StorageUnreachableError."""
    if url.get_backend_name() != "sqlite" or url.database == ":memory:":
        return
    try:
        os.close(os.open(url.database or "", os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageUnreachableError(f"the database file {url.database} cannot be opened: {error.strerror}") from error


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own; see _on_sqlite_begin
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    _write_ahead(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("lower", 1, _lower, deterministic=True)


def _write_ahead(cursor: Any) -> None:
    """Switch a new file to its journal: where others do so in the same moment, SQLite says busy at once and waits for none."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(BUSY_PAUSE_SECONDS))  # connections are made inside SQLAlchemy's greenlet
        else:
            return


def _lower(value: Any) -> Any:
    """SQLite's own lower() knows ASCII only."""
    return value.lower() if isinstance(value, str) else value


def _on_sqlite_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    if connection.info.get(READING, False) != reading:
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        connection.info[READING] = reading
    # A transaction that begins by reading and then writes fails where another wrote in between: writers say so at once.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def place(url: URL) -> str:
    """Name the database in an error text: never with user or password."""
    if url.get_backend_name() == "sqlite":
        return f"the database file {url.database}"
    host = url.host or url.query.get("host") or "the local socket"
    return f"the database {url.database} at {host}:{url.port or 5432}"


def explain(error: SQLAlchemyError, url: URL) -> StorageError:
    """Say what the caller should do about a database error. Values that were to be stored are not in the text."""
    where = place(url)
    if isinstance(error, PoolTimeoutError):
        return StorageBusyError(f"{where}: all connections are in use")
    if not isinstance(error, DBAPIError):
        return StorageFaultError(f"{where}: {type(error).__name__}")
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _explain_sqlite(cause, where)
    driver = sys.modules.get("psycopg")  # loaded by the first engine that needs it: it takes nine megabytes
    if driver is not None and isinstance(cause, driver.Error):
        return _explain_postgres(cause, where, broken=error.connection_invalidated)
    return StorageFaultError(f"{where}: {type(cause).__name__}")


def _explain_sqlite(error: sqlite3.Error, where: str) -> StorageError:
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StorageBusyError(f"{where} is locked by another program ({name})")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return StorageUnreachableError(f"{where} cannot be opened for writing ({name})")
    if name == "SQLITE_NOTADB":
        return StorageUnreachableError(f"{where} is not an SQLite database")
    if str(error).startswith("no such table"):
        return StorageVersionError(f"{where} has not been prepared: its tables are missing")
    return StorageFaultError(f"{where}: {name}")


_REFUSED_TEXTS = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "is not permitted to log in",
)


def _explain_postgres(error: "psycopg.Error", where: str, *, broken: bool) -> StorageError:
    code = error.sqlstate or ""
    text = str(error)
    refused = "refuses the user or the password"
    result: StorageError
    if code.startswith("28") or (not code and any(part in text for part in _REFUSED_TEXTS)):
        result = StorageSignInError(f"{where} {refused}")
    elif code == "3D000" or (not code and "database" in text and "does not exist" in text):
        result = StorageSignInError(f"{where} does not exist there")
    elif not code and "role" in text and "does not exist" in text:
        result = StorageSignInError(f"{where} {refused}")
    elif code == "42501":
        result = StorageSignInError(f"{where} does not give this user the right to do that")
    elif code == "42P01":
        result = StorageVersionError(f"{where} has not been prepared: its tables are missing")
    elif code[:2] in {"40", "55", "53"} or code == "57014" or broken:
        result = StorageBusyError(f"{where} cannot do that now ({code or 'connection lost'})")
    elif not code or code[:2] in {"08", "57"}:
        result = StorageUnreachableError(f"{where} does not answer ({_why(text)})")
    else:
        result = StorageFaultError(f"{where}: {code}")
    return result


def _why(text: str) -> str:
    for sign, meaning in (
        ("refused", "connection refused"),
        ("No such file", "no such socket"),
        ("resolve", "unknown host"),
        ("Name or service not known", "unknown host"),
        ("timeout", "time-out"),
        ("starting up", "starting up"),
        ("SSL", "TLS"),
    ):
        if sign in text:
            return meaning
    return "no connection"
