"""The log's form: a line is a line, whatever an error's text quotes."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from greenroom.cli.logs import configure_logs

HOSTILE = "bad\n2031-01-01T00:00:00Z [error    ] forged \x1b[31m \x9b31m \u202e"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    kept, before, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**kept)
    logging.root.handlers[:], logging.root.level = before, level


@pytest.mark.parametrize("form", ["console", "json"])
def test_nothing_hostile_forges_a_line_or_drives_a_terminal(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", form)
    structlog.get_logger("x").info(HOSTILE, code=HOSTILE)
    logging.getLogger("x").warning("%s", HOSTILE)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 2
    assert not {"\x1b", "\x9b", "\u202e"} & set(written)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_keeps_its_lines_and_loses_what_drives_a_terminal(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", form)
    try:
        int(HOSTILE)
    except ValueError:
        structlog.get_logger("x").exception("failed")
    written = capsys.readouterr().err
    assert "Traceback (most recent call last)" in written
    assert not {"\x1b", "\x9b", "\u202e"} & set(written)
