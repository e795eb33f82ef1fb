"""What people do in a run of chaos, and the model of it: what they meant, never what Greenroom did."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from chaos_script import Action
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import locate_tickets
from greenroom.simulator.errors import IrresolvableConflict
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, Person
from greenroom.simulator.recurrence import Daily, Recurrence
from support.whole import ATTENDEE, EQUIPMENT, LATECOMER

ORGANIZERS = tuple(f"organizer{number}@sim.test" for number in range(4))
UNTOUCHABLE = ORGANIZERS[-1:]
"""Greenroom has no right to their mailboxes."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST_TICKET = 100_000_000
_HTML = "<html><body><p>Agenda</p>{}</body></html>"
Times = tuple[datetime, datetime]


@dataclass
class Meeting:
    """What people meant with a meeting.

    `days` are the occurrences of a series by their original day, or the one day of a single meeting. `sendings` counts what the
    equipment mailbox was sent, `told` what the attendee was sent. `ticket` is the alias that its first invitation named for sure.
    `changed` are all days that ever were an exception.
    `kept` is an alias whose ticket stood in the calendar when a database was lost; `lost` counts the losses at which none did.
    """

    name: str
    organizer: str
    key: MeetingKey
    days: dict[int, Times]
    step: int
    invited: bool
    sendings: int
    told: int = 1
    cancelled: bool = False
    ticket: int | None = None
    plain: bool = True
    kept: int | None = None
    lost: int = 0
    deleted: list[Times] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    people: tuple[str, ...] = (ATTENDEE,)

    @property
    def lives(self) -> bool:
        """Whether it shall have a room."""
        return self.invited and not self.cancelled

    @property
    def touchable(self) -> bool:
        """Whether Greenroom may write into it."""
        return self.organizer not in UNTOUCHABLE

    def sent(self) -> None:
        """Note that everybody was sent something."""
        self.sendings += self.invited
        self.told += 1


class People:
    """Everybody at their desks."""

    def __init__(self, exchange: Exchange, ring: KeyRing) -> None:
        self.meetings: list[Meeting] = []
        self._exchange = exchange
        self._ring = ring
        self._midnight = datetime.combine(datetime.now(UTC).date(), time(), UTC)

    # --- what they see --------------------------------------------------------------------------------------------

    def item(self, meeting: Meeting, mailbox: str | None = None) -> CalendarItem | None:
        """The item somebody has of a meeting; by itself the organizer's."""
        wanted = meeting.key.to_bytes()
        for item in self._exchange.items(mailbox or meeting.organizer, "calendar"):
            if isinstance(item, CalendarItem) and item.meeting.clean_goid == wanted:
                return item
        return None

    def tickets(self, item: CalendarItem | None) -> list[int]:
        """Alias numbers of genuine tickets in an item's text."""
        return self.tickets_in("" if item is None else item.body.content)

    def tickets_in(self, text: str) -> list[int]:
        """Alias numbers of genuine tickets in a text, in order, each as often as it stands there."""
        found = [self._ring.verify(place.ticket) for place in locate_tickets(text, self._ring.prefix)]
        return [ticket.number for ticket in found if isinstance(ticket, Ticket)]

    def look_what_survives(self) -> None:
        """Note at the loss of a database which aliases the calendar still tells, and for which meetings none."""
        written = {one.name: self.tickets(self.item(one)) for one in self.meetings}
        for one in self.meetings:
            if one.cancelled:
                continue
            found = self.tickets(self.item(one, EQUIPMENT))[-1:]
            others = [number for name, numbers in written.items() if name != one.name for number in numbers]
            if not found or found[0] in others:
                one.lost += 1
            elif written[one.name][-1:] == found and one.invited:
                one.kept = found[0]

    # --- what they do ---------------------------------------------------------------------------------------------

    def act(self, action: Action) -> bool:
        """Do something, if it is possible now; returns whether it was."""
        if action.what in ("invite", "copy"):
            return self._invite(action)
        wanted = [one for one in self.meetings if not one.cancelled and self._is_possible(one, action.what)]
        if not wanted:
            return False
        getattr(self, "_" + action.what.replace("-", "_"))(wanted[action.which % len(wanted)], action)
        return True

    @staticmethod
    def _is_possible(one: Meeting, what: str) -> bool:
        if what.endswith("-occurrence"):
            return len(one.days) > 1
        return {
            "remove-equipment": one.invited,
            "add-equipment": not one.invited,
            "add-colleague": LATECOMER not in one.people,
        }.get(what, True)

    def _invite(self, action: Action) -> bool:
        number = len(self.meetings)
        organizer = ORGANIZERS[action.which % len(ORGANIZERS)]
        ticket, body = None, _HTML.format("")
        if action.what == "copy":
            originals = [one for one in self.meetings if not one.cancelled]
            if not originals:
                return False
            original = originals[action.which % len(originals)]
            item = self.item(original)
            assert item is not None
            body = item.body.content
            if (
                organizer == original.organizer
            ):  # a series of theirs behind another is the rest of it, and shares its room
                organizer = ORGANIZERS[(ORGANIZERS.index(organizer) + 1) % len(ORGANIZERS)]
            original.ticket = None  # whose it is, is open where both come to Greenroom's sight at once
            original.plain = True
        elif action.how % 3 == 0:
            ticket = FIRST_TICKET + number
            body = _HTML.format(f"<p>Meeting reference: {self._ring.issue(ticket, datetime.now(UTC))}</p>")
        invited = action.how % 5 != 0 or action.what == "copy"
        length, step = (3 + action.how % 4, 1 + action.how % 2) if action.how % 4 == 1 else (1, 1)
        days, times, recurrence = self._planned(action.which, length, step)
        draft: MeetingDraft = {
            "subject": f"Meeting {number}",
            "body": Body(body, "HTML"),
            "start": times[0],
            "end": times[1],
            "start_zone": "UTC",
            "end_zone": "UTC",
            "recurrence": recurrence,
            "attendees": _attendees((ATTENDEE,), equipment=invited),
        }
        item = self._exchange.create_meeting(organizer, draft, "SendToAllAndSaveCopy")
        key = MeetingKey.of_global_object_id(item.meeting.clean_goid)
        one = Meeting(
            f"m{number}", organizer, key, days, step, invited, int(invited), ticket=ticket, plain=ticket is None
        )
        self.meetings.append(one)
        return True

    def _planned(self, which: int, length: int, step: int) -> tuple[dict[int, Times], Times, Recurrence | None]:
        first = 2 + which % 200
        days = {first + n * step: self._noon(first + n * step) for n in range(length)}
        times = days[first]
        rule = Recurrence(Daily(step), times[0].date(), count=length) if length > 1 else None
        return days, times, rule

    def _noon(self, day: int) -> Times:
        start = self._midnight + DAY * day + HOUR * 12
        return start, start + HOUR

    def _change(self, one: Meeting, **draft: Any) -> None:
        """Change a meeting as it is now, and send it; whoever wrote in between comes first."""

        def changed(item: CalendarItem) -> MeetingDraft:
            words = {name: value(item) if callable(value) else value for name, value in draft.items()}
            return MeetingDraft(**words)  # type: ignore[typeddict-item,no-any-return]  # in the words of the draft

        while True:
            item = self.item(one)
            assert item is not None, one.name
            key, wanted = item.change_key, changed(item)
            try:
                self._exchange.update_item(
                    one.organizer,
                    item.id,
                    wanted,
                    change_key=key,
                    resolution="NeverOverwrite",
                    send="SendToAllAndSaveCopy",
                )
            except IrresolvableConflict:
                continue
            return

    def _move(self, one: Meeting, action: Action) -> None:
        item = self.item(one)
        assert item is not None, one.name
        days, times, rule = self._planned(action.how, len(one.days), one.step)
        if times[0] == item.meeting.start:
            days, times, rule = self._planned(action.how + 1, len(one.days), one.step)
        if item.meeting.recurrence is None:
            self._change(one, start=times[0], end=times[1])
        else:
            rule = rule or Recurrence(Daily(one.step), times[0].date(), count=1)
            self._change(one, start=times[0], end=times[1], recurrence=rule)
        one.days, one.deleted = days, []
        one.sent()

    def _rename(self, one: Meeting, _action: Action) -> None:
        self._change(one, subject=lambda item: f"{item.subject}!")
        one.sent()

    def _edit_text(self, one: Meeting, _action: Action) -> None:
        def longer(item: CalendarItem) -> Body:
            return Body(item.body.content.replace("</body>", "<p>more</p></body>"), "HTML")

        self._change(one, body=longer)
        one.sent()

    def _add_colleague(self, one: Meeting, _action: Action) -> None:
        one.people = (*one.people, LATECOMER)
        self._change(one, attendees=_attendees(one.people, equipment=one.invited))
        one.sent()

    def _remove_equipment(self, one: Meeting, _action: Action) -> None:
        self._change(one, attendees=_attendees(one.people, equipment=False))
        one.invited = False
        one.sent()

    def _add_equipment(self, one: Meeting, _action: Action) -> None:
        self._change(one, attendees=_attendees(one.people, equipment=True))
        one.invited = True
        one.sent()

    def _cancel(self, one: Meeting, _action: Action) -> None:
        item = self.item(one)
        assert item is not None, one.name
        self._exchange.cancel_meeting(one.organizer, item.id)
        one.cancelled = True

    def _occurrence(self, one: Meeting, action: Action) -> tuple[CalendarItem, int, datetime]:
        item = self.item(one)
        assert item is not None, one.name
        day = sorted(one.days)[action.how % len(one.days)]
        one.changed.add(day)
        return item, day, self._noon(day)[0]

    def _move_occurrence(self, one: Meeting, action: Action) -> None:
        item, day, original = self._occurrence(one, action)
        start = original + HOUR * (1 + action.how % 7)
        draft: MeetingDraft = {"start": start, "end": start + HOUR}
        self._exchange.update_occurrence(one.organizer, item.id, original, draft, send="SendToAllAndSaveCopy")
        one.days[day] = start, start + HOUR
        one.sent()

    def _rename_occurrence(self, one: Meeting, action: Action) -> None:
        item, _day, original = self._occurrence(one, action)
        draft: MeetingDraft = {"subject": f"{item.subject} ({action.how})"}
        self._exchange.update_occurrence(one.organizer, item.id, original, draft, send="SendToAllAndSaveCopy")
        one.sent()

    def _delete_occurrence(self, one: Meeting, action: Action) -> None:
        item, day, original = self._occurrence(one, action)
        self._exchange.delete_occurrence(one.organizer, item.id, original, send="SendToAllAndSaveCopy")
        one.deleted.append(one.days.pop(day))


def _attendees(people: Sequence[str], *, equipment: bool) -> tuple[Attendee, ...]:
    rooms = [Attendee(Person(EQUIPMENT), "resource")] if equipment else []
    return (*(Attendee(Person(address)) for address in people), *rooms)
