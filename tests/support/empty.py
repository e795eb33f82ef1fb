"""Databases with tables and nothing in them, made once in a process: most of a short test would be their migrations."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from greenroom.storage import Storage

_WRITTEN_BY_WAL = 18  # and the byte behind it: a database in memory has no such log


@cache
def _migrated() -> bytes:
    """An empty database as a file has it."""

    async def made(path: Path) -> None:
        storage = Storage.open(f"sqlite:///{path}")
        await storage.migrate()
        await storage.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        asyncio.run(made(path))
        return path.read_bytes()


async def storage_in_memory() -> Storage:
    """A database in memory, of which the caller disposes."""
    image = bytearray(await asyncio.to_thread(_migrated))
    image[_WRITTEN_BY_WAL : _WRITTEN_BY_WAL + 2] = b"\x01\x01"
    storage = Storage.open("sqlite://")
    async with storage._engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw._execute(raw._conn.deserialize, bytes(image))
    return storage


def write_empty(path: Path) -> None:
    """Put such a database there."""
    path.write_bytes(_migrated())


@asynccontextmanager
async def empty_storage() -> AsyncIterator[Storage]:
    """A database in a file, in memory where the system has a folder there: a disk would be waited for."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        path = Path(folder) / "greenroom.db"
        await asyncio.to_thread(write_empty, path)
        storage = Storage.open(f"sqlite:///{path}")
        try:
            yield storage
        finally:
            await storage.close()
