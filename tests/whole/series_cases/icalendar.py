"""Invitations from other calendar programs, as files (RFC 5545, RFC 5546)."""

from collections.abc import Sequence

from support import planted
from support.series_desk import Desk

_ZONE = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:{autumn}
TZOFFSETFROM:{summer}
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;BYMONTH={back}
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:{spring}
TZOFFSETFROM:{winter}
TZOFFSETTO:{summer}
RRULE:FREQ=YEARLY;BYMONTH={forward}
END:DAYLIGHT
END:VTIMEZONE"""

BERLIN = _ZONE.format(
    name="Europe/Berlin",
    autumn="19701025T030000",
    spring="19700329T020000",
    summer="+0200",
    winter="+0100",
    back="10;BYDAY=-1SU",
    forward="3;BYDAY=-1SU",
)
OF_ITS_OWN = _ZONE.format(
    name="Own Time",
    autumn="19701101T020000",
    spring="19700308T020000",
    summer="+0330",
    winter="+0230",
    back="11;BYDAY=1SU",
    forward="3;BYDAY=2SU",
)
"""A zone of no name that anybody knows, two and a half hours ahead of the world, in summer three and a half."""


def series_lines(zone: str, *more: str) -> list[str]:
    """Tuesdays from nine to ten, from 4 March 2031 on; `more` has the rule."""
    return [f"DTSTART;TZID={zone}:20310304T090000", f"DTEND;TZID={zone}:20310304T100000", *more]


def one(zone: str, original: str, start: str, end: str) -> list[str]:
    """One occurrence: when it was meant for, when it takes place."""
    times = {"RECURRENCE-ID": original, "DTSTART": start, "DTEND": end}
    return [f"{name};TZID={zone}:{time}" for name, time in times.items()]


def cancelled(lines: Sequence[str]) -> list[str]:
    """The same called off."""
    return [*lines, "STATUS:CANCELLED"]


def mail(desk: Desk, *events: Sequence[str], zone: str = "", sequence: int = 0, method: str = "REQUEST") -> str:
    """A file in which somebody elsewhere invites the equipment mailbox to a series, or tells of a change."""
    who = [
        f"UID:series-{desk.number}@google.test",
        f"DTSTAMP:20261101T10000{sequence}Z",
        f"SEQUENCE:{sequence}",
        f"SUMMARY:{planted.SUBJECT}",
        f"DESCRIPTION:{planted.TEXT}",
        f"ORGANIZER;CN={planted.NAME}:mailto:{desk.guest}",
        f"ATTENDEE;ROLE=NON-PARTICIPANT;CUTYPE=RESOURCE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{desk.equipment}",
    ]
    body = [line for event in events for line in ("BEGIN:VEVENT", *who, *event, "END:VEVENT")]
    head = ["BEGIN:VCALENDAR", "PRODID:-//Google Inc//Google Calendar 70.9054//EN", "VERSION:2.0", f"METHOD:{method}"]
    return "\n".join([*head, *([zone] if zone else []), *body, "END:VCALENDAR"])
