"""The same meeting gives the same observation, whichever protocol shows it.

Two differences cannot be helped, and are named here: EWS tells the end of the last occurrence only approximately where the zone
is not known here (never too early), and a zone that nobody knows by name Graph calls a custom one.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exchange.simulated import HOUR, START, GraphHouse, House, open_ews, open_graph, world
from greenroom.exchange.contract import Mailbox, Reply, Verdict
from greenroom.meetings.meeting import Kind, MeetingKey, Observation
from greenroom.simulator.model import Attendee, Body, Person
from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER, simulator_in_loop

DAY = START.date()
MIDNIGHT = datetime(2031, 5, 5, 22, tzinfo=UTC)  # in Berlin
LATE_BY = timedelta(days=100)


@dataclass
class Both:
    """One house, and its equipment mailbox over both protocols."""

    house: House
    ews: Mailbox
    graph: Mailbox

    async def see(self, key: MeetingKey) -> tuple[Observation, Observation]:
        """The meeting over EWS and over Graph, without what differs by nature: references and the sanitised body."""
        one, other = await self.ews.find(key), await self.graph.find(key)
        assert one is not None
        assert other is not None
        return bare(one), bare(other)


def bare(seen: Observation) -> Observation:
    assert seen.ref.id
    assert "Agenda" in seen.body_html
    return replace(seen, ref=replace(seen.ref, id="", version=""), body_html="", received_at=None)


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    async with simulator_in_loop(world("auto_update")) as simulator:
        ews, graph = open_ews(simulator, EQUIPMENT), open_graph(simulator, EQUIPMENT)
        try:
            yield Both(GraphHouse(simulator, graph, "auto_update"), ews, graph)
        finally:
            await ews.close()
            await graph.close()


def same(one: Observation, other: Observation) -> None:
    """Everything but the time of the last occurrence."""
    assert seconds(one) == seconds(other)
    assert one.fingerprint == other.fingerprint


def seconds(seen: Observation) -> Observation:
    """EWS shows whole seconds, Graph more."""
    return replace(
        seen,
        span=None if seen.span is None else replace(seen.span, until=None),
        replied_at=whole(seen.replied_at),
        sent_at=whole(seen.sent_at),
    )


def whole(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0)


PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("private", {"sensitivity": "Private"}),
    ("personal", {"sensitivity": "Personal"}),
    ("confidential", {"sensitivity": "Confidential"}),
    ("all day", {"start": MIDNIGHT, "end": MIDNIGHT + timedelta(days=2), "all_day": True}),
    ("in UTC", {"start_zone": None}),
    ("nobody asked for an answer", {"response_requested": False}),
    ("foreign UID", {"uid": "7k2m-91@calendar.example.test"}),
    ("UID with odd characters", {"uid": "it's & <so> {on} ü@example.test"}),
    ("two locations", {"location": "Room 4; Room 5"}),
    ("no subject", {"subject": ""}),
]


@pytest.mark.parametrize("draft", [draft for _, draft in PLAIN], ids=[name for name, _ in PLAIN])
async def test_a_single_meeting_is_the_same(both: Both, draft: dict[str, Any]) -> None:
    key = both.house.invite(**draft)
    one, other = await both.see(key)
    same(one, other)
    assert one.span == other.span


async def test_what_was_answered_is_the_same(both: Both) -> None:
    accepted, declined = both.house.invite(), both.house.invite("No", start=START + HOUR)
    for key, verdict in ((accepted, Verdict.ACCEPT), (declined, Verdict.DECLINE)):
        seen = await both.graph.find(key)
        assert seen is not None
        (result,) = await both.graph.respond([Reply(seen.ref, verdict, "ok")])
        assert result.error is None
    same(*await both.see(accepted))
    assert await both.ews.find(declined) is None
    assert await both.graph.find(declined) is None


async def test_a_cancelled_meeting_is_the_same(both: Both) -> None:
    key = both.house.invite()
    both.house.cancel(key)
    one, other = [m for m in (await both.ews.find(key), await both.graph.find(key)) if m is not None]
    assert one.cancelled
    assert (one.fingerprint, one.span, one.kind) == (other.fingerprint, other.span, other.kind)


PATTERNS: list[Pattern] = [
    Daily(1),
    Daily(3),
    Weekly(1, ("Tuesday",)),
    Weekly(2, ("Friday", "Tuesday"), "Monday"),
    AbsoluteMonthly(1, 31),
    AbsoluteMonthly(5, 6),
    RelativeMonthly(1, "Tuesday", "First"),
    RelativeMonthly(2, "Weekday", "Last"),
    RelativeMonthly(1, "Day", "Third"),
    RelativeMonthly(1, "WeekendDay", "Second"),
    AbsoluteYearly(5, 6),
    RelativeYearly(5, "Tuesday", "Last"),
    RelativeYearly(5, "Weekday", "First"),
]
RANGES: list[tuple[str, Callable[[date], dict[str, Any]]]] = [
    ("counted", lambda _: {"count": 5}),
    ("until", lambda first: {"until": first + timedelta(days=800)}),
    ("endless", lambda _: {}),
]


@pytest.mark.parametrize("limits", [limits for _, limits in RANGES], ids=[name for name, _ in RANGES])
@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
async def test_a_series_is_the_same(both: Both, pattern: Pattern, limits: Callable[[date], dict[str, Any]]) -> None:
    key = both.house.invite("Weekly", recurrence=Recurrence(pattern, DAY, **limits(DAY)))
    one, other = await both.see(key)
    assert one.kind is Kind.SERIES
    same(one, other)
    assert one.span is not None
    assert other.span is not None
    if one.span.until is None:
        assert other.span.until is None
        return
    assert other.span.until is not None
    assert timedelta() <= one.span.until - other.span.until <= LATE_BY * max(1, getattr(pattern, "interval", 4))


async def test_the_end_of_a_series_is_that_of_its_last_occurrence_to_the_minute(both: Both) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, until=date(2031, 11, 30))
    key = both.house.invite("Weekly", recurrence=rule)
    _, other = await both.see(key)
    assert other.span is not None
    assert other.span.until == datetime(2031, 11, 25, 11, tzinfo=UTC)  # an hour later in UTC: winter time in Berlin


async def test_a_series_all_day_is_the_same(both: Both) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, count=30)
    end = MIDNIGHT + timedelta(days=1)
    key = both.house.invite("Days", start=MIDNIGHT, end=end, all_day=True, recurrence=rule)
    one, other = await both.see(key)
    same(one, other)
    assert one.span is not None
    assert other.span is not None
    assert other.span.until is not None
    last = datetime(2031, 11, 25, 23, tzinfo=UTC)
    assert last <= other.span.until <= last + HOUR


async def test_moved_and_removed_occurrences_are_the_same(both: Both) -> None:
    key = both.house.invite("Weekly", recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6))
    before = await both.see(key)
    week = timedelta(days=7)
    exchange = both.house.simulator.exchange
    exchange.update_occurrence(
        ORGANIZER,
        both.house.own(key).id,
        START + week,
        {"start": START + week + HOUR, "end": START + week + 2 * HOUR},
        send="SendToAllAndSaveCopy",
    )
    one, other = await both.see(key)
    same(one, other)
    assert one.fingerprint != before[0].fingerprint
    exchange.delete_occurrence(ORGANIZER, both.house.own(key).id, START + 2 * week, send="SendToAllAndSaveCopy")
    removed = await both.see(key)
    same(*removed)
    assert removed[1].fingerprint != other.fingerprint


async def test_a_lone_occurrence_is_the_same(both: Both) -> None:
    key = both.house.invite(
        "Weekly",
        recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6),
        attendees=(Attendee(Person(ATTENDEE, "Anton Attendee")),),
    )
    people = (*both.house.own(key).meeting.attendees, Attendee(Person(EQUIPMENT, "Meeting room"), "resource"))
    week = timedelta(days=7)
    both.house.simulator.exchange.update_occurrence(
        ORGANIZER,
        both.house.own(key).id,
        START + week,
        {"attendees": people, "body": Body("<p>Agenda</p>", "HTML")},
        send="SendToAllAndSaveCopy",
    )
    one, other = await both.see(key)
    assert (one.kind, one.original_start) == (Kind.OCCURRENCE, START + week)
    same(one, other)


async def test_meetings_from_elsewhere_are_the_same(both: Both) -> None:
    text = (
        "BEGIN:VCALENDAR\r\nPRODID:-//x//x//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        "UID:{uid}\r\nDTSTAMP:20310101T090000Z\r\nDTSTART:20310506T090000Z\r\nDTEND:20310506T100000Z\r\nSEQUENCE:3\r\n"
        "SUMMARY:From elsewhere\r\nDESCRIPTION:Agenda\r\nORGANIZER;CN=Guest:mailto:Guest@Partner.Example\r\n"
        f"ATTENDEE;CN=Room:mailto:{EQUIPMENT}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    for uid in ("abc123_R20310506@google.com", "5C0F-2B'ü@icloud.example", "040000008200E00074C5B7101A82E008zz"):
        both.house.simulator.exchange.deliver_ics(EQUIPMENT, text.format(uid=uid).encode())
        one, other = await both.see(MeetingKey.of_uid(uid))
        same(one, other)
        assert other.organizer.address == "guest@partner.example"
        assert other.sequence == 3


async def test_a_zone_nobody_knows_is_a_custom_one_and_the_same_to_a_room(both: Both) -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Our own zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        "TZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    text = (
        f"BEGIN:VCALENDAR\r\nPRODID:-//x//x//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n{zone}BEGIN:VEVENT\r\n"
        "UID:custom\r\nDTSTAMP:20310101T090000Z\r\nDTSTART;TZID=Our own zone:20310506T103000\r\n"
        "DTEND;TZID=Our own zone:20310506T113000\r\nSUMMARY:Odd\r\nDESCRIPTION:Agenda\r\n"
        "ORGANIZER:mailto:guest@partner.example\r\n"
        f"ATTENDEE:mailto:{EQUIPMENT}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    both.house.simulator.exchange.deliver_ics(EQUIPMENT, text.encode())
    one, other = await both.see(MeetingKey.of_uid("custom"))
    assert one.span is not None
    assert other.span is not None
    assert (one.span.zone, other.span.zone) == ("Our own zone", "tzone://Microsoft/Custom")
    assert (other.span.start, other.span.end) == (START, START + HOUR)
    assert one.fingerprint == other.fingerprint
