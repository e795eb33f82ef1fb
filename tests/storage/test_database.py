import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from greenroom.storage import (
    BadUrlError,
    Storage,
    StorageBusyError,
    StorageError,
    StorageSignInError,
    StorageUnreachableError,
    StorageVersionError,
)
from greenroom.storage.errors import StorageNotPreparedError
from greenroom.storage.schema import metadata
from support.records import HOUR, NOON, bare_record, full_record, line, meeting_key


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def child(script: str, url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", script, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def save_cursor(storage: Storage, cursor: str) -> None:
    async with storage.work() as work:
        await work.mailboxes.save_cursor("room@example.com", cursor)


async def cursor(storage: Storage, address: str = "room@example.com") -> str:
    async with storage.reading() as work:
        return (await work.mailboxes.get(address)).cursor


async def test_the_migrations_lead_to_the_tables_the_code_knows(storage: Storage) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, metadata)
        return found

    async with storage._engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(storage: Storage) -> None:
    async with storage.work() as work:
        await work.mailboxes.save_cursor("room@example.com", "c1")
    await storage.migrate()
    await storage.check()
    assert await cursor(storage) == "c1"


async def test_many_may_migrate_at_once(url: str) -> None:
    storages = [Storage.open(url) for _ in range(6)]
    await asyncio.gather(*(storage.migrate() for storage in storages))
    for storage in storages:
        await storage.check()
        await storage.close()


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(25):  # SQLite is busy in one of thirty such moments
        storages = [Storage.open(f"sqlite:///{tmp_path}/{number}.db") for _ in range(6)]
        (tmp_path / f"{number}.db").touch()
        found = await asyncio.gather(*(storage.check() for storage in storages), return_exceptions=True)
        assert {type(error) for error in found} == {StorageNotPreparedError}  # not StorageBusyError
        for storage in storages:
            await storage.close()


async def test_a_database_of_a_newer_greenroom_is_refused(storage: Storage) -> None:
    async with storage._engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageVersionError, match="newer Greenroom"):
        await storage.migrate()
    with pytest.raises(StorageVersionError, match="newer Greenroom"):
        await storage.check()


async def test_a_database_without_tables_is_told(url: str, tmp_path: Path) -> None:
    (tmp_path / "greenroom.db").touch()
    storage = Storage.open(url)
    with pytest.raises(StorageVersionError):
        await storage.check()
    with pytest.raises(StorageVersionError, match="tables are missing"):
        await cursor(storage)
    await storage.close()


async def test_a_work_that_fails_leaves_nothing(storage: Storage) -> None:
    async def fail() -> None:
        async with storage.work() as work:
            await work.meetings.save([full_record()])
            await work.journal.append([line(1, "seen")])
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with storage.reading() as work:
        assert await work.meetings.search() == []
        assert await work.journal.of_meeting(1, meeting_key(1)) == []


async def test_a_cancelled_work_leaves_nothing_and_blocks_nobody(storage: Storage) -> None:
    begun = asyncio.Event()

    async def work_forever() -> None:
        async with storage.work() as work:
            await work.meetings.save([full_record()])
            begun.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(work_forever())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5), storage.work() as work:
        assert await work.meetings.search() == []


async def test_works_cancelled_at_any_moment_do_no_harm(storage: Storage) -> None:
    async def one(number: int) -> None:
        async with storage.work() as work:
            await work.meetings.save([bare_record(number)])
            await work.journal.append([line(number, "seen")])

    async def half(number: int) -> None:
        task = asyncio.create_task(one(number))
        await asyncio.sleep(number * 0.0003)
        task.cancel()
        await asyncio.wait([task])

    async with asyncio.timeout(30):
        await asyncio.gather(*(half(number) for number in range(60)))
        await one(1000)
    async with storage.reading() as work:
        records = await work.meetings.search(limit=1000)
        for record in records:
            assert len(await work.journal.of_meeting(1, record.key)) == 1
    assert "C001000" in {record.correlation_id for record in records}


async def test_two_works_in_one_task_are_refused_instead_of_waiting_for_ever(storage: Storage) -> None:
    async with storage.work():
        with pytest.raises(RuntimeError, match="already open"):
            async with storage.work():
                pass
        with pytest.raises(RuntimeError, match="already open"):
            async with storage.reading():
                pass
    assert await cursor(storage) == ""


async def test_writers_take_turns_and_none_is_lost(storage: Storage) -> None:
    async def count() -> None:
        async with storage.work() as work:
            before = (await work.mailboxes.get("room@example.com")).cursor
            await work.mailboxes.save_cursor("room@example.com", f"{int(before or 0) + 1}")

    if "postgresql" in storage._url.drivername:
        pytest.skip("PostgreSQL lets two read before one writes; the queue keeps a mailbox to one attendant")
    await asyncio.gather(*(count() for _ in range(40)))
    assert await cursor(storage) == "40"


async def test_a_reader_waits_for_no_writer(storage: Storage) -> None:
    async with storage.work() as work:
        await work.mailboxes.save_cursor("room@example.com", "c1")
        async with asyncio.timeout(5):
            assert await asyncio.create_task(cursor(storage)) == ""
    assert await cursor(storage) == "c1"


async def test_reading_cannot_write(storage: Storage) -> None:
    with pytest.raises(StorageError):
        async with storage.reading() as work:
            await work.mailboxes.save_cursor("room@example.com", "c1")
    assert await cursor(storage) == ""


async def test_two_batches_in_opposite_order_do_not_block_each_other(storage: Storage) -> None:
    records = [bare_record(number) for number in range(200)]

    async def save(order: int) -> None:
        async with storage.work() as work:
            await work.meetings.save(records[::order])

    async with asyncio.timeout(30):
        await asyncio.gather(*(save(order) for _ in range(4) for order in (1, -1)))


async def test_no_error_shows_what_was_to_be_stored(storage: Storage) -> None:
    secret = full_record(title="Takeover of Initech", correlation_id=None)
    with pytest.raises(StorageError) as raised:
        async with storage.work() as work:
            await work.meetings.save([secret])
    assert "Initech" not in str(raised.value)
    assert raised.value.__suppress_context__


async def test_what_is_in_memory_survives_a_cancelled_work() -> None:
    storage = Storage.open("sqlite://")
    await storage.migrate()

    async def save(number: int) -> None:
        async with storage.work() as work:
            await work.meetings.save([bare_record(number)])

    for number in range(30):
        task = asyncio.create_task(save(number))
        await asyncio.sleep(number * 0.0002)
        task.cancel()
        await asyncio.wait([task])
        await storage.check()
    await save(0)
    await storage.close()


async def test_memory_is_a_database_too() -> None:
    storage = Storage.open("sqlite:///:memory:")
    await storage.migrate()

    async def one(number: int) -> None:
        async with storage.work() as work:
            await work.meetings.save([bare_record(number)])
        async with storage.reading() as work:
            assert len(await work.meetings.search()) > 0

    await asyncio.gather(*(one(number) for number in range(10)))
    async with storage.reading() as work:
        assert len(await work.meetings.search()) == 10
    await storage.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "greenroom.db",
        "mysql://root:sesame@host/db",
        "postgresql://host",
        "sqlite://greenroom.db",
        "sqlite:///a.db?mode=memory",
        "postgresql://user:sesame@host:port/db",
        "sesame://sesame:sesame@sesame",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(BadUrlError) as raised:
        Storage.open(url)
    assert ":sesame" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_file_in_a_strange_folder_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "50% off #1 ümläut"
    folder.mkdir()

    async def play() -> None:
        storage = Storage.open(f"sqlite:///{folder}/green room.db")
        await storage.migrate()
        await storage.close()

    asyncio.run(play())
    assert (folder / "green room.db").exists()


async def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    await storage.migrate()
    assert {stat.S_IMODE(file.stat().st_mode) for file in files(tmp_path)} == {0o600}
    await storage.close()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/nowhere/greenroom.db")
    with pytest.raises(StorageUnreachableError, match="nowhere"):
        await storage.migrate()
    with pytest.raises(StorageUnreachableError, match="nowhere"):
        await storage.check()
    await storage.close()


async def test_looking_at_a_missing_file_does_not_create_it(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    with pytest.raises(StorageUnreachableError):
        await storage.check()
    assert files(tmp_path) == []
    await storage.close()


async def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "greenroom.db").write_text("no database at all " * 100)
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    with pytest.raises(StorageUnreachableError, match="not an SQLite database"):
        await storage.migrate()
    await storage.close()


async def test_a_file_somebody_else_keeps_locked_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.storage.engine.BUSY_SECONDS", 0.2)
    storage = Storage.open(f"sqlite:///{tmp_path}/greenroom.db")
    await storage.migrate()
    other = sqlite3.connect(tmp_path / "greenroom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusyError):
        async with storage.work():
            pass
    other.execute("ROLLBACK")
    async with storage.work() as work:
        await work.mailboxes.save_cursor("room@example.com", "c1")
    other.close()
    await storage.close()


async def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from greenroom.storage import Storage

        async def play():
            storage = Storage.open(sys.argv[1])
            await storage.migrate()
            for number in range(100_000):
                async with storage.work() as work:
                    await work.mailboxes.save_cursor("room@example.com", str(number))
                print(number, flush=True)

        asyncio.run(play())
    """)
    url = f"sqlite:///{tmp_path}/greenroom.db"
    writer = child(script, url)
    assert writer.stdout is not None
    for printed in writer.stdout:
        if int(printed) >= 50:
            break
    writer.send_signal(signal.SIGKILL)
    last = max([50, *(int(text) for text in writer.communicate()[0].split())])

    storage = Storage.open(url)
    await storage.migrate()
    assert int(await cursor(storage)) in {last, last + 1}
    async with storage.work() as work:
        assert await work.mailboxes.claim("room@example.com", "a", NOON, NOON + HOUR)
    await storage.close()


@pytest.mark.slow
async def test_two_processes_may_create_a_database_at_once(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from greenroom.storage import Storage as S; asyncio.run(S.open(sys.argv[1]).migrate())"
    )
    url = f"sqlite:///{tmp_path}/greenroom.db"
    children = [child(script, url) for _ in range(3)]
    assert [(child.communicate(), child.returncode) for child in children] == [(("", ""), 0)] * 3


async def test_a_port_where_nothing_answers_is_told_without_the_password() -> None:
    storage = Storage.open("postgresql://user:sesame@127.0.0.1:1/db")
    with pytest.raises(
        StorageUnreachableError, match=r"db at 127\.0\.0\.1:1 does not answer \(connection refused\)"
    ) as raised:
        await storage.migrate()
    assert "sesame" not in str(raised.value)
    await storage.close()


@pytest.mark.postgres
async def test_a_database_that_does_not_exist_is_told(postgres_url: str) -> None:
    storage = Storage.open(postgres_url.replace("/test_", "/missing_"))
    with pytest.raises(StorageSignInError, match=r"missing_.* does not exist"):
        await storage.check()
    await storage.close()


@pytest.mark.postgres
async def test_an_unknown_user_is_told(postgres_url: str) -> None:
    storage = Storage.open(postgres_url.replace("postgres:", "nobody:sesame", 1))
    with pytest.raises(StorageSignInError, match="refuses the user or the password") as raised:
        await storage.check()
    assert "sesame" not in str(raised.value)
    await storage.close()


@pytest.mark.postgres
async def test_a_connection_that_was_cut_is_busy_once_and_then_made_anew(postgres_url: str) -> None:
    storage, other = Storage.open(postgres_url), Storage.open(postgres_url)
    await storage.migrate()

    async def work() -> None:
        async with storage.work() as work:
            async with other._engine.connect() as connection:
                await connection.execute(cut)
            await work.mailboxes.save_cursor("room@example.com", "c1")

    cut = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with pytest.raises(StorageBusyError):
        await work()
    assert await cursor(storage) == ""
    await other.close()
    await storage.close()
