from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greenroom.meetings.meeting import Kind, Observation, Response, Span
from greenroom.meetings.policy import Policy, Review, Split
from greenroom.meetings.record import InstructionsState, State
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rules import Daily, Rule
from greenroom.meetings.zones import Zone
from greenroom.scheduler.attend import Attendant
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import MAILBOX, NOW, observation, recurring, weekly
from support.series_at_work import DAY, HOUR, KEY, MINUTE, NEW, SECOND, THIRD, is_open, lone, opened, shown
from support.stubborn_platform import StubbornPlatform
from support.tzdata import change_law, installed


async def test_the_room_of_a_series_is_open_in_its_occurrences_and_closed_between() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly(gone=[THIRD], moved={SECOND: 5 * HOUR}))
        await work.attend()
        assert await is_open(work, KEY, NOW + DAY + HOUR / 2)
        assert not await is_open(work, KEY, NOW + 3 * DAY)
        assert not await is_open(work, KEY, opened(SECOND))
        assert await is_open(work, KEY, opened(SECOND) + 5 * HOUR)
        assert not await is_open(work, KEY, opened(THIRD))


async def test_moved_occurrences_are_answered_once_each_and_by_themselves() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        again = weekly(
            moved={SECOND: HOUR, THIRD: 2 * HOUR},
            response=Response.ACCEPTED,
            replied_at=shown(work, "series").replied_at,
        )
        work.mailbox.invite(again)
        for _ in range(5):
            await work.settle_quickly()
        assert sorted(work.mailbox.answered) == [f"item-series#{SECOND}", f"item-series#{THIRD}"]
        assert len(work.mailbox.replies_to(KEY)) == 3
        assert await is_open(work, KEY, opened(THIRD) + 2 * HOUR)


@pytest.mark.parametrize("number", range(1, 14))
async def test_moved_occurrences_are_answered_once_each_wherever_the_process_dies(number: int) -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        before = shown(work, "series").replied_at
        work.mailbox.invite(
            weekly(moved={SECOND: HOUR, THIRD: 2 * HOUR}, response=Response.ACCEPTED, replied_at=before)
        )
        step, _ = die_at(number)
        try:
            for _ in range(3):
                await work.attend(step)
                work.clock.forward(minutes=1)
        except Died:
            pass
        for _ in range(5):
            await work.settle_quickly()
        assert sorted(work.mailbox.answered) == [f"item-series#{SECOND}", f"item-series#{THIRD}"]


async def test_a_cancelled_occurrence_is_noted_without_a_word() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.mailbox.invite(weekly(gone=[SECOND], response=Response.ACCEPTED))
        await work.settle_quickly()
        assert not await is_open(work, KEY, opened(SECOND))
        assert len(work.mailbox.replies_to(KEY)) == 1


# --- what runs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancelled", "removed", "moved"])
async def test_whatever_becomes_of_a_series_its_running_occurrence_stays_open_until_its_window_closes(how: str) -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.clock.now = NOW + DAY + HOUR / 2
        if how == "cancelled":
            work.mailbox.put(weekly(cancelled=True, response=Response.ACCEPTED))
        elif how == "removed":
            work.mailbox.remove("item-series")
        else:
            work.mailbox.invite(recurring(pattern=Daily(7), count=10, starts_in=3 * DAY))
        await work.attend()
        assert await is_open(work, KEY, work.clock.now)
        assert await is_open(work, KEY, NOW + DAY + 2 * HOUR - timedelta(seconds=1))
        work.clock.now = NOW + DAY + 2 * HOUR
        await work.settle_quickly()
        room = await work.room(KEY)
        assert room is not None
        assert (room.retired_at is None) is (how == "moved")
        assert not await is_open(work, KEY, NOW + 8 * DAY + HOUR / 2)


async def test_a_series_cancelled_when_nothing_runs_is_retired_at_once() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.mailbox.put(weekly(cancelled=True, response=Response.ACCEPTED))
        await work.attend()
        room = await work.room(KEY)
        assert room is not None
        assert room.retired_at is not None


# --- single occurrences ---------------------------------------------------------------------------------------------


async def test_two_occurrences_of_one_series_invited_alone_are_two_meetings() -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        work.mailbox.invite(lone(THIRD, work.ticket(987654321)))
        await work.settle_quickly()
        rooms = [await work.room(KEY.on(day)) for day in (SECOND, THIRD)]
        assert [room.spec.alias.number for room in rooms if room] == [123456789, 987654321]
        assert await is_open(work, KEY.on(SECOND), opened(SECOND))
        assert not await is_open(work, KEY.on(SECOND), opened(THIRD))
        assert [len(work.mailbox.replies_to(KEY.on(day))) for day in (SECOND, THIRD)] == [1, 1]


async def test_two_occurrences_with_one_ticket_share_one_room() -> None:
    async with at_work() as work:
        for day in (SECOND, THIRD):
            work.mailbox.invite(lone(day, work.ticket(123456789)))
        await work.settle_quickly()
        room = await work.room(KEY.on(THIRD))
        assert room is not None
        assert room.mark == KEY.on(SECOND).digest
        assert all([await is_open(work, KEY.on(SECOND), opened(day)) for day in (SECOND, THIRD)])
        work.mailbox.put(lone(SECOND, cancelled=True))
        await work.settle_quickly()
        assert await is_open(work, KEY.on(THIRD), opened(THIRD))
        assert not await is_open(work, KEY.on(THIRD), opened(SECOND))


@pytest.mark.parametrize("first", ["series", "gone"])
async def test_a_series_takes_over_the_room_of_the_occurrence_that_was_invited_before(first: str) -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        await work.settle_quickly()
        for what in ("series", "gone") if first == "series" else ("gone", "series"):
            if what == "series":
                work.mailbox.invite(weekly())
            else:
                work.mailbox.remove(f"item-lone-{SECOND}")
        for _ in range(4):
            await work.settle_quickly()
        room, record = await work.room(KEY), await work.record(KEY.on(SECOND))
        assert room is not None
        assert record is not None
        assert (room.spec.alias.number, room.mark) == (123456789, KEY.on(SECOND).digest)
        assert (record.state, record.reason) == (State.ENDED, "merged")
        assert await is_open(work, KEY, opened(THIRD))
        assert await is_open(work, KEY, opened(SECOND))
        assert len(work.mailbox.replies_to(KEY)) == 1


async def test_an_occurrence_keeps_its_own_room_where_its_series_brings_another_one() -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        await work.settle_quickly()
        work.mailbox.invite(weekly(body_html=work.ticket(987654321)))
        work.mailbox.remove(f"item-lone-{SECOND}")
        for _ in range(4):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
        assert await is_open(work, KEY.on(SECOND), opened(SECOND))
        work.mailbox.invite(weekly(body_html=work.ticket(987654321), gone=[SECOND], response=Response.ACCEPTED))
        for _ in range(4):
            await work.settle_quickly()
        assert not await is_open(work, KEY.on(SECOND), opened(SECOND))
        assert await is_open(work, KEY, opened(THIRD))


async def test_an_occurrence_moves_with_its_series_after_it_became_part_of_it() -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        await work.settle_quickly()
        ticket = work.ticket(987654321)
        work.mailbox.invite(weekly(body_html=ticket))
        work.mailbox.remove(f"item-lone-{SECOND}")
        await work.settle_quickly()
        work.mailbox.invite(weekly(body_html=ticket, moved={SECOND: 6 * HOUR}, response=Response.ACCEPTED))
        for _ in range(4):
            await work.settle_quickly()
        assert not await is_open(work, KEY.on(SECOND), opened(SECOND))
        assert await is_open(work, KEY.on(SECOND), opened(SECOND) + 6 * HOUR)


# --- this and following ---------------------------------------------------------------------------------------------


async def split(work: AtWork, *, old_first: bool) -> None:
    ticket = work.ticket(123456789)
    work.mailbox.invite(weekly(body_html=ticket))
    await work.settle_quickly()
    halves = [
        recurring("series", pattern=Daily(7), until=SECOND, body_html=ticket, response=Response.NONE),
        recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY, body_html=ticket, received_at=work.clock.now),
    ]
    for half in halves if old_first else reversed(halves):
        work.mailbox.invite(replace(half, sent_at=work.clock.now))
        await work.attend()
        work.clock.forward(seconds=20)
    for _ in range(3):
        await work.settle_quickly()


@pytest.mark.parametrize("old_first", [True, False])
async def test_a_series_cut_in_two_keeps_its_room_and_nobody_is_written_to_again(*, old_first: bool) -> None:
    async with at_work() as work:
        await split(work, old_first=old_first)
        room, record = await work.room(NEW), await work.record(NEW)
        assert room is not None
        assert record is not None
        assert (room.mark, room.spec.alias.number) == (KEY.digest, 123456789)
        assert record.instructions is InstructionsState.PRESENT
        assert await is_open(work, KEY, opened(SECOND))
        assert await is_open(work, NEW, NOW + 15 * DAY)
        assert not await is_open(work, NEW, opened(THIRD) + 3 * DAY)
        assert len(work.mailbox.replies_to(NEW)) == 1
        assert work.mailbox.organizer_bodies[NEW].body_html.count("GRM-") == 1


async def test_the_new_half_of_a_series_gets_its_own_room_where_policy_says_so() -> None:
    async with at_work(policy=Policy(MAILBOX, split=Split.NEW_ROOM)) as work:
        await split(work, old_first=True)
        room, record = await work.room(NEW), await work.record(NEW)
        assert room is not None
        assert record is not None
        assert room.spec.alias.number != 123456789
        assert record.reason == "split"
        assert record.instructions is InstructionsState.WRITTEN


@pytest.mark.parametrize("judges", [True, False])
async def test_a_shared_room_outlives_the_half_that_is_over(*, judges: bool) -> None:
    async with at_work(platform=lambda inner: StubbornPlatform(inner, judges_time=judges)) as work:
        await split(work, old_first=True)
        work.clock.now = NOW + 9 * DAY + 3 * HOUR
        assert await work.close() == 1
        old = await work.record(KEY)
        assert old is not None
        assert old.state is State.ENDED
        assert await is_open(work, NEW, NOW + 15 * DAY)
        work.mailbox.put(replace(shown(work, "new"), cancelled=True, sent_at=work.clock.now))
        await work.settle_quickly()
        assert not await is_open(work, NEW, NOW + 15 * DAY)


async def test_cancelling_the_new_half_leaves_the_room_to_the_old_one() -> None:
    async with at_work() as work:
        await split(work, old_first=True)
        work.mailbox.put(replace(shown(work, "new"), cancelled=True, sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, KEY, NOW + 15 * DAY)


# --- endless --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("review", [Review.LIST, Review.MAIL])
async def test_an_endless_series_is_reviewed_every_twelve_months_and_stays(review: Review) -> None:
    async with at_work(policy=Policy(MAILBOX, review=review)) as work:
        work.mailbox.invite(recurring(pattern=Daily(7)))
        await work.settle_quickly()
        for year in (1, 2):
            work.clock.now = NOW + year * timedelta(days=366)
            await work.settle_quickly()
            codes = [line.code for line in await work.journal(KEY)]
            assert codes.count("review") == year
            assert len(work.mailbox.replies_to(KEY)) == 1 + (year if review is Review.MAIL else 0)
        record = await work.record(KEY)
        assert record is not None
        assert record.state is State.SCHEDULED
        assert record.review_at is not None
        assert record.review_at > work.clock.now


async def test_a_series_of_which_every_occurrence_was_cancelled_is_over() -> None:
    async with at_work() as work:
        two = recurring(pattern=Daily(7), count=2)
        work.mailbox.invite(two)
        await work.settle_quickly()
        days = [(NOW + DAY).date(), (NOW + 8 * DAY).date()]
        work.mailbox.invite(recurring(pattern=Daily(7), count=2, gone=days, response=Response.ACCEPTED))
        work.clock.forward(days=2)
        await work.settle_quickly()
        record = await work.record(KEY)
        assert record is not None
        assert record.state is State.ENDED
        assert len(work.mailbox.replies_to(KEY)) == 1


async def test_a_series_whose_exceptions_no_list_shows_is_looked_at_once_a_day() -> None:
    async with at_work() as work:
        work.mailbox.hides_exceptions = True
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        attendant = Attendant(work.integration, work.storage, work.clock)
        await attendant.reconcile()
        item = shown(work, "series")
        work.mailbox.items["item-series"] = replace(item, series=weekly(gone=[SECOND]).series)  # and no list tells
        for _ in range(24):
            work.clock.forward(hours=1)
            await attendant.reconcile()
        told = len(await work.journal(KEY))
        for _ in range(24):
            work.clock.forward(hours=1)
            await attendant.reconcile()
        assert len(await work.journal(KEY)) == told  # a look that found nothing is no part of the story
        assert not await is_open(work, KEY, opened(SECOND))
        assert work.mailbox.reads <= 8


async def test_other_zone_data_move_coming_occurrences_and_say_nothing_to_anybody(tmp_path: Path) -> None:
    start = datetime(2027, 11, 3, 9, 0, tzinfo=UTC)  # ten o'clock in Berlin, until summer time lasts for ever
    rule = Rule(Daily(7), start.date(), count=10)

    def invitation(**changes: Any) -> Observation:
        series = Series.of(rule, start, start + HOUR, Zone("W. Europe Standard Time"))
        span = Span(start, start + HOUR, "W. Europe Standard Time")
        return observation("series", kind=Kind.SERIES, series=series, span=span, **changes)

    async with at_work() as work:
        work.mailbox.invite(invitation())
        await work.settle_quickly()
        assert await is_open(work, KEY, start + 7 * DAY + 59 * MINUTE)
        change_law(tmp_path, "Europe/Berlin", datetime(2027, 10, 31, 1, tzinfo=UTC), timedelta(hours=2))
        with installed(tmp_path):
            work.mailbox.put(invitation(response=Response.ACCEPTED, replied_at=work.clock.now))
            await work.settle_quickly()
            assert await is_open(work, KEY, start + 7 * DAY - HOUR)
            assert not await is_open(work, KEY, start + 7 * DAY + HOUR)
        assert len(work.mailbox.replies_to(KEY)) == 1


async def test_a_series_that_gets_another_ticket_leaves_the_shared_room_to_the_other_half() -> None:
    async with at_work() as work:
        await split(work, old_first=True)
        ticket = work.ticket(987654321)
        old = recurring("series", pattern=Daily(7), until=SECOND, body_html=ticket, response=Response.NONE)
        work.mailbox.invite(replace(old, sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        rooms = [await work.room(key) for key in (KEY, NEW)]
        assert [room.spec.alias.number for room in rooms if room] == [987654321, 123456789]
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, NEW, opened(SECOND))
        assert await is_open(work, NEW, NOW + 15 * DAY)
