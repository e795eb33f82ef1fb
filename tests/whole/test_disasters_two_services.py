"""Two Greenrooms with a database each, on one mailbox and one Pexip: one conference for each meeting, whoever attends the mailbox.

What they say of each other is tried in test_two_services.py.
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from support.disasters import NOBODY, Place, struck
from support.platform_losses import standing
from support.whole import Spoken, eventually, free_port

pytestmark = pytest.mark.slow

EARLY, LATE = 8, 4


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_of_two_services_with_one_pexip_the_second_takes_over_rooms_and_aliases_without_a_mail(
    tmp_path: Path, protocol: Spoken
) -> None:
    with struck(tmp_path, protocol, pexip="ahead") as one:
        (tmp_path / "second").mkdir()
        two = Place(
            tmp_path / "second",
            one.exchange,
            protocol,
            one.clock,
            free_port(),
            one.people,
            one.pexip,
            one.pexip_tables,
            whose=one.whose,
        )
        one.start()
        one.invite(EARLY)
        one.rests()
        two.start()
        try:
            eventually(lambda: "another Greenroom attends this mailbox" in two.greenroom.output(), seconds=120)
            one.invite(LATE)
            one.rests()
            told = EARLY + LATE
            assert one.mails() == Counter(Accept=told, request=2 * told)
            assert (len(one.rooms()), two.rooms()) == (told, {})
            one.agrees(told)
            before, rooms, pexip = one.mails(), one.rooms(), standing(one)

            one.kill()
            one.cancel(["meeting 0"])
            eventually(lambda: len(two.rooms()) == told - 1, seconds=240)
            two.rests()
            (gone,) = set(rooms) - set(two.rooms())
            assert two.mails() - before == Counter(cancellation=1)
            assert two.rooms() == {mark: room for mark, room in rooms.items() if mark != gone}
            # A meeting that is nobody's memory leaves its room: that is an orphan, removed when that is asked for.
            assert standing(two) == pexip
            drift = two.told("drift", code=1, ahead=timedelta(minutes=6))
            assert [(one["kind"], one["subject"]) for one in drift["differences"]] == [("orphan-room", gone)], drift
            before = two.mails()
            assert two.recover()["counts"] == {"remove-orphan": 1}
            two.rests()
            assert two.mails() - before == NOBODY
            two.agrees(told - 1)
        finally:
            two.stop()
