"""A Greenroom that people ask for reservations, with a person or two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.policy import Policy
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.reserving import Allowance, Reservations
from greenroom.storage import Reservation, RoomStore, Storage
from greenroom.web.addin_contract import Reserving
from greenroom.web.identity.contract import Caller
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import Clock
from support.observations import MAILBOX

ADA, BOB = Caller("entra", "a" * 32), Caller("exchange", "b" * 32)
KEYS = {0: b"k" * 32}


@dataclass
class Desk:
    """Where people ask, what is behind it, and the clock."""

    clock: Clock
    storage: Storage
    integration: Integration
    allowance: Allowance

    @property
    def reserving(self) -> Reserving:
        return Reservations(self.integration, self.storage, self.clock, self.allowance)

    async def held(self, ticket: str) -> Reservation | None:
        """What is stored behind a ticket."""
        genuine = self.integration.ring.verify(ticket)
        number = getattr(genuine, "number", -1)
        async with self.storage.reading() as work:
            return (await work.reservations.holders(self.integration.number, [number])).get(number)


def integration_of(
    storage: Storage,
    clock: Clock,
    *,
    keys: dict[int, bytes] | None = None,
    current: int | None = None,
    digits: int = 9,
    policy: Policy | None = None,
    texts: Texts | None = None,
    number: int = 1,
) -> Integration:
    """An integration with a mailbox that is never looked into, unless the test does."""
    return Integration(
        number=number,
        name=f"main-{number}",
        mailbox=FakeMailbox(MAILBOX, clock),
        platform=EmbeddedPlatform(RoomStore(storage, number, clock)),
        policy=policy or Policy(MAILBOX),
        aliases=AliasPlan("meet", digits, "video.example"),
        ring=KeyRing("GRM", number, keys or KEYS, current),
        texts=texts or Texts(),
        links=JoinLinks("https://meet.example"),
    )


@asynccontextmanager
async def asked_at(
    storage: Storage | None = None,
    *,
    unclaimed: int = 5,
    ahead: int = 2,
    keep: timedelta = timedelta(days=30),
    digits: int = 9,
    policy: Policy | None = None,
) -> AsyncIterator[Desk]:
    """A desk over a database, which is in memory unless given."""
    clock, opened = Clock(), storage or Storage.open("sqlite://")
    if storage is None:
        await opened.migrate()
    yield Desk(
        clock, opened, integration_of(opened, clock, digits=digits, policy=policy), Allowance(unclaimed, keep, ahead)
    )
    if storage is None:
        await opened.close()
