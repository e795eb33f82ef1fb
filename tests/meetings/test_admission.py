"""When a room lets people in: windows around occurrences, of one meeting or several."""

import json
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.admission import Admission, AdmissionWindow, Once, last_end
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import Daily, Rule, Weekly
from greenroom.meetings.zones import Zone, unknown_zone

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOTHING = timedelta()
UTC_ZONE = Zone("UTC")
ANY = r"."


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(start: str = "2026-12-07", begins: str = "10:00", length: timedelta = HOUR, **more: Any) -> Series:
    rule = Rule(Daily(), date.fromisoformat(start), count=more.pop("count", None), until=more.pop("until", None))
    return Series(rule, time.fromisoformat(begins), length, more.pop("zone", UTC_ZONE), **more)


def once(start: str, end: str) -> Once:
    return Once(at(start), at(end))


def admission(*times: Series | Once, before: timedelta = 15 * MINUTE, after: timedelta = 30 * MINUTE) -> Admission:
    return Admission(times, before, after)


def told(window: AdmissionWindow | None) -> tuple[str, str, str, str] | None:
    """A window as days and times."""
    if window is None:
        return None
    closes = "never" if window.closes is None else f"{window.closes:%dT%H:%M}"
    return f"{window.opens:%dT%H:%M}", f"{window.starts:%dT%H:%M}", f"{window.ends:%dT%H:%M}", closes


class TestOneMeeting:
    ONE = admission(once("2026-12-07T10:00", "2026-12-07T11:00"))

    def test_it_opens_and_closes_to_the_second(self) -> None:
        second = timedelta(seconds=1)
        opens, closes = at("2026-12-07T09:45"), at("2026-12-07T11:30")
        asked = (opens - second, opens, closes - second, closes)
        assert [self.ONE.is_open(now) for now in asked] == [False, True, True, False]
        assert told(self.ONE.at(opens)) == ("07T09:45", "07T10:00", "07T11:00", "07T11:30")
        assert self.ONE.at(closes) is None

    def test_it_is_coming_and_then_it_is_over(self) -> None:
        assert told(self.ONE.following(at("2026-12-07T09:44"))) == ("07T09:45", "07T10:00", "07T11:00", "07T11:30")
        assert self.ONE.following(at("2026-12-07T09:45")) is None
        assert self.ONE.first_opens == at("2026-12-07T09:45")
        assert self.ONE.closes == at("2026-12-07T11:30")
        assert [self.ONE.is_over(at(f"2026-12-07T11:{minute}")) for minute in (29, 30)] == [False, True]
        assert self.ONE.previous(at("2026-12-07T09:59")) is None
        assert self.ONE.previous(at("2026-12-07T10:00")) is not None

    def test_a_beginning_without_a_known_end_stays_open(self) -> None:
        found = admission(Once(at("2026-12-07T10:00"), None))
        assert found.is_open(at("2036-12-07T10:00"))
        window = found.at(at("2036-12-07T10:00"))
        assert window is not None
        assert window.closes is None
        assert (found.closes, found.is_over(at("2036-12-07T10:00"))) == (None, False)
        assert found.following(at("2036-12-07T10:00")) is None


class TestSeries:
    def test_each_occurrence_has_its_own_window(self) -> None:
        found = admission(daily())
        assert [found.is_open(at(f"2030-03-05T{hour}")) for hour in ("09:44", "09:45", "11:29", "11:30")] == [
            *(False, True, True, False)
        ]
        assert told(found.following(at("2030-03-05T09:44"))) == ("05T09:45", "05T10:00", "05T11:00", "05T11:30")
        assert told(found.following(at("2030-03-05T10:30"))) == ("06T09:45", "06T10:00", "06T11:00", "06T11:30")

    def test_a_cancelled_occurrence_has_none_and_a_moved_one_its_new(self) -> None:
        moved = Moved(date(2026, 12, 9), at("2026-12-09T15:00"), at("2026-12-09T16:00"))
        found = admission(daily(moved=(moved,), gone=frozenset({date(2026, 12, 8)})))
        assert not found.is_open(at("2026-12-08T10:30"))
        assert not found.is_open(at("2026-12-09T10:30"))
        assert told(found.following(at("2026-12-07T12:00"))) == ("09T14:45", "09T15:00", "09T16:00", "09T16:30")

    def test_it_closes_for_good_with_its_last(self) -> None:
        assert admission(daily(count=3)).closes == at("2026-12-09T11:30")
        assert admission(daily()).closes is None
        assert admission(daily(count=3)).following(at("2026-12-09T10:00")) is None

    def test_a_series_of_which_nothing_is_left_is_over_since_ever(self) -> None:
        found = admission(daily(count=1, gone=frozenset({date(2026, 12, 7)})))
        assert (found.first_opens, found.following(at("2000-01-01"))) == (None, None)
        assert found.is_over(at("2000-01-01"))
        assert found.at(at("2026-12-07T10:30")) is None
        assert last_end(found.times[0]) is not None

    def test_a_room_without_meetings_is_closed(self) -> None:
        found = admission()
        assert (found.is_open(at("2026-12-07")), found.at(at("2026-12-07")), found.following(at("2026-12-07"))) == (
            *(False, None, None),
        )
        assert found.is_over(at("2026-12-07"))

    def test_what_takes_no_time_opens_no_window_without_margins(self) -> None:
        nothing = daily(length=NOTHING)
        assert admission(nothing, before=NOTHING, after=NOTHING).following(at("2026-12-07")) is None
        assert told(admission(nothing, before=MINUTE, after=NOTHING).following(at("2026-12-07"))) == (
            *("07T09:59", "07T10:00", "07T10:00", "07T10:00"),
        )
        both = admission(nothing, once("2026-12-20T10:00", "2026-12-20T11:00"), before=NOTHING, after=NOTHING)
        assert told(both.following(at("2026-12-07"))) == ("20T10:00", "20T10:00", "20T11:00", "20T11:00")


class TestNeighbours:
    def test_windows_that_overlap_are_one(self) -> None:
        found = admission(
            once("2026-12-07T10:00", "2026-12-07T11:00"),
            once("2026-12-07T11:30", "2026-12-07T12:00"),
            once("2026-12-07T15:00", "2026-12-07T16:00"),
        )
        assert told(found.at(at("2026-12-07T10:00"))) == ("07T09:45", "07T10:00", "07T11:00", "07T12:30")
        assert told(found.at(at("2026-12-07T11:20"))) == ("07T09:45", "07T11:30", "07T12:00", "07T12:30")
        assert told(found.at(at("2026-12-07T12:20"))) == ("07T09:45", "07T11:30", "07T12:00", "07T12:30")
        assert told(found.following(at("2026-12-07T09:00"))) == ("07T09:45", "07T10:00", "07T11:00", "07T12:30")
        assert told(found.following(at("2026-12-07T10:30"))) == ("07T14:45", "07T15:00", "07T16:00", "07T16:30")

    def test_windows_that_touch_are_one(self) -> None:
        found = admission(
            once("2026-12-07T10:00", "2026-12-07T11:00"),
            once("2026-12-07T11:45", "2026-12-07T12:00"),
        )
        assert told(found.at(at("2026-12-07T10:00"))) == ("07T09:45", "07T10:00", "07T11:00", "07T12:30")
        assert found.following(at("2026-12-07T10:00")) is None
        assert found.is_open(at("2026-12-07T11:30"))

    def test_a_minute_between_keeps_them_apart(self) -> None:
        found = admission(
            once("2026-12-07T10:00", "2026-12-07T11:00"),
            once("2026-12-07T11:46", "2026-12-07T12:00"),
        )
        assert told(found.at(at("2026-12-07T10:00"))) == ("07T09:45", "07T10:00", "07T11:00", "07T11:30")
        assert told(found.following(at("2026-12-07T10:00"))) == ("07T11:31", "07T11:46", "07T12:00", "07T12:30")

    def test_one_within_another_changes_nothing(self) -> None:
        found = admission(
            once("2026-12-07T10:00", "2026-12-07T16:00"),
            once("2026-12-07T11:00", "2026-12-07T12:00"),
        )
        assert told(found.at(at("2026-12-07T11:30"))) == ("07T09:45", "07T10:00", "07T16:00", "07T16:30")

    def test_a_series_handed_on_to_the_next_keeps_its_last_window(self) -> None:
        found = admission(daily(until=date(2026, 12, 9)), daily("2026-12-10", "14:00"))
        assert told(found.following(at("2026-12-09T10:00"))) == ("10T13:45", "10T14:00", "10T15:00", "10T15:30")
        assert found.previous(at("2026-12-10T13:50")) == found.times[0].occurrences.on(date(2026, 12, 9))  # type: ignore[union-attr]  # a series

    def test_days_that_follow_each_other_without_end_never_close(self) -> None:
        found = admission(daily(begins="00:00", length=DAY))
        window = found.at(at("2030-01-01T12:00"))
        assert window is not None
        assert (window.starts, window.closes) == (at("2030-01-01"), None)
        assert window.opens <= at("2029-12-01")
        assert found.following(at("2030-01-01T12:00")) is None
        assert told(found.following(at("2026-12-01"))) == ("06T23:45", "07T00:00", "08T00:00", "never")

    def test_a_working_week_of_whole_days_is_one_window(self) -> None:
        rule = Rule(Weekly(1, (0, 1, 2, 3, 4)), date(2026, 12, 7))
        found = admission(Series(rule, time(), DAY, UTC_ZONE))
        assert told(found.at(at("2026-12-16T12:00"))) == ("13T23:45", "16T00:00", "17T00:00", "19T00:30")
        assert told(found.following(at("2026-12-16T12:00"))) == ("20T23:45", "21T00:00", "22T00:00", "26T00:30")


def test_what_is_remembered_is_what_a_fresh_room_would_say() -> None:
    moved = Moved(date(2026, 12, 20), at("2026-12-13T14:20"), at("2026-12-13T16:00"))
    times = (
        daily(moved=(moved,), gone=frozenset({date(2026, 12, 10)}), count=12),
        once("2026-12-09T10:40", "2026-12-09T14:00"),
    )
    old = admission(*times)
    rng = Random(7)
    for _ in range(3000):
        now = at("2026-12-06T12:00") + rng.randrange(15 * 24 * 12) * 5 * MINUTE
        for step in range(rng.randrange(4)):
            fresh = admission(*times)
            asked = now + step * MINUTE
            assert old.is_open(asked) == fresh.is_open(asked)
            assert old.following(asked) == fresh.following(asked)
            assert old.at(asked) == fresh.at(asked)


class TestUnknownZones:
    def test_a_zone_nobody_knows_is_met_with_an_hour_more(self) -> None:
        zone = unknown_zone("Atlantis", at("2026-12-07T10:00"), date(2026, 12, 7))
        found = admission(daily(zone=zone))
        assert told(found.following(at("2026-12-07T00:00"))) == ("07T08:45", "07T10:00", "07T11:00", "07T12:30")
        assert found.is_open(at("2026-12-07T08:45"))
        assert not found.is_open(at("2026-12-07T12:30"))
        assert admission(daily(zone=zone, count=1)).closes == at("2026-12-07T12:30")
        assert found.first_opens == at("2026-12-07T08:45")

    def test_its_neighbours_keep_their_margins(self) -> None:
        zone = unknown_zone("Atlantis", at("2026-12-07T10:00"), date(2026, 12, 7))
        found = admission(daily(zone=zone, count=1), once("2026-12-20T10:00", "2026-12-20T11:00"))
        assert told(found.following(at("2026-12-08T00:00"))) == ("20T09:45", "20T10:00", "20T11:00", "20T11:30")


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300)), max_size=8),
    st.integers(0, 90),
    st.integers(0, 90),
    st.lists(st.integers(-200, 3500), min_size=1, max_size=8),
)
def test_windows_are_the_joined_times_of_all_meetings(
    meetings: list[tuple[int, int]], before: int, after: int, minutes: list[int]
) -> None:
    zero = at("2026-12-07")
    times = [Once(zero + start * MINUTE, zero + (start + length) * MINUTE) for start, length in meetings]
    found = admission(*times, before=before * MINUTE, after=after * MINUTE)
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted((start - before, start + length + after) for start, length in meetings):
        if opens == closes:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(closes, joined[-1][1])
        else:
            joined.append((opens, closes))
    for minute in minutes:  # one after the other: what is remembered holds as long as it may, and no longer
        now = zero + minute * MINUTE
        current = next((one for one in joined if one[0] <= minute < one[1]), None)
        coming = next((one for one in joined if one[0] > minute), None)
        assert found.is_open(now) == (current is not None)
        for window, expected in ((found.at(now), current), (found.following(now), coming)):
            assert (window is None) == (expected is None)
            if window is not None and expected is not None:
                assert (window.opens, window.closes) == (zero + expected[0] * MINUTE, zero + expected[1] * MINUTE)


class TestText:
    GOOD = admission(daily(), once("2026-12-07T10:00", "2026-12-07T11:00"), Once(at("2026-12-07"), None))

    def test_it_says_all_and_is_read_again(self) -> None:
        assert Admission.parse(self.GOOD.text) == self.GOOD
        assert Admission.parse(self.GOOD.text).text == self.GOOD.text

    @pytest.mark.parametrize(
        "change",
        [
            {"before": -1},
            {"before": "900"},
            {"before": 1e300},
            {"before": float("inf")},
            {"after": float("nan")},
            {"after": None},
            {"after": 1e9},
            {"times": None},
            {"times": 5},
            {"times": [5]},
            {"times": [None]},
            {"times": [{}]},
            {"times": [{"series": 5}]},
            {"times": [{"series": "{}"}]},
            {"times": [{"start": "2026-12-07T10:00:00", "end": None}]},
            {"times": [{"start": None, "end": None}]},
            {"times": [{"start": "0001-01-01T00:00:00+14:00", "end": None}]},
            {"times": [{"start": "2026-12-07T10:00:00+00:00"}]},
            {"times": [{"start": "2026-12-07T10:00:00+00:00", "end": 5}]},
        ],
        ids=str,
    )
    def test_what_is_no_admission_is_a_value_error(self, change: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=ANY):
            Admission.parse(json.dumps(json.loads(self.GOOD.text) | change))

    @pytest.mark.parametrize("text", ["", "null", "5", '"x"', "[]", "{}", "[" * 100_000])
    def test_text_that_is_anything_else_is_a_value_error(self, text: str) -> None:
        with pytest.raises(ValueError, match=ANY):
            Admission.parse(text)
