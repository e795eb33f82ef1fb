"""Greenroom's clock is two days wrong for a while, and then right again; Exchange's was right all the time."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from support.disasters import NOBODY, struck, tomorrow
from support.whole import Spoken, eventually

pytestmark = pytest.mark.slow
WRONG = {"ahead": timedelta(days=2), "behind": timedelta(days=-2)}


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_clock_that_jumps_and_comes_back_mails_nobody_and_leaves_no_room_closed(
    tmp_path: Path, protocol: Spoken, way: str
) -> None:
    """Meetings of tomorrow seem over while it is ahead. Who invites meanwhile is answered, and who does so after that as well."""
    with struck(tmp_path, protocol, own_clock=True) as place:
        place.start()
        place.invite(8)
        place.invite(8, start=tomorrow() + timedelta(days=9))
        place.rests()
        before, rooms = place.mails(), place.rooms()
        assert before == Counter(Accept=16, request=32)
        place.clock.set(ahead=WRONG[way])
        if way == "ahead":
            over = "SELECT count(*) FROM meetings WHERE state = 'ended'"
            eventually(lambda: place.sql(over) == [(8,)], seconds=150)
        place.invite(8, start=tomorrow() + timedelta(days=12))
        place.rests()
        assert place.mails() - before == Counter(Accept=8, request=16)
        place.clock.set(ahead=timedelta())
        before = place.mails()
        place.rests()
        assert place.mails() - before == NOBODY
        place.invite(8, start=tomorrow() + timedelta(days=14))
        place.rests()
        assert place.mails() - before == Counter(Accept=8, request=16)
        assert {mark: room for mark, room in place.rooms().items() if mark in rooms} == rooms
        place.agrees(32)


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_service_that_died_with_a_wrong_clock_goes_on_with_the_right_one(
    tmp_path: Path, protocol: Spoken, way: str
) -> None:
    """What it left in the database and on the mailbox (claim, mark, replies of the last minute) has times of another day."""
    with struck(tmp_path, protocol, own_clock=True) as place:
        place.clock.set(ahead=WRONG[way])
        place.start()
        place.invite(25, start=tomorrow() + timedelta(days=9))
        place.rests()
        before, rooms = place.mails(), place.rooms()
        assert before == Counter(Accept=25, request=50)
        place.kill()
        place.clock.set(ahead=timedelta())
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        place.invite(12, start=tomorrow())
        place.rests()
        assert place.mails() - before == Counter(Accept=12, request=24)
        assert {mark: room for mark, room in place.rooms().items() if mark in rooms} == rooms
        place.agrees(37)
