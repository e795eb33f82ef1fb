from datetime import date, time, timedelta

import pytest

from greenroom.cli.repeating import exceptions, in_words
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import (
    EVERY_DAY,
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
from support.records import HOUR, NOON

START = date(2026, 3, 2)
BERLIN = Zone("Europe/Berlin")


def series(pattern: Pattern, begins: time = time(10), length: timedelta = HOUR, zone: Zone = BERLIN) -> Series:
    return Series(Rule(pattern, START), begins, length, zone)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (Daily(), "every day"),
        (Daily(3), "every 3 days"),
        (Weekly(1, (4,)), "every week on Friday"),
        (Weekly(2, (0, 2)), "every 2 weeks on Monday and Wednesday"),
        (Weekly(1, (0, 1, 6)), "every week on Monday, Tuesday and Sunday"),
        (Weekly(1, EVERY_DAY), "every week on all days"),
        (AbsoluteMonthly(1, 15), "every month on day 15"),
        (AbsoluteMonthly(3, 31), "every 3 months on day 31 (the last one of a shorter month)"),
        (RelativeMonthly(1, (1,), Nth.SECOND), "every month on the second Tuesday"),
        (RelativeMonthly(2, WORKDAYS, Nth.LAST), "every 2 months on the last workday"),
        (RelativeMonthly(1, (1, 3), Nth.FIRST), "every month on the first Tuesday or Thursday"),
        (AbsoluteYearly(2, 29), "every year on 29 February (the last one of a shorter month)"),
        (RelativeYearly(11, (3,), Nth.FOURTH, 2), "every 2 years on the fourth Thursday of November"),
    ],
)
def test_every_pattern_has_words(pattern: Pattern, words: str) -> None:
    assert in_words(series(pattern)) == f"{words}, 10:00 to 11:00 Europe/Berlin, no end"


@pytest.mark.parametrize(
    ("begins", "length", "words"),
    [
        (time(23), 2 * HOUR, "23:00 to 01:00 Europe/Berlin"),
        (time(0), timedelta(days=1), "all day in Europe/Berlin"),
        (time(0), timedelta(days=2), "2 whole days in Europe/Berlin"),
        (time(8), timedelta(days=1), "08:00 for 1 day in Europe/Berlin"),
        (time(8), timedelta(days=2, minutes=65), "08:00 for 2 days and 1:05 hours in Europe/Berlin"),
        (time(8), timedelta(), "08:00 Europe/Berlin"),
    ],
)
def test_hours_are_told_as_they_are_meant(begins: time, length: timedelta, words: str) -> None:
    assert in_words(series(Daily(), begins, length)) == f"every day, {words}, no end"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(Daily(), START, until=date(2026, 12, 31)), "until 2026-12-31"),
        (Rule(Daily(), START, count=1), "once"),
        (Rule(Daily(), START, count=12), "12 times"),
    ],
)
def test_ends_are_told(rule: Rule, words: str) -> None:
    assert in_words(Series(rule, time(10), HOUR, BERLIN)).endswith(f", {words}")


def test_exceptions_are_counted() -> None:
    plain = series(Daily())
    moved = (Moved(START, NOON, NOON + HOUR),)
    gone = frozenset({date(2026, 3, 3), date(2026, 3, 4)})
    assert exceptions(plain) == ""
    assert exceptions(Series(plain.rule, plain.begins, HOUR, BERLIN, moved, gone)) == "1 changed, 2 cancelled"


def test_the_name_of_a_zone_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in in_words(series(Daily(), zone=Zone("\x1b[31mzone")))
