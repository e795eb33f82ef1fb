"""Rules said so that Graph understands them: they fit its schema, come back as they were, and mean the same days."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.exchange.graph.events import Recurrence
from greenroom.exchange.graph.recurrence import read_rule, write_recurrence
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
from greenroom.simulator.days import days_between
from greenroom.simulator.graph import recurrences
from support.graph_schema import misfits

DAY = date(2031, 5, 6)
BERLIN = "W. Europe Standard Time"


def patterns(groups: st.SearchStrategy[tuple[int, ...]], *, years: int) -> st.SearchStrategy[Pattern]:
    interval, each, nth = st.integers(1, 99), st.integers(1, years), st.sampled_from(Nth)
    several = st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days)))
    day, month = st.integers(1, 31), st.integers(1, 12)
    return st.one_of(
        st.builds(Daily, interval),
        st.builds(Weekly, interval, several, st.sampled_from(EVERY_DAY)),
        st.builds(AbsoluteMonthly, interval, day),
        st.builds(RelativeMonthly, interval, groups, nth),
        st.builds(AbsoluteYearly, month, day, each),
        st.builds(RelativeYearly, month, groups, nth, each),
    )


ANY = st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days)))
NAMED = st.sampled_from([*((day,) for day in EVERY_DAY), EVERY_DAY, WORKDAYS, WEEKEND])
"""What Exchange has a word for."""


@st.composite
def rules(draw: st.DrawFn, kinds: st.SearchStrategy[Pattern]) -> Rule:
    start = draw(st.dates(date(1999, 1, 1), date(2040, 12, 31)))
    ends = draw(
        st.one_of(
            st.just({}),
            st.integers(1, 999).map(lambda count: {"count": count}),
            st.integers(0, 9000).map(lambda days: {"until": start + timedelta(days=days)}),
        )
    )
    return Rule(draw(kinds), start, **ends)


class TestWriting:
    @settings(deadline=None)  # the schema is compiled in the first call
    @given(rules(patterns(ANY, years=20)))
    def test_what_is_written_fits_the_schema_and_is_read_as_it_was(self, rule: Rule) -> None:
        said = json.loads(json.dumps(write_recurrence(rule, BERLIN)))
        assert misfits("patternedRecurrence", said) == []
        assert read_rule(Recurrence.model_validate(said)) == rule

    @settings(deadline=None)  # dateutil expands
    @given(rules(patterns(NAMED, years=1)))
    def test_the_simulator_which_reads_by_itself_counts_the_same_days(self, rule: Rule) -> None:
        begins = datetime(rule.start.year, rule.start.month, rule.start.day, 12, tzinfo=UTC)
        read = recurrences.read(write_recurrence(rule), begins, "UTC")
        assert read is not None
        until = rule.start + timedelta(days=5000)
        assert list(islice(days_between(read, rule.start, until), 400)) == list(islice(within(rule, until), 400))

    def test_the_zone_is_told_only_where_it_is_given(self) -> None:
        rule = Rule(Daily(), DAY)
        assert "recurrenceTimeZone" not in write_recurrence(rule)["range"]
        assert write_recurrence(rule, BERLIN)["range"]["recurrenceTimeZone"] == BERLIN


def within(rule: Rule, until: date) -> Iterator[date]:
    for day in Days(rule):
        if day > until.toordinal():
            return
        yield date.fromordinal(day)
