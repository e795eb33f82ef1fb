"""What could not be done for now is done later: never lost, never in the way of others, never on every poll."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.meetings.evidence import read_tickets
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import KeyRing, Ticket, TicketFault
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformMisconfiguredError,
    PlatformUnavailableError,
    RoomRefusedError,
)
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import observation
from support.stubborn_platform import StubbornPlatform

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")


@asynccontextmanager
async def on_a_stubborn_platform() -> AsyncIterator[tuple[AtWork, StubbornPlatform]]:
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner))
        return built[0]

    async with at_work(platform=wrap) as work:
        yield work, built[0]


async def record_of(work: AtWork, key: MeetingKey) -> Record:
    record = await work.record(key)
    assert record is not None
    return record


@pytest.mark.parametrize("number", range(1, 8))
async def test_dying_during_a_retry_loses_nothing(number: int) -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring.append(PlatformUnavailableError("down"))
        work.mailbox.invite(observation(starts_in=timedelta(days=9), body_html=work.ticket(123456789)))
        await work.attend()
        assert (await record_of(work, ONE)).state is State.DEFECTIVE
        work.clock.forward(minutes=1)
        step, _ = die_at(number)
        with pytest.raises(Died):
            await work.attend(step)
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]
        record = await record_of(work, ONE)
        assert (record.state, record.retry_at, record.attempts) == (State.SCHEDULED, None, 0)


async def test_a_room_that_could_not_be_retired_is_retired_when_the_platform_is_back() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        work.mailbox.invite(observation())
        await work.attend()
        work.clock.forward(minutes=5)
        platform.retiring = [PlatformUnavailableError("down"), RoomRefusedError("a mood")]
        work.mailbox.put(replace(work.mailbox.items["item-one"], cancelled=True, sent_at=work.clock.now))
        await work.attend()
        assert (await record_of(work, ONE)).retry_at is not None
        await work.settle_quickly()
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is not None
        assert (await record_of(work, ONE)).state is State.ENDED


async def test_a_vanished_meeting_whose_room_cannot_be_retired_holds_up_no_other() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        work.mailbox.invite(observation())
        await work.attend()
        platform.broken[ONE.digest] = ZeroDivisionError("a bug in an adapter")
        work.mailbox.remove("item-one")
        work.mailbox.invite(observation("two"))
        await work.attend()
        assert len(work.mailbox.replies_to(TWO)) == 1
        platform.broken.clear()
        await work.settle_quickly()
        record = await record_of(work, ONE)
        assert (record.state, record.retry_at) == (State.ENDED, None)
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is not None


async def test_a_drawn_alias_nobody_has_read_is_drawn_again_also_after_a_pause() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring = [PlatformUnavailableError("down"), AliasTakenError("taken meanwhile")]
        work.mailbox.invite(observation(starts_in=timedelta(days=9)))
        await work.attend()
        before = (await record_of(work, ONE)).alias_number
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]
        assert (await record_of(work, ONE)).alias_number != before


async def test_a_new_tickets_conflict_closes_the_old_room_before_it_is_declined() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        work.mailbox.invite(observation(body_html=work.ticket(123456789)))
        await work.attend()
        work.clock.forward(minutes=5)
        item = work.mailbox.items["item-one"]
        platform.ensuring = [AliasTakenError("taken")]
        work.mailbox.put(replace(item, body_html=work.ticket(987654321), sent_at=work.clock.now))
        await work.attend()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT, Verdict.DECLINE]
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is not None


@pytest.mark.parametrize("dies", [False, True])
async def test_the_button_pressed_again_replaces_the_alias_and_tells_so_once(*, dies: bool) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(body_html=work.ticket(123456789)))
        await work.attend()
        work.clock.forward(minutes=5)
        item = work.mailbox.items["item-one"]
        work.mailbox.put(replace(item, body_html=work.ticket(987654321), sent_at=work.clock.now))
        if dies:

            def step(name: str) -> None:
                if name == "rooms":
                    raise Died

            with pytest.raises(Died):
                await work.attend(step)
        await work.settle()
        (_, second) = work.mailbox.replies_to(ONE)
        assert "meet987654321@video.example" in second.body_html
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.alias.number == 987654321


async def test_a_reply_that_always_fails_holds_up_no_other_and_is_tried_ever_more_rarely() -> None:
    async with at_work() as work:
        work.mailbox.unanswerable["item-one"] = ItemBrokenError("no", code="ErrorItemCorrupt")
        work.mailbox.invite(observation(starts_in=timedelta(days=9)))
        work.mailbox.invite(observation("two"))
        for _ in range(240):
            await work.attend()
            work.clock.forward(seconds=14)
        assert len(work.mailbox.replies_to(TWO)) == 1
        assert (await record_of(work, ONE)).attempts <= 9
        before = work.mailbox.reads
        work.clock.forward(days=10)
        await work.settle()
        assert work.mailbox.replies_to(ONE) == []
        assert (await record_of(work, ONE)).retry_at is None
        assert work.mailbox.reads - before == 1


@pytest.mark.parametrize("error", [TryLaterError("not now", code="E"), ItemBrokenError("no", code="E")])
async def test_an_unreadable_item_is_remembered_and_blocks_nothing_behind_it(error: Exception) -> None:
    async with at_work() as work:
        assert isinstance(error, TryLaterError | ItemBrokenError)
        work.mailbox.unreadable["item-m0"] = error
        for n in range(7):
            work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=5), body_html=work.ticket(100000000 + n)))
        await work.attend(slice_size=2)
        assert len(work.mailbox.sent) == 6
        record = await record_of(work, MeetingKey.of_uid("m0"))
        assert (record.state, record.reason) == (State.DEFECTIVE, "unreadable")
        assert [(e.step, e.code, e.detail) for e in await work.journal(record.key)] == [("seen", "unreadable", "E")]
        before = work.mailbox.reads
        for _ in range(100):
            await work.attend()
            work.clock.forward(seconds=14)
        assert work.mailbox.reads - before < 10
        work.mailbox.unreadable.clear()
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(record.key)] == [Verdict.ACCEPT]


async def test_a_retry_whose_declined_item_left_the_calendar_comes_to_its_end() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=-timedelta(hours=5)))
        await work.attend()
        item = replace(observation(starts_in=-timedelta(hours=5)), sent_at=work.clock.now)
        work.mailbox.unanswerable["item-one"] = TryLaterError("busy")
        work.mailbox.put(item)
        await work.attend()
        work.mailbox.remove("item-one")
        await work.settle()
        before = work.mailbox.reads
        await work.settle()
        assert work.mailbox.reads == before
        record = await record_of(work, ONE)
        assert (record.state, record.retry_at) == (State.DECLINED, None)


async def test_everything_due_is_done_in_one_pass_however_much_it_is() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring = [PlatformUnavailableError("down") for _ in range(25)]
        for n in range(25):
            work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=5), body_html=work.ticket(100000000 + n)))
        await work.attend(slice_size=10)
        assert work.mailbox.sent == []
        work.clock.forward(minutes=1)
        await work.attend(slice_size=10)
        assert len(work.mailbox.sent) == 25


async def test_an_organizer_whose_mailbox_stays_out_of_reach_gets_the_instructions_in_the_reply() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=timedelta(days=9)))
        for _ in range(9):
            work.mailbox.fail("update_invitation", TryLaterError("busy"))
        await work.attend()
        assert work.mailbox.sent == []
        await work.settle()
        (reply,) = work.mailbox.replies_to(ONE)
        assert "Meeting reference" in reply.body_html
        assert (await record_of(work, ONE)).instructions is InstructionsState.IN_REPLY


async def test_who_asked_for_no_answer_gets_one_only_if_it_says_something_new() -> None:
    async with at_work() as work:
        ticket = work.ticket(123456789)
        work.mailbox.refused_organizers.add("ada@greenroom.example")
        work.mailbox.invite(observation("quiet", body_html=ticket, response_requested=False))
        work.mailbox.invite(observation("one", response_requested=False))
        work.mailbox.invite(observation("two", response_requested=False, starts_in=-timedelta(hours=5)))
        await work.attend()
        assert work.mailbox.replies_to(MeetingKey.of_uid("quiet")) == []
        assert work.mailbox.items["item-quiet"].response is Response.ACCEPTED
        (reply,) = work.mailbox.replies_to(ONE)
        assert "Meeting reference" in reply.body_html
        assert [sent.verdict for sent in work.mailbox.replies_to(TWO)] == [Verdict.DECLINE]


async def test_a_cancelled_meeting_keeps_the_title_it_had() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        title = (await record_of(work, ONE)).title
        item = work.mailbox.items["item-one"]
        work.mailbox.put(replace(item, cancelled=True, subject=f"Canceled: {item.subject}"))
        await work.attend()
        assert (await record_of(work, ONE)).title == title


async def test_a_copy_that_shares_the_key_changes_nothing_of_the_record() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        before = await record_of(work, ONE)
        copy = replace(observation(), is_organizer=True, subject="Copied", sent_at=work.clock.now)
        work.mailbox.put(replace(copy, ref=replace(copy.ref, id="copy")))
        await work.attend()
        assert await record_of(work, ONE) == before


async def test_a_number_kept_for_a_ticket_that_has_not_come_yet_is_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        plan = work.integration.aliases
        async with work.storage.work() as unit:
            await unit.reservations.reserve(1, 123456789, work.clock.now)
        numbers = iter([123456789, 222222222])
        monkeypatch.setattr(type(plan), "draw", lambda self: self.alias(next(numbers)))
        work.mailbox.invite(observation())
        await work.attend()
        assert (await record_of(work, ONE)).alias_number == 222222222


async def test_a_full_pool_of_aliases_delays_a_meeting_and_declines_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        plan = type(work.integration.aliases)
        with monkeypatch.context() as full:
            full.setattr(plan, "draw", lambda self: self.alias(123456789))
            work.mailbox.invite(observation("two", body_html=work.ticket(123456789)))
            await work.attend()
            work.mailbox.invite(observation(starts_in=timedelta(days=9)))
            await work.attend()
            assert work.mailbox.replies_to(ONE) == []
            record = await record_of(work, ONE)
            assert (record.state, record.reason) == (State.DEFECTIVE, "no-free-alias")
        await work.settle()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]


async def test_a_text_that_breaks_the_ticket_finder_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, ring: KeyRing) -> list[Ticket | TicketFault]:
        if "poison" in text:
            raise RecursionError("poison")
        return read_tickets(text, ring)

    async with at_work() as work:
        monkeypatch.setattr("greenroom.scheduler.weigh.read_tickets", broken)
        work.mailbox.invite(observation(body_html="poison"))
        work.mailbox.invite(observation("two"))
        await work.attend()
        assert len(work.mailbox.replies_to(TWO)) == 1
        assert (await record_of(work, ONE)).state is State.DEFECTIVE


async def test_a_feed_that_does_not_move_on_ends_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.attend()
        changes = work.mailbox.changes

        async def stuck(cursor: str, *, limit: int) -> object:
            return replace(await changes(cursor, limit=limit), more=True, cursor=cursor)

        monkeypatch.setattr(work.mailbox, "changes", stuck)
        assert (await work.attend()).slices == 1


async def test_a_long_pause_from_before_does_not_hold_up_a_reply_after_a_crash() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring = [PlatformUnavailableError("down") for _ in range(6)]
        work.mailbox.invite(observation(starts_in=timedelta(days=9), body_html=work.ticket(123456789)))
        for _ in range(6):
            await work.attend()
            work.clock.forward(minutes=10)
        item = work.mailbox.items["item-one"]
        record = await record_of(work, ONE)
        async with work.storage.work() as unit:
            await unit.meetings.save([replace(record, retry_at=work.clock.now + timedelta(hours=1))])
        work.mailbox.put(replace(item, subject="Another name", sent_at=work.clock.now))

        def step(name: str) -> None:
            if name == "intent":
                raise Died

        with pytest.raises(Died):
            await work.attend(step)
        await work.attend()
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]


async def codes_of(work: AtWork, key: MeetingKey) -> list[tuple[str, str]]:
    return [(entry.code, entry.detail) for entry in await work.journal(key) if entry.step == "room"]


async def test_what_a_platform_says_stands_in_the_meetings_story() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring += [
            PlatformUnavailableError("http-503"),
            PlatformMisconfiguredError("no-such-theme", "see settings"),
        ]
        work.mailbox.invite(observation())
        await work.attend()
        work.clock.forward(minutes=1)
        await work.attend()
        work.clock.forward(minutes=5)
        await work.attend()
        told = await codes_of(work, ONE)
        assert told == [("unavailable", "http-503"), ("needs-setup", "no-such-theme"), ("created", "")]


async def test_a_refused_room_says_which_field_was_refused() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring.append(RoomRefusedError("description: too-long"))
        work.mailbox.invite(observation())
        await work.attend()
        assert await codes_of(work, ONE) == [("room-refused", "description: too-long")]
        assert [sent.verdict for sent in work.mailbox.replies_to(ONE)] == [Verdict.DECLINE]


async def test_what_keeps_rooms_from_being_made_is_one_alarm_for_all_who_wait() -> None:
    async with on_a_stubborn_platform() as (work, platform):
        platform.ensuring = [PlatformMisconfiguredError("no-such-theme") for _ in range(3)]
        for n in range(3):
            work.mailbox.invite(observation(f"m{n}", starts_in=timedelta(days=5)))
        await work.attend()
        async with work.storage.reading() as reading:
            [alarm] = await reading.alarms.since(work.clock.now - timedelta(hours=1))
        assert (alarm.integration, alarm.code, alarm.subject) == (1, "platform-needs-setup", "no-such-theme")
        assert alarm.count == 3
