"""The days and times of occurrences: dateutil's counting against plain looking, Exchange's rules for months and clocks."""

import calendar
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from greenroom.simulator import ics_zones
from greenroom.simulator.days import (
    days_back,
    days_between,
    days_from,
    last_day,
    nth_day,
    number_before,
)
from greenroom.simulator.model import CalendarItem, MeetingDraft
from greenroom.simulator.occurrences import (
    first_occurrence,
    last_occurrence,
    neighbours,
    nth_occurrence,
    occurrence_on,
    occurrences_within,
)
from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support import custom_zone
from support.box import ANN, Box

BERLIN = "W. Europe Standard Time"
_INDEXES = ("First", "Second", "Third", "Fourth", "Last")


def named(pattern: Pattern, start: date, day: date) -> bool:
    """Whether a pattern names a day, by looking at that day alone."""
    months = (day.year - start.year) * 12 + day.month - start.month
    length = calendar.monthrange(day.year, day.month)[1]
    match pattern:
        case Daily(interval):
            return (day - start).days % interval == 0
        case Weekly(interval, days, first):
            begin = start - timedelta(days=(start.weekday() - DAYS.index(first)) % 7)
            return DAYS[day.weekday()] in days and (day - begin).days // 7 % interval == 0
        case AbsoluteMonthly(interval, number):
            return months % interval == 0 and day.day == min(number, length)
        case AbsoluteYearly(month, number):
            return day.month == month and day.day == min(number, length)
        case RelativeMonthly(interval, name, index):
            return months % interval == 0 and is_nth(day, name, index)
        case RelativeYearly(month, name, index):
            return day.month == month and is_nth(day, name, index)


def is_nth(day: date, name: str, index: str) -> bool:
    kinds = {"Day": range(7), "Weekday": range(5), "WeekendDay": range(5, 7)}
    wanted = kinds[name] if name in kinds else [list[str](DAYS).index(name)]
    length = calendar.monthrange(day.year, day.month)[1]
    fits = [number for number in range(1, length + 1) if day.replace(day=number).weekday() in wanted]
    return day.day in fits and fits[_INDEXES.index(index) if index != "Last" else -1] == day.day


def looked_at(rule: Recurrence, first: date, last: date) -> Iterator[date]:
    day = max(first, rule.start)
    while day <= last:
        if named(rule.pattern, rule.start, day):
            yield day
        day += timedelta(days=1)


def any_pattern(dice: random.Random) -> Pattern:
    interval = dice.choice([1, 1, 2, 3, 5, 12, 24])
    name = dice.choice([*DAYS, "Day", "Weekday", "WeekendDay"])
    index = dice.choice(_INDEXES)
    month, day = dice.randint(1, 12), dice.randint(1, 31)
    days = tuple(one for one in DAYS if dice.random() < 0.4) or ("Monday",)
    patterns: list[Pattern] = [
        Daily(interval),
        Weekly(interval, days, dice.choice(DAYS)),
        AbsoluteMonthly(interval, day),
        RelativeMonthly(interval, name, index),  # type: ignore[arg-type]  # words from the lists above
        AbsoluteYearly(month, day),
        RelativeYearly(month, name, index),  # type: ignore[arg-type]  # words from the lists above
    ]
    return dice.choice(patterns)


@pytest.mark.parametrize("seed", range(4))
def test_the_days_of_any_rule_are_those_one_finds_by_looking(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        start = date(2024, 1, 1) + timedelta(days=dice.randrange(900))
        rule = Recurrence(any_pattern(dice), start)
        first = start + timedelta(days=dice.randrange(-40, 700))
        last = first + timedelta(days=dice.randrange(900))
        expected = list(looked_at(rule, first, last))
        assert days_between(rule, first, last) == expected, rule
        assert list(islice(days_from(rule, first), len(expected))) == expected, rule
        assert list(islice(days_back(rule, last), len(expected))) == expected[::-1], rule
        if expected:
            number = number_before(rule, expected[0])
            counted = Recurrence(rule.pattern, start, count=number + 1)
            assert nth_day(rule, number + 1) == last_day(counted) == expected[0], rule
            assert days_between(counted, first, last) == expected[:1], rule


def test_an_endless_series_of_fifty_years_costs_no_more_than_a_young_one() -> None:
    old, young = (Recurrence(Daily(1), date(year, 1, 1)) for year in (1976, 2026))

    def cost(rule: Recurrence) -> float:
        begun = time.perf_counter()
        for _ in range(50):
            days_between(rule, date(2026, 11, 1), date(2026, 11, 30))
        return time.perf_counter() - begun

    assert min(cost(old) for _ in range(5)) < 5 * min(cost(young) for _ in range(5)) + 0.01


def test_a_range_that_cannot_be_counted_is_taken_for_endless() -> None:
    rule = Recurrence(Daily(1), date(2026, 1, 1), count=2_000_000_000)
    assert last_day(rule) is None
    assert nth_day(rule, 2_000_000) is None
    assert nth_day(rule, 0) is None
    assert days_between(rule, date(2026, 1, 1), date(2026, 1, 2)) == [date(2026, 1, 1), date(2026, 1, 2)]
    assert days_between(rule, date(4501, 1, 1), date(4501, 1, 2)) == []


def series(start: datetime, end: datetime, rule: Recurrence, **more: object) -> tuple[Box, CalendarItem]:
    box = Box()
    draft = {"start": start, "end": end, "start_zone": BERLIN, "recurrence": rule, **more}
    return box, box.invite(send="SendToNone", draft=draft)  # type: ignore[arg-type]  # a MeetingDraft in pieces


def test_an_occurrence_across_a_change_of_clocks_ends_by_the_clock_on_the_wall() -> None:
    rule = Recurrence(Daily(1), date(2027, 3, 20))
    _, item = series(datetime(2027, 3, 20, 0, tzinfo=UTC), datetime(2027, 3, 20, 3, tzinfo=UTC), rule)
    spring = occurrence_on(item.meeting, date(2027, 3, 28))
    autumn = occurrence_on(item.meeting, date(2027, 10, 31))
    assert spring is not None
    assert autumn is not None
    assert (spring.start, spring.end) == (datetime(2027, 3, 28, 0, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC))
    assert autumn.end - autumn.start == timedelta(hours=4)


def test_a_skipped_time_counts_by_the_offset_before_the_gap_and_keeps_its_length_where_the_end_would_be_lost() -> None:
    rule = Recurrence(Weekly(1, ("Sunday",)), date(2027, 3, 21))
    _, item = series(datetime(2027, 3, 21, 1, 30, tzinfo=UTC), datetime(2027, 3, 21, 2, tzinfo=UTC), rule)
    skipped = occurrence_on(item.meeting, date(2027, 3, 28))
    assert skipped is not None
    assert skipped.start == datetime(
        2027, 3, 28, 1, 30, tzinfo=UTC
    )  # 02:30 as if it were still winter: 03:30 on the wall
    assert skipped.end == datetime(2027, 3, 28, 2, tzinfo=UTC)


def test_a_doubled_time_is_the_first_one() -> None:
    rule = Recurrence(Weekly(1, ("Sunday",)), date(2027, 10, 24))
    _, item = series(datetime(2027, 10, 24, 0, 30, tzinfo=UTC), datetime(2027, 10, 24, 1, tzinfo=UTC), rule)
    doubled = occurrence_on(item.meeting, date(2027, 10, 31))
    assert doubled is not None
    assert (doubled.start.hour, doubled.start.minute) == (0, 30)
    assert doubled.end == datetime(2027, 10, 31, 2, tzinfo=UTC)  # 02:30 in summer to 03:00 in winter


def test_all_day_and_many_day_series_keep_their_midnights() -> None:
    rule = Recurrence(Weekly(1, ("Saturday",)), date(2027, 3, 20))
    start, end = datetime(2027, 3, 19, 23, tzinfo=UTC), datetime(2027, 3, 21, 23, tzinfo=UTC)
    _, item = series(start, end, rule, all_day=True)
    (one,) = occurrences_within(item.meeting, datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC))
    assert (one.start, one.end) == (datetime(2027, 3, 26, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))
    assert occurrences_within(item.meeting, one.end, one.end + timedelta(hours=1)) == []


def test_occurrences_have_numbers_that_deleted_ones_keep() -> None:
    rule = Recurrence(Weekly(1, ("Monday",)), date(2026, 12, 7), count=4)
    box, item = series(datetime(2026, 12, 7, 9, tzinfo=UTC), datetime(2026, 12, 7, 10, tzinfo=UTC), rule)
    second = occurrence_on(item.meeting, date(2026, 12, 14))
    assert second is not None
    box.exchange.delete_occurrence(ANN, item.id, second.start)
    assert nth_occurrence(item.meeting, 2) == (date(2026, 12, 14), None)
    third = nth_occurrence(item.meeting, 3)
    assert third is not None
    assert third[1] is not None
    assert third[1].start.day == 21
    assert nth_occurrence(item.meeting, 5) is None
    before, after = neighbours(item.meeting, date(2026, 12, 21))
    assert before is not None
    assert after is not None
    assert (before.start.day, after.start.day) == (7, 28)
    assert neighbours(item.meeting, date(2026, 12, 28))[1] is None


def test_the_ends_of_a_long_series_are_found_without_its_deleted_occurrences() -> None:
    rule = Recurrence(Daily(1), date(2001, 1, 1), until=date(2099, 12, 31))
    box, item = series(datetime(2001, 1, 1, 9, tzinfo=UTC), datetime(2001, 1, 1, 10, tzinfo=UTC), rule)
    for day in (date(2001, 1, 1), date(2099, 12, 31), date(2099, 12, 30)):
        found = occurrence_on(item.meeting, day)
        assert found is not None
        box.exchange.delete_occurrence(ANN, item.id, found.start)
    first, last = first_occurrence(item.meeting), last_occurrence(item.meeting)
    assert first is not None
    assert last is not None
    assert (first.start.date(), last.start.date()) == (date(2001, 1, 2), date(2099, 12, 29))


def test_a_zone_of_somebodys_own_has_its_own_clocks() -> None:
    draft: MeetingDraft = {
        "start": datetime(2027, 4, 9, 7, 30, tzinfo=UTC),  # 09:00 there
        "end": datetime(2027, 4, 9, 8, 30, tzinfo=UTC),
        "start_zone": custom_zone.NAME,
        "zone_rules": custom_zone.VTIMEZONE,
        "recurrence": Recurrence(Daily(1), date(2027, 4, 9)),
    }
    item = Box().invite(send="SendToNone", draft=draft)
    found = occurrences_within(item.meeting, draft["start"], draft["start"] + timedelta(days=3, hours=20))
    assert [one.start.strftime("%d %H:%M") for one in found] == ["09 07:30", "10 07:30", "11 06:30", "12 06:30"]


def test_a_zone_known_by_its_rules_alone_reads_skipped_and_doubled_times_as_zoneinfo_does() -> None:
    text = """BEGIN:VTIMEZONE
TZID:Like Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
    ruled, known = ics_zones.zone_from_rules(text), ZoneInfo("Europe/Berlin")
    assert ruled is not None
    for day in (datetime(2027, 3, 28, 2), datetime(2027, 10, 31, 2)):  # noqa: DTZ001 - local times of both zones
        for minutes in range(-150, 151, 30):
            local = day + timedelta(minutes=minutes)
            for fold in (0, 1):
                mine, theirs = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for zone in (ruled, known))
                assert mine == theirs, (local, fold)
            instant = local.replace(tzinfo=UTC)
            here, there = instant.astimezone(ruled), instant.astimezone(known)
            assert (here.replace(tzinfo=None), here.fold) == (there.replace(tzinfo=None), there.fold)
