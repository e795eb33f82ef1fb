"""A short run of the chaos in bench/, and that its comparison would see a difference."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def chaos(*options: str) -> tuple[int, dict[str, Any]]:
    """Run it, and return its exit code and what it told."""
    command = [sys.executable, str(BENCH / "chaos.py"), "--json", "--patience", "120", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    (result,) = json.loads(ended.stdout)
    return ended.returncode, result


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_chaos_is_survived(protocol: str) -> None:
    code, told = chaos("--seed", "1", "--seconds", "20", "--protocol", protocol)
    assert told["differences"] == []
    assert code == 0
    assert told["living"] > 0
    assert told["done"]["killed"] > 0


@pytest.mark.slow
def test_a_room_that_vanished_behind_everybodys_back_is_told_with_the_seed() -> None:
    code, told = chaos("--seed", "3", "--seconds", "6", "--sabotage")
    assert code == 1
    assert told["seed"] == 3
    assert [said for said in told["differences"] if said.endswith("no open room")]


@pytest.mark.slow
def test_the_seed_alone_makes_the_script() -> None:
    _, first = chaos("--seed", "5", "--seconds", "3")
    _, second = chaos("--seed", "5", "--seconds", "3")
    assert first["script"] == second["script"] != []
