"""Random series against python-dateutil, which expands from the beginning what ours computes in place (docs/decisions/0012)."""

from datetime import timedelta

import pytest

from greenroom.meetings.admission import Admission
from greenroom.meetings.recurrence import Occurrence, Series
from support.random_series import PATTERNS, Case, Told, random_case, told_by_dateutil, touching

QUICK, SHARES, MANY = 200, 4, 3500


def told(found: Occurrence | None) -> Told | None:
    return None if found is None else (found.day, found.start, found.end)


def compare(case: Case) -> None:
    """Ask every question, and look the answers up in a list of all that takes place."""
    found = case.series.occurrences
    horizon = max(case.until, case.now) + timedelta(days=35)
    everything = told_by_dateutil(case, horizon)
    within = [told(one) for one in found.between(case.since, case.until)]
    assert within == touching(everything, case.since, case.until)

    now = case.now
    earlier = [one for one in everything if one[1] <= now]
    later = [one for one in everything if one[1] > now]
    before, after = told(found.before(now)), told(found.after(now))
    assert (before and before[1]) == max((one[1] for one in earlier), default=None)
    assert before is None or before in earlier
    if after is None or after[1] < horizon:
        assert (after and after[1]) == min((one[1] for one in later), default=None)
        assert after is None or after in later

    open_now = [one for one in everything if one[1] - case.before <= now < one[2] + case.after]
    covering = [told(one) for one in found.covering(now, case.before, case.after)]
    assert sorted(open_now[-16:]) == sorted(one for one in covering if one is not None)
    assert found.is_covered(now, case.before, case.after) == bool(open_now)
    assert Admission((case.series,), case.before, case.after).is_open(now) == bool(open_now)

    for one in touching(everything, case.since, case.until):
        assert told(found.on(one[0])) == one
        assert found.day_of(one[0]) == one[0]
    assert Series.parse(case.series.text) == case.series


@pytest.mark.parametrize("kind", PATTERNS)
def test_random_series_take_place_as_dateutil_says(kind: str) -> None:
    for number in range(QUICK):
        compare(random_case(kind, number))


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("kind", PATTERNS)
def test_many_random_series_take_place_as_dateutil_says(kind: str, share: int) -> None:
    for number in range(share * MANY, share * MANY + MANY):
        compare(random_case(kind, number))
