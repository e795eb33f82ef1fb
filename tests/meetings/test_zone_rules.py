"""Zones of their own against the zone database: what Exchange says of a zone, counted by our clock."""

import copy
import json
import pickle
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.zone_clock import ZoneClock, clock_of
from greenroom.meetings.zone_rules import MAX_ERAS, MAX_TEXT, Era, Onset, Yearly, define, read, write
from support.clocks_compared import differences, year

H = timedelta(hours=1)
SUN = 6
Definition = tuple[Mapping[str, timedelta], Mapping[str, Sequence[Onset]], Sequence[tuple[datetime | None, str]]]


def local(*when: int) -> datetime:
    return datetime(*when)  # type: ignore[arg-type]  # noqa: DTZ001 (as Exchange sends it)


def on(to: str, month: int, nth: int, at: timedelta) -> Onset:
    return Onset(to, month=month, weekday=SUN, nth=nth, at=at)


BERLIN: Definition = (
    {"std": -H, "dlt": -2 * H},
    {"0": [on("dlt", 3, -1, 2 * H), on("std", 10, -1, 3 * H)]},
    [(None, "0")],
)
NEW_YORK: Definition = (
    {"std": 5 * H, "dlt": 4 * H},
    {
        "0": [on("std", 10, 5, 2 * H), on("dlt", 4, 1, 2 * H)],
        "1": [on("dlt", 3, 2, 2 * H), on("std", 11, 1, 2 * H)],
    },
    [(None, "0"), (local(2007, 1, 1), "1")],
)
SYDNEY: Definition = (
    {"std": -10 * H, "dlt": -11 * H},
    {
        "0": [on("std", 3, -1, 3 * H), on("dlt", 10, -1, 2 * H)],
        "1": [on("std", 4, 1, 3 * H), on("dlt", 10, -1, 2 * H)],
        "2": [on("std", 3, -1, 3 * H), on("dlt", 10, -1, 2 * H)],
        "3": [on("std", 4, 1, 3 * H), on("dlt", 10, 1, 2 * H)],
    },
    [(None, "0"), (local(2006, 1, 1), "1"), (local(2007, 1, 1), "2"), (local(2008, 1, 1), "3")],
)
LORD_HOWE: Definition = (
    {"std": -10.5 * H, "dlt": -11 * H},
    {"0": [on("std", 4, 1, 2 * H), on("dlt", 10, 1, 2 * H)]},
    [(None, "0")],
)
CASES = {
    "Europe/Berlin": (BERLIN, 2000, 2036),
    "America/New_York": (NEW_YORK, 2000, 2036),
    "Australia/Sydney": (SYDNEY, 2002, 2036),
    "Australia/Lord_Howe": (LORD_HOWE, 2009, 2036),
}


@pytest.mark.parametrize("name", CASES)
def test_the_definition_exchange_has_of_a_zone_counts_as_the_zone_database_does(name: str) -> None:
    said, since, until = CASES[name]
    assert differences(clock_of(define(*said)), ZoneInfo(name), year(since), year(until)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_it_counts_so_at_every_half_hour(name: str) -> None:
    said, since, until = CASES[name]
    ours, theirs = clock_of(define(*said)), ZoneInfo(name)
    at = year(since)
    while at < year(until):
        assert at.astimezone(ours).replace(tzinfo=None) == at.astimezone(theirs).replace(tzinfo=None)
        at += H / 2


def test_a_definition_without_clock_changes_is_one_offset() -> None:
    plain = define({"x": -5.5 * H}, {"0": [Onset("x")]}, [(None, "0")])
    assert plain == define({"x": -5.5 * H}, {}, [(None, "x")]) == '{"eras":[{"offset":19800}]}'
    assert clock_of(plain).utcoffset(year(2026)) == 5.5 * H
    idle = define({"a": -H, "b": -H}, {"0": [on("a", 3, 1, H), on("b", 9, 1, H)]}, [(None, "0")])
    assert idle == define({"x": -H}, {}, [(None, "x")])  # two names of the same


def test_a_definition_is_the_same_however_it_is_put() -> None:
    periods, groups, eras = NEW_YORK
    turned = {key: list(reversed(value)) for key, value in groups.items()}
    dated = [(local(1601, 1, 1), "0"), (datetime(2007, 1, 1, 5, tzinfo=UTC), "1")]
    assert define(periods, turned, list(reversed(dated))) == define(periods, groups, eras)
    again = [*eras, (local(2010, 1, 1), "1")]
    assert define(periods, groups, again) == define(periods, groups, eras)


def test_a_change_on_a_day_of_the_month_and_one_at_the_last_minute_of_a_day_are_understood() -> None:
    periods = {"std": 3 * H, "dlt": 2 * H}
    last = timedelta(hours=23, minutes=59, seconds=59)
    said = define(periods, {"0": [Onset("dlt", 10, day=31, at=H), on("std", 2, 3, last)]}, [(None, "0")])
    clock = clock_of(said)
    assert datetime(2026, 10, 31, 3, 59, tzinfo=UTC).astimezone(clock).hour == 0
    assert datetime(2026, 10, 31, 4, tzinfo=UTC).astimezone(clock).hour == 2
    assert datetime(2026, 2, 16, 1, 59, tzinfo=UTC).astimezone(clock) == datetime(2026, 2, 15, 23, 59, tzinfo=clock)
    assert datetime(2026, 2, 16, 2, tzinfo=UTC).astimezone(clock) == datetime(2026, 2, 15, 23, tzinfo=clock, fold=1)


def test_skipped_and_doubled_times_are_counted_as_pep_495_says() -> None:
    clock = clock_of(define(*BERLIN))
    skipped = datetime(2026, 3, 29, 2, 30, tzinfo=clock)
    assert (skipped.utcoffset(), skipped.replace(fold=1).utcoffset()) == (H, 2 * H)
    assert skipped.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    doubled = datetime(2026, 10, 25, 2, 30, tzinfo=clock)
    assert (doubled.utcoffset(), doubled.replace(fold=1).utcoffset()) == (2 * H, H)
    assert datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(clock).fold == 1


def test_a_clock_tells_summer_time_and_a_name() -> None:
    clock = clock_of(define(*BERLIN))
    assert [datetime(2026, month, 1, tzinfo=clock).dst() for month in (1, 7)] == [timedelta(), H]
    assert [datetime(2026, month, 1, tzinfo=clock).tzname() for month in (1, 7)] == ["UTC+01:00", "UTC+02:00"]
    west = clock_of(define({"x": 3.5 * H}, {}, [(None, "x")]))
    assert datetime(2026, 1, 1, tzinfo=west).tzname() == "UTC-03:30"
    assert (clock.utcoffset(None), clock.dst(None)) == (None, None)


def test_a_clock_is_a_value() -> None:
    text = define(*NEW_YORK)
    clock = clock_of(text)
    assert clock == ZoneClock(text) != clock_of(define(*BERLIN))
    assert hash(clock) == hash(ZoneClock(text))
    assert pickle.loads(pickle.dumps(clock)) is clock
    assert copy.deepcopy(clock) is clock
    assert "18000" not in repr(clock)


def test_a_clock_goes_from_the_first_to_the_last_day_there_is() -> None:
    for text in (define(*BERLIN), define(*NEW_YORK), define(*SYDNEY)):
        clock = clock_of(text)
        for at in (datetime.min, datetime(1, 2, 1), datetime(9998, 7, 1), datetime.max):  # noqa: DTZ001, DTZ901
            assert at.replace(tzinfo=clock).utcoffset() is not None
        assert datetime(9999, 12, 30, tzinfo=UTC).astimezone(clock).year == 9999
        with pytest.raises(OverflowError):
            datetime.max.replace(tzinfo=timezone(-H)).astimezone(clock)


NONE = Onset("none", month=3, weekday=SUN, nth=1)


@pytest.mark.parametrize(
    ("periods", "groups", "eras"),
    [
        ({}, {}, []),
        ({}, {}, [(None, "0")]),
        ({"a": H}, {"0": []}, [(None, "0")]),
        ({"a": H}, {"0": [NONE]}, [(None, "0")]),
        ({"a": 25 * H}, {}, [(None, "a")]),
        ({"a": timedelta.max}, {}, [(None, "a")]),
        ({"a": H}, {"0": [Onset("a", month=13, weekday=1, nth=1)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, weekday=7, nth=1)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, weekday=1, nth=0)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, day=0)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, day=32)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, day=1, at=50 * H)]}, [(None, "0")]),
        ({"a": H}, {"0": [Onset("a", month=2, day=1)] * 1000}, [(None, "0")]),
        ({"a": H}, {}, [(None, "a")] * 10_000),
        ({"a": H, "b": 2 * H}, {}, [(local(year, 1, 1), "ab"[year % 2]) for year in range(1, MAX_ERAS + 2)]),
        ({"a": H}, {}, [(None, "a"), (datetime.min.replace(tzinfo=timezone(H)), "a")]),
    ],
)
def test_what_makes_no_zone_is_a_value_error(
    periods: dict[str, timedelta], groups: dict[str, list[Onset]], eras: list[tuple[datetime | None, str]]
) -> None:
    with pytest.raises(ValueError, match=r"time zone|offset|clocks|day of|weekday"):
        define(periods, groups, eras)


def test_the_canonical_text_is_read_as_it_was_written() -> None:
    for said, _, _ in CASES.values():
        text = define(*said)
        assert write(read(text).eras) == text
        assert not read(text).guessed
    assert read(write([Era(None, 3600)], guessed=True)).guessed


BROKEN = [
    "",
    "null",
    "[]",
    '{"eras":1}',
    '{"eras":[{}]}',
    '{"eras":[{"offset":"1"}]}',
    '{"eras":[{"offset":true}]}',
    '{"eras":[{"offset":1e3}]}',
    '{"eras":[{"offset":86400}]}',
    '{"eras":[{"offset":1},{"offset":2}]}',
    '{"eras":[{"offset":1},{"from":2,"offset":2},{"from":2,"offset":1}]}',
    '{"eras":[{"offset":1,"onsets":[[1,2]]}]}',
    '{"eras":[{"offset":1,"onsets":[[0,0,1,0,0,0]]}]}',
    '{"eras":[{"offset":1,"onsets":[[1,0,1,999999999,0,0]]}]}',
    '{"eras":[{"offset":1,"from":99999999999999999999}]}',
    "[" * 100_000,
    "[" * (MAX_TEXT - 1),
    '{"eras":[' + ",".join('{"offset":1}' for _ in range(MAX_ERAS + 1)) + "]}",
]


@pytest.mark.parametrize("at", range(len(BROKEN)))
def test_any_other_text_is_a_value_error(at: int) -> None:
    if at == BROKEN.index('{"eras":[{"offset":1,"from":99999999999999999999}]}'):
        assert read(BROKEN[at]).eras == (Era(None, 1),)  # the first era counts since ever, whatever it says
        return
    with pytest.raises(ValueError, match=r"."):
        read(BROKEN[at])


numbers = st.integers(-(10**12), 10**12) | st.integers(-100_000, 100_000) | st.integers(-32, 32)
onsets = st.lists(st.lists(numbers, min_size=6, max_size=6), max_size=4)


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries({"offset": numbers}, optional={"from": numbers, "onsets": onsets}), max_size=4))
def test_what_can_be_read_can_be_counted_by(eras: list[object]) -> None:
    try:
        clock = clock_of(json.dumps({"eras": eras}))
    except ValueError:
        return
    for number in (1, 2, 1970, 2026, 9999):
        for month in (1, 6):
            at = datetime(number, month, 28, tzinfo=clock)
            assert at.utcoffset() is not None
            assert at.dst() is not None


@settings(max_examples=60)
@given(
    st.integers(1, 12),
    st.integers(-1, 6),
    st.integers(-31, 31),
    st.integers(1, 9999),
)
def test_a_yearly_day_lies_in_its_year_or_is_refused(month: int, weekday: int, day: int, number: int) -> None:
    try:
        yearly = Yearly(month, weekday, day, 0, 0, 0)
    except ValueError:
        assert day == 0 or (weekday < 0 and day < 0)
        return
    assert abs(yearly.on(number) - datetime(number, month, 15).toordinal()) <= 24  # noqa: DTZ001 (a day)
