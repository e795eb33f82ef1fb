"""Databases of older Greenrooms, with what was in them."""

import asyncio

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Connection

from greenroom.storage import MailboxState, RoomEnd, Side, Storage, StorageVersionError, StoredRoom
from greenroom.storage.engine import prepare_file
from greenroom.storage.migrate import config
from greenroom.storage.schema import metadata
from support.records import HOUR, NOON, full_record, line, meeting_key, room

ROOM = "room@example.com"
_NEW = {"waiting_replies", "replies_end_at", "credential_expires_at", "reconciled_at"}


def to_first(connection: Connection) -> None:
    """Make the tables as the first released version had them."""
    command.upgrade(config(connection), "0001")


async def fill_first(storage: Storage) -> None:
    """Put a row into every table of the first version, without the columns that came later."""
    prepare_file(storage._url)
    async with storage._engine.begin() as connection:
        await connection.run_sync(to_first)
        mailboxes = metadata.tables["mailboxes"]
        old = [column.name for column in mailboxes.columns if column.name not in _NEW]
        row = dict(zip(old, (ROOM, "c1", NOON, NOON, "http-503", "me", NOON + HOUR), strict=True))
        await connection.execute(sa.insert(mailboxes).values(**row))
    async with storage.work() as work:
        await work.meetings.save([full_record()])
        await work.rooms.upsert(1, room(1))
        await work.rooms.retire(1, room(1).mark, NOON)
        await work.reservations.bind(1, 5, meeting_key(1), NOON)
        await work.journal.append([line(1, "seen")])


async def test_a_database_of_the_first_version_keeps_everything(url: str) -> None:
    storage = Storage.open(url)
    await fill_first(storage)

    await storage.migrate()
    await storage.check()

    async with storage.work() as work:
        assert await work.mailboxes.all() == [MailboxState(ROOM, "c1", NOON, NOON, "http-503", "me", NOON + HOUR)]
        assert await work.meetings.by_keys(1, [meeting_key(1)]) == {meeting_key(1): full_record()}
        retired = await work.rooms.by_mark(1, room(1).mark)
        assert retired == StoredRoom(1, room(1), NOON)
        assert retired.reason is RoomEnd.CANCELLED
        assert (await work.reservations.holders(1, [5]))[5].key == meeting_key(1)
        assert await work.journal.of_meeting(1, meeting_key(1)) == [line(1, "seen")]
        await work.mailboxes.note_line(ROOM, 3, NOON + HOUR)
        await work.routes.learn(1, "ann@example.com", Side.SECOND, NOON)
        assert (await work.mailboxes.get(ROOM)).waiting_replies == 3
    await storage.close()


async def test_two_that_start_at_once_over_an_old_database_agree(url: str) -> None:
    first, second = Storage.open(url), Storage.open(url)
    await fill_first(first)
    await asyncio.gather(first.migrate(), second.migrate())
    for storage in (first, second):
        await storage.check()
        await storage.close()


async def test_an_unmigrated_old_database_is_told(url: str) -> None:
    storage = Storage.open(url)
    await fill_first(storage)
    with pytest.raises(StorageVersionError, match="older Greenroom"):
        await storage.check()
    await storage.close()
