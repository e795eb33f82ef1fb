"""What becomes of invitations as the add-in writes them: one with a reserved room, one with a promise, one with a personal room.

Real adapters, scheduler and storage, over both protocols, requests being put into the calendar or left to us; the promise also as
plain text, and as a copy.
"""

from datetime import UTC, datetime
from typing import Literal

import pytest

from greenroom.meetings.instructions import RULE, instructions_block, text_block
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.record import InstructionsState, State
from greenroom.meetings.ticket import OFFLINE, PERSONAL
from greenroom.scheduler import wording
from greenroom.simulator.model import Body, CalendarItem, MeetingCancellation, MeetingRequest
from support.attended import HOUR, Home, attended
from support.greenroom_at_work import Clock
from support.whole import ATTENDEE, HOUSES, Processing, Spoken

# Where Exchange accepts by itself it takes the text away unless it is told not to (DeleteComments), and with it the ticket.
TELLING = [house for house in HOUSES if house[1] != "auto_accept"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize(("protocol", "processing"), TELLING, ids=["-".join(house) for house in TELLING]),
]

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NUMBER = 482913377
PAGE = "<html><body><p>Agenda</p>{}<p>Regards</p></body></html>"
PROMISE_SAYS = "is being prepared"
Kind = Literal["HTML", "Text"]


async def settle(home: Home, clock: Clock) -> None:
    for _ in range(5):
        await home.look()
        clock.forward(minutes=3)


def written(home: Home, options: int, kind: Kind = "HTML") -> Body:
    """The organizer's text with a block of the add-in's, which knows nothing but the ticket."""
    ticket = home.integration.ring.issue(111222333444555, NOW, options)
    html = wording.placeholder_html(home.integration, ticket)
    if kind == "Text":
        return Body(f"Agenda\n\n{text_block(as_text(html), ticket)}\n\nRegards", "Text")
    return Body(PAGE.format(instructions_block(html, ticket)), "HTML")


def body_of(home: Home, name: str) -> str:
    own = home.own(name)
    assert own is not None
    return own.body.content


def received(home: Home, name: str) -> list[type]:
    """The invitations, updates and cancellations of this meeting that a colleague got."""
    mine = home.keys[name].to_bytes()
    inbox = home.exchange.items(ATTENDEE, "inbox")
    kinds = (MeetingRequest, MeetingCancellation)
    return [type(item) for item in inbox if isinstance(item, kinds) and item.meeting.clean_goid == mine]


async def number_of(home: Home, name: str) -> int:
    record = await home.record(name)
    assert record is not None
    assert record.alias_number is not None
    return record.alias_number


async def kept(home: Home, name: str) -> None:
    """The promise is kept: one room, one update, one answer, and the text and the location tell how to join."""
    room = await home.room(name)
    assert room is not None
    body, own = body_of(home, name), home.own(name)
    assert home.tickets_in(body) == [room.spec.alias.number]
    assert PROMISE_SAYS not in body
    assert "Agenda" in body
    assert "Regards" in body
    assert RULE not in body
    page = home.integration.links.page(room.spec.join_id)
    assert page in body
    assert own is not None
    assert page in own.meeting.location
    assert home.answers(name) == ["Accept"]
    assert received(home, name) == [MeetingRequest, MeetingRequest]


async def test_a_reserved_room_is_taken_and_nobody_is_told_more_than_the_answer(
    protocol: Spoken, processing: Processing
) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        there = home.integration
        room = wording.room_to_come(there, there.aliases.alias(NUMBER), there.ring.current)
        ticket = there.ring.issue(NUMBER, NOW)
        block = instructions_block(wording.instructions_html(there, room, ticket), ticket)
        page = there.links.page(room.join_id)
        home.invite("reserved", body=PAGE.format(block), location=f"Room 5; {page}")
        await settle(home, clock)
        found, record = await home.room("reserved"), await home.record("reserved")
        assert found is not None
        assert (found.spec.alias.number, found.spec.join_id) == (NUMBER, room.join_id)
        assert record is not None
        assert (record.state, record.instructions) == (State.SCHEDULED, InstructionsState.PRESENT)
        assert home.answers("reserved") == ["Accept"]
        assert received(home, "reserved") == [MeetingRequest]
        assert body_of(home, "reserved") == PAGE.format(block)
        own = home.own("reserved")
        assert own is not None
        assert own.meeting.location == f"Room 5; {page}"
        assert home.calls_to("update") == 0


@pytest.mark.parametrize("kind", ["HTML", "Text"])
async def test_a_promise_is_kept_with_one_update(protocol: Spoken, processing: Processing, kind: Kind) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        home.invite("promised", body=written(home, OFFLINE, kind))
        await settle(home, clock)
        await kept(home, "promised")


async def test_a_promise_in_two_meetings_is_kept_in_both(protocol: Spoken, processing: Processing) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        for name in ("one", "copy"):
            home.invite(name, body=written(home, OFFLINE))
        await settle(home, clock)
        for name in ("one", "copy"):
            await kept(home, name)
        assert await number_of(home, "one") != await number_of(home, "copy")


async def test_a_stale_copy_of_the_organizers_gets_its_text_back(protocol: Spoken, processing: Processing) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        home.invite("stale", body=written(home, OFFLINE))
        await settle(home, clock)
        number = await number_of(home, "stale")
        own = home.own("stale")
        assert isinstance(own, CalendarItem)
        home.change("stale", body=written(home, OFFLINE), start=own.meeting.start + HOUR, end=own.meeting.end + HOUR)
        await settle(home, clock)
        assert home.tickets_in(body_of(home, "stale")) == [number]
        assert PROMISE_SAYS not in body_of(home, "stale")
        assert await number_of(home, "stale") == number


async def test_a_meeting_in_a_personal_room_is_left_alone(protocol: Spoken, processing: Processing) -> None:
    clock = Clock(NOW)
    async with attended(clock, processing, protocol=protocol) as home:
        body = written(home, PERSONAL)
        home.invite("personal", body=body)
        await settle(home, clock)
        record = await home.record("personal")
        assert record is not None
        assert (record.state, record.reason) == (State.IGNORED, "personal-room")
        assert await home.room("personal") is None
        assert body_of(home, "personal") == body.content
        assert received(home, "personal") == [MeetingRequest]
        assert home.answers("personal") == []
        assert home.calls_to("update") == 0
