"""The database is gone: the service was killed, its file removed, and calendar and platform are all that is left."""

from collections import Counter
from pathlib import Path

import pytest

from support.disasters import NOBODY, struck
from support.whole import Spoken

pytestmark = pytest.mark.slow
PROTOCOLS: tuple[Spoken, ...] = ("ews", "graph")
PINS = '[integration.meetings]\npin = "host-and-guest"\n'


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_database_is_filled_from_the_calendar_without_a_mail(tmp_path: Path, protocol: Spoken) -> None:
    with struck(tmp_path, protocol, more=PINS) as place:
        place.start()
        place.invite(24)
        place.rests()
        assert place.mails() == Counter(Accept=24, request=48)
        place.cancel(["meeting 3", "meeting 4"])
        place.rests()
        place.agrees(22)
        before, rooms = place.mails(), place.rooms()
        assert all(room.host_pin and room.guest_pin for room in rooms.values())
        place.kill()
        place.lose_database()
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert place.rooms() == rooms
        place.agrees(22)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_recover_fills_an_empty_database_and_only_who_had_no_ticket_hears_of_it(
    tmp_path: Path, protocol: Spoken
) -> None:
    """Where rooms are in the database they are lost with it: without a ticket there is another alias, one update and one answer."""
    with struck(tmp_path, protocol, more=PINS) as place:
        names = place.invite(24)
        last = place.people[-1]
        unwritten = [name for name in names if place.whose[name] is last]
        place.refuse(last)
        place.start()
        place.rests()
        place.mend()
        assert place.mails() == Counter(Accept=24, request=24 + 18)
        place.agrees(24, unwritten=unwritten)
        before, rooms, marks = place.mails(), place.rooms(), place.by_name()
        place.kill()
        place.lose_database()
        done = place.recover()
        assert done["plan"] == {"keep-alias": 18, "new-alias": 6}
        assert done["counts"] == {"keep-alias": 18, "new-alias": 6}
        assert (done["updates"], done["mails"], done["waiting"]) == (6, 6, 0)
        told = Counter(request=6, Accept=6)
        assert place.mails() - before == told
        place.start()
        place.rests()
        assert place.mails() - before == told
        lost = {marks[name] for name in unwritten}
        assert {mark: room for mark, room in place.rooms().items() if mark not in lost} == {
            mark: room for mark, room in rooms.items() if mark not in lost
        }
        place.agrees(24)


@pytest.mark.parametrize("by_command", [False, True], ids=["served", "recovered"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_rooms_that_stand_at_the_platform_are_taken_over_where_the_calendar_has_no_ticket(
    tmp_path: Path, protocol: Spoken, by_command: bool
) -> None:
    with struck(tmp_path, protocol, pexip="ahead", more=PINS) as place:
        names = place.invite(16)
        last = place.people[-1]
        unwritten = [name for name in names if place.whose[name] is last]
        place.refuse(last)
        place.start()
        place.rests()
        place.mend()
        assert place.mails() == Counter(Accept=16, request=16 + 12)
        place.agrees(16, unwritten=unwritten)
        before, rooms = place.mails(), place.rooms()
        assert all(room.host_pin and room.guest_pin for room in rooms.values())
        place.kill()
        place.lose_database()
        if by_command:
            done = place.recover()
            assert done["counts"] == {"keep-alias": 12, "adopt-room": 4}
            assert (done["updates"], done["mails"], done["waiting"]) == (0, 0, 0)
            assert place.rooms() == rooms
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert place.rooms() == rooms
        place.agrees(16, unwritten=unwritten)
