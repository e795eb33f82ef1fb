"""Versions rise, whatever was remembered."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.addin.manifest import next_version, parse_version

NOW = datetime(2026, 11, 23, 13, 0, 10, tzinfo=UTC)
GROUP = st.integers(0, 65535)


def test_a_version_tells_its_day() -> None:
    assert next_version(NOW) == "1.2026.1123.23405"
    assert next_version(NOW.astimezone(timezone(timedelta(hours=13)))) == "1.2026.1123.23405"


@pytest.mark.parametrize("step", [2, 60, 86_400, 40 * 86_400, 400 * 86_400])
def test_a_later_one_is_higher_also_where_nobody_remembers_the_last(step: int) -> None:
    first, second = (parse_version(next_version(NOW + timedelta(seconds=more))) for more in (0, step))
    assert first is not None
    assert second is not None
    assert first < second


@given(groups=st.tuples(GROUP, GROUP, GROUP, GROUP))
def test_it_is_higher_than_any_last_one(groups: tuple[int, int, int, int]) -> None:
    made = parse_version(next_version(NOW, ".".join(map(str, groups))))
    assert made is not None
    assert made > groups or groups == (65535,) * 4


def test_it_carries_over() -> None:
    assert next_version(NOW, "2.0.65535.65535") == "2.1.0.0"


@pytest.mark.parametrize("written", ["", "1.", "1..2", "1.2.3.4.5", "65536", "1.99999", "a", "1.2\n", "-1", "\u0661"])
def test_what_is_no_version_is_told(written: str) -> None:
    assert parse_version(written) is None


def test_groups_that_are_left_out_are_nought() -> None:
    assert parse_version("1.2") == (1, 2, 0, 0)
