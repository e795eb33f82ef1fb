"""Catching up against the simulated Exchange: the lists of both protocols tell when meetings start."""

from datetime import UTC, datetime

import pytest

from greenroom.meetings.record import State
from greenroom.simulator.model import MeetingResponse
from support.attended import AGENDA, DAY, HOUR, Home, attended
from support.greenroom_at_work import Clock
from support.whole import ORGANIZER, Processing, Spoken

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.slow


def answers(home: Home) -> list[str]:
    """The meetings that were answered, in the order in which the organizer got it."""
    names = {key.to_bytes(): name for name, key in home.keys.items()}
    found = [one for one in home.exchange.items(ORGANIZER, "inbox") if isinstance(one, MeetingResponse)]
    return [names[one.meeting.clean_goid] for one in found]


@pytest.mark.parametrize(
    ("protocol", "processing"),
    [("ews", "auto_update"), ("ews", "none"), ("graph", "auto_update")],
    ids=["ews", "ews-messages", "graph"],
)
async def test_after_an_outage_the_soonest_meetings_are_answered_first(
    protocol: Spoken, processing: Processing
) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        for n in range(14):
            text = (
                home.ticket(100000000 + n) if processing == "none" else AGENDA
            )  # a request that we change is sent anew
            home.invite(f"m{n}", start=NOW + 30 * DAY - n * HOUR, body=text)
            clock.forward(seconds=30)
        home.change("m0", start=NOW + 2 * HOUR, end=NOW + 3 * HOUR)
        home.cancel("m5")
        clock.forward(minutes=10)
        await home.look(slice_size=4)
        told = answers(home)
        assert told[0] == "m0", "it was moved to this morning"
        soonest = [f"m{n}" for n in reversed(range(1, 14)) if n != 5]
        assert [soonest.index(name) // 4 for name in told[1:]] == sorted(soonest.index(name) // 4 for name in told[1:])
        for _ in range(3):
            clock.forward(minutes=1)
            await home.look(slice_size=4)
        assert sorted(answers(home)) == sorted(["m0", *soonest])
        for n in range(14):
            record = await home.record(f"m{n}")
            assert (record is None or record.state is not State.SCHEDULED) is (n == 5)
        (text,) = [one.body.content for one in [home.own("m0")] if one is not None]
        assert len(home.tickets_in(text)) == 1


@pytest.mark.parametrize("protocol", ["ews", "graph"])
async def test_several_changes_in_an_outage_are_one_update_of_the_organizers_meeting(protocol: Spoken) -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol=protocol) as home:
        for n in range(6):
            home.invite(f"m{n}", start=NOW + DAY + n * HOUR)
        for hours in (1, 2, 3):
            clock.forward(minutes=5)
            home.change("m3", start=NOW + 3 * DAY + hours * HOUR, end=NOW + 3 * DAY + (hours + 1) * HOUR)
        clock.forward(minutes=10)
        await home.look(slice_size=2)
        for _ in range(3):
            clock.forward(minutes=1)
            await home.look(slice_size=2)
        written = [entry.code for entry in await home.journal("m3") if entry.step == "instructions"]
        assert written == ["written"]
        assert home.answers("m3") == ["Accept"]
