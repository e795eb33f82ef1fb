"""Databases of older Greenrooms, with what was in them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Connection

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.record import Record
from greenroom.meetings.room import Provision
from greenroom.storage import (
    MailboxState,
    RoomEnd,
    RoomFeed,
    RoomStore,
    Side,
    Storage,
    StorageVersionError,
    StoredRoom,
)
from greenroom.storage.engine import prepare_file
from greenroom.storage.meetings import _row
from greenroom.storage.migrate import config
from greenroom.storage.schema import Instant, metadata
from support.records import DAY, HOUR, NOON, full_record, line, meeting_key, room

ROOM = "room@example.com"
_SINCE_2 = {
    "mailboxes": {"waiting_replies", "replies_end_at", "credential_expires_at", "reconciled_at"},
}
_SINCE_3 = {
    "meetings": {"series", "handled", "held_from", "held_until", "room_mark", "review_at", "series_mark"},
    "rooms": {"admission"},
}
_SINCE_4 = {
    "meetings": {"adopted_alias", "adopted_numeric"},
    "rooms": {"version", "closes_at", "ref", "told", "attempts", "due_at", "former_name", "renamed_at"},
}
_SINCE_5 = {
    "reservations": {"asked_by", "request_id", "key_id", "expires_at"},
}
_SINCE_6 = {
    "meetings": {"warned_at"},
    "mailboxes": {"wanted_by", "wanted_until", "backlog_total", "backlog_done", "backlog_since", "drift_at"},
}
_TIMES = ("opens", "starts", "ends", "closes")  # until 0002
_LATER = {
    "0001": (_SINCE_2, _SINCE_3, _SINCE_4, _SINCE_5, _SINCE_6),
    "0002": (_SINCE_3, _SINCE_4, _SINCE_5, _SINCE_6),
    "0003": (_SINCE_4, _SINCE_5, _SINCE_6),
    "0004": (_SINCE_5, _SINCE_6),
    "0005": (_SINCE_6,),
}
OLD_RECORD = full_record(series=None, handled=(), held=None, room_mark=None, review_at=None, adopted=None)
RECORD_OF_3 = full_record(adopted=None)
_OLD_ROOMS = {
    1: (NOON - HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR),
    2: (NOON - HOUR, NOON, NOON + HOUR, NOON + 30 * DAY),  # a series
    3: (NOON - HOUR, NOON, NOON + HOUR, None),  # a series without end
    4: (NOON, NOON, NOON + HOUR, NOON + HOUR),
}


def old_table(name: str, *missing: dict[str, set[str]], more: tuple[sa.Column[Any], ...] = ()) -> sa.Table:
    """A table without the columns that came later, and with those that went."""
    later = set().union(*(since.get(name, set()) for since in missing))
    columns = [sa.Column(c.name, c.type) for c in metadata.tables[name].columns if c.name not in later]
    return sa.Table(name, sa.MetaData(), *columns, *more)


async def fill(storage: Storage, version: str) -> None:
    """Make the tables as an older version had them, and put into each what it held."""
    later = _LATER[version]
    prepare_file(storage._url)
    async with storage._engine.begin() as connection:
        await connection.run_sync(lambda sync: _upgrade(sync, version))
        mailboxes = old_table("mailboxes", *later)
        row = dict(zip(mailboxes.columns.keys(), (ROOM, "c1", NOON, NOON, "http-503", "me", NOON + HOUR), strict=False))
        await connection.execute(sa.insert(mailboxes).values(**row))
        meetings = old_table("meetings", *later)
        record = {name: value for name, value in _row(record_of(version)).items() if name in meetings.columns}
        await connection.execute(sa.insert(meetings).values(**record))
        times = [] if version >= "0003" else [sa.Column(name, Instant) for name in _TIMES]
        rooms = old_table("rooms", *later, more=tuple(times))
        for number, window in _OLD_ROOMS.items():
            row = _old_room(number, window) | {"admission": room(number).admission.text}
            kept = {name: value for name, value in row.items() if name in rooms.columns}
            await connection.execute(sa.insert(rooms).values(**kept))
        reservations = old_table("reservations", *later)
        held = {"integration": 1, "number": 5, "key": meeting_key(1).value, "issued_at": NOON}
        await connection.execute(sa.insert(reservations).values(**held))
    async with storage.work() as work:  # what has not changed since
        await work.journal.append([line(1, "seen")])


def record_of(version: str) -> Record:
    """The record, with as much as that version knew of it."""
    return {"0003": RECORD_OF_3, "0004": full_record()}.get(version, OLD_RECORD)


def _upgrade(connection: Connection, version: str) -> None:
    command.upgrade(config(connection), version)


def _old_room(number: int, window: tuple[datetime, datetime, datetime, datetime | None]) -> dict[str, Any]:
    spec = room(number)
    same = ("mark", "join_id", "name", "description", "owner", "host_pin", "guest_pin")
    return {
        "integration": 1,
        **{name: getattr(spec, name) for name in same},
        "alias_number": spec.alias.number,
        "alias": spec.alias.name,
        "alias_numeric": spec.alias.numeric,
        **dict(zip(_TIMES, window, strict=True)),
        "retired_at": NOON if number == 1 else None,
    }


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004"])
async def test_a_database_of_an_older_version_keeps_everything(url: str, version: str) -> None:
    storage = Storage.open(url)
    await fill(storage, version)

    await storage.migrate()
    await storage.check()

    async with storage.work() as work:
        assert await work.mailboxes.all() == [MailboxState(ROOM, "c1", NOON, NOON, "http-503", "me", NOON + HOUR)]
        record = record_of(version)
        assert await work.meetings.by_keys(1, [meeting_key(1)]) == {meeting_key(1): record}
        assert await work.meetings.kin(1, [meeting_key(1)]) == [record]
        assert await work.meetings.of_rooms(1, [record.room_mark or meeting_key(1).digest]) == [record]
        retired = await work.rooms.by_mark(1, room(1).mark)
        assert retired == StoredRoom(1, room(1), NOON)
        assert retired.reason is RoomEnd.CANCELLED
        assert (await work.reservations.holders(1, [5]))[5].key == meeting_key(1)
        assert await work.journal.of_meeting(1, meeting_key(1)) == [line(1, "seen")]
        await work.mailboxes.note_line(ROOM, 3, NOON + HOUR)
        await work.routes.learn(1, "ann@example.com", Side.SECOND, NOON)
        assert (await work.mailboxes.get(ROOM)).waiting_replies == 3
    await storage.close()


async def test_rooms_from_before_they_were_counted_are_told_and_then_counted(url: str) -> None:
    storage = Storage.open(url)
    await fill(storage, "0003")
    await storage.migrate()
    feed, store = RoomFeed(storage), RoomStore(storage, 1, lambda: NOON)

    assert await feed.head() == 0
    assert list(await feed.changes(0, 10)) == []
    told = [one async for page in feed.everything(NOON - DAY, [1]) for one in page]
    assert {one.mark: (one.version, one.closes_at, one.retired_at) for one in told} == {
        room(number).mark: (0, None, NOON if number == 1 else None) for number in _OLD_ROOMS
    }
    async with storage.reading() as work:
        stored = await work.rooms.by_mark(1, room(2).mark)
    assert stored is not None
    assert stored.there == Provision(), "nothing is known to be at a platform, and nothing is due"
    assert await store.next_due() is None

    await store.ensure(room(2))
    assert [(one.mark, one.version) for one in await feed.changes(0, 10)] == [(room(2).mark, 1)]
    await storage.close()


async def test_an_old_room_stays_open_for_as_long_as_it_was(url: str) -> None:
    storage = Storage.open(url)
    await fill(storage, "0002")
    await storage.migrate()

    async with storage.reading() as work:
        found = {number: await work.rooms.by_mark(1, room(number).mark) for number in _OLD_ROOMS}
    await storage.close()

    assert {number: stored and stored.spec.admission for number, stored in found.items()} == {
        1: Admission((Once(NOON, NOON + HOUR),), HOUR, HOUR),
        2: Admission((Once(NOON, NOON + 30 * DAY - HOUR),), HOUR, HOUR),
        3: Admission((Once(NOON, None),), HOUR, HOUR),
        4: Admission((Once(NOON, NOON + HOUR),), timedelta(), timedelta()),
    }
    for number, (opens, _starts, _ends, closes) in _OLD_ROOMS.items():
        stored = found[number]
        assert stored is not None
        admission = stored.spec.admission
        assert Admission.parse(admission.text) == admission
        assert admission.first_opens == opens
        assert admission.closes == closes


async def test_many_old_rooms_are_all_turned(url: str) -> None:
    storage = Storage.open(url)
    prepare_file(storage._url)
    async with storage._engine.begin() as connection:
        await connection.run_sync(lambda sync: _upgrade(sync, "0002"))
        rooms = old_table("rooms", _SINCE_3, _SINCE_4, more=tuple(sa.Column(name, Instant) for name in _TIMES))
        rows = [{**_old_room(n, _OLD_ROOMS[1]), "integration": n % 3, "retired_at": NOON} for n in range(2001)]
        await connection.execute(sa.insert(rooms), rows)
    await storage.migrate()
    async with storage._engine.begin() as connection:
        texts = await connection.execute(sa.text("SELECT admission, count(*) FROM rooms GROUP BY admission"))
        assert [tuple(row) for row in texts] == [(room(1).admission.text, 2001)]
    await storage.close()


async def test_two_that_start_at_once_over_an_old_database_agree(url: str) -> None:
    first, second = Storage.open(url), Storage.open(url)
    await fill(first, "0001")
    await asyncio.gather(first.migrate(), second.migrate())
    for storage in (first, second):
        await storage.check()
        await storage.close()


async def test_an_unmigrated_old_database_is_told(url: str) -> None:
    storage = Storage.open(url)
    await fill(storage, "0002")
    with pytest.raises(StorageVersionError, match="older Greenroom"):
        await storage.check()
    await storage.close()
