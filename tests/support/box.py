"""A small simulated organisation for the tests of the store: a few people, three equipment mailboxes, a clock to set."""

from datetime import UTC, datetime, timedelta

from greenroom.simulator import Exchange
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    Item,
    MeetingDraft,
    MeetingRequest,
    Person,
    Role,
    SendInvitations,
)

ANN, BOB = "ann@box.test", "bob@box.test"
NONE, AUTO, ACCEPT = "none@box.test", "auto@box.test", "accept@box.test"
OUTSIDE, GHOST = "eve@elsewhere.test", "ghost@box.test"
START = datetime(2026, 12, 2, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Box:
    """The organisation and its clock (`now`)."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
        self.exchange = Exchange(lambda: self.now)
        self.exchange.add_mailbox(ANN, "Ann Archer", "ann-pw", aliases=["a.archer@box.test"], x500="/o=Box/cn=ann")
        self.exchange.add_mailbox(BOB, "Bob Baker", "bob-pw")
        self.exchange.add_mailbox(NONE, "Room None", kind="equipment", processing="none")
        self.exchange.add_mailbox(AUTO, "Room Auto", kind="equipment", processing="auto_update")
        self.exchange.add_mailbox(ACCEPT, "Room Accept", kind="equipment", processing="auto_accept")

    def later(self, by: timedelta = MINUTE) -> None:
        self.now += by

    def invite(
        self,
        *addresses: str,
        send: SendInvitations = "SendToAllAndSaveCopy",
        draft: MeetingDraft | None = None,
    ) -> CalendarItem:
        """Ann invites these addresses to a meeting of one hour."""
        base: MeetingDraft = {
            "subject": "Plan",
            "body": Body("<p>Agenda</p>", "HTML"),
            "start": START,
            "end": START + HOUR,
            "attendees": attendees(*addresses),
        }
        return self.exchange.create_meeting(ANN, {**base, **(draft or {})}, send)

    def copy(self, address: str) -> CalendarItem:
        """The only entry of somebody's calendar."""
        (item,) = self.exchange.items(address, "calendar")
        assert isinstance(item, CalendarItem)
        return item

    def inbox(self, address: str) -> list[Item]:
        return self.exchange.items(address, "inbox")

    def request(self, address: str) -> MeetingRequest:
        """The newest request in somebody's Inbox."""
        return [item for item in self.inbox(address) if isinstance(item, MeetingRequest)][-1]

    def tracking(self, item: CalendarItem) -> dict[str, str]:
        return {one.person.address: one.response for one in item.meeting.attendees}


def attendees(*addresses: str, role: Role = "required") -> tuple[Attendee, ...]:
    return tuple(Attendee(Person(address), role) for address in addresses)


def ics(*event: str, method: str | None = "REQUEST", around: str = "", end: str = "\r\n") -> bytes:
    """A file with one event of these lines; UID, DTSTAMP and ORGANIZER are added where absent."""
    defaults = {"UID": "UID:u-1@maker.test", "DTSTAMP": "DTSTAMP:20261101T100000Z"}
    if method != "PUBLISH":
        defaults["ORGANIZER"] = "ORGANIZER;CN=Eve:mailto:eve@elsewhere.test"
    given = {line.split(":")[0].split(";")[0] for line in event}
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    lines += [f"METHOD:{method}"] if method else []
    lines += [line for line in around.splitlines() if line]
    lines += ["BEGIN:VEVENT", *(line for name, line in defaults.items() if name not in given), *event, "END:VEVENT"]
    return end.join([*lines, "END:VCALENDAR", ""]).encode()
