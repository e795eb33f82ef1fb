"""A connection in a transaction, whose calls are never left half-way.

A cancelled call to a database in a thread goes on in that thread, and its connection can only be thrown away: with a database in
memory all is lost with it. So on SQLite, where every call is short, a cancelled caller waits for the end of the call it is in.
On PostgreSQL the driver tells the server to stop, and the connection is replaced.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
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

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """What is done inside can fail without the rest."""
        savepoint = self.connection.begin_nested()
        return _entered_steadily(savepoint) if self._steady else savepoint


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, reading: bool) -> AsyncIterator[Session]:
    """Connect and begin; commit at the end, or roll back if an exception leaves the block."""
    steady = engine.dialect.name == "sqlite"
    connect = engine.connect()
    async with _entered_steadily(connect) if steady else connect as connection:
        if reading:
            # Each dialect knows one of the two.
            await connection.execution_options(**{READING: True, "postgresql_readonly": True})
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
