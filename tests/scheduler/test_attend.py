from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import OutcomeUnknownError, TryLaterError
from greenroom.meetings.meeting import ItemRef, MeetingKey, Response, Sensitivity
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.meetings.record import InstructionsState, State
from greenroom.platforms.errors import AliasTakenError, PlatformUnavailableError
from greenroom.scheduler.weigh import ANSWERED, MESSAGE
from support.greenroom_at_work import at_work
from support.observations import NOW, observation
from support.stubborn_platform import StubbornPlatform
from support.windows import starts

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")


async def test_a_ticketed_invitation_gets_its_room_and_one_accept() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(body_html=f"<p>Meeting reference: {work.ticket(123456789)}</p>"))
        await work.attend()
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.alias.name == "meet123456789@video.example"
        (reply,) = work.mailbox.replies_to(ONE)
        assert reply.verdict is Verdict.ACCEPT
        assert "meet123456789@video.example" in reply.body_html
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.instructions) == (State.SCHEDULED, InstructionsState.PRESENT)
        assert work.mailbox.organizer_bodies[ONE].body_html.count("Meeting reference") == 1


async def test_an_unticketed_invitation_gets_instructions_in_the_organizers_meeting() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(body_html="<html><body><p>Agenda</p></body></html>"))
        await work.attend()
        room = await work.room(ONE)
        assert room is not None
        text = work.mailbox.organizer_bodies[ONE].body_html
        assert text.startswith("<html><body><p>Agenda</p>")
        assert f"https://meet.example/j/{room.spec.join_id}" in text
        assert "Meeting reference" in text


async def test_the_journal_tells_an_answer_that_exchange_did_not_mail() -> None:
    async with at_work() as work:
        work.mailbox.mails_nothing = True
        work.mailbox.invite(observation())
        await work.attend()
        last = (await work.journal(ONE))[-1]
        assert (last.step, last.code, last.detail) == ("replied", "accept_new_single", "marked")


async def test_our_own_update_and_answer_cause_no_second_reply() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        before = work.mailbox.reads
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == 1
        assert work.mailbox.reads == before


async def test_where_the_organizers_meeting_cannot_be_changed_the_reply_carries_the_instructions() -> None:
    async with at_work() as work:
        work.mailbox.refused_organizers.add("ada@greenroom.example")
        work.mailbox.invite(observation())
        await work.attend()
        (reply,) = work.mailbox.replies_to(ONE)
        room = await work.room(ONE)
        assert room is not None
        assert f"https://meet.example/j/{room.spec.join_id}" in reply.body_html
        assert "Meeting reference" in reply.body_html


async def test_a_moved_meeting_keeps_its_room_and_is_accepted_again() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        first = await work.room(ONE)
        item = work.mailbox.items["item-one"]
        moved = observation(starts_in=timedelta(days=3)).span
        work.clock.forward(minutes=5)
        work.mailbox.put(replace(item, span=moved, response=Response.NONE, sent_at=work.clock.now))
        await work.settle()
        room = await work.room(ONE)
        assert first is not None
        assert room is not None
        assert room.spec.join_id == first.spec.join_id
        assert moved is not None
        assert starts(room.spec) == moved.start
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT, Verdict.ACCEPT]


async def test_a_cancelled_meeting_loses_its_room_without_a_word() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        work.mailbox.put(replace(work.mailbox.items["item-one"], cancelled=True, sent_at=work.clock.now))
        await work.attend()
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is not None
        assert len(work.mailbox.replies_to(ONE)) == 1


async def test_a_meeting_taken_out_of_the_calendar_loses_its_room() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        work.mailbox.remove("item-one")
        await work.attend()
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.reason) == (State.ENDED, "removed")


async def test_a_meeting_whose_item_was_replaced_keeps_its_room() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        item = work.mailbox.items["item-one"]
        work.mailbox.remove("item-one")
        work.mailbox.put(replace(item, ref=replace(item.ref, id="restored")))
        await work.attend()
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is None
        assert len(work.mailbox.replies_to(ONE)) == 1


async def test_the_copy_of_a_meeting_gets_a_room_and_instructions_of_its_own() -> None:
    async with at_work() as work:
        body = f"<p>Meeting reference: {work.ticket(123456789)}</p>"
        work.mailbox.invite(observation(body_html=body))
        work.mailbox.invite(observation("two", starts_in=timedelta(days=2), body_html=body))
        await work.attend()
        first, second = await work.room(ONE), await work.room(TWO)
        assert first is not None
        assert second is not None
        assert first.spec.alias.number == 123456789
        assert second.spec.alias.number != 123456789
        assert second.spec.join_id in work.mailbox.organizer_bodies[TWO].body_html


async def test_a_declined_meeting_that_left_the_calendar_is_forgotten_in_silence() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=-timedelta(hours=5)))
        await work.settle()
        (reply,) = work.mailbox.replies_to(ONE)
        assert reply.verdict is Verdict.DECLINE
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.reason) == (State.DECLINED, "past")


async def test_a_private_meetings_subject_reaches_neither_room_nor_reply_nor_record() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(subject="Takeover", sensitivity=Sensitivity.PRIVATE))
        await work.attend()
        room, record = await work.room(ONE), await work.record(ONE)
        (reply,) = work.mailbox.replies_to(ONE)
        assert room is not None
        assert record is not None
        assert "Takeover" not in f"{room.spec!r}{room.spec.name}{record.title}{reply.body_html}"


async def test_a_reply_whose_answer_was_lost_is_looked_for_and_not_repeated() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        work.mailbox.fail("respond", OutcomeUnknownError("lost"), after=True)
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == 1
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.replying) == (State.SCHEDULED, None)


@pytest.mark.parametrize("operation", ["changes", "read", "respond", "update_invitation"])
async def test_a_busy_exchange_delays_a_meeting_and_declines_nothing(operation: str) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=timedelta(days=9)))
        work.mailbox.fail(operation, TryLaterError("busy", code="ErrorServerBusy"))
        if operation in ("changes", "read"):
            with pytest.raises(TryLaterError):
                await work.attend()
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]


async def test_an_item_that_cannot_be_read_for_now_is_shown_again_and_delays_no_other() -> None:
    async with at_work() as work:
        work.mailbox.unreadable["item-one"] = TryLaterError("the directory is out of reach")
        work.mailbox.invite(observation())
        work.mailbox.invite(observation("two"))
        await work.attend()
        assert work.mailbox.replies_to(ONE) == []
        assert len(work.mailbox.replies_to(TWO)) == 1
        work.mailbox.unreadable.clear()
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == len(work.mailbox.replies_to(TWO)) == 1


async def test_a_meeting_nobody_can_deal_with_holds_up_no_other_and_is_told_as_defective() -> None:
    errors: list[Exception] = [ZeroDivisionError("a bug"), ZeroDivisionError("a bug")]
    async with at_work(platform=lambda inner: StubbornPlatform(inner, errors)) as work:
        work.mailbox.invite(observation())
        await work.attend()
        record = await work.record(ONE)
        assert record is not None
        assert record.state is State.DEFECTIVE
        work.mailbox.invite(observation("two"))
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == len(work.mailbox.replies_to(TWO)) == 1


async def test_a_platform_out_of_reach_makes_a_meeting_defective_and_then_whole() -> None:
    errors: list[Exception] = [PlatformUnavailableError("down"), PlatformUnavailableError("down")]
    async with at_work(platform=lambda inner: StubbornPlatform(inner, errors)) as work:
        work.mailbox.invite(observation(starts_in=timedelta(days=9)))
        await work.attend()
        record = await work.record(ONE)
        assert record is not None
        assert record.state is State.DEFECTIVE
        assert work.mailbox.sent == []
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]


async def test_a_drawn_alias_that_is_taken_is_drawn_again() -> None:
    errors: list[Exception] = [AliasTakenError("taken")]
    async with at_work(platform=lambda inner: StubbornPlatform(inner, errors)) as work:
        work.mailbox.invite(observation())
        await work.attend()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]


async def test_a_tickets_alias_that_is_taken_is_a_conflict() -> None:
    errors: list[Exception] = [AliasTakenError("taken")]
    async with at_work(platform=lambda inner: StubbornPlatform(inner, errors)) as work:
        work.mailbox.invite(observation(body_html=work.ticket(123456789)))
        await work.attend()
        (reply,) = work.mailbox.replies_to(ONE)
        assert reply.verdict is Verdict.DECLINE
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.reason) == (State.DECLINED, "alias-conflict")


async def test_guest_pin_goes_into_the_invitation_and_host_pin_only_to_the_organizer() -> None:
    async with at_work(policy=Policy("vmr@greenroom.example", pin=PinPolicy.HOST_AND_GUEST)) as work:
        work.mailbox.invite(observation())
        await work.attend()
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.guest_pin is not None
        assert room.spec.host_pin is not None
        body = work.mailbox.organizer_bodies[ONE].body_html
        assert room.spec.guest_pin in body
        assert room.spec.host_pin not in body
        assert room.spec.host_pin in work.mailbox.replies_to(ONE)[0].body_html


async def test_a_backlog_is_worked_off_in_slices() -> None:
    async with at_work() as work:
        for n in range(25):
            work.mailbox.invite(observation(f"m{n}", body_html=work.ticket(100000000 + n)))
        summary = await work.attend(slice_size=10)
        assert summary.slices >= 3
        assert len(work.mailbox.sent) == 25


async def test_a_lost_database_is_rebuilt_from_tickets_without_a_mail() -> None:
    async with at_work() as work, at_work() as reborn:
        work.mailbox.invite(observation())
        await work.attend()
        before = await work.room(ONE)
        reborn.mailbox.put(work.mailbox.items["item-one"])
        await reborn.attend()
        after = await reborn.room(ONE)
        assert before is not None
        assert after is not None
        assert after.spec.alias == before.spec.alias
        assert after.spec.join_id == before.spec.join_id
        assert reborn.mailbox.sent == []


async def test_the_journal_tells_what_was_seen_decided_done_and_replied() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        lines = [(entry.step, entry.code) for entry in await work.journal(ONE)]
        assert lines == [
            ("seen", "single"),
            ("decided", "unticketed"),
            ("room", "created"),
            ("instructions", "written"),
            ("replied", "accept_new_single"),
        ]
        assert all(entry.at >= NOW for entry in await work.journal(ONE))


@pytest.mark.parametrize(
    ("response", "came", "told"),
    [
        (Response.ACCEPTED, timedelta(seconds=5), True),
        (Response.DECLINED, timedelta(seconds=5), True),
        (Response.NONE, timedelta(seconds=5), False),
        (Response.ACCEPTED, timedelta(days=3), False),
    ],
    ids=["accepted", "declined", "open", "of-old"],
)
async def test_the_journal_tells_that_somebody_else_answered_first(
    *, response: Response, came: timedelta, told: bool
) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(response=response, replied_at=NOW, received_at=NOW - came))
        await work.attend()
        await work.attend()
        lines = [entry.detail for entry in await work.journal(ONE) if (entry.step, entry.code) == ("seen", ANSWERED)]
        assert lines == ([response.value] if told else [])


@pytest.mark.parametrize("is_message", [True, False], ids=["message", "calendar"])
async def test_the_journal_tells_what_exchange_had_not_written_into_the_calendar(*, is_message: bool) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(ref=ItemRef("item-one", "1", is_message=is_message)))
        await work.attend()
        await work.attend()
        lines = [entry.code for entry in await work.journal(ONE) if entry.step == "seen"]
        assert lines.count(MESSAGE) == is_message
