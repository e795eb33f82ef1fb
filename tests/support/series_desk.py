"""What people do with series at their desks and what they see of them; and what Greenroom keeps in its database."""

import asyncio
import json
import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx2
from click.testing import CliRunner

from greenroom.cli import main
from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.reply import Outcome
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from greenroom.scheduler.waiting import MARKED
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.goid import occurrence_date
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    MeetingDraft,
    MeetingResponse,
    Person,
    SendInvitations,
)
from greenroom.simulator.occurrence_items import exception_on
from greenroom.simulator.occurrences import occurrences_within, original_day
from greenroom.simulator.recurrence import Recurrence
from greenroom.storage import Storage, StoredRoom
from support import planted
from support.whole import ATTENDEE, Spoken, settings_in

T = TypeVar("T")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
WINDOWS = "W. Europe Standard Time"
AGENDA = f"<html><body><p>{planted.TEXT}</p></body></html>"
_MOST = 400


def at(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, zone: tzinfo = STOCKHOLM, fold: int = 0
) -> datetime:
    """A time on the wall of a zone, in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


@dataclass(frozen=True)
class Standing:
    """Where Greenroom is: all it has done, what it still has to do soon, and when each mailbox was last looked at."""

    done: tuple[object, ...]
    waiting: tuple[str, ...]
    passes: dict[str, datetime | None]


class Greenroom:
    """The running Greenroom from outside: its database, its pages, its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings_in(folder)
        self._http = httpx2.Client(base_url=str(self.settings.service.public_url), timeout=30, trust_env=False)
        self._runner = asyncio.Runner()
        self._storage = Storage.open(self.settings.storage.url.get_secret_value())

    def close(self) -> None:
        self._http.close()
        self.ask(self._storage.close())
        self._runner.close()

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(question)

    def state(self, soon: timedelta) -> Standing:
        return self.ask(self._state(soon))

    async def _state(self, soon: timedelta) -> Standing:
        until = datetime.now(UTC) + soon
        async with self._storage.reading() as work:
            records = await work.meetings.search(limit=10_000)
            mailboxes = await work.mailboxes.all()
        waiting = [f"{one.correlation_id} {one.reason}" for one in records if one.retry_at and one.retry_at < until]
        waiting += [f"{one.waiting_replies} replies" for one in mailboxes if one.waiting_replies]
        done = tuple((one.key, one.updated_at, one.seen, one.replied, one.room, one.retry_at) for one in records)
        return Standing(done, tuple(waiting), {one.address: one.last_success_at for one in mailboxes})

    def record(self, number: int, key: MeetingKey) -> Record | None:
        async def ask() -> Record | None:
            async with self._storage.reading() as work:
                return (await work.meetings.by_keys(number, [key])).get(key)

        return self.ask(ask())

    def family(self, number: int, key: MeetingKey) -> list[Record]:
        """The records of a series and of its single occurrences."""

        async def ask() -> list[Record]:
            async with self._storage.reading() as work:
                return await work.meetings.kin(number, [key])

        return self.ask(ask())

    def journal(self, number: int, keys: Sequence[MeetingKey]) -> list[JournalEntry]:
        async def ask() -> list[JournalEntry]:
            async with self._storage.reading() as work:
                found = [await work.journal.of_meeting(number, key) for key in keys]
            return sorted((entry for lines in found for entry in lines), key=lambda entry: entry.at)

        return self.ask(ask())

    def room(self, number: int, mark: str) -> StoredRoom | None:
        async def ask() -> StoredRoom | None:
            async with self._storage.reading() as work:
                return await work.rooms.by_mark(number, mark)

        return self.ask(ask())

    def page(self, join_id: str) -> dict[str, Any]:
        """What the join page tells programs."""
        return dict(self._http.get(f"/j/{join_id}.json").raise_for_status().json())

    def command(self, *words: str) -> Any:
        """What a command of Greenroom says in JSON."""
        config = str(self.folder / "greenroom.toml")
        told = CliRunner().invoke(main, [*words, "--config", config, "--json"])
        assert told.exit_code == 0, f"exit code {told.exit_code}"
        return json.loads(told.stdout)


@dataclass
class Desk:
    """An organizer, a colleague who may organize too, and the equipment mailbox that both invite."""

    exchange: Exchange = field(repr=False)
    greenroom: Greenroom = field(repr=False)
    protocol: Spoken
    number: int
    equipment: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(second=0, microsecond=0))
    """About now, when the life began: to the minute."""

    @property
    def olga(self) -> str:
        return f"olga-{self.number}@sim.test"

    @property
    def other(self) -> str:
        """The other organizer."""
        return f"other-{self.number}@sim.test"

    @property
    def guest(self) -> str:
        """An organizer in another organisation."""
        return f"guest-{self.number}@elsewhere.test"

    @property
    def integration(self) -> int:
        return int(self.equipment.removeprefix("vmr-").partition("@")[0])

    @cached_property
    def ring(self) -> KeyRing:
        entry = next(one for one in self.greenroom.settings.integration if one.number == self.integration)
        return KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})

    @property
    def room(self) -> Attendee:
        """The equipment mailbox, invited."""
        return Attendee(Person(self.equipment), "resource")

    def invite(
        self,
        start: datetime,
        recurrence: Recurrence | None = None,
        *,
        length: timedelta = HOUR,
        zone: str | None = WINDOWS,
        body: str = AGENDA,
        equipment: bool = True,
        organizer: str = "",
        send: bool = True,
        sender: str | None = None,
        **more: Any,
    ) -> "Meeting":
        """Plan a meeting and invite a colleague and the equipment mailbox; without `equipment` the colleague alone.

        `sender` is the delegate who does it.
        """
        draft: MeetingDraft = {
            "subject": planted.SUBJECT,
            "body": Body(body, "HTML"),
            "location": planted.LOCATION,
            "start": start,
            "end": start + length,
            "start_zone": zone,
            "end_zone": zone,
            "attendees": (Attendee(Person(ATTENDEE)), *((self.room,) if equipment else ())),
            "recurrence": recurrence,
            **more,  # type: ignore[typeddict-item]  # a case says what it wants in the words of the draft
        }
        owner = organizer or self.olga
        sends: SendInvitations = "SendToAllAndSaveCopy" if send else "SendToNone"
        item = self.exchange.create_meeting(owner, draft, sends, sender=sender)
        return Meeting(self, owner, item.id, MeetingKey.of_global_object_id(item.meeting.clean_goid))

    def deliver(self, ics: str) -> "Meeting":
        """An invitation comes in from elsewhere, as a file that a mail server gets."""
        lines = ics.strip().replace("\n", "\r\n") + "\r\n"
        told = self.exchange.deliver_ics(self.equipment, lines.encode())
        return Meeting(self, self.guest, "", MeetingKey.of_uid(told.uid))

    def ticketed(self, number: int) -> str:
        """A text with a genuine ticket, as the button writes it."""
        ticket = self.ring.issue(100_000_000 + number, self.now)
        return f"<html><body><p>{planted.TEXT}</p><p>Meeting reference: {ticket}</p></body></html>"

    def tickets_in(self, text: str) -> list[int]:
        """Alias numbers of the genuine tickets in a text."""
        found = [self.ring.verify(place.ticket) for place in locate_tickets(text, self.ring.prefix)]
        return [ticket.number for ticket in found if isinstance(ticket, Ticket)]


@dataclass
class Meeting:
    """A meeting or a series: what its organizer does with it and sees of it. Occurrences are named by their original start."""

    desk: Desk = field(repr=False)
    organizer: str
    id: str
    key: MeetingKey

    # --- what the organizer does ----------------------------------------------------------------------------------

    @property
    def _exchange(self) -> Exchange:
        return self.desk.exchange

    def change(self, **draft: Any) -> None:
        """Change the whole and send the update."""
        changes = MeetingDraft(**draft)  # type: ignore[typeddict-item]  # as in `invite`
        self._exchange.update_item(self.organizer, self.id, changes, send="SendToAllAndSaveCopy")

    def change_one(self, original: datetime, **draft: Any) -> None:
        """Change one occurrence and send the update."""
        changes = MeetingDraft(**draft)  # type: ignore[typeddict-item]  # as in `invite`
        self._exchange.update_occurrence(self.organizer, self.id, original, changes, send="SendToAllAndSaveCopy")

    def move(self, original: datetime, to: datetime, length: timedelta = HOUR) -> None:
        """Move one occurrence."""
        self.change_one(original, start=to, end=to + length)

    def cancel(self) -> None:
        self._exchange.cancel_meeting(self.organizer, self.id)

    def cancel_one(self, original: datetime) -> None:
        self._exchange.cancel_occurrence(self.organizer, self.id, original)

    def invite_room(self, original: datetime | None = None, *, body: str = "") -> None:
        """Invite the equipment mailbox too: to all of it, or to one occurrence (whose text may be another one)."""
        people = self.own.meeting.attendees
        changes: dict[str, Any] = {"attendees": (*people, self.desk.room)}
        if body:
            changes["body"] = Body(body, "HTML")
        if original is None:
            self.change(**changes)
        else:
            self.change_one(original, **changes)

    def take_room_out(self, original: datetime | None = None) -> None:
        """Take the equipment mailbox out of it, or of one occurrence."""
        room = [Person(self.desk.equipment)]
        self._exchange.uninvite(self.organizer, self.id, room, original_start=original)

    def split(self, original: datetime, *, new_first: bool = False, **draft: Any) -> "Meeting":
        """Change "this and all following": what comes of it is another series."""
        changes = MeetingDraft(**draft)  # type: ignore[typeddict-item]  # as in `invite`
        item = self._exchange.split_series(self.organizer, self.id, original, changes, new_first=new_first)
        return Meeting(self.desk, self.organizer, item.id, MeetingKey.of_global_object_id(item.meeting.clean_goid))

    # --- what people see ------------------------------------------------------------------------------------------

    @property
    def own(self) -> CalendarItem:
        """The organizer's own item."""
        item = self._exchange.get(self.organizer, self.id)
        assert isinstance(item, CalendarItem)
        return item

    @property
    def copies(self) -> list[CalendarItem]:
        """What the equipment mailbox has of it in its calendar."""
        items = self._exchange.items(self.desk.equipment, "calendar")
        clean = self.key.to_bytes()
        return [one for one in items if isinstance(one, CalendarItem) and one.meeting.clean_goid == clean]

    @property
    def tracked(self) -> str:
        """The equipment's answer as the organizer's own item shows it."""
        people = self.own.meeting.attendees
        return next((one.response for one in people if one.person.address == self.desk.equipment), "")

    @property
    def _heard(self) -> list[tuple[bool, date | None]]:
        inbox = self._exchange.items(self.organizer, "inbox")
        clean = self.key.to_bytes()
        found = [one for one in inbox if isinstance(one, MeetingResponse) and one.meeting.clean_goid == clean]
        return [(one.response == "Accept", occurrence_date(one.meeting.goid)) for one in found]

    @property
    def _mailed(self) -> list[tuple[bool, date | None]]:
        """The same where the organizer is elsewhere: what left for there."""
        mails = [one for one in self._exchange.outbound if one.recipient == self.organizer and one.ics is not None]
        events = [str(one.ics.decode()) for one in mails if one.ics is not None]
        days = [re.search(r"RECURRENCE-ID[^:]*:(\d{8})", text) for text in events]
        return [
            ("PARTSTAT=ACCEPTED" in text, None if day is None else datetime.strptime(day[1], "%Y%m%d").date())  # noqa: DTZ007  a day
            for text, day in zip(events, days, strict=True)
        ]

    @property
    def replies(self) -> list[str]:
        """What the organizer was answered, oldest first, with the day of the occurrence where it is about one alone.

        The journal names the answers; it has to have as many of them as lie in the Inbox, and of the same kind.
        """
        family = [self.key.clean, *(one.key for one in self.desk.greenroom.family(self.desk.integration, self.key))]
        lines = self.desk.greenroom.journal(self.desk.integration, list(dict.fromkeys(family)))
        outcomes = {outcome.value: outcome for outcome in Outcome}
        said = [
            line.code for line in lines if line.step == "replied" and line.code in outcomes and line.detail != MARKED
        ]
        heard = self._heard if self.id else self._mailed
        assert [accepts for accepts, _ in heard] == [outcomes[code].accepts for code in said]
        return [
            code.replace("_", " ") + ("" if day is None else f" {day}")
            for code, (_, day) in zip(said, heard, strict=True)
        ]

    @property
    def tickets(self) -> list[int]:
        """Alias numbers of the tickets in the organizer's own text of the whole."""
        return self.desk.tickets_in(self.own.body.content)

    def tickets_on(self, original: datetime) -> list[int]:
        """The same of one occurrence, as somebody reads it who opens it."""
        own = self.own
        change = exception_on(own.meeting, original)
        body = own.body if change is None or change.body is None else change.body
        return self.desk.tickets_in(body.content)

    # --- what Greenroom has of it -----------------------------------------------------------------------------------

    def on(self, original: datetime) -> "Meeting":
        """One occurrence as a meeting of its own, to which the equipment was invited alone."""
        own = self.own.meeting
        return Meeting(self.desk, self.organizer, self.id, self.key.on(original_day(own, original)))

    @property
    def record(self) -> Record:
        found = self.desk.greenroom.record(self.desk.integration, self.key)
        assert found is not None, "Greenroom does not know this meeting"
        return found

    @property
    def is_known(self) -> bool:
        return self.desk.greenroom.record(self.desk.integration, self.key) is not None

    @property
    def alias(self) -> int:
        number = self.record.alias_number
        assert number is not None
        return number

    @property
    def state(self) -> str:
        return self.record.state.value

    @property
    def reason(self) -> str:
        return self.record.reason

    @property
    def room(self) -> StoredRoom:
        found = self.desk.greenroom.room(self.desk.integration, self.record.mark)
        assert found is not None, "there is no room"
        return found

    @property
    def admission(self) -> Admission:
        return self.room.spec.admission

    @property
    def page(self) -> dict[str, Any]:
        """What the join page tells now."""
        return self.desk.greenroom.page(self.room.spec.join_id)

    def is_open(self, instant: datetime) -> bool:
        """Whether the room lets people in at this instant, as it is stored now."""
        room = self.room
        return room.retired_at is None and room.spec.admission.is_open(instant)

    def times(self, since: datetime, until: datetime, zone: tzinfo = STOCKHOLM) -> list[str]:
        """The occurrences for which the room is open, on the wall of a zone: "2031-03-30 09:00-10:00"."""
        room = self.room
        if room.retired_at is not None:
            return []
        found: set[tuple[datetime, datetime]] = set()
        for times in room.spec.admission.times:
            if isinstance(times, Once):
                found |= {(times.start, times.end or times.start)} if since <= times.start < until else set()
            else:
                found |= {(one.start, one.end) for one in times.occurrences.between(since, until)}
        return [_on_the_wall(start, end, zone) for start, end in sorted(found)]

    def shown(self, since: datetime, until: datetime, zone: tzinfo = STOCKHOLM) -> list[str]:
        """The occurrences that Exchange counts in the equipment's calendar, likewise."""
        found: list[str] = []
        for copy in self.copies:
            of_it = occurrences_within(copy.meeting, since, until) if copy.meeting.is_series else [copy.meeting]
            found += [_on_the_wall(one.start, one.end, zone) for one in of_it if not copy.meeting.is_cancelled]
        return sorted(found)


def _on_the_wall(start: datetime, end: datetime, zone: tzinfo) -> str:
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    finish = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%m-%d %H:%M}"
    return f"{begins:%Y-%m-%d %H:%M}-{finish}"
