"""Occurrences beside each other: windows that overlap are one open time, and what has no gap is never closed."""

from datetime import date, timedelta

from greenroom.simulator.recurrence import Daily, Recurrence
from support.series_desk import DAY, HOUR, Desk, at
from support.series_life import Steps
from whole.series_cases.common import HALF, MINUTE
from whole.series_cases.registry import case


@case
def windows_of_neighbours_overlap(desk: Desk) -> Steps:
    """Neighbours 46: a day's work with an hour and a quarter between two days: nobody is put out in between."""
    first = desk.now - HOUR
    rule = Recurrence(Daily(1), first.date(), count=3)
    series = desk.invite(first, rule, zone="UTC", length=DAY - 75 * MINUTE)
    yield
    told = series.page
    assert told["state"] == "open"
    assert told["opens"] == (first - HALF).isoformat()
    assert told["closes"] == (first + 3 * DAY - 15 * MINUTE).isoformat()
    assert told["next_opens"] is None
    assert series.is_open(first + DAY - 40 * MINUTE)


@case
def windows_of_neighbours_touch(desk: Desk) -> Steps:
    """Neighbours 46: an hour and a half between two: one closes in the instant the other opens."""
    first = desk.now - HOUR
    rule = Recurrence(Daily(1), first.date(), count=2)
    series = desk.invite(first, rule, zone="UTC", length=DAY - 90 * MINUTE)
    yield
    assert series.page["closes"] == (first + 2 * DAY - HALF).isoformat()
    assert series.is_open(first + DAY - HALF)


@case
def windows_of_neighbours_nearly_touch(desk: Desk) -> Steps:
    """Neighbours 46: a minute more, and the room is closed for just that."""
    first = desk.now - HOUR
    rule = Recurrence(Daily(1), first.date(), count=2)
    series = desk.invite(first, rule, zone="UTC", length=DAY - 91 * MINUTE)
    yield
    told = series.page
    assert told["closes"] == (first + DAY - 31 * MINUTE).isoformat()
    assert told["next_opens"] == (first + DAY - HALF).isoformat()
    assert not series.is_open(first + DAY - 31 * MINUTE)


@case
def occurrences_are_moved_beside_each_other(desk: Desk) -> Steps:
    """Traps 15 and neighbours 46: late on one day, early on the next: one open time over midnight."""
    start = at(2031, 3, 4, 9)
    series = desk.invite(start, Recurrence(Daily(1), date(2031, 3, 4), count=3))
    yield
    series.move(start, to=at(2031, 3, 4, 22, 30))
    series.move(start + DAY, to=at(2031, 3, 5, 0, 15))
    yield
    window = series.admission.at(at(2031, 3, 4, 23, 59))
    assert window is not None
    assert (window.opens, window.closes) == (at(2031, 3, 4, 22), at(2031, 3, 5, 2, 15))
    assert not series.is_open(at(2031, 3, 4, 9, 30))
    assert not series.is_open(at(2031, 3, 5, 9, 30))
    assert len(series.replies) == 3


@case
def every_day_all_day_without_end(desk: Desk) -> Steps:
    """Traps 19 and 26: always open; the page tells no time at which it would close."""
    midnight = desk.now.replace(hour=0, minute=0)
    rule = Recurrence(Daily(1), midnight.date())
    series = desk.invite(midnight, rule, zone="UTC", length=DAY, all_day=True)
    yield
    told = series.page
    assert (told["state"], told["closes"], told["next_opens"]) == ("open", None, None)
    assert series.is_open(midnight + 5_000 * DAY + timedelta(hours=12))


@case
def meetings_without_length(desk: Desk) -> Steps:
    """Neighbours 51: a reminder of no minutes: open from half an hour before to an hour after."""
    first = desk.now - 20 * MINUTE
    series = desk.invite(first, Recurrence(Daily(1), first.date(), count=4), zone="UTC", length=timedelta())
    yield
    assert series.replies == ["accept new series"]
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (first + HOUR).isoformat())
    assert series.is_open(first + DAY)
    assert not series.is_open(first + DAY + HOUR)
