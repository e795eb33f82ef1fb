"""Comparing a real calendar, over EWS and over Graph, with the records: quiet when all is well, and right when it is not."""

from datetime import UTC, date, datetime, timedelta

import pytest

from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.reconcile import compare
from greenroom.simulator.model import CalendarItem
from greenroom.simulator.model import Home as Where
from greenroom.simulator.recurrence import Recurrence, Weekly
from support.attended import DAY, HOUR, Home, attended
from support.greenroom_at_work import Clock
from support.hybrid import hybrid
from support.whole import EQUIPMENT, ORGANIZER, Processing

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


async def differences(home: Home) -> int:
    found = await compare(home.integration, home.storage, home.clock())
    return len(found.glances) + len(found.gone)


async def settle(home: Home, clock: Clock) -> None:
    for _ in range(4):
        await home.look()
        clock.forward(minutes=2)


@pytest.mark.parametrize(
    ("protocol", "processing"),
    [("ews", "auto_update"), ("ews", "none"), ("ews", "auto_accept"), ("graph", "auto_update")],
)
async def test_a_calendar_in_which_all_sorts_of_things_happened_compares_without_a_difference(
    protocol: str, processing: Processing
) -> None:
    clock = Clock(NOW)
    async with hybrid(clock, "cloud") if protocol == "graph" else attended(clock, processing) as home:
        weekly = Recurrence(Weekly(1, ("Wednesday",)), date(2026, 12, 2), count=5)
        start = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)
        home.invite("plain")
        home.invite("ticketed", body=home.ticket(123456789))
        home.invite("series", start=start, end=start + HOUR, recurrence=weekly)
        home.invite("past", start=NOW - 5 * HOUR, end=NOW - 4 * HOUR)
        home.invite("cancelled")
        home.invite("moved")
        home.invite("declined", body="<p>Meeting reference: GRM1-nonsense</p>")
        has_items = processing != "none"  # requests that are messages alone are left to the feed
        assert (await differences(home) > 0) is has_items
        await settle(home, clock)
        assert await differences(home) == 0
        home.cancel("cancelled")
        home.change("moved", start=NOW + 3 * DAY, end=NOW + 3 * DAY + HOUR)
        series = home.own("series")
        assert series is not None
        home.exchange.update_occurrence(
            ORGANIZER,
            series.id,
            start + timedelta(days=7),
            {"start": start + timedelta(days=7, hours=2), "end": start + timedelta(days=7, hours=3)},
            send="SendToAllAndSaveCopy",
        )
        clock.forward(minutes=5)
        await settle(home, clock)
        assert await differences(home) == 0
        clock.forward(days=2)
        await settle(home, clock)
        assert await differences(home) == 0


@pytest.mark.parametrize("where", ["cloud", "on-premises"])
async def test_an_item_that_left_the_calendar_unnoticed_is_the_only_difference_and_loses_its_room(where: Where) -> None:
    clock = Clock(NOW)
    async with hybrid(clock, where) as home:
        home.invite("one")
        home.invite("two")
        await settle(home, clock)
        record = await home.record("one")
        assert record is not None
        wanted = home.keys["one"].to_bytes()
        (item,) = [
            item
            for item in home.exchange.items(EQUIPMENT, "calendar")
            if isinstance(item, CalendarItem) and item.meeting.clean_goid == wanted
        ]
        home.exchange.delete_item(EQUIPMENT, item.id, "HardDelete")
        found = await compare(home.integration, home.storage, clock())
        assert (found.glances, found.gone) == ((), (record.ref.id,))
        await Attendant(home.integration, home.storage, clock).reconcile()
        rooms = [await home.room(name) for name in ("one", "two")]
        assert [room is not None and room.retired_at is None for room in rooms] == [False, True]
        assert await differences(home) == 0
