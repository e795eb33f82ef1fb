"""One attendant per mailbox, across processes: a claim in the database, kept alive while we work.

Two programs on one mailbox would answer each other's meetings. A claim names host and process; one whose process is dead on
this host is taken over at once, one of another host when it has run out.
"""

import asyncio
import os
import socket
from datetime import timedelta

import structlog

from greenroom.scheduler.case import Clock
from greenroom.storage import Storage, StorageError

LEASE = timedelta(seconds=60)
BEAT = LEASE / 4

log = structlog.get_logger(__name__)


class Claim:
    """This process's claim on one mailbox."""

    def __init__(self, storage: Storage, address: str, clock: Clock) -> None:
        self._storage = storage
        self._address = address
        self._clock = clock
        self._owner = f"{socket.gethostname()}/{os.getpid()}"

    async def hold(self) -> str | None:
        """Take or prolong the claim. Returns None when it is ours, else who holds it ("host/process")."""
        now = self._clock()
        async with self._storage.work() as work:
            if await work.mailboxes.claim(self._address, self._owner, now, now + LEASE):
                return None
            holder = (await work.mailboxes.get(self._address)).claimed_by or ""
            if not _is_dead_here(holder):
                return holder
            await work.mailboxes.release(self._address, holder)
            taken = await work.mailboxes.claim(self._address, self._owner, now, now + LEASE)
            return None if taken else holder

    async def keep(self, every: timedelta = BEAT) -> str:
        """Prolong the claim again and again: a pass over a backlog takes longer than a lease.

        Returns who holds the mailbox once it is lost, as after this process was suspended for long.
        """
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                holder = await self.hold()
            except StorageError as error:
                log.warning("claim not prolonged", mailbox=self._address, error=type(error).__name__)
                continue
            if holder is not None:
                return holder

    async def release(self) -> None:
        """Give the mailbox free."""
        async with self._storage.work() as work:
            await work.mailboxes.release(self._address, self._owner)


def _is_dead_here(owner: str) -> bool:
    host, _, process = owner.rpartition("/")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
