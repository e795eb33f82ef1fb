import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from greenroom.scheduler.claim import LEASE, Claim
from greenroom.storage import Storage, StorageBusyError
from support.greenroom_at_work import Clock
from support.observations import MAILBOX

HERE = socket.gethostname()
ELSEWHERE = "another-host/1"


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    opened = Storage.open("sqlite://")
    await opened.migrate()
    yield opened
    await opened.close()


async def held_by(storage: Storage, owner: str, clock: Clock) -> None:
    async with storage.work() as work:
        assert await work.mailboxes.claim(MAILBOX, owner, clock(), clock() + LEASE)


async def holder(storage: Storage) -> str | None:
    async with storage.work() as work:
        return (await work.mailboxes.get(MAILBOX)).claimed_by


async def test_a_free_mailbox_is_taken_and_given_free_again(storage: Storage) -> None:
    claim = Claim(storage, MAILBOX, Clock())
    assert await claim.hold() is None
    assert await claim.hold() is None
    assert await holder(storage) == f"{HERE}/{os.getpid()}"
    await claim.release()
    assert await holder(storage) is None


async def test_a_mailbox_attended_on_another_host_is_left_alone_until_its_claim_has_run_out(storage: Storage) -> None:
    clock = Clock()
    await held_by(storage, ELSEWHERE, clock)
    claim = Claim(storage, MAILBOX, clock)
    assert await claim.hold() == ELSEWHERE
    await claim.release()
    assert await holder(storage) == ELSEWHERE
    clock.forward(seconds=LEASE.total_seconds())
    assert await claim.hold() is None


async def test_the_claim_of_a_dead_process_on_this_host_is_taken_over_at_once(storage: Storage) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])  # noqa: ASYNC220 (it ends at once, and is ours)
    dead.wait()
    clock = Clock()
    await held_by(storage, f"{HERE}/{dead.pid}", clock)
    assert await Claim(storage, MAILBOX, clock).hold() is None


async def test_the_claim_of_a_living_process_on_this_host_is_respected(storage: Storage) -> None:
    clock = Clock()
    await held_by(storage, f"{HERE}/{os.getppid()}", clock)
    assert await Claim(storage, MAILBOX, clock).hold() == f"{HERE}/{os.getppid()}"


async def test_a_kept_claim_lasts_longer_than_its_lease(storage: Storage) -> None:
    clock = Clock()
    claim = Claim(storage, MAILBOX, clock)
    await claim.hold()
    keeping = asyncio.create_task(claim.keep(timedelta(milliseconds=1)))
    for _ in range(5):
        clock.forward(seconds=LEASE.total_seconds() / 2)
        await asyncio.sleep(0.05)
        async with storage.work() as work:
            assert not await work.mailboxes.claim(MAILBOX, ELSEWHERE, clock(), clock() + LEASE)
    keeping.cancel()


async def test_a_lost_claim_is_told(storage: Storage) -> None:
    clock = Clock()
    claim = Claim(storage, MAILBOX, clock)
    await claim.hold()
    clock.forward(seconds=LEASE.total_seconds())
    await held_by(storage, ELSEWHERE, clock)
    async with asyncio.timeout(5):
        assert await claim.keep(timedelta(milliseconds=1)) == ELSEWHERE


async def test_a_database_that_is_busy_for_a_moment_does_not_end_the_keeping(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim(storage, MAILBOX, Clock())
    answers = [StorageBusyError("locked"), None, ELSEWHERE]

    async def hold() -> str | None:
        answer = answers.pop(0)
        if isinstance(answer, StorageBusyError):
            raise answer
        return answer

    monkeypatch.setattr(claim, "hold", hold)
    async with asyncio.timeout(5):
        assert await claim.keep(timedelta(milliseconds=1)) == ELSEWHERE
