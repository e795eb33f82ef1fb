"""What is read again and again is read once; what a stranger makes long is not kept for long."""

import gc
import weakref
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from greenroom.meetings.admission import Admission
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rules import Daily, Rule
from greenroom.meetings.zones import Zone
from greenroom.storage.kept_text import read_admission, read_series

START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def long(number: int, exceptions: int = 200) -> Series:
    """Return a series whose text is long."""
    moved = [(START + day * DAY, START + day * DAY + HOUR, START + day * DAY + 2 * HOUR) for day in range(exceptions)]
    return Series.of(Rule(Daily(), date(2026, 3, 9)), START, START + number * HOUR, Zone("UTC"), moved=moved)


def test_a_text_that_is_read_again_gives_the_same_value_with_its_answers_prepared() -> None:
    plain = long(1).frame
    admission = Admission((plain,), HOUR, HOUR).text
    assert read_series(plain.text, "one") is read_series(plain.text, "another")
    assert read_admission(admission, "one") is read_admission(admission, "another")


def test_of_long_texts_only_the_last_few_are_kept() -> None:
    first = read_series(long(1).text, "one")
    assert first == long(1)
    kept = weakref.ref(first)
    for number in range(2, 12):
        read_series(long(number).text, "one")
    del first
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"length": 1e999}'], ids=["cut", "deep", "endless"])
def test_what_cannot_be_read_is_not_kept_either(text: str) -> None:
    assert read_series(text, "one") is None
    assert read_series(text, "one") is None


def test_texts_that_differ_give_values_that_differ() -> None:
    plain = long(1).frame
    longer = replace(plain, length=2 * HOUR)
    assert read_series(plain.text, "one") != read_series(longer.text, "one")
