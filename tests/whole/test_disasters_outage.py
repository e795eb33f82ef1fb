"""An hour without Greenroom, in which people go on: 500 invitations, updates and cancellations wait when it is back."""

import re
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.disasters import Place, struck
from support.whole import Spoken

pytestmark = pytest.mark.slow
SPEED: dict[Spoken, float] = {"ews": 1, "graph": 20}
"""Exchange Online lets a mailbox send 30 messages a minute: 460 answers take a quarter of an hour."""
OLD, NEW, MOVED, CANCELLED = 100, 400, 60, 40


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_what_was_sent_in_an_hour_without_us_is_answered_once_the_soonest_first(
    tmp_path: Path, protocol: Spoken
) -> None:
    with struck(tmp_path, protocol) as place:
        place.clock.set(speed=SPEED[protocol])
        place.start()
        old = place.invite(OLD)
        place.rests()
        assert place.mails() == Counter(Accept=OLD, request=2 * OLD)
        before, rooms = place.mails(), place.rooms()
        answered = {whose: len(answers) for whose, answers in place.answers().items()}
        place.kill()
        place.invite(NEW, every=timedelta(minutes=10), shuffled=True)
        place.move(old[:MOVED])
        place.cancel(old[MOVED:])
        place.clock.set(speed=SPEED[protocol], ahead=place.clock() - datetime.now().astimezone() + timedelta(hours=1))
        place.start()
        seen = watched(place)
        place.rests()
        assert place.mails() - before == Counter(Accept=NEW + MOVED, request=NEW + MOVED + NEW, cancellation=CANCELLED)
        soonest_first(place, answered)
        progress_was_told(place, seen)
        living = place.calendar()
        assert {mark: room for mark, room in place.rooms().items() if mark in rooms} == {
            mark: room for mark, room in rooms.items() if mark in living
        }
        place.agrees(NEW + MOVED)


def watched(place: Place) -> list[dict[str, Any]]:
    """Look at metrics and `greenroom status` until the backlog that they tell of is done."""
    seen: list[dict[str, Any]] = []
    end = time.monotonic() + 400
    with httpx2.Client(trust_env=False, timeout=30) as http:
        while time.monotonic() < end:
            text = http.get(f"http://127.0.0.1:{place.port}/metrics").raise_for_status().text
            found = {
                name: float(value)
                for name, value in re.findall(r"^(greenroom_backlog_\w+)\{.*\} (\S+)$", text, re.MULTILINE)
            }
            seen.append(found)
            if found["greenroom_backlog_meetings"] and not any("status" in one for one in seen):
                seen.append({"status": place.told("status")["backlog"]})
            if any(one.get("greenroom_backlog_meetings") for one in seen) and not found["greenroom_backlog_meetings"]:
                return seen
            time.sleep(0.5)
    raise AssertionError(seen[-3:])


def soonest_first(place: Place, answered: dict[str, int]) -> None:
    """Of the answers since then to each organizer, none that starts much later came much sooner."""
    starts = {one.subject: one.start for one in place.calendar().values()}
    for whose, subjects in place.answers().items():
        came = [starts[subject] for subject in subjects[answered[whose] :]]
        assert came
        places = {start: at for at, start in enumerate(sorted(came))}
        off = [abs(at - places[start]) for at, start in enumerate(came)]
        # A slice is of 50 meetings, of which each of four organizers has a dozen.
        assert max(off) <= 40, off
        assert sum(off) / len(off) <= 12, off


def progress_was_told(place: Place, seen: list[dict[str, Any]]) -> None:
    totals = {one["greenroom_backlog_meetings"] for one in seen if "greenroom_backlog_meetings" in one}
    assert max(totals) >= NEW
    done = [one["greenroom_backlog_done"] for one in seen if one.get("greenroom_backlog_meetings")]
    assert done == sorted(done)
    assert len(set(done)) > 1
    (status,) = [one["status"] for one in seen if "status" in one]
    assert status is None or status["total"] >= NEW
    log = place.greenroom.output()
    assert "catching up" in log
    assert "caught up" in log
