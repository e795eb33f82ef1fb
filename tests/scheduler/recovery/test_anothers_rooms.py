"""Rooms of meetings that another installation prepared, on the same platform and with the same number, are not ours to remove."""

from dataclasses import replace

import pytest

from greenroom.meetings.policy import Drift, Foreign, Policy
from greenroom.meetings.record import State
from greenroom.meetings.ticket import KeyRing
from greenroom.scheduler.recovery.watch_drift import look
from support.observations import MAILBOX, NOW
from support.recovering import Disaster, disaster


async def prepared_elsewhere(at: Disaster) -> str:
    """A meeting with a room and with a ticket of another's key, of which our database knows nothing; returns the mark."""
    key = at.book("one", 500000001)
    await at.attend()
    rooms = {name: rows for name, rows in (await at.keep()).items() if name == "rooms"}
    ticket = KeyRing("GRM", 1, {0: b"x" * 32}).issue(500000001, NOW)
    at.mailbox.put(replace(at.mailbox.items["item-one"], body_html=f"<p>{ticket}</p>"))
    await at.lose(rooms)
    return key.digest


@pytest.mark.parametrize("foreign", [Foreign.IGNORE, Foreign.DECLINE], ids=str)
async def test_a_recovery_leaves_the_room_of_a_meeting_that_another_installation_prepared(foreign: Foreign) -> None:
    async with disaster(policy=Policy(MAILBOX, foreign=foreign)) as at:
        mark = await prepared_elsewhere(at)
        await at.recover()
        assert mark in await at.rooms()
        assert "remove-orphan" not in str(await at.fates())


async def test_mending_never_closes_the_room_of_a_meeting_that_another_installation_prepared() -> None:
    async with disaster(policy=Policy(MAILBOX, drift=Drift.MEND)) as at:
        mark = await prepared_elsewhere(at)
        await at.settle_quickly()
        (item,) = at.mailbox.items.values()
        record = await at.record(item.key)
        assert record is not None
        assert record.state is State.IGNORED
        for _ in range(3):
            at.clock.forward(hours=1)
            found = await look(at.integration, at.storage, at.attendant(), at.clock)
            assert found.differences == ()
        assert mark in await at.rooms()
