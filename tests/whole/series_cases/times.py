"""Clocks that change, days that are whole, nights that are crossed: when the room is open, judged years ahead."""

from datetime import UTC, date, timedelta

from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.series_desk import DAY, HOUR, STOCKHOLM, WINDOWS, Desk, at
from support.series_life import Steps
from whole.series_cases.common import HALF, MINUTE
from whole.series_cases.registry import case

# In Europe clocks go forward on 30 March 2031 (two to three) and back on 26 October 2031 (three to two).
SPRING = at(2031, 3, 29), at(2031, 4, 1)
AUTUMN = at(2031, 10, 25), at(2031, 10, 28)


def _daily(count: int, month: int, day: int) -> Recurrence:
    return Recurrence(Daily(1), date(2031, month, day), count=count)


@case
def clocks_go_forward_by_a_windows_name(desk: Desk) -> Steps:
    """Trap 28: W. Europe Standard Time: nine in the morning before and after, which is another hour of the world."""
    series = desk.invite(at(2031, 3, 29, 9), _daily(3, 3, 29), zone=WINDOWS)
    yield
    assert series.times(*SPRING, zone=UTC) == [
        "2031-03-29 08:00-09:00",
        "2031-03-30 07:00-08:00",
        "2031-03-31 07:00-08:00",
    ]
    assert series.times(*SPRING, zone=UTC) == series.shown(*SPRING, zone=UTC)
    assert not series.is_open(at(2031, 3, 30, 8, 29))
    assert series.is_open(at(2031, 3, 30, 8, 30))


@case
def clocks_go_forward_by_an_iana_name(desk: Desk) -> Steps:
    """Traps 27 and 28: Europe/Stockholm, as calendar programs of others call it."""
    series = desk.invite(at(2031, 3, 29, 9), _daily(3, 3, 29), zone="Europe/Stockholm")
    yield
    assert series.times(*SPRING) == [f"2031-03-{day} 09:00-10:00" for day in (29, 30, 31)]
    assert series.times(*SPRING) == series.shown(*SPRING)


@case
def clocks_go_back_by_a_windows_name(desk: Desk) -> Steps:
    """Trap 28: and back again."""
    series = desk.invite(at(2031, 10, 25, 9), _daily(3, 10, 25), zone=WINDOWS)
    yield
    assert series.times(*AUTUMN, zone=UTC) == [
        "2031-10-25 07:00-08:00",
        "2031-10-26 08:00-09:00",
        "2031-10-27 08:00-09:00",
    ]
    assert series.admission.closes == at(2031, 10, 27, 11)


@case
def clocks_go_back_by_an_iana_name(desk: Desk) -> Steps:
    """Traps 27 and 28: likewise."""
    series = desk.invite(at(2031, 10, 25, 9), _daily(3, 10, 25), zone="Europe/Stockholm")
    yield
    assert series.times(*AUTUMN) == series.shown(*AUTUMN) == [f"2031-10-{day} 09:00-10:00" for day in (25, 26, 27)]


@case
def a_local_time_that_is_skipped(desk: Desk) -> Steps:
    """Trap 28: half past two does not exist on that day: it is as long behind the gap as it was meant behind its beginning."""
    series = desk.invite(at(2031, 3, 29, 2, 30), _daily(3, 3, 29), length=HALF)
    yield
    wanted = ["2031-03-29 02:30-03:00", "2031-03-30 03:30-04:00", "2031-03-31 02:30-03:00"]
    assert series.times(*SPRING) == series.shown(*SPRING) == wanted


@case
def a_local_time_that_comes_twice(desk: Desk) -> Steps:
    """Trap 28: half past two comes twice on that day: the first counts, and the room is not open an hour later once more."""
    series = desk.invite(at(2031, 10, 25, 2, 30), _daily(3, 10, 25), length=15 * MINUTE)
    yield
    wanted = ["2031-10-25 00:30-00:45", "2031-10-26 00:30-00:45", "2031-10-27 01:30-01:45"]
    assert series.times(*AUTUMN, zone=UTC) == series.shown(*AUTUMN, zone=UTC) == wanted
    assert not series.is_open(at(2031, 10, 26, 2, 45, fold=1))


@case
def over_midnight_while_clocks_go_forward(desk: Desk) -> Steps:
    """Trap 28: from eleven to half past three: it ends at the time it says, and is an hour shorter."""
    series = desk.invite(at(2031, 3, 28, 23), _daily(3, 3, 28), length=timedelta(hours=4, minutes=30))
    yield
    times = series.times(at(2031, 3, 28, 12), at(2031, 3, 31, 12))
    assert times == series.shown(at(2031, 3, 28, 12), at(2031, 3, 31, 12))
    assert times == [f"2031-03-{day} 23:00-03-{day + 1} 03:30" for day in (28, 29, 30)]
    assert series.is_open(at(2031, 3, 30, 4, 29))
    assert not series.is_open(at(2031, 3, 30, 4, 30))


@case
def over_midnight_while_clocks_go_back(desk: Desk) -> Steps:
    """Trap 28: from eleven to half past three: an hour longer."""
    series = desk.invite(at(2031, 10, 24, 23), _daily(3, 10, 24), length=timedelta(hours=4, minutes=30))
    yield
    times = series.times(at(2031, 10, 24, 12), at(2031, 10, 27, 12))
    assert times == [f"2031-10-{day} 23:00-10-{day + 1} 03:30" for day in (24, 25, 26)]
    window = series.admission.at(at(2031, 10, 26, 1))
    assert window is not None
    assert window.ends - window.starts == timedelta(hours=5, minutes=30)


@case
def a_series_of_whole_days(desk: Desk) -> Steps:
    """Trap 26: from midnight to midnight where the organizer lives, also on a day of 23 hours."""
    rule = Recurrence(Weekly(1, ("Sunday",)), date(2031, 3, 23), count=3)
    series = desk.invite(at(2031, 3, 23), rule, length=DAY, all_day=True)
    yield
    wanted = ["2031-03-23 00:00-03-24 00:00", "2031-03-30 00:00-03-31 00:00", "2031-04-06 00:00-04-07 00:00"]
    assert series.times(at(2031, 3, 20), at(2031, 4, 20)) == wanted
    assert series.is_open(at(2031, 3, 29, 23, 30))
    assert not series.is_open(at(2031, 3, 31, 1))
    assert series.record.span is not None
    assert series.record.span.all_day


@case
def one_of_the_whole_days_is_moved_and_one_cancelled(desk: Desk) -> Steps:
    """Traps 15 and 26: the days are the organizer's, not those of the world's clock."""
    rule = Recurrence(Weekly(1, ("Sunday",)), date(2031, 3, 23), count=3)
    series = desk.invite(at(2031, 3, 23), rule, length=DAY, all_day=True)
    yield
    series.move(at(2031, 3, 30), to=at(2031, 4, 1), length=DAY)
    series.cancel_one(at(2031, 4, 6))
    yield
    wanted = ["2031-03-23 00:00-03-24 00:00", "2031-04-01 00:00-04-02 00:00"]
    assert series.times(at(2031, 3, 20), at(2031, 4, 20)) == wanted
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-30"]


@case
def a_series_of_several_days(desk: Desk) -> Steps:
    """Neighbours 51: every second week from Friday afternoon to Sunday noon, also when clocks are changed on Sunday."""
    rule = Recurrence(Weekly(2, ("Friday",)), date(2031, 3, 28), count=2)
    series = desk.invite(at(2031, 3, 28, 16), rule, length=at(2031, 3, 30, 12) - at(2031, 3, 28, 16))
    yield
    wanted = ["2031-03-28 16:00-03-30 12:00", "2031-04-11 16:00-04-13 12:00"]
    times = series.times(at(2031, 3, 20), at(2031, 4, 20))
    assert times == wanted
    assert times == series.shown(at(2031, 3, 20), at(2031, 4, 20))
    assert series.is_open(at(2031, 3, 29, 3))
    assert series.replies == ["accept new series"]


@case
def start_and_end_in_different_zones(desk: Desk) -> Steps:
    """Trap 30: a flight's worth of zones: the series recurs in the zone it starts in."""
    series = desk.invite(
        at(2031, 3, 29, 15), _daily(3, 3, 29), length=2 * HOUR, zone=WINDOWS, end_zone="Eastern Standard Time"
    )
    yield
    assert series.times(*SPRING) == [f"2031-03-{day} 15:00-17:00" for day in (29, 30, 31)]


@case
def years_ahead_summer_is_summer(desk: Desk) -> Steps:
    """Traps 19 and 28: an endless series in its thirtieth year still follows the clock on the wall."""
    series = desk.invite(at(2031, 1, 6, 9), Recurrence(Weekly(1, ("Monday",)), date(2031, 1, 6)))
    yield
    assert series.times(at(2061, 7, 4), at(2061, 7, 5), zone=UTC) == ["2061-07-04 07:00-08:00"]
    assert series.times(at(2061, 12, 5), at(2061, 12, 6), zone=UTC) == ["2061-12-05 08:00-09:00"]
    assert at(2061, 7, 4, 9).astimezone(STOCKHOLM).hour == 9
