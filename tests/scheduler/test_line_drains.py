"""Replies that wait, by a simulated clock: a mailbox that may send 30 messages a minute, and refuses the next one."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import NotPermittedError, OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.record import Record, State
from support.by_the_clock import ByTheClock
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import observation

MINUTE = timedelta(minutes=1)


def invite(work: AtWork, count: int, *, ticketed: bool = True) -> None:
    """Invitations to many meetings, the first to begin last."""
    for n in range(count):
        body = f"<p>{work.ticket(100000000 + n)}</p>" if ticketed else ""
        work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=2, minutes=count - n), body_html=body))


def move(work: AtWork, uid: str, days: int) -> None:
    item = work.mailbox.items[f"item-{uid}"]
    span = observation(uid, starts_in=timedelta(days=days)).span
    work.mailbox.put(replace(item, span=span, response=Response.NONE, sent_at=work.clock.now))


def most_a_minute(times: list[datetime]) -> int:
    return max(sum(1 for at in times[i:] if at - begin <= MINUTE) for i, begin in enumerate(times))


async def record_of(work: AtWork, uid: str) -> Record:
    record = await work.record(MeetingKey.of_uid(uid))
    assert record is not None
    return record


async def limited(work: AtWork, per_minute: int = 30) -> ByTheClock:
    work.mailbox.sends_per_minute = per_minute
    return ByTheClock(work)


@pytest.mark.slow
async def test_five_hundred_rooms_exist_at_once_and_the_replies_drain_at_twenty_eight_to_thirty_a_minute() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 500)
        began = work.clock.now
        with capture_logs() as logs:
            await driver.attendant.attend()
            assert [await work.room(MeetingKey.of_uid(f"m{n}")) for n in range(500)].count(None) == 0
            assert len(work.mailbox.sent) == 29
            assert await driver.waiting() == 471
            await driver.run_for(minutes=25)
        assert len(work.mailbox.sent) == 500
        assert set(Counter(sent.key for sent in work.mailbox.sent).values()) == {1}
        assert work.mailbox.violations == []
        assert most_a_minute(work.mailbox.mailed_at) <= 29
        took = work.mailbox.mailed_at[-1] - began
        assert 28 <= 500 / (took / MINUTE) <= 30
        assert work.mailbox.reads == 500
        assert await driver.waiting() == 0
        records = [await record_of(work, f"m{n}") for n in range(500)]
        assert {(r.state, r.retry_at, r.attempts, r.replying) for r in records} == {(State.SCHEDULED, None, 0, None)}
        told = [entry for entry in logs if entry["event"] == "replies wait"]
        assert 2 <= len(told) <= 4
        assert told[0]["waiting"] == 471
        lines = [(line.step, line.code) for line in await work.journal(MeetingKey.of_uid("m0"))]
        assert lines[-2:] == [("replied", "waits"), ("replied", "accept_new_single")]


async def test_a_sending_that_the_answer_from_the_line_came_just_behind_is_not_taken_for_our_echo() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 40)
        await driver.attendant.attend()
        last = MeetingKey.of_uid("m0")
        assert work.mailbox.replies_to(last) == []
        work.clock.forward(seconds=61)
        item = work.mailbox.items["item-m0"]  # the button is pressed again: another ticket, at the same time
        work.mailbox.put(replace(item, body_html=f"<p>{work.ticket(200000000)}</p>", sent_at=work.clock.now))
        await driver.attendant.answer_waiting()
        assert len(work.mailbox.replies_to(last)) == 1
        assert (await record_of(work, "m0")).alias_number == 100000000
        await driver.run_for(minutes=3)
        assert (await record_of(work, "m0")).alias_number == 200000000
        assert len(work.mailbox.replies_to(last)) == 2


async def test_the_soonest_meetings_are_answered_first() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 90)
        await driver.run_for(seconds=10)
        work.mailbox.invite(observation("soon", starts_in=timedelta(minutes=9), body_html=work.ticket(999999999)))
        await driver.run_for(minutes=2)
        keys = [sent.key for sent in work.mailbox.sent]
        assert keys[29] == MeetingKey.of_uid("soon")
        assert keys[:29] == [MeetingKey.of_uid(f"m{n}") for n in range(89, 60, -1)]


async def test_a_move_a_cancellation_and_a_restart_in_the_middle_lose_and_double_nothing() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 200)
        await driver.run_for(minutes=1.5)
        assert driver.replies("m0") == driver.replies("m1") == driver.replies("m2") == 0
        move(work, "m0", 7)
        cancelled = work.mailbox.items["item-m1"]
        work.mailbox.put(replace(cancelled, cancelled=True, sent_at=work.clock.now))
        work.mailbox.remove("item-m2")
        await driver.run_for(minutes=1)
        driver.restart()
        await driver.run_for(minutes=15)
        assert work.mailbox.violations == []
        counted = Counter(sent.key for sent in work.mailbox.sent)
        for n in range(200):
            assert counted[MeetingKey.of_uid(f"m{n}")] == (0 if n in (1, 2) else 1)
        assert (await record_of(work, "m0")).seen == work.mailbox.items["item-m0"].fingerprint
        for uid in ("m1", "m2"):
            room = await work.room(MeetingKey.of_uid(uid))
            assert room is not None
            assert room.retired_at is not None
        assert work.mailbox.reads <= 200 + 2 + 130  # the restart forgot what waited: that is read once more
        assert await driver.waiting() == 0


async def test_a_moved_meeting_whose_new_reply_waits_is_told_once_and_its_latest_time() -> None:
    async with at_work() as work:
        driver = await limited(work, 3)
        invite(work, 6)
        await driver.run_for(minutes=5)
        work.clock.forward(minutes=5)
        for n in range(6):
            move(work, f"m{n}", 5 + n)
        await driver.run_for(seconds=20)
        move(work, "m5", 20)
        await driver.run_for(minutes=6)
        assert [driver.replies(f"m{n}") for n in range(6)] == [2] * 6
        assert "accept_edited_single" in [line.code for line in await work.journal(MeetingKey.of_uid("m5"))]
        assert (await record_of(work, "m5")).seen == work.mailbox.items["item-m5"].fingerprint
        span = observation(starts_in=timedelta(days=20)).span
        assert span is not None
        assert f"{span.start:%Y-%m-%d %H:%M}" in work.mailbox.replies_to(MeetingKey.of_uid("m5"))[-1].body_html


async def test_our_own_update_of_a_waiting_meeting_and_our_reply_from_the_line_come_back_as_echoes() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60, ticketed=False)
        await driver.run_for(minutes=5)
        assert len(work.mailbox.sent) == 60
        reads = work.mailbox.reads
        assert reads <= 60 + 31  # our instructions changed what waited: that is looked at once more
        await driver.run_for(minutes=10)
        assert (len(work.mailbox.sent), work.mailbox.reads) == (60, reads)


async def test_the_same_item_shown_again_is_not_read_while_it_waits() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        await driver.run_for(seconds=20)
        work.mailbox.log += [(f"item-m{n}", True) for n in range(20)]
        await driver.run_for(minutes=5)
        assert (len(work.mailbox.sent), work.mailbox.reads) == (60, 60)


async def test_a_line_that_moves_more_slowly_than_expected_is_not_read_again() -> None:
    async with at_work() as work:
        driver = await limited(work, 3)
        invite(work, 10)
        await driver.run_for(seconds=20)
        for n in range(10):
            soon = observation(
                f"urgent{n}", starts_in=timedelta(hours=1, minutes=n), body_html=work.ticket(200000000 + n)
            )
            work.mailbox.invite(soon)
        await driver.run_for(minutes=30)
        assert (len(work.mailbox.sent), work.mailbox.reads) == (20, 20)
        record = await record_of(work, "m0")
        assert (record.attempts, record.retry_at) == (0, None)
        assert [line.code for line in await work.journal(record.key)].count("waits") == 1


async def test_a_busy_exchange_puts_replies_back_into_the_line_without_another_look() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        work.mailbox.fail("respond", TryLaterError("busy", after=timedelta(minutes=3), code="E"))
        await driver.run_for(minutes=2)
        assert work.mailbox.sent == []
        await driver.run_for(minutes=10)
        assert (len(work.mailbox.sent), work.mailbox.reads) == (60, 60)
        assert work.mailbox.violations == []
        assert (await record_of(work, "m59")).attempts == 0


@pytest.mark.parametrize("error", [OutcomeUnknownError("lost"), NotPermittedError("no")])
async def test_whatever_happens_to_a_request_every_meeting_is_answered_once(error: Exception) -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        await driver.run_for(seconds=30)
        work.mailbox.faults.append(("respond", error, isinstance(error, OutcomeUnknownError)))  # type: ignore[arg-type]  # both are ExchangeErrors
        await driver.run_for(minutes=15)
        assert set(Counter(sent.key for sent in work.mailbox.sent).values()) == {1}
        assert len(work.mailbox.sent) == 60
        assert work.mailbox.violations == []


async def test_nothing_is_answered_from_memory_when_the_calendar_was_not_seen_for_minutes() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        await driver.attendant.attend()
        work.clock.forward(minutes=10)
        await driver.attendant.answer_waiting()
        assert len(work.mailbox.sent) == 29
        await driver.attendant.attend()
        assert len(work.mailbox.sent) == 58


async def test_after_minutes_out_of_reach_nothing_is_answered_before_all_that_changed_was_looked_at() -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = 30
        driver = ByTheClock(work, slice_size=5)
        invite(work, 60)
        await driver.attendant.attend()
        waiting = [f"m{n}" for n in range(60) if not driver.replies(f"m{n}")]
        work.clock.forward(minutes=10)
        for uid in waiting[-20:]:  # the soonest of those that wait, in several slices
            move(work, uid, 30)
        await driver.attendant.attend()
        assert len(work.mailbox.sent) == 58
        await driver.run_for(minutes=3)
        assert {driver.replies(uid) for uid in waiting} == {1}


async def test_a_comparison_answers_nothing_from_memory_when_the_calendar_was_not_seen_for_minutes() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        await driver.attendant.attend()
        work.clock.forward(minutes=10)
        work.mailbox.items["item-new"] = replace(observation("new"), body_html=f"<p>{work.ticket(100000999)}</p>")
        await driver.attendant.reconcile()
        assert len(work.mailbox.sent) == 29
        await driver.attendant.attend()
        await driver.run_for(minutes=3)
        assert set(Counter(sent.key for sent in work.mailbox.sent).values()) == {1}
        assert len(work.mailbox.sent) == 61


async def test_a_meeting_that_ends_while_its_reply_waits_is_not_accepted_any_more() -> None:
    async with at_work() as work:
        driver = await limited(work, 2)
        for n in range(3):
            start = timedelta(minutes=-59)
            work.mailbox.invite(observation(f"m{n}", starts_in=start, body_html=work.ticket(100000000 + n)))
        await driver.run_for(minutes=90)
        assert [driver.replies(f"m{n}") for n in range(3)] == [1, 0, 0]
        await driver.attendant.close_windows()
        record = await record_of(work, "m2")
        assert (record.state, record.retry_at) == (State.ENDED, None)


async def test_what_another_process_did_meanwhile_is_not_done_again() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 40)
        await driver.run_for(seconds=5)
        other = ByTheClock(work)
        work.clock.forward(minutes=4)
        await other.attendant.attend()
        await driver.attendant.attend()
        await other.run_for(minutes=5)
        assert set(Counter(sent.key for sent in work.mailbox.sent).values()) == {1}
        assert len(work.mailbox.sent) == 40


@pytest.mark.parametrize("number", range(1, 26, 2))
async def test_dying_while_replies_wait_loses_and_doubles_nothing(number: int) -> None:
    async with at_work() as work:
        driver = await limited(work, 4)
        step, _ = die_at(number)
        driver.restart(step)
        invite(work, 8)
        work.mailbox.invite(observation("past", starts_in=-timedelta(hours=3)))
        for _ in range(2):
            try:
                await driver.run_for(minutes=2)
            except Died:
                driver.restart()
            if "item-m7" in work.mailbox.items:
                move(work, "m7", 9)
        await driver.run_for(minutes=25)
        assert work.mailbox.violations == []
        assert [driver.replies(f"m{n}") for n in range(7)] == [1] * 7
        assert 1 <= driver.replies("m7") <= 3
        assert [sent.verdict for sent in work.mailbox.replies_to(MeetingKey.of_uid("past"))] == [Verdict.DECLINE]
        assert all(item.response is Response.ACCEPTED for item in work.mailbox.items.values())
        assert await driver.waiting() == 0


async def test_who_lost_the_mailbox_and_has_it_again_begins_as_after_a_restart() -> None:
    async with at_work() as work:
        driver = await limited(work)
        invite(work, 60)
        await driver.run_for(seconds=5)
        driver.attendant.let_go()
        assert driver.attendant.next_reply_at() is None
        work.mailbox.invite(observation("new", body_html=work.ticket(999999999)))
        await driver.run_for(minutes=10)
        assert work.mailbox.violations == []
        assert set(Counter(sent.key for sent in work.mailbox.sent).values()) == {1}
        assert len(work.mailbox.sent) == 61
