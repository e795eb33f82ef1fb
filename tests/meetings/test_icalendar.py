"""Series as calendars: what is written, what other people's calendars say, and what is none."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import icalendar as peer
import pytest
import recurring_ical_events  # type: ignore[import-untyped]  # it comes without types
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings import content_lines, icalendar
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import AbsoluteMonthly, Daily, Rule, Weekly
from greenroom.meetings.zone_rules import Onset, define
from greenroom.meetings.zones import CUSTOM, Zone
from support.shared import shared_path

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STAMP = datetime(2026, 11, 21, 12, tzinfo=UTC)
BERLIN = Zone("W. Europe Standard Time")
MONDAYS = Rule(Weekly(1, (0,), 0), date(2026, 12, 7))
ANY = r"."


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def series(rule: Rule = MONDAYS, **more: Any) -> Series:
    return Series(rule, more.pop("begins", time(10)), more.pop("length", HOUR), more.pop("zone", BERLIN), **more)


def calendar(*lines: str, more: str = "") -> str:
    """A calendar with one event."""
    event = ("BEGIN:VEVENT", "UID:a", *lines, "END:VEVENT")
    return "\r\n".join(("BEGIN:VCALENDAR", *event)) + "\r\n" + more + "END:VCALENDAR\r\n"


def weekly(*lines: str, start: str = "DTSTART;TZID=Europe/Berlin:20261207T100000") -> str:
    return calendar(start, "DTEND;TZID=Europe/Berlin:20261207T110000", "RRULE:FREQ=WEEKLY", *lines)


class TestWriting:
    def test_a_series_has_times_with_their_zone_its_rule_and_what_is_gone(self) -> None:
        text = icalendar.write(series(gone=frozenset({date(2026, 12, 14)})), "a@b", STAMP, define_zone=False)
        assert text.split("\r\n") == [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Greenroom//EN",
            "BEGIN:VEVENT",
            "UID:a@b",
            "DTSTAMP:20261121T120000Z",
            "DTSTART;TZID=W. Europe Standard Time:20261207T100000",
            "DTEND;TZID=W. Europe Standard Time:20261207T110000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=MO",
            "EXDATE;TZID=W. Europe Standard Time:20261214T100000",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]

    def test_a_moved_occurrence_is_an_event_of_its_own(self) -> None:
        moved = Moved(date(2026, 12, 14), at("2026-12-16T13:00"), at("2026-12-16T15:00"))
        text = icalendar.write(series(moved=(moved,)), "a@b", STAMP)
        assert (
            "RECURRENCE-ID;TZID=W. Europe Standard Time:20261214T100000\r\nDTSTART:20261216T130000Z\r\nDTEND:2" in text
        )
        assert text.count("BEGIN:VEVENT") == 2
        assert text.count("BEGIN:VTIMEZONE") == 1

    def test_a_start_that_is_no_occurrence_is_not_written(self) -> None:
        text = icalendar.write(series(Rule(Weekly(2, (0, 4), 0), date(2026, 12, 1), count=3)), "a@b", STAMP)
        assert "DTSTART;TZID=W. Europe Standard Time:20261204T100000" in text
        assert "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=MO;COUNT=3" in text

    def test_the_last_day_is_an_instant_where_starts_are(self) -> None:
        rule = Rule(Daily(), date(2026, 12, 7), until=date(2027, 7, 1))
        assert "RRULE:FREQ=DAILY;UNTIL=20270701T080000Z" in icalendar.write(series(rule), "a@b", STAMP)
        days = series(rule, begins=time(), length=2 * DAY)
        text = icalendar.write(days, "a@b", STAMP, all_day=True)
        assert "DTSTART;VALUE=DATE:20261207\r\nDTEND;VALUE=DATE:20261209\r\nRRULE:FREQ=DAILY;UNTIL=20270701\r\n" in text
        assert "VTIMEZONE" not in text

    def test_a_whole_day_that_moved_is_told_in_days_or_wholly_in_times(self) -> None:
        def told(start: str, end: str) -> str:
            moved = Moved(date(2026, 12, 14), at(start), at(end))
            return icalendar.write(series(begins=time(), length=DAY, moved=(moved,)), "a@b", STAMP, all_day=True)

        assert "DTSTART;VALUE=DATE:20261216\r\nDTEND;VALUE=DATE:20261218" in told(
            "2026-12-15T23:00", "2026-12-17T23:00"
        )
        assert "DTSTART:20261215T230000Z\r\nDTEND:20261216T010000Z" in told("2026-12-15T23:00", "2026-12-16T01:00")

    def test_utc_needs_no_zone(self) -> None:
        text = icalendar.write(series(zone=Zone("UTC")), "a@b", STAMP)
        assert "DTSTART:20261207T100000Z" in text
        assert "TZ" not in text.replace("00Z", "")

    def test_a_zone_of_its_own_comes_with_its_clocks(self) -> None:
        zone = Zone(
            CUSTOM,
            define({"s": -HOUR, "d": -3 * HOUR}, {"0": [_last_sunday("d", 3), _last_sunday("s", 10)]}, [(None, "0")]),
        )
        own = series(Rule(Daily(), date(2027, 3, 1)), zone=zone)
        text = icalendar.write(own, "a@b", STAMP)
        assert f'DTSTART;TZID="{CUSTOM}":20270301T100000' in text
        assert icalendar.read(text) == own
        theirs = recurring_ical_events.of(peer.Calendar.from_ical(text)).between(
            at("2027-03-20T00:00"), at("2027-11-10T00:00")
        )
        ours = [one.start for one in own.occurrences.between(at("2027-03-20T00:00"), at("2027-11-10T00:00"))]
        assert sorted(one["DTSTART"].dt.astimezone(UTC) for one in theirs) == ours

    def test_names_and_ids_break_no_line(self) -> None:
        text = icalendar.write(series(zone=Zone('x";\r\nBEGIN:VEVENT\r\n:ä' * 9)), "a\r\nb;c,d\\" * 30, STAMP)
        assert text.count("\nBEGIN:VEVENT") == 1
        assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
        assert peer.Calendar.from_ical(text).walk("VEVENT")[0]["UID"] == "a\nb;c,d\\" * 30

    def test_what_has_no_day_cannot_be_written(self) -> None:
        with pytest.raises(ValueError, match="without any day"):
            icalendar.write(series(Rule(Daily(), date(2026, 12, 7), until=date(2026, 12, 6))), "a@b", STAMP)
        with pytest.raises(ValueError, match="midnight"):
            icalendar.write(series(), "a@b", STAMP, all_day=True)


def _last_sunday(to: str, month: int) -> Onset:
    return Onset(to, month=month, weekday=6, nth=-1, at=2 * HOUR)


class TestReading:
    def test_what_google_sends(self) -> None:
        found = icalendar.read((shared_path("captures/ics") / "gcal_recur.ics").read_text(encoding="utf-8"))
        rule = Rule(Weekly(1, (0,), 6), date(2015, 1, 12))
        assert found == Series(rule, time(13, 30), HOUR, Zone("America/Los_Angeles"))

    def test_exceptions_of_all_kinds(self) -> None:
        other = "BEGIN:VEVENT\r\nUID:{}\r\nRECURRENCE-ID:{}\r\n{}\r\nEND:VEVENT\r\n"
        more = (
            other.format("a", "20261214T090000Z", "DTSTART;TZID=America/New_York:20261216T080000\r\nDURATION:PT2H")
            + other.format("a", "20261228T090000Z", "STATUS:CANCELLED")
            + other.format("another", "20270104T090000Z", "DTSTART:20270105T090000Z")
        )
        text = calendar(
            "DTSTART;TZID=Europe/Berlin:20261207T100000",
            "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;COUNT=9",
            "EXDATE;TZID=Europe/Berlin:20261221T100000,20270111T100000",
            "EXDATE;VALUE=DATE:20270118",
            more=more,
        )
        found = icalendar.read(text)
        assert found is not None
        assert found.moved == (Moved(date(2026, 12, 14), at("2026-12-16T13:00"), at("2026-12-16T15:00")),)
        assert sorted(found.gone) == [date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 11), date(2027, 1, 18)]

    def test_days_are_of_the_zone_of_whoever_reads(self) -> None:
        text = calendar("DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=DAILY;UNTIL=20261210", "EXDATE;VALUE=DATE:20261208")
        found = icalendar.read(text, BERLIN)
        rule = Rule(Daily(), date(2026, 12, 7), until=date(2026, 12, 10))
        assert found == Series(rule, time(), DAY, BERLIN, gone=frozenset({date(2026, 12, 8)}))
        assert found is not None
        assert found.occurrences.last_end == at("2026-12-10T23:00")

    def test_times_without_a_zone_are_too(self) -> None:
        found = icalendar.read(calendar("DTSTART:20261207T100000", "RRULE:FREQ=DAILY"), BERLIN)
        assert found is not None
        assert (found.begins, found.length, found.zone) == (time(10), timedelta(), BERLIN)

    def test_a_start_in_utc_recurs_in_utc(self) -> None:
        found = icalendar.read(weekly(start="DTSTART:20261207T090000Z"))
        assert found is not None
        assert (found.begins, found.zone, found.length) == (time(9), Zone("UTC"), HOUR)

    @pytest.mark.parametrize(
        ("said", "length"),
        [
            ("PT90M", HOUR * 3 / 2),
            ("P1D", DAY),
            ("P1W", 7 * DAY),
            ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
            ("+PT1H", HOUR),
            ("PT0S", timedelta()),
        ],
    )
    def test_lengths(self, said: str, length: timedelta) -> None:
        text = calendar("DTSTART;TZID=Europe/Berlin:20261207T100000", f"DURATION:{said}", "RRULE:FREQ=WEEKLY")
        found = icalendar.read(text)
        assert found is not None
        assert found.length == length

    def test_a_day_is_one_of_the_calendar_and_an_hour_one_of_the_stopwatch(self) -> None:
        start = "DTSTART;TZID=Europe/Berlin:20270327T100000"  # clocks go forward the night after
        day, hours = (
            icalendar.read(calendar(start, f"DURATION:{said}", "RRULE:FREQ=YEARLY")) for said in ("P1D", "PT24H")
        )
        assert day is not None
        assert hours is not None
        assert (day.length, hours.length) == (DAY, 25 * HOUR)

    def test_a_first_start_in_a_skipped_hour_keeps_its_time_on_the_wall(self) -> None:
        found = icalendar.read(
            calendar("DTSTART;TZID=Europe/Berlin:20270328T023000", "DURATION:PT30M", "RRULE:FREQ=DAILY")
        )
        assert found is not None
        assert found.begins == time(2, 30)
        assert found.occurrences.first is not None
        assert found.occurrences.first.start == at("2027-03-28T01:30")

    def test_a_zone_that_only_the_calendar_knows(self) -> None:
        zone = """BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r
TZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"""
        text = calendar("DTSTART;TZID=Ours:20261207T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY", more=zone)
        found = icalendar.read(text)
        assert found is not None
        assert found.zone.definition
        assert found.occurrences.first is not None
        assert found.occurrences.first.start == at("2026-12-07T07:00")

    def test_a_bad_definition_of_a_zone_whose_name_is_known_does_no_harm(self) -> None:
        zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nEND:VTIMEZONE\r\n"
        start = "DTSTART;TZID=Europe/Berlin:20261207T100000"
        found = icalendar.read(calendar(start, "RRULE:FREQ=DAILY", more=zone))
        assert found is not None
        assert found.zone == Zone("Europe/Berlin")
        with pytest.raises(ValueError, match=ANY):
            icalendar.read(calendar(start, "RRULE:FREQ=DAILY", more=zone).replace("Europe/Berlin", "Nowhere"))

    def test_alarms_and_other_events_are_not_the_series(self) -> None:
        alarm = ("BEGIN:VALARM", "DURATION:PT5M", "RRULE:FREQ=HOURLY", "END:VALARM")
        single = "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n"
        text = weekly(*alarm).replace("BEGIN:VEVENT", single + "BEGIN:VEVENT", 1)
        found = icalendar.read(text)
        assert found is not None
        assert found.rule.start == date(2026, 12, 7)

    @pytest.mark.parametrize(
        "text",
        [
            weekly("RRULE:FREQ=DAILY"),
            weekly("RDATE;TZID=Europe/Berlin:20261209T100000"),
            weekly("EXRULE:FREQ=MONTHLY"),
            weekly().replace("RRULE:FREQ=WEEKLY", "X-MICROSOFT-RRULE:FREQ=MONTHLY"),
            weekly().replace("FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
            weekly().replace(
                "END:VCALENDAR",
                "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261214T090000Z\r\nDTSTART:20261214T100000Z\r\n"
                "END:VEVENT\r\nEND:VCALENDAR",
            ),
        ],
        ids=["two rules", "more dates", "a rule of exceptions", "another calendar", "unsayable", "this and following"],
    )
    def test_what_exchange_cannot_say_is_none(self, text: str) -> None:
        assert icalendar.read(text) is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n",
            calendar("DTSTART:20261207T100000Z"),
            calendar("RRULE:FREQ=DAILY"),
            calendar("DTSTART:20261307T100000Z", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:now", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:00010101T000000", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:99991231T235959", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:20261207T100000Z", "DURATION:-PT1H", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:20261207T100000Z", "DURATION:P", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:20261207T100000Z", "DURATION:P99999W", "RRULE:FREQ=DAILY"),
            calendar("DTSTART:20261207T100000Z", "DTEND:20991207T100000Z", "RRULE:FREQ=DAILY"),
            weekly("EXDATE:never"),
            weekly("EXDATE:" + ",".join(["20261214T090000Z"] * 20_000)),
            "BEGIN:VCALENDAR\r\n" * 100,
            "BEGIN:VCALENDAR\r\n" + "X:1\r\n" * 60_000 + "END:VCALENDAR\r\n",
            "x" * 2_000_000,
        ],
        ids=range(19),
    )
    def test_what_is_no_series_is_a_value_error(self, text: str) -> None:
        with pytest.raises(ValueError, match=ANY):
            icalendar.read(text)


GOOD = icalendar.write(
    series(
        Rule(AbsoluteMonthly(1, 30), date(2026, 12, 1), until=date(2029, 1, 1)),
        moved=(Moved(date(2027, 2, 28), at("2027-03-01T10:00"), at("2027-03-01T11:00")),),
        gone=frozenset({date(2027, 1, 30)}),
    ),
    "a@b",
    STAMP,
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    st.integers(0, len(GOOD)),
    st.integers(0, 40),
    st.text(max_size=12) | st.sampled_from(["\r\n", ":", ";", "Z", "99999999"]),
)
def test_a_damaged_calendar_is_read_or_refused(at_: int, length: int, instead: str) -> None:
    try:
        icalendar.read(GOOD[:at_] + instead + GOOD[at_ + length :])
    except ValueError:
        return


class TestLines:
    def test_folded_lines_and_quoted_parameters(self) -> None:
        text = 'BEGIN:A\r\nX;P="a:b;c",d;Q=e:va\r\n lue:1\nY:2\r\nodd line\r\nEND:a\r\n'
        (found,) = content_lines.read(text).components
        first = found.one("X")
        assert first == content_lines.Property("X", "value:1", {"P": "a:b;c", "Q": "e"})
        assert [one.value for one in found.all("Y")] == ["2"]
        assert found.one("Z") is None

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(st.text(max_size=200))
    def test_what_is_written_is_read_again(self, value: str) -> None:
        value = content_lines.write([value]).replace("\r\n ", "").removesuffix("\r\n")
        (found,) = content_lines.read(content_lines.write(["BEGIN:A", f"X:{value}", "END:A"])).components
        assert [one.value for one in found.properties[:1]] == [value]

    def test_a_line_is_read_in_time_that_grows_with_its_length(self) -> None:
        for unit in (";a=b", ';a="b"', ',"', ";a=b,c", '"', ";", ":"):
            content_lines.read("X" + unit * 100_000 + "\r\n")
