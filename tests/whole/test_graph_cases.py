"""What goes wrong over Graph in ways of its own: the line of replies, conflicts, silence, and much happening between two looks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greenroom.exchange.graph.call import Answer, Call
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.scheduler.attend import Attendant
from greenroom.simulator.model import Attendee, Body, Person
from support.attended import DAY, HOUR, Home, attended, serviced
from support.clocks import RunningClock
from support.greenroom_at_work import Clock, Died
from support.simulator import simulator_in_loop
from support.whole import ATTENDEE, EQUIPMENT, world
from support.windows import starts

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def settle(home: Home, clock: Clock, looks: int = 4) -> None:
    for _ in range(looks):
        await home.look()
        clock.forward(minutes=3)


def people(*, equipment: bool) -> tuple[Attendee, ...]:
    rooms = [Attendee(Person(EQUIPMENT), "resource")] if equipment else []
    return (Attendee(Person(ATTENDEE)), *rooms)


def most_in_a_minute(times: Sequence[datetime]) -> int:
    return max(sum(1 for at in times if begin <= at < begin + MINUTE) for begin in times)


async def lives(home: Home, name: str) -> bool:
    room = await home.room(name)
    return room is not None and room.retired_at is None


@pytest.mark.slow
async def test_a_hundred_and_twenty_meetings_in_slices_all_have_rooms_at_once_and_one_reply_each_in_their_turn() -> (
    None
):
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        names = [f"m{number}" for number in range(120)]
        for number, name in enumerate(names):
            home.invite(name, start=NOW + DAY + number * HOUR, body=home.ticket(100_000_000 + number))
        attendant = Attendant(home.integration, home.storage, clock, slice_size=50)
        await attendant.attend()
        assert all([await lives(home, name) for name in names])
        for _ in range(6 * 20):
            clock.forward(seconds=3)
            await attendant.answer_waiting()
            if clock.now.second % 15 == 0:
                await attendant.attend()
        assert [home.answers(name) for name in names] == [["Accept"]] * 120
        assert home.calls("AcceptEvent") == 120
        assert attendant.next_reply_at() is None
        sent = [response.sent for name in names for response in home.responses(name)]
        assert 28 <= most_in_a_minute(sent) <= 30
        soonest = [home.responses(name)[0].sent for name in names]
        assert soonest == sorted(soonest)


@pytest.mark.slow
async def test_replies_that_wait_when_the_process_dies_go_out_once_and_no_faster() -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        names = [f"m{number}" for number in range(40)]
        for number, name in enumerate(names):
            home.invite(name, start=NOW + DAY + number * HOUR, body=home.ticket(100_000_000 + number))
        sends = 0

        def dies(step: str) -> None:
            if step == "replies":
                raise Died

        with pytest.raises(Died):  # 29 are sent, and nobody has noted it
            await home.look(dies)
        sends = home.calls("AcceptEvent")
        assert 0 < sends < 30
        for _ in range(12):  # each look is that of a new process
            clock.forward(seconds=40)
            await home.look()
        assert [home.answers(name) for name in names] == [["Accept"]] * 40
        assert home.calls("AcceptEvent") == 40
        assert most_in_a_minute([response.sent for name in names for response in home.responses(name)]) <= 30


async def test_an_organizer_who_changes_the_meeting_while_we_do_keeps_that_change_and_gets_the_instructions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(NOW)
    send, conflicts = GraphTransport.call, 0

    async with attended(clock, protocol="graph") as home:

        async def call(transport: GraphTransport, call: Call) -> Answer:
            nonlocal conflicts
            if call.operation == "UpdateEvent" and conflicts < 2:
                conflicts += 1
                home.change("plain", body=Body(f"<html><body><p>Version {conflicts}</p></body></html>", "HTML"))
            return await send(transport, call)

        monkeypatch.setattr(GraphTransport, "call", call)
        home.invite("plain")
        await settle(home, clock)
        own, room = home.own("plain"), await home.room("plain")
        assert own is not None
        assert room is not None
        assert "Version 2" in own.body.content
        assert home.tickets_in(own.body.content) == [room.spec.alias.number]
        assert set(home.answers("plain")) == {"Accept"}
        assert home.tracked("plain") == "Accept"


async def test_what_we_write_into_an_organizers_meeting_is_not_answered_again() -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        home.invite("plain")
        await home.look()
        assert home.calls("UpdateEvent") == 1
        await settle(home, clock)
        assert home.answers("plain") == ["Accept"]
        before = home.calls()
        await home.look()
        assert home.calls() == before + 1  # a look costs one call where nothing is new


async def test_meetings_moved_and_cancelled_between_two_looks_are_only_cancelled() -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        home.invite("known")
        await settle(home, clock)
        home.invite("new")
        for name in ("known", "new"):
            own = home.own(name)
            assert own is not None
            home.change(name, start=own.meeting.start + DAY, end=own.meeting.end + DAY)
            home.cancel(name)
        await settle(home, clock)
        assert (home.answers("known"), home.answers("new")) == (["Accept"], [])
        assert not await lives(home, "known")
        assert not await lives(home, "new")


@pytest.mark.parametrize("silent", [False, True], ids=["told", "silent"])
@pytest.mark.parametrize("look_between", [True, False], ids=["watched", "at-once"])
async def test_the_equipment_taken_out_and_invited_again_keeps_its_room(*, silent: bool, look_between: bool) -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        home.exchange.site.silent_updates = silent
        home.invite("plain")
        await settle(home, clock)
        room = await home.room("plain")
        assert room is not None
        home.change("plain", attendees=people(equipment=False))
        if look_between:
            await settle(home, clock)
            assert not await lives(home, "plain")
        clock.forward(seconds=30)
        home.change("plain", attendees=people(equipment=True))
        await settle(home, clock)
        again = await home.room("plain")
        assert again is not None
        assert (again.spec.alias, again.retired_at) == (room.spec.alias, None)
        assert home.answers("plain") == ["Accept", "Accept"]
        assert home.tracked("plain") == "Accept"


async def test_a_meeting_that_was_declined_and_left_the_calendar_is_accepted_when_it_comes_back_later() -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        home.invite("past", start=NOW - 5 * HOUR, end=NOW - 4 * HOUR)
        await settle(home, clock)
        assert home.answers("past") == ["Decline"]
        assert home.own("past", EQUIPMENT) is None
        home.change("past", start=NOW + DAY, end=NOW + DAY + HOUR)
        await settle(home, clock)
        assert home.answers("past") == ["Decline", "Accept"]
        assert await lives(home, "past")


async def test_a_forged_ticket_is_declined_once_however_often_it_is_looked_at() -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        home.invite("forged", body=home.ticket(123456789).replace("GRM", "GRN").replace("GRN", "GRM1"))
        await settle(home, clock, looks=6)
        record = await home.record("forged")
        assert record is not None
        assert len(home.answers("forged")) == 1


@pytest.mark.parametrize("zone", ["New Zealand Standard Time", "Pacific Standard Time", "India Standard Time", "UTC"])
@pytest.mark.parametrize("all_day", [False, True], ids=["hour", "all-day"])
async def test_rooms_open_when_the_organizers_meeting_begins_whatever_its_zone(zone: str, *, all_day: bool) -> None:
    clock = Clock(NOW)
    async with attended(clock, protocol="graph") as home:
        more: dict[str, Any] = {"start_zone": zone, "end_zone": zone, "all_day": all_day}
        start = datetime(2026, 12, 4, tzinfo=UTC) - OFFSETS[zone]
        home.invite("there", start=start, end=start + (DAY if all_day else HOUR), **more)
        await settle(home, clock)
        room, own = await home.room("there"), home.own("there")
        assert room is not None
        assert own is not None
        assert home.answers("there") == ["Accept"]
        assert starts(room.spec) == own.meeting.start == start


OFFSETS = {
    "New Zealand Standard Time": timedelta(hours=13),
    "Pacific Standard Time": timedelta(hours=-8),
    "India Standard Time": timedelta(hours=5, minutes=30),
    "UTC": timedelta(),
}


@pytest.mark.slow
async def test_notifications_that_come_while_a_pass_runs_lose_nothing() -> None:
    async with (
        simulator_in_loop(world()) as simulator,
        serviced(simulator, protocol="graph", push=True, poll=3600, clock=RunningClock()) as home,
    ):
        await home.until(lambda: bool(simulator.graph.subscriptions.active()))
        simulator.graph.latency = 0.05  # so that passes last
        names = [f"m{number}" for number in range(8)]
        for name in names:
            home.invite(name)
            await asyncio.sleep(0.05)
        await home.until(lambda: all(home.answers(name) for name in names))
        await asyncio.sleep(1)
        assert Counter(len(home.answers(name)) for name in names) == {1: 8}


async def test_a_subscription_that_missed_something_has_it_looked_for_at_once() -> None:
    async with (
        simulator_in_loop(world()) as simulator,
        serviced(simulator, protocol="graph", push=True, poll=3600, clock=RunningClock()) as home,
    ):
        await home.until(lambda: bool(simulator.graph.subscriptions.active()))
        await home.until(lambda: home.calls("ListEvents") > 1)  # the first look, and the first comparison
        home.fail(kind="drop_notifications", operation="Notification")
        home.invite("plain")
        await asyncio.sleep(0.5)
        assert home.answers("plain") == []
        home.face.faults.clear()
        (held,) = simulator.graph.subscriptions.active()
        simulator.graph.lifecycle(held.id, "missed")
        await home.until(lambda: home.answers("plain") == ["Accept"], seconds=3)
