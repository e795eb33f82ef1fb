"""A connection in a transaction, whose calls are never left half-way.

A cancelled call to a database in a thread goes on in that thread, and its connection can only be thrown away: with a database in
memory all is lost with it. So on SQLite, where every call is short, a cancelled caller waits for the end of the call it is in.
On PostgreSQL the driver tells the server to stop, and the connection is replaced.
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from greenroom.storage.engine import READING

T = TypeVar("T")
Values = Mapping[str, Any]


class Session:
    """What the repositories work with."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self._steady = self.dialect == "sqlite"

    async def execute(
        self, statement: sa.Executable, values: Values | Sequence[Values] | None = None
    ) -> "sa.CursorResult[Any]":
        """Execute a statement, once or (with a sequence) once for each set of values."""
        call = self.connection.execute(statement, values)
        return await (_steadily(call) if self._steady else call)

    async def fetch(self, statement: sa.Executable, values: Values) -> list[Any]:
        """Execute a statement that is kept and used often, and return its rows, as the driver has them.

        SQLite runs in a thread, and each of the four calls that a statement usually takes is a way there and back: here it is one,
        for a tenth of the price.
        """
        if not self._steady:
            return list(await self.connection.execute(statement, values))
        text, binds = _written(statement, self.connection.dialect)
        raw = await self.connection.get_raw_connection()
        driver: Any = raw.driver_connection
        given = [values[name] if process is None else process(values[name]) for name, process in binds]
        try:
            return list(await _steadily(driver.execute_fetchall(text, given)))
        except sqlite3.Error as error:
            # As SQLAlchemy tells it, so that it is explained like all others; what was given is not shown.
            dialect = self.connection.dialect
            told = DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect)
            raise told from None

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """What is done inside can fail without the rest."""
        savepoint = self.connection.begin_nested()
        return _entered_steadily(savepoint) if self._steady else savepoint


@lru_cache(maxsize=64)
def _written(statement: Any, dialect: Dialect) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """Spell a statement for a driver: its text, and how each of its parameters is given to it, in order."""
    compiled = statement.compile(dialect=dialect)
    types = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
    return compiled.string, [(name, types[name].bind_processor(dialect)) for name in compiled.positiontup]


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, reading: bool, snapshot: bool = False) -> AsyncIterator[Session]:
    """Connect and begin; commit at the end, or roll back if an exception leaves the block.

    With `snapshot` all that is read is one state on PostgreSQL too, as it always is on SQLite.
    """
    steady = engine.dialect.name == "sqlite"
    connect = engine.connect()
    async with _entered_steadily(connect) if steady else connect as connection:
        if reading:
            # Each dialect knows one of the two.
            await connection.execution_options(**{READING: True, "postgresql_readonly": True})
        if snapshot and not steady:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        begin = connection.begin()
        async with _entered_steadily(begin) if steady else begin:
            yield Session(connection)


async def _steadily(call: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # nobody is left to whom it could be told
        raise


@asynccontextmanager
async def _entered_steadily(manager: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    entering = asyncio.ensure_future(manager.__aenter__())
    try:
        value = await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait([entering])
        if not entering.cancelled() and entering.exception() is None:
            await _steadily(manager.__aexit__(*sys.exc_info()))
        raise
    try:
        yield value
    except BaseException:
        await _steadily(manager.__aexit__(*sys.exc_info()))
        raise
    await _steadily(manager.__aexit__(None, None, None))
