"""`greenroom drift`: what it shows, what it asks, what it mends, and how it ends."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import drift as command
from greenroom.cli import main
from greenroom.cli.drift_report import SAID
from greenroom.cli.words import sentence
from greenroom.meetings.record import JournalEntry
from greenroom.recovering import Desk
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.recovery import drift_calendar, drift_rooms, strays
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.mending import MENDED
from greenroom.scheduler.recovery.sweep import ANSWERED, CHANGED, FAILED, SWEPT
from greenroom.storage import RoomStore
from support.colleague import Colleague, in_days
from support.greenroom_at_work import AtWork, Clock, at_work
from support.observations import NOW, observation
from support.records import once, room
from support.whole import EQUIPMENT, ORGANIZER, configure, eventually, serving, simulated_exchange, world

Scene = Callable[[AtWork], Awaitable[None]]


class _Nowhere:
    """No Exchange at all."""

    url = ews_url = "http://127.0.0.1:9/EWS/Exchange.asmx"
    login_url = "http://127.0.0.1:9"
    tenant = "t"


async def quiet(work: AtWork) -> None:
    """One meeting, handled a while ago."""
    work.mailbox.invite(observation())
    await work.settle_quickly()
    work.clock.forward(minutes=10)


async def apart(work: AtWork) -> None:
    """A room got lost, a meeting was missed, and a room stands of which nothing is known."""
    await quiet(work)
    rooms = RoomStore(work.storage, 1, work.clock)
    await rooms.retire(observation().key.digest)
    work.mailbox.put(observation("two"))
    work.mailbox.log.pop()
    now = work.clock()
    assert await rooms.ensure(room(7, admission=once(now, now + timedelta(hours=9))))


async def lost(work: AtWork) -> None:
    """A room got lost."""
    await quiet(work)
    await RoomStore(work.storage, 1, work.clock).retire(observation().key.digest)


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene, *words: str, columns: str = "200") -> Result:
    """Run the command on a Greenroom in this process."""
    clock = Clock()

    @asynccontextmanager
    async def opened(*_given: object, **_more: object) -> AsyncIterator[Desk]:
        async with at_work() as work:
            await scene(work)
            clock.now = work.clock.now
            yield Desk(work.integration, work.storage, lambda: Attendant(work.integration, work.storage, clock))

    @asynccontextmanager
    async def lent(*_given: object, **_more: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(command, "open_recovery", opened)
    monkeypatch.setattr(command, "borrowed", lent)
    monkeypatch.setattr(command, "wall_clock", clock)
    config = configure(tmp_path, _Nowhere())
    return CliRunner(env={"COLUMNS": columns}).invoke(main, ["drift", *words, "--config", str(config)])


def test_every_kind_has_its_words() -> None:
    details = {
        DriftKind.UNKNOWN_MEETING: (drift_calendar.NEW, drift_calendar.CHANGED),
        DriftKind.VANISHED_MEETING: ("",),
        DriftKind.ROOM_MISSING: (drift_rooms.GONE, drift_rooms.BY_POLICY_ALONE),
        DriftKind.ROOM_DIFFERS: (drift_rooms.ALIASES, drift_rooms.TWICE),
        DriftKind.ORPHAN_ROOM: (strays.KNOWN, strays.UNKNOWN),
    }
    assert set(SAID) == {(kind, detail) for kind in DriftKind for detail in details[kind]}


@pytest.mark.parametrize(
    ("step", "code"),
    [(MENDED, kind.value) for kind in DriftKind] + [(SWEPT, code) for code in (CHANGED, ANSWERED, FAILED)],
)
def test_every_line_of_it_in_a_meetings_story_has_a_sentence(step: str, code: str) -> None:
    said = sentence(JournalEntry(1, observation().key, "AAAA-0000", NOW, step, code, ""))
    assert f": {code}" not in said
    assert not said.startswith(("Mended:", "Looked at again:"))


def test_where_nothing_differs_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, quiet)
    assert done.exit_code == 0, done.output
    assert "Nothing differs." in done.output


def test_what_differs_is_shown_with_what_would_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, apart)
    assert done.exit_code == 1, done.output
    for said in ("room missing", "the room is made again", "unknown meeting", "room without meeting", "recover"):
        assert said in done.output
    assert "     1  room-missing" in done.output


def test_at_eighty_columns_every_difference_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, lost, columns="80")
    table = done.stdout.partition("\n\n")[0].splitlines()
    assert (len(table), table[0].split()[:3]) == (2, ["what", "id", "alias"]), done.output
    assert table[1].startswith("room missing")


def test_a_script_gets_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, apart, "--json")
    (told,) = json.loads(done.stdout)["integrations"]
    assert done.exit_code == 1
    assert told["counts"] == {
        "unknown-meeting": 1,
        "vanished-meeting": 0,
        "room-missing": 1,
        "room-differs": 0,
        "orphan-room": 1,
    }
    assert (told["mended"], told["left"], told["rooms_told"], told["waiting"]) == (None, 3, True, 0)
    assert {one["kind"] for one in told["differences"]} == {"unknown-meeting", "room-missing", "orphan-room"}


def test_mending_leaves_what_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, apart, "--mend", "--yes")
    assert done.exit_code == 1, done.output
    assert "2 mended, 1 left." in done.output


def test_mending_all_of_it_ends_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(tmp_path, monkeypatch, lost, "--mend", "--yes", "--json")
    (told,) = json.loads(done.stdout)["integrations"]
    assert (done.exit_code, told["mended"], told["left"]) == (0, 1, 0)


@pytest.mark.parametrize("words", [("--mend",), ("--mend", "--json")], ids=["text", "json"])
def test_nothing_is_mended_where_nobody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    done = run(tmp_path, monkeypatch, lost, *words)
    assert done.exit_code == 1
    assert "mended, " not in done.output


def test_what_was_found_last_and_a_new_comparison_go_apart(tmp_path: Path) -> None:
    config = configure(tmp_path, _Nowhere())
    done = CliRunner().invoke(main, ["drift", "--last", "--mend", "--config", str(config)])
    assert done.exit_code == 2


def test_without_a_database_the_way_is_recover(tmp_path: Path) -> None:
    config = configure(tmp_path, _Nowhere())
    done = CliRunner().invoke(main, ["drift", "--config", str(config)])
    assert done.exit_code == 1
    assert "greenroom recover" in done.output
    assert not (tmp_path / "greenroom.db").exists()


def test_an_integration_that_is_not_there_is_told(tmp_path: Path) -> None:
    config = configure(tmp_path, _Nowhere())
    assert CliRunner().invoke(main, ["drift", "--integration", "x", "--config", str(config)]).exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_running_service_lends_its_mailbox_for_mending(tmp_path: Path, protocol: str) -> None:
    def greenroom(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "greenroom", *words, "--config", str(tmp_path / "greenroom.toml")]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=240, env=env)

    def sql(text: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(tmp_path / "greenroom.db", timeout=10)) as file, file:
            return list(file.execute(text))

    with simulated_exchange(tmp_path, world("auto_update")) as exchange:
        olga = Colleague.at(exchange.ews_url, ORGANIZER, EQUIPMENT)
        with serving(tmp_path, exchange, protocol=protocol):  # type: ignore[arg-type]  # one of the two
            for number in range(3):
                olga.invite(f"Planning {number}", in_days(1 + number))
            eventually(lambda: len(exchange.answers()) == 3, seconds=60)
            assert greenroom("drift").returncode == 0
            sql("UPDATE rooms SET retired_at = '2020-01-01 00:00:00.000000'")

            def found() -> subprocess.CompletedProcess[str]:
                # What was touched a moment ago is left out, and the service may still have been at it.
                sql("UPDATE meetings SET updated_at = '2020-01-01 00:00:00.000000'")
                return greenroom("drift", "--json")

            eventually(lambda: found().returncode == 1, seconds=60)
            assert json.loads(found().stdout)["integrations"][0]["counts"]["room-missing"] == 3
            done = greenroom("drift", "--mend", "--yes")
            assert (done.returncode, "3 mended, 0 left." in done.stdout) == (0, True), done.stdout + done.stderr
            assert sql("SELECT count(*) FROM rooms WHERE retired_at IS NULL") == [(3,)]
            assert len(exchange.answers()) == 3
            last = greenroom("drift", "--last")
            assert (last.returncode, "Nothing differs." in last.stdout) == (0, True), last.stdout + last.stderr
            olga.invite("Planning at last", in_days(5))
            eventually(lambda: len(exchange.answers()) == 4, seconds=90)
            swept = greenroom("sweep", "--since", "2h", "--json")
            told = json.loads(swept.stdout)["integrations"][0]
            assert (swept.returncode, told["looked_at"], told["changed"], told["failed"]) == (0, 4, 0, [])
            assert len(exchange.answers()) == 4
