"""Greenroom may not write into organizers' meetings any more, and finds that out after an outage full of placeholders."""

from collections import Counter
from pathlib import Path

import pytest

from greenroom.meetings.record import InstructionsState
from support.disasters import NOBODY, struck
from support.rights import (
    SAYS,
    carries,
    give_back,
    instructions,
    invite_with_promises,
    replies,
    story,
    text_of,
    withdraw,
)
from support.whole import Spoken

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("protocol", ["ews", "graph"])]

PROMISED, PLAIN = 8, 3
IN_REPLY, WRITTEN = InstructionsState.IN_REPLY.value, InstructionsState.WRITTEN.value


def test_without_the_right_to_organizers_instructions_come_with_the_reply_and_stay_there(
    tmp_path: Path, protocol: Spoken
) -> None:
    with struck(tmp_path, protocol) as place:
        place.start()
        place.invite(3)
        place.rests()
        before = place.mails()
        assert before == Counter(Accept=3, request=6)

        # Everybody goes on while Greenroom is away, and the right is withdrawn.
        place.kill()
        withdraw(place)
        promised = invite_with_promises(place, PROMISED)
        plain = place.invite(PLAIN)
        place.move(["meeting 0"])
        place.cancel(["meeting 1"])
        unwritten = [*promised, *plain]
        place.start()
        place.rests()
        told = Counter(Accept=len(unwritten) + 1, request=len(unwritten) + 1, cancellation=1)
        assert place.mails() - before == told
        assert instructions(place) == {"meeting 0": WRITTEN, "meeting 2": WRITTEN, **dict.fromkeys(unwritten, IN_REPLY)}
        for name in unwritten:
            (reply,) = replies(place, name)
            assert carries(reply, place, name)
        assert all(SAYS in text_of(place, name) for name in promised)
        assert ("instructions", "refused") in story(place, promised[0])
        rooms = place.rooms()
        place.agrees(len(unwritten) + 2, unwritten=unwritten)

        # The right comes back: nobody is mailed because of that, whoever looks at everything again.
        give_back(place)
        before = place.mails()
        place.told("sweep", "--since", "3h")
        place.stop()
        assert place.recover()["counts"] == {}
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert place.rooms() == rooms

        # What is moved keeps its alias, and is told again where it was told before; who comes now gets it written.
        place.move(promised[:1])
        late = invite_with_promises(place, 1)
        place.rests()
        assert place.mails() - before == Counter(Accept=2, request=3)
        assert carries(replies(place, promised[0])[-1], place, promised[0])
        assert instructions(place)[promised[0]] == IN_REPLY
        assert instructions(place)[late[0]] == WRITTEN
        assert carries(text_of(place, late[0]), place, late[0])
        assert SAYS not in text_of(place, late[0])
        assert {mark: room for mark, room in place.rooms().items() if mark in rooms} == rooms
        place.agrees(len(unwritten) + 3, unwritten=unwritten)


def test_what_only_replies_told_is_taken_from_pexip_when_the_database_is_lost(tmp_path: Path, protocol: Spoken) -> None:
    with struck(tmp_path, protocol, pexip="ahead") as place:
        withdraw(place)
        place.start()
        promised = invite_with_promises(place, PROMISED)
        place.rests()
        before, rooms = place.mails(), place.rooms()
        assert before == Counter(Accept=PROMISED, request=PROMISED)
        place.kill()
        give_back(place)
        place.lose_database()
        done = place.recover()
        assert (done["counts"], done["mails"], done["updates"]) == ({"adopt-room": PROMISED}, 0, 0)
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert place.rooms() == rooms
        place.agrees(PROMISED, unwritten=promised)
