"""Series over Graph: a text that changes when the rule does, and where the last occurrence is looked for."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.graph.whole_events import START, master
from greenroom.exchange.graph.events import Event, read_event
from greenroom.exchange.graph.series import Tail, last_end, series_text, tail_of

WEEKLY = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"}
NO_END = {"type": "noEnd", "startDate": "2031-05-06", "endDate": "0001-01-01", "numberOfOccurrences": 0}
DAY = date(2031, 5, 6)


def series(pattern: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **more: Any) -> Event:
    rule = {"pattern": pattern or WEEKLY, "range": limits or NO_END}
    found = read_event(master("s", recurrence=rule, **more))
    assert isinstance(found, Event)
    return found


def moved(number: int) -> dict[str, Any]:
    day = (START + timedelta(days=7 * number)).strftime("%Y-%m-%dT%H:%M:%S")
    times = {"dateTime": day, "timeZone": "UTC"}
    return {"id": f"x{number}", "originalStart": f"{day}Z", "start": times, "end": times}


class TestText:
    @pytest.mark.parametrize(
        "changed",
        [
            series(WEEKLY | {"interval": 2}),
            series(WEEKLY | {"daysOfWeek": ["tuesday", "friday"]}),
            series(WEEKLY | {"firstDayOfWeek": "monday"}),
            series(limits=NO_END | {"startDate": "2031-05-13"}),
            series(limits={"type": "endDate", "startDate": "2031-05-06", "endDate": "2031-06-06"}),
            series(limits={"type": "numbered", "startDate": "2031-05-06", "numberOfOccurrences": 5}),
            series(originalStartTimeZone="Pacific Standard Time"),
            series(exceptionOccurrences=[moved(1)]),
            series(cancelledOccurrences=["OID.s.2031-05-13"]),
        ],
        ids=range(9),
    )
    def test_it_changes_with_the_rule(self, changed: Event) -> None:
        assert series_text(changed) != series_text(series())

    @pytest.mark.parametrize(
        "same",
        [
            series(WEEKLY | {"daysOfWeek": ["Tuesday"], "dayOfMonth": 0, "month": 0, "index": "first"}),
            series(limits=NO_END | {"recurrenceTimeZone": "UTC"}),
            series(exceptionOccurrences=[], cancelledOccurrences=None),
            series(exceptionOccurrences=[moved(1) | {"isCancelled": True}]),
        ],
        ids=range(4),
    )
    def test_it_stays_where_only_the_writing_differs(self, same: Event) -> None:
        assert series_text(same) == series_text(series())

    def test_the_order_in_which_things_are_told_does_not_count(self) -> None:
        one = series(WEEKLY | {"daysOfWeek": ["friday", "monday"]}, exceptionOccurrences=[moved(1), moved(2)])
        other = series(WEEKLY | {"daysOfWeek": ["monday", "friday"]}, exceptionOccurrences=[moved(2), moved(1)])
        assert series_text(one) == series_text(other)

    def test_very_many_exceptions_stay_short_and_still_count(self) -> None:
        many = [moved(n) for n in range(300)]
        one, other = (series_text(series(exceptionOccurrences=some)) for some in (many, many[1:]))
        assert len(one) < 300
        assert one != other

    def test_a_rule_that_says_nothing_is_still_a_text(self) -> None:
        found = read_event(master("s", recurrence={"pattern": None, "range": None}))
        assert isinstance(found, Event)
        assert series_text(found) == "zone=UTC"


class TestTail:
    @pytest.mark.parametrize(
        ("pattern", "limits"),
        [
            (WEEKLY, NO_END),
            (WEEKLY, {"type": "endDate", "startDate": "2031-05-06", "endDate": "2031-05-05"}),
            (WEEKLY, {"type": "endDate", "startDate": None, "endDate": "2031-06-05"}),
            (WEEKLY, {"type": "numbered", "startDate": "2031-05-06", "numberOfOccurrences": 0}),
            (
                WEEKLY | {"interval": 99_999},
                {"type": "numbered", "startDate": "2031-05-06", "numberOfOccurrences": 99_999},
            ),
            (WEEKLY, {"type": "endDate", "startDate": "2031-05-06", "endDate": "9999-12-31"}),
            (WEEKLY, {"type": "somethingNew", "startDate": "2031-05-06"}),
        ],
        ids=range(7),
    )
    def test_a_series_without_a_known_end_has_none(self, pattern: dict[str, Any], limits: dict[str, Any]) -> None:
        assert tail_of(series(pattern, limits)) is None

    def test_a_series_that_ends_is_looked_at_where_it_ends(self) -> None:
        tail = tail_of(series(limits={"type": "endDate", "startDate": "2031-05-06", "endDate": "2033-05-06"}))
        assert tail is not None
        start, end = next(iter(tail.windows()))
        assert start < datetime(2033, 4, 29, tzinfo=UTC)
        assert datetime(2033, 5, 7, tzinfo=UTC) < end
        assert end - start < timedelta(days=30)

    @given(
        st.integers(0, 5000),
        st.integers(1, 2000),
        st.integers(0, 10),
    )
    def test_windows_widen_until_they_reach_the_first_day(self, distance: int, step: int, length: int) -> None:
        tail = Tail(DAY, DAY + timedelta(days=distance), step, timedelta(days=length))
        windows = list(tail.windows())
        assert 1 <= len(windows) <= 5
        assert len({end for _, end in windows}) == 1
        starts = [start for start, _ in windows]
        assert starts == sorted(starts, reverse=True)
        assert starts[-1] < datetime(2031, 5, 6, tzinfo=UTC)

    def test_a_guess_is_never_too_early(self) -> None:
        for days in ([], ["tuesday"], ["monday", "tuesday", "friday"]):
            limits = {"type": "numbered", "startDate": "2031-05-06", "numberOfOccurrences": 7}
            event = series(WEEKLY | {"daysOfWeek": days}, limits)
            tail = tail_of(event)
            assert tail is not None
            assert event.ends is not None
            weeks = 6 if len(days) < 2 else 2
            assert tail.guess(event.ends) >= event.ends + timedelta(weeks=weeks)

    def test_the_last_end_is_that_of_what_still_takes_place(self) -> None:
        found = series(exceptionOccurrences=[moved(1), moved(3) | {"isCancelled": True}, moved(2), {"id": "odd"}])
        assert last_end(found.exception_occurrences) == START + timedelta(days=14)
        assert last_end([]) is None
