"""`greenroom watcher`: who has each mailbox, asked of a mailbox in a box."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from support.simulator import RunningSimulator, running_simulator
from support.watched import mark_of
from support.whole import EQUIPMENT, Spoken, configure, world

WATCHER = "Greenroom-Watcher"


def run(folder: Path, *arguments: str, answer: str | None = None) -> Result:
    command = ["watcher", *arguments, "--config", str(folder / "greenroom.toml")]
    return CliRunner().invoke(main, command, env={"COLUMNS": "120", "TZ": "UTC"}, input=answer)


def told(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = run(folder, "--json", *arguments)
    (one,) = json.loads(result.stdout)["integrations"]
    return result.exit_code, dict(one)


def left_by(simulator: RunningSimulator, ago: timedelta) -> str:
    text = mark_of("b", "1", datetime.now(UTC) - ago, host="far-away").write()
    simulator.exchange.set_folder_property(EQUIPMENT, WATCHER, text)
    return text


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_mailbox_tells_who_has_it_and_is_taken_over_by_order(tmp_path: Path, protocol: Spoken) -> None:
    with running_simulator(world()) as simulator:
        configure(tmp_path, simulator, protocol=protocol)
        result = run(tmp_path)
        assert (result.exit_code, "nobody" in result.output) == (0, True), result.output

        left_by(simulator, timedelta(seconds=20))
        result = run(tmp_path)
        words = " ".join(result.output.split())
        assert result.exit_code == 1
        assert "watched by installation 62000000 on far-away, process 4711, last sign of life" in words
        assert "seconds ago by its own clock" in words

        text = left_by(simulator, timedelta(hours=3))
        assert "it seems to be gone" in " ".join(run(tmp_path).output.split())
        assert "Nothing was changed" in run(tmp_path, "--take").output  # nobody sits here who could be asked
        assert simulator.exchange.folder_properties(EQUIPMENT)[WATCHER] == text
        assert not (tmp_path / "greenroom.db").exists()

        code, one = told(tmp_path, "--take", "--yes")
        assert (code, one["taken"], one["watched_by"]["this_installation"]) == (0, True, True)
        words = " ".join(run(tmp_path).output.split())
        assert "this installation" in words
        assert "seems to be gone" not in words
        assert "nothing to take" in run(tmp_path, "--take", "--yes").output


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with running_simulator(world()) as simulator:
        configure(tmp_path, simulator, mailboxes=[EQUIPMENT, "other@sim.test"])
        assert run(tmp_path, "--take").exit_code == 2
        assert run(tmp_path, "--yes").exit_code == 2
        result = run(tmp_path, "--integration", "nobody")
        assert (result.exit_code, "main-1, main-2" in result.output) == (2, True)
