"""SIGKILL between any two steps of a pass, and after every call that Exchange has carried out: then a restart.

In the end there is one room and one reply per meeting.

The program is the real one, in processes that really die. Each day has a Greenroom, a database and a mailbox of its own, all
on one simulator. The morning brings four invitations, the afternoon moves one meeting and cancels another; the program dies
once in each, and is started again.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, MeetingResponse, Person
from greenroom.storage import Storage, StoredRoom
from support.simulator import RunningSimulator, running_simulator
from support.whole import Processing, Spoken, configure, settings_in, world
from support.windows import starts

NURSERY = Path(__file__).parents[1] / "support" / "run_greenroom.py"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + DAY
NUMBER = 123456789
House = tuple[Spoken, Processing]
STEPS: dict[House, int] = {("ews", "auto_update"): 18, ("ews", "none"): 30, ("graph", "auto_update"): 20}
CALLS: dict[House, int] = {("ews", "auto_update"): 22, ("ews", "none"): 22, ("graph", "auto_update"): 22}
"""No morning has more steps and calls before the work is done; a test below says so."""

Death = tuple[House, str, int]
EVERY: dict[Spoken, int] = {"ews": 19, "graph": 23}
"""Each nineteenth, or twenty-third, death is tried each time; the others are slow in their number only."""
DEATHS: list[Death] = [
    *((house, "step", number) for house, most in STEPS.items() for number in range(1, most + 1)),
    *((house, "call", number) for house, most in CALLS.items() for number in range(1, most + 1)),
]
SOME = [
    death
    for protocol, each in EVERY.items()
    for death in [death for death in DEATHS if death[0][0] == protocol][::each]
]


@dataclass
class Nursery:
    """Starts Greenrooms and tells how they ended."""

    process: subprocess.Popen[str]

    def live(self, folder: Path, at: str | None = None, die_at: int = 0) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"config": str(folder / "greenroom.toml"), "at": at, "die_at": die_at}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        ended: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert ended["killed"] or ended["code"] == 0, (folder / "greenroom.log").read_text(encoding="utf-8")
        return ended

    def live_through(self, folder: Path, at: str, die_at: int) -> None:
        """Die at a step or call, if there are so many, and come back to bring the rest about."""
        if self.live(folder, at, die_at)["killed"]:
            self.live(folder)


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator({**world(), "mailboxes": []}) as running:
        yield running


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, str(NURSERY)]
    env = {**os.environ, "PYTHONPATH": str(NURSERY.parents[1])}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Day:
    """One equipment mailbox with its organizer and Greenroom, and what people do."""

    simulator: RunningSimulator
    folder: Path
    name: str
    keys: dict[str, MeetingKey] = field(default_factory=dict)

    @property
    def equipment(self) -> str:
        return f"vmr-{self.name}@sim.test"

    @property
    def organizer(self) -> str:
        return f"olga-{self.name}@sim.test"

    def begin(self, house: House) -> None:
        protocol, processing = house
        exchange = self.simulator.exchange
        exchange.add_mailbox(self.organizer, "Olga Organizer")
        exchange.add_mailbox(self.equipment, "Meeting room", kind="equipment", processing=processing)
        configure(self.folder, self.simulator, protocol=protocol, mailboxes=[self.equipment], push=False)

    def ring(self) -> KeyRing:
        (entry,) = settings_in(self.folder).integration
        return KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})

    def morning(self) -> None:
        ticket = f"<p>Meeting reference: {self.ring().issue(NUMBER, TOMORROW - DAY)}</p>"
        self._invite("ticketed", TOMORROW, ticket)
        self._invite("plain", TOMORROW + DAY, "<p>Agenda</p>")
        self._invite("past", TOMORROW - 3 * DAY, "<p>Agenda</p>")
        self._invite("copy", TOMORROW + 2 * DAY, ticket)

    def afternoon(self) -> None:
        start = TOMORROW + 5 * DAY
        moved: MeetingDraft = {"start": start, "end": start + HOUR}
        exchange = self.simulator.exchange
        exchange.update_item(self.organizer, self.own("plain").id, moved, send="SendToAllAndSaveCopy")
        exchange.cancel_meeting(self.organizer, self.own("ticketed").id)

    def _invite(self, name: str, start: datetime, body: str) -> None:
        draft: MeetingDraft = {
            "subject": name,
            "body": Body(f"<html><body>{body}</body></html>", "HTML"),
            "start": start,
            "end": start + HOUR,
            "attendees": (Attendee(Person(self.equipment, "Meeting room"), "resource"),),
        }
        item = self.simulator.exchange.create_meeting(self.organizer, draft, "SendToAllAndSaveCopy")
        self.keys[name] = MeetingKey.of_global_object_id(item.meeting.clean_goid)

    def own(self, name: str) -> CalendarItem:
        """The organizer's own item."""
        for item in self.simulator.exchange.items(self.organizer, "calendar"):
            if isinstance(item, CalendarItem) and item.meeting.clean_goid == self.keys[name].to_bytes():
                return item
        raise LookupError(name)

    def replies(self, name: str) -> list[str]:
        """What the organizer was answered about a meeting, oldest first."""
        inbox = self.simulator.exchange.items(self.organizer, "inbox")
        mine = self.keys[name].to_bytes()
        return [i.response for i in inbox if isinstance(i, MeetingResponse) and i.meeting.clean_goid == mine]

    async def rooms(self) -> dict[str, StoredRoom | None]:
        async with self._storage() as storage, storage.reading() as work:
            return {name: await work.rooms.by_mark(1, key.digest) for name, key in self.keys.items()}

    @asynccontextmanager
    async def _storage(self) -> AsyncIterator[Storage]:
        storage = Storage.open(settings_in(self.folder).storage.url.get_secret_value())
        try:
            yield storage
        finally:
            await storage.close()

    async def check_morning(self) -> None:
        assert {name: self.replies(name) for name in self.keys} == {
            "ticketed": ["Accept"],
            "plain": ["Accept"],
            "past": ["Decline"],
            "copy": ["Accept"],
        }
        assert await self._living() == {"ticketed", "plain", "copy"}

    async def check_evening(self) -> None:
        assert {name: self.replies(name) for name in self.keys} == {
            "ticketed": ["Accept"],
            "plain": ["Accept", "Accept"],
            "past": ["Decline"],
            "copy": ["Accept"],
        }
        assert await self._living() == {"plain", "copy"}
        rooms = await self.rooms()
        for name in ("plain", "copy"):
            room = rooms[name]
            assert room is not None
            assert starts(room.spec) == self.own(name).meeting.start
            assert self._instructions(name, room) == 1

    async def _living(self) -> set[str]:
        rooms = await self.rooms()
        numbers = [room.spec.alias.number for room in rooms.values() if room is not None]
        assert len(numbers) == len(set(numbers)) == 3
        assert rooms["ticketed"] is None or rooms["ticketed"].spec.alias.number == NUMBER
        return {name for name, room in rooms.items() if room is not None and room.retired_at is None}

    def _instructions(self, name: str, room: StoredRoom) -> int:
        """How many blocks of instructions for its own room the organizer's meeting carries; no other comes behind."""
        ring = self.ring()
        tickets = [ring.verify(found.ticket) for found in locate_tickets(self.own(name).body.content, ring.prefix)]
        mine = [t for t in tickets if isinstance(t, Ticket) and t.number == room.spec.alias.number]
        assert mine
        assert tickets[-1] == mine[-1]
        return len(mine)


def new_day(simulator: RunningSimulator, parent: Path, name: str) -> Day:
    folder = parent / name
    folder.mkdir()
    return Day(simulator, folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("house", STEPS, ids="-".join)
async def test_a_day_without_a_death_has_no_more_steps_and_calls_than_are_tried(
    simulator: RunningSimulator, nursery: Nursery, tmp_path: Path, house: House
) -> None:
    day = new_day(simulator, tmp_path, f"alive-{'-'.join(house)}")
    day.begin(house)
    day.morning()
    morning = nursery.live(day.folder)
    await day.check_morning()
    day.afternoon()
    afternoon = nursery.live(day.folder)
    await day.check_evening()
    for lived in (morning, afternoon):
        assert 8 < len(lived["steps"]) <= STEPS[house], lived
        assert 4 < lived["calls"] <= CALLS[house], lived
    every = {"weighed", "room", "rooms", "instructions", "intent", "replies", "answered", "cursor"}
    assert every <= set(morning["steps"])


async def live_a_day(nursery: Nursery, simulator: RunningSimulator, parent: Path, death: Death) -> None:
    house, at, die_at = death
    day = new_day(simulator, parent, _name(death))
    day.begin(house)
    day.morning()
    nursery.live_through(day.folder, at, die_at)
    await day.check_morning()
    day.afternoon()
    nursery.live_through(day.folder, at, die_at)
    await day.check_evening()


def _name(death: Death) -> str:
    house, at, die_at = death
    return f"{'-'.join(house)}-{at}-{die_at}"


@pytest.mark.parametrize("death", SOME, ids=_name)
async def test_dying_leaves_one_room_and_one_reply_per_meeting(
    simulator: RunningSimulator, nursery: Nursery, tmp_path: Path, death: Death
) -> None:
    await live_a_day(nursery, simulator, tmp_path, death)


@pytest.mark.slow
@pytest.mark.parametrize("death", [death for death in DEATHS if death not in SOME], ids=_name)
async def test_dying_anywhere_else_leaves_one_room_and_one_reply_per_meeting(
    simulator: RunningSimulator, nursery: Nursery, tmp_path: Path, death: Death
) -> None:
    await live_a_day(nursery, simulator, tmp_path, death)
