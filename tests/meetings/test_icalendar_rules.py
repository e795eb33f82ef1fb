"""RRULE both ways: what Exchange's patterns are called, which forms are understood, and what is no rule."""

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greenroom.meetings.icalendar import rrule_of, rule_of
from greenroom.meetings.rule_days import Days
from greenroom.meetings.rules import (
    EVERY_DAY,
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

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 12, 1, 15, 30, tzinfo=BERLIN)  # a Tuesday
DAY = timedelta(days=1)
ANY = r"."

WRITTEN: list[tuple[Pattern, str]] = [
    (Daily(), "FREQ=DAILY"),
    (Daily(3), "FREQ=DAILY;INTERVAL=3"),
    (Weekly(1, (1, 3), 0), "FREQ=WEEKLY;BYDAY=TU,TH;WKST=MO"),
    (Weekly(2, (1,), 6), "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=SU"),
    (AbsoluteMonthly(1, 15), "FREQ=MONTHLY;BYMONTHDAY=15"),
    (AbsoluteMonthly(1, 28), "FREQ=MONTHLY;BYMONTHDAY=28"),
    (AbsoluteMonthly(2, 29), "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29;BYSETPOS=-1"),
    (AbsoluteMonthly(1, 30), "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
    (AbsoluteMonthly(1, 31), "FREQ=MONTHLY;BYMONTHDAY=-1"),
    (RelativeMonthly(1, (1,), Nth.SECOND), "FREQ=MONTHLY;BYDAY=2TU"),
    (RelativeMonthly(1, (4,), Nth.LAST), "FREQ=MONTHLY;BYDAY=-1FR"),
    (RelativeMonthly(1, WORKDAYS, Nth.LAST), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    (RelativeMonthly(3, WEEKEND, Nth.FIRST), "FREQ=MONTHLY;INTERVAL=3;BYDAY=SA,SU;BYSETPOS=1"),
    (RelativeMonthly(1, EVERY_DAY, Nth.THIRD), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=3"),
    (AbsoluteYearly(12, 24), "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24"),
    (AbsoluteYearly(2, 29), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
    (AbsoluteYearly(2, 28), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28"),
    (AbsoluteYearly(4, 30), "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=-1"),
    (RelativeYearly(11, (3,), Nth.FOURTH), "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
    (RelativeYearly(5, WORKDAYS, Nth.LAST, 2), "FREQ=YEARLY;INTERVAL=2;BYMONTH=5;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
]


@pytest.mark.parametrize(("pattern", "text"), WRITTEN, ids=lambda one: one if isinstance(one, str) else "")
def test_every_pattern_is_written_and_read_again(pattern: Pattern, text: str) -> None:
    assert rrule_of(Rule(pattern, START.date())) == text
    assert rule_of(text, START) == Rule(pattern, START.date())


@pytest.mark.parametrize(
    "pattern", [AbsoluteMonthly(1, 29), AbsoluteMonthly(1, 30), AbsoluteMonthly(1, 31), AbsoluteYearly(2, 29)]
)
def test_month_ends_mean_to_others_what_they_mean_to_exchange(pattern: Pattern) -> None:
    rule = Rule(pattern, date(2027, 1, 1), count=30)
    theirs = rrulestr(rrule_of(rule), dtstart=datetime(2027, 1, 1))  # noqa: DTZ001 (days only)
    assert [one.toordinal() for one in theirs] == list(Days(rule))


def test_ends_are_told_as_a_day_a_number_or_an_instant() -> None:
    until = Rule(Daily(), START.date(), until=date(2026, 12, 24))
    assert rrule_of(until) == "FREQ=DAILY;UNTIL=20261224"
    assert rrule_of(until, datetime(2026, 12, 24, 15, 30, tzinfo=BERLIN)) == "FREQ=DAILY;UNTIL=20261224T143000Z"
    assert rrule_of(Rule(Daily(), START.date(), count=7)) == "FREQ=DAILY;COUNT=7"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", Weekly(1, WORKDAYS, 0)),
        ("FREQ=WEEKLY", Weekly(1, (1,), 0)),
        ("FREQ=WEEKLY;BYDAY=FR,MO,FR;WKST=SU", Weekly(1, (0, 4), 6)),
        ("freq=weekly;byday=mo", Weekly(1, (0,), 0)),
        ("FREQ=WEEKLY;BYDAY=MO;", Weekly(1, (0,), 0)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=15;BYMINUTE=30;BYSECOND=0", Weekly(1, (0,), 0)),
        ("FREQ=MONTHLY", AbsoluteMonthly(1, 1)),
        ("FREQ=MONTHLY;INTERVAL=12", AbsoluteMonthly(12, 1)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", AbsoluteMonthly(1, 31)),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", AbsoluteMonthly(1, 31)),
        ("FREQ=MONTHLY;BYMONTHDAY=10;BYSETPOS=1", AbsoluteMonthly(1, 10)),
        ("FREQ=MONTHLY;BYDAY=SU;BYSETPOS=3", RelativeMonthly(1, (6,), Nth.THIRD)),
        ("FREQ=MONTHLY;BYDAY=+1MO", RelativeMonthly(1, (0,), Nth.FIRST)),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=8,9,10,11,12,13,14", RelativeMonthly(1, (0,), Nth.SECOND)),
        ("FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=-7,-6,-5,-4,-3,-2,-1", RelativeMonthly(1, (0,), Nth.LAST)),
        ("FREQ=MONTHLY;BYDAY=MO", Weekly(1, (0,), 0)),
        ("FREQ=MONTHLY;BYMONTH=5;BYMONTHDAY=1", AbsoluteYearly(5, 1)),
        ("FREQ=YEARLY", AbsoluteYearly(12, 1)),
        ("FREQ=YEARLY;BYMONTH=5", AbsoluteYearly(5, 1)),
        ("FREQ=YEARLY;BYMONTHDAY=15", AbsoluteMonthly(1, 15)),
        ("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", RelativeYearly(10, (6,), Nth.LAST)),
        ("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYMONTH=4", RelativeYearly(4, WORKDAYS, Nth.LAST)),
        ("FREQ=YEARLY;BYDAY=TU", Weekly(1, (1,), 0)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", AbsoluteYearly(2, 29)),
    ],
)
def test_forms_that_others_send_are_understood(text: str, pattern: Pattern) -> None:
    assert rule_of(text, START) == Rule(pattern, START.date())


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=HOURLY",
        "FREQ=MINUTELY;INTERVAL=5",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=DAILY;BYHOUR=9,17",
        "FREQ=DAILY;BYHOUR=16",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYSETPOS=1;BYDAY=MO,TU",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=-2,5;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=30,31;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=2",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYDAY=-2MO",
        "FREQ=MONTHLY;BYDAY=1MO,3MO",
        "FREQ=MONTHLY;BYDAY=1MO,1TU",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=5",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,2",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTH=1,7;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=1,7",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=5",
        "FREQ=YEARLY;BYMONTH=5;BYDAY=MO",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "RSCALE=HEBREW;FREQ=YEARLY",
    ],
)
def test_what_exchange_cannot_say_is_none(text: str) -> None:
    assert rule_of(text, START) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "BYDAY=MO",
        "FREQ=",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=1234567",
        "FREQ=DAILY;COUNT=\u0661",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;UNTIL=x",
        "FREQ=DAILY;UNTIL=20270230",
        "FREQ=DAILY;UNTIL=20270101T250000Z",
        "FREQ=DAILY;UNTIL=00010101T000000Z",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYDAY=MO;WKST=1MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=1,",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=-1",
        "FREQ=DAILY;X=1",
        "FREQ=DAILY\nFREQ=WEEKLY",
        "FREQ=MONTHLY;BYMONTHDAY=" + "1," * 100_000 + "1",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_rule_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=ANY):
        rule_of(text, START)


@pytest.mark.parametrize(
    ("until", "start", "last"),
    [
        ("20261224", START, date(2026, 12, 24)),
        ("20261224T153000", START, date(2026, 12, 24)),
        ("20261224T152959", START, date(2026, 12, 23)),
        ("20261224T143000Z", START, date(2026, 12, 24)),
        ("20261224T142959Z", START, date(2026, 12, 23)),
        ("20261223T233000Z", START.replace(hour=0), date(2026, 12, 24)),
        ("20270614T220000Z", START.replace(hour=0, minute=0), date(2027, 6, 15)),
        ("20261224T000000Z", date(2026, 12, 1), date(2026, 12, 24)),
        ("20261224T153000Z", START.replace(tzinfo=None), date(2026, 12, 24)),
        ("20261101", START, date(2026, 11, 1)),
        # Clocks were put back: half past two came twice, and both are past.
        ("20271031T013000Z", START.replace(hour=2), date(2027, 10, 31)),
    ],
)
def test_an_end_is_a_day_a_local_time_or_an_instant(until: str, start: datetime | date, last: date) -> None:
    first = start.date() if isinstance(start, datetime) else start
    assert rule_of(f"FREQ=DAILY;UNTIL={until}", start) == Rule(Daily(), first, until=last)


PARTS = (
    *(
        "FREQ=DAILY",
        "FREQ=WEEKLY",
        "FREQ=MONTHLY",
        "FREQ=YEARLY",
        "INTERVAL=2",
        "INTERVAL=12",
        "COUNT=5",
        "UNTIL=20290101",
    ),
    *(
        "BYDAY=MO",
        "BYDAY=1MO,2TU",
        "BYDAY=-1FR",
        "BYDAY=SA,SU",
        "BYDAY=5SU",
        "BYSETPOS=-1",
        "BYSETPOS=1,2",
        "BYSETPOS=4",
    ),
    *(
        "BYMONTHDAY=31",
        "BYMONTHDAY=-1",
        "BYMONTHDAY=28,29,30",
        "BYMONTHDAY=15,16,17,18,19,20,21",
        "BYMONTH=2",
        "BYMONTH=1,6",
    ),
    *("WKST=SU", "BYHOUR=15", "BYYEARDAY=1", "", "X", "=", "FREQ", "BYDAY=", "BYMONTH=\x00", "UNTIL=99991231T235959Z"),
)
_part = st.sampled_from(PARTS)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(_part, max_size=6).map(";".join) | st.text(max_size=60))
@example("FREQ=MONTHLY;BYSETPOS=-1")
def test_no_text_does_more_than_be_no_rule(text: str) -> None:
    try:
        rule = rule_of(text, START)
    except ValueError:
        return
    if rule is not None:
        again = rule_of(rrule_of(rule), START)
        assert again is not None
        assert [day for day, _ in zip(Days(again), range(30), strict=False)] == [
            day for day, _ in zip(Days(rule), range(30), strict=False)
        ]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(_part, max_size=5).map(";".join))
def test_a_rule_that_is_read_means_what_dateutil_reads(text: str) -> None:
    try:
        rule = rule_of(text, START)
    except ValueError:
        return
    if rule is None:
        return
    first = START.replace(tzinfo=None)
    horizon = first + 2000 * DAY
    # A plain 31st is the last day to Exchange: what RFC 5545 calls the day before the first of the next month.
    theirs = rrulestr(text.strip(";").replace("BYMONTHDAY=31", "BYMONTHDAY=-1"), dtstart=first, ignoretz=True)
    expected = [one.toordinal() for one in theirs.between(first, horizon, inc=True)]
    assert list(takewhile(lambda day: day <= horizon.toordinal(), Days(rule))) == expected


def test_a_rule_for_the_31st_gets_the_short_months_that_exchange_adds() -> None:
    rule = rule_of("FREQ=MONTHLY;BYMONTHDAY=31", START)
    assert rule is not None
    ours = [date.fromordinal(day) for day, _ in zip(Days(rule), range(12), strict=False)]
    theirs = rrulestr("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=7", dtstart=START.replace(tzinfo=None))
    assert [day for day in ours if day.day == 31] == [one.date() for one in theirs]
    assert [day.day for day in ours if day.day != 31] == [28, 30, 30, 30, 30]


def test_the_written_rule_counts_from_the_first_occurrence() -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    rule = Rule(Weekly(2, (0, 4), 0), START.date(), count=3)
    theirs = rrulestr(rrule_of(rule), dtstart=datetime(2026, 12, 4))  # noqa: DTZ001 (days only)
    assert [one.toordinal() for one in theirs] == list(Days(rule))
    assert list(Days(rule))[-1] < until.toordinal()
