"""One attendant per mailbox, across processes: a claim in the database, kept alive while we work.

Two programs on one mailbox would answer each other's meetings. A claim names host and process; one whose process is dead on
this host is taken over at once, one of another host when it has run out. Programs with another database know nothing of it:
against them there is a mark on the mailbox itself (`greenroom.scheduler.watcher`).
"""

import asyncio
from datetime import timedelta

import structlog

from greenroom.scheduler.case import Clock
from greenroom.scheduler.whereabouts import is_dead_here
from greenroom.scheduler.whereabouts import owner as this_process
from greenroom.storage import MailboxState, Storage, StorageError

LEASE = timedelta(seconds=60)
BEAT = LEASE / 4

log = structlog.get_logger(__name__)


class Claim:
    """This process's claim on one mailbox. `owner` is another name for it ("host/process" by itself).

    `lent_to` says who wants to borrow the mailbox, as far as `hold` has looked for it.
    """

    def __init__(self, storage: Storage, address: str, clock: Clock, owner: str | None = None) -> None:
        self._storage = storage
        self._address = address
        self._clock = clock
        self.owner = owner or this_process()
        self.lent_to: str | None = None

    async def hold(self, *, lending: bool = False) -> str | None:
        """Take or prolong the claim. Returns None when it is ours, else who holds it ("host/process").

        With `lending` it is left as it is while somebody wants to borrow the mailbox, who is returned then.
        """
        now = self._clock()
        async with self._storage.work() as work:
            if lending:
                self.lent_to = self.wish(await work.mailboxes.get(self._address))
                if self.lent_to is not None:
                    return self.lent_to
            if await work.mailboxes.claim(self._address, self.owner, now, now + LEASE):
                return None
            holder = (await work.mailboxes.get(self._address)).claimed_by or ""
            if not is_dead_here(holder):
                return holder
            await work.mailboxes.release(self._address, holder)
            taken = await work.mailboxes.claim(self._address, self.owner, now, now + LEASE)
            return None if taken else holder

    def wish(self, state: MailboxState) -> str | None:
        """Return who else wants to borrow the mailbox; the wish of a process that died has no weight."""
        by, until = state.wanted_by, state.wanted_until
        if by is None or by == self.owner or until is None or until <= self._clock() or is_dead_here(by):
            return None
        return by

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
            await work.mailboxes.release(self._address, self.owner)
