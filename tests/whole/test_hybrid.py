"""A hybrid organisation over both real adapters: the equipment mailbox on one side, organizers on the other."""

from datetime import UTC, datetime

import pytest

from greenroom.meetings.record import InstructionsState
from greenroom.scheduler.reconcile import compare
from greenroom.simulator.model import Home as Where
from greenroom.storage import Side
from support.attended import Home
from support.greenroom_at_work import Clock
from support.hybrid import hybrid
from support.whole import ORGANIZER

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


async def instructions(home: Home, name: str) -> list[tuple[str, str]]:
    return [(line.code, line.detail) for line in await home.journal(name) if line.step == "instructions"]


async def settle(home: Home, clock: Clock) -> None:
    for _ in range(3):
        await home.look()
        clock.forward(minutes=2)


@pytest.mark.parametrize("where", ["cloud", "on-premises"])
async def test_instructions_reach_an_organizer_on_the_other_side_and_follow_a_mailbox_that_moves(where: Where) -> None:
    clock = Clock(NOW)
    async with hybrid(clock, where) as home:
        home.invite("one")
        await settle(home, clock)
        record, own = await home.record("one"), home.own("one")
        assert record is not None
        assert own is not None
        assert record.instructions is InstructionsState.WRITTEN
        assert home.tickets_in(own.body.content) == [record.alias_number]
        assert await instructions(home, "one") == [("written", "second exchange")]
        assert home.answers("one")[-1] == "Accept"
        async with home.storage.reading() as work:
            route = await work.routes.get(1, ORGANIZER)
        assert route is not None
        assert route.side is Side.SECOND

        home.exchange.mailbox(ORGANIZER).home = where
        home.invite("two")
        await settle(home, clock)
        assert await instructions(home, "two") == [("written", "")]
        found = await compare(home.integration, home.storage, clock())
        assert (found.glances, found.gone) == ((), ())
