"""Rules over EWS: what is written fits the schema, means the same to another reader, and is read back as it was."""

from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from greenroom.exchange.ews.markup import TYPES, Element, messages, types, with_children
from greenroom.exchange.ews.recurrence import read_rule, write_recurrence
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
from greenroom.simulator.days import days_from
from greenroom.simulator.ews.recurrences import read_recurrence
from support.ews_schema import schema_errors

START = date(2031, 5, 6)
NAMED = st.sampled_from([*((day,) for day in range(7)), EVERY_DAY, WORKDAYS, WEEKEND])
SOME_DAYS = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))
INTERVALS = st.one_of(st.integers(1, 5), st.integers(1, 99))
MONTHS = st.integers(1, 12)
NTHS = st.sampled_from(list(Nth))
PATTERNS: st.SearchStrategy[Pattern] = st.one_of(
    st.builds(Daily, st.integers(1, 999)),
    st.builds(Weekly, INTERVALS, SOME_DAYS, st.integers(0, 6)),
    st.builds(AbsoluteMonthly, INTERVALS, st.integers(1, 31)),
    st.builds(RelativeMonthly, INTERVALS, NAMED, NTHS),
    st.builds(AbsoluteYearly, MONTHS, st.integers(1, 31)),
    st.builds(RelativeYearly, MONTHS, NAMED, NTHS),
)
STARTS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@st.composite
def rules(draw: st.DrawFn, patterns: st.SearchStrategy[Pattern] = PATTERNS) -> Rule:
    start = draw(STARTS)
    limits = draw(
        st.one_of(
            st.just({}),
            st.builds(lambda days: {"until": start + timedelta(days=days)}, st.integers(0, 5000)),
            st.builds(lambda count: {"count": count}, st.integers(1, 400)),
        )
    )
    return Rule(draw(patterns), start, **limits)


def recurrence(inside: str) -> Element:
    return etree.fromstring(f'<Recurrence xmlns="{TYPES}">{inside}</Recurrence>')


NO_END = "<NoEndRecurrence><StartDate>2031-05-06</StartDate></NoEndRecurrence>"
DAILY = "<DailyRecurrence><Interval>2</Interval></DailyRecurrence>"


@given(rules())
def test_what_is_written_is_read_back_as_it_was(rule: Rule) -> None:
    assert read_rule(write_recurrence(rule)) == rule


@settings(deadline=None)  # the schema is compiled in the first call
@given(rules())
def test_what_is_written_fits_the_schema(rule: Rule) -> None:
    item = with_children(types("CalendarItem"), write_recurrence(rule))
    request = messages("CreateItem", SendMeetingInvitations="SendToNone")
    assert schema_errors(with_children(request, with_children(messages("Items"), item))) == []


@given(rules())
def test_another_reader_finds_the_same_days(rule: Rule) -> None:
    theirs = read_recurrence(write_recurrence(rule))
    ours = [date.fromordinal(day) for day in islice(Days(rule), 30)]
    assert list(islice(days_from(theirs, rule.start), 30)) == ours


@given(
    rules(
        st.one_of(
            st.builds(AbsoluteYearly, MONTHS, st.integers(1, 31), st.integers(2, 80)),
            st.builds(RelativeYearly, MONTHS, NAMED, NTHS, st.integers(2, 80)),
        )
    )
)
def test_every_few_years_is_written_as_every_so_many_months(rule: Rule) -> None:
    if Days(rule).first is None:
        with pytest.raises(ValueError, match="no day"):
            write_recurrence(rule)
        return
    assert list(islice(Days(read_rule(write_recurrence(rule))), 30)) == list(islice(Days(rule), 30))


@pytest.mark.parametrize("days", [(0, 1), (0, 2, 4), (4, 5, 6)])
def test_days_that_ews_has_no_word_for_are_not_written(days: tuple[int, ...]) -> None:
    for pattern in (RelativeMonthly(1, days, Nth.FIRST), RelativeYearly(5, days, Nth.LAST)):
        with pytest.raises(ValueError, match="no word"):
            write_recurrence(Rule(pattern, START))


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        (
            "<WeeklyRecurrence><Interval>2</Interval><DaysOfWeek>Friday  Monday Friday</DaysOfWeek></WeeklyRecurrence>",
            Weekly(2, (0, 4), 6),
        ),
        (
            "<WeeklyRecurrence><DaysOfWeek>Weekday Sunday</DaysOfWeek></WeeklyRecurrence>",
            Weekly(1, (0, 1, 2, 3, 4, 6), 6),
        ),
        ("<DailyRecurrence/>", Daily(1)),
        (
            (
                "<RelativeMonthlyRecurrence><DaysOfWeek>Day</DaysOfWeek><DayOfWeekIndex>Last</DayOfWeekIndex>"
                "</RelativeMonthlyRecurrence>"
            ),
            RelativeMonthly(1, EVERY_DAY, Nth.LAST),
        ),
    ],
)
def test_what_servers_leave_out_or_repeat_is_understood(inside: str, wanted: Pattern) -> None:
    assert read_rule(recurrence(inside + NO_END)) == Rule(wanted, START)


@pytest.mark.parametrize("start", ["2031-05-06", "2031-05-06Z", "2031-05-06+02:00", "2031-05-06T00:00:00.000000Z"])
def test_a_day_may_have_a_zone_or_a_time(start: str) -> None:
    limits = f"<EndDateRecurrence><StartDate>{start}</StartDate><EndDate>{start}</EndDate></EndDateRecurrence>"
    assert read_rule(recurrence(DAILY + limits)) == Rule(Daily(2), START, until=START)


LIMITS = "<{0}Recurrence><StartDate>2031-05-06</StartDate>{1}</{0}Recurrence>"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        NO_END,
        DAILY,
        DAILY + DAILY.replace("Daily", "Weekly") + NO_END,
        "<DailyRegeneration><Interval>1</Interval></DailyRegeneration>" + NO_END,
        DAILY + NO_END + LIMITS.format("EndDate", "<EndDate>2031-06-06</EndDate>"),
        DAILY.replace("2", "0") + NO_END,
        DAILY.replace("2", "-1") + NO_END,
        DAILY.replace("2", "999999999") + NO_END,
        DAILY.replace("2", "9" * 5000) + NO_END,
        DAILY.replace("2", "two") + NO_END,
        DAILY + NO_END.replace("2031-05-06", "2031-02-30"),
        DAILY + NO_END.replace("2031-05-06", "0001-01-01"),
        DAILY + NO_END.replace("2031-05-06", "9999-12-31"),
        DAILY + LIMITS.format("EndDate", ""),
        DAILY + LIMITS.format("Numbered", ""),
        DAILY + LIMITS.format("Numbered", "<NumberOfOccurrences>0</NumberOfOccurrences>"),
        "<WeeklyRecurrence><Interval>1</Interval><DaysOfWeek/></WeeklyRecurrence>" + NO_END,
        "<WeeklyRecurrence><DaysOfWeek>Caturday</DaysOfWeek></WeeklyRecurrence>" + NO_END,
        "<WeeklyRecurrence><DaysOfWeek>Monday</DaysOfWeek><FirstDayOfWeek>Day</FirstDayOfWeek></WeeklyRecurrence>"
        + NO_END,
        "<AbsoluteMonthlyRecurrence><Interval>1</Interval></AbsoluteMonthlyRecurrence>" + NO_END,
        "<AbsoluteMonthlyRecurrence><DayOfMonth>32</DayOfMonth></AbsoluteMonthlyRecurrence>" + NO_END,
        "<RelativeMonthlyRecurrence><DaysOfWeek>Monday</DaysOfWeek></RelativeMonthlyRecurrence>" + NO_END,
        "<AbsoluteYearlyRecurrence><DayOfMonth>1</DayOfMonth><Month>Brumaire</Month></AbsoluteYearlyRecurrence>"
        + NO_END,
    ],
    ids=range(24),
)
def test_what_is_no_rule_is_said_to_be_none(inside: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_rule(recurrence(inside))
