"""Random histories over real EWS and Graph, with faults, deaths and lost or doubled notifications, against a model of a few lines.

The model knows only what people did. Whatever the order, the faults and the deaths: in the end rooms, answers and joining
instructions follow from the organizers' calendars alone, and no sending of an organizer's was answered twice.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.exchange.errors import ExchangeError
from greenroom.simulator.model import Attendee, Body, Person
from support.attended import AGENDA, DAY, HOUR, Home, attended
from support.greenroom_at_work import Clock, Died
from support.whole import ATTENDEE, EQUIPMENT, HOUSES, LATECOMER, Processing, Spoken
from support.windows import starts

NAMES = ("a", "b", "c")
House = tuple[Spoken, Processing]
ROUTES: dict[Spoken, tuple[str, ...]] = {
    "ews": ("SyncFolderItems", "GetItem", "FindItem", "UpdateItem", "CreateItem"),
    "graph": ("ListEvents", "GetEvent", "Batch", "UpdateEvent", "AcceptEvent"),
}
TROUBLES: tuple[dict[str, object], ...] = (
    {"kind": "http_503", "retry_after": 30},
    {"kind": "http_429", "retry_after": 1},
    {"kind": "server_busy", "back_off_ms": 2000, "nested": True},
    {"kind": "server_busy", "back_off_ms": 2000},
    {"kind": "timeout_before"},
    {"kind": "timeout_after_commit"},
    {"kind": "truncated_reply"},
    {"kind": "garbage_reply"},
    {"kind": "expired_sync_state"},
)
OF_GRAPH: tuple[dict[str, object], ...] = (
    *TROUBLES[:2],
    {"kind": "unauthorized"},
    *TROUBLES[3:-1],
    {"kind": "http_504"},
)


@dataclass
class Meant:
    """What people meant by now. `sendings` counts those that want an answer."""

    there: bool = False
    invited: bool = False
    cancelled: bool = False
    sendings: int = 0
    ticket: int | None = None


@dataclass(frozen=True)
class Event:
    """One thing that happens. `number` says which time, step or fault; `flag` what an event makes of it.

    For trouble `number` counts pairs of a route and a fault.
    """

    what: Literal[
        "invite", "copy", "move", "rename", "touch", "add", "uninvite", "reinvite", "cancel", "die", "trouble", "look"
    ]
    who: str = "a"
    number: int = 1
    flag: bool = False


PEOPLE = ("invite", "copy", "move", "rename", "touch", "add", "uninvite", "reinvite", "cancel")
EVENTS = st.one_of(
    st.builds(Event, st.just("invite"), st.sampled_from(NAMES), st.integers(2, 300), st.booleans()),
    st.builds(Event, st.sampled_from(PEOPLE), st.sampled_from(NAMES), st.integers(2, 300)),
    st.builds(Event, st.just("die"), st.just(""), st.integers(1, 14)),
    st.builds(Event, st.just("trouble"), st.just(""), st.integers(0, len(ROUTES["ews"]) * len(TROUBLES) - 1)),
    st.builds(Event, st.just("look")),
)
HISTORIES = st.lists(EVENTS, min_size=3, max_size=20)
WHERE = st.sampled_from([house for house in HOUSES if house[1] != "auto_accept"])


@settings(max_examples=18, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, WHERE)
def test_what_people_meant_comes_about_whatever_happened_on_the_way(history: list[Event], house: House) -> None:
    asyncio.run(live(history, house))


@pytest.mark.slow
@settings(max_examples=375, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(HISTORIES, WHERE)
def test_what_people_meant_comes_about_in_hundreds_of_histories(history: list[Event], house: House) -> None:
    asyncio.run(live(history, house))


async def live(history: list[Event], house: House) -> None:
    clock = Clock()
    protocol, processing = house
    async with attended(clock, processing, protocol=protocol) as home:
        meant = {name: Meant() for name in NAMES}
        for event in history:
            clock.forward(minutes=2)
            if event.what in PEOPLE:
                people_do(home, meant, event)
            elif event.what == "trouble":
                trouble(home, event.number)
            else:
                await look(home, event.number if event.what == "die" else 0)
        home.face.faults.clear()
        await settle(home, clock)
        for name, wanted in meant.items():
            await check(home, name, wanted)
        rooms = [room for name in home.keys if (room := await home.room(name)) is not None]
        assert len({room.spec.alias.number for room in rooms}) == len(rooms)
        calls = home.calls_to("reply"), home.calls_to("update")
        clock.forward(minutes=2)
        await home.look()
        assert (home.calls_to("reply"), home.calls_to("update")) == calls


def trouble(home: Home, number: int) -> None:
    """Let a fault strike one route once."""
    faults = TROUBLES if home.protocol == "ews" else OF_GRAPH
    route, fault = divmod(number, len(TROUBLES))
    home.fail(operation=ROUTES[home.protocol][route], times=1, **faults[fault])


def people_do(home: Home, meant: dict[str, Meant], event: Event) -> None:  # noqa: C901, PLR0912  one branch for each deed
    """Let people do something, if they can: a meeting is invited once, and what is cancelled stays so."""
    name, wanted = event.who, meant[event.who]
    if event.what in ("invite", "copy"):
        original = NAMES[(NAMES.index(name) + 1) % len(NAMES)]
        if wanted.there or (event.what == "copy" and home.keys.get(original) is None):
            return
        body = AGENDA
        if event.what == "copy":
            own = home.own(original)
            if own is None:
                return
            body = own.body.content
            if not home.answers(original):
                meant[original].ticket = None  # whose ticket it is, is open: both come to Greenroom's sight at once
        elif event.flag:
            wanted.ticket = 100_000_000 + NAMES.index(name)
            body = home.ticket(wanted.ticket)
        home.invite(name, start=day(home, event.number), body=body)
        wanted.there, wanted.invited, wanted.sendings = True, True, 1
        return
    own = home.own(name) if wanted.there and not wanted.cancelled else None
    if own is None:
        return
    if event.what == "move" and day(home, event.number) != own.meeting.start:
        home.change(name, start=day(home, event.number), end=day(home, event.number) + HOUR)
        wanted.sendings += wanted.invited
    elif event.what == "rename":
        home.change(name, subject=f"{own.subject}!")
        wanted.sendings += wanted.invited
    elif event.what == "touch":
        home.change(name, body=Body(own.body.content.replace("</body>", "<p>more</p></body>"), "HTML"))
    elif event.what == "add":
        home.change(name, attendees=people(LATECOMER, equipment=wanted.invited))
    elif event.what == "uninvite" and wanted.invited:
        home.change(name, attendees=people(equipment=False))
        wanted.invited = False
    elif event.what == "reinvite" and not wanted.invited:
        home.change(name, attendees=people(equipment=True))
        wanted.invited = True
        wanted.sendings += 1
    elif event.what == "cancel":
        home.cancel(name)
        wanted.cancelled = True


def day(home: Home, number: int) -> datetime:
    return home.clock().replace(hour=12, minute=0, second=0, microsecond=0) + DAY * number


def people(*more: str, equipment: bool) -> tuple[Attendee, ...]:
    rooms = [Attendee(Person(EQUIPMENT), "resource")] if equipment else []
    return (*(Attendee(Person(address)) for address in (ATTENDEE, *more)), *rooms)


async def look(home: Home, die_at: int = 0) -> None:
    """One pass, in which Greenroom may die; whatever of it still runs dies with it."""
    count = 0

    def step(_name: str) -> None:
        nonlocal count
        count += 1
        if count == die_at:
            raise Died

    try:
        await home.look(step)
    except (Died, ExchangeError):
        pass
    finally:
        orphans = asyncio.all_tasks() - {asyncio.current_task()}
        for task in orphans:
            task.cancel()
        await asyncio.gather(*orphans, return_exceptions=True)


async def settle(home: Home, clock: Clock) -> None:
    """Pass after pass, over simulated hours if need be, until nothing waits."""
    for number in range(14):
        clock.forward(minutes=2 if number < 3 else 60)
        await look(home)
        records = [await home.record(name) for name in home.keys]
        if number >= 3 and not any(record is not None and record.retry_at for record in records):
            return


async def check(home: Home, name: str, meant: Meant) -> None:
    if not meant.there:
        assert name not in home.keys
        return
    room, answers = await home.room(name), home.answers(name)
    assert set(answers) <= {"Accept"}
    assert len(answers) <= meant.sendings
    lives = room is not None and room.retired_at is None
    assert lives is (meant.invited and not meant.cancelled)
    if not lives or room is None:
        return
    own = home.own(name)
    assert own is not None
    assert answers
    assert home.tracked(name) == "Accept"
    assert starts(room.spec) == own.meeting.start
    assert room.spec.admission.closes == own.meeting.end + timedelta(minutes=60)
    if meant.ticket is not None:
        assert room.spec.alias.number == meant.ticket
    tickets = home.tickets_in(own.body.content)
    assert tickets[-1:] == [room.spec.alias.number]
    assert tickets.count(room.spec.alias.number) == 1


@pytest.mark.parametrize("protocol", ["ews", "graph"])
async def test_a_death_after_the_second_answer_within_one_second_does_not_send_a_third(protocol: Spoken) -> None:
    """Exchange keeps seconds; but an answer that a move had taken back and that is there again was given again."""
    clock = Clock()
    async with attended(clock, protocol=protocol) as home:
        home.invite("a", start=day(home, 2))
        await home.look()
        home.change("a", start=day(home, 3), end=day(home, 3) + HOUR)

        def dies(step: str) -> None:
            if step == "replies":
                raise Died

        with pytest.raises(Died):
            await home.look(dies)
        await home.look()
        assert home.answers("a") == ["Accept", "Accept"]
