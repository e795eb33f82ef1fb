"""Records, rooms and journal lines for tests, complete unless told otherwise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import InstructionsState, JournalEntry, Record, State
from greenroom.meetings.room import AdmissionWindow, RoomSpec

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def meeting_key(number: int) -> MeetingKey:
    """The key of a made-up meeting."""
    return MeetingKey.of_uid(f"meeting-{number}@example.com")


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
        window=AdmissionWindow(NOON - HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR),
        host_pin="012345",
        guest_pin="543210",
    )
    return replace(spec, **changes)
