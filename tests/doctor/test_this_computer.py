"""Disks, time zone rules and the database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.database import _file, database_checks, sqlite_file
from greenroom.doctor.disk import Folder, disk_check, folders, network_system
from greenroom.doctor.zone_data import in_use, zones_check
from greenroom.storage import Storage
from support.empty import write_empty
from support.explained import Explained

MOUNTS = """\
21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
36 21 0:32 / /srv/share rw,relatime shared:1 - nfs4 files:/share rw
37 36 0:33 / /srv/share/local\\040disk rw - xfs /dev/sdb rw
38 21 0:34 / /mnt rw - autofs none rw
39 38 0:35 / /mnt rw - cifs //files/x rw
broken line
"""


@pytest.mark.parametrize(
    ("free", "state"),
    [(5 * 10**9, State.WELL), (9 * 10**8, State.NOTE), (10**7, State.WRONG)],
    ids=["much", "little", "none"],
)
async def test_free_space_is_judged(free: int, state: State) -> None:
    (found,) = await disk_check(Folder(Path("/somewhere"), "The database"), free=lambda _: free).look()
    assert found.state is state
    assert (found.mend == "") is (state is State.WELL)


async def test_a_folder_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    (found,) = await disk_check(Folder(tmp_path / "none", "The database")).look()
    assert (found.state, "No such file" in found.what) == (State.WRONG, True)


def test_the_folders_of_database_and_work_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [one.path for one in folders(None)] == [tmp_path]
    assert [one.path for one in folders(Path("greenroom.db"))] == [tmp_path]
    assert [one.path for one in folders(Path("/srv/greenroom.db"))] == [Path("/srv"), tmp_path]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/share/greenroom.db", "nfs4"),
        ("/srv/share/local disk/greenroom.db", ""),
        ("/srv/shared/greenroom.db", ""),
        ("/mnt/greenroom.db", "cifs"),
        ("/var/lib/greenroom.db", ""),
    ],
    ids=["nfs", "over-nfs", "beside", "over-autofs", "root"],
)
def test_network_file_systems_are_known(path: str, kind: str) -> None:
    assert network_system(Path(path), MOUNTS) == kind
    assert network_system(Path(path), "") == ""


@pytest.mark.parametrize(
    ("release", "state"),
    [("2026b", State.WELL), ("2025c", State.WELL), ("2024a", State.NOTE), ("", State.UNKNOWN)],
    ids=["new", "a-year", "old", "untold"],
)
async def test_old_rules_of_time_zones_are_a_note(release: str, state: State) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    (found,) = await zones_check(lambda: now, release=lambda: (release, "/usr/share/zoneinfo")).look()
    assert found.state is state


def test_the_rules_in_use_are_found() -> None:
    release, source = in_use()
    assert release.startswith("20") or release == ""
    assert source


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings}


async def database(file: Path) -> list[Finding]:
    storage = Storage.open(f"sqlite:///{file}")
    try:
        check = database_checks(storage, file, Explained())[0]
        return await check.look()
    finally:
        await storage.close()


async def test_a_database_that_is_well_tells_its_version_and_how_fast_it_is(tmp_path: Path) -> None:
    write_empty(tmp_path / "greenroom.db")
    found = by_name(await database(tmp_path / "greenroom.db"))
    assert found["database"].what.startswith("SQLite 3.")
    assert {one.state for one in found.values()} == {State.WELL}


async def test_a_database_that_is_still_to_be_made_is_a_note_and_its_folder_must_be_there(tmp_path: Path) -> None:
    (found,) = await database(tmp_path / "greenroom.db")
    assert (found.state, found.mend) == (State.NOTE, "greenroom serve")
    (found,) = await database(tmp_path / "none" / "greenroom.db")
    assert (found.state, "There is no folder" in found.what) == (State.WRONG, True)
    assert not (tmp_path / "greenroom.db").exists()


async def test_a_file_that_is_no_database_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "greenroom.db").write_bytes(b"no database" * 1000)
    (found,) = await database(tmp_path / "greenroom.db")
    assert (found.state, found.what) == (State.WRONG, "StorageUnreachableError")


async def test_a_database_on_a_network_file_system_is_wrong_and_a_long_log_a_note(tmp_path: Path) -> None:
    file = tmp_path / "greenroom.db"
    (tmp_path / "greenroom.db-wal").write_bytes(b"x" * 1000)
    (found,) = await _file(file, "it", told=lambda: f"1 1 0:1 / {tmp_path} rw - nfs x rw")
    assert (found.state, "network file system (nfs)" in found.what) == (State.WRONG, True)
    (found,) = await _file(file, "it", told=str, long_log=999)
    assert (found.state, "log of changes" in found.what) == (State.NOTE, True)
    (found,) = await _file(file, "it", told=str)
    assert found.state is State.WELL


def test_only_sqlite_in_a_file_is_a_file() -> None:
    assert sqlite_file("sqlite:////var/lib/greenroom.db") == Path("/var/lib/greenroom.db")
    assert sqlite_file("sqlite:///greenroom.db") == Path("greenroom.db")
    assert sqlite_file("sqlite://") is None
    assert sqlite_file("postgresql://u:p@h/d") is None
