"""The binary rule of a series tells whether anything differs from it, and is trusted only where it is certain."""

import hashlib
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.graph.blobs import written
from exchange.graph.whole_events import START
from greenroom.exchange.graph.rule_blob import is_unbroken
from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)

PATTERNS: dict[str, Pattern] = {
    "daily": Daily(3),
    "weekly": Weekly(2, ("Tuesday", "Friday"), "Monday"),
    "monthly": AbsoluteMonthly(1, 6),
    "last-tuesday": RelativeMonthly(2, "Tuesday", "Last"),
    "first-weekday": RelativeMonthly(1, "Weekday", "First"),
    "yearly": AbsoluteYearly(5, 6),
    "first-tuesday-of-may": RelativeYearly(5, "Tuesday", "First"),
}


def said(blob: bytes) -> str:
    return b64encode(blob).decode()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_series_of_any_kind_says_whether_it_is_as_ruled(name: str) -> None:
    pattern = PATTERNS[name]
    assert is_unbroken(said(written(pattern)))
    assert not is_unbroken(said(written(pattern, gone=[START])))
    assert not is_unbroken(said(written(pattern, moved=[START])))


@given(st.integers(0, 60), st.sampled_from(sorted(PATTERNS)))
def test_what_is_cut_short_is_not_trusted(length: int, name: str) -> None:
    blob = written(PATTERNS[name])
    cut = blob[: min(length, 34)]
    assert not is_unbroken(said(cut))


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda data: b64encode(data).decode())))
def test_anything_else_is_not_trusted(text: str) -> None:
    assert not is_unbroken(text) or b64encode(b"\x04\x30").decode()[:2] == text[:2]


def test_the_simulator_writes_what_the_specification_shows() -> None:
    """The examples of MS-OXOCAL 4.1.1.1 and 4.1.1.3, kept as their hashes."""
    weekly = written(
        Recurrence(Weekly(1, ("Monday", "Thursday", "Friday")), date(2007, 3, 26), count=12),
        start=datetime(2007, 3, 26, 10, tzinfo=UTC),
        length=timedelta(minutes=30),
    )
    daily = written(
        Recurrence(Daily(3), date(2011, 4, 7), until=date(2011, 5, 4)),
        start=datetime(2011, 4, 7, 8, tzinfo=UTC),
        length=timedelta(minutes=30),
        gone=[datetime(2011, 4, day, 8, tzinfo=UTC) for day in (19, 22)],
    )
    assert [hashlib.sha256(blob).hexdigest()[:16] for blob in (weekly, daily)] == [
        "f6c14ff86ac191b5",
        "09b6f0d5485f78ef",
    ]
