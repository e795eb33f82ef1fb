"""Disasters of whole programs: a mailbox with many meetings, what can happen to it, and a check that all is right in the end.

::

    with struck(tmp_path, protocol) as place:        # Exchange runs, Greenroom does not yet; `pexip="ahead"` adds a Pexip
        place.start()                                # greenroom serve; also after kill() and stop()
        place.invite(40)                             # by place.people in turn; also place.move(names), place.cancel(names)
        place.rests()                                # until passes find nothing more to do
        place.agrees(40)                             # calendar = database = platform, one room each, `greenroom drift` silent
        place.kill()
        before, rooms = place.mails(), place.rooms()
        place.lose_database()
        place.recover()                              # greenroom recover --yes --json; place.command(...), place.told(...)
        assert place.mails() - before == NOBODY      # a Counter of what was mailed, by kind: see `Place.mails`
        assert place.rooms() == rooms                # by mark: alias number, PINs
        place.agrees(40)

    place.clock.set(speed=20)                        # Exchange's and Greenroom's clock, see `support.shown_clock`
    struck(tmp_path, protocol, own_clock=True)       # Greenroom alone runs by place.clock: clocks that are wrong

Meetings are called "meeting 0" and so on and start tomorrow, half an hour after each other. `start` of `invite` changes that.
"""

import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import exchangelib
import httpx2
from exchangelib import items as ews_items

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from support.colleague import HOUR, Colleague
from support.pexip_at_work import SimulatedPexip, Way, simulated_pexip, tables
from support.shown_clock import ShownClock
from support.whole import (
    ATTENDEE,
    EQUIPMENT,
    PASSWORD,
    PEXIP_DOMAIN,
    Program,
    SimulatedExchange,
    Spoken,
    configure,
    eventually,
    free_port,
    listens,
    settings_in,
    simulated_exchange,
    started,
    world,
)

NOBODY: Counter[str] = Counter()
"""Nothing was mailed."""
AGENDA = "<html><body><p>Agenda</p></body></html>"
LONG = 420.0
_PAGES = 8
"""So many join pages are looked at by the check, of those who live and of those who do not."""
_SETTLED = timedelta(minutes=6)
"""`drift` leaves alone what was handled in the last five minutes."""


@dataclass(frozen=True)
class Room:
    """A room as the database has it. What stays the same in a disaster, if all goes well."""

    number: int
    alias: str
    host_pin: str | None
    guest_pin: str | None
    join_id: str = field(compare=False, default="")


@dataclass(frozen=True)
class Shown:
    """A meeting that lives, as a calendar shows it."""

    mark: str
    subject: str
    start: datetime
    response: str
    number: int | None


@dataclass
class Place:
    """The programs, the people, and what happens."""

    folder: Path
    exchange: SimulatedExchange
    protocol: Spoken
    clock: ShownClock
    port: int
    people: list[Colleague]
    pexip: SimulatedPexip | None = None
    pexip_tables: str = ""
    service: str = ""
    more: str = ""
    count: int = 0
    whose: dict[str, Colleague] = field(default_factory=dict)
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    greenroom: Program = field(init=False)

    # --- programs ------------------------------------------------------------------------------------------------

    def configure(self) -> Path:
        """Write the configuration, which commands need too."""
        return configure(
            self.folder,
            self.exchange,
            protocol=self.protocol,
            port=self.port,
            service=self.service,
            more=self.more,
            pexip=self.pexip_tables,
            push=False,
        )

    def start(self) -> None:
        """Start Greenroom, again if it was stopped."""
        line = [*self._greenroom(), "serve", "--config", str(self.configure())]
        log = self.folder / f"greenroom-{len(list(self.folder.glob('greenroom-*.log')))}.log"
        self.greenroom = self._running.enter_context(started(line, log))
        eventually(lambda: listens(self.port) or self.greenroom.process.poll() is not None, seconds=60)
        assert self.greenroom.process.poll() is None, self.greenroom.output()

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.greenroom.process.kill()
        self.greenroom.process.wait()
        self._running.close()

    def stop(self) -> None:
        """End it as an administrator does."""
        self._running.close()

    def command(self, *words: str, ahead: timedelta | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command of Greenroom on its configuration; `ahead` lets it think that it is later."""
        clock = self.clock
        if ahead is not None:
            clock = ShownClock(self.folder / "later.json")
            clock.set(ahead=self.clock() + ahead - datetime.now(UTC))
        line = [*self._greenroom(clock), *words, "--config", str(self.folder / "greenroom.toml")]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=LONG, env=env)

    def told(self, *words: str, code: int = 0, ahead: timedelta | None = None) -> Any:
        """Run a command with `--json`, check its exit code, and return what it says of the only integration."""
        done = self.command(*words, "--json", ahead=ahead)
        assert (done.returncode, bool(done.stdout)) == (code, True), (
            words,
            done.returncode,
            done.stdout[-3000:],
            done.stderr[-3000:],
        )
        said = json.loads(done.stdout)
        return said["integrations"][0] if "integrations" in said else said

    def recover(self, *words: str, code: int = 0) -> Any:
        """Run `greenroom recover --yes`; returns what it says it has done, its plan beside."""
        said = self.told("recover", "--yes", *words, code=code)
        return {"plan": said["counts"], **(said["done"] or {"counts": {}, "mails": 0, "updates": 0})}

    def _greenroom(self, clock: ShownClock | None = None) -> list[str]:
        return [sys.executable, *(clock or self.clock).runs("greenroom")]

    # --- what people do ------------------------------------------------------------------------------------------

    def invite(
        self,
        count: int,
        *,
        start: datetime | None = None,
        every: timedelta = HOUR / 2,
        body: str = AGENDA,
        numbers: Sequence[int] = (),
        shuffled: bool = False,
    ) -> list[str]:
        """Let people invite, each in turn, everybody all at once; `numbers` are those of tickets, as the button writes them."""
        start = start or tomorrow()
        names = [f"meeting {self.count + at}" for at in range(count)]
        drafts: dict[int, list[Any]] = defaultdict(list)
        for at, name in enumerate(names):
            person = (self.count + at) % len(self.people)
            self.whose[name] = self.people[person]
            begins = exchangelib.EWSDateTime.from_datetime(start + at * every)
            drafts[person].append(
                exchangelib.CalendarItem(
                    account=self.people[person].account,
                    folder=self.people[person].account.calendar,
                    subject=name,
                    body=exchangelib.HTMLBody(body + (self.ticket(numbers[at]) if numbers else "")),
                    start=begins,
                    end=begins + HOUR,
                    required_attendees=[ATTENDEE],
                    resources=[EQUIPMENT],
                )
            )
        self.count += count
        for person, items in drafts.items():
            if shuffled:
                random.Random(person).shuffle(items)
            account = self.people[person].account
            made = account.bulk_create(
                account.calendar, items, send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY, chunk_size=50
            )
            assert not [one for one in made if isinstance(one, Exception)]
        return names

    def move(self, names: Iterable[str], by: timedelta = timedelta(minutes=15)) -> None:
        """Let their organizers move meetings and tell everybody."""
        for person, items in self._own(names):
            for item in items:
                item.start, item.end = item.start + by, item.end + by
            done = person.account.bulk_update(
                [(item, ("start", "end")) for item in items],
                send_meeting_invitations_or_cancellations=ews_items.SEND_TO_ALL_AND_SAVE_COPY,
                chunk_size=50,
            )
            assert not [one for one in done if isinstance(one, Exception)]

    def cancel(self, names: Iterable[str]) -> None:
        """Let their organizers cancel meetings."""
        for person, items in self._own(names):
            done = person.account.bulk_delete(
                items,
                delete_type="MoveToDeletedItems",
                send_meeting_cancellations=ews_items.SEND_TO_ALL_AND_SAVE_COPY,
                chunk_size=50,
            )
            assert all(one is True for one in done)

    def ticket(self, number: int, options: int = 0) -> str:
        """Joining instructions with a genuine ticket for an alias number; or with what `options` make of it."""
        return f"<p>Meeting reference: {self._ring().issue(number, self.clock(), options)}</p>"

    def _own(self, names: Iterable[str]) -> list[tuple[Colleague, list[Any]]]:
        wanted = set(names)
        found = []
        for person in self.people:
            if any(self.whose[name] is person for name in wanted):
                items = [item for item in person.account.calendar.all() if item.subject in wanted]
                found.append((person, items))
        assert sum(len(items) for _, items in found) == len(wanted)
        return found

    def refuse(self, person: Colleague) -> None:
        """Let Exchange refuse everybody what is in a person's mailbox, the person too."""
        self.exchange.post("faults", kind="access_denied", mailbox=person.address)

    def mend(self) -> None:
        """End all refusals and faults of Exchange."""
        self.exchange.http.delete(f"{self.exchange.url}/control/faults").raise_for_status()

    # --- what happens to Greenroom -------------------------------------------------------------------------------

    @property
    def database(self) -> Path:
        return self.folder / "greenroom.db"

    def lose_database(self) -> None:
        """Remove its file, with what SQLite keeps beside it."""
        for file in self.folder.glob("greenroom.db*"):
            file.unlink()

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Ask or change the database, past the program."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as file, file:
            return file.execute(statement, values).fetchall()

    # --- what can be seen ----------------------------------------------------------------------------------------

    def mails(self) -> "Counter[str]":
        """Count what was mailed so far, whoever sent it.

        "Accept", "Decline", "Tentative" from the equipment mailbox to organizers; "request" and "cancellation" from organizers, of
        which each attendee gets one (so it counts meetings, not recipients); "other" whatever else the equipment mailbox sent.
        """
        found: Counter[str] = Counter()
        for person in self.people:
            state = self.exchange.state(person.address)
            for item in (*state["inbox"], *state["deleteditems"]):
                if item["from"] == EQUIPMENT and item["class"] != "IPM.Appointment":
                    kind = item["class"].rpartition(".")[2]
                    found[_ANSWERS.get(kind, "other") if ".Resp." in item["class"] else "other"] += 1
        state = self.exchange.state(ATTENDEE)
        for item in (*state["inbox"], *state["deleteditems"]):
            if item["class"].startswith("IPM.Schedule.Meeting."):
                found[_SENT.get(item["class"].rpartition(".")[2], "other")] += 1
        found["other"] += len(state["outbound"])
        return +found

    def answers(self) -> dict[str, list[str]]:
        """What the equipment mailbox answered each organizer: subjects of meetings, in the order in which they came."""
        return {
            person.address: [one["subject"].rpartition(": ")[2] for one in self.exchange.answers(person.address)]
            for person in self.people
        }

    def rooms(self) -> dict[str, Room]:
        """The rooms that live, by mark, as the database has them."""
        rows = self.sql(
            "SELECT mark, alias_number, alias, host_pin, guest_pin, join_id FROM rooms WHERE retired_at IS NULL"
        )
        return {mark: Room(*rest) for mark, *rest in rows}

    def by_name(self) -> dict[str, str]:
        """The marks of the meetings that live in the calendar, by their subjects."""
        return {one.subject: one.mark for one in self.calendar().values()}

    def calendar(self, mailbox: str = EQUIPMENT) -> dict[str, Shown]:
        """The meetings in a mailbox that are neither cancelled nor over, by mark: what a person would see there."""
        ring, now, found = self._ring(), self.clock(), {}
        for item in self.exchange.state(mailbox)["calendar"]:
            if item["cancelled"] or datetime.fromisoformat(item["end"]) <= now:
                continue
            read = [ring.verify(place.ticket) for place in locate_tickets(item["body"], ring.prefix)]
            numbers = [ticket.number for ticket in read if isinstance(ticket, Ticket) and ticket.names_alias]
            response = item["response"]
            if item["is_organizer"]:
                response = next((one["response"] for one in item["attendees"] if one["address"] == EQUIPMENT), "")
            mark = MeetingKey.of_global_object_id(bytes.fromhex(item["key"])).digest
            assert mark not in found, f"{item['subject']} twice in one calendar"
            start = datetime.fromisoformat(item["start"])
            found[mark] = Shown(mark, item["subject"], start, response, numbers[-1] if numbers else None)
        return found

    def _ring(self) -> KeyRing:
        (entry,) = settings_in(self.folder).integration
        return KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})

    # --- the check -----------------------------------------------------------------------------------------------

    def rests(self, seconds: float = LONG, still: float = 4.0) -> None:
        """Wait until nothing waits any more and passes from now on have found nothing to do."""
        end, began = time.monotonic() + seconds, self.clock().replace(tzinfo=None).isoformat(" ")
        before: Any = None
        since = time.monotonic()
        while True:
            assert time.monotonic() < end, (self._busy(), self.greenroom.output()[-3000:])
            assert self.greenroom.process.poll() is None, self.greenroom.output()
            looked, waits, now = self._busy()
            late = self.clock().replace(tzinfo=None).isoformat(" ")  # of a look that a clock ahead has noted
            if waits or looked is None or not began < looked <= late or now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= still:
                return
            time.sleep(0.5)

    def _busy(self) -> tuple[str | None, int, Any]:
        """When the mailbox was looked at, how much waits, and something that changes with whatever is done."""
        try:
            rows = self.sql("SELECT last_success_at, waiting_replies, backlog_total FROM mailboxes")
            looked, replies, backlog = rows[0] if rows else (None, 0, None)
            (again,) = self.sql("SELECT count(*) FROM meetings WHERE retry_at IS NOT NULL OR replying IS NOT NULL")[0]
            done = self.sql(
                "SELECT max(id), (SELECT count(*) FROM rooms), (SELECT max(version) FROM rooms) FROM journal"
            )
        except sqlite3.OperationalError:  # there are no tables yet
            return None, 1, None
        return looked, (replies or 0) + (backlog or 0) + again, done

    def agrees(self, living: int, *, unwritten: Iterable[str] = ()) -> None:
        """Assert that calendar, database and platform, each asked by itself, agree: so many meetings live, each with one room.

        The `unwritten` have no ticket in the calendar: nobody may write there.
        """
        shown = self.calendar()
        assert len(shown) == living
        assert {one.subject for one in shown.values() if one.number is None} == set(unwritten)
        self._people_see(shown)
        self._database_agrees(shown)
        self._platform_agrees(shown)
        drift = self.told("drift", ahead=_SETTLED)
        assert drift["differences"] == [], drift

    def _people_see(self, shown: dict[str, Shown]) -> None:
        """The organizers' own calendars: the same meetings, the same tickets, all accepted."""
        own: dict[str, Shown] = {}
        for person in self.people:
            own |= self.calendar(person.address)
        assert set(own) == set(shown)
        unlike = [
            one.subject
            for mark, one in own.items()
            if (one.start, one.number) != (shown[mark].start, shown[mark].number)
        ]
        assert not unlike, f"organizer and equipment see another start or ticket of {unlike[:5]}"
        assert {one.response for one in own.values()} <= {"Accept"}, Counter(one.response for one in own.values())

    def _database_agrees(self, shown: dict[str, Shown]) -> None:
        rooms = self.rooms()
        assert set(rooms) == set(shown), (
            f"{len(set(rooms) - set(shown))} rooms too many, {len(set(shown) - set(rooms))} too few"
        )
        wrong = {
            one.subject: (one.number, rooms[mark].number)
            for mark, one in shown.items()
            if one.number not in (None, rooms[mark].number)
        }
        assert not wrong, f"ticket and room: {dict(list(wrong.items())[:5])}"
        assert len({room.number for room in rooms.values()}) == len(rooms)
        rows = self.sql("SELECT mark, state, alias_number, span_start FROM meetings WHERE alias_number IS NOT NULL")
        living = {mark: (number, start) for mark, state, number, start in rows if state == "scheduled"}
        assert set(living) == set(shown), f"scheduled: {len(living)}, {Counter(state for _, state, *_ in rows)}"
        for mark, (number, start) in living.items():
            assert number == rooms[mark].number
            assert datetime.fromisoformat(start).replace(tzinfo=UTC) == shown[mark].start

    def _platform_agrees(self, shown: dict[str, Shown]) -> None:
        if self.pexip is None:
            return self._pages_agree(shown)
        rooms = self.rooms()
        there = {one["tag"].removeprefix("greenroom-1-"): one for one in self.pexip.conferences()}
        assert set(there) == set(shown), Counter(len(one["tag"]) for one in there.values())
        assert len(there) == len(self.pexip.conferences()), "two conferences of one meeting"
        for mark, one in there.items():
            assert rooms[mark].alias in {alias["alias"] for alias in one["aliases"]}, one
            assert (one["pin"] or None) == rooms[mark].host_pin
        return None

    def _pages_agree(self, shown: dict[str, Shown]) -> None:
        """The embedded platform is its join pages: some of them are opened, if the service runs."""
        if not hasattr(self, "greenroom") or self.greenroom.process.poll() is not None:
            return
        rows = self.sql("SELECT mark, join_id FROM rooms")
        live = sorted(join for mark, join in rows if mark in shown)[:_PAGES]
        gone = sorted(join for mark, join in rows if mark not in shown)[:_PAGES]
        with httpx2.Client(trust_env=False, timeout=30) as http:
            for join in (*live, *gone):
                state = http.get(f"http://127.0.0.1:{self.port}/j/{join}.json").raise_for_status().json()["state"]
                assert (state in ("too-early", "open", "between")) is (join in live), state


_ANSWERS = {"Pos": "Accept", "Neg": "Decline", "Tent": "Tentative"}
_SENT = {"Request": "request", "Canceled": "cancellation"}


def tomorrow() -> datetime:
    """A full hour, a day from now."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)


@contextlib.contextmanager
def struck(
    folder: Path,
    protocol: Spoken,
    *,
    people: int = 4,
    pexip: Way | None = None,
    rooms: str = "",
    service: str = "",
    more: str = "",
    own_clock: bool = False,
) -> Iterator[Place]:
    """Run Exchange, and Pexip if rooms are there, while the block runs; Greenroom is started by the block.

    With `own_clock` Greenroom alone runs by the clock that can be set, and Exchange by real time.
    """
    clock = ShownClock(folder / "clock.json")
    seed = world()
    addresses = [f"olga-{number}@sim.test" for number in range(people)]
    seed["mailboxes"] += [
        {"address": address, "name": f"Olga {number}", "password": PASSWORD} for number, address in enumerate(addresses)
    ]
    how: dict[str, Any] = {} if own_clock else {"command": clock.runs("greenroom.simulator")}
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(simulated_exchange(folder, seed, **how))
        videos = None if pexip is None else stack.enter_context(simulated_pexip(folder))
        port = free_port()
        told = ""
        if videos is not None and pexip is not None:
            told = tables(videos.url, pexip, rooms=rooms)
            if pexip in ("policy", "both"):
                videos.asks(port)
        staff = [Colleague.at(exchange.ews_url, address) for address in addresses]
        place = Place(folder, exchange, protocol, clock, port, staff, videos, told, service, more)
        place.configure()
        stack.callback(place.stop)
        yield place


__all__ = ["EQUIPMENT", "NOBODY", "PEXIP_DOMAIN", "Place", "Room", "Shown", "struck", "tomorrow"]
