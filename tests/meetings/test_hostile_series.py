"""Series as a stranger would make them: what they cost, and that nothing of them gets past a `ValueError`.

Times are those of this process, with much room for a busy machine: what is tested for is whether work is bounded at all.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.meetings.acceptance import unanswered
from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.meeting import Changed, ItemRef, Kind, Observation
from greenroom.meetings.record import Record, State
from greenroom.meetings.recurrence import MAX_LENGTH, Series
from greenroom.meetings.rules import Daily, Rule, Weekly
from greenroom.meetings.zones import Zone
from support.observations import NOW, observation

BASE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def crowded(exceptions: int, length: timedelta = HOUR) -> Series:
    """Return an endless daily series with many moved occurrences."""
    moved = [(BASE + n * DAY, BASE + n * DAY + HOUR, BASE + n * DAY + 2 * HOUR) for n in range(exceptions)]
    return Series.of(Rule(Daily(), BASE.date()), BASE, BASE + length, Zone("UTC"), moved=moved)


def record_of(what: Observation) -> Record:
    """Return the record of a series of which everything was handled."""
    return Record(
        integration=1,
        key=what.key,
        correlation_id="AAAA-BBBB",
        state=State.SCHEDULED,
        kind=Kind.SERIES,
        organizer=what.organizer.address,
        ref=what.ref,
        created_at=NOW,
        updated_at=NOW,
        span=what.span,
        series=what.series,
        handled=() if what.series is None else what.series.moved,
    )


def test_the_occurrences_that_wait_for_an_answer_are_found_among_thousands_in_one_look() -> None:
    series = crowded(5000)
    changed = tuple(Changed(one.day, ItemRef("item")) for one in series.moved)
    seen = observation("evil", kind=Kind.SERIES, series=series, changed=changed)
    began = time.process_time()
    assert unanswered(seen, record_of(seen), NOW) == []
    assert time.process_time() - began < 0.5


def cost(question: Callable[[], object]) -> float:
    """Return the seconds of this process that an answer takes, at best of three."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        question()
        spent.append(time.process_time() - began)
    return min(spent)


ENDLESS = {
    "all-day": Series.of(Rule(Daily(), BASE.date()), BASE, BASE + DAY, Zone("Europe/Berlin")),
    "since-1602": Series.of(
        Rule(Daily(), BASE.date().replace(year=1602)),
        BASE.replace(year=1602),
        BASE.replace(year=1602) + DAY,
        Zone("UTC"),
    ),
    "five-years-long": Series.of(Rule(Daily(), BASE.date()), BASE, BASE + MAX_LENGTH, Zone("Europe/Berlin")),
    "weekdays-long": Series.of(
        Rule(Weekly(1, (0, 2, 4), 0), BASE.date()), BASE + DAY, BASE + 5 * DAY, Zone("America/New_York")
    ),
    "many-moved": crowded(1000, 3 * DAY),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_windows_that_join_without_end_are_answered_at_once(name: str) -> None:
    def ask() -> None:
        admission = Admission((ENDLESS[name],), HOUR / 4, HOUR / 4)
        window = admission.at(NOW + 2 * 366 * DAY)
        assert window is not None
        assert window.closes is None or name == "many-moved"
        admission.following(NOW + 2 * 366 * DAY)

    assert cost(ask) < 0.02


@pytest.mark.parametrize("name", ENDLESS)
def test_what_runs_now_is_found_without_going_through_all_that_runs(name: str) -> None:
    found, now = ENDLESS[name].occurrences, NOW + 4 * 366 * DAY
    assert cost(lambda: next(found.between(now, now + 366 * DAY))) < 0.02


def test_days_in_a_row_open_with_the_first_and_close_with_the_last() -> None:
    rule = Rule(Daily(), BASE.date(), until=(BASE + 900 * DAY).date())
    gone = BASE + 400 * DAY
    admission = Admission((Series.of(rule, BASE, BASE + DAY, Zone("UTC"), gone=[gone]),), HOUR, HOUR)
    first, second = admission.at(BASE + 200 * DAY), admission.at(BASE + 600 * DAY)
    assert first is not None
    assert second is not None
    assert (first.opens, first.closes) == (BASE - HOUR, gone + HOUR)
    assert (second.opens, second.closes) == (gone + DAY - HOUR, BASE + 901 * DAY + HOUR)
    assert admission.following(BASE + 200 * DAY) == admission.at(gone + DAY - HOUR)


def test_a_gone_day_is_bridged_by_longer_ones() -> None:
    rule = Rule(Daily(), BASE.date(), until=(BASE + 9 * DAY).date())
    admission = Admission(
        (Series.of(rule, BASE, BASE + 3 * DAY, Zone("UTC"), gone=[BASE + 4 * DAY]),), timedelta(), timedelta()
    )
    window = admission.at(BASE + 8 * DAY)
    assert window is not None
    assert (window.opens, window.closes) == (BASE, BASE + 12 * DAY)


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "times",
    [Once(FIRST, NOW + HOUR), Once(NOW - HOUR, LAST), Once(FIRST, LAST), Once(FIRST, FIRST), Once(LAST - HOUR, LAST)],
    ids=["since-ever", "for-ever", "always", "long-ago", "in-the-end"],
)
def test_a_meeting_at_the_ends_of_time_can_be_asked_for(times: Once) -> None:
    admission = Admission((times,), HOUR, HOUR)
    for now in (NOW, NOW + 366 * DAY):
        admission.at(now)
        admission.following(now)
        admission.previous(now)
        admission.is_over(now)
    assert admission.is_open(NOW) is (times.start <= NOW < (times.end or LAST))
    assert Admission.parse(admission.text) == admission


def test_a_series_that_begins_across_the_doubled_hour_has_the_length_of_its_first_occurrence() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, for the first time
    again = start + HOUR  # 02:30, for the second time
    for end in (again - HOUR / 4, again):
        series = Series.of(Rule(Daily(), start.date()), start, end, Zone("Europe/Berlin"))
        assert series.length == end - start
        later = series.occurrences.after(start + HOUR)
        assert later is not None
        assert later.end - later.start == end - start


def test_a_thousand_occurrences_at_the_same_time_cost_as_little_as_one() -> None:
    moved = [(BASE + n * DAY, NOW, NOW + HOUR + timedelta(seconds=n)) for n in range(1000)]
    series = Series.of(Rule(Daily(), BASE.date(), count=1), BASE, BASE + HOUR, Zone("UTC"), moved=moved)
    found = series.occurrences
    assert len(found.covering(NOW, HOUR, HOUR)) == 16
    assert len(list(found.between(NOW, NOW + HOUR))) == 1000
    assert cost(lambda: Admission((series,), HOUR, HOUR).at(NOW)) < 0.02
    assert cost(lambda: next(found.between(NOW, NOW + HOUR))) < 0.02
