"""Series over Graph: what a master says becomes a series that can be counted."""

import time as clock
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exchange.graph.answering import MAILBOX
from exchange.graph.whole_events import START, master
from greenroom.exchange.graph import facts
from greenroom.exchange.graph.events import END_WHOLE, START_WHOLE, ZONE_OF_SERIES, Event, read_event
from greenroom.meetings import timezone_definition, zones
from greenroom.meetings.meeting import Kind, Observation, Response
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import (
    EVERY_DAY,
    LAST_DAY,
    WEEKEND,
    WORKDAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Nth,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)
from greenroom.meetings.zones import Zone

WEEKLY = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"}
NO_END = {"type": "noEnd", "startDate": "2031-05-06", "endDate": "0001-01-01", "numberOfOccurrences": 0}
DAY = date(2031, 5, 6)
WEEK = timedelta(days=7)
WORKWEEK = ["monday", "tuesday", "wednesday", "thursday", "friday"]
BERLIN = "W. Europe Standard Time"
CUSTOM = "tzone://Microsoft/Custom"


def seen(pattern: Any = WEEKLY, limits: Any = None, **more: Any) -> Observation:
    rule = {"pattern": pattern, "range": NO_END if limits is None else limits}
    event = read_event(master("s", **{"recurrence": rule, **more}))
    assert isinstance(event, Event), event
    found = facts.observation(event, MAILBOX)
    assert isinstance(found, Observation), found
    return found


def series(pattern: Any = WEEKLY, limits: Any = None, **more: Any) -> Series:
    found = seen(pattern, limits, **more).series
    assert found is not None
    return found


def moment(value: datetime) -> dict[str, str]:
    return {"dateTime": value.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


def moved(number: int, by: timedelta = timedelta(hours=1), **more: Any) -> dict[str, Any]:
    original = START + number * WEEK
    return {
        "id": f"x{number}",
        "type": "exception",
        "originalStart": f"{original:%Y-%m-%dT%H:%M:%SZ}",
        "start": moment(original + by),
        "end": moment(original + by + timedelta(hours=1)),
        "isAllDay": False,
        "isCancelled": False,
        **more,
    }


def definition(name: str, key: str) -> list[dict[str, str]]:
    """The zone of an IANA name as the meeting itself defines it."""
    blob = timezone_definition.write(key, ZoneInfo(name), range(2030, 2034))
    return [{"id": ZONE_OF_SERIES.lower(), "value": b64encode(blob).decode()}]


PATTERNS: list[tuple[dict[str, Any], Pattern]] = [
    ({"type": "daily", "interval": 3}, Daily(3)),
    (WEEKLY, Weekly(1, (1,), 6)),
    (
        {"type": "weekly", "interval": 2, "daysOfWeek": ["friday", "monday"], "firstDayOfWeek": "monday"},
        Weekly(2, (0, 4), 0),
    ),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, AbsoluteMonthly(1, 31)),
    (
        {"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["tuesday"], "index": "last"},
        RelativeMonthly(2, (1,), Nth.LAST),
    ),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": WORKWEEK}, RelativeMonthly(1, WORKDAYS, Nth.FIRST)),
    (
        {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["sunday", "saturday"], "index": "second"},
        RelativeMonthly(1, WEEKEND, Nth.SECOND),
    ),
    (
        {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["sunday", "saturday", *WORKWEEK], "index": "third"},
        RelativeMonthly(1, EVERY_DAY, Nth.THIRD),
    ),
    ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2}, AbsoluteYearly(2, 29)),
    ({"type": "absoluteYearly", "interval": 3, "dayOfMonth": 6, "month": 5}, AbsoluteYearly(5, 6, 3)),
    (
        {"type": "relativeYearly", "interval": 2, "daysOfWeek": ["thursday"], "index": "fourth", "month": 11},
        RelativeYearly(11, (3,), Nth.FOURTH, 2),
    ),
]


class TestRules:
    @pytest.mark.parametrize(
        ("said", "pattern"), PATTERNS, ids=[f"{n}-{said['type']}" for n, (said, _) in enumerate(PATTERNS)]
    )
    def test_every_pattern_is_read(self, said: dict[str, Any], pattern: Pattern) -> None:
        assert series(said).rule == Rule(pattern, DAY)

    @pytest.mark.parametrize(
        ("limits", "rule"),
        [
            (NO_END, Rule(Weekly(1, (1,)), DAY)),
            (
                NO_END | {"type": "endDate", "endDate": "2031-06-30"},
                Rule(Weekly(1, (1,)), DAY, until=date(2031, 6, 30)),
            ),
            (NO_END | {"type": "numbered", "numberOfOccurrences": 7}, Rule(Weekly(1, (1,)), DAY, count=7)),
            (NO_END | {"type": "NOEND"}, Rule(Weekly(1, (1,)), DAY)),
        ],
        ids=["endless", "until", "counted", "capitals"],
    )
    def test_every_range_is_read(self, limits: dict[str, Any], rule: Rule) -> None:
        assert series(limits=limits).rule == rule

    def test_what_is_written_otherwise_is_the_same_rule(self) -> None:
        same: list[tuple[Any, Any]] = [
            (WEEKLY | {"daysOfWeek": ["Tuesday", "tuesday"], "dayOfMonth": 0, "month": 0, "index": "first"}, None),
            (WEEKLY | {"firstDayOfWeek": None, "interval": None}, None),
            (None, NO_END | {"recurrenceTimeZone": "UTC", "endDate": None}),
        ]
        for pattern, limits in same:
            assert series(pattern or WEEKLY, limits) == series()

    @pytest.mark.parametrize(
        ("limits", "until"),
        [
            (NO_END, None),
            (NO_END | {"type": "endDate", "endDate": "2031-11-30"}, datetime(2031, 11, 25, 11, tzinfo=UTC)),
            (NO_END | {"type": "numbered", "numberOfOccurrences": 2}, START + WEEK + timedelta(hours=1)),
        ],
        ids=["endless", "until", "counted"],
    )
    def test_a_series_ends_with_its_last_occurrence_by_the_clocks_of_its_zone(
        self, limits: dict[str, Any], until: datetime | None
    ) -> None:
        span = seen(limits=limits, originalStartTimeZone=BERLIN).span
        assert span is not None
        assert span.until == until

    @pytest.mark.parametrize(
        "rule",
        [
            None,
            {"pattern": None, "range": None},
            {"pattern": WEEKLY, "range": None},
            {"pattern": WEEKLY | {"type": "lunar"}, "range": NO_END},
            {"pattern": WEEKLY | {"type": None}, "range": NO_END},
            {"pattern": WEEKLY | {"daysOfWeek": []}, "range": NO_END},
            {"pattern": WEEKLY | {"daysOfWeek": ["holiday"]}, "range": NO_END},
            {"pattern": WEEKLY | {"interval": 0}, "range": NO_END},
            {"pattern": WEEKLY | {"interval": 99_999}, "range": NO_END},
            {"pattern": WEEKLY | {"firstDayOfWeek": "holiday"}, "range": NO_END},
            {"pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 32}, "range": NO_END},
            {"pattern": {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1, "month": 13}, "range": NO_END},
            {"pattern": {"type": "relativeMonthly", "daysOfWeek": ["monday"], "index": "fifth"}, "range": NO_END},
            {"pattern": WEEKLY, "range": NO_END | {"type": "someday"}},
            {"pattern": WEEKLY, "range": NO_END | {"type": "endDate"}},
            {"pattern": WEEKLY, "range": NO_END | {"type": "numbered"}},
            {"pattern": WEEKLY, "range": NO_END | {"startDate": None}},
            {"pattern": WEEKLY, "range": NO_END | {"startDate": "9999-12-31"}},
        ],
        ids=range(18),
    )
    def test_a_rule_that_cannot_be_said_is_some_text_and_has_no_end(self, rule: Any) -> None:
        found = seen(recurrence=rule)
        assert (found.kind, found.series, found.changed) == (Kind.SERIES, None, ())
        assert found.recurrence
        assert found.rule == found.recurrence
        assert found.span is not None
        assert found.span.until is None

    def test_the_text_of_a_rule_that_cannot_be_said_changes_with_it(self) -> None:
        texts = {
            seen({"type": "lunar", "interval": number}, originalStartTimeZone=zone).recurrence
            for number in (1, 2)
            for zone in ("UTC", BERLIN)
        }
        assert len(texts) == 4


class TestZones:
    def test_the_zone_of_the_rule_counts_else_that_of_the_event(self) -> None:
        limits = NO_END | {"recurrenceTimeZone": "Pacific Standard Time"}
        assert series(limits=limits, originalStartTimeZone=BERLIN).zone == Zone("Pacific Standard Time")
        for unknown in ("", None, CUSTOM, "Atlantis"):
            limits = NO_END | {"recurrenceTimeZone": unknown}
            assert series(limits=limits, originalStartTimeZone=BERLIN).zone == Zone(BERLIN)

    def test_a_name_that_the_definition_contradicts_does_not_count(self) -> None:
        """A client may leave UTC in the range of a series that it means to follow local clocks."""
        limits = NO_END | {"recurrenceTimeZone": "UTC"}
        more = definition("Europe/Berlin", "Customized")
        assert series(limits=limits, originalStartTimeZone=BERLIN, singleValueExtendedProperties=more).zone == Zone(
            BERLIN
        )
        found = series(limits=limits, originalStartTimeZone="UTC", singleValueExtendedProperties=more).zone
        assert (found.name, bool(found.definition)) == (zones.CUSTOM, True)

    def test_the_time_of_day_is_that_of_the_zone(self) -> None:
        found = series(originalStartTimeZone=BERLIN)
        assert (found.begins.hour, found.length) == (11, timedelta(hours=1))
        winter = found.occurrences.on(date(2031, 11, 4))
        assert winter is not None
        assert winter.start == datetime(2031, 11, 4, 10, tzinfo=UTC)

    def test_a_zone_without_a_name_is_read_from_its_definition(self) -> None:
        for name in (CUSTOM, "Atlantis Standard Time"):
            found = series(
                originalStartTimeZone=name,
                singleValueExtendedProperties=definition("America/New_York", "Customized Time Zone"),
            )
            assert found.zone.name == zones.CUSTOM
            assert found.zone.definition
            winter = found.occurrences.on(date(2031, 11, 4))
            assert winter is not None
            assert winter.start == datetime(2031, 11, 4, 10, tzinfo=UTC)

    def test_a_definition_whose_own_name_is_known_is_that_zone(self) -> None:
        """Newer zone data then moves what is to come."""
        more = definition("America/New_York", "Eastern Standard Time")
        assert series(originalStartTimeZone=CUSTOM, singleValueExtendedProperties=more).zone == Zone(
            "Eastern Standard Time"
        )

    def test_a_known_name_needs_no_definition(self) -> None:
        more = definition("Europe/Berlin", "Mitteleuropa")
        assert series(originalStartTimeZone=BERLIN, singleValueExtendedProperties=more).zone == Zone(BERLIN)

    @pytest.mark.parametrize(
        "blob", ["", "%%%", "AAAA", "ÄÖ", b64encode(b"\x02\x01\xff\xff" * 100).decode(), "A" * 9000]
    )
    @pytest.mark.parametrize("name", ["", None, CUSTOM, "Atlantis", "\x00", "../../etc/passwd", "x" * 500])
    def test_a_zone_nobody_knows_never_fails_and_has_the_first_day_right(self, name: str | None, blob: str) -> None:
        late = START + timedelta(hours=14)  # already the next day in Greenwich, where the rule begins on the sixth
        found = series(
            limits=NO_END | {"type": "numbered", "numberOfOccurrences": 3},
            originalStartTimeZone=name,
            start=moment(late + timedelta(hours=2)),
            end=moment(late + timedelta(hours=3)),
            singleValueExtendedProperties=[{"id": ZONE_OF_SERIES, "value": blob}],
        )
        assert not zones.is_known(found.zone)
        first = found.occurrences.first
        assert first is not None
        assert (first.day, first.start) == (DAY, late + timedelta(hours=2))


class TestExceptions:
    def test_moved_ones_are_known_by_their_original_day(self) -> None:
        found = series(originalStartTimeZone=BERLIN, exceptionOccurrences=[moved(2), moved(1, timedelta(days=-1))])
        assert found.moved == tuple(
            Moved(DAY + number * WEEK, START + number * WEEK + by, START + number * WEEK + by + timedelta(hours=1))
            for number, by in ((1, timedelta(days=-1)), (2, timedelta(hours=1)))
        )

    @pytest.mark.parametrize(
        "ident",
        [
            "OID.AAMkADc=.2031-05-13",
            "OID.s.2031-05-13T00:00:00Z",
            "OID.2031-05-06x.2031-05-13",
            "2031-05-13",
            " oid.s.2031-05-13 ",
        ],
    )
    def test_those_taken_out_are_told_by_their_day(self, ident: str) -> None:
        assert series(cancelledOccurrences=[ident]).gone == {date(2031, 5, 13)}

    def test_one_that_is_cancelled_does_not_take_place(self) -> None:
        found = series(exceptionOccurrences=[moved(1, isCancelled=True), moved(2)])
        assert found.gone == {DAY + WEEK}
        assert [one.day for one in found.moved] == [DAY + 2 * WEEK]

    def test_the_order_in_which_they_are_told_does_not_count(self) -> None:
        ids = ["OID.s.2031-06-03", "OID.s.2031-06-10"]
        one = seen(exceptionOccurrences=[moved(1), moved(2)], cancelledOccurrences=ids)
        other = seen(exceptionOccurrences=[moved(2), moved(1)], cancelledOccurrences=ids[::-1])
        assert one.fingerprint == other.fingerprint
        assert one.fingerprint != seen(exceptionOccurrences=[moved(1)], cancelledOccurrences=ids).fingerprint
        assert one.fingerprint != seen(exceptionOccurrences=[moved(1), moved(2)]).fingerprint

    def test_odd_ones_are_left_out_and_the_others_stay(self) -> None:
        """Whoever wrote them, the series is still one."""
        odd = [
            5,
            None,
            "x",
            {},
            {"id": "x"},
            {"start": "soon"},
            moved(1, originalStart=None),
            moved(1, originalStart="9999-12-31T23:59:59Z"),
            moved(1, start=None),
            moved(1, end={"dateTime": "2031-05-13T07:00:00", "timeZone": "UTC"}),
            moved(1, end={"dateTime": "9999-12-31T23:59:59", "timeZone": "UTC"}),
            moved(1, start={"dateTime": "2031-05-13T07:00:00", "timeZone": "Atlantis"}),
        ]
        ids = [5, None, "", "OID.s.", "OID.s.2031-02-30", "OID.s.0000-01-01", "OID.s.20310513", "x" * 100_000]
        assert series(exceptionOccurrences=[*odd, moved(3)], cancelledOccurrences=ids) == series(
            exceptionOccurrences=[moved(3)]
        )
        assert series(exceptionOccurrences=None, cancelledOccurrences=None) == series()

    def test_thousands_of_them_take_little_time(self) -> None:
        many = [moved(number) for number in range(1, 6001)]
        began = clock.perf_counter()
        found = seen(exceptionOccurrences=many, cancelledOccurrences=[f"OID.s.{DAY + n * WEEK}" for n in range(6000)])
        assert clock.perf_counter() - began < 15
        assert found.series is not None
        assert len(found.series.moved) <= 5000
        assert len(found.changed) == 50

    def test_huge_counts_take_no_time(self) -> None:
        for limits in (
            NO_END | {"type": "numbered", "numberOfOccurrences": 100_000},
            NO_END | {"type": "endDate", "endDate": "9999-12-31"},
        ):
            for said, _ in PATTERNS:
                began = clock.perf_counter()
                span = seen(said, limits).span
                assert clock.perf_counter() - began < 2
                assert span is not None
                assert span.until is not None
                assert span.until.date() <= LAST_DAY + timedelta(days=1)

    @pytest.mark.parametrize("when", ["0001-01-01T00:00:00", "1600-12-31T00:00:00", "9999-12-31T23:59:59"])
    def test_times_of_no_calendar_are_no_series(self, when: str) -> None:
        odd = {"dateTime": when, "timeZone": "UTC"}
        for zone in ("UTC", BERLIN, "Pacific Standard Time", "Atlantis"):
            for times in ({"start": odd, "end": odd}, {"end": odd}):
                event = read_event(master("s", originalStartTimeZone=zone, **times))
                assert isinstance(event, Event)
                found = facts.observation(event, MAILBOX)
                assert not isinstance(found, Observation) or found.series is None


class TestWholeDays:
    """Graph shows midnights without a zone; two properties hold the instants of the master, and none those of exceptions."""

    FLOATING = datetime(2031, 5, 6, tzinfo=UTC)

    def series(self, zone: str, *properties: tuple[str, datetime], **more: Any) -> Series:
        return series(
            isAllDay=True,
            start=moment(self.FLOATING),
            end=moment(self.FLOATING + timedelta(days=1)),
            originalStartTimeZone=zone,
            singleValueExtendedProperties=[
                {"id": name.lower(), "value": f"{value:%Y-%m-%dT%H:%M:%SZ}"} for name, value in properties
            ],
            **more,
        )

    @pytest.mark.parametrize("zone", [BERLIN, "Pacific Standard Time", "UTC", "Tonga Standard Time"])
    def test_they_begin_at_midnight_in_their_zone(self, zone: str) -> None:
        here = zones.tzinfo_of(Zone(zone))
        true = self.FLOATING.replace(tzinfo=here)
        with_instants = self.series(
            zone, (START_WHOLE, true.astimezone(UTC)), (END_WHOLE, true.astimezone(UTC) + timedelta(days=1))
        )
        for found in (with_instants, self.series(zone)):
            assert (found.begins.hour, found.length) == (0, timedelta(days=1))
            first = found.occurrences.first
            assert first is not None
            assert (first.day, first.start) == (DAY, true.astimezone(UTC))

    @pytest.mark.parametrize("zone", [BERLIN, "Pacific Standard Time", "UTC", "Tonga Standard Time"])
    @pytest.mark.parametrize("told", ["floating", "instant"])
    def test_exceptions_are_those_of_the_day_that_is_meant(self, zone: str, told: str) -> None:
        here = zones.tzinfo_of(Zone(zone))
        original = self.FLOATING + WEEK if told == "floating" else (self.FLOATING + WEEK).replace(tzinfo=here)
        now = self.FLOATING + WEEK + timedelta(days=1)
        exception = moved(1) | {
            "originalStart": f"{original.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "start": moment(now),
            "end": moment(now + timedelta(days=1)),
            "isAllDay": True,
        }
        (one,) = self.series(zone, exceptionOccurrences=[exception]).moved
        assert one.day == DAY + WEEK
        assert one.start == now.replace(tzinfo=here)
        assert one.end == (now + timedelta(days=1)).replace(tzinfo=here)


class TestAnswers:
    def test_each_exception_tells_its_item_and_what_was_answered(self) -> None:
        answered = {"response": "accepted", "time": "2031-01-02T03:04:05Z"}
        found = seen(
            exceptionOccurrences=[
                moved(3, responseStatus={"response": "notResponded", "time": "0001-01-01T00:00:00Z"}),
                moved(1, responseStatus=answered),
                moved(2),
                moved(4, isCancelled=True),
                moved(5, id=""),
            ]
        ).changed
        assert [(one.day, one.ref.id if one.ref else None, one.response) for one in found] == [
            (DAY + WEEK, "x1", Response.ACCEPTED),
            (DAY + 2 * WEEK, "x2", None),
            (DAY + 3 * WEEK, "x3", Response.NONE),
            (DAY + 5 * WEEK, None, None),
        ]
        assert [one.replied_at for one in found] == [datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC), None, None, None]

    def test_of_very_many_the_latest_are_told(self) -> None:
        found = seen(exceptionOccurrences=[moved(number) for number in range(80)]).changed
        assert [one.day for one in found] == [DAY + number * WEEK for number in range(30, 80)]

    def test_answers_are_no_part_of_the_fingerprint(self) -> None:
        answered = {"response": "accepted", "time": "2031-01-02T03:04:05Z"}
        one = seen(exceptionOccurrences=[moved(1)])
        assert one.fingerprint == seen(exceptionOccurrences=[moved(1, responseStatus=answered)]).fingerprint
