"""Series in the long run, over both protocols: memory that is lost is found again in the calendar, and reviews come every year."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Review
from greenroom.scheduler.attend import Attendant
from greenroom.simulator.model import Attendee, Person
from greenroom.simulator.recurrence import Recurrence, Weekly
from greenroom.storage import Storage
from support.attended import DAY, HOUR, Home, attended, integration_of
from support.greenroom_at_work import Clock
from support.whole import ATTENDEE, EQUIPMENT, ORGANIZER, Spoken

pytestmark = pytest.mark.slow
PROTOCOLS = ["ews", "graph"]
"""What follows from the memory is tried over one protocol each time; the other is slow in its number only."""
WEEK = timedelta(days=7)
START = datetime(2031, 3, 4, 9, tzinfo=UTC)
SECOND, FIFTH = START + WEEK, START + 4 * WEEK
TUESDAYS = Recurrence(Weekly(1, ("Tuesday",)), date(2031, 3, 4))
PEOPLE = (Attendee(Person(ATTENDEE, "Anton Attendee")),)
WITH_ROOM = (*PEOPLE, Attendee(Person(EQUIPMENT), "resource"))


async def settled(home: Home, clock: Clock, minutes: int = 4) -> None:
    for _ in range(minutes):
        await home.look()
        clock.forward(minutes=1)
    await Attendant(home.integration, home.storage, clock).reconcile()
    await home.look()


@asynccontextmanager
async def forgotten(home: Home, clock: Clock) -> AsyncIterator[None]:
    """All that was remembered is lost; the calendar is all there is."""
    storage = Storage.open("sqlite://")
    try:
        await storage.migrate()
        home.storage, home.integration = storage, integration_of(home.integration.mailbox, storage, clock)
        await settled(home, clock)
        yield
    finally:
        await storage.close()


def change(home: Home, original: datetime, **draft: object) -> None:
    """Let the organizer change one occurrence of "series"."""
    item = home.own("series")
    assert item is not None
    home.exchange.update_occurrence(ORGANIZER, item.id, original, draft, send="SendToAllAndSaveCopy")  # type: ignore[arg-type]  # as named


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_split_series_whose_memory_is_lost_has_its_room_again_and_nobody_is_mailed(protocol: Spoken) -> None:
    clock = Clock(START - 10 * DAY)
    async with attended(clock, protocol=protocol) as home:
        home.invite("series", start=START, end=START + HOUR, recurrence=TUESDAYS)
        await settled(home, clock)
        change(home, SECOND, start=SECOND + DAY, end=SECOND + DAY + HOUR)
        await settled(home, clock)
        old = home.own("series")
        assert old is not None
        new = home.exchange.split_series(ORGANIZER, old.id, FIFTH)
        home.keys["rest"] = MeetingKey.of_global_object_id(new.meeting.clean_goid)
        await settled(home, clock)
        answers, before = (home.answers("series"), home.answers("rest")), await home.room("series")
        assert answers == (["Accept", "Accept", "Accept"], ["Accept"])
        assert before is not None
        assert len(before.spec.admission.times) == 2

        async with forgotten(home, clock):
            rooms = [room for name in ("series", "rest") if (room := await home.room(name)) is not None]
            (after,) = rooms  # either half may have been found first; they share the room
            assert after.spec.alias == before.spec.alias
            assert after.spec.join_id == before.spec.join_id
            assert set(after.spec.admission.times) == set(before.spec.admission.times)
            assert after.spec.admission.is_open(SECOND + DAY)
            assert not after.spec.admission.is_open(SECOND)
            assert (home.answers("series"), home.answers("rest")) == answers


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_lone_occurrence_whose_memory_is_lost_becomes_part_of_its_series_all_the_same(protocol: Spoken) -> None:
    clock = Clock(START - 10 * DAY)
    async with attended(clock, protocol=protocol) as home:
        home.invite("series", start=START, end=START + HOUR, recurrence=TUESDAYS, attendees=PEOPLE)
        change(home, SECOND, attendees=WITH_ROOM)
        await settled(home, clock)
        series = home.keys["series"]
        home.keys["lone"] = series.on(SECOND.date())
        before = await home.room("lone")
        assert before is not None
        assert len(home.answers("series")) == 1

        async with forgotten(home, clock):
            after = await home.room("lone")
            assert after is not None
            assert after.spec.alias == before.spec.alias
            assert len(home.answers("series")) == 1
            home.change("series", attendees=WITH_ROOM)
            await settled(home, clock)
            whole, lone = await home.record("series"), await home.record("lone")
            assert whole is not None
            assert lone is not None
            assert whole.alias_number == before.spec.alias.number
            assert whole.mark == lone.mark


@pytest.mark.parametrize("review", Review)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_endless_series_is_reviewed_every_year_and_asked_about_only_where_policy_says_so(
    protocol: Spoken, review: Review
) -> None:
    clock = Clock(START - 10 * DAY)
    async with attended(clock, protocol=protocol) as home:
        home.integration = replace(home.integration, policy=replace(home.integration.policy, review=review))
        home.invite("series", start=START, end=START + HOUR, recurrence=TUESDAYS)
        await settled(home, clock)
        assert len(home.responses("series")) == 1
        for year in (1, 2):
            clock.forward(days=365)
            await settled(home, clock)
            told = home.responses("series")
            assert len(told) == (1 + year if review is Review.MAIL else 1)
            assert ("still needed" in told[-1].body.content) is (review is Review.MAIL)
            assert home.tracked("series") == "Accept"
            reviews = [entry for entry in await home.journal("series") if entry.code == "review"]
            assert len(reviews) == year
        room = await home.room("series")
        assert room is not None
        assert room.retired_at is None
