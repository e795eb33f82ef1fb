"""The platform lost all rooms, or has some of no meeting: the service or `greenroom recover` mends it, and nobody is mailed."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from support.disasters import NOBODY, Place, struck
from support.pexip_at_work import BOTH_PINS, FOREIGN_NAME, Way
from support.platform_losses import all_names, conference, empty, join_ids, orphans, remove, standing
from support.whole import Spoken, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("protocol", ["ews", "graph"]),
    pytest.mark.parametrize("pexip", [None, "ahead"], ids=["embedded", "pexip"]),
]

MEETINGS = 12
HOURLY = "[integration.meetings]\ndrift_hours = 1\n"
LONG = 240.0


def filled(place: Place) -> None:
    """Let a service handle some meetings, and nothing be wrong."""
    place.start()
    place.invite(MEETINGS)
    place.rests()
    assert place.mails() == Counter(Accept=MEETINGS, request=2 * MEETINGS)
    assert len(standing(place)) == MEETINGS


def compared(place: Place) -> str:
    """When the service compared last."""
    ((at,),) = place.sql("SELECT drift_at FROM mailboxes")
    return str(at or "")


def test_an_emptied_platform_is_filled_again(tmp_path: Path, protocol: Spoken, pexip: Way | None) -> None:
    with struck(tmp_path, protocol, pexip=pexip, more=HOURLY + BOTH_PINS) as place:
        filled(place)
        before, rooms, links = place.mails(), place.rooms(), join_ids(place)

        # The running service finds it when it compares, and mends it.
        assert empty(place) == MEETINGS
        drift = place.told("drift", code=1, ahead=timedelta(minutes=6))
        assert {name: count for name, count in drift["counts"].items() if count} == {"room-missing": MEETINGS}
        place.clock.set(ahead=timedelta(minutes=11))
        eventually(lambda: standing(place) == set(rooms), seconds=LONG)
        place.rests()
        assert place.mails() - before == NOBODY
        assert (place.rooms(), join_ids(place)) == (rooms, links)

        # The same while no service runs: an administrator's command is enough.
        place.stop()
        assert empty(place) == MEETINGS
        done = place.recover()
        assert (done["counts"], done["mails"], done["updates"]) == ({"make-room": MEETINGS}, 0, 0)
        assert standing(place) == set(rooms)
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert (place.rooms(), join_ids(place)) == (rooms, links)
        place.agrees(MEETINGS)


def test_fifty_rooms_of_no_meeting_are_told_of_and_removed_when_that_is_asked_for(
    tmp_path: Path, protocol: Spoken, pexip: Way | None
) -> None:
    with struck(tmp_path, protocol, pexip=pexip, more=HOURLY) as place:
        filled(place)
        before, rooms, links = place.mails(), place.rooms(), join_ids(place)
        others: set[str] = set()
        if pexip:
            conference(place, "Of another integration", "other", 900_100_001, f"greenroom-2-{'ab' * 16}")
            conference(place, "Tagged by hand", "tagged", 900_100_002, "greenroom-1-lobby")
            others = {"Of another integration", "Tagged by hand", FOREIGN_NAME}
        strays = orphans(place, 50)
        drift = place.told("drift", code=1, ahead=timedelta(minutes=6))
        assert {(one["kind"], one["detail"]) for one in drift["differences"]} == {("orphan-room", "unknown")}
        assert {one["subject"] for one in drift["differences"]} == strays

        # The service compares twice, and lets stand what may be another installation's.
        for ahead in (timedelta(minutes=11), timedelta(minutes=75)):
            last = compared(place)
            place.clock.set(ahead=ahead)
            eventually(lambda: compared(place) > last, seconds=LONG)  # noqa: B023  it is over before the next turn
            place.rests()
        assert place.told("drift", "--last", code=1)["counts"]["orphan-room"] == 50
        assert standing(place) == set(rooms) | strays

        done = place.recover()
        assert (done["plan"]["remove-orphan"], done["counts"]) == (50, {"remove-orphan": 50})
        assert (done["mails"], done["updates"]) == (0, 0)
        assert standing(place) == set(rooms)
        if pexip:
            assert all_names(place) >= others
            remove(place, others - {FOREIGN_NAME})  # what is tagged like ours would trouble the check
        place.rests()
        assert place.mails() - before == NOBODY
        assert (place.rooms(), join_ids(place)) == (rooms, links)
        place.agrees(MEETINGS)
