"""The guard against private content in logs works: a test that lets planted words out fails, whatever way they took."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import planted

TESTS = Path(__file__).parents[1]
LEAKS = {
    "print": "print(planted.SUBJECT)",
    "structlog": "import structlog; structlog.get_logger().info('seen', subject=planted.TEXT)",
    "logging": "import logging; logging.getLogger('x').warning('for %s', planted.NAME)",
    "stderr": "import sys; sys.stderr.write(planted.PASSWORD)",
    "process": "import subprocess, sys; subprocess.run([sys.executable, '-c', f'print({planted.SUBJECT!r})'], check=True)",
}


@pytest.mark.parametrize("workers", ["0", "2"], ids=["alone", "xdist"])
def test_a_test_that_shows_planted_words_fails(workers: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    tests = "\n\n".join(f"def test_{way}():\n    {leak}" for way, leak in LEAKS.items())
    (tmp_path / "test_leaks.py").write_text(f"from support import planted\n\n{tests}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, "-o", f"pythonpath={TESTS}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("that was planted") >= len(LEAKS)
    assert f"{len(LEAKS)} failed" in done.stdout


def test_what_was_found_is_told_without_showing_it_again() -> None:
    assert planted.found_in("nothing here") == []
    assert planted.found_in(f"{planted.NAME} and {planted.TEXT}") == ["a body", "a name"]
