"""What travels between mailboxes: one iTIP message, wherever it was born (a client's call or an iCalendar file)."""

from dataclasses import dataclass, replace
from typing import Literal

from greenroom.simulator.model import (
    Answer,
    Body,
    CalendarItem,
    Importance,
    Item,
    Meeting,
    MeetingMessage,
    Person,
    Sensitivity,
)

Method = Literal["REQUEST", "CANCEL", "REPLY"]
CANCELED = "Canceled: "
ANSWER_PREFIX: dict[Answer, str] = {"Accept": "Accepted: ", "Tentative": "Tentative: ", "Decline": "Declined: "}
MAX_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Envelope:
    """One scheduling message on its way. `meeting` is a copy of its own, which receivers copy again."""

    method: Method
    meeting: Meeting
    subject: str
    body: Body
    author: Person  # whom it speaks for: the organizer, or who answers
    sender: Person  # who sent it
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    sensitivity: Sensitivity = "Normal"
    importance: Importance = "Normal"
    answer: Answer | None = None  # of a REPLY
    external: bool = False  # came from another organisation
    has_start: bool = True  # false for a CANCEL or REPLY file that names no time


def copy_of(meeting: Meeting) -> Meeting:
    """A meeting of its own for another item (all its parts are immutable)."""
    return replace(meeting)


def canceled_subject(subject: str) -> str:
    """The subject with the prefix of cancelled meetings, once."""
    return subject if subject.startswith(CANCELED) else (CANCELED + subject)[:MAX_SUBJECT]


def meeting_of(item: Item) -> Meeting | None:
    """The meeting an item is about, None for plain mail."""
    return item.meeting if isinstance(item, CalendarItem | MeetingMessage) else None


def version(meeting: Meeting) -> tuple[int, float]:
    """What orders messages about one meeting: sequence, then the organizer's time stamp (RFC 5546 2.1.5)."""
    return meeting.sequence, meeting.stamp.timestamp()


def schedule_print(meeting: Meeting) -> str:
    """A fingerprint of all that decides when a meeting takes place."""
    return repr((
        meeting.start, meeting.end, meeting.start_zone, meeting.end_zone, meeting.all_day, meeting.recurrence,
        meeting.raw_rrule, meeting.zone_rules,
    ))  # fmt: skip
