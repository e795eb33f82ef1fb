"""A mailbox that was attended over EWS moves to Microsoft 365, and back: the database stays, and nobody hears of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.meetings.record import State
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.integration import Integration
from greenroom.simulator.model import MeetingDraft
from greenroom.simulator.recurrence import Recurrence, Weekly
from support.attended import DAY, HOUR, Home
from support.greenroom_at_work import Clock
from support.hybrid import hybrid
from support.whole import EQUIPMENT, ORGANIZER

NOW = datetime(2026, 12, 1, 9, 0, 0, 123456, tzinfo=UTC)
NAMES = ("plain", "ticketed", "series", "moved", "all-day")


@asynccontextmanager
async def both(clock: Clock) -> AsyncIterator[tuple[Home, Integration, Integration]]:
    """One organisation whose mailboxes are seen over both protocols, and its integration over EWS and over Graph."""
    async with hybrid(clock, "on-premises") as home:
        for address in (EQUIPMENT, ORGANIZER):
            home.exchange.mailbox(address).home = "both"
        graph = home.integration.elsewhere
        assert isinstance(graph, GraphMailbox)
        over_ews = replace(home.integration, elsewhere=None)
        yield home, over_ews, replace(over_ews, mailbox=graph)


async def settle(home: Home, integration: Integration, clock: Clock) -> None:
    attendant = Attendant(integration, home.storage, clock, slice_size=3)
    for _ in range(4):
        await attendant.attend()
        await attendant.reconcile()
        clock.forward(minutes=2)


@pytest.mark.slow
async def test_a_mailbox_that_moves_to_microsoft_365_and_back_keeps_its_rooms_and_says_nothing() -> None:
    clock = Clock(NOW)
    async with both(clock) as (home, over_ews, over_graph):
        start = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)
        weekly = Recurrence(Weekly(1, ("Wednesday",)), date(2026, 12, 2), count=5)
        home.invite("plain")
        home.invite("ticketed", body=home.ticket(123456789))
        home.invite("series", start=start, end=start + HOUR, recurrence=weekly)
        home.invite("moved")
        home.invite("all-day", start=start.replace(hour=0), end=start.replace(hour=0) + DAY, all_day=True)
        home.invite("cancelled")
        home.invite("declined", body="<p>Meeting reference: GRM1-nonsense</p>")
        await settle(home, over_ews, clock)
        home.change("moved", start=start + 3 * DAY, end=start + 3 * DAY + HOUR)
        home.cancel("cancelled")
        series = home.own("series")
        assert series is not None
        second = start + 7 * DAY
        elsewhen = MeetingDraft(start=second + HOUR, end=second + 2 * HOUR)
        home.exchange.update_occurrence(ORGANIZER, series.id, second, elsewhen, send="SendToAllAndSaveCopy")
        home.exchange.delete_occurrence(ORGANIZER, series.id, start + 14 * DAY, send="SendToAllAndSaveCopy")
        await settle(home, over_ews, clock)
        said = {name: home.answers(name) for name in home.keys}
        assert said["moved"] == ["Accept", "Accept"]
        for day, integration in enumerate((over_graph, over_ews, over_graph), 4):
            before = {name: await home.record(name) for name in NAMES}
            rooms = {name: await home.room(name) for name in home.keys}
            await settle(home, integration, clock)
            assert {name: home.answers(name) for name in home.keys} == said
            assert {name: await home.room(name) for name in home.keys} == rooms
            for name in NAMES:
                record, old = await home.record(name), before[name]
                assert record is not None
                assert old is not None
                assert (record.state, record.retry_at, record.replied) == (State.SCHEDULED, None, old.replied)
                assert record.ref.id != old.ref.id
            home.change("moved", start=start + day * DAY, end=start + day * DAY + HOUR)
            await settle(home, integration, clock)
            said["moved"] = [*said["moved"], "Accept"]
            assert home.answers("moved") == said["moved"]
