"""Newer time zone data moves what is to come, and nothing else."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from greenroom.meetings.recurrence import Occurrences, Series
from greenroom.meetings.rules import Rule, Weekly
from greenroom.meetings.zones import Zone
from support.tzdata import change_law, environment, installed

LAW = datetime(2027, 10, 31, 1, tzinfo=UTC)  # the clocks of Berlin are not put back any more
GONE, MOVED = date(2028, 2, 14), date(2028, 2, 7)
MOVED_TO = datetime(2028, 2, 8, 10, tzinfo=UTC)
Times = dict[date, tuple[str, str]]
LATE = 23  # an hour later it is the next day

_ASK = """
import sys
from datetime import UTC, datetime
from greenroom.meetings.recurrence import Occurrences, Series
series = Series.parse(sys.stdin.read())
print(series.text)
for one in Occurrences(series).between(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC)):
    print(one.day, one.start.isoformat(), one.end.isoformat())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    change_law(tmp_path / "zoneinfo", "Europe/Berlin", LAW, timedelta(hours=2))
    return tmp_path / "zoneinfo"


def weekly(hour: int) -> Series:
    """A meeting on Mondays whose exceptions were told as instants, by the data of its day."""
    rule = Rule(Weekly(1, (0,), 0), date(2026, 1, 5))
    winter = [datetime.combine(day, time(hour - 1), UTC) for day in (MOVED, GONE)]
    start = datetime(2026, 1, 5, hour - 1, tzinfo=UTC)
    zone = Zone("W. Europe Standard Time")
    moved = [(winter[0], MOVED_TO, MOVED_TO + timedelta(hours=1))]
    return Series.of(rule, start, start + timedelta(minutes=45), zone, moved=moved, gone=[winter[1]])


def asked(text: str, folder: Path) -> tuple[str, Times]:
    """Ask a process of its own, with other zone data, what a text means; it tells also how it would store it."""
    answer = subprocess.run(
        [sys.executable, "-c", _ASK],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment(folder),
    )
    stored, *lines = answer.stdout.splitlines()
    times = {date.fromisoformat(day): (start, end) for day, start, end in map(str.split, lines)}
    return stored, times


@pytest.mark.parametrize("hour", [9, LATE])
def test_newer_zone_data_moves_what_is_to_come_and_nothing_else(folder: Path, hour: int) -> None:
    text = weekly(hour).text
    window = Occurrences(Series.parse(text)).between(
        datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC)
    )
    before = {one.day: (one.start, one.end) for one in window}
    stored, after = asked(text, folder)
    assert stored == text
    assert before.keys() == after.keys()
    moved = {day for day in before if day > LAW.date() and not _is_summer(day) and day != MOVED}
    assert len(moved) > 20
    for day, times in before.items():
        by = timedelta(hours=-1 if day in moved else 0)
        assert after[day] == tuple((one + by).isoformat() for one in times), day


@pytest.mark.parametrize("hour", [9, LATE])
def test_exceptions_fit_by_day_whatever_the_data_says(folder: Path, hour: int) -> None:
    told = weekly(hour)
    with installed(folder):
        known = Occurrences(Series.parse(told.text))
        assert known.on(GONE) is None
        moved = known.on(MOVED)
        assert moved is not None
        assert moved.start == MOVED_TO
        assert weekly(hour) == told  # told again, by instants of the older data
        (following,) = known.between(datetime(2028, 2, 21, tzinfo=UTC), datetime(2028, 2, 22, tzinfo=UTC))
        assert following.start == datetime(2028, 2, 21, hour - 2, tzinfo=UTC)
    known = Occurrences(Series.parse(told.text))
    (following,) = known.between(datetime(2028, 2, 21, tzinfo=UTC), datetime(2028, 2, 22, tzinfo=UTC))
    assert following.start == datetime(2028, 2, 21, hour - 1, tzinfo=UTC)


def _is_summer(day: date) -> bool:
    return date(day.year, 3, 31) - timedelta(days=6) <= day < date(day.year, 10, 25)
