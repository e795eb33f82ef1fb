import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from greenroom.meetings.reserving import NotPossibleError
from greenroom.scheduler.together import Together
from greenroom.storage import Reservation, Storage, Work
from support.empty import storage_in_memory
from support.records import DAY, NOON


def asked(number: int, request_id: str, person: str = "a" * 32) -> Reservation:
    return Reservation(number, 1, None, NOON, None, person, request_id, 0, NOON + 30 * DAY)


class Counted:
    """Transactions of a database in memory, counted; `fails` and `hangs` spoil them."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.begun = 0
        self.fails: Exception | None = None
        self.hangs = False

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        self.begun += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.fails is not None:
            raise self.fails
        async with self.storage.work() as work:
            yield work


@asynccontextmanager
async def counted() -> AsyncIterator[Counted]:
    storage = await storage_in_memory()
    yield Counted(storage)
    await storage.close()


async def test_who_comes_at_the_same_time_shares_a_transaction_and_has_an_answer_of_their_own() -> None:
    async with counted() as database:
        together = Together(database.work, 3)
        wanted = [asked(n, f"r{n}") for n in range(5)] + [asked(9, "r9", "b" * 32), asked(9, "r10", "b" * 32)]
        stored = await asyncio.gather(*(together.add(one, NOON) for one in wanted))
        assert stored == [True, True, True, False, False, True, False]
        assert database.begun == 1
        async with database.storage.reading() as work:
            assert await work.asked.count(1, "a" * 32, NOON) == 3


async def test_a_crowd_is_stored_in_pieces() -> None:
    async with counted() as database:
        together = Together(database.work, 1_000)
        stored = await asyncio.gather(*(together.add(asked(n, f"r{n}"), NOON) for n in range(120)))
        assert all(stored)
        assert database.begun == 3


@pytest.mark.parametrize(
    "error", [NotPossibleError("database", timedelta(seconds=2)), ValueError("a bug")], ids=["busy", "bug"]
)
async def test_a_failure_is_everybodys_and_the_next_are_stored(error: Exception) -> None:
    async with counted() as database:
        together = Together(database.work, 30)
        database.fails = error
        told = await asyncio.gather(*(together.add(asked(n, f"r{n}"), NOON) for n in range(3)), return_exceptions=True)
        assert [(type(one), str(one)) for one in told] == [(type(error), str(error))] * 3
        database.fails = None
        assert await together.add(asked(1, "r1"), NOON)


async def test_who_gives_up_waiting_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.scheduler.together._PATIENCE", 0.05)
    async with counted() as database:
        together = Together(database.work, 30)
        database.hangs = True
        with pytest.raises(NotPossibleError, match="database-busy"):
            await together.add(asked(1, "r1"), NOON)
        assert together._storing is not None
        together._storing.cancel()
        await asyncio.wait([together._storing])
        database.hangs = False
        monkeypatch.setattr("greenroom.scheduler.together._PATIENCE", 10.0)
        assert await together.add(asked(2, "r2"), NOON)
