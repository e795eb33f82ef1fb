"""Meetings beside the rooms they use, on both databases."""

from datetime import timedelta

from greenroom.meetings.record import State
from greenroom.meetings.room import Provision
from greenroom.storage import Housed, RoomStore, Storage
from support.records import HOUR, NOON, bare_record, full_record, meeting_key, room

ONE, TWO, THREE = (meeting_key(number) for number in (1, 2, 3))


async def living(storage: Storage) -> dict[str, Housed]:
    async with storage.reading() as work:
        return {one.correlation_id: one async for one in work.housing.living(1)}


async def test_a_meeting_is_told_with_the_room_it_uses(storage: Storage) -> None:
    async with storage.work() as work:
        await work.rooms.upsert(1, room(1), at=NOON)
        await work.rooms.note(1, ONE.digest, Provision("/7/", "told", 2, NOON))
        await work.meetings.save(
            [
                full_record(1, room_mark=None, held=None),
                full_record(2, room_mark=ONE.digest, held=None, adopted=None),
                bare_record(3),
            ]
        )
    found = await living(storage)
    assert [found[one].mark for one in sorted(found)] == [ONE.digest, ONE.digest, THREE.digest]
    assert [found[one].has_room for one in sorted(found)] == [True, True, False]
    first, second, third = (found[one] for one in sorted(found))
    assert first.kept == second.kept
    assert first.kept is not None
    assert (first.kept.there, first.kept.retired_at) == (Provision("/7/", "told", 2, NOON), None)
    assert first.kept.closes_at == NOON + 2 * HOUR
    assert third.kept is None
    assert (first.adopted, second.adopted) == (full_record(1).adopted, None)
    assert (first.key, first.starts_at, first.retry_at) == (ONE, NOON + HOUR, full_record(1).retry_at)
    async with storage.reading() as work:
        of_room = await work.housing.of(1, [ONE.digest])
        assert {one.key for one in of_room} == {ONE, TWO}
        assert await work.housing.known(1, [ONE.digest, "ab" * 16]) == {ONE.digest}
        assert set(await work.housing.rooms(1, [ONE.digest, TWO.digest])) == {ONE.digest}


async def test_what_is_done_with_is_told_only_while_it_holds_its_room(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save(
            [
                full_record(1, state=State.ENDED, held=None),
                full_record(2, state=State.ENDED),
                full_record(3, state=State.ENDED, room=None),
            ]
        )
    assert set(await living(storage)) == {full_record(2).correlation_id}


async def test_more_than_a_thousand_come_once_each(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save([bare_record(number) for number in range(1003)])
    assert len(await living(storage)) == 1003


async def test_what_a_platform_was_told_is_forgotten_where_it_was_told_and_lives(storage: Storage) -> None:
    rooms = RoomStore(storage, 1, lambda: NOON)
    for number in (1, 2, 3):
        assert await rooms.ensure(room(number))
    await rooms.note(ONE.digest, Provision("/1/", "told", 0, NOON + HOUR))
    await rooms.note(THREE.digest, Provision("/3/", "told"))
    await rooms.retire(THREE.digest)
    async with storage.work() as work:
        await work.housing.forget_told(1, [ONE.digest, TWO.digest, THREE.digest], NOON)
    there = [(await rooms.get(key.digest)) for key in (ONE, TWO, THREE)]
    assert [one.there if one else None for one in there] == [
        Provision("/1/", "", 0, NOON),
        Provision(),
        Provision("/3/", "told"),
    ]


async def test_what_was_worked_on_since_is_told_whatever_its_state(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save(
            [
                full_record(1, updated_at=NOON),
                full_record(2, updated_at=NOON - timedelta(seconds=1)),
                full_record(3, updated_at=NOON + HOUR, state=State.DECLINED),
            ]
        )
    async with storage.reading() as work:
        assert {one.key async for one in work.meetings.touched(1, NOON)} == {ONE, THREE}
