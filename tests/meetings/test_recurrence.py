"""Series: what takes place when, around changes of clocks, with exceptions, and what is no series at all."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from greenroom.meetings.recurrence import MAX_LENGTH, Moved, Occurrences, Series
from greenroom.meetings.rules import AbsoluteMonthly, Daily, Nth, RelativeMonthly, Rule, Weekly
from greenroom.meetings.zones import Zone

HOUR = timedelta(hours=1)
HALF = HOUR / 2
DAY = timedelta(days=1)
BERLIN = Zone("W. Europe Standard Time")
NOTHING = timedelta()
ANY = r"."


def at(text: str, zone: str = "UTC") -> datetime:
    """An instant, told by the clocks of a place."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def series(rule: Rule, begins: str = "10:00", length: timedelta = HOUR, zone: Zone = BERLIN, **more: Any) -> Series:
    return Series(rule, time.fromisoformat(begins), length, zone, **more)


def daily(start: str, **more: Any) -> Series:
    return series(Rule(Daily(), date.fromisoformat(start)), **more)


def span(found: Occurrences, day: str) -> tuple[str, str]:
    """An occurrence's start and end, as 05T23:30 in UTC."""
    one = found.on(date.fromisoformat(day))
    assert one is not None
    return f"{one.start:%dT%H:%M}", f"{one.end:%dT%H:%M}"


class TestClocks:
    def test_a_weekly_meeting_stays_at_ten_when_clocks_go_forward(self) -> None:
        found = series(Rule(Weekly(1, (0,)), date(2027, 3, 22))).occurrences
        assert [span(found, "2027-03-22"), span(found, "2027-03-29")] == [
            ("22T09:00", "22T10:00"),
            ("29T08:00", "29T09:00"),
        ]

    def test_a_night_shift_ends_by_the_clock_on_the_wall(self) -> None:
        found = daily("2027-03-01", begins="22:00", length=8 * HOUR).occurrences
        assert span(found, "2027-03-27") == ("27T21:00", "28T04:00")
        assert span(found, "2027-10-30") == ("30T20:00", "31T05:00")

    def test_what_is_meant_for_a_skipped_time_begins_as_far_behind_the_gap(self) -> None:
        found = daily("2027-03-01", begins="02:15", length=HALF).occurrences
        assert span(found, "2027-03-28") == ("28T01:15", "28T01:45")

    def test_an_end_that_would_lie_before_the_start_counts_exactly(self) -> None:
        found = daily("2027-03-01", begins="02:30", length=HOUR).occurrences
        assert span(found, "2027-03-28") == ("28T01:30", "28T02:30")
        assert span(daily("2027-03-01", begins="02:30", length=HALF).occurrences, "2027-03-28") == (
            "28T01:30",
            "28T02:00",
        )

    def test_what_is_meant_for_a_doubled_time_begins_the_first_time(self) -> None:
        found = daily("2027-10-01", begins="02:30", length=HOUR).occurrences
        assert span(found, "2027-10-31") == ("31T00:30", "31T02:30")

    def test_an_hour_that_comes_twice_is_found_in_both(self) -> None:
        found = series(Rule(Daily(), date(2027, 10, 31), count=1), begins="02:30", length=HALF / 2).occurrences
        assert found.covering(at("2027-10-31T00:29"), NOTHING, NOTHING) == []
        assert found.is_covered(at("2027-10-31T00:30"), NOTHING, NOTHING)
        # 02:10 for the second time: it was meant for a later minute, and has been.
        second = at("2027-10-31T01:10")
        assert found.before(second) == found.on(date(2027, 10, 31))
        assert found.after(second) is None
        assert not found.is_covered(second, NOTHING, NOTHING)
        assert found.is_covered(second, NOTHING, HOUR)

    def test_clocks_that_are_put_back_across_midnight(self) -> None:
        # Newfoundland, 2010-11-07: at 00:01 it was 23:01 of the day before again.
        found = daily("2010-11-01", begins="00:00", length=HOUR / 4, zone=Zone("America/St_Johns")).occurrences
        first = at("2010-11-07T02:30")
        assert found.before(first + HALF) == found.on(date(2010, 11, 7))
        assert found.after(first) == found.on(date(2010, 11, 8))

    def test_a_half_hour_change(self) -> None:
        found = daily("2027-04-01", begins="09:00", zone=Zone("Australia/Lord_Howe")).occurrences
        assert [span(found, "2027-04-03"), span(found, "2027-04-04")] == [
            ("02T22:00", "02T23:00"),
            ("03T22:30", "03T23:30"),
        ]

    def test_a_day_that_was_left_out_falls_on_the_next(self) -> None:
        found = daily("2011-12-28", zone=Zone("Pacific/Apia")).occurrences
        assert span(found, "2011-12-30") == span(found, "2011-12-31") == ("30T20:00", "30T21:00")
        both = list(found.between(at("2011-12-30T20:00"), at("2011-12-30T21:00")))
        assert [one.day.day for one in both] == [30, 31]

    def test_midnight_that_does_not_exist(self) -> None:
        # Sao Paulo, 2018-11-04: clocks went from midnight to one.
        found = series(Rule(Daily(), date(2018, 11, 3), count=2), "00:00", DAY, Zone("America/Sao_Paulo")).occurrences
        assert [span(found, "2018-11-03"), span(found, "2018-11-04")] == [
            ("03T03:00", "04T03:00"),
            ("04T03:00", "05T02:00"),
        ]


class TestLength:
    def test_days_without_end_of_one_another(self) -> None:
        found = daily("2026-01-01", begins="00:00", length=3 * DAY).occurrences
        covering = found.covering(at("2026-06-10T12:00"), NOTHING, NOTHING)
        assert [one.day.day for one in covering] == [8, 9, 10]
        within = found.between(at("2026-06-10T12:00"), at("2026-06-10T12:01"))
        assert [one.day.day for one in within] == [8, 9, 10]

    def test_of_very_many_at_once_the_latest_are_told(self) -> None:
        found = daily("2000-01-01", length=MAX_LENGTH).occurrences
        covering = found.covering(at("2026-06-10T12:00"), NOTHING, NOTHING)
        assert (len(covering), covering[-1].day) == (16, date(2026, 6, 10))
        assert found.is_covered(at("2026-06-10T09:00"), NOTHING, NOTHING)

    def test_what_takes_no_time_is_seen_only_at_its_instant(self) -> None:
        found = daily("2026-01-01", length=NOTHING).occurrences
        start = at("2026-06-10T08:00")
        assert not found.is_covered(start, NOTHING, NOTHING)
        assert found.is_covered(start, NOTHING, HOUR)
        assert [one.start for one in found.between(start, start + HOUR)] == [start]
        assert list(found.between(start + HOUR / 60, start + HOUR)) == []

    @pytest.mark.parametrize("length", [-HOUR, MAX_LENGTH + DAY, timedelta.max])
    def test_a_length_no_calendar_allows_is_refused(self, length: timedelta) -> None:
        with pytest.raises(ValueError, match="no sense"):
            daily("2026-01-01", length=length)


class TestExceptions:
    MOVED = Moved(date(2026, 12, 14), at("2026-12-16T13:00"), at("2026-12-16T15:00"))

    def test_a_moved_occurrence_is_known_by_its_first_day(self) -> None:
        found = series(Rule(Weekly(1, (0,)), date(2026, 12, 7)), moved=(self.MOVED,)).occurrences
        assert span(found, "2026-12-14") == ("16T13:00", "16T15:00")
        after = found.after(at("2026-12-10T00:00"))
        assert after is not None
        assert after.day == date(2026, 12, 14)
        assert found.on(date(2026, 12, 16)) is None
        assert [one.day.day for one in found.between(at("2026-12-01T00:00"), at("2026-12-31T00:00"))] == [7, 14, 21, 28]

    def test_a_cancelled_occurrence_does_not_take_place(self) -> None:
        found = series(Rule(Weekly(1, (0,)), date(2026, 12, 7)), gone=frozenset({date(2026, 12, 14)})).occurrences
        assert found.on(date(2026, 12, 14)) is None
        assert not found.is_covered(at("2026-12-14T09:30"), NOTHING, NOTHING)
        assert found.day_of(at("2026-12-14T09:00")) == date(2026, 12, 14)

    def test_one_moved_before_the_start_or_past_the_end_is_first_or_last(self) -> None:
        rule = Rule(Weekly(1, (0,)), date(2026, 12, 7), count=3)
        early = Moved(date(2026, 12, 14), at("2026-11-01T09:00"), at("2026-11-01T10:00"))
        late = Moved(date(2026, 12, 21), at("2028-01-01T09:00"), at("2028-01-01T10:00"))
        found = series(rule, moved=(early, late)).occurrences
        assert found.first is not None
        assert (found.first.day, found.last_end) == (early.day, late.end)
        assert found.after(at("2027-01-01T00:00")) == found.on(late.day)

    def test_a_series_of_which_nothing_is_left_has_no_end(self) -> None:
        rule = Rule(Daily(), date(2026, 12, 7), count=2)
        found = series(rule, gone=frozenset({date(2026, 12, 7), date(2026, 12, 8)})).occurrences
        assert (found.first, found.last_end, found.is_endless) == (None, None, False)
        assert found.after(at("2000-01-01T00:00")) is found.before(at("2100-01-01T00:00")) is None
        assert list(found.between(at("2000-01-01T00:00"), at("2100-01-01T00:00"))) == []

    def test_the_end_is_that_of_the_last_that_is_left(self) -> None:
        rule = Rule(AbsoluteMonthly(1, 31), date(2026, 12, 31), count=6)
        assert series(rule).occurrences.last_end == at("2027-05-31T09:00")
        gone = frozenset({date(2027, 5, 31), date(2027, 4, 30)})
        assert series(rule, gone=gone).occurrences.last_end == at("2027-03-31T09:00")

    def test_an_original_start_under_other_zone_data_finds_its_day(self) -> None:
        found = daily("2026-01-01", begins="00:30").occurrences
        assert found.day_of(at("2026-06-09T22:30")) == date(2026, 6, 10)
        assert found.day_of(at("2026-06-09T21:30")) == date(2026, 6, 10)
        assert found.day_of(at("2026-06-09T23:30")) == date(2026, 6, 10)

    def test_an_original_start_that_fits_nothing_is_its_own_day(self) -> None:
        found = series(Rule(Weekly(1, (0,)), date(2026, 12, 7))).occurrences
        assert found.day_of(at("2026-12-10T09:00")) == date(2026, 12, 10)

    @pytest.mark.parametrize(
        "more",
        [
            {"moved": (MOVED, MOVED)},
            {"moved": (Moved(date(2026, 12, 21), MOVED.start, MOVED.end), MOVED)},
            {"moved": (MOVED,), "gone": frozenset({MOVED.day})},
            {"moved": (Moved(MOVED.day, MOVED.end, MOVED.start),)},
            {"moved": (Moved(MOVED.day, datetime.min.replace(tzinfo=UTC), MOVED.start),)},
            {"moved": (Moved(MOVED.day, MOVED.start, datetime.max.replace(tzinfo=UTC)),)},
        ],
        ids=["twice", "unordered", "moved and gone", "backwards", "long ago", "far away"],
    )
    def test_exceptions_that_contradict_are_refused(self, more: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="occurrence"):
            daily("2026-12-07", **more)


class TestOfProtocols:
    def test_both_protocols_make_the_same_of_instants_and_days(self) -> None:
        rule = Rule(Weekly(1, (0,)), date(2026, 12, 7))
        start, end = at("2026-12-07T09:00"), at("2026-12-07T10:00")
        new = at("2026-12-16T13:00"), at("2026-12-16T15:00")
        ews = Series.of(rule, start, end, BERLIN, moved=[(at("2026-12-14T09:00"), *new)], gone=[at("2026-12-21T09:00")])
        graph = Series.of(rule, start, end, BERLIN, moved=[(date(2026, 12, 14), *new)], gone=[date(2026, 12, 21)])
        assert ews == graph
        assert ews.text == graph.text
        assert Series.parse(ews.text) == ews
        assert ews.frame == Series.of(rule, start, end, BERLIN)

    def test_what_moved_is_not_gone_and_later_words_count(self) -> None:
        rule = Rule(Daily(), date(2026, 12, 7))
        start, end, day = at("2026-12-07T09:00"), at("2026-12-07T10:00"), date(2026, 12, 8)
        found = Series.of(rule, start, end, BERLIN, moved=[(day, start, end), (day, end, start)], gone=[day])
        assert (found.moved, found.gone) == ((Moved(day, end, end),), frozenset())

    def test_a_first_occurrence_while_clocks_are_put_back_keeps_its_length(self) -> None:
        rule = Rule(Daily(), date(2027, 10, 31))
        found = Series.of(rule, at("2027-10-31T00:30"), at("2027-10-31T01:15"), BERLIN)
        assert (found.begins, found.length) == (time(2, 30), HALF * 3 / 2)

    @pytest.mark.parametrize("year", [1, 9999])
    def test_times_out_of_every_calendar_are_refused(self, year: int) -> None:
        rule = Rule(Daily(), date(2026, 12, 7))
        edge = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime.max.replace(tzinfo=UTC)
        with pytest.raises(ValueError, match=ANY):
            Series.of(rule, edge, edge, Zone("America/New_York" if year == 1 else "Asia/Tokyo"))
        with pytest.raises(ValueError, match=ANY):
            Series.of(rule, at("2026-12-07T09:00"), at("2026-12-07T10:00"), BERLIN, moved=[(edge, edge, edge)])

    def test_the_questions_are_made_once(self) -> None:
        one = daily("2026-01-01")
        assert one.occurrences is one.occurrences


class TestExtremes:
    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
    @pytest.mark.parametrize("pattern", [Daily(), RelativeMonthly(1, (0,), Nth.LAST)])
    def test_questions_at_the_ends_of_time_have_answers(self, zone: str, pattern: Any) -> None:
        found = series(Rule(pattern, date(1601, 1, 1)), length=MAX_LENGTH, zone=Zone(zone)).occurrences
        least, most = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        assert found.before(least) is None
        assert found.after(most) is None
        assert found.after(least) == found.first
        last = found.before(most)
        assert last is not None
        assert last.end.year == 4505
        assert not found.is_covered(most - DAY, DAY, NOTHING)
        assert list(found.between(last.end, most)) == []

    def test_thousands_of_cancelled_occurrences_are_passed_over(self) -> None:
        gone = frozenset(date(2000, 1, 2) + DAY * number for number in range(9000))
        found = daily("2000-01-01", gone=gone).occurrences
        assert found.after(at("2010-01-01T00:00")) == found.on(date(2000, 1, 2) + 9000 * DAY)
        assert found.before(at("2010-01-01T00:00")) == found.on(date(2000, 1, 1))
        assert found.covering(at("2010-01-01T09:30"), HOUR, HOUR) == []


GOOD = daily("2026-12-07", moved=(TestExceptions.MOVED,), gone=frozenset({date(2026, 12, 21)}))


class TestText:
    def test_it_says_all_and_is_read_again(self) -> None:
        assert Series.parse(GOOD.text) == GOOD
        assert Series.parse(GOOD.text).text == GOOD.text
        assert hash(Series.parse(GOOD.text)) == hash(GOOD)

    @pytest.mark.parametrize(
        "change",
        [
            {"pattern": "hourly"},
            {"pattern": ["daily"]},
            {"interval": "1"},
            {"interval": 1.5},
            {"interval": True},
            {"interval": 10**400},
            {"interval": None},
            {"start": "0001-01-01"},
            {"start": 20261207},
            {"until": ""},
            {"until": "2026-13-01"},
            {"count": -1},
            {"count": True},
            {"begins": "10:00+01:00"},
            {"begins": "25:00"},
            {"length": "3600"},
            {"length": 1e300},
            {"length": float("inf")},
            {"length": float("nan")},
            {"length": -1},
            {"zone": 1},
            {"definition": ["x"]},
            {"moved": [["2026-12-14", "2026-12-16T13:00:00", "2026-12-16T15:00:00"]]},
            {"moved": [["2026-12-14", "0001-01-01T00:00:00+14:00", "2026-12-16T15:00:00+00:00"]]},
            {"moved": [["2026-12-14"]]},
            {"moved": 5},
            {"moved": {"a": 1}},
            {"gone": [5]},
            {"gone": "2026-12-21"},
            {"gone": ["2026-12-14"]},
        ],
        ids=str,
    )
    def test_what_is_no_series_is_a_value_error(self, change: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=ANY):
            Series.parse(json.dumps(json.loads(GOOD.text) | change))

    @pytest.mark.parametrize("text", ["", "null", "5", '"x"', "[]", "{}", "[" * 100_000, '{"a":' * 100_000, "\x00"])
    def test_text_that_is_anything_else_is_a_value_error(self, text: str) -> None:
        with pytest.raises(ValueError, match=ANY):
            Series.parse(text)

    @pytest.mark.parametrize("name", list(json.loads(GOOD.text)))
    def test_every_value_may_be_missing_or_of_any_kind(self, name: str) -> None:
        said = json.loads(GOOD.text)
        values: list[Any] = [None, [], {}, "", "x", 0, -1, 1e308, [[]], [None], {"a": {}}]
        for value in values:
            try:
                Series.parse(json.dumps(said | {name: value}))
            except ValueError:
                continue  # anything else would fail the test
