import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from greenroom.meetings.admission import Admission, Once
from greenroom.storage import AliasHeldError, MailboxState, Reservation, RoomEnd, Storage, StoredRoom
from support.records import DAY, HOUR, NOON, line, meeting_key, once, room, weekly

ROOM = "room@example.com"


async def test_a_mailbox_nobody_attended_stands_at_the_beginning(storage: Storage) -> None:
    async with storage.reading() as work:
        assert await work.mailboxes.get(ROOM) == MailboxState(ROOM)
        assert await work.mailboxes.all() == []


async def test_cursor_and_passes_are_remembered_apart(storage: Storage) -> None:
    async with storage.work() as work:
        await work.mailboxes.save_cursor(ROOM, "c1")
        await work.mailboxes.note_pass(ROOM, NOON, None)
        await work.mailboxes.note_pass(ROOM, NOON + HOUR, "sign-in")
    async with storage.reading() as work:
        assert await work.mailboxes.all() == [MailboxState(ROOM, "c1", NOON + HOUR, NOON, "sign-in")]

    async with storage.work() as work:
        await work.mailboxes.note_pass(ROOM, NOON + 2 * HOUR, None)
        assert await work.mailboxes.get(ROOM) == MailboxState(ROOM, "c1", NOON + 2 * HOUR, NOON + 2 * HOUR)


async def test_a_claim_holds_until_it_ends_or_is_released(storage: Storage) -> None:
    async with storage.work() as work:
        claim = work.mailboxes.claim
        assert await claim(ROOM, "a", NOON, NOON + HOUR)
        assert not await claim(ROOM, "b", NOON, NOON + HOUR)
        assert await claim(ROOM, "a", NOON, NOON + 2 * HOUR)
        assert not await claim(ROOM, "b", NOON + HOUR, NOON + 2 * HOUR)
        assert await claim(ROOM, "b", NOON + 2 * HOUR, NOON + 3 * HOUR)
        await work.mailboxes.release(ROOM, "a")
        assert (await work.mailboxes.get(ROOM)).claimed_by == "b"
        await work.mailboxes.release(ROOM, "b")
        assert await work.mailboxes.get(ROOM) == MailboxState(ROOM)


async def test_of_many_that_claim_at_once_one_gets_it(storage: Storage) -> None:
    async def claim(owner: str) -> bool:
        async with storage.work() as work:
            return await work.mailboxes.claim(ROOM, owner, NOON, NOON + HOUR)

    assert sum(await asyncio.gather(*(claim(f"owner-{n}") for n in range(8)))) == 1


async def test_the_first_meeting_that_brings_a_number_holds_it(storage: Storage) -> None:
    async with storage.work() as work:
        bind = work.reservations.bind
        assert await bind(1, 5, meeting_key(1), NOON)
        assert await bind(1, 5, meeting_key(1), NOON + HOUR)
        assert not await bind(1, 5, meeting_key(2), NOON)
        assert await bind(2, 5, meeting_key(2), NOON)

    async with storage.reading() as work:
        assert await work.reservations.holders(1, [5, 6, 5]) == {5: Reservation(5, 1, meeting_key(1), NOON)}
        assert await work.reservations.is_taken(1, 5)
        assert not await work.reservations.is_taken(1, 6)


async def test_a_reserved_number_waits_for_its_meeting(storage: Storage) -> None:
    number = 10**15 - 1
    async with storage.work() as work:
        assert await work.reservations.reserve(1, number, NOON)
        assert not await work.reservations.reserve(1, number, NOON)
        assert await work.reservations.holders(1, [number]) == {number: Reservation(number, 1, None, NOON)}
        assert await work.reservations.bind(1, number, meeting_key(1), NOON)
        assert await work.reservations.holders(1, [number]) == {number: Reservation(number, 1, meeting_key(1), NOON)}


async def test_a_deleted_reservation_is_held_by_nobody_and_never_given_out_again(storage: Storage) -> None:
    async with storage.work() as work:
        assert await work.reservations.bind(1, 5, meeting_key(1), NOON)
        await work.reservations.tombstone(1, 5, NOON + HOUR)
        await work.reservations.tombstone(1, 5, NOON + 2 * HOUR)
        await work.reservations.tombstone(1, 6, NOON)

        assert await work.reservations.holders(1, [5, 6]) == {
            5: Reservation(5, 1, meeting_key(1), NOON, NOON + HOUR),
            6: Reservation(6, 1, None, NOON, NOON),
        }
        assert not await work.reservations.bind(1, 5, meeting_key(1), NOON)
        assert not await work.reservations.reserve(1, 6, NOON)


async def test_of_two_meetings_that_bring_a_number_at_once_one_gets_it(storage: Storage) -> None:
    async def bind(number: int) -> bool:
        async with storage.work() as work:
            return await work.reservations.bind(1, 5, meeting_key(number), NOON) is not None

    assert sum(await asyncio.gather(*(bind(n) for n in range(8)))) == 1


async def test_a_room_is_found_by_mark_and_by_join_id(storage: Storage) -> None:
    endless = room(2, host_pin=None, guest_pin=None, admission=once(NOON, None))
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
        await work.rooms.upsert(1, endless)

    async with storage.reading() as work:
        assert await work.rooms.by_mark(1, room(1).mark) == StoredRoom(1, room(1))
        assert await work.rooms.by_mark(2, room(1).mark) is None
        assert await work.rooms.by_join_id(endless.join_id) == StoredRoom(1, endless)
        assert await work.rooms.by_join_id("nothing") is None


async def test_a_room_is_changed_in_place(storage: Storage) -> None:
    changed = room(1, alias=room(9).alias, join_id=room(9).join_id, name="Other")
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
        await work.rooms.upsert(1, changed)
        assert await work.rooms.by_mark(1, changed.mark) == StoredRoom(1, changed)
        await work.rooms.upsert(1, room(2, alias=room(1).alias, join_id=room(1).join_id))


@pytest.mark.parametrize("field", ["alias", "join_id"])
@pytest.mark.parametrize("integration", [1, 2])
async def test_two_live_rooms_cannot_share_a_way_in(storage: Storage, field: str, integration: int) -> None:
    rival = room(2, **{field: getattr(room(1), field)})
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
        with pytest.raises(AliasHeldError):
            await work.rooms.upsert(integration, rival)
        await work.rooms.upsert(1, room(3))  # the work goes on

    async with storage.work() as work:
        assert await work.rooms.by_mark(integration, rival.mark) is None
        assert await work.rooms.by_mark(1, room(3).mark) is not None
        await work.rooms.retire(1, room(1).mark, NOON)
        await work.rooms.upsert(integration, rival)
        with pytest.raises(AliasHeldError):
            await work.rooms.upsert(1, room(1))


async def test_an_alias_held_error_shows_nothing_of_the_room(storage: Storage) -> None:
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
        with pytest.raises(AliasHeldError) as raised:
            await work.rooms.upsert(1, room(2, alias=room(1).alias))
    assert "Planning" not in str(raised.value)
    assert raised.value.__suppress_context__


async def test_a_retired_room_stays_as_a_tombstone_that_says_why(storage: Storage) -> None:
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
        await work.rooms.upsert(1, room(2))
        assert await work.rooms.retire(1, room(1).mark, NOON)
        assert not await work.rooms.retire(1, room(1).mark, NOON + HOUR)
        assert not await work.rooms.retire(2, room(2).mark, NOON)
        assert await work.rooms.retire(1, room(2).mark, NOON + 2 * HOUR)

        cancelled = await work.rooms.by_join_id(room(1).join_id)
        over = await work.rooms.by_join_id(room(2).join_id)
    assert cancelled == StoredRoom(1, room(1), NOON)
    assert cancelled.reason is RoomEnd.CANCELLED
    assert over is not None
    assert over.reason is RoomEnd.OVER
    assert StoredRoom(1, room(1)).reason is None


async def test_a_room_that_serves_several_meetings_keeps_their_times(storage: Storage) -> None:
    times = (weekly(count=3), weekly(), Once(NOON, NOON + HOUR))
    shared = room(1, admission=Admission(times, timedelta(minutes=5), timedelta(seconds=1)))
    async with storage.work() as work:
        await work.rooms.upsert(1, shared)
    async with storage.reading() as work:
        assert await work.rooms.by_mark(1, shared.mark) == StoredRoom(1, shared)


async def test_a_series_room_is_over_with_its_last_occurrence_only(storage: Storage) -> None:
    ending = room(1, admission=Admission((weekly(count=2),), HOUR, HOUR))
    endless = room(2, admission=Admission((weekly(),), HOUR, HOUR))
    async with storage.work() as work:
        for spec in (ending, endless):
            await work.rooms.upsert(1, spec)
            await work.rooms.retire(1, spec.mark, NOON + 3 * DAY)
        early = [await work.rooms.by_mark(1, spec.mark) for spec in (ending, endless)]
        await work.rooms.upsert(1, ending)
        await work.rooms.retire(1, ending.mark, NOON + 7 * DAY + 2 * HOUR)
        late = await work.rooms.by_mark(1, ending.mark)
    assert [found and found.reason for found in early] == [RoomEnd.CANCELLED, RoomEnd.CANCELLED]
    assert late is not None
    assert late.reason is RoomEnd.OVER


async def test_a_room_whose_admission_cannot_be_read_lets_nobody_in(storage: Storage) -> None:
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1))
    for text in ("", "{", "[]", '{"times": 1}', '{"after":0,"before":0,"times":[{"series":"{}"}]}'):
        async with storage._engine.begin() as connection:
            await connection.execute(sa.text("UPDATE rooms SET admission = :text"), {"text": text})
        async with storage.reading() as work:
            found = await work.rooms.by_mark(1, room(1).mark)
        assert found is not None
        assert not found.spec.admission.is_open(NOON)


async def test_a_live_room_goes_before_a_tombstone_with_the_same_link(storage: Storage) -> None:
    async with storage.work() as work:
        for number, hours in ((1, 0), (2, 2), (3, 1)):
            await work.rooms.upsert(1, room(number, join_id="same"))
            await work.rooms.retire(1, room(number).mark, NOON + hours * HOUR)
        newest = await work.rooms.by_join_id("same")
        assert newest is not None
        assert newest.mark == room(2).mark

        await work.rooms.upsert(1, room(4, join_id="same"))
        assert await work.rooms.by_join_id("same") == StoredRoom(1, room(4, join_id="same"))


async def test_a_journal_keeps_the_order_of_its_lines(storage: Storage) -> None:
    first = [line(1, "seen"), line(2, "seen"), line(1, "decided")]
    async with storage.work() as work:
        await work.journal.append(first)
        await work.journal.append([])
        await work.journal.append([line(1, "replied"), line(1, "seen", integration=2)])

    async with storage.reading() as work:
        assert await work.journal.of_meeting(1, meeting_key(1)) == [
            line(1, "seen"),
            line(1, "decided"),
            line(1, "replied"),
        ]
        assert await work.journal.of_meeting(2, meeting_key(1)) == [line(1, "seen", integration=2)]
        assert await work.journal.of_meeting(1, meeting_key(3)) == []


async def test_the_journal_knows_when_something_was_said_last(storage: Storage) -> None:
    said = replace(line(1, "decided", "review"), at=NOON - DAY)
    async with storage.work() as work:
        await work.journal.append([said, line(1, "decided", "review"), line(1, "seen"), line(2, "seen")])
        await work.journal.append([replace(line(3, "decided", "review"), integration=2)])
    async with storage.reading() as work:
        keys = [meeting_key(number) for number in range(5)]
        assert await work.journal.latest(1, keys, "review") == {meeting_key(1): NOON}
        assert await work.journal.latest(1, [], "review") == {}
