"""Patterns of recurrence, all of Exchange's, where they are easily got wrong: when the room is open, years ahead."""

from datetime import date, datetime

from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support.series_desk import DAY, HOUR, Desk, Meeting, at
from support.series_life import Steps
from whole.series_cases.registry import case

_LONG = at(2031, 1, 1), at(2033, 1, 1)


def _days(series: Meeting, since: datetime, until: datetime) -> list[str]:
    """The days on which people get in; Exchange counts the same."""
    times = series.times(since, until)
    assert times == series.shown(since, until)
    return [one.partition(" ")[0].removeprefix("20") for one in times]


@case
def every_second_day(desk: Desk) -> Steps:
    """Trap 15: one room for the whole, open on each of its days and on no other."""
    series = desk.invite(at(2031, 2, 25, 9), Recurrence(Daily(2), date(2031, 2, 25), count=5))
    yield
    assert series.replies == ["accept new series"]
    assert _days(series, *_LONG) == ["31-02-25", "31-02-27", "31-03-01", "31-03-03", "31-03-05"]
    assert series.is_open(at(2031, 2, 27, 8, 30))
    assert not series.is_open(at(2031, 2, 28, 9, 30))
    assert series.page["state"] == "too-early"


@case
def every_second_week_with_weeks_from_sunday(desk: Desk) -> Steps:
    """Traps 15 and 28: Sunday and Tuesday of every second week; where weeks begin on Sunday they lie in the same one."""
    rule = Recurrence(Weekly(2, ("Sunday", "Tuesday"), "Sunday"), date(2031, 3, 4), count=5)
    series = desk.invite(at(2031, 3, 4, 9), rule)
    yield
    assert _days(series, *_LONG) == ["31-03-04", "31-03-16", "31-03-18", "31-03-30", "31-04-01"]


@case
def every_second_week_with_weeks_from_monday(desk: Desk) -> Steps:
    """Traps 15 and 28: the same rule where weeks begin on Monday has other Sundays."""
    rule = Recurrence(Weekly(2, ("Sunday", "Tuesday"), "Monday"), date(2031, 3, 4), count=5)
    series = desk.invite(at(2031, 3, 4, 9), rule)
    yield
    assert _days(series, *_LONG) == ["31-03-04", "31-03-09", "31-03-18", "31-03-23", "31-04-01"]


@case
def the_31st_of_the_month(desk: Desk) -> Steps:
    """Neighbours 36: a month too short has it on its last day."""
    series = desk.invite(at(2031, 1, 31, 9), Recurrence(AbsoluteMonthly(1, 31), date(2031, 1, 31), count=5))
    yield
    assert _days(series, *_LONG) == ["31-01-31", "31-02-28", "31-03-31", "31-04-30", "31-05-31"]


@case
def the_last_weekday_of_the_month(desk: Desk) -> Steps:
    """Trap 21: the last of Monday to Friday."""
    rule = Recurrence(RelativeMonthly(1, "Weekday", "Last"), date(2031, 1, 31), count=5)
    series = desk.invite(at(2031, 1, 31, 9), rule)
    yield
    assert _days(series, *_LONG) == ["31-01-31", "31-02-28", "31-03-31", "31-04-30", "31-05-30"]


@case
def the_first_weekend_day_of_every_third_month(desk: Desk) -> Steps:
    """Trap 21: the first of Saturday and Sunday."""
    rule = Recurrence(RelativeMonthly(3, "WeekendDay", "First"), date(2031, 2, 1), count=4)
    series = desk.invite(at(2031, 2, 1, 9), rule)
    yield
    assert _days(series, *_LONG) == ["31-02-01", "31-05-03", "31-08-02", "31-11-01"]


@case
def the_second_tuesday_of_the_month(desk: Desk) -> Steps:
    """Trap 21: the most usual of the relative patterns, endless."""
    rule = Recurrence(RelativeMonthly(1, "Tuesday", "Second"), date(2031, 1, 14))
    series = desk.invite(at(2031, 1, 14, 9), rule)
    yield
    assert _days(series, at(2031, 12, 1), at(2032, 4, 1)) == ["31-12-09", "32-01-13", "32-02-10", "32-03-09"]
    assert series.admission.closes is None


@case
def the_29th_of_february(desk: Desk) -> Steps:
    """Neighbours 37: yearly; in other years it is the 28th."""
    series = desk.invite(at(2032, 2, 29, 9), Recurrence(AbsoluteYearly(2, 29), date(2032, 2, 29), count=6))
    yield
    wanted = ["32-02-29", "33-02-28", "34-02-28", "35-02-28", "36-02-29", "37-02-28"]
    assert _days(series, at(2031, 1, 1), at(2041, 1, 1)) == wanted


@case
def the_last_sunday_of_march_every_year(desk: Desk) -> Steps:
    """Neighbours 37 and trap 28: yearly by the day of the week; it is the day on which clocks are changed."""
    rule = Recurrence(RelativeYearly(3, "Sunday", "Last"), date(2031, 3, 30), count=3)
    series = desk.invite(at(2031, 3, 30, 9), rule)
    yield
    assert _days(series, at(2031, 1, 1), at(2041, 1, 1)) == ["31-03-30", "32-03-28", "33-03-27"]


@case
def a_first_day_that_is_no_occurrence(desk: Desk) -> Steps:
    """Trap 21: the range begins on the 1st, the first last Friday is weeks later, and is the first of three."""
    rule = Recurrence(RelativeMonthly(1, "Friday", "Last"), date(2031, 2, 1), count=3)
    series = desk.invite(at(2031, 2, 28, 9), rule)
    yield
    assert series.replies == ["accept new series"]
    assert _days(series, *_LONG) == ["31-02-28", "31-03-28", "31-04-25"]
    assert not series.is_open(at(2031, 2, 1, 9, 30))
    assert series.page["starts"] == at(2031, 2, 28, 9).isoformat()


@case
def an_end_date_that_is_no_occurrence(desk: Desk) -> Steps:
    """Trap 15: the last one lies days before the last day; the room closes for good after it."""
    rule = Recurrence(Weekly(1, ("Monday",)), date(2031, 3, 3), until=date(2031, 3, 30))
    series = desk.invite(at(2031, 3, 3, 9), rule)
    yield
    assert _days(series, *_LONG) == ["31-03-03", "31-03-10", "31-03-17", "31-03-24"]
    assert series.admission.closes == at(2031, 3, 24, 11)
    assert series.record.span is not None
    assert series.record.span.until == at(2031, 3, 24, 10)


@case
def more_occurrences_than_anybody_expands(desk: Desk) -> Steps:
    """Neighbours 39: nine hundred occurrences, and the last one is as good as the first."""
    series = desk.invite(at(2031, 1, 1, 9), Recurrence(Daily(1), date(2031, 1, 1), count=900))
    yield
    last = at(2031, 1, 1, 9) + 899 * DAY
    last = at(last.year, last.month, last.day, 9)
    assert series.is_open(last)
    assert not series.is_open(last + DAY)
    assert series.admission.closes == last + 2 * HOUR
    assert len(_days(series, last - 10 * DAY, last + 10 * DAY)) == 11


@case
def a_series_without_end(desk: Desk) -> Steps:
    """Trap 19: its rule is kept, never expanded; it has no end and a day on which it is reviewed."""
    today = desk.now
    series = desk.invite(today + DAY, Recurrence(Daily(1), (today + DAY).date()), zone="UTC")
    yield
    record = series.record
    assert record.series is not None
    assert record.series.rule.is_endless
    assert record.span is not None
    assert record.span.until is None
    assert series.is_open(today + 9_000 * DAY + HOUR / 2)
    assert not series.is_open(today + 9_000 * DAY + 3 * HOUR)
    assert record.review_at is not None
    assert round((record.review_at - today) / DAY) == 365
    listed = desk.greenroom.command("meetings", "--endless")["meetings"]
    assert record.correlation_id in {one["correlation_id"] for one in listed}
    told = series.page
    assert (told["state"], told["starts"]) == ("too-early", (today + DAY).isoformat())
