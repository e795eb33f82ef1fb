"""Meetings as every calendar protocol shows them: who, when, which one, and what the mailbox answered.

```
MeetingKey     which meeting, the same in every mailbox
Person         an address with a display name
Span           when: two instants, the zone they were meant in, all-day or not
Changed        one occurrence of a series that differs from it
Observation    what the calendar says about a meeting now
Glance         as much of it as a list of changes shows, without reading the item
```
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from greenroom.meetings.recurrence import Series

_CLASS_ID = bytes.fromhex("040000008200E00074C5B7101A82E008")
_DATE = slice(16, 20)
_VCAL = b"vCal-Uid\x01\x00\x00\x00"


@dataclass(frozen=True, slots=True, order=True)
class MeetingKey:
    """The clean global object id as upper-case hex: one meeting or series, the same in every mailbox.

    One occurrence of a series to which the mailbox is invited alone, without the series, is a meeting of its own: behind its
    series' id stand an "@" and the day it was first meant for ("...@2026-12-14"), as in the global object id of an occurrence.
    Source: MS-OXOCAL 2.2.1.27 and 2.2.1.28 (PidLidGlobalObjectId, PidLidCleanGlobalObjectId).
    """

    value: str

    @classmethod
    def of_global_object_id(cls, raw: bytes) -> Self:
        """Take a global object id, clean or with the date of an occurrence (bytes 16 to 19), which is set to zero."""
        if raw.startswith(_CLASS_ID) and len(raw) >= _DATE.stop:
            raw = raw[: _DATE.start] + bytes(4) + raw[_DATE.stop :]
        return cls(raw.hex().upper())

    @classmethod
    def of_uid(cls, uid: str) -> Self:
        """Take an iCalendar UID: hex of a global object id as it is, any other text wrapped as Exchange wraps it."""
        text = uid.strip()
        if text.upper().startswith(_CLASS_ID.hex().upper()):
            try:
                return cls.of_global_object_id(bytes.fromhex(text))
            except ValueError:
                pass  # looks like hex but is not: a foreign UID that happens to begin so
        data = _VCAL + text.encode() + b"\x00"
        return cls((_CLASS_ID + bytes(20) + len(data).to_bytes(4, "little") + data).hex().upper())

    @property
    def digest(self) -> str:
        """16 bytes of SHA-256 as hex: the mark by which a platform's room is found again (fixed length, no content)."""
        day = self.value.partition("@")[2].encode("ascii")
        return hashlib.sha256(self.to_bytes() + day).hexdigest()[:32]

    def to_bytes(self) -> bytes:
        """Return the clean global object id, as property 0x23 holds it."""
        return bytes.fromhex(self.clean.value)

    @property
    def clean(self) -> "MeetingKey":
        """The key of the whole: of the series, where this is one occurrence of it."""
        return MeetingKey(self.value.partition("@")[0])

    @property
    def occurrence(self) -> date | None:
        """The day this occurrence was first meant for, in the zone of its series; None for a whole meeting."""
        day = self.value.partition("@")[2]
        return date.fromisoformat(day) if day else None

    def on(self, day: date) -> "MeetingKey":
        """Return the key of the occurrence of this series that was first meant for this day."""
        return MeetingKey(f"{self.clean.value}@{day.isoformat()}")


@dataclass(frozen=True, slots=True)
class Person:
    """An SMTP address (lower case) and a display name, which never reaches a log."""

    address: str
    name: str = field(default="", repr=False)

    @property
    def domain(self) -> str:
        """The part behind the last @; empty for an address that has none."""
        return self.address.rpartition("@")[2] if "@" in self.address else ""


class Sensitivity(StrEnum):
    """How private the organizer marked the meeting."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Response(StrEnum):
    """What the mailbox has answered, as the calendar shows it."""

    NONE = "none"
    ORGANIZER = "organizer"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Kind(StrEnum):
    """What a calendar item is. A lone item of a series the mailbox was not invited to is OCCURRENCE."""

    SINGLE = "single"
    SERIES = "series"
    OCCURRENCE = "occurrence"


@dataclass(frozen=True, slots=True)
class Span:
    """When a meeting is. For a series: its first occurrence, and in `until` the end of its last one.

    `start`, `end`, `until` are aware and in UTC. `zone` is the name the organizer's calendar gave (Windows or IANA) or None.
    `until` is None for a single meeting and for a series without end, or one whose last end is not known.
    """

    start: datetime
    end: datetime
    zone: str | None = None
    all_day: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What the mailbox answered to one occurrence that differs from its series; when that is, `Series.moved` tells.

    `ref` is None where the occurrence cannot be answered by itself, `response` is None where it is not known.
    """

    day: date
    ref: "ItemRef | None" = None
    response: Response | None = None
    replied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemRef:
    """One adapter's name for an item in the mailbox: an opaque id, its version, and whether it is a request message.

    A request message is referred to only where no calendar item exists yet (`AutomateProcessing` `None`).
    """

    id: str
    version: str = ""
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class Glance:
    """What a list of changes tells about one item for the price of the list. Anything but `ref` may be unknown (None).

    `own_answer` says that, by its times, the item was last changed by the mailbox's own answer: an echo of ours. `sent_at` is
    the owner's stamp, as in `Observation`: it tells an answer to what we had read from one that hides a later sending.
    `starts_at` is when the meeting starts, of a series its first occurrence: a backlog is handled soonest start first.
    """

    ref: ItemRef
    key: MeetingKey | None = None
    fingerprint: str | None = None
    response: Response | None = None
    own_answer: bool = False
    sent_at: datetime | None = None
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What the calendar says about one meeting now.

    `span` is None only for a cancellation that does not say when the meeting would have been.
    `replied_at` is the time of the mailbox's last own answer as Exchange keeps it (PidLidAppointmentReplyTime).
    `received_at` is when the item came into this mailbox; `sent_at` when the organizer last sent it (the owner's stamp).
    A series has its `series`, and in `changed` the occurrences that differ from it. Where its rule is one that Exchange's
    patterns cannot say, `series` is None, and `recurrence` some text that changes when the rule does.
    `original_start` is that of a lone occurrence; its day is also in its key.
    """

    key: MeetingKey
    ref: ItemRef
    kind: Kind
    span: Span | None
    organizer: Person
    subject: str = field(default="", repr=False)
    body_html: str = field(default="", repr=False)
    location: str = field(default="", repr=False)
    attendees: tuple[Person, ...] = field(default=(), repr=False)
    sensitivity: Sensitivity = Sensitivity.NORMAL
    cancelled: bool = False
    is_organizer: bool = False
    informational_copy: bool = False
    response: Response = Response.NONE
    response_requested: bool = True
    replied_at: datetime | None = None
    received_at: datetime | None = None
    sent_at: datetime | None = None
    sequence: int | None = None
    original_start: datetime | None = None
    recurrence: str | None = None
    series: Series | None = None
    changed: tuple[Changed, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hash of what a room or a reply depends on; the body and our own answer are not in it."""
        return fingerprint(
            key=self.key,
            kind=self.kind,
            span=self.span,
            subject=self.subject,
            sensitivity=self.sensitivity,
            cancelled=self.cancelled,
            recurrence=self.recurrence if self.series is None else self.series.frame.text,
            exceptions="" if self.series is None else self.series.exceptions,
        )

    @property
    def rule(self) -> str | None:
        """The canonical text of the recurrence, exceptions included; None for what does not recur."""
        return self.recurrence if self.series is None else self.series.text


def fingerprint(
    *,
    key: MeetingKey,
    kind: Kind,
    span: Span | None,
    subject: str,
    sensitivity: Sensitivity,
    cancelled: bool,
    recurrence: str | None = None,
    exceptions: str = "",
) -> str:
    """Hash the facts by which a change that concerns us is told from one that does not.

    32 hex digits; where occurrences differ from their series, a dot and 16 more for them: `frame_of` takes those away.
    """
    when = "" if span is None else f"{span.start.isoformat()}/{span.end.isoformat()}/{span.all_day}"
    parts = (key.value, kind.value, when, subject, sensitivity.value, str(cancelled), recurrence or "")
    frame = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{frame}.{hashlib.sha256(exceptions.encode()).hexdigest()[:16]}" if exceptions else frame


def frame_of(fingerprint: str | None) -> str:
    """Return the part of a fingerprint that does not depend on single occurrences of a series; empty for None."""
    return (fingerprint or "").partition(".")[0]
