import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from greenroom.storage import Storage
from support.empty import write_empty
from support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/greenroom.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def storage(url: str) -> AsyncIterator[Storage]:
    storage = Storage.open(url)
    if url.startswith("sqlite"):
        await asyncio.to_thread(write_empty, Path(url.removeprefix("sqlite:///")))
    else:
        await storage.migrate()
    yield storage
    await storage.close()
