"""Corners of series: what runs, rooms of several meetings, and what is looked at again."""

from dataclasses import replace

import pytest

from greenroom.exchange.errors import ItemBrokenError
from greenroom.meetings.meeting import ItemRef, MeetingKey, Observation, Person, Response
from greenroom.meetings.policy import Policy, Replies
from greenroom.meetings.record import State
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Daily
from greenroom.platforms.errors import RoomRefusedError
from greenroom.scheduler.attend import Attendant
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import MAILBOX, NOW, recurring, weekly
from support.series_at_work import DAY, HOUR, KEY, NEW, SECOND, THIRD, is_open, lone, opened, shown
from support.stubborn_platform import StubbornPlatform


def halves(work: AtWork, ticket: str) -> tuple[Observation, Observation]:
    old = recurring("series", pattern=Daily(7), until=SECOND, body_html=ticket, response=Response.NONE)
    new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY, body_html=ticket, received_at=work.clock.now)
    return replace(old, sent_at=work.clock.now), replace(new, sent_at=work.clock.now)


async def split(work: AtWork) -> None:
    ticket = work.ticket(123456789)
    work.mailbox.invite(weekly(body_html=ticket))
    await work.settle_quickly()
    for half in halves(work, ticket):
        work.mailbox.invite(half)
        await work.settle_quickly()


async def stored_as(work: AtWork, **changes: object) -> None:
    record = await work.record(KEY)
    assert record is not None
    async with work.storage.work() as writing:
        await writing.meetings.save([replace(record, **changes)])  # type: ignore[arg-type]  # named by the test


def cancelled(work: AtWork, uid: str) -> Observation:
    return replace(shown(work, uid), cancelled=True, sent_at=work.clock.now)


async def test_what_runs_is_kept_open_though_an_earlier_edit_is_held_yet() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.clock.now = NOW + DAY + HOUR / 2
        work.mailbox.invite(recurring(pattern=Daily(7), count=10, starts_in=DAY + HOUR * 3 / 2, sent_at=work.clock.now))
        await work.attend()
        work.clock.now = NOW + DAY + HOUR * 7 / 4
        work.mailbox.put(cancelled(work, "series"))
        await work.attend()
        assert await is_open(work, KEY, NOW + DAY + 3 * HOUR)


async def test_every_moved_occurrence_is_mailed_where_changes_are() -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.CHANGES)) as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        told = shown(work, "series").replied_at
        work.mailbox.invite(weekly(moved={SECOND: HOUR, THIRD: HOUR}, response=Response.ACCEPTED, replied_at=told))
        for _ in range(4):
            await work.settle_quickly()
        assert len(work.mailbox.answered) == 2
        assert len(work.mailbox.replies_to(KEY)) == 3


@pytest.mark.parametrize("number", range(9))
async def test_nothing_is_said_of_occurrences_that_an_earlier_version_answered_wherever_the_process_dies(
    number: int,
) -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly(moved={SECOND: HOUR}))
        await work.settle_quickly()
        await stored_as(work, series=None, seen="0" * 32, handled=(), review_at=None)
        record = await work.record(KEY)
        assert record is not None
        assert record.replied is not None
        before = record.replied.replace(shown(work, "series").fingerprint, "0" * 32)
        await stored_as(work, replied=before)
        work.mailbox.put(shown(work, "series"))
        step, _ = die_at(number)
        try:
            for _ in range(3):
                await work.attend(step)
        except Died:
            pass
        for _ in range(3):
            await work.settle_quickly()
        assert len(work.mailbox.replies_to(KEY)) == 1
        assert work.mailbox.answered == []


async def test_a_due_item_that_is_looked_past_is_not_read_on_every_pass() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.mailbox.put(replace(shown(work, "series"), informational_copy=True))
        await work.attend()
        await stored_as(work, retry_at=work.clock.now)
        before = work.mailbox.reads
        for _ in range(20):
            work.clock.forward(seconds=15)
            await work.attend()
        assert work.mailbox.reads - before < 10


async def test_an_answer_to_a_series_that_never_shows_keeps_no_occurrence_from_its_answer_and_is_no_loop() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        seen = weekly(moved={SECOND: HOUR, THIRD: HOUR}, response=Response.TENTATIVE)
        work.mailbox.invite(seen)
        await work.attend()
        before = work.mailbox.reads
        for _ in range(20):
            work.mailbox.items["item-series"] = replace(shown(work, "series"), response=Response.TENTATIVE)
            work.clock.forward(seconds=15)
            await work.attend()
        assert len(work.mailbox.answered) == 2
        assert work.mailbox.reads - before < 10


async def test_an_occurrence_that_cannot_be_answered_does_not_keep_others_from_their_answers() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        told = shown(work, "series").replied_at
        work.mailbox.unanswerable[f"item-series#{SECOND}"] = ItemBrokenError("broken")
        work.mailbox.invite(weekly(moved={SECOND: HOUR, THIRD: HOUR}, response=Response.ACCEPTED, replied_at=told))
        await work.settle()
        assert work.mailbox.answered == [f"item-series#{THIRD}"]


async def test_an_occurrence_that_moves_with_its_series_leaves_the_room_it_shares_open_for_the_others() -> None:
    async with at_work() as work:
        for day in (SECOND, THIRD):
            work.mailbox.invite(lone(day, work.ticket(123456789)))
        await work.settle_quickly()
        ticket = work.ticket(987654321)
        work.mailbox.invite(weekly(body_html=ticket))
        for day in (SECOND, THIRD):
            work.mailbox.remove(f"item-lone-{day}")
        for _ in range(3):
            await work.settle_quickly()
        work.mailbox.invite(weekly(body_html=ticket, moved={SECOND: 6 * HOUR}, response=Response.ACCEPTED))
        for _ in range(4):
            await work.settle_quickly()
        assert await is_open(work, KEY.on(SECOND), opened(SECOND) + 6 * HOUR)
        assert not await is_open(work, KEY.on(SECOND), opened(SECOND))
        assert await is_open(work, KEY.on(THIRD), opened(THIRD))
        work.mailbox.invite(weekly(body_html=ticket, gone=[SECOND], response=Response.ACCEPTED))
        for _ in range(4):
            await work.settle_quickly()
        assert not await is_open(work, KEY.on(THIRD), opened(SECOND) + 6 * HOUR)
        assert await is_open(work, KEY.on(THIRD), opened(THIRD))


class _Particular(StubbornPlatform):
    """Refuses rooms of one kind of name."""

    async def ensure(self, spec: RoomSpec) -> None:
        if "refuse" in spec.name:
            raise RoomRefusedError("no")
        await super().ensure(spec)


async def test_a_half_that_the_platform_refuses_leaves_the_room_to_the_other() -> None:
    async with at_work(platform=_Particular) as work:
        await split(work)
        work.mailbox.invite(replace(shown(work, "new"), subject="refuse", sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, KEY, NOW + 15 * DAY)


async def test_a_copy_that_takes_place_when_the_other_half_does_gets_a_room_of_its_own() -> None:
    async with at_work() as work:
        await split(work)
        copy = recurring(
            "copy",
            pattern=Daily(7),
            count=8,
            starts_in=15 * DAY,
            body_html=work.ticket(123456789),
            received_at=work.clock.now - HOUR,
            sent_at=work.clock.now,
        )
        work.mailbox.invite(copy)
        for _ in range(3):
            await work.settle_quickly()
        record = await work.record(MeetingKey.of_uid("copy"))
        assert record is not None
        assert record.state is State.SCHEDULED
        assert record.alias_number != 123456789


async def test_another_ticket_for_the_half_that_is_left_leaves_no_room_behind() -> None:
    async with at_work() as work:
        await split(work)
        work.clock.now = NOW + 10 * DAY
        await work.close()
        work.mailbox.invite(replace(shown(work, "new"), body_html=work.ticket(987654321), sent_at=work.clock.now))
        await work.settle_quickly()
        room, record = await work.room(NEW), await work.record(NEW)
        assert room is not None
        assert record is not None
        assert room.spec.alias.number == 987654321
        async with work.storage.reading() as reading:
            old = await reading.rooms.by_mark(1, KEY.digest)
        assert old is not None
        assert old.retired_at is not None or old.spec.alias.number == 987654321


async def test_a_third_ticket_leaves_the_room_of_the_others_alone() -> None:
    async with at_work() as work:
        await split(work)
        for number in (987654321, 555555555):
            ticket = work.integration.ring.issue(number, work.clock.now)
            work.mailbox.invite(replace(shown(work, "series"), body_html=ticket, sent_at=work.clock.now))
            for _ in range(3):
                await work.settle_quickly()
        rooms = [await work.room(key) for key in (KEY, NEW)]
        assert [room.spec.alias.number for room in rooms if room] == [555555555, 123456789]


async def test_a_half_that_comes_back_does_not_take_the_room_that_got_another_alias() -> None:
    async with at_work() as work:
        await split(work)
        work.mailbox.put(cancelled(work, "series"))
        await work.settle_quickly()
        work.mailbox.invite(replace(shown(work, "new"), body_html=work.ticket(987654321), sent_at=work.clock.now))
        await work.settle_quickly()
        back = recurring("series", pattern=Daily(7), until=SECOND, body_html=work.ticket(123456789))
        work.mailbox.invite(replace(back, sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        rooms = [await work.room(key) for key in (KEY, NEW)]
        assert [room.spec.alias.number for room in rooms if room] == [123456789, 987654321]
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, NEW, opened(SECOND))
        assert await is_open(work, NEW, NOW + 15 * DAY)


async def test_an_occurrence_that_became_part_of_its_series_is_told_once_and_ends_with_it() -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        await work.settle_quickly()
        work.mailbox.invite(weekly(body_html=work.ticket(987654321)))
        work.mailbox.remove(f"item-lone-{SECOND}")
        for _ in range(2):
            await work.settle_quickly()
        attendant = Attendant(work.integration, work.storage, work.clock)
        for _ in range(5):
            work.clock.forward(hours=1)
            await attendant.attend()
            await attendant.reconcile()
        codes = [(line.step, line.code) for line in await work.journal(KEY.on(SECOND))]
        assert codes.count(("seen", "merged")) == 1, codes
        work.mailbox.remove("item-series")
        await work.settle_quickly()
        assert not await is_open(work, KEY.on(SECOND), opened(SECOND))


async def test_a_series_declined_while_it_runs_stays_declined_and_open_until_its_window_closes() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.clock.now = NOW + DAY + HOUR / 2
        past = recurring(pattern=Daily(7), count=2, starts_in=-20 * DAY, sent_at=work.clock.now)
        work.mailbox.invite(past)
        for _ in range(4):
            await work.attend()
        record = await work.record(KEY)
        assert record is not None
        assert (record.state, record.reason) == (State.DECLINED, "past")
        assert await is_open(work, KEY, work.clock.now)
        work.clock.now = NOW + DAY + 2 * HOUR
        await work.settle_quickly()
        room, record = await work.room(KEY), await work.record(KEY)
        assert room is not None
        assert room.retired_at is not None
        assert record is not None
        assert (record.state, record.reason) == (State.DECLINED, "past")


async def test_cancelling_one_half_while_the_other_is_edited_leaves_nothing_open_for_it() -> None:
    async with at_work() as work:
        await split(work)
        work.mailbox.put(cancelled(work, "new"))
        work.mailbox.invite(replace(shown(work, "series"), subject="other", sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, KEY, NOW + 15 * DAY)


@pytest.mark.parametrize("number", range(2, 6))
async def test_cancelling_one_half_leaves_nothing_open_for_it_wherever_the_process_dies(number: int) -> None:
    async with at_work() as work:
        await split(work)
        work.mailbox.put(cancelled(work, "new"))
        step, _ = die_at(number)
        try:
            for _ in range(3):
                await work.attend(step)
        except Died:
            pass
        for _ in range(3):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
        assert not await is_open(work, KEY, NOW + 15 * DAY)


async def test_both_halves_cancelled_one_after_the_other_leave_what_runs_open() -> None:
    async with at_work() as work:
        await split(work)
        work.clock.now = NOW + DAY + HOUR / 2
        for uid in ("series", "new"):
            work.mailbox.put(cancelled(work, uid))
            await work.attend()
        assert await is_open(work, KEY, work.clock.now)
        work.clock.now = NOW + DAY + 2 * HOUR
        await work.settle_quickly()
        room = await work.room(KEY)
        assert room is not None
        assert room.retired_at is not None


async def test_a_strangers_series_of_the_same_id_does_not_move_the_room_of_an_occurrence() -> None:
    async with at_work() as work:
        work.mailbox.invite(lone(SECOND, work.ticket(123456789)))
        await work.settle_quickly()
        theirs = weekly(body_html=work.ticket(987654321), organizer=Person("eve@greenroom.example"))
        work.mailbox.invite(replace(theirs, sent_at=work.clock.now))
        work.mailbox.remove(f"item-lone-{SECOND}")
        for _ in range(3):
            await work.settle_quickly()
        record = await work.record(KEY.on(SECOND))
        assert record is not None
        assert (record.state, record.reason) == (State.ENDED, "removed")


@pytest.mark.parametrize("together", [True, False])
async def test_an_occurrence_cancelled_by_a_message_alone_is_closed_until_its_series_is_sent_anew(
    *, together: bool
) -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        if not together:
            await work.settle_quickly()
        message = ItemRef(f"message-{SECOND}", is_message=True)
        work.mailbox.put(lone(SECOND, cancelled=True, ref=message, sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        assert not await is_open(work, KEY, opened(SECOND))
        assert await is_open(work, KEY, opened(THIRD))
        assert len(work.mailbox.replies_to(KEY)) == 1
        work.mailbox.invite(weekly(subject="Anew", sent_at=work.clock.now))
        for _ in range(3):
            await work.settle_quickly()
        assert await is_open(work, KEY, opened(SECOND))
