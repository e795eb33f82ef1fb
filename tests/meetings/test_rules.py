"""Which days rules name: each pattern of Exchange, its ends and its corners."""

from datetime import date, timedelta
from typing import Any

import pytest

from greenroom.meetings.rule_days import Days
from greenroom.meetings.rules import (
    EVERY_DAY,
    LAST_DAY,
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

MONDAY, TUESDAY, THURSDAY, FRIDAY, SUNDAY = 0, 1, 3, 4, 6


def days(pattern: Pattern, start: str, **end: Any) -> list[str]:
    """The first days of a rule, at most six."""
    rule = Rule(pattern, date.fromisoformat(start), **end)
    return [date.fromordinal(day).isoformat() for day, _ in zip(Days(rule), range(6), strict=False)]


class TestPatterns:
    def test_every_third_day(self) -> None:
        assert days(Daily(3), "2026-02-25", count=3) == ["2026-02-25", "2026-02-28", "2026-03-03"]

    def test_tuesday_and_thursday(self) -> None:
        found = days(Weekly(1, (TUESDAY, THURSDAY)), "2026-12-01", until=date(2026, 12, 10))
        assert found == ["2026-12-01", "2026-12-03", "2026-12-08", "2026-12-10"]

    def test_every_second_week_counts_the_week_of_the_start_from_its_first_day(self) -> None:
        # 2026-12-02 is a Wednesday: the Sunday behind it is in the next week if weeks begin on Sunday, in this one if on Monday.
        assert days(Weekly(2, (MONDAY, SUNDAY), 6), "2026-12-02", count=3) == ["2026-12-13", "2026-12-14", "2026-12-27"]
        assert days(Weekly(2, (MONDAY, SUNDAY), 0), "2026-12-02", count=3) == ["2026-12-06", "2026-12-14", "2026-12-20"]

    @pytest.mark.parametrize("first_day", EVERY_DAY)
    def test_the_first_day_of_the_week_means_nothing_for_every_week(self, first_day: int) -> None:
        assert days(Weekly(1, WORKDAYS, first_day), "2026-12-05", count=2) == ["2026-12-07", "2026-12-08"]

    def test_the_31st_is_the_last_day_of_every_month(self) -> None:
        found = days(AbsoluteMonthly(1, 31), "2026-12-31", count=6)
        assert found == ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]

    def test_the_30th_is_the_last_day_of_february_alone(self) -> None:
        assert days(AbsoluteMonthly(1, 30), "2028-01-30", count=3) == ["2028-01-30", "2028-02-29", "2028-03-30"]

    def test_every_second_month_counts_the_month_of_the_start(self) -> None:
        assert days(AbsoluteMonthly(2, 5), "2026-01-10", count=2) == ["2026-03-05", "2026-05-05"]

    def test_the_second_tuesday_of_the_month(self) -> None:
        assert days(RelativeMonthly(1, (TUESDAY,), Nth.SECOND), "2026-12-09", count=2) == ["2027-01-12", "2027-02-09"]

    def test_the_last_weekday_of_the_month(self) -> None:
        found = days(RelativeMonthly(1, WORKDAYS, Nth.LAST), "2027-01-01", count=4)
        assert found == ["2027-01-29", "2027-02-26", "2027-03-31", "2027-04-30"]

    def test_the_first_weekend_day_and_the_third_day_of_the_month(self) -> None:
        assert days(RelativeMonthly(1, WEEKEND, Nth.FIRST), "2027-01-01", count=2) == ["2027-01-02", "2027-02-06"]
        assert days(RelativeMonthly(1, EVERY_DAY, Nth.THIRD), "2027-01-01", count=2) == ["2027-01-03", "2027-02-03"]

    def test_the_last_day_of_the_month_is_29_february_in_a_leap_year(self) -> None:
        assert days(RelativeMonthly(12, EVERY_DAY, Nth.LAST), "2027-02-01", count=2) == ["2027-02-28", "2028-02-29"]

    def test_a_birthday_on_29_february_is_on_the_28th_in_other_years(self) -> None:
        assert days(AbsoluteYearly(2, 29), "2027-01-01", count=2) == ["2027-02-28", "2028-02-29"]

    def test_a_yearly_day_that_is_past_in_the_first_year_begins_in_the_next_of_its_years(self) -> None:
        assert days(AbsoluteYearly(3, 1, 2), "2026-06-01", count=2) == ["2028-03-01", "2030-03-01"]

    def test_the_fourth_thursday_of_november(self) -> None:
        found = days(RelativeYearly(11, (THURSDAY,), Nth.FOURTH), "2026-11-01", count=2)
        assert found == ["2026-11-26", "2027-11-25"]

    def test_the_last_friday_of_every_fourth_may(self) -> None:
        assert days(RelativeYearly(5, (FRIDAY,), Nth.LAST, 4), "2026-05-30", count=2) == ["2030-05-31", "2034-05-26"]


class TestEnds:
    def test_a_start_that_is_no_occurrence_does_not_count(self) -> None:
        assert days(Weekly(1, (MONDAY,)), "2026-12-02", count=1) == ["2026-12-07"]

    def test_the_last_day_is_part_of_it(self) -> None:
        assert days(Daily(), "2026-12-02", until=date(2026, 12, 3)) == ["2026-12-02", "2026-12-03"]

    def test_a_rule_may_name_no_day(self) -> None:
        found = Days(Rule(Weekly(1, (MONDAY,)), date(2026, 12, 2), date(2026, 12, 6)))
        assert (found.first, found.last, list(found)) == (None, None, [])
        assert found.on_or_after(1) is None
        assert found.on_or_before(LAST_DAY.toordinal()) is None

    def test_an_end_before_the_start_names_no_day(self) -> None:
        assert days(Daily(), "2026-12-02", until=date(1, 1, 1)) == []

    def test_a_count_may_begin_in_the_middle_of_a_week(self) -> None:
        found = Days(Rule(Weekly(3, (0, 2, 4)), date(2026, 12, 2), count=5))
        assert [date.fromordinal(day).day for day in found] == [2, 4, 21, 23, 25]
        assert found.last == date(2026, 12, 25).toordinal()

    @pytest.mark.parametrize(
        "pattern",
        [
            Daily(999),
            Weekly(999, (6,)),
            AbsoluteMonthly(999, 31),
            RelativeMonthly(999, (6,), Nth.LAST),
            AbsoluteYearly(2, 29, 999),
            RelativeYearly(12, (6,), Nth.LAST, 999),
        ],
    )
    @pytest.mark.parametrize("start", [date(1601, 1, 1), LAST_DAY])
    def test_no_rule_leaves_the_calendar_of_exchange(self, pattern: Pattern, start: date) -> None:
        for rule in (Rule(pattern, start), Rule(pattern, start, count=10**9), Rule(pattern, start, until=date.max)):
            found = Days(rule)
            assert found.last is None or start.toordinal() <= found.last <= LAST_DAY.toordinal()
            for day in (-5, 0, 1, start.toordinal(), LAST_DAY.toordinal(), date.max.toordinal(), 10**9):
                for named in (found.on_or_after(day), found.on_or_before(day)):
                    assert named is None or start.toordinal() <= named <= LAST_DAY.toordinal()


class TestHoles:
    def test_what_is_left_out_is_passed_over_at_once(self) -> None:
        rule = Rule(Daily(), date(2000, 1, 1))
        gone = range(date(2000, 1, 2).toordinal(), date(2020, 1, 1).toordinal())
        found = Days(rule, gone)
        assert found.on_or_after(gone[0]) == gone[-1] + 1
        assert found.on_or_before(gone[-1]) == gone[0] - 1
        assert found.on_or_after(gone[-1] + 1) == gone[-1] + 1

    def test_the_first_and_the_last_may_be_left_out(self) -> None:
        rule = Rule(Weekly(1, (MONDAY,)), date(2026, 12, 7), count=3)
        found = Days(rule, [date(2026, 12, 7).toordinal(), date(2026, 12, 21).toordinal()])
        assert (found.first, found.last) == (date(2026, 12, 14).toordinal(),) * 2
        assert not found.has(date(2026, 12, 21).toordinal())

    def test_all_may_be_left_out(self) -> None:
        found = Days(
            Rule(Daily(), date(2026, 12, 7), count=2), [date(2026, 12, 7).toordinal(), date(2026, 12, 8).toordinal()]
        )
        assert (found.first, found.last, list(found)) == (None, None, [])

    def test_days_that_are_not_named_leave_no_hole(self) -> None:
        rule = Rule(Weekly(1, (MONDAY,)), date(2026, 12, 7), count=3)
        odd = [-1, 0, date(2026, 12, 8).toordinal(), date(2020, 12, 7).toordinal(), date.max.toordinal()]
        assert list(Days(rule, odd)) == list(Days(rule))


@pytest.mark.parametrize(
    "said",
    [
        {"pattern": Daily(0)},
        {"pattern": Daily(1000)},
        {"pattern": Daily(True)},
        {"pattern": Daily(1.0)},  # type: ignore[arg-type]  # hostile on purpose
        {"pattern": Weekly(1, ())},
        {"pattern": Weekly(1, (1, 0))},
        {"pattern": Weekly(1, (0, 0))},
        {"pattern": Weekly(1, (7,))},
        {"pattern": Weekly(1, (0,), 7)},
        {"pattern": AbsoluteMonthly(1, 0)},
        {"pattern": AbsoluteMonthly(1, 32)},
        {"pattern": AbsoluteYearly(0, 1)},
        {"pattern": AbsoluteYearly(13, 1)},
        {"start": date(1600, 12, 31)},
        {"start": LAST_DAY + timedelta(days=1)},
        {"count": 0},
        {"count": 1.5},
        {"count": 1, "until": date(2030, 1, 1)},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no sense"):
        Rule(**{"pattern": Daily(), "start": date(2026, 12, 7), **said})
