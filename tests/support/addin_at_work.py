"""The add-in with whole programs behind it: `greenroom serve`, a simulated Exchange, those who issue tokens, and an Outlook.

```
with add_in_site(folder, "ews") as site:
    olga = site.person()
    async with site.outlook(browser, kind, olga) as window:
        await window.click_add()
        sent = site.send(olga, await window.item())     # what stands in the form goes out as the organizer's invitation
    await site.takes_its_room(sent)                     # accepted, the room of the text, and nobody is told anything else
```

Pages and API are reached under the kit's https name (`support.outlooks.ORIGIN`), which is also the service's public address.
"""

import asyncio
import contextlib
import json
import re
import secrets
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
from click.testing import CliRunner
from playwright.async_api import Browser, ConsoleMessage

from greenroom.assembly import open_greenroom
from greenroom.cli import main
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from greenroom.settings import Settings
from greenroom.simulator.model import CalendarItem, MeetingDraft, MeetingRequest, MeetingResponse
from greenroom.simulator.recurrence import Daily, Recurrence
from support import planted
from support.addin_forms import draft_of
from support.outlooks import ORIGIN, Generation, Item, NestedAuth, OutlookWindow, User, outlook, outlook_page
from support.pexip_at_work import ADMIN, ADMIN_PASSWORD, SEED, SimulatedPexip, simulated_pexip, tables
from support.simulator import RunningSimulator, running_simulator
from support.tokens import CLIENT, Issuers, issuers_served
from support.whole import (
    ATTENDEE,
    Program,
    Spoken,
    configure,
    eventually,
    free_port,
    listens,
    settings_in,
    started,
    world,
)

T = TypeVar("T")

OFFICE_CLIENT: Final = "bc59ab01-8403-45c6-8796-ac3ef710b3e3"
"""With which Office itself signs in (`legacy_sso`)."""
_PATIENCE = 30.0
_STARTING = 60.0
_FETCHING = re.compile(r"^Failed to load resource: .* \| https://outlook\.test/addin/")
"""What Chromium says of every answer that is an error, and of none: it is the test that made it so."""
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10}")
_OF_OFFICE_JS = (
    re.compile(
        r"^Applying inline style violates .* \| https://appsforoffice\.microsoft\.com/lib/1/hosted/outlook-web-16\.01\.js$"
    ),
    re.compile(r"^Framing 'https://telemetryservice\.firstpartyapps\.oaspapps\.com/"),
    re.compile(r"'https://browser\.pipe\.aria\.microsoft\.com/"),
    re.compile(
        r"^Failed to load resource: .* \| https://appsforoffice\.microsoft\.com/lib/1/hosted/telemetry/oteljs_agave\.js$"
    ),
)
"""What Office.js itself runs into under our policy: its telemetry's frame and beacon, and a style of its own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox, as Exchange, Entra and the mail client know them."""

    name: str
    address: str
    oid: str
    mailbox_id: str

    @property
    def user(self) -> User:
        return User(self.name, self.address)


@dataclass(frozen=True, slots=True)
class Sent:
    """A meeting that was sent: who organizes it, what it said then, and how often guests were told of it."""

    organizer: str
    key: MeetingKey
    body: str
    told: int = 1


@dataclass(frozen=True, slots=True)
class Room:
    """A room as Greenroom remembers it."""

    number: int
    alias: str
    join_id: str
    owner: str


@dataclass
class Site:
    """All programs, and what is seen of them. Everybody who uses one is somebody new (`person`)."""

    folder: Path
    protocol: Spoken
    exchange: RunningSimulator
    issuers: Issuers
    port: int
    pexip: SimulatedPexip | None = None
    greenroom: Program = field(init=False)
    _at_rest: list[Sent] = field(default_factory=list)

    # --- people and their Outlooks ------------------------------------------------------------------------------

    def person(self, name: str = planted.NAME) -> Person:
        """Somebody new, who has a mailbox."""
        address = f"olga-{secrets.token_hex(4)}@sim.test"
        self.exchange.exchange.add_mailbox(address, name)
        return Person(name, address, str(uuid.uuid4()), str(uuid.uuid4()))

    def exchange_token(self, person: Person, **claims: Any) -> str:
        """What Exchange gives the page of this person."""
        context = self.issuers.exchange.context(msexchuid=person.mailbox_id)
        return self.issuers.exchange.token(**{"appctx": json.dumps(context), **claims})

    def entra_token(self, person: Person, **claims: Any) -> str:
        """What Entra gives the page of this person."""
        known = {"oid": person.oid, "preferred_username": person.address, "name": person.name}
        return self.issuers.entra.token(**{**known, **claims})

    @asynccontextmanager
    async def outlook(
        self,
        browser: Browser,
        kind: Generation,
        person: Person,
        *,
        fetches: bool = False,
        **options: Any,
    ) -> AsyncIterator[OutlookWindow]:
        """Open an Outlook of this person with a meeting in its composer; at the end its pages must have complained of nothing.

        `fetches`: the test makes requests fail, of which Chromium tells. Options are those of `support.outlooks.outlook`.
        """
        nested = NestedAuth(lambda: self.entra_token(person), username=person.address, oid=person.oid)
        usual: dict[str, Any] = {
            "server": f"http://127.0.0.1:{self.port}",
            "user": person.user,
            "identity_token": lambda: self.exchange_token(person),
            "access_token": lambda: self.entra_token(person, azp=OFFICE_CLIENT),
            "nested": nested if "NestedAppAuth" in kind.sets else None,
        }
        said: list[str] = []
        async with outlook_page(browser) as page:
            page.context.on("console", lambda message: said.append(_line(message)) if message.type == "error" else None)
            page.context.on("weberror", lambda error: said.append(str(error.error)))
            async with outlook(page, kind, **(usual | options)) as window:
                yield window
                assert not window.foreign, window.foreign
                assert not await window.calls("save"), "the item must never be saved by us"
        ours = [one for one in said if not any(known.search(one) for known in _OF_OFFICE_JS)]
        complaints = [one for one in ours if not (fetches and _FETCHING.match(one))]
        assert not complaints, complaints

    # --- Exchange -----------------------------------------------------------------------------------------------

    def send(self, person: Person, item: Item, *, sender: Person | None = None) -> Sent:
        """Send what stands in a form as this person's new meeting; `sender` is a delegate who does it."""
        store = self.exchange.exchange
        by = None if sender is None else sender.address
        made = store.create_meeting(person.address, draft_of(item), "SendToAllAndSaveCopy", sender=by)
        return self._sent(person, made)

    def update(self, person: Person, sent: Sent, item: Item) -> Sent:
        """Send what stands in the form of a meeting that was sent before."""
        own = self.own(sent)
        draft = draft_of(item)
        self.exchange.exchange.update_item(person.address, own.id, draft, send="SendToAllAndSaveCopy")
        return replace(self._sent(person, self.own(sent)), told=sent.told + 1)

    def series(self, person: Person, item: Item) -> Sent:
        """Send what stands in a form as a series of four weeks."""
        start = datetime.fromisoformat(item["start"])
        rule = Recurrence(Daily(7), start.date(), count=4)
        draft: MeetingDraft = {**draft_of(item), "recurrence": rule}
        return self._sent(person, self.exchange.exchange.create_meeting(person.address, draft, "SendToAllAndSaveCopy"))

    def change_occurrence(self, person: Person, series: Sent, item: Item) -> Sent:
        """Send what stands in the form of the first meeting of a series."""
        draft = draft_of(item)
        own = self.own(series)
        self.exchange.exchange.update_occurrence(
            person.address, own.id, draft["start"], draft, send="SendToAllAndSaveCopy"
        )
        return series

    def own_room(self, person: Person, name: str, *, alias: str, pin: str, guest_pin: str) -> None:
        """Give somebody a permanent room at Pexip."""
        assert self.pexip is not None
        fields = {"name": name, "aliases": [{"alias": alias}], "pin": pin, "guest_pin": guest_pin, "allow_guests": True}
        answer = self.pexip.http.post(
            f"{self.pexip.url}/api/admin/configuration/v1/conference/",
            json=fields | {"primary_owner_email_address": person.address, "service_type": "conference"},
            auth=(ADMIN, ADMIN_PASSWORD),
        )
        assert answer.status_code == httpx2.codes.CREATED, answer.text

    def _sent(self, person: Person, item: CalendarItem) -> Sent:
        key = MeetingKey.of_global_object_id(item.meeting.clean_goid)
        return Sent(person.address, key, item.body.content)

    def own(self, sent: Sent, mailbox: str | None = None) -> CalendarItem:
        """The organizer's (or somebody else's) item of a meeting."""
        items = self.exchange.exchange.items(mailbox or sent.organizer, "calendar")
        goid = sent.key.to_bytes()
        (found,) = (one for one in items if isinstance(one, CalendarItem) and one.meeting.clean_goid == goid)
        return found

    def answers(self, sent: Sent) -> list[str]:
        """What the equipment mailbox has answered the organizer, oldest first."""
        goid, inbox = sent.key.to_bytes(), self.exchange.exchange.items(sent.organizer, "inbox")
        return [one.response for one in inbox if isinstance(one, MeetingResponse) and one.meeting.clean_goid == goid]

    def told(self, sent: Sent, guest: str = ATTENDEE) -> int:
        """How often a guest was told of a meeting: by the invitation, and by each update."""
        goid, inbox = sent.key.to_bytes(), self.exchange.exchange.items(guest, "inbox")
        return sum(isinstance(one, MeetingRequest) and one.meeting.clean_goid == goid for one in inbox)

    # --- Greenroom ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return settings_in(self.folder)

    @property
    def ring(self) -> KeyRing:
        (entry,) = self.settings.integration
        return KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})

    def tickets(self, body: str) -> list[Ticket]:
        """The genuine tickets in a text, in order."""
        ring = self.ring
        found = [ring.verify(place.ticket) for place in locate_tickets(body, ring.prefix)]
        return [one for one in found if isinstance(one, Ticket)]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask Greenroom's database."""
        with contextlib.closing(sqlite3.connect(self.folder / "greenroom.db", timeout=10)) as file:
            return file.execute(query, values).fetchall()

    def room(self, sent: Sent) -> Room | None:
        """The room of a meeting."""
        query = "SELECT alias_number, alias, join_id, owner FROM rooms WHERE mark = ? AND retired_at IS NULL"
        rows = self.rows(query, sent.key.digest)
        return Room(*rows[0]) if rows else None

    def is_held(self, ticket: Ticket) -> bool:
        """Whether somebody's reservation of this ticket still stands."""
        query = "SELECT 1 FROM reservations WHERE number = ? AND deleted_at IS NULL"
        return bool(self.rows(query, ticket.number))

    async def command(self, *words: str) -> str:
        """What a command of Greenroom writes, which must do what it is told."""
        given = [*words, "--config", str(self.folder / "greenroom.toml")]
        done = await asyncio.to_thread(CliRunner().invoke, main, given, env={"NO_COLOR": "1", "COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    # --- what must come true ------------------------------------------------------------------------------------

    async def accepted(self, sent: Sent) -> Room:
        """The meeting is accepted, once, and Greenroom has nothing more to do for it."""
        await soon(lambda: self.answers(sent))
        assert self.answers(sent) == ["Accept"]
        handled = (
            "SELECT 1 FROM meetings WHERE mark = ? AND replied IS NOT NULL AND replying IS NULL AND retry_at IS NULL"
        )
        await soon(lambda: self.rows(handled, sent.key.digest))
        room = self.room(sent)
        assert room is not None
        assert room.owner == sent.organizer
        return room

    async def takes_its_room(self, sent: Sent) -> Room:
        """The meeting gets the room that its text tells of, and its text stays what it was."""
        room = await self.accepted(sent)
        (ticket,) = self.tickets(sent.body)
        assert (ticket.number, ticket.options) == (room.number, 0)
        assert f"{ORIGIN}/j/{room.join_id}" in sent.body
        assert self.own(sent).body.content == sent.body
        assert self.told(sent) == sent.told
        self._at_rest.append(sent)
        return room

    async def keeps_its_promise(self, sent: Sent) -> Room:
        """The promise in the text is replaced by the way into a room, in one update."""
        room = await self.accepted(sent)
        await soon(lambda: self.own(sent).body.content != sent.body)
        body = self.own(sent).body.content
        (ticket,) = self.tickets(body)
        assert (ticket.number, ticket.options) == (room.number, 0)
        assert f"{ORIGIN}/j/{room.join_id}" in body
        await soon(lambda: self.told(sent) > sent.told)
        again = Sent(sent.organizer, sent.key, body, sent.told + 1)
        assert self.told(again) == again.told
        self._at_rest.append(again)
        return room

    def check_rest(self) -> None:
        """Nothing came later: no second answer, and no further update."""
        for sent in self._at_rest:
            assert self.answers(sent) == ["Accept"]
            assert self.told(sent) == sent.told
            assert self.own(sent).body.content == sent.body


async def soon(fact: Callable[[], T], seconds: float = _PATIENCE) -> T:
    """Wait until something is true (or holds something), and return it; the browser goes on meanwhile."""
    end = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.05)
    return found


def _line(message: ConsoleMessage) -> str:
    return f"{message.text} | {message.location.get('url', '')}"


@contextlib.contextmanager
def add_in_site(folder: Path, protocol: Spoken, *, with_pexip: bool = False) -> Iterator[Site]:
    """Run all programs while the block runs; with `with_pexip` rooms are on a simulated Pexip, where people have their own."""
    with prepared_site(folder, protocol, with_pexip=with_pexip) as site:
        command = [sys.executable, "-m", "greenroom", "serve", "--config", str(folder / "greenroom.toml")]
        with started(command, folder / "greenroom.log") as greenroom:
            site.greenroom = greenroom
            eventually(lambda: listens(site.port) or greenroom.process.poll() is not None, seconds=_STARTING)
            assert greenroom.process.poll() is None, greenroom.output()
            yield site
            site.check_rest()
        log = greenroom.output()
        assert "Traceback" not in log
        assert planted.found_in(log) == []
        assert not _TOKEN.search(log), "a token stands in the log"


@contextlib.contextmanager
def prepared_site(folder: Path, protocol: Spoken, *, with_pexip: bool = False) -> Iterator[Site]:
    """Run all but Greenroom, whose configuration is written."""
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(running_simulator(world()))
        issuers = stack.enter_context(issuers_served(public_url=ORIGIN))
        pexip = stack.enter_context(simulated_pexip(folder, seed=SEED)) if with_pexip else None
        site = Site(folder, protocol, exchange, issuers, free_port(), pexip)
        configure(
            folder,
            exchange,
            protocol=protocol,
            port=site.port,
            push=protocol == "ews",
            public_url=ORIGIN,
            more=_addin(issuers, personal=with_pexip),
            pexip=tables(pexip.url, "ahead") if pexip else "",
        )
        yield site


@asynccontextmanager
async def greenroom_here(site: Site) -> AsyncIterator[None]:
    """Let this process be Greenroom while the block runs: nothing has to be started."""
    ready, stop = asyncio.Event(), asyncio.Event()
    async with open_greenroom(site.settings) as greenroom:
        running = asyncio.create_task(greenroom.run(stop, on_ready=lambda _: ready.set()))
        try:
            await asyncio.wait_for(ready.wait(), _STARTING)
            yield
            site.check_rest()
        finally:
            stop.set()
            await running


def _addin(issuers: Issuers, *, personal: bool) -> str:
    return f"""
[integration.addin]
mailbox_name = "Meeting room, virtual"
send_check = "ask"

[integration.addin.entra]
tenants = ["{issuers.entra.tenant}"]
client_id = "{CLIENT}"
login_url = "{issuers.root}"
legacy_sso = true
application_id_uri = "api://{ORIGIN.removeprefix("https://")}/{CLIENT}"
more_clients = ["{OFFICE_CLIENT}"]

[integration.addin.exchange_tokens]
metadata_urls = ["{issuers.exchange.metadata_url}"]
{"[integration.addin.personal_rooms]" if personal else ""}
"""
