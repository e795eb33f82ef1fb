"""What moves while Greenroom runs: mailboxes and their ids, organizers' addresses, keys, names. Rooms stay, nobody is mailed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Changes, Invitation
from greenroom.exchange.errors import CursorExpiredError
from greenroom.meetings.alias import join_id, pin
from greenroom.meetings.meeting import ItemRef, MeetingKey, Observation, Person, Response
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import find_tickets
from greenroom.scheduler.attend import Attendant
from greenroom.storage import Side
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import AtWork, at_work
from support.observations import ADA, MAILBOX, observation, weekly

ONE, TWO = MeetingKey.of_uid("one"), MeetingKey.of_uid("two")
SERIES = MeetingKey.of_uid("series")
DAY = timedelta(days=1)
OLD_KEY, NEW_KEY = b"k" * 32, b"n" * 32


class Moved(FakeMailbox):
    """A mailbox on another server: every item has another id, and nobody there knows the cursor."""

    def __init__(self, old: FakeMailbox) -> None:
        super().__init__(old.address, old.clock)
        self.organizer_bodies = dict(old.organizer_bodies)
        self.refused_organizers = set(old.refused_organizers)
        self.cursors: list[str] = []
        for item in old.items.values():
            self.put(_elsewhere(item))

    async def changes(self, cursor: str, *, limit: int) -> Changes:
        if cursor and not cursor.startswith("moved"):
            raise CursorExpiredError("gone", code="ErrorInvalidSyncStateData")
        self.cursors.append(cursor)
        found = await super().changes(cursor.removeprefix("moved"), limit=limit)
        return replace(found, cursor=f"moved{found.cursor}")


def _elsewhere(item: Observation) -> Observation:
    changed = tuple(
        replace(one, ref=ItemRef(f"moved-{one.ref.id}", "9")) for one in item.changed if one.ref is not None
    )
    return replace(item, ref=ItemRef(f"moved-{item.ref.id}", "9"), changed=changed)


async def records(work: AtWork, *keys: MeetingKey) -> list[Record]:
    found = [await work.record(key) for key in keys]
    return [record for record in found if record is not None]


def known_by(those: Sequence[Record]) -> list[tuple[object, ...]]:
    """What people know of a meeting: its room, and what they were told."""
    return [(r.alias_number, r.alias_key, r.room, r.state, r.instructions, r.replied, r.correlation_id) for r in those]


async def test_a_mailbox_that_moved_keeps_all_rooms_though_every_id_and_the_cursor_are_others() -> None:
    async with at_work() as work:
        refused = Person("eve@greenroom.example")
        work.mailbox.refused_organizers.add(refused.address)
        work.mailbox.invite(observation())
        work.mailbox.invite(observation("two", starts_in=2 * DAY, organizer=refused))
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        before = await records(work, ONE, TWO, SERIES)
        assert len(before) == 3
        moved = Moved(work.mailbox)
        work.integration = replace(work.integration, mailbox=moved)
        work.mailbox = moved
        await work.settle()
        after = await records(work, ONE, TWO, SERIES)
        assert known_by(after) == known_by(before)
        assert [record.ref.id for record in after] == ["moved-item-one", "moved-item-two", "moved-item-series"]
        assert (moved.sent, moved.answered, moved.mailed_at) == ([], [], [])
        assert moved.cursors[0] == ""
        assert all(cursor.startswith("moved") for cursor in moved.cursors[1:])


async def test_what_changed_while_the_mailbox_moved_is_answered_and_what_left_it_is_found_by_comparing() -> None:
    async with at_work() as work:
        for uid in ("one", "two", "three"):
            work.mailbox.invite(observation(uid, starts_in=9 * DAY))
        await work.settle_quickly()
        moved = Moved(work.mailbox)
        later = observation(starts_in=12 * DAY).span
        item = moved.items["moved-item-one"]
        moved.put(replace(item, span=later, response=Response.NONE, sent_at=work.clock.now))
        del moved.items["moved-item-two"]
        work.integration, work.mailbox = replace(work.integration, mailbox=moved), moved
        await work.settle_quickly()
        assert [sent.key for sent in moved.sent] == [ONE]
        await Attendant(work.integration, work.storage, work.clock).reconcile()
        await work.settle_quickly()
        (gone,) = await records(work, TWO)
        assert (gone.state, gone.reason) == (State.ENDED, "removed")
        (stays,) = await records(work, MeetingKey.of_uid("three"))
        assert stays.state is State.SCHEDULED
        assert [sent.key for sent in moved.sent] == [ONE]


async def test_an_organizer_with_another_address_keeps_the_room_and_is_not_told() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.settle_quickly()
        before = await records(work, ONE)
        renamed = Person("ada.lovelace@greenroom.example", ADA.name)
        work.mailbox.put(replace(work.mailbox.items["item-one"], organizer=renamed))
        await work.settle_quickly()
        assert known_by(await records(work, ONE)) == known_by(before)
        assert len(work.mailbox.sent) == 1
        # The next change is answered to whom the calendar names.
        item = work.mailbox.items["item-one"]
        later = observation(starts_in=3 * DAY).span
        work.mailbox.put(replace(item, span=later, response=Response.NONE, sent_at=work.clock.now))
        await work.settle_quickly()
        (record,) = await records(work, ONE)
        assert (record.organizer, record.alias_number) == (renamed.address, before[0].alias_number)
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.owner == renamed.address
        assert len(work.mailbox.sent) == 2


async def test_instructions_for_an_organizer_who_was_renamed_are_written_where_the_new_address_is() -> None:
    async with at_work() as work:
        second = FakeMailbox(MAILBOX, work.clock)
        work.integration = replace(work.integration, elsewhere=second)
        renamed = Person("ada.lovelace@greenroom.example", ADA.name)
        async with work.storage.work() as session:
            await session.routes.learn(1, ADA.address, Side.SECOND, work.clock())
        item = observation(organizer=renamed)
        work.mailbox.invite(item)
        await work.settle_quickly()
        (record,) = await records(work, ONE)
        assert record.instructions is InstructionsState.WRITTEN
        async with work.storage.reading() as session:
            new, old = await session.routes.get(1, renamed.address), await session.routes.get(1, ADA.address)
        assert new is not None
        assert new.side is Side.FIRST
        assert old is not None  # nobody asks for it any more, and it is not asked again after a month


async def test_after_the_keys_were_rotated_old_meetings_are_as_they_were_and_new_ones_have_the_new_key() -> None:
    async with at_work(policy=Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST)) as work:
        on_the_way = work.ticket(123456789)
        work.mailbox.invite(observation())
        await work.settle_quickly()
        (before,) = await records(work, ONE)
        room = await work.room(ONE)
        ring = KeyRing("GRM", 1, {0: OLD_KEY, 1: NEW_KEY}, current=1)
        work.integration = replace(work.integration, ring=ring)
        work.mailbox.put(replace(work.mailbox.items["item-one"], subject="Planning, renamed", sent_at=work.clock.now))
        await work.settle_quickly()
        (after,) = await records(work, ONE)
        assert (after.alias_number, after.alias_key, after.issued_at) == (before.alias_number, 0, before.issued_at)
        now_is = await work.room(ONE)
        assert room is not None
        assert now_is is not None
        known = [(one.spec.host_pin, one.spec.guest_pin, one.spec.join_id, one.spec.alias) for one in (room, now_is)]
        assert known[0] == known[1]
        work.mailbox.invite(observation("two", starts_in=2 * DAY, body_html=f"<p>{on_the_way}</p>"))
        work.mailbox.invite(observation("three", starts_in=3 * DAY))
        await work.settle_quickly()
        two, three = await records(work, TWO, MeetingKey.of_uid("three"))
        assert (two.alias_number, two.alias_key, three.alias_key) == (123456789, 0, 1)
        (printed,) = find_tickets(work.mailbox.organizer_bodies[three.key].body_html, "GRM")
        genuine = ring.verify(printed)
        assert isinstance(genuine, Ticket)
        assert genuine.key_id == 1
        fresh = await work.room(three.key)
        assert fresh is not None
        assert fresh.spec.guest_pin == pin(ring.secret(1, "pin"), fresh.spec.alias, "guest")
        assert fresh.spec.join_id == join_id(ring.secret(1, "join"), fresh.spec.alias)


async def test_a_database_lost_after_the_keys_were_rotated_comes_back_with_the_keys_that_its_tickets_name() -> None:
    async with at_work() as work, at_work() as reborn:
        work.mailbox.invite(observation())
        await work.settle_quickly()
        before = await work.room(ONE)
        ring = KeyRing("GRM", 1, {0: OLD_KEY, 1: NEW_KEY}, current=1)
        reborn.integration = replace(reborn.integration, ring=ring)
        reborn.mailbox.put(work.mailbox.items["item-one"])
        await reborn.settle_quickly()
        after = await reborn.room(ONE)
        assert before is not None
        assert after is not None
        assert (after.spec.alias, after.spec.join_id) == (before.spec.alias, before.spec.join_id)
        assert reborn.mailbox.sent == []


async def test_an_integration_with_another_name_goes_on_as_before() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.settle_quickly()
        before, told = await records(work, ONE), work.mailbox.organizer_bodies[ONE]
        work.integration = replace(work.integration, name="renamed")
        await work.settle()
        assert await records(work, ONE) == before
        assert len(work.mailbox.sent) == 1
        assert work.mailbox.organizer_bodies[ONE] == told == Invitation(told.body_html, told.location)


async def test_an_organizers_new_address_is_taken_over_as_soon_as_the_meeting_is_looked_at() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        await work.settle_quickly()
        renamed = replace(work.mailbox.items["item-one"], organizer=Person("ada.lovelace@greenroom.example"))
        work.mailbox.put(renamed)
        (case,) = await Attendant(work.integration, work.storage, work.clock).take_up([renamed])
        assert (case.decision.reason, case.outcome) == (Reason.UNCHANGED, None)
        room = await work.room(ONE)
        assert room is not None
        assert room.spec.owner == renamed.organizer.address
        assert len(work.mailbox.sent) == 1


async def test_replies_that_wait_in_line_while_the_mailbox_moves_go_out_once_each() -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = 2
        keys = [MeetingKey.of_uid(f"m{n}") for n in range(6)]
        for n in range(6):
            work.mailbox.invite(observation(f"m{n}", starts_in=(n + 1) * DAY, body_html=work.ticket(200000000 + n)))
        attendant = Attendant(work.integration, work.storage, work.clock)
        await attendant.attend()
        assert 0 < len(work.mailbox.sent) < len(keys)
        _move_in_place(work.mailbox)
        for _ in range(12):
            work.clock.forward(seconds=40)
            await attendant.attend()
            await attendant.answer_waiting()
        assert sorted(sent.key for sent in work.mailbox.sent) == sorted(keys)
        assert work.mailbox.violations == []
        assert {record.state for record in await records(work, *keys)} == {State.SCHEDULED}


def _move_in_place(mailbox: FakeMailbox) -> None:
    """Give every item another id; the feed tells that the old ones are gone and that others came."""
    for item in list(mailbox.items.values()):
        mailbox.remove(item.ref.id)
        mailbox.put(_elsewhere(item))


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "compared"])
@pytest.mark.parametrize("ran_ahead", [5 * DAY, timedelta(minutes=150)], ids=["days", "minutes"])
async def test_a_meeting_that_ended_by_a_clock_that_ran_ahead_lives_on_with_its_room_and_its_answer(
    ran_ahead: timedelta, *, shown: bool
) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(starts_in=timedelta(minutes=20)))
        await work.settle_quickly()
        (before,) = await records(work, ONE)
        now = work.clock.now
        work.clock.now = now + ran_ahead
        await work.close()
        await work.attend()
        (ended,) = await records(work, ONE)
        assert (ended.state, ended.reason) == (State.ENDED, "over")
        work.clock.now = now
        if shown:
            work.mailbox.put(work.mailbox.items["item-one"])
            await work.settle_quickly()
        else:
            await Attendant(work.integration, work.storage, work.clock).reconcile()
        (after,) = await records(work, ONE)
        assert (after.state, after.alias_number, after.replied) == (
            State.SCHEDULED,
            before.alias_number,
            before.replied,
        )
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is None
        assert len(work.mailbox.sent) == 1


async def test_what_was_first_seen_by_a_clock_that_ran_ahead_gets_its_room_when_the_clock_is_right() -> None:
    async with at_work() as work:
        accepted = replace(observation(body_html=work.ticket(123456789)), response=Response.ACCEPTED)
        work.mailbox.put(accepted)
        work.mailbox.put(observation("two", body_html=work.ticket(222222222)))
        now = work.clock.now
        work.clock.now = now + 60 * DAY
        await work.attend()
        assert [record.state for record in await records(work, ONE, TWO)] == [State.IGNORED, State.IGNORED]
        work.clock.now = now
        await Attendant(work.integration, work.storage, work.clock).reconcile()
        one, two = await records(work, ONE, TWO)
        assert (one.state, one.reason, one.alias_number) == (State.SCHEDULED, "recovered", 123456789)
        assert (two.state, two.alias_number) == (State.SCHEDULED, 222222222)
        assert [sent.key for sent in work.mailbox.sent] == [TWO]
