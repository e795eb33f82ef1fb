from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greenroom.cli.at_platform import at_platform, at_platform_json
from greenroom.meetings.room import Provision
from greenroom.settings import Settings, load_settings
from greenroom.storage import StoredRoom
from support.house import write_config
from support.join_rooms import room

DUE = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
REF = "/api/admin/configuration/v1/conference/17/"
MANAGEMENT = '[integration.pexip.management]\nurl = "https://m.example.org"\nusername = "u"\npassword = "planted"\n'
POLICY = '[integration.pexip.policy]\nusername = "p"\npassword = "planted"\n'


def settings(folder: Path, *ways: str) -> Settings:
    kind = '[integration.platform]\nkind = "pexip"\n' if ways else ""
    return load_settings(write_config(folder, more=kind + "".join(ways)), {})


def stored(**there: object) -> StoredRoom:
    return StoredRoom(1, room().spec, there=replace(Provision(), **there))  # type: ignore[arg-type]  # named by the test


def test_rooms_that_are_nowhere_but_here_say_nothing(tmp_path: Path) -> None:
    here = settings(tmp_path)
    assert (at_platform(here, stored()), at_platform_json(here, stored())) == ("", None)
    assert at_platform(settings(tmp_path, POLICY), None) == ""


def test_a_room_by_policy_alone_has_no_vmr(tmp_path: Path) -> None:
    assert at_platform(settings(tmp_path, POLICY), stored()).startswith("no VMR: Conferencing Nodes are told")


@pytest.mark.parametrize(("ways", "without_times"), [((MANAGEMENT,), True), ((MANAGEMENT, POLICY), False)])
def test_a_vmr_has_its_number_and_no_times_without_policy(
    tmp_path: Path, ways: tuple[str, ...], *, without_times: bool
) -> None:
    told = at_platform(settings(tmp_path, *ways), stored(ref=REF, told="x"))
    assert told.startswith("VMR 17")
    assert ("can be dialled as long as it is there" in told) is without_times


def test_a_vmr_that_is_not_there_yet_says_when_it_is_looked_after(tmp_path: Path) -> None:
    told = at_platform(settings(tmp_path, MANAGEMENT), stored(due_at=DUE))
    assert told.startswith("no VMR; looked after again at 2026-11-23")


def test_what_failed_at_pexip_is_told(tmp_path: Path) -> None:
    failed = stored(ref=REF, told="", attempts=3, due_at=DUE)
    assert "a change has failed 3 times, tried again at" in at_platform(settings(tmp_path, MANAGEMENT), failed)
    assert at_platform_json(settings(tmp_path, MANAGEMENT), failed) == {
        "ref": REF,
        "failures": 3,
        "due_at": "2026-11-23T13:00:00+00:00",
    }
