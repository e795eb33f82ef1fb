"""One integration with a fake mailbox, the embedded platform and a database in memory: a Greenroom without processes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.platforms.contract import Platform
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.attend import Attendant, PassSummary
from greenroom.scheduler.case import no_step
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.windows import close_windows
from greenroom.storage import RoomStore, Storage, StoredRoom
from support.empty import storage_in_memory
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX, NOW


class Died(BaseException):
    """The process is killed here: nothing catches it, nothing is tidied up."""


def die_at(number: int) -> tuple[Callable[[str], None], list[str]]:
    """A listener that is killed at the n-th step (0: never), and the list of steps it has heard."""
    seen: list[str] = []

    def step(name: str) -> None:
        seen.append(name)
        if len(seen) == number:
            raise Died

    return step, seen


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class AtWork:
    """What a test holds in its hands."""

    clock: Clock
    mailbox: FakeMailbox
    storage: Storage
    integration: Integration

    async def attend(self, step: Callable[[str], None] = no_step, *, slice_size: int = 100) -> PassSummary:
        """One pass, a second later."""
        self.clock.forward(seconds=1)
        return await Attendant(self.integration, self.storage, self.clock, step=step, slice_size=slice_size).attend()

    async def close(self) -> int:
        """End what is over, as the service does every minute; returns how many."""
        return await close_windows(self.integration, self.storage, self.clock)

    async def settle(self) -> None:
        """Passes until nothing is waiting, over simulated hours if need be."""
        for _ in range(12):
            await self.attend()
            self.clock.forward(hours=1)

    async def settle_quickly(self) -> None:
        """A few passes within minutes."""
        for _ in range(3):
            await self.attend()
            self.clock.forward(minutes=1)

    def number_of(self, ticket: str) -> int | None:
        """The alias number in a genuine ticket."""
        verified = self.integration.ring.verify(ticket)
        return verified.number if isinstance(verified, Ticket) else None

    async def record(self, key: MeetingKey) -> Record | None:
        async with self.storage.work() as work:
            return (await work.meetings.by_keys(1, [key])).get(key)

    async def room(self, key: MeetingKey) -> StoredRoom | None:
        """The room that serves this meeting, be it another meeting's."""
        record = await self.record(key)
        async with self.storage.work() as work:
            return await work.rooms.by_mark(1, key.digest if record is None else record.mark)

    async def journal(self, key: MeetingKey) -> list[JournalEntry]:
        async with self.storage.work() as work:
            return await work.journal.of_meeting(1, key)

    def ticket(self, number: int) -> str:
        return self.integration.ring.issue(number, NOW)


@asynccontextmanager
async def at_work(
    *, policy: Policy | None = None, platform: Callable[[Platform], Platform] = lambda platform: platform
) -> AsyncIterator[AtWork]:
    """A Greenroom to work with; `platform` may wrap the embedded one."""
    clock = Clock()
    storage = await storage_in_memory()
    mailbox = FakeMailbox(MAILBOX, clock)
    integration = Integration(
        number=1,
        name="main",
        mailbox=mailbox,
        platform=platform(EmbeddedPlatform(RoomStore(storage, 1, clock))),
        policy=policy or Policy(MAILBOX),
        aliases=AliasPlan("meet", 9, "video.example"),
        ring=KeyRing("GRM", 1, {0: b"k" * 32}),
        texts=Texts(),
        links=JoinLinks("https://meet.example"),
    )
    try:
        yield AtWork(clock, mailbox, storage, integration)
    finally:
        await storage.close()
