"""Series where Exchange leaves requests to us (`AutomateProcessing` `None`): what is said of one occurrence is a message alone."""

from datetime import UTC, datetime, timedelta

from greenroom.simulator.model import MeetingDraft
from greenroom.simulator.recurrence import Daily, Recurrence
from support.attended import DAY, HOUR, Home, attended
from support.greenroom_at_work import Clock
from support.whole import ORGANIZER

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
START = NOW + DAY + HOUR
SECOND, THIRD = START + 7 * DAY, START + 14 * DAY


async def is_open(home: Home, at: datetime) -> bool:
    room = await home.room("weekly")
    return room is not None and room.retired_at is None and room.spec.admission.is_open(at + timedelta(minutes=5))


async def settle(home: Home, clock: Clock) -> None:
    for _ in range(4):
        await home.look()
        clock.forward(minutes=3)


async def test_an_occurrence_that_is_cancelled_is_closed_and_one_that_is_moved_opens_where_it_is() -> None:
    clock = Clock(NOW)
    async with attended(clock, "none") as home:
        rule = Recurrence(Daily(7), START.date(), count=5)
        home.invite("weekly", start=START, end=START + HOUR, recurrence=rule, body=home.ticket(123456789))
        await settle(home, clock)
        assert home.answers("weekly") == ["Accept"]
        own = home.own("weekly")
        assert own is not None
        home.exchange.cancel_occurrence(ORGANIZER, own.id, SECOND)
        later = MeetingDraft(start=THIRD + 5 * HOUR, end=THIRD + 6 * HOUR)
        home.exchange.update_occurrence(ORGANIZER, own.id, THIRD, later, send="SendToAllAndSaveCopy")
        await settle(home, clock)
        assert [await is_open(home, at) for at in (START, SECOND, THIRD, THIRD + 5 * HOUR)] == [
            True,
            False,
            False,
            True,
        ]
        assert home.answers("weekly") == ["Accept", "Accept"]
