"""Series as other calendars really write them, brought in by mail: both protocols tell what was meant, and the same."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from exchange.simulated import open_ews, open_graph, world
from greenroom.meetings.meeting import Kind, MeetingKey, Observation
from greenroom.meetings.rules import Rule, Weekly
from greenroom.meetings.zones import is_known, tzinfo_of
from greenroom.simulator.model import MeetingMessage
from support.shared import shared_path
from support.simulator import EQUIPMENT, simulator_in_loop

NAMES = ["blackberry", "event_without_dtend_with_duration", "gcal_recur", "google_cancelled1", "icloud_oneday_event"]
NAMES += ["invite", "iphone_through_exchange", "windows_event"]


@asynccontextmanager
async def delivered(data: bytes) -> AsyncIterator[Iterator[tuple[Observation, Observation]]]:
    """The meetings of a mail, over EWS and over Graph."""
    async with simulator_in_loop(world("auto_update")) as simulator:
        done = simulator.exchange.deliver_ics(EQUIPMENT, data)
        keys = set()
        for ident in done.message_ids:
            item = simulator.exchange.get(EQUIPMENT, ident)
            assert isinstance(item, MeetingMessage)
            keys.add(MeetingKey.of_global_object_id(item.meeting.goid))
        ews, graph = open_ews(simulator, EQUIPMENT), open_graph(simulator, EQUIPMENT)
        try:
            pairs = [(await ews.find(key), await graph.find(key)) for key in sorted(keys)]
        finally:
            await ews.close()
            await graph.close()
        yield iter([(one, other) for one, other in pairs if one and other])


@pytest.mark.parametrize("name", NAMES)
async def test_both_protocols_tell_the_same_of_what_came_by_mail(name: str) -> None:
    async with delivered((shared_path("captures/ics") / f"{name}.ics").read_bytes()) as pairs:
        ((one, other),) = pairs
    assert (one.kind, one.subject, one.cancelled) == (other.kind, other.subject, other.cancelled)
    assert one.span is not None
    assert other.span is not None
    assert replace(one.span, zone=None) == replace(other.span, zone=None)
    if one.series is None or other.series is None:
        assert one.series == other.series
        return
    # EWS may give the zone's name in IANA's words where Graph says it in those of Windows: the clocks are the same.
    assert tzinfo_of(one.series.zone) == tzinfo_of(other.series.zone)
    assert replace(one.series, zone=other.series.zone) == other.series


async def test_a_series_of_google_without_days_is_weekly_on_its_first_day_and_endless() -> None:
    async with delivered((shared_path("captures/ics") / "gcal_recur.ics").read_bytes()) as pairs:
        ((seen, _),) = pairs
    assert seen.kind is Kind.SERIES
    assert seen.series is not None
    assert seen.series.rule == Rule(Weekly(1, (0,), 6), date(2015, 1, 12))
    assert (seen.series.begins, seen.series.length) == (time(13, 30), timedelta(hours=1))
    summer = seen.series.occurrences.on(date(2015, 7, 6))
    assert summer is not None
    assert summer.start == datetime(2015, 7, 6, 20, 30, tzinfo=UTC)


async def test_a_series_of_days_by_google_ends_on_its_last_day() -> None:
    async with delivered((shared_path("captures/ics") / "invite.ics").read_bytes()) as pairs:
        ((seen, _),) = pairs
    assert seen.series is not None
    assert seen.span is not None
    assert seen.span.all_day
    assert seen.series.rule.pattern == Weekly(1, (2, 5, 6), getattr(seen.series.rule.pattern, "first_day", 6))
    known = seen.series.occurrences
    days = [one.day for one in known.between(datetime(2014, 8, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC))]
    assert (days[0], days[1], days[-1], len(days)) == (date(2014, 8, 10), date(2014, 8, 13), date(2014, 9, 28), 22)


def invitation(*lines: str, zone: tuple[str, ...] = ()) -> bytes:
    text = (
        "BEGIN:VCALENDAR", "PRODID:-//x//x//EN", "VERSION:2.0", "METHOD:REQUEST", *zone, "BEGIN:VEVENT", "UID:made-up@x",
        "DTSTAMP:20310101T090000Z", "SUMMARY:Made up", "ORGANIZER:mailto:guest@partner.example",
        f"ATTENDEE:mailto:{EQUIPMENT}", *lines, "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(text).encode()


async def test_a_zone_that_only_its_definition_explains_is_the_same_on_both() -> None:
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Our own zone", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0130",
        "TZOFFSETTO:+0130", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    data = invitation(
        "DTSTART;TZID=Our own zone:20310506T003000",
        "DTEND;TZID=Our own zone:20310506T013000",
        "RRULE:FREQ=WEEKLY;COUNT=60",
        zone=zone,
    )
    async with delivered(data) as pairs:
        ((one, other),) = pairs
    assert one.series is not None
    assert one.series == other.series
    assert is_known(one.series.zone)
    assert one.series.begins == time(0, 30)
    assert one.series.rule.start == date(2031, 5, 6)


async def test_a_rule_that_exchange_cannot_say_is_told_as_one_and_never_as_a_wrong_one() -> None:
    data = invitation(
        "DTSTART;TZID=Europe/Berlin:20310506T090000",
        "DTEND;TZID=Europe/Berlin:20310506T100000",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=6,20;COUNT=6",
    )
    async with delivered(data) as pairs:
        ((one, other),) = pairs
    assert (one.kind, one.series, other.kind, other.series) == (Kind.SERIES, None, Kind.SERIES, None)
    assert one.recurrence
    assert one.span is not None
    assert one.span.until is not None
    assert one.span.until >= datetime(2031, 7, 20, 8, tzinfo=UTC)
