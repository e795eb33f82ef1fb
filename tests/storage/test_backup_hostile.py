"""A backup may have been made, cut or changed by anybody: what is wrong is told with its place, before anything is changed."""

import asyncio
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenroom.storage import Storage, backup_file, shapes
from greenroom.storage.backup_file import open_backup
from greenroom.storage.backup_format import BackupError, NewerBackupError
from greenroom.storage.sealed import SealError, seal, unseal
from support.forged_backup import Lines, pack, parts_of, rewritten, said_otherwise
from support.kept import backed_up, something_everywhere

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole backup."""
    folder = tmp_path_factory.mktemp("good")

    async def make() -> bytes:
        storage = Storage.open(f"sqlite:///{folder}/source.db")
        await storage.migrate()
        await something_everywhere(storage)
        file = await backed_up(storage, folder)
        await storage.close()
        return file.read_bytes()

    return asyncio.run(make())


@pytest.fixture
def file(good: bytes, tmp_path: Path) -> Path:
    copy = tmp_path / "backup.zip"
    copy.write_bytes(good)
    return copy


def check(file: Path) -> None:
    with open_backup(file) as backup:
        backup.check(lambda _table, _done, _all: None)


def refused(file: Path) -> str:
    with pytest.raises(BackupError) as error:
        check(file)
    assert "Planning" not in str(error.value), "what was stored stands in no error"
    return str(error.value)


def changed(file: Path, table: str, **values: Any) -> None:
    """Write other values into the first row of a table."""
    with open_backup(file) as backup:
        (columns,) = [entry.columns for entry in backup.manifest.tables if entry.name == table]

    def change(lines: Lines) -> Lines:
        row = dict(zip(columns, json.loads(lines[0]), strict=True)) | values
        return [json.dumps(list(row.values())).encode() + b"\n", *lines[1:]]

    rewritten(file, table, change)


def test_a_whole_one_is_fine(file: Path) -> None:
    check(file)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"x" * 5000, b"PK\x05\x06" + bytes(18)], ids=["empty", "short", "other", "nothing"]
)
def test_what_is_no_zip_or_an_empty_one_is_no_backup(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "no backup" in refused(file)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_file_that_breaks_off_is_told(file: Path, good: bytes, part: float) -> None:
    file.write_bytes(good[: int(len(good) * part)])
    assert "no backup" in refused(file)


def test_any_changed_byte_is_noticed_or_does_no_harm(file: Path, good: bytes) -> None:
    for at in range(0, len(good), max(1, len(good) // 50)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            check(file)
        except BackupError:
            continue


def test_a_changed_row_is_told_by_its_sum(file: Path) -> None:
    parts = parts_of(file)
    parts["tables/facts.jsonl"] = parts["tables/facts.jsonl"].replace(b"installation-1", b"installation-2")
    pack(file, parts)
    assert refused(file).startswith("tables/facts.jsonl is damaged: its SHA-256")


@pytest.mark.parametrize("count", [0, 3])
def test_rows_too_few_or_too_many_are_told(file: Path, count: int) -> None:
    parts = parts_of(file)
    (line,) = parts["tables/facts.jsonl"].splitlines(keepends=True)
    parts["tables/facts.jsonl"] = line * count
    pack(file, parts)
    assert "tables/facts.jsonl has" in refused(file)


def test_a_row_that_breaks_off_is_told(file: Path) -> None:
    parts = parts_of(file)
    parts["tables/facts.jsonl"] = parts["tables/facts.jsonl"][:-1]
    pack(file, parts)
    assert refused(file) == "tables/facts.jsonl breaks off in line 1"


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("meetings", {"span_start": 5}, "span_start is not a time"),
        ("meetings", {"span_start": "2026-01-01T00:00:00"}, "span_start is a time without a zone"),
        ("meetings", {"span_start": "yesterday"}, "span_start is not a time"),
        ("meetings", {"title": None}, "title is not text"),
        ("meetings", {"title": ["a"]}, "title is not text"),
        ("meetings", {"title": "\ud800"}, "title is not text that any database takes"),
        ("meetings", {"item_is_message": 1}, "item_is_message is neither true nor false"),
        ("meetings", {"attempts": True}, "attempts is not a whole number that fits"),
        ("meetings", {"attempts": 2**31}, "attempts is not a whole number that fits"),
        ("meetings", {"alias_number": 2**63}, "alias_number is not a whole number that fits"),
        ("meetings", {"alias_number": float("nan")}, "alias_number is not a whole number that fits"),
        ("meetings", {"mark": "m" * 33}, "mark is too long"),
        ("journal", {"id": 2**62}, "id is not a whole number that fits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_of_the_wrong_kind_are_told_with_their_place(
    file: Path, table: str, values: dict[str, Any], said: str
) -> None:
    changed(file, table, **values)
    assert refused(file) == f"tables/{table}.jsonl line 1: {said}"


def test_text_that_is_too_long_for_its_column_is_cut_where_nothing_hangs_on_it(file: Path) -> None:
    changed(file, "addin_refusals", reason="r" * 70)
    with open_backup(file) as backup:
        (entry,) = [one for one in backup.manifest.tables if one.name == "addin_refusals"]
        assert next(backup.rows(entry))["reason"] == "r" * 64


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[[[[" * 100_000, "is not JSON"),
        (b"{}", "is not a list of 2 values"),
        (b"[1]", "is not a list of 2 values"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" + b"9" * 10_000 + b"]", "is not JSON"),
    ],
    ids=["deep", "object", "short", "bytes", "number"],
)
def test_lines_that_are_no_rows_are_told_with_their_place(file: Path, line: bytes, said: str) -> None:
    rewritten(file, "facts", lambda lines: [*lines, line + b"\n"])
    assert refused(file) == f"tables/facts.jsonl line 2 {said}"


def test_a_line_without_end_is_not_read_to_its_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_file, "LONGEST_LINE", 100_000)
    rewritten(file, "facts", lambda lines: [*lines, b"[" + b" " * 10_000_000])
    assert refused(file) == "tables/facts.jsonl line 2 is longer than any row"


def test_what_becomes_too_large_is_not_unpacked(file: Path) -> None:
    parts = parts_of(file)
    parts["tables/facts.jsonl"] = b" " * 100_000_000
    pack(file, parts)
    assert "times as large when unpacked" in refused(file)


def test_a_bomb_that_lies_about_its_size_is_read_no_further(file: Path) -> None:
    parts = parts_of(file)
    parts["tables/facts.jsonl"] = b" " * 20_000_000
    pack(file, parts)
    content = file.read_bytes()
    file.write_bytes(content.replace((20_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert "tables/facts.jsonl" in refused(file)


def test_a_list_of_contents_without_end_is_not_read(file: Path, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_file, "LONGEST_TEXT", 1000)
    assert "its list of contents is too long" in refused(file)
    assert len(good) > 1000


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "tables/../../x", "tables/facts.jsonl ", "C:\\x"])
def test_nothing_but_what_is_known_may_be_in_it(file: Path, name: str) -> None:
    pack(file, parts_of(file) | {name: b"x"})
    assert "parts of the backup are not those" in refused(file)
    assert sorted(one.name for one in file.parent.iterdir()) == ["backup.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_part_may_be_there_twice_or_be_missing(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("tables/facts.jsonl", b"")
    assert "parts of the backup are not those" in refused(file)
    parts = parts_of(file)
    del parts["tables/facts.jsonl"]
    pack(file, parts)
    assert "parts of the backup are not those" in refused(file)


def test_other_ways_of_packing_are_not_taken(file: Path) -> None:
    pack(file, parts_of(file), zipfile.ZIP_LZMA)
    assert "packed in a way that is not known" in refused(file)
    pack(file, parts_of(file), zipfile.ZIP_STORED)
    check(file)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"format": "other"}, "no backup of Greenroom"),
        ({"version": "1"}, "manifest.json: version:"),
        ({"tables_version": "0000"}, "tables_version is none of"),
        ({"tables_version": "x' OR 1"}, "tables_version is none of"),
        ({"tables": []}, "does not name the tables of version"),
        ({"made_at": "2026-01-01T00:00:00"}, "manifest.json: made_at:"),
        ({"keys": True}, "parts of the backup are not those"),
        ({"installation": "i" * 300}, "manifest.json: installation:"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_manifest_that_does_not_fit_is_told(file: Path, said: dict[str, Any], told: str) -> None:
    said_otherwise(file, **said)
    assert told in refused(file)


def test_columns_that_are_not_known_are_told(file: Path) -> None:
    entries = json.loads(parts_of(file)["manifest.json"])["tables"]
    entries[0]["columns"][0] = "other"
    said_otherwise(file, tables=entries)
    assert "does not name the columns of addin_manifests" in refused(file)


@pytest.mark.parametrize("said", [{"version": 2}, {"tables_version": f"{int(shapes.versions()[-1]) + 1:04}"}])
def test_a_backup_of_a_newer_greenroom_is_told_apart(file: Path, said: dict[str, Any]) -> None:
    said_otherwise(file, **said)
    with pytest.raises(NewerBackupError, match="made by a newer Greenroom"):
        check(file)


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"[" * 100_000, b"\xff", b'{"a": NaN}'], ids=["empty", "list", "deep", "bytes", "nan"]
)
def test_a_manifest_that_is_none_is_told(file: Path, manifest: bytes) -> None:
    pack(file, parts_of(file) | {"manifest.json": manifest})
    refused(file)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_what_is_sealed_is_opened_by_its_passphrase_alone() -> None:
    sealed = seal(b"0:secret", "Grün ist alle Theorie")
    assert b"secret" not in sealed
    assert unseal(sealed, "Gru\u0308n ist alle Theorie") == b"0:secret", "typed on another computer"
    with pytest.raises(SealError):
        unseal(sealed, "Grau ist alle Theorie")
    said = json.loads(sealed)
    assert (said["kdf"], said["cipher"]) == ("scrypt", "AES-256-GCM")
    said["data"] = said["data"][:-8] + "AAAAAAA="
    with pytest.raises(SealError):
        unseal(json.dumps(said).encode(), "Grün ist alle Theorie")


def test_a_short_passphrase_seals_nothing() -> None:
    with pytest.raises(ValueError, match="at least 12"):
        seal(b"0:secret", "elevenchars")


@pytest.mark.parametrize(
    "said",
    [
        {"n": 2**30},
        {"n": 2**17 + 1},
        {"n": 2},
        {"r": 1000},
        {"p": 1000},
        {"kdf": "none"},
        {"salt": ""},
        {"nonce": "AAAA"},
        {"data": 5},
    ],
    ids=repr,
)
def test_a_seal_that_asks_for_too_much_or_too_little_is_refused_at_once(said: dict[str, Any]) -> None:
    good = {
        "kdf": "scrypt",
        "n": 2**17,
        "r": 8,
        "p": 1,
        "salt": "A" * 24,
        "cipher": "AES-256-GCM",
        "nonce": "A" * 16,
        "data": "A" * 24,
    }
    with pytest.raises(ValueError, match="not of the form"):
        unseal(json.dumps(good | said).encode(), "long enough for it")
