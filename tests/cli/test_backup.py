"""`greenroom backup` and `greenroom restore`, as an administrator calls them."""

import asyncio
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.scheduler.watch_book import fact_of
from greenroom.storage import Storage
from support.forged_backup import rewritten, said_otherwise
from support.house import KEY, fill, write_config
from support.kept import contents, lasting, something_everywhere
from support.records import full_record

BOX = "rooms@example.org"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    async def store(storage: Storage) -> None:
        await storage.migrate()
        await something_everywhere(storage)

    config = write_config(tmp_path)
    with_storage(config, store)
    return config


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The configuration of a machine that has nothing yet."""
    (tmp_path / "elsewhere").mkdir()
    return write_config(tmp_path / "elsewhere")


@pytest.fixture
def phrase(tmp_path: Path) -> Path:
    file = tmp_path / "phrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


def with_storage(config: Path, work: Callable[[Storage], Any]) -> Any:
    async def run() -> Any:
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        try:
            return await work(storage)
        finally:
            await storage.close()

    return asyncio.run(run())


def run(config: Path, command: str, *arguments: object) -> Result:
    environment = {"COLUMNS": "200", "TZ": "UTC"}
    given = [command, *(str(one) for one in arguments), "--config", str(config)]
    return CliRunner().invoke(main, given, env=environment)


def told(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def refused(config: Path, *arguments: object, command: str = "restore", exit_code: int = 1) -> str:
    """The code of what was wrong."""
    result = run(config, command, *arguments, "--json")
    assert result.exit_code == exit_code, result.output
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    return str(answer["failure"]["code"])


def test_what_is_backed_up_comes_back_on_another_machine(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    said = told(run(config, "backup", file))
    assert "2 meetings, 2 rooms, 1 reservation;" in said
    assert "It holds mail addresses, titles and PINs" in said
    assert "The ticket keys are not in it" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = told(run(elsewhere, "restore", file))
    assert "rows restored" in said
    assert "`greenroom recover`" in said
    assert lasting(with_storage(elsewhere, contents)) == lasting(with_storage(config, contents))


def test_json_tells_what_was_done(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    made = json.loads(run(config, "backup", file, "--json").stdout)
    assert (made["ok"], made["keys"], made["installation"]) == (True, False, "installation-1")
    assert made["tables"]["meetings"] == 2
    assert made["bytes"] == file.stat().st_size
    back = json.loads(run(elsewhere, "restore", file, "--json").stdout)
    assert (back["restored"], back["replaced"], back["rows"]) == (True, False, made["rows"])
    again = json.loads(run(elsewhere, "restore", file, "--replace", "--yes", "--json").stdout)
    assert again["replaced"] is True


def test_a_file_that_is_there_is_not_overwritten_without_being_told_to(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    file.write_text("something else")
    assert refused(config, file, command="backup") == "file-exists"
    assert file.read_text() == "something else"
    told(run(config, "backup", file, "--force"))
    assert file.read_bytes()[:2] == b"PK"
    assert refused(config, tmp_path / "none" / "x.zip", command="backup", exit_code=3) == "backup-not-written"


def test_there_is_nothing_to_back_up_where_nothing_was_stored(elsewhere: Path, tmp_path: Path) -> None:
    assert refused(elsewhere, tmp_path / "b.zip", command="backup", exit_code=3) == "database-unreachable"
    assert not (tmp_path / "b.zip").exists()


def test_a_filled_database_is_replaced_only_when_that_was_said_and_meant(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    told(run(config, "backup", file))
    fill(tmp_path, [full_record(77)])
    before = with_storage(config, contents)
    assert refused(config, file) == "database-not-empty"
    assert refused(config, file, "--replace") == "not-confirmed"
    assert "Nothing was changed" in told(run(config, "restore", file, "--replace"), 1)
    assert with_storage(config, contents) == before
    told(run(config, "restore", file, "--replace", "--yes"))
    assert len(with_storage(config, contents)["meetings"]) == 2


def test_nothing_is_restored_while_a_service_runs(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    told(run(config, "backup", file))
    now = datetime.now(UTC)

    async def claim(storage: Storage) -> None:
        async with storage.work() as work:
            await work.mailboxes.claim(BOX, "host-7 process 12", now, now + timedelta(minutes=2))

    with_storage(config, claim)
    said = told(run(config, "restore", file, "--replace", "--yes"), 1)
    assert f"{BOX} is attended by host-7 process 12" in said
    assert "Stop it first" in said
    assert refused(config, file, "--replace", "--yes") == "database-in-use"


def test_the_mark_of_the_process_that_was_backed_up_is_forgotten(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    async def note(storage: Storage) -> None:
        async with storage.work() as work:
            await work.facts.put(fact_of(BOX), "{}")

    with_storage(config, note)
    told(run(config, "backup", tmp_path / "b.zip"))
    told(run(elsewhere, "restore", tmp_path / "b.zip"))
    assert [row["name"] for row in with_storage(elsewhere, contents)["facts"]] == ["installation"]


def test_a_damaged_or_newer_backup_changes_nothing(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    told(run(config, "backup", file))
    before = with_storage(config, contents)
    whole = file.read_bytes()
    said_otherwise(file, tables_version="9999")
    assert refused(config, file, "--replace", "--yes") == "backup-newer"
    file.write_bytes(whole)
    rewritten(file, "meetings", lambda lines: [*lines, b"[]\n"])
    said = told(run(config, "restore", file, "--replace", "--yes"), 1)
    assert (
        "Tables/meetings.jsonl line 3 is not a list of" in said
        or "tables/meetings.jsonl line 3 is not a list of" in said
    )
    assert refused(config, tmp_path / "none.zip", exit_code=2) == "backup-unreadable"
    assert with_storage(config, contents) == before


# --- keys -----------------------------------------------------------------------------------------------------------


def test_keys_go_in_encrypted_and_come_out_before_the_configuration_needs_them(
    config: Path, tmp_path: Path, phrase: Path
) -> None:
    file, keys = tmp_path / "full.zip", tmp_path / "ticket-keys"
    said = told(run(config, "backup", file, "--with-keys", "--passphrase-file", phrase))
    assert "The ticket keys are in it, encrypted" in said
    assert KEY.encode() not in file.read_bytes()
    # The machine is lost, and with it the file that its configuration names.
    inline = f'ticket_keys = [{{ id = 0, key = "{KEY}" }}]'
    config.write_text(config.read_text().replace(inline, 'ticket_keys_file = "ticket-keys"'))
    assert run(config, "restore", file, "--replace", "--yes").exit_code == 2
    said = told(run(config, "restore", file, "--keys-to", keys, "--passphrase-file", phrase, "--replace", "--yes"))
    assert f'integration "main": ticket_keys_file = "{keys}"' in said
    assert "rows restored" in said
    assert KEY not in said
    assert keys.read_text() == f"0:{KEY}\n"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    again = run(config, "restore", file, "--keys-to", keys, "--only-keys", "--passphrase-file", phrase)
    assert "The same ticket keys are in" in told(again)


def test_what_keeps_keys_from_coming_out_is_said(config: Path, tmp_path: Path, phrase: Path) -> None:
    file, keys, bare = tmp_path / "full.zip", tmp_path / "ticket-keys", tmp_path / "bare.zip"
    told(run(config, "backup", bare))
    told(run(config, "backup", file, "--with-keys", "--passphrase-file", phrase))
    only = ("--keys-to", keys, "--only-keys", "--passphrase-file", phrase)
    assert refused(config, bare, *only) == "no-keys"
    keys.write_text("0:another\n")
    assert refused(config, file, *only) == "keys-file-exists"
    assert keys.read_text() == "0:another\n"
    phrase.write_text("something else entirely")
    keys.unlink()
    assert refused(config, file, *only) == "passphrase"
    assert not keys.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"short", "at least 12 characters"), (b"\xff" * 20, "not text"), (b"x" * 5000, "too large")],
    ids=["short", "bytes", "large"],
)
def test_a_passphrase_that_is_none_is_refused(config: Path, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "phrase"
    file.write_bytes(content)
    result = run(config, "backup", tmp_path / "b.zip", "--with-keys", "--passphrase-file", file)
    assert said in told(result, 2)
    assert not (tmp_path / "b.zip").exists()


def test_nobody_is_asked_for_a_passphrase_where_nobody_sits(config: Path, tmp_path: Path) -> None:
    said = told(run(config, "backup", tmp_path / "b.zip", "--with-keys"), 2)
    assert "--passphrase-file" in said
    assert "goes with --with-keys" in told(run(config, "backup", tmp_path / "b.zip", "--passphrase-file", "x"), 2)


def test_keys_that_the_configuration_lacks_are_missed_after_a_restore(
    config: Path, elsewhere: Path, tmp_path: Path
) -> None:
    told(run(config, "backup", tmp_path / "b.zip"))  # a meeting in it was made with key 1
    said = told(run(elsewhere, "restore", tmp_path / "b.zip"))
    assert (
        'Integration "main": what lives was made with key 1 (1 meetings), which the configuration does not have' in said
    )


def test_a_backup_of_another_mailbox_is_noticed(config: Path, elsewhere: Path, tmp_path: Path) -> None:
    async def note(storage: Storage) -> None:
        async with storage.work() as work:
            await work.facts.put("mailbox-of:1", "other@example.org")

    with_storage(config, note)
    told(run(config, "backup", tmp_path / "b.zip"))
    said = told(run(elsewhere, "restore", tmp_path / "b.zip"))
    assert "Number 1 is that of the mailbox other@example.org" in said
    assert "greenroom config moved" in said
    result = CliRunner().invoke(main, ["config", "moved", "--json", "-c", str(elsewhere)])
    assert (result.exit_code, json.loads(result.stdout)["failure"]["code"]) == (1, "not-confirmed")
    result = CliRunner().invoke(main, ["config", "moved", "--yes", "-c", str(elsewhere)])
    assert "It is so from now on." in told(result)
    result = CliRunner().invoke(main, ["config", "moved", "-c", str(elsewhere)])
    assert "Every number belongs to its mailbox" in told(result)
