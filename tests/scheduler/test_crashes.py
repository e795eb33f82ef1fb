"""A pass may die between any two of its steps; the next one does only what was not done."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Verdict
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.ticket_finder import find_tickets
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import observation

STORY = {"ticketed": 1, "plain": 2, "past": 3, "copy": 4}


def invite_all(work: AtWork) -> None:
    ticket = f"<p>{work.ticket(123456789)}</p>"
    work.mailbox.invite(observation("ticketed", body_html=ticket))
    work.mailbox.invite(observation("plain", starts_in=timedelta(days=2)))
    work.mailbox.invite(observation("past", starts_in=-timedelta(days=2)))
    work.mailbox.invite(observation("copy", starts_in=timedelta(days=3), body_html=ticket))


async def steps_of_a_day(sends_per_minute: int | None = None) -> int:
    async with at_work() as work:
        work.mailbox.sends_per_minute = sends_per_minute
        step, seen = die_at(0)
        invite_all(work)
        await work.attend(step)
        change_all(work)
        await work.attend(step)
        return len(seen)


def change_all(work: AtWork) -> None:
    work.clock.forward(minutes=10)
    plain = work.mailbox.items["item-plain"]
    moved = observation("plain", starts_in=timedelta(days=4)).span
    work.mailbox.put(replace(plain, span=moved, response=Response.NONE, sent_at=work.clock.now))
    work.mailbox.put(replace(work.mailbox.items["item-ticketed"], cancelled=True, sent_at=work.clock.now))


async def dying_at(number: int, sends_per_minute: int | None = None) -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = sends_per_minute
        step, _ = die_at(number)
        invite_all(work)
        await attend_until_alive(work, step)
        await settle(work)
        change_all(work)
        await attend_until_alive(work, step)
        await settle(work)

        assert work.mailbox.violations == []

        def verdicts(uid: str) -> list[Verdict]:
            return [sent.verdict for sent in work.mailbox.replies_to(MeetingKey.of_uid(uid))]

        assert verdicts("ticketed") == [Verdict.ACCEPT]
        assert verdicts("plain") == [Verdict.ACCEPT, Verdict.ACCEPT]
        assert verdicts("copy") == [Verdict.ACCEPT]
        assert verdicts("past") == [Verdict.DECLINE]
        rooms = {uid: await work.room(MeetingKey.of_uid(uid)) for uid in STORY}
        living = {uid for uid, room in rooms.items() if room is not None and room.retired_at is None}
        assert living == {"plain", "copy"}
        numbers = [room.spec.alias.number for room in rooms.values() if room is not None]
        assert len(numbers) == len(set(numbers)) == 3
        for uid in ("plain", "copy"):
            room = rooms[uid]
            assert room is not None
            body = work.mailbox.organizer_bodies[MeetingKey.of_uid(uid)].body_html
            tickets = find_tickets(body, "GRM")
            assert [t for t in tickets if work.number_of(t) == room.spec.alias.number] == tickets[-1:]


async def settle(work: AtWork) -> None:
    """Passes until every reply had its turn, each of a process that has nothing in memory."""
    await work.settle_quickly()
    for _ in range(0 if work.mailbox.sends_per_minute is None else 6):
        await work.attend()
        work.clock.forward(minutes=1)


async def attend_until_alive(work: AtWork, step: Callable[[str], None]) -> None:
    try:
        await work.attend(step)
    except Died:
        await work.attend()


TENTHS = [pytest.param(tenth, marks=[pytest.mark.slow] if tenth % 3 else []) for tenth in range(10)]


@pytest.mark.parametrize("tenth", TENTHS)
async def test_dying_between_any_two_steps_leaves_one_room_and_one_reply_per_meeting(tenth: int) -> None:
    steps = await steps_of_a_day()
    assert steps > 20
    for number in range(1 + tenth, steps + 1, 10):
        await dying_at(number)


@pytest.mark.parametrize("tenth", TENTHS)
async def test_so_it_does_while_replies_wait_for_their_turn(tenth: int) -> None:
    steps = await steps_of_a_day(3)
    assert steps > 18
    for number in range(1 + tenth, steps + 1, 10):
        await dying_at(number, 3)
