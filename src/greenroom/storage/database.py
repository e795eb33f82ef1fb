"""The database: opened once per process, worked on in units of one transaction each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from greenroom.storage import migrate
from greenroom.storage.engine import explain, open_engine, parse, prepare_file
from greenroom.storage.session import Session, transaction
from greenroom.storage.work import Work


class Storage:
    """All that is remembered. Use it from one event loop."""

    def __init__(self, url: URL, engine: AsyncEngine) -> None:
        self._url = url
        self._engine = engine
        # SQLite has one writer at a time. Waiting here is fair and costs nothing; SQLite's own waiting is neither.
        self._writer = asyncio.Lock() if engine.dialect.name == "sqlite" else None
        self._in_memory = url.database == ":memory:"
        self._busy_tasks: set[asyncio.Task[object]] = set()

    @classmethod
    def open(cls, url: str) -> Self:
        """Take a URL: `sqlite:///path`, `sqlite://` (in memory) or `postgresql://…`. Connects to nothing yet.

        Raises BadUrlError.
        """
        parsed = parse(url)
        return cls(parsed, open_engine(parsed))

    async def migrate(self) -> None:
        """Create the tables or bring them up to this code's version; two processes may do it at once.

        Raises StorageVersionError if a newer Greenroom was here, StorageUnreachableError, StorageSignInError.
        """
        prepare_file(self._url)
        async with self._transaction() as session:
            await migrate.to_head(session.connection)

    async def check(self) -> None:
        """Connect and compare the version; raises what is wrong."""
        async with self._transaction(reading=True) as session:
            await migrate.check_version(session.connection)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One transaction: committed at the end, rolled back if an exception leaves the block.

        Never open a second one inside (RuntimeError): the two would wait for each other. Raises StorageError; the
        commit itself may be what fails, and then nothing was stored.
        """
        async with self._transaction() as session:
            yield Work(session)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        """The same for reading only: waits for no writer, and sees one consistent state on SQLite."""
        async with self._transaction(reading=True) as session:
            yield Work(session)

    @property
    def exists(self) -> bool:
        """Whether there is something to connect to, as far as that can be told before: an SQLite file may be missing."""
        file = self._url.database or ""
        return self._url.get_backend_name() != "sqlite" or self._in_memory or Path(file).exists()

    @asynccontextmanager
    async def whole(self, *, reading: bool) -> AsyncIterator[AsyncConnection]:
        """One transaction for whoever copies whole tables: the bare connection.

        What is read is one state, however long it takes; who writes makes an SQLite file that is missing. Raises as `work`.
        """
        if not reading:
            prepare_file(self._url)
        async with self._transaction(reading=reading, snapshot=reading) as session:
            yield session.connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, *, reading: bool = False, snapshot: bool = False) -> AsyncIterator[Session]:
        async with self._turn(reading=reading):
            try:
                async with transaction(self._engine, reading=reading, snapshot=snapshot) as session:
                    yield session
            except SQLAlchemyError as error:
                # Without its cause: the drivers' own texts show rows.
                raise explain(error, self._url) from None

    @asynccontextmanager
    async def _turn(self, *, reading: bool) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task is None or task in self._busy_tasks:
            raise RuntimeError("a unit of work is already open in this task")
        self._busy_tasks.add(task)
        try:
            if self._writer is None or (reading and not self._in_memory):
                yield
            else:
                async with self._writer:
                    yield
        finally:
            self._busy_tasks.discard(task)
