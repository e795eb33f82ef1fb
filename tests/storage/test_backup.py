"""A backup holds everything there is, as it was at one moment, and goes into a database of either kind."""

import asyncio
import json
import stat
import threading
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from greenroom.platforms.policy import PolicyVerdict
from greenroom.storage import RoomFeed, RoomStore, Storage, StorageVersionError, shapes
from greenroom.storage.backup import write_backup
from greenroom.storage.backup_file import open_backup
from greenroom.storage.backup_format import BackupError
from greenroom.storage.errors import StorageNotPreparedError
from greenroom.storage.facts import INSTALLATION
from greenroom.storage.restore import InUseError, NotEmptyError, Target, look_at_target, restore
from support.forged_backup import rewritten
from support.kept import BOX, CLEARED, backed_up, contents, lasting, restored, something_everywhere
from support.policy_questions import counter, question
from support.records import HOUR, NOON, full_record, line, meeting_key, room


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """As for all tests of the storage; there are many here, so that most wait for the long run on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/greenroom.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Storage]:
    """Another database, with something in every table."""
    storage = Storage.open(f"sqlite:///{tmp_path}/source.db")
    await storage.migrate()
    await something_everywhere(storage)
    yield storage
    await storage.close()


async def make_old(storage: Storage, version: str) -> None:
    """Make the tables of an older version, with a mailbox, a route and a line in the journal."""
    async with storage.whole(reading=False) as connection:
        await connection.run_sync(lambda sync: shapes.upgrade(sync, version))
        tables = shapes.tables_at(version)
        mailbox = {"address": BOX, "cursor": "old", "last_pass_at": NOON, "claimed_by": None}
        await connection.execute(sa.insert(tables["mailboxes"]).values(**mailbox))
        values = {"id": 3, "integration": 1, "mark": "m", "key": "k", "correlation_id": "c", "at": NOON}
        await connection.execute(sa.insert(tables["journal"]).values(**values, step="seen", code="ok", detail=""))


async def put_installation(storage: Storage, name: str) -> None:
    async with storage.work() as work:
        await work.facts.put(INSTALLATION, name)


def files_in(folder: Path) -> set[str]:
    """Names of files, and how they end."""
    return {part for file in folder.iterdir() for part in (file.name, file.suffix[1:])}


async def journal_ids(storage: Storage) -> list[int]:
    return sorted(row["id"] for row in (await contents(storage))["journal"])


# --- everything, both ways ------------------------------------------------------------------------------------------


async def test_everything_comes_back_from_either_kind_of_database(storage: Storage, tmp_path: Path) -> None:
    await something_everywhere(storage)
    before = await contents(storage)
    assert all(before.values()), "the test fills every table"

    first = await backed_up(storage, tmp_path)
    target = await restored(storage, first, replace=True)

    after = await contents(storage)
    assert target.rows == {"meetings": 2, "reservations": 1, "rooms": 2, "journal": 2}
    assert lasting(after) == lasting(before)
    async with storage.reading() as work:
        assert (await work.meetings.by_keys(1, [meeting_key(1)]))[meeting_key(1)] == full_record(1)


@pytest.mark.postgres
async def test_a_backup_of_one_kind_goes_into_the_other_and_back(
    source: Storage, postgres_url: str, tmp_path: Path
) -> None:
    before = await contents(source)
    other = Storage.open(postgres_url)
    await restored(other, await backed_up(source, tmp_path))
    assert lasting(await contents(other)) == lasting(before)
    async with other.work() as work:
        await work.journal.append([line(9, "seen")])
    assert await journal_ids(other) == [1, 2, 3]
    await restored(other, tmp_path / "backup.zip", replace=True)

    again = Storage.open(f"sqlite:///{tmp_path}/again.db")
    await restored(again, await backed_up(other, tmp_path, "second.zip"))
    assert lasting(await contents(again)) == lasting(before)
    await again.check()
    await again.close()
    await other.close()


async def test_rows_written_after_a_restore_are_numbered_behind_the_others(
    source: Storage, storage: Storage, tmp_path: Path
) -> None:
    await restored(storage, await backed_up(source, tmp_path))
    async with storage.work() as work:
        await work.journal.append([line(1, "replied")])
        assert [one.step for one in await work.journal.of_meeting(1, meeting_key(1))] == ["seen", "decided", "replied"]
    assert await journal_ids(storage) == [1, 2, 3]


async def test_an_empty_journal_begins_at_its_first_line(storage: Storage, tmp_path: Path) -> None:
    await restored(storage, await backed_up(storage, tmp_path))
    async with storage.work() as work:
        await work.journal.append([line(1, "seen")])
    assert await journal_ids(storage) == [1]


async def test_what_only_made_sense_while_it_was_made_is_cleared_and_the_place_in_the_feed_is_kept(
    source: Storage, storage: Storage, tmp_path: Path
) -> None:
    await restored(storage, await backed_up(source, tmp_path))
    found = await contents(storage)
    (mailbox,) = found["mailboxes"]
    assert {name: mailbox[name] for name in CLEARED} == dict.fromkeys(CLEARED)
    assert mailbox["cursor"] == "cursor-1"
    assert found["drifts"] == []


async def test_what_changes_while_it_is_made_is_not_in_it(storage: Storage, tmp_path: Path) -> None:
    await something_everywhere(storage)
    before = await contents(storage)
    url = storage._url.render_as_string(hide_password=False).replace("+aiosqlite", "").replace("+psycopg", "")
    writers: list[threading.Thread] = []

    async def change() -> None:
        other = Storage.open(url)
        async with other.work() as work:
            await work.meetings.save([full_record(9)])
            await work.journal.append([line(9, "seen")])
        await other.close()

    def tell(table: str, _done: int, _every: int) -> None:
        if table == "drifts" and not writers:  # tables are copied in the order of their names
            writers.append(threading.Thread(target=lambda: asyncio.run(change())))
            writers[0].start()
            writers[0].join(30)

    file = tmp_path / "while.zip"
    await write_backup(storage, file, NOON, progress=tell)
    assert len((await contents(storage))["meetings"]) == 3
    await restored(storage, file, replace=True)
    assert lasting(await contents(storage)) == lasting(before)


# --- versions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version", [pytest.param("0001", marks=pytest.mark.slow), "0003", pytest.param("0005", marks=pytest.mark.slow)]
)
async def test_a_backup_of_an_older_version_is_brought_up_to_date(
    storage: Storage, tmp_path: Path, version: str
) -> None:
    old = Storage.open(f"sqlite:///{tmp_path}/old.db")
    await make_old(old, version)
    file = await backed_up(old, tmp_path)
    await old.close()
    await something_everywhere(storage)
    await put_installation(storage, "mine")

    await restored(storage, file, replace=True)

    await storage.check()
    found = await contents(storage)
    assert [row["cursor"] for row in found["mailboxes"]] == ["old"]
    assert await journal_ids(storage) == [3]
    assert found["meetings"] == found["rooms"] == []
    assert found["facts"] == [{"name": INSTALLATION, "value": "mine"}], "the backup is older than ids of installations"
    async with storage.work() as work:
        await work.journal.append([line(1, "seen")])
    assert await journal_ids(storage) == [3, 4]


async def test_a_database_of_an_older_version_may_be_replaced(url: str, source: Storage, tmp_path: Path) -> None:
    old = Storage.open(url)
    await make_old(old, "0004")
    file = await backed_up(source, tmp_path)
    with pytest.raises(NotEmptyError):
        await restored(old, file)
    await restored(old, file, replace=True)
    assert lasting(await contents(old)) == lasting(await contents(source))
    await old.close()


async def test_a_database_of_a_newer_greenroom_is_left_alone(storage: Storage, source: Storage, tmp_path: Path) -> None:
    async with storage.whole(reading=False) as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageVersionError, match="newer Greenroom"):
        await restored(storage, await backed_up(source, tmp_path), replace=True)
    with pytest.raises(StorageVersionError, match="newer Greenroom"):
        await backed_up(storage, tmp_path, "other.zip")


async def test_there_is_no_backup_of_nothing(url: str, tmp_path: Path) -> None:
    storage = Storage.open(url)
    async with storage.whole(reading=False):
        pass
    with pytest.raises(StorageNotPreparedError):
        await backed_up(storage, tmp_path)
    assert not files_in(tmp_path) & {"backup.zip", "part"}
    await storage.close()


# --- what is in the way ---------------------------------------------------------------------------------------------


async def test_what_is_there_is_lost_only_if_that_was_said(storage: Storage, source: Storage, tmp_path: Path) -> None:
    file = await backed_up(source, tmp_path)
    await something_everywhere(storage, 5)
    before = await contents(storage)
    with pytest.raises(NotEmptyError):
        await restored(storage, file)
    assert await contents(storage) == before
    await restored(storage, file, replace=True)
    assert lasting(await contents(storage)) == lasting(await contents(source))


async def test_nothing_is_restored_while_a_service_works(storage: Storage, source: Storage, tmp_path: Path) -> None:
    file = await backed_up(source, tmp_path)
    async with storage.work() as work:
        await work.mailboxes.claim(BOX, "host:77", NOON, NOON + timedelta(seconds=90))
    before = await contents(storage)
    with pytest.raises(InUseError):
        await look_at_target(storage, NOON)
    with pytest.raises(InUseError) as refused:
        await restored(storage, file, replace=True)
    assert (refused.value.owner, refused.value.address) == ("host:77", BOX)
    assert await contents(storage) == before
    assert (await look_at_target(storage, NOON + timedelta(seconds=91))).version == shapes.versions()[-1]
    killed = await look_at_target(storage, NOON, is_gone=lambda owner: owner == "host:77")
    assert killed.version == shapes.versions()[-1], "who was killed works with nothing any more"


async def test_a_file_that_does_not_exist_yet_is_an_empty_database(tmp_path: Path, source: Storage) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/new.db")
    assert await look_at_target(storage, NOON) == Target()
    assert not (tmp_path / "new.db").exists(), "looking changes nothing"
    await restored(storage, await backed_up(source, tmp_path))
    assert lasting(await contents(storage)) == lasting(await contents(source))
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o600
    await storage.close()


async def test_a_failure_in_the_middle_leaves_the_old_database_whole(
    storage: Storage, source: Storage, tmp_path: Path
) -> None:
    await something_everywhere(storage, 5)
    before = await contents(storage)
    file = await backed_up(source, tmp_path)

    def fail(table: str, _done: int, _every: int) -> None:
        if table == "rooms":
            raise OSError("the disk is gone")

    with open_backup(file) as backup, pytest.raises(OSError, match="the disk"):
        await restore(storage, backup, NOON, replace=True, progress=fail)
    assert await contents(storage) == before


# --- who follows the rooms ------------------------------------------------------------------------------------------


async def test_whoever_follows_the_rooms_learns_of_a_restore_also_which_are_gone(
    storage: Storage, source: Storage, tmp_path: Path
) -> None:
    file = await backed_up(source, tmp_path)  # room 1 lives, room 2 is retired
    rooms = RoomStore(storage, 1, lambda: NOON)
    for number in (1, 3, 4):
        await rooms.ensure(room(number))
    at = counter(RoomFeed(storage), pause=0.001)

    async def verdicts() -> list[PolicyVerdict]:
        await at.follower.follow()
        return [(await at.desk.answer(question(f"90000000{n}"), NOON)).verdict for n in (1, 2, 3)]

    assert (await verdicts())[::2] == [PolicyVerdict.ROOM, PolicyVerdict.ROOM]
    await restored(storage, file, replace=True)
    found = await verdicts()
    assert found[0] is PolicyVerdict.ROOM
    assert found[1] is PolicyVerdict.CLOSED
    assert found[2] not in (PolicyVerdict.ROOM, PolicyVerdict.CLOSED), "the backup does not know it"
    await rooms.ensure(room(3))
    assert (await verdicts())[2] is PolicyVerdict.ROOM, "and changes are followed from there"


@pytest.mark.parametrize("times", [1, 2])
async def test_whoever_followed_an_empty_database_learns_of_a_restore(
    storage: Storage, source: Storage, tmp_path: Path, times: int
) -> None:
    file = await backed_up(source, tmp_path)
    at = counter(RoomFeed(storage), pause=0.001)
    for _ in range(times):
        await at.follower.follow()
        head = await RoomFeed(storage).head()
        await restored(storage, file, replace=True)
        assert await RoomFeed(storage).head() < min(head, 0), "below all that anybody has seen"
        await at.follower.follow()
        assert (await at.desk.answer(question("900000001"), NOON)).verdict is PolicyVerdict.ROOM
        file = await backed_up(storage, tmp_path, f"next-{times}.zip") if times == 1 else file


async def test_the_order_of_changes_stays(source: Storage, storage: Storage, tmp_path: Path) -> None:
    await restored(storage, await backed_up(source, tmp_path))
    told = await RoomFeed(storage).changes(-10_000, 10)
    assert [one.mark for one in told] == [room(1).mark, room(2).mark]


# --- the file -------------------------------------------------------------------------------------------------------


async def test_the_file_is_its_owners_alone_and_never_half_there(source: Storage, tmp_path: Path) -> None:
    file = await backed_up(source, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "part" not in files_in(tmp_path)
    with pytest.raises(FileExistsError):
        await backed_up(source, tmp_path)
    before = file.read_bytes()

    def fail(table: str, _done: int, _every: int) -> None:
        if table == "rooms":
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        await write_backup(source, file, NOON, overwrite=True, progress=fail)
    assert file.read_bytes() == before
    assert "part" not in files_in(tmp_path)
    await write_backup(source, file, NOON + HOUR, overwrite=True)
    with open_backup(file) as backup:
        assert backup.manifest.made_at == NOON + HOUR


async def test_it_says_what_it_is_and_anybody_can_read_it(source: Storage, tmp_path: Path) -> None:
    file = await backed_up(source, tmp_path)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
        (line_,) = archive.read("tables/facts.jsonl").decode().splitlines()
    assert manifest["format"] == "greenroom-backup"
    assert manifest["tables_version"] == shapes.versions()[-1]
    assert manifest["installation"] == "installation-1"
    assert {one["name"]: one["rows"] for one in manifest["tables"]}["meetings"] == 2
    assert json.loads(line_) == [INSTALLATION, "installation-1"]


async def test_rows_that_contradict_each_other_change_nothing(
    storage: Storage, source: Storage, tmp_path: Path
) -> None:
    file = await backed_up(source, tmp_path)
    rewritten(file, "facts", lambda lines: [*lines, *lines])
    await something_everywhere(storage, 5)
    before = await contents(storage)
    with pytest.raises(BackupError, match=r"facts\.jsonl has rows that contradict") as refused:
        await restored(storage, file, replace=True)
    assert "installation-1" not in str(refused.value)
    assert await contents(storage) == before


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_rows(storage: Storage, tmp_path: Path) -> None:
    async with storage.work() as work:
        for start in range(0, 20_000, 1000):
            await work.journal.append([line(number, "seen") for number in range(start, start + 1000)])
    file = tmp_path / "large.zip"
    await write_backup(storage, tmp_path / "warm.zip", NOON)
    tracemalloc.start()
    await write_backup(storage, file, NOON)
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    await restored(storage, file, replace=True)
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(written, read) < 15_000_000, (written, read)
    assert len(await journal_ids(storage)) == 20_000
