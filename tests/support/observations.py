"""Observations to decide on, with every fact that a test does not care about filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation, Person, Span
from support import planted

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MAILBOX = "vmr@greenroom.example"
ADA = Person("ada@greenroom.example", planted.NAME)


def observation(uid: str = "one", *, starts_in: timedelta = timedelta(days=1), **changes: object) -> Observation:
    """Return what the calendar says about an ordinary new meeting of one hour, with some facts changed."""
    start = NOW + starts_in
    usual = Observation(
        key=MeetingKey.of_uid(uid),
        ref=ItemRef(f"item-{uid}", "1"),
        kind=Kind.SINGLE,
        span=Span(start, start + timedelta(hours=1), "UTC"),
        organizer=ADA,
        subject=planted.SUBJECT,
        attendees=(Person(MAILBOX),),
        received_at=NOW,
        sent_at=NOW,
        sequence=0,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # the facts are named by the test
