"""Rooms by policy open at the second their windows begin and close at the second they end, for each occurrence of a series.

All times are real; whoever dials does so ten times a second around the edges.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from exchangelib import items as ews_items
from exchangelib.recurrence import DailyPattern, Recurrence, WeeklyPattern

from support.colleague import HOUR, in_seconds
from support.pexip_at_work import Home, dialled_until, site
from support.whole import Spoken, eventually

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)
LATEST = 1.0
"""Seconds, with everything that a dialling takes on a busy machine."""


@pytest.fixture(scope="module", params=["ews", "graph"])
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    protocol: Spoken = request.param
    with site(tmp_path_factory.mktemp("windows"), "policy", protocol=protocol) as home:
        home.olga.invite("Warming up", in_seconds(-60))
        home.accepted("Warming up")
        yield home


@pytest.fixture
def home(programs: Home) -> Home:
    return programs.somebody_else()


def stays(fact: Callable[[], bool], seconds: float = 1.5) -> bool:
    """Whether something is true all the while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not fact():
            return False
        time.sleep(0.1)
    return True


def test_a_room_opens_and_closes_at_the_second(home: Home) -> None:
    begins, span = in_seconds(8), timedelta(seconds=5)
    home.olga.invite("Planning", begins, span=span)
    room = home.accepted("Planning")
    edges = begins.timestamp(), (begins + span).timestamp()
    assert time.time() < edges[0] - 0.5, "the machine is too slow to see this"
    for admitted, edge in zip((True, False), edges, strict=True):
        seen = dialled_until(home, room.alias, admitted=admitted, seconds=20)
        assert seen.last_before < edge <= seen.first_after < edge + LATEST
    assert home.dial(room.alias)["reason"] == "rejected"


def test_a_room_closes_for_policy_though_people_are_in_it(home: Home) -> None:
    begins, span = in_seconds(-60), timedelta(seconds=69)
    home.olga.invite("Planning", begins, span=span)
    room = home.accepted("Planning")
    inside = home.dial(room.alias, join=True)
    assert inside["admitted"]
    edge = (begins + span).timestamp()
    seen = dialled_until(home, room.alias, admitted=False, seconds=20)
    assert seen.last_before < edge <= seen.first_after < edge + LATEST
    assert home.pexip.post("hangup", participant=inside["participant"]) == {"left": True}


def test_a_series_closes_between_two_occurrences_at_the_second(home: Home) -> None:
    begins, span = in_seconds(-60), timedelta(seconds=70)
    invite_series(home, begins - DAY, DailyPattern(interval=1), span=span)
    room = home.accepted("Series")
    edge = (begins + span).timestamp()
    assert time.time() < edge - 0.5, "the machine is too slow to see this"
    assert home.admits(room.alias)
    seen = dialled_until(home, room.alias, admitted=False, seconds=30)
    assert seen.last_before < edge <= seen.first_after < edge + LATEST
    assert stays(lambda: not home.admits(room.alias))


def test_an_occurrence_that_is_moved_opens_where_it_is_now_and_closes_when_cancelled(home: Home) -> None:
    then = in_seconds(-60) - 3 * DAY
    weekday = then.strftime("%A")
    invite_series(home, then, WeeklyPattern(interval=1, weekdays=weekday), span=HOUR)
    room = home.accepted("Series")
    assert home.dial(room.alias)["reason"] == "rejected", "between two occurrences"
    occurrence = home.olga.own("Series").occurrence(index=2)
    occurrence.refresh()
    occurrence.start, occurrence.end = in_seconds(-30), in_seconds(-30) + HOUR
    save(occurrence, "start", "end")
    eventually(lambda: home.admits(room.alias))
    occurrence.refresh()
    occurrence.start, occurrence.end = in_seconds(-30) + DAY, in_seconds(-30) + DAY + HOUR
    save(occurrence, "start", "end")
    eventually(lambda: not home.admits(room.alias))
    occurrence.refresh()
    occurrence.start, occurrence.end = in_seconds(-30), in_seconds(-30) + HOUR
    save(occurrence, "start", "end")
    eventually(lambda: home.admits(room.alias))
    cancel(home.olga.own("Series").occurrence(index=2))
    eventually(lambda: not home.admits(room.alias))
    assert stays(lambda: not home.admits(room.alias))
    assert "Decline" not in home.replies()


def test_a_running_occurrence_that_is_cancelled_closes_and_the_series_lives_on(home: Home) -> None:
    begins = in_seconds(-60)
    invite_series(home, begins - DAY, DailyPattern(interval=1), span=HOUR)
    room = home.accepted("Series")
    assert home.admits(room.alias)
    cancel(home.olga.own("Series").occurrence(index=2))
    eventually(lambda: not home.admits(room.alias))
    assert not home.room("Series").retired
    later = home.olga.own("Series").occurrence(index=3)
    later.refresh()
    # nothing lies between the first and the third any more
    later.start, later.end = in_seconds(-30), in_seconds(-30) + HOUR
    save(later, "start", "end")
    eventually(lambda: home.admits(room.alias))


def invite_series(home: Home, start: Any, pattern: Any, *, span: timedelta) -> None:
    """Invite to four occurrences in UTC."""
    recurrence = Recurrence(pattern=pattern, start=start.date(), number=4)
    home.olga.invite("Series", start, span=span, recurrence=recurrence)


def save(occurrence: Any, *fields: str) -> None:
    occurrence.save(update_fields=list(fields), send_meeting_invitations=ews_items.SEND_TO_ALL_AND_SAVE_COPY)


def cancel(occurrence: Any) -> None:
    occurrence.refresh()
    occurrence.cancel(body="Not needed any more")
