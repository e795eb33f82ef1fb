"""Which answers are mailed and which are only marked in the calendar, from the mailbox's point of view."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.policy import PinPolicy, Policy, Replies
from greenroom.meetings.record import State
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation

ONE = MeetingKey.of_uid("one")


def change(work: AtWork, *, response: Response = Response.NONE, **facts: object) -> None:
    """Let the organizer change the meeting; by default the answer is reset."""
    work.clock.forward(minutes=5)
    item = work.mailbox.items["item-one"]
    work.mailbox.put(replace(item, response=response, sent_at=work.clock.now, **facts))  # type: ignore[arg-type]  # named by the test


async def told_and_marked(work: AtWork) -> tuple[int, list[str]]:
    await work.settle_quickly()
    record = await work.record(ONE)
    assert record is not None
    assert (record.state, record.retry_at) == (State.SCHEDULED, None)
    assert work.mailbox.items["item-one"].response is Response.ACCEPTED
    lines = [line.detail for line in await work.journal(ONE) if line.step == "replied"]
    return len(work.mailbox.replies_to(ONE)), lines


@pytest.mark.parametrize(
    ("replies", "mails", "lines"),
    [
        (Replies.ALL, 3, ["", "", ""]),
        (Replies.CHANGES, 2, ["", "marked", ""]),
        (Replies.FIRST, 1, ["", "marked", "marked"]),
    ],
)
async def test_what_is_not_mailed_is_marked_in_the_calendar(replies: Replies, mails: int, lines: list[str]) -> None:
    async with at_work(policy=Policy(MAILBOX, replies=replies)) as work:
        work.mailbox.invite(observation())
        await work.attend()
        change(work, subject="Another name")
        await work.attend()
        change(work, span=observation(starts_in=timedelta(days=3)).span)
        assert await told_and_marked(work) == (mails, lines)
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.name.startswith("Another name")


async def test_what_the_calendar_shows_already_is_not_marked_again() -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.FIRST)) as work:
        work.mailbox.invite(observation())
        await work.attend()
        change(work, response=Response.ACCEPTED, subject="Another name")
        before = len(work.mailbox.log)
        assert await told_and_marked(work) == (1, [""])
        assert len(work.mailbox.log) == before
        record = await work.record(ONE)
        assert record is not None
        assert record.seen == work.mailbox.items["item-one"].fingerprint


async def test_instructions_that_stand_in_the_reply_alone_are_mailed_once() -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.FIRST)) as work:
        work.mailbox.refused_organizers.add("ada@greenroom.example")
        work.mailbox.invite(observation())
        await work.attend()
        change(work, subject="Another name")
        assert await told_and_marked(work) == (1, ["", "marked"])


@pytest.mark.parametrize(("pin", "mails"), [(PinPolicy.GUEST, 1), (PinPolicy.HOST_AND_GUEST, 2)])
async def test_another_hosts_pin_is_mailed_whatever_policy_says(pin: PinPolicy, mails: int) -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.FIRST, pin=pin)) as work:
        work.mailbox.invite(observation(body_html=work.ticket(123456789)))
        await work.attend()
        change(work, response=Response.ACCEPTED, body_html=work.ticket(987654321))
        told, lines = await told_and_marked(work)
        assert (told, lines) == (mails, [""] * mails)
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.alias.number == 987654321
        if room.spec.host_pin is not None:
            assert room.spec.host_pin in work.mailbox.replies_to(ONE)[-1].body_html


async def test_marking_takes_no_turn_from_those_that_are_mailed() -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.FIRST)) as work:
        work.mailbox.sends_per_minute = 3
        work.mailbox.invite(observation())
        await work.attend()
        work.mailbox.invite(observation("two"))
        change(work)
        work.mailbox.invite(observation("three"))
        await work.attend()
        assert [len(work.mailbox.replies_to(MeetingKey.of_uid(uid))) for uid in ("one", "two", "three")] == [1, 1, 1]
        assert work.mailbox.items["item-one"].response is Response.ACCEPTED
