import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.cli.refused import refusal_sentence
from greenroom.storage import Refused, Storage
from greenroom.web.identity.contract import Refusal
from support.house import fill, write_config
from support.records import NOON

HOSTILE = Refused(1, "7K2M-Q9XD", NOON, "bearer", "audience", "expected api://x, received \x1b[31m[bold]y")
NAMELESS = Refused(0, "7K2M-Q9XD", NOON, "none", "missing")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    fill(tmp_path, [], [], [])
    config = write_config(tmp_path)

    database = next(tmp_path.glob("**/*.db"))

    async def note() -> None:
        storage = Storage.open(f"sqlite:///{database}")
        async with storage.work() as work:
            await work.refusals.note([HOSTILE, NAMELESS])
        await storage.close()

    asyncio.run(note())
    return config


def run(config: Path, *arguments: str) -> Result:
    environment = {"COLUMNS": "160", "TZ": "UTC"}
    return CliRunner().invoke(main, ["explain", *arguments, "--config", str(config)], env=environment)


@pytest.mark.parametrize("name", ["7K2M-Q9XD", "7k2mq9xd"])
def test_a_refused_request_is_found_by_the_id_that_the_person_was_told(config: Path, name: str) -> None:
    result = run(config, name)
    assert result.exit_code == 0, result.output
    assert "An access token was refused: it was made out to somebody else" in result.output
    assert "expected api://x, received" in result.output
    assert "\x1b" not in result.output
    assert "nobody is served without one" in result.output


def test_programs_are_told_too(config: Path) -> None:
    result = run(config, "7K2M-Q9XD", "--json")
    told = json.loads(result.stdout)
    assert told["meetings"] == []
    assert [(one["kind"], one["reason"]) for one in told["refusals"]] == [("bearer", "audience"), ("none", "missing")]


def test_an_id_that_nobody_was_told_is_not_known(config: Path) -> None:
    result = run(config, "7K2M-Q9XE")
    assert result.exit_code == 1
    assert "No meeting is known" in result.output


def test_every_reason_to_refuse_a_token_has_words() -> None:
    for reason in Refusal:
        assert " " in refusal_sentence(Refused(1, "x", NOON, "bearer", reason.value)).partition(": ")[2]


def test_what_is_not_known_is_shown_as_it_is() -> None:
    assert refusal_sentence(Refused(1, "x", NOON, "dream", "sheep", "electric")) == (
        "A request was refused (dream): sheep (electric)."
    )
