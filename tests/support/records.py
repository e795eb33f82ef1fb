"""Records, rooms and journal lines for tests, complete unless told otherwise."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import InstructionsState, JournalEntry, Record, State
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Rule, Weekly
from greenroom.meetings.zones import Zone

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def meeting_key(number: int) -> MeetingKey:
    """The key of a made-up meeting."""
    return MeetingKey.of_uid(f"meeting-{number}@example.com")


def weekly(**rule: Any) -> Series:
    """A weekly series in Berlin from the Monday of NOON on, 13:00 to 14:00 there; endless unless told otherwise."""
    return Series(Rule(Weekly(1, (0,)), date(2026, 3, 2), **rule), time(13), HOUR, Zone("W. Europe Standard Time"))


def once(start: datetime, end: datetime | None, before: timedelta = HOUR, after: timedelta = HOUR) -> Admission:
    """Admission to a meeting that takes place once."""
    return Admission((Once(start, end),), before, after)


def full_record(number: int = 1, **changes: Any) -> Record:
    """A record in which every field has a value of its own."""
    record = Record(
        integration=1,
        key=meeting_key(number),
        correlation_id=f"C{number:06d}",
        state=State.SCHEDULED,
        kind=Kind.SINGLE,
        organizer="ann@example.com",
        ref=ItemRef(f"item-{number}", f"version-{number}", is_message=False),
        created_at=NOON - 3 * HOUR,
        updated_at=NOON - 2 * HOUR,
        span=Span(NOON + number * HOUR, NOON + (number + 1) * HOUR, "W. Europe Standard Time"),
        title=f"Planning {number}",
        reason="ticket",
        seen="5ee2",
        alias_number=900_000_000 + number,
        alias_key=1,
        issued_at=NOON - 4 * HOUR,
        room="f00d",
        instructions=InstructionsState.WRITTEN,
        replied="accept-new-single:5ee2",
        replying="accept-new-single:5ee2",
        answered_before=NOON - HOUR,
        attempts=2,
        retry_at=NOON + timedelta(microseconds=1),
        series=weekly(),
        handled=(Moved(date(2026, 3, 9), NOON + 7 * DAY, NOON + 7 * DAY + HOUR),),
        held=(NOON, NOON + HOUR),
        room_mark=meeting_key(number + 1000).digest,
        review_at=NOON + 365 * DAY,
        adopted=Alias(900_000_000 + number, f"meet.ann{number}@old.example", f"{7000 + number}"),
    )
    return replace(record, **changes)


def bare_record(number: int = 1, **changes: Any) -> Record:
    """A record in which everything optional is missing."""
    record = Record(
        integration=1,
        key=meeting_key(number),
        correlation_id=f"C{number:06d}",
        state=State.PENDING,
        kind=Kind.SINGLE,
        organizer="ann@example.com",
        ref=ItemRef(f"item-{number}"),
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(record, **changes)


def line(number: int, step: str, code: str = "ok", integration: int = 1) -> JournalEntry:
    """A line of a made-up meeting's journal."""
    return JournalEntry(integration, meeting_key(number), f"C{number:06d}", NOON, step, code, "detail")


def room(number: int = 1, **changes: Any) -> RoomSpec:
    """A room whose alias, numeric alias and join id follow from its number."""
    spec = RoomSpec(
        mark=meeting_key(number).digest,
        alias=Alias(900_000_000 + number, f"vc-{900_000_000 + number}@example.com", f"{900_000_000 + number}"),
        join_id=f"join{number:012d}",
        name=f"Planning {number}",
        description="For the planning",
        owner="ann@example.com",
        admission=once(NOON, NOON + HOUR),
        host_pin="012345",
        guest_pin="543210",
    )
    return replace(spec, **changes)
