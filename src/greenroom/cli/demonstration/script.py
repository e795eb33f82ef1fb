"""A scripted day: what people do with meetings, and what has to come of it.

Every scene is played against the running world over real Graph or EWS and checked; the first that does not come true ends the day.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2

from greenroom.cli.demonstration.errors import UnlikelyError
from greenroom.cli.demonstration.world import World
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import State
from greenroom.meetings.ticket import KeyRing
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, MeetingResponse, Person
from greenroom.simulator.recurrence import Daily, Recurrence

ADA = "ada@greenroom.example"
BEN = "ben@greenroom.example"
ANSWER_WITHIN = 3.0
_ZONE = "W. Europe Standard Time"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the printed day: when (demo time), what happened, and how long it took in real seconds."""

    at: datetime
    what: str
    seconds: float | None = None


@dataclass(slots=True)
class Day:
    """A day being played. `tell` prints a line at once."""

    world: World
    tell: Callable[[Line], None]
    lines: list[Line] = field(default_factory=list)

    async def play(self) -> None:
        """Play all scenes. Raises UnlikelyError where something did not come true."""
        plain = await self._invites()
        await self._joins(plain)
        await self._moves(plain)
        await self._copies(plain)
        await self._keeps_a_secret()
        await self._is_too_late()
        await self._invents_a_ticket()
        await self._cancels(plain)
        await self._repeats()

    async def _invites(self) -> CalendarItem:
        item = self._compose("Planning", timedelta(days=1), "<html><body><p>Agenda: the move.</p></body></html>")
        seconds = await self._answered(item, accepted=1)
        self._say("Ada invites Ben and the equipment mailbox; the meeting is accepted", seconds)
        if seconds > ANSWER_WITHIN:
            raise UnlikelyError(f"the accept took {seconds:.1f} seconds; {ANSWER_WITHIN:.0f} are promised")
        room = await self.world.room(key_of(item))
        if room is None or f"/j/{room.spec.join_id}" not in self._own(item).body.content:
            raise UnlikelyError("the organizer's meeting carries no joining instructions")
        if "Agenda: the move." not in self._own(item).body.content:
            raise UnlikelyError("the organizer's own text was touched")
        self._say(f"Her meeting now carries joining instructions; the room is {room.spec.alias.name}")
        return item

    async def _joins(self, item: CalendarItem) -> None:
        await self._is(item, "too-early")
        self._say("The join link says: too early, and counts down")
        self.world.clock.set(item.meeting.start - timedelta(minutes=10))
        await self._is(item, "open")
        self._say("Ten minutes before the start the room is open")

    async def _moves(self, item: CalendarItem) -> None:
        start = item.meeting.start + timedelta(days=1)
        self._update(item, {"start": start, "end": start + timedelta(hours=1)})
        seconds = await self._answered(item, accepted=2)
        await self._is(item, "too-early")
        self._say("Ada moves it by a day; it is accepted again, the link stays and waits for the new time", seconds)

    async def _copies(self, item: CalendarItem) -> None:
        first = await self.world.room(key_of(item))
        copy = self._compose("Planning, once more", timedelta(days=3), self._own(item).body.content)
        seconds = await self._answered(copy, accepted=1)
        second = await self.world.room(key_of(copy))
        if first is None or second is None or first.spec.alias == second.spec.alias:
            raise UnlikelyError("the copied meeting shares its room with the first")
        if second.spec.join_id not in self._own(copy).body.content:
            raise UnlikelyError("the copied meeting kept the old instructions only")
        self._say("She copies it to another day; the copy gets a room and instructions of its own", seconds)

    async def _keeps_a_secret(self) -> None:
        item = self._compose("Takeover of Acme", timedelta(days=2), "", sensitivity="Private")
        seconds = await self._answered(item, accepted=1)
        room, record = await self.world.room(key_of(item)), await self.world.record(key_of(item))
        if room is None or record is None or "Acme" in room.spec.name + record.title:
            raise UnlikelyError("a private subject left the calendar")
        self._say("A private meeting gets a room whose name tells nothing", seconds)

    async def _is_too_late(self) -> None:
        item = self._compose("Yesterday", -timedelta(days=1), "")
        seconds = await self._answered(item, declined=1)
        self._say("A meeting in the past is declined, with the reason", seconds)

    async def _invents_a_ticket(self) -> None:
        ticket = _made_up_ticket(self.world.greenroom.integrations[0].ring)
        item = self._compose("Made up", timedelta(days=1), f"<p>Meeting reference: {ticket}</p>")
        seconds = await self._answered(item, declined=1)
        self._say("A ticket that somebody altered is declined, with the reason", seconds)

    async def _cancels(self, item: CalendarItem) -> None:
        self.world.exchange.cancel_meeting(ADA, item.id)

        async def ended() -> bool:
            record = await self.world.record(key_of(item))
            return record is not None and record.state is State.ENDED

        seconds = await self.world.until("the cancelled meeting loses its room", ended)
        await self._is(item, "cancelled")
        self._say("Ada cancels; the room is gone and the link says so", seconds)

    async def _repeats(self) -> None:
        first = (self.world.clock() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
        rule = Recurrence(Daily(1), first.date())
        item = self._compose(
            "Stand-up", first - self.world.clock(), "", recurrence=rule, start_zone=_ZONE, end_zone=_ZONE
        )
        seconds = await self._answered(item, accepted=1)
        self._say(
            "Ada invites to a meeting every day, without an end; the series is accepted and has one room", seconds
        )
        second = first + timedelta(days=1)
        later = second + timedelta(hours=3)
        times: MeetingDraft = {"start": later, "end": later + timedelta(hours=1)}
        self.world.exchange.update_occurrence(ADA, item.id, second, times, send="SendToAllAndSaveCopy")
        seconds = await self._answered(item, accepted=2)
        self._say("She moves the second day's occurrence; just this one is accepted again", seconds)
        await self._is_at(item, first, "open")
        self._say("The first day the room is open")
        await self._is_at(item, second, "between")
        self._say("The second day at the same time it is closed: this occurrence was moved")
        await self._is_at(item, later, "open")
        self._say("Three hours later it is open")

    # --- what people can do -----------------------------------------------------------------------------------------

    def _compose(self, subject: str, ahead: timedelta, body: str, **more: object) -> CalendarItem:
        start = (self.world.clock() + ahead).replace(minute=0, second=0, microsecond=0)
        people = (Attendee(Person(BEN, "Ben Lindqvist")), Attendee(Person(self.world.equipment), "resource"))
        draft = MeetingDraft(
            subject=subject,
            body=Body(body, "HTML"),
            start=start,
            end=start + timedelta(hours=1),
            attendees=people,
        )
        draft.update(more)  # type: ignore[typeddict-item]  # named by the scenes
        return self.world.exchange.create_meeting(ADA, draft, "SendToAllAndSaveCopy")

    def _update(self, item: CalendarItem, draft: MeetingDraft) -> None:
        self.world.exchange.update_item(ADA, item.id, draft, send="SendToAllAndSaveCopy")

    def _own(self, item: CalendarItem) -> CalendarItem:
        own = self.world.exchange.get(ADA, item.id)
        if not isinstance(own, CalendarItem):
            raise UnlikelyError("the organizer's meeting is gone")
        return own

    async def _answered(self, item: CalendarItem, *, accepted: int = 0, declined: int = 0) -> float:
        wanted = ["Accept"] * accepted + ["Decline"] * declined

        async def there() -> bool:
            inbox = self.world.exchange.items(ADA, "inbox")
            answers = [
                message.response
                for message in inbox
                if isinstance(message, MeetingResponse)
                and message.meeting.clean_goid == item.meeting.clean_goid
                and message.author is not None
                and message.author.address == self.world.equipment
            ]
            return answers == wanted

        return await self.world.until(f"{len(wanted)} answers to “{item.subject}”", there)

    async def _page(self, item: CalendarItem, state: str) -> None:
        room = await self.world.room(key_of(item))
        if room is None:
            raise UnlikelyError("the meeting has no room")

        async with httpx2.AsyncClient(trust_env=False) as client:

            async def shows() -> bool:
                answer = await client.get(f"{self.world.address}/j/{room.spec.join_id}.json")
                return answer.status_code == httpx2.codes.OK and answer.json().get("state") == state

            await self.world.until(f"the join page says {state}", shows)

    async def _is_at(self, item: CalendarItem, at: datetime, state: str) -> None:
        self.world.clock.set(at)
        await self._is(item, state)

    async def _is(self, item: CalendarItem, state: str) -> None:
        """Check what becomes of people who want in; the join page's word for it."""
        await self._page(item, state)

    def _say(self, what: str, seconds: float | None = None) -> None:
        line = Line(self.world.clock(), what, seconds)
        self.lines.append(line)
        self.tell(line)


def key_of(item: CalendarItem) -> MeetingKey:
    """The key of an organizer's meeting."""
    return MeetingKey.of_global_object_id(item.meeting.clean_goid)


def _made_up_ticket(ring: KeyRing) -> str:
    """A ticket of ours in all but its MAC: one of another installation would be left alone."""
    genuine = ring.issue(123456789, datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    return genuine[:-1] + ("A" if genuine[-1] != "A" else "B")
