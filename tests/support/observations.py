"""Observations to decide on, with every fact that a test does not care about filled in."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from greenroom.meetings.meeting import Changed, ItemRef, Kind, MeetingKey, Observation, Person, Response, Span
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rules import Daily, Pattern, Rule
from greenroom.meetings.zones import Zone
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


def weekly(uid: str = "series", **changes: Any) -> Observation:
    """Return a series of ten occurrences, one every week, the first an hour long and tomorrow at this time."""
    return recurring(uid, pattern=Daily(7), count=10, **changes)


def recurring(
    uid: str = "series",
    *,
    pattern: Pattern,
    starts_in: timedelta = timedelta(days=1),
    until: date | None = None,
    count: int | None = None,
    moved: Mapping[date, timedelta] | None = None,
    gone: Collection[date] = (),
    answered: Mapping[date, Response] | None = None,
    **changes: Any,
) -> Observation:
    """Return a series of hours in UTC. `moved` says by how much occurrences are later, `answered` what we said to them."""
    start = NOW + starts_in
    rule = Rule(pattern, start.date(), until, count)
    plain = Series.of(rule, start, start + timedelta(hours=1), Zone("UTC"))
    known = plain.occurrences
    shifts = moved or {}
    places = {day: known.on(day) for day in shifts}
    exceptions = [
        (day, one.start + shifts[day], one.end + shifts[day]) for day, one in places.items() if one is not None
    ]
    series = Series.of(rule, start, start + timedelta(hours=1), Zone("UTC"), moved=exceptions, gone=gone)
    told = answered or {}
    span = Span(start, start + timedelta(hours=1), "UTC", until=series.occurrences.last_end)
    answers = tuple(
        Changed(day, ItemRef(f"item-{uid}#{day}", "1"), told.get(day, Response.NONE), None) for day in sorted(shifts)
    )
    facts: dict[str, Any] = {"kind": Kind.SERIES, "span": span, "series": series, "changed": answers}
    return observation(uid, **(facts | changes))
