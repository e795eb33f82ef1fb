"""Random histories of a mailbox, with faults and lost or doubled notifications, against a model of a few lines.

The model knows only what people did. Whatever the order, the faults and the deaths: in the end the rooms and the last replies
follow from the calendar alone, and no sending of the organizer was answered twice.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Response
from support.by_the_clock import ByTheClock
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import observation
from support.windows import starts

UIDS = ("a", "b", "c")


@dataclass
class Expected:
    """What people meant by now."""

    there: bool = False
    cancelled: bool = False
    days: int = 0
    sendings: int = 0
    ticketed: bool = False


EVENT = st.one_of(
    st.tuples(st.just("invite"), st.sampled_from(UIDS), st.integers(1, 300), st.booleans()),
    st.tuples(st.just("move"), st.sampled_from(UIDS), st.integers(1, 300), st.just(value=False)),
    st.tuples(st.just("touch"), st.sampled_from(UIDS), st.just(0), st.just(value=False)),
    st.tuples(st.just("cancel"), st.sampled_from(UIDS), st.just(0), st.just(value=False)),
    st.tuples(st.just("die"), st.just(""), st.integers(1, 12), st.just(value=False)),
    st.tuples(
        st.just("busy"), st.sampled_from(["changes", "read", "respond", "update_invitation"]), st.just(0), st.booleans()
    ),
    st.tuples(st.just("doubled"), st.sampled_from(UIDS), st.just(0), st.just(value=False)),
    st.tuples(st.just("attend"), st.just(""), st.just(0), st.just(value=False)),
)


History = list[tuple[str, str, int, bool]]
HISTORIES = st.lists(EVENT, min_size=3, max_size=25)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=35, deadline=None, phases=PHASES)
@given(HISTORIES)
def test_rooms_and_replies_follow_from_the_calendar_whatever_happened_on_the_way(history: History) -> None:
    asyncio.run(live(history))


@pytest.mark.slow
@settings(max_examples=15, deadline=None, phases=PHASES)
@given(HISTORIES)
def test_so_they_do_while_replies_wait_for_their_turn(history: History) -> None:
    asyncio.run(live_in_line(history))


@pytest.mark.slow
@settings(max_examples=200, deadline=None, phases=PHASES)
@given(HISTORIES)
def test_rooms_and_replies_follow_from_the_calendar_in_many_more_histories(history: History) -> None:
    asyncio.run(live(history))
    asyncio.run(live_in_line(history))


async def live_in_line(history: list[tuple[str, str, int, bool]]) -> None:
    """The same with a mailbox that sends two messages a minute, answered from memory between the events, seen or not."""
    async with at_work() as work:
        work.mailbox.sends_per_minute = 2
        driver = ByTheClock(work)
        expected = {uid: Expected() for uid in UIDS}
        for event, who, number, flag in history:
            work.clock.forward(seconds=40)
            if event == "die":
                step, _ = die_at(number)
                driver.restart(step)
            try:
                if event in ("attend", "die"):
                    await driver.run_for(seconds=number % 40)
                else:
                    happen(work, expected, event, who, number, flag=flag)
                    await driver.attendant.answer_waiting()
            except (Died, ExchangeError):
                driver.restart()
        work.mailbox.faults.clear()
        work.clock.forward(hours=1)
        driver.restart()
        driver.poll = timedelta(minutes=2)
        await driver.run_for(minutes=30)
        assert work.mailbox.violations == []
        assert await driver.waiting() == 0
        for uid, meant in expected.items():
            await check(work, uid, meant)


async def live(history: list[tuple[str, str, int, bool]]) -> None:
    async with at_work() as work:
        expected = {uid: Expected() for uid in UIDS}
        for event, who, number, flag in history:
            work.clock.forward(minutes=2)
            if event in ("attend", "die"):
                await attend(work, number if event == "die" else 0)
            else:
                happen(work, expected, event, who, number, flag=flag)
        work.mailbox.faults.clear()
        await work.settle()
        for uid, meant in expected.items():
            await check(work, uid, meant)


def happen(work: AtWork, expected: dict[str, Expected], event: str, who: str, number: int, *, flag: bool) -> None:
    if event == "busy":
        after = flag and who in ("respond", "update_invitation")
        work.mailbox.fail(who, OutcomeUnknownError("lost") if after else TryLaterError("busy"), after=after)
    elif event == "doubled":
        work.mailbox.log += [(f"item-{who}", True)] * 2
    else:
        people_do(work, expected[who], event, who, number, ticketed=flag)


def people_do(work: AtWork, meant: Expected, event: str, uid: str, days: int, *, ticketed: bool) -> None:
    """Invite once, later move (which resets the answer), touch the text (which does not) or cancel."""
    item = work.mailbox.items.get(f"item-{uid}")
    if event == "invite" and not meant.there:
        body = work.ticket(100000000 + UIDS.index(uid)) if ticketed else ""
        fresh = observation(uid, starts_in=timedelta(days=days), body_html=body)
        work.mailbox.invite(replace(fresh, sent_at=work.clock.now, received_at=work.clock.now))
        meant.there, meant.days, meant.ticketed, meant.sendings = True, days, ticketed, 1
    elif item is None or meant.cancelled or not meant.there:
        return
    elif event == "move" and days != meant.days:
        span = observation(uid, starts_in=timedelta(days=days)).span
        work.mailbox.put(replace(item, span=span, response=Response.NONE, sent_at=work.clock.now))
        meant.days = days
        meant.sendings += 1
    elif event == "touch":
        work.mailbox.put(replace(item, body_html=item.body_html + "<p>more</p>", sent_at=work.clock.now))
    elif event == "cancel":
        work.mailbox.put(replace(item, cancelled=True, sent_at=work.clock.now))
        meant.cancelled = True


async def attend(work: AtWork, number: int) -> None:
    step, _ = die_at(number)
    try:
        await work.attend(step)
    except (Died, ExchangeError):
        return


async def check(work: AtWork, uid: str, meant: Expected) -> None:
    key = MeetingKey.of_uid(uid)
    room = await work.room(key)
    replies = work.mailbox.replies_to(key)
    if not meant.there:
        assert room is None
        assert replies == []
        return
    living = room is not None and room.retired_at is None
    assert living is not meant.cancelled
    assert all(reply.verdict is Verdict.ACCEPT for reply in replies)
    assert len(replies) <= meant.sendings
    if meant.cancelled or room is None:
        return
    assert len(replies) >= 1
    assert work.mailbox.items[f"item-{uid}"].response is Response.ACCEPTED
    span = observation(uid, starts_in=timedelta(days=meant.days)).span
    assert span is not None
    assert starts(room.spec) == span.start
    if meant.ticketed:
        assert room.spec.alias.number == 100000000 + UIDS.index(uid)
    bodies = Counter(work.mailbox.organizer_bodies[key].body_html.split("Meeting reference"))
    assert sum(bodies.values()) <= 2
