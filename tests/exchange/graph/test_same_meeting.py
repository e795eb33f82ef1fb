"""The same meeting gives the same observation, whichever protocol shows it: its series, its exceptions and its end included."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exchange.simulated import HOUR, START, GraphHouse, House, open_ews, open_graph, world
from greenroom.exchange.contract import Mailbox, Reply, Verdict
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation, Response
from greenroom.meetings.zones import is_known
from greenroom.simulator.model import Attendee, Body, MeetingDraft, Person
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
WEEK = timedelta(days=7)


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

    def change(self, key: MeetingKey, original: datetime, **draft: Any) -> None:
        """Let the organizer change one occurrence."""
        exchange, master = self.house.simulator.exchange, self.house.own(key).id
        exchange.update_occurrence(ORGANIZER, master, original, MeetingDraft(**draft), send="SendToAllAndSaveCopy")  # type: ignore[typeddict-item]  # a test says what it wants in the words of the draft

    def take_out(self, key: MeetingKey, original: datetime) -> None:
        """Let the organizer cancel one occurrence."""
        exchange, master = self.house.simulator.exchange, self.house.own(key).id
        exchange.delete_occurrence(ORGANIZER, master, original, send="SendToAllAndSaveCopy")


def bare(seen: Observation) -> Observation:
    assert seen.ref.id
    assert "Agenda" in seen.body_html
    assert all(one.ref is not None and one.ref.id for one in seen.changed)
    changed = tuple(replace(one, ref=None, replied_at=whole(one.replied_at)) for one in seen.changed)
    return replace(seen, ref=ItemRef(""), body_html="", received_at=None, changed=changed)


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
    assert one.series == other.series
    assert seconds(one) == seconds(other)
    assert one.fingerprint == other.fingerprint


def seconds(seen: Observation) -> Observation:
    """EWS shows whole seconds, Graph more."""
    return replace(seen, replied_at=whole(seen.replied_at), sent_at=whole(seen.sent_at))


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


SERIES = [
    pytest.param(pattern, limits, id=f"{pattern}-{name}", marks=[] if (at + of) % 3 == 0 else [pytest.mark.slow])
    for at, pattern in enumerate(PATTERNS)
    for of, (name, limits) in enumerate(RANGES)
]
"""Each pattern is tried each time, with one of the ranges in turn; the others are slow in their number only."""


@pytest.mark.parametrize(("pattern", "limits"), SERIES)
async def test_a_series_is_the_same(both: Both, pattern: Pattern, limits: Callable[[date], dict[str, Any]]) -> None:
    rule = Recurrence(pattern, DAY, **limits(DAY))
    key = both.house.invite("Weekly", recurrence=rule)
    one, other = await both.see(key)
    assert one.kind is Kind.SERIES
    same(one, other)
    assert one.series is not None
    assert one.span is not None
    assert (one.span.until is None) is one.series.rule.is_endless


@pytest.mark.parametrize("zone", ["Pacific Standard Time", "Tonga Standard Time", "UTC", None])
async def test_a_series_is_the_same_in_every_zone(both: Both, zone: str | None) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, until=date(2031, 11, 30))
    same(*await both.see(both.house.invite("Weekly", recurrence=rule, start_zone=zone)))


@pytest.mark.parametrize("zone", ["Europe/London", "Atlantis"])
async def test_where_graph_calls_a_zone_differently_the_series_takes_place_at_the_same_times(
    both: Both, zone: str
) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, until=date(2031, 11, 30))
    one, other = await both.see(both.house.invite("Weekly", recurrence=rule, start_zone=zone))
    assert one.series is not None
    assert other.series is not None
    assert one.series.rule == other.series.rule
    window = START, START + timedelta(days=365)
    found = list(other.series.occurrences.between(*window))
    assert found == list(one.series.occurrences.between(*window))
    assert len(found) == 30


async def test_the_end_of_a_series_is_that_of_its_last_occurrence_to_the_minute(both: Both) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, until=date(2031, 11, 30))
    key = both.house.invite("Weekly", recurrence=rule)
    for seen in await both.see(key):
        assert seen.span is not None
        assert seen.span.until == datetime(2031, 11, 25, 11, tzinfo=UTC)  # an hour later in UTC: winter time in Berlin


async def test_a_series_all_day_is_the_same_with_what_differs_from_it(both: Both) -> None:
    rule = Recurrence(Weekly(1, ("Tuesday",)), DAY, count=30)
    end = MIDNIGHT + timedelta(days=1)
    key = both.house.invite("Days", start=MIDNIGHT, end=end, all_day=True, recurrence=rule)
    one, other = await both.see(key)
    same(one, other)
    assert other.span is not None
    assert other.span.until == datetime(2031, 11, 26, 23, tzinfo=UTC) - timedelta(days=1)
    moved, gone, winter = MIDNIGHT + WEEK, MIDNIGHT + 2 * WEEK, MIDNIGHT + 28 * WEEK + HOUR
    both.change(key, moved, start=moved + timedelta(days=1), end=moved + timedelta(days=3))
    both.change(key, winter, start=winter + 9 * HOUR, end=winter + 10 * HOUR, all_day=False)
    both.take_out(key, gone)
    one, other = await both.see(key)
    same(one, other)
    assert other.series is not None
    assert [each.day for each in other.series.moved] == [DAY + WEEK, DAY + 28 * WEEK]
    assert other.series.gone == {DAY + 2 * WEEK}


async def test_moved_and_removed_occurrences_are_the_same(both: Both) -> None:
    key = both.house.invite("Weekly", recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6))
    before = await both.see(key)
    both.change(key, START + WEEK, start=START + WEEK + HOUR, end=START + WEEK + 2 * HOUR)
    one, other = await both.see(key)
    same(one, other)
    assert [each.day for each in other.changed] == [DAY + WEEK]
    assert one.fingerprint != before[0].fingerprint
    both.take_out(key, START + 2 * WEEK)
    removed = await both.see(key)
    same(*removed)
    assert removed[1].fingerprint != other.fingerprint


async def test_what_was_answered_to_a_moved_occurrence_is_the_same(both: Both) -> None:
    key = both.house.invite("Weekly", recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6))
    both.change(key, START + WEEK, start=START + WEEK + HOUR, end=START + WEEK + 2 * HOUR)
    both.change(key, START + 3 * WEEK, start=START + 3 * WEEK + HOUR, end=START + 3 * WEEK + 2 * HOUR)
    seen = await both.graph.find(key)
    assert seen is not None
    assert [one.response for one in seen.changed] == [Response.NONE, Response.NONE]
    ref = seen.changed[0].ref
    assert ref is not None
    (result,) = await both.graph.respond([Reply(ref, Verdict.ACCEPT, "ok")])
    assert (result.ref, result.error, result.mailed) == (ref, None, True)
    one, other = await both.see(key)
    same(one, other)
    assert [each.response for each in other.changed] == [Response.ACCEPTED, Response.NONE]
    assert [each.replied_at is None for each in other.changed] == [False, True]
    assert other.response is Response.NONE  # of the series
    assert len(both.house.replies_to_organizer()) == 1


async def test_lone_occurrences_are_the_same(both: Both) -> None:
    key = both.house.invite(
        "Weekly",
        recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6),
        attendees=(Attendee(Person(ATTENDEE, "Anton Attendee")),),
    )
    people = (*both.house.own(key).meeting.attendees, Attendee(Person(EQUIPMENT, "Meeting room"), "resource"))
    for number in (1, 3):
        both.change(key, START + number * WEEK, attendees=people, body=Body("<p>Agenda</p>", "HTML"))
    for number in (1, 3):
        one, other = await both.see(key.on(DAY + number * WEEK))
        assert (one.kind, one.original_start) == (Kind.OCCURRENCE, START + number * WEEK)
        same(one, other)
    for mailbox in (both.ews, both.graph):
        assert await mailbox.find(key) is None
        assert await mailbox.find(key.on(DAY)) is None


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


STANDARD = "BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\n"
NEW_YORK = (
    "BEGIN:STANDARD\r\nDTSTART:20070101T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:20070101T020000\r\n"
    "TZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\n"
)


@pytest.mark.parametrize("rules", [STANDARD, NEW_YORK], ids=["fixed", "with clock changes"])
@pytest.mark.parametrize(
    "recurs", ["", "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20311231T000000Z\r\n"], ids=["single", "series"]
)
async def test_a_meeting_in_a_zone_of_its_own_is_the_same(both: Both, rules: str, recurs: str) -> None:
    zone = f"BEGIN:VTIMEZONE\r\nTZID:Our own zone\r\n{rules}END:VTIMEZONE\r\n"
    text = (
        f"BEGIN:VCALENDAR\r\nPRODID:-//x//x//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n{zone}BEGIN:VEVENT\r\n"
        "UID:custom\r\nDTSTAMP:20310101T090000Z\r\nDTSTART;TZID=Our own zone:20310506T103000\r\n"
        f"DTEND;TZID=Our own zone:20310506T113000\r\n{recurs}SUMMARY:Odd\r\nDESCRIPTION:Agenda\r\n"
        "ORGANIZER:mailto:guest@partner.example\r\n"
        f"ATTENDEE:mailto:{EQUIPMENT}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    both.house.simulator.exchange.deliver_ics(EQUIPMENT, text.encode())
    one, other = await both.see(MeetingKey.of_uid("custom"))
    same(one, other)
    assert other.span is not None
    assert other.span.zone == "tzone://Microsoft/Custom"
    if recurs:
        assert other.series is not None
        assert other.series.zone.definition
        assert is_known(other.series.zone)
        assert other.span.until == datetime(2031, 12, 30, 15 if rules == NEW_YORK else 9, tzinfo=UTC) + (
            timedelta(minutes=90) if rules == NEW_YORK else timedelta(hours=1)
        )


async def test_what_lists_show_of_a_series_changes_with_its_exceptions(both: Both) -> None:
    """They show no exceptions, so that the version must tell."""
    key = both.house.invite("Weekly", recurrence=Recurrence(Weekly(1, ("Tuesday",)), DAY, count=6))
    versions: list[str] = []
    steps: list[Callable[[], None]] = [
        lambda: None,
        lambda: both.change(key, START + WEEK, start=START + WEEK + HOUR, end=START + WEEK + 2 * HOUR),
        lambda: both.change(key, START + WEEK, start=START + WEEK + 2 * HOUR, end=START + WEEK + 3 * HOUR),
        lambda: both.take_out(key, START + 2 * WEEK),
    ]
    for step in steps:
        step()
        (glance,) = await both.graph.inventory(START)
        assert (glance.key, glance.fingerprint) == (key, None)
        versions.append(glance.ref.version)
    assert len(set(versions)) == len(versions)
    (again,) = await both.graph.inventory(START)
    assert again.ref.version == versions[-1]
