from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from greenroom.exchange.contract import Verdict
from greenroom.exchange.errors import ItemBrokenError
from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import MeetingKey, Observation, Person, Response
from greenroom.meetings.policy import Foreign, PinPolicy, Policy, Unticketed
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, State
from greenroom.platforms.errors import AliasTakenError, PlatformUnavailableError
from greenroom.scheduler import taking
from greenroom.scheduler.takeover import Fate, Plan
from greenroom.scheduler.takeover_plan import plan
from greenroom.scheduler.taking import Taken, take_over
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, NOW, observation, weekly
from support.old_scheduler import OldScheduler, invitation, uuid_of
from support.series_at_work import lone
from support.stubborn_platform import StubbornPlatform

ONE, TWO = MeetingKey.of_uid("one"), MeetingKey.of_uid("two")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


@dataclass
class Move:
    """A move from the old scheduler to ours."""

    work: AtWork
    old: OldScheduler

    def scheduled(self, seen: Observation, number: int = 500123, **alias: object) -> None:
        """A meeting the old scheduler has accepted."""
        self.old.book(number, seen.key.clean, None if seen.span is None else seen.span.until or seen.span.end, **alias)  # type: ignore[arg-type]  # named by the test
        self.show(seen, invitation(number))

    def show(self, seen: Observation, body: str = "<p>Agenda</p>", response: Response = Response.ACCEPTED) -> None:
        replied = NOW if response is Response.ACCEPTED else None
        self.work.mailbox.invite(replace(seen, body_html=body, response=response, replied_at=replied))

    async def plan(self, *, must_mark: bool = True) -> Plan:
        legacy = await self.old.survey(lambda _: None)
        return await plan(self.work.integration, self.work.storage, legacy, self.work.clock(), must_mark=must_mark)

    async def fates(self) -> dict[str, str]:
        """What becomes of each meeting and each alias, by the item or the alias."""
        entries = (await self.plan()).entries
        return {e.record.ref.id if e.record else e.alias.name if e.alias else "?": e.fate.value for e in entries}

    async def take(self) -> Taken:
        entries = (await self.plan()).entries
        return await take_over(self.work.integration, self.work.storage, self.old, entries, self.work.clock)


@asynccontextmanager
async def moving(**how: object) -> AsyncIterator[Move]:
    async with at_work(**how) as work:  # type: ignore[arg-type]  # named by the test
        yield Move(work, OldScheduler())


async def test_a_plan_changes_nothing() -> None:
    async with moving() as move:
        move.scheduled(observation())
        (entry,) = (await move.plan()).entries
        assert (entry.fate, entry.detail) == (Fate.TAKE, "")
        assert await move.work.record(ONE) is None
        assert (move.old.marked, move.work.mailbox.sent) == (0, [])


async def test_a_meeting_is_taken_over_with_its_alias_and_nobody_is_mailed() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        record = await move.work.record(ONE)
        assert record is not None
        assert (record.state, record.reason, record.alias_number) == (State.PENDING, "imported", 88500123)
        assert move.old.room(500123).mark == ONE.digest
        await move.work.settle_quickly()
        record, room = await move.work.record(ONE), await move.work.room(ONE)
        assert record is not None
        assert (record.state, record.instructions, record.retry_at) == (
            State.SCHEDULED,
            InstructionsState.PRESENT,
            None,
        )
        assert room is not None
        assert (room.spec.alias.name, room.spec.alias.numeric) == ("88500123@old.example", "88500123")
        assert move.work.mailbox.sent == []
        assert move.work.mailbox.organizer_bodies[ONE].body_html == invitation(500123)


async def test_asking_again_finds_everything_done() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        assert await move.fates() == {"item-one": "taken-over"}
        await move.work.settle_quickly()
        before = await move.work.record(ONE)
        assert (await move.take()).entries == ()
        assert await move.work.record(ONE) == before


async def test_an_invitation_that_nobody_answered_is_accepted_with_the_old_alias() -> None:
    async with moving() as move:
        move.old.book(500123, None, None, room=False)
        move.show(observation(), invitation(500123), Response.NONE)
        await move.take()
        await move.work.settle_quickly()
        (reply,) = move.work.mailbox.replies_to(ONE)
        assert reply.verdict is Verdict.ACCEPT
        assert "88500123@old.example" in reply.body_html


async def test_a_later_edit_is_answered_with_the_same_alias() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        await move.work.settle_quickly()
        move.show(observation(starts_in=2 * DAY, sent_at=NOW + HOUR), invitation(500123), Response.NONE)
        await move.work.settle_quickly()
        (reply,) = move.work.mailbox.replies_to(ONE)
        assert "88500123@old.example" in reply.body_html
        assert "Your change" in reply.body_html
        room = await move.work.room(ONE)
        assert room is not None
        assert room.spec.admission.is_open(NOW + 2 * DAY + HOUR / 2)


async def test_an_edit_before_the_first_pass_is_answered_once() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        move.show(observation(starts_in=2 * DAY, sent_at=NOW + HOUR), invitation(500123), Response.NONE)
        await move.work.settle_quickly()
        assert len(move.work.mailbox.replies_to(ONE)) == 1


async def test_a_cancelled_meeting_closes_the_room_that_was_taken_over() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        await move.work.settle_quickly()
        move.work.mailbox.put(replace(observation(), cancelled=True, response=Response.ACCEPTED))
        await move.work.settle_quickly()
        record, room = await move.work.record(ONE), await move.work.room(ONE)
        assert record is not None
        assert record.state is State.ENDED
        assert room is not None
        assert room.retired_at is not None
        assert move.work.mailbox.sent == []


async def test_rooms_that_are_taken_over_have_no_pin() -> None:
    async with moving(policy=Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST)) as move:
        move.scheduled(observation())
        await move.take()
        await move.work.settle_quickly()
        room = await move.work.room(ONE)
        assert room is not None
        assert (room.spec.host_pin, room.spec.guest_pin) == (None, None)


async def test_a_series_is_taken_over_as_a_whole() -> None:
    async with moving() as move:
        series = weekly()
        move.scheduled(series)
        await move.take()
        await move.work.settle_quickly()
        room = await move.work.room(series.key)
        assert room is not None
        assert [room.spec.admission.is_open(NOW + DAY + week * WEEK) for week in (0, 1, 9, 10)] == [True] * 3 + [False]
        assert move.work.mailbox.sent == []


async def test_the_rest_of_a_series_that_is_cut_in_two_keeps_the_old_alias() -> None:
    async with moving() as move:
        series = weekly()
        move.scheduled(series)
        await move.take()
        await move.work.settle_quickly()
        cut = weekly(sent_at=NOW + HOUR)
        assert cut.series is not None
        rule = replace(cut.series.rule, count=3)
        first = replace(cut.series, rule=rule)
        assert cut.span is not None
        span = replace(cut.span, until=first.occurrences.last_end)
        move.show(replace(cut, series=first, span=span), invitation(500123), Response.NONE)
        rest = weekly("rest", starts_in=DAY + 3 * WEEK, received_at=NOW + HOUR)
        move.show(rest, invitation(500123), Response.NONE)
        await move.work.settle_quickly()
        record = await move.work.record(rest.key)
        assert record is not None
        assert (record.reason, record.adopted and record.adopted.name) == ("split", "88500123@old.example")
        assert record.mark == series.key.digest
        (reply,) = move.work.mailbox.replies_to(rest.key)
        assert "88500123@old.example" in reply.body_html
        assert move.work.mailbox.organizer_bodies[rest.key].body_html == invitation(500123)


async def test_a_copied_invitation_gets_an_alias_of_its_own() -> None:
    async with moving() as move:
        move.scheduled(observation())
        move.show(observation("two", starts_in=3 * DAY), invitation(500123), Response.NONE)
        assert await move.fates() == {"item-one": "take-over", "item-two": "copy"}
        await move.take()
        await move.work.settle_quickly()
        record = await move.work.record(TWO)
        assert record is not None
        assert record.adopted is None
        assert record.reason == Reason.UNTICKETED


async def test_single_occurrences_of_one_series_share_its_alias() -> None:
    async with moving() as move:
        first, second = lone(date(2026, 12, 9)), lone(date(2026, 12, 16))
        move.scheduled(first)
        move.show(second, invitation(500123))
        await move.take()
        await move.work.settle_quickly()
        one, two = await move.work.record(first.key), await move.work.record(second.key)
        assert one is not None
        assert two is not None
        assert (one.mark, two.mark) == (first.key.digest, first.key.digest)
        room = await move.work.room(first.key)
        assert room is not None
        assert all(seen.span and room.spec.admission.is_open(seen.span.start) for seen in (first, second))
        assert move.work.mailbox.sent == []


async def test_a_button_pressed_later_gives_another_alias() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        await move.work.settle_quickly()
        body = f"<p>Meeting reference: {move.work.ticket(123456789)}</p>"
        move.show(observation(sent_at=NOW + HOUR), body, Response.NONE)
        await move.work.settle_quickly()
        record = await move.work.record(ONE)
        assert record is not None
        assert (record.adopted, record.alias_number) == (None, 123456789)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"claimed": True}, "foreign-tag"),
        ({"mark": "0" * 32}, "held-there"),
        ({"aliases": frozenset({"88500123"})}, "two-rooms"),
    ],
)
async def test_a_room_that_is_not_free_is_left_alone(change: dict[str, object], detail: str) -> None:
    async with moving() as move:
        move.scheduled(observation())
        move.old.change(500123, **change)
        (entry,) = (await move.plan()).entries
        assert (entry.fate, entry.detail) == (Fate.CONFLICT, detail)
        assert (await move.take()).entries == ()


async def test_by_policy_alone_a_room_with_somebody_elses_tag_is_taken_over_without_a_mark() -> None:
    async with moving() as move:
        move.scheduled(observation())
        move.old.change(500123, claimed=True)
        (entry,) = (await move.plan(must_mark=False)).entries
        assert (entry.fate, entry.room) == (Fate.TAKE, None)


async def test_what_is_not_taken_over_is_told_with_its_reason() -> None:
    async with moving() as move:
        move.show(observation("plain"))
        move.show(observation("unknown"), invitation(1))
        move.show(observation("offline"), "<p>Details follow</p><p>TOK:-ab<wbr>cd#</p>")
        move.show(observation("ours"), f"<p>{move.work.ticket(5)}</p>")
        move.show(observation("past", starts_in=-DAY), invitation(2))
        move.show(observation("declined"), invitation(3), Response.DECLINED)
        move.old.book(3, MeetingKey.of_uid("declined"), NOW + DAY)
        move.scheduled(observation("deleted"), 4, room=False, used=True)
        move.scheduled(observation("elsewhere"), 5, owner="/api/admin/configuration/v1/ms_exchange_connector/2/")
        move.scheduled(observation("personal"), 6)
        move.old.legacy = replace(move.old.legacy, uses=tuple(u for u in move.old.legacy.uses if u.room != "room-6"))
        move.old.book(7, MeetingKey.of_uid("gone"), NOW + DAY)
        move.old.book(8, MeetingKey.of_uid("over"), NOW - DAY)
        move.old.book(9, None, None, room=False)
        move.show(observation("broken"))
        move.work.mailbox.unreadable["item-broken"] = ItemBrokenError("broken", code="ErrorItemCorrupt")
        fates = await move.fates()
        assert fates == {
            "item-plain": "no-alias",
            "item-unknown": "alias-unknown",
            "item-offline": "offline",
            "item-ours": "ours",
            "item-past": "over",
            "item-declined": "declined",
            "item-deleted": "alias-deleted",
            "item-elsewhere": "foreign",
            "item-personal": "foreign",
            "887@old.example": "not-in-calendar",
            "888@old.example": "over",
            "?": "unreadable",
        }
        assert (await move.take()).entries == ()


async def test_a_meeting_that_another_scheduler_prepared_is_left_to_it_before_its_meetings_are_taken_over() -> None:
    async with moving() as move:
        move.show(observation(), invitation(500123), Response.NONE)
        move.show(observation("two"), "<p>Details follow</p><p>TOK:-ab.cd#</p>", Response.NONE)
        await move.work.settle_quickly()
        for key in (ONE, TWO):
            record = await move.work.record(key)
            assert record is not None
            assert (record.state, record.reason) == (State.IGNORED, "ticket-foreign")
        assert move.work.mailbox.sent == []


async def test_what_it_prepared_and_we_could_not_take_over_is_ours_after_that() -> None:
    async with moving() as move:
        move.scheduled(observation("taken"))
        await move.take()
        move.show(observation(), invitation(1), Response.NONE)
        move.show(observation("two"), "<p>Details follow</p><p>TOK:-ab.cd#</p>", Response.NONE)
        await move.work.settle_quickly()
        assert len(move.work.mailbox.replies_to(ONE)) == len(move.work.mailbox.replies_to(TWO)) == 1
        assert len(move.work.mailbox.sent) == 2


async def test_a_ticket_of_ours_counts_more_than_a_token_of_another_scheduler() -> None:
    async with moving() as move:
        move.show(observation(), f"{invitation(500123)}<p>{move.work.ticket(123456789)}</p>", Response.NONE)
        await move.work.settle_quickly()
        record = await move.work.record(ONE)
        assert record is not None
        assert (record.state, record.alias_number) == (State.SCHEDULED, 123456789)


async def test_a_meeting_that_has_a_room_of_ours_is_left_alone() -> None:
    async with moving(policy=Policy(MAILBOX, foreign=Foreign.SCHEDULE)) as move:
        move.scheduled(observation())
        await move.work.settle_quickly()
        assert len(move.work.mailbox.replies_to(ONE)) == 1
        assert await move.fates() == {"item-one": "ours"}


async def test_a_meeting_that_was_ignored_is_taken_over() -> None:
    async with moving(policy=Policy(MAILBOX, unticketed=Unticketed.IGNORE)) as move:
        move.scheduled(observation())
        await move.work.settle_quickly()
        await move.take()
        await move.work.settle_quickly()
        record = await move.work.record(ONE)
        assert record is not None
        assert (record.state, record.reason) == (State.SCHEDULED, "imported")
        assert move.work.mailbox.sent == []


async def test_an_alias_that_another_room_of_ours_has_is_a_conflict() -> None:
    async with moving() as move:
        move.work.mailbox.invite(observation("two", body_html=f"<p>{move.work.ticket(500123)}</p>"))
        await move.work.settle_quickly()
        move.scheduled(observation(), name="meet000500123@video.example", numeric="000500123")
        (entry,) = (e for e in (await move.plan()).entries if e.key == ONE)
        assert (entry.fate, entry.detail) == (Fate.CONFLICT, "held-here")


async def test_an_alias_that_our_plan_spells_keeps_its_number_and_is_never_drawn() -> None:
    async with moving() as move:
        spelled = replace(move.work.integration, aliases=AliasPlan("88", 6, "old.example"))
        move.work.integration = spelled
        move.scheduled(observation())
        await move.take()
        record = await move.work.record(ONE)
        assert record is not None
        assert record.alias_number == 500123
        async with move.work.storage.work() as work:
            assert await work.reservations.is_taken(1, 500123)


async def test_a_number_that_is_taken_is_replaced_by_a_mere_key() -> None:
    async with moving() as move:
        async with move.work.storage.work() as work:
            await work.reservations.bind(1, 88500123, TWO, NOW)
        move.scheduled(observation())
        await move.take()
        await move.work.settle_quickly()
        record, room = await move.work.record(ONE), await move.work.room(ONE)
        assert record is not None
        assert record.alias_number not in (None, 88500123)
        assert room is not None
        assert room.spec.alias.numeric == "88500123"


@pytest.mark.parametrize("after", [False, True])
async def test_a_takeover_that_broke_off_goes_on(monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    monkeypatch.setattr(taking, "_SLICE", 3)
    async with moving() as move:
        for n in range(7):
            move.scheduled(observation(f"m{n}", starts_in=DAY + n * HOUR), 600_000 + n)
        move.old.faults.append((PlatformUnavailableError("timeout"), after))
        with pytest.raises(PlatformUnavailableError):
            await move.take()
        async with move.work.storage.reading() as work:
            assert len(await work.meetings.search(integration=1, limit=1000)) == 3
        done = await move.take()
        assert sum(entry.fate is Fate.TAKE for entry in done.entries) == 4
        assert all(room.mark for room in move.old.legacy.rooms)
        assert set((await move.fates()).values()) == {"taken-over"}
        await move.work.settle_quickly()
        assert move.work.mailbox.sent == []


async def test_a_room_whose_mark_is_missing_is_waited_for_and_nobody_is_declined() -> None:
    def stubborn(inner: object) -> StubbornPlatform:
        return StubbornPlatform(inner, [AliasTakenError("taken")])  # type: ignore[arg-type]  # it is a platform

    async with moving(platform=stubborn) as move:
        move.scheduled(observation())
        await move.take()
        await move.work.attend()
        record = await move.work.record(ONE)
        assert record is not None
        assert record.state is State.DEFECTIVE
        await move.work.settle()
        record = await move.work.record(ONE)
        assert record is not None
        assert (record.state, record.reason) == (State.SCHEDULED, "imported")
        assert move.work.mailbox.sent == []


async def test_a_room_that_somebody_else_marks_meanwhile_is_told() -> None:
    async with moving() as move:
        move.scheduled(observation())
        entries = (await move.plan()).entries
        move.old.change(500123, claimed=True)
        done = await take_over(move.work.integration, move.work.storage, move.old, entries, move.work.clock)
        assert [entry.key for entry in done.unmarked] == [ONE]


async def test_a_room_that_lost_its_mark_after_it_was_taken_over_is_told() -> None:
    async with moving() as move:
        move.scheduled(observation())
        await move.take()
        move.old.change(500123, mark=None, claimed=True)
        (entry,) = (await move.plan()).entries
        assert (entry.fate, entry.detail) == (Fate.CONFLICT, "foreign-tag")
        move.old.change(500123, claimed=False)
        assert (await move.plan()).entries[0].unmarked
        await move.take()
        assert move.old.room(500123).mark == ONE.digest


async def test_a_meeting_that_ends_before_it_is_taken_over_is_left_alone() -> None:
    async with moving() as move:
        move.scheduled(observation(starts_in=-HOUR / 2))
        entries = (await move.plan()).entries
        move.work.clock.forward(hours=1)
        done = await take_over(move.work.integration, move.work.storage, move.old, entries, move.work.clock)
        assert [entry.fate for entry in done.entries] == [Fate.OVER]
        assert await move.work.record(ONE) is None


async def test_two_organizers_do_not_share_an_alias() -> None:
    async with moving() as move:
        first = lone(date(2026, 12, 9))
        second = lone(date(2026, 12, 16), organizer=Person("eve@greenroom.example"))
        move.scheduled(first)
        move.show(second, invitation(500123))
        assert sorted((await move.fates()).values()) == ["conflict", "take-over"]


async def test_the_alias_bound_to_the_item_counts_more_than_a_token_in_the_text() -> None:
    async with moving() as move:
        move.scheduled(observation())
        move.old.book(700_000, None, None, room=False)
        move.show(observation(), invitation(700_000) + invitation(500123))
        (entry, *_) = (await move.plan()).entries
        assert entry.alias is not None
        assert entry.alias.uuid == uuid_of(500123)
