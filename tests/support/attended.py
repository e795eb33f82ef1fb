"""Greenroom within a test: a real adapter, scheduler and storage on a simulator, without processes of their own.

Two ways of it::

    async with serviced(simulator) as home:          # the running service over loopback HTTP, time sixty times as fast
        home.invite("plain")
        await home.until(lambda: home.answers("plain") == ["Accept"])
        await home.rest()

    async with attended(clock) as home:              # no sockets; the test itself lets Greenroom look
        home.invite("plain")
        await home.look()

Both speak EWS unless they are told `protocol="graph"`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from greenroom.exchange.contract import Mailbox
from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Clock, no_step
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.queue.in_process import InProcessQueue
from greenroom.scheduler.service import Service
from greenroom.scheduler.watching import Times
from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.ews_face import EwsFace
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.faults import FaultRule
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, MeetingResponse, Person
from greenroom.simulator.seeding import seed
from greenroom.storage import RoomStore, Storage, StoredRoom
from support import planted
from support.clocks import RunningClock
from support.empty import storage_in_memory
from support.simulator import RunningSimulator
from support.spoken import OPERATIONS, Work, over_http, straight
from support.whole import ATTENDEE, EQUIPMENT, ORGANIZER, Processing, Spoken, world

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAME = "main"
_WATCH = Times(lapse=timedelta(days=365))  # clocks are set while somebody looks whose the mailbox is
AGENDA = f"<html><body><p>{planted.TEXT}</p></body></html>"


@dataclass
class Home:
    """What people do and see, and what Greenroom remembers. Meetings are called by their uid's name."""

    exchange: Exchange
    face: EwsFace
    clock: Clock
    storage: Storage
    integration: Integration
    protocol: Spoken = "ews"
    keys: dict[str, MeetingKey] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    hint: Callable[[], Awaitable[None]] | None = None  # what a notification does to the service

    # --- what people do -----------------------------------------------------------------------------------------

    def invite(self, name: str, *, start: datetime | None = None, body: str | Body = AGENDA, **more: Any) -> None:
        """Let the organizer invite a colleague and the equipment mailbox."""
        start = start or self.clock().replace(minute=0, second=0, microsecond=0) + DAY
        draft: MeetingDraft = {
            "subject": f"{planted.SUBJECT} {name}",
            "body": Body(body, "HTML") if isinstance(body, str) else body,
            "location": planted.LOCATION,
            "start": start,
            "end": start + HOUR,
            "attendees": (Attendee(Person(ATTENDEE, "Anton Attendee")), Attendee(Person(EQUIPMENT), "resource")),
            **more,  # type: ignore[typeddict-item]  # a test says what it wants in the words of the draft
        }
        item = self.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")
        self.keys[name] = MeetingKey.of_global_object_id(item.meeting.clean_goid)

    def own(self, name: str, mailbox: str = ORGANIZER) -> CalendarItem | None:
        """The calendar item somebody has of a meeting."""
        wanted = self.keys[name].to_bytes()
        for item in self.exchange.items(mailbox, "calendar"):
            if isinstance(item, CalendarItem) and item.meeting.clean_goid == wanted:
                return item
        return None

    def change(self, name: str, **draft: Any) -> None:
        """Let the organizer change a meeting and send the update to all."""
        item = self.own(name)
        assert item is not None
        changes = MeetingDraft(**draft)  # type: ignore[typeddict-item]  # as above
        self.exchange.update_item(ORGANIZER, item.id, changes, send="SendToAllAndSaveCopy")

    def cancel(self, name: str) -> None:
        item = self.own(name)
        assert item is not None
        self.exchange.cancel_meeting(ORGANIZER, item.id)

    def ticket(self, number: int) -> str:
        """Joining instructions with a genuine ticket, as the button would write them."""
        return (
            f"<html><body><p>Meeting reference: {self.integration.ring.issue(number, self.clock())}</p></body></html>"
        )

    def fail(self, **rule: Any) -> int:
        """Switch a fault on (see `greenroom.simulator.faults`)."""
        return self.face.faults.add(FaultRule.from_json(rule))

    # --- what they see ------------------------------------------------------------------------------------------

    def responses(self, name: str) -> list[MeetingResponse]:
        """What the equipment mailbox answered the organizer about a meeting, oldest first."""
        mine = self.keys[name].to_bytes()
        inbox = self.exchange.items(ORGANIZER, "inbox")
        return [i for i in inbox if isinstance(i, MeetingResponse) and i.meeting.clean_goid == mine]

    def answers(self, name: str) -> list[str]:
        return [response.response for response in self.responses(name)]

    def tracked(self, name: str) -> str:
        """The equipment's answer as the organizer's own item shows it."""
        item = self.own(name)
        people = () if item is None else item.meeting.attendees
        return next((a.response for a in people if a.person.address == EQUIPMENT), "")

    def tickets_in(self, text: str) -> list[int]:
        """Alias numbers of genuine tickets in a text, in order, each as often as it stands there."""
        ring = self.integration.ring
        found = [ring.verify(place.ticket) for place in locate_tickets(text, ring.prefix)]
        return [ticket.number for ticket in found if isinstance(ticket, Ticket)]

    def calls_to(self, work: Work) -> int:
        """How many calls were made to do this."""
        return self.calls(OPERATIONS[self.protocol][work])

    def calls(self, operation: str | None = None) -> int:
        counts = self.face.counters.snapshot()
        return int(counts["total"] if operation is None else counts["operations"].get(operation, 0))

    # --- what Greenroom remembers -------------------------------------------------------------------------------

    async def room(self, name: str) -> StoredRoom | None:
        async with self.storage.reading() as work:
            return await work.rooms.by_mark(1, self.keys[name].digest)

    async def record(self, name: str) -> Record | None:
        async with self.storage.reading() as work:
            return (await work.meetings.by_keys(1, [self.keys[name]])).get(self.keys[name])

    async def journal(self, name: str) -> list[JournalEntry]:
        async with self.storage.reading() as work:
            return await work.journal.of_meeting(1, self.keys[name])

    # --- letting it work ----------------------------------------------------------------------------------------

    async def look(self, step: Callable[[str], None] = no_step, *, slice_size: int = 100) -> None:
        """One pass over the mailbox."""
        await Attendant(self.integration, self.storage, self.clock, step=step, slice_size=slice_size).attend()

    async def until(self, fact: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is true while the service works."""
        async with asyncio.timeout(seconds):
            while not fact():  # noqa: ASYNC110  what a mailbox shows has no event to wait for
                await asyncio.sleep(0.02)

    async def rest(self, passes: int = 3, seconds: float = 30) -> None:
        """Wait until nothing waits to be tried again and some passes in a row, from now on, have found nothing to do."""
        self.steps.clear()
        async with asyncio.timeout(seconds):
            while await self._waiting() or not self._idle(passes):  # noqa: ASYNC110  as in `until`
                await asyncio.sleep(0.02)

    async def _waiting(self) -> bool:
        records = [await self.record(name) for name in self.keys]
        return any(record is None or record.retry_at is not None for record in records)

    def _idle(self, passes: int) -> bool:
        idle = ["observed", "weighed", "rooms", "answered"]
        return self.steps[-len(idle) * passes :] == idle * passes


def integration_of(
    mailbox: Mailbox, storage: Storage, clock: Clock, *, policy: Policy | None = None, texts: Texts | None = None
) -> Integration:
    """One integration with the embedded platform."""
    return Integration(
        number=1,
        name=NAME,
        mailbox=mailbox,
        platform=EmbeddedPlatform(RoomStore(storage, 1, clock)),
        policy=policy or Policy(EQUIPMENT),
        aliases=AliasPlan("meet", 9, "video.example"),
        ring=KeyRing("GRM", 1, {0: b"k" * 32}),
        texts=texts or Texts(),
        links=JoinLinks("https://meet.example"),
    )


@asynccontextmanager
async def serviced(
    simulator: RunningSimulator,
    *,
    protocol: Spoken = "ews",
    clock: Clock | None = None,
    secret: str | None = None,
    poll: float = 0.1,
    push: bool = False,
    policy: Policy | None = None,
    texts: Texts | None = None,
    timeout: timedelta = timedelta(seconds=10),  # noqa: ASYNC109  of each call, not of this function
) -> AsyncIterator[Home]:
    """Run the service against a running simulator (see `support.simulator`), which takes over the clock.

    `secret` is another password or client secret than the right one.
    """
    clock = clock or RunningClock(60)
    simulator.exchange.clock = clock
    async with (
        over_http(simulator, protocol, clock=clock, name=NAME, push=push, secret=secret, timeout=timeout) as mailbox,
        _home(simulator.exchange, simulator.face, mailbox, protocol, policy=policy, texts=texts) as home,
    ):
        service = Service(
            [home.integration],
            home.storage,
            InProcessQueue(clock),
            clock,
            poll={NAME: poll},
            push={NAME: push},
            step=home.steps.append,
            times=_WATCH,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        try:
            home.hint = lambda: service.look(NAME)
            yield home
        finally:
            stop.set()
            await running


@asynccontextmanager
async def attended(
    clock: Clock,
    processing: Processing = "auto_update",
    *,
    protocol: Spoken = "ews",
    seeded: Mapping[str, Any] | None = None,
) -> AsyncIterator[Home]:
    """A Greenroom that looks when the test says so; requests go straight into the simulator's application."""
    exchange = Exchange(clock)
    seed(exchange, seeded or world(processing))
    app = create_simulator_app(exchange)
    mailbox = straight(app, protocol, clock)
    try:
        async with _home(exchange, app.face, mailbox, protocol) as home:
            yield home
    finally:
        await mailbox.close()


@asynccontextmanager
async def _home(
    exchange: Exchange,
    face: EwsFace,
    mailbox: Mailbox,
    protocol: Spoken,
    *,
    policy: Policy | None = None,
    texts: Texts | None = None,
) -> AsyncIterator[Home]:
    storage, clock = await storage_in_memory(), exchange.clock
    try:
        integration = integration_of(mailbox, storage, clock, policy=policy, texts=texts)
        yield Home(exchange, face, clock, storage, integration, protocol)
    finally:
        await storage.close()
