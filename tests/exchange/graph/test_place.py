"""The place in the feed, by itself: how far back the next round begins, and when the cursor stays as it was."""

from datetime import UTC, datetime, timedelta

import pytest

from greenroom.exchange.graph.place import OVERLAP, Place
from greenroom.meetings.meeting import ItemRef

BOX = "vmr@sim.test"
CHANGED = datetime(2031, 5, 6, 9, 0, tzinfo=UTC)
NOW = datetime(2031, 5, 6, 12, 0, tzinfo=UTC)


def a_round(place: Place, took: timedelta) -> Place:
    return place.begin(NOW).take([(ItemRef("one", "key|time"), CHANGED)], NOW).end(NOW + took)


@pytest.mark.parametrize("seconds", [0, 0.2, 29, 30.5, 4000, 10**7])
def test_the_next_round_begins_earlier_by_at_least_the_time_this_one_took_up_to_a_day(seconds: float) -> None:
    took = timedelta(seconds=seconds)
    earlier = CHANGED - OVERLAP - a_round(Place.of("", BOX), took).start
    assert min(took, timedelta(days=1)) <= earlier < min(took, timedelta(days=1)) + timedelta(seconds=30)


def test_rounds_of_usual_length_in_which_nothing_happens_leave_the_cursor_as_it_was() -> None:
    place = a_round(Place.of("", BOX), timedelta(seconds=0.3))
    for seconds in (0.1, 2.5, 29.9):
        again = (
            Place.of(place.text(), BOX).begin(NOW + timedelta(hours=1)).end(NOW + timedelta(hours=1, seconds=seconds))
        )
        assert again.text() == place.text()
