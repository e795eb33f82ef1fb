"""Borrowing a mailbox from the service that attends it, for a command that works on it in a process of its own.

::

    command: "I want it" ──▶ service: ends what it does, lets the claim go, begins nothing ──▶ command: claims, works, gives back

The wish holds for a minute and is prolonged while the command lives: one that dies is forgotten soon. Where no service runs, nobody
is waited for. Against other installations the command keeps the mark on the mailbox, as a service does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from greenroom.exchange.contract import Mailbox
from greenroom.exchange.errors import ExchangeError
from greenroom.scheduler import watching
from greenroom.scheduler.case import Clock
from greenroom.scheduler.claim import BEAT, LEASE, Claim
from greenroom.scheduler.watch_book import Other, WatchStanding
from greenroom.scheduler.watcher import Watcher, watcher_of
from greenroom.scheduler.whereabouts import is_dead_here
from greenroom.storage import Storage, StorageError

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=6)
"""Long enough to see that the mark of an installation that is gone does not move any more."""
_ASK_EVERY = 0.5
_LOOK_EVERY = 15.0


class NotLentError(Exception):
    """The mailbox is not lent, or not any more. `holder` says who has it."""

    def __init__(self, sentence: str, holder: str) -> None:
        super().__init__(sentence)
        self.holder = holder


class AnotherCommandError(NotLentError):
    """Another command borrows the mailbox, or waits for it."""


class AttendedElsewhereError(NotLentError):
    """Another installation attends the mailbox: `other`."""

    def __init__(self, sentence: str, other: Other | None) -> None:
        super().__init__(sentence, "" if other is None else other.host)
        self.other = other


@asynccontextmanager
async def borrowed(
    storage: Storage,
    address: str,
    clock: Clock,
    *,
    patience: timedelta = PATIENCE,
    mailbox: Mailbox | None = None,
    number: int = 0,
    waits_for: Callable[[str], None] = lambda _holder: None,
    owner: str | None = None,
) -> AsyncIterator[None]:
    """Have a mailbox to oneself while the block runs, for as long as that takes.

    `mailbox` is where the mark against other installations is kept (`number` is the integration's); give it always when the mailbox
    itself is worked on. `waits_for` is told once who has to be waited for. `owner` is another name for this process than its own.

    Raises NotLentError when `patience` is over, and in the middle of the block when the mailbox got lost; ExchangeError when it
    cannot be asked whose it is; StorageError.
    """
    borrower = _Borrower(storage, address, clock, Claim(storage, address, clock, owner))
    watcher = None if mailbox is None else watcher_of(mailbox, number, storage, clock)
    patient_until = asyncio.get_running_loop().time() + patience.total_seconds()
    is_served = False
    try:
        is_served = await borrower.get(patient_until, waits_for)
        async with _kept(borrower, watcher):
            if watcher is not None:
                await _get_the_mark(watcher, clock, patient_until, waits_for)
            yield
    finally:
        if watcher is not None and not is_served:
            await watcher.leave()  # a service goes on from it
        await borrower.give_back()


@dataclass(frozen=True, slots=True)
class _Borrower:
    """A command's wish and claim."""

    storage: Storage
    address: str
    clock: Clock
    claim: Claim

    async def get(self, patient_until: float, waits_for: Callable[[str], None]) -> bool:
        """Wish for the mailbox until the claim is ours; returns whether somebody let it go for that."""
        waited = False
        while True:
            await self._wish()
            holder = await self.claim.hold()
            if holder is None:
                return waited
            if not waited:
                waits_for(holder)
            waited = True
            if asyncio.get_running_loop().time() >= patient_until:
                raise NotLentError(f"{holder} attends {self.address} and has not let it go yet", holder)
            await asyncio.sleep(_ASK_EVERY)

    async def keep(self) -> NotLentError:
        """Prolong both; returns once the mailbox is lost."""
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            try:
                await self._wish()
                holder = await self.claim.hold()
            except AnotherCommandError as error:
                return error
            except StorageError as error:
                log.warning("loan not prolonged", mailbox=self.address, error=type(error).__name__)
                continue
            if holder is not None:
                return NotLentError(f"{holder} took {self.address} over", holder)

    async def give_back(self) -> None:
        """Take wish and claim back."""
        try:
            await self.claim.release()
            async with self.storage.work() as work:
                await work.mailboxes.unwant(self.address, self.claim.owner)
        except StorageError as error:
            log.warning("loan runs out by itself", mailbox=self.address, error=type(error).__name__)

    async def _wish(self) -> None:
        now, owner = self.clock(), self.claim.owner
        async with self.storage.work() as work:
            other = await work.mailboxes.want(self.address, owner, now, now + LEASE)
            if other is not None and is_dead_here(other):
                await work.mailboxes.unwant(self.address, other)
                other = await work.mailboxes.want(self.address, owner, now, now + LEASE)
        if other is not None:
            raise AnotherCommandError(f"another command, {other}, works on {self.address}", other)


async def _get_the_mark(watcher: Watcher, clock: Clock, patient_until: float, waits_for: Callable[[str], None]) -> None:
    """Wait while it is not clear whose the mailbox is, but for nobody who is alive."""
    told = False
    while not await watcher.fresh():
        by, marked_at = watcher.by, watcher.marked_at
        is_kept = watcher.standing is WatchStanding.KEPT_OUT
        alive = is_kept and marked_at is not None and abs(clock() - marked_at) < watching.USUAL.stale
        if alive or asyncio.get_running_loop().time() >= patient_until:
            raise AttendedElsewhereError(_elsewhere(by), by)
        if not told:
            waits_for("another Greenroom" if by is None else by.host)
        told = True
        await asyncio.sleep(_LOOK_EVERY if is_kept else _ASK_EVERY)
        if is_kept:
            await watcher.look()


def _elsewhere(by: Other | None) -> str:
    if by is None:
        return "another Greenroom starts on this mailbox at the same time"
    kind = "a copy of this database" if by.copy else f"installation {by.installation[:8]}"
    return f"another Greenroom attends this mailbox: host {by.host}, {kind}"


@asynccontextmanager
async def _kept(borrower: _Borrower, watcher: Watcher | None) -> AsyncIterator[None]:
    """Prolong wish, claim and mark while the block runs; a block whose mailbox is lost is ended with NotLentError."""
    lost: list[NotLentError] = []
    tasks: list[asyncio.Task[NotLentError]] = []
    try:
        async with asyncio.timeout(None) as limit:

            def lose(task: asyncio.Task[NotLentError]) -> None:
                if not task.cancelled():
                    lost.append(task.result())
                    limit.reschedule(asyncio.get_running_loop().time())

            tasks.append(asyncio.create_task(borrower.keep()))
            if watcher is not None:
                tasks.append(asyncio.create_task(_keep_mark(watcher)))
            for task in tasks:
                task.add_done_callback(lose)
            try:
                yield
            finally:
                for task in tasks:
                    task.remove_done_callback(lose)
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    except TimeoutError:
        if lost:
            raise lost[0] from None
        raise


async def _keep_mark(watcher: Watcher) -> NotLentError:
    while True:
        await asyncio.sleep(watcher.beat.total_seconds())
        try:
            await watcher.look()
        except (ExchangeError, StorageError) as error:
            log.info("mark not renewed", error=type(error).__name__)
            continue
        if watcher.standing is WatchStanding.KEPT_OUT:
            return AttendedElsewhereError(_elsewhere(watcher.by), watcher.by)
