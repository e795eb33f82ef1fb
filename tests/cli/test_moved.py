"""A configuration in which a number goes to another mailbox is not served, until somebody says that it is meant so."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from greenroom.assembly import open_greenroom
from greenroom.cli import main
from greenroom.scheduler.numbers import MixedUpError
from greenroom.settings import load_settings
from support.house import write_config


def test_nothing_is_served_where_a_number_was_another_mailboxs(tmp_path: Path) -> None:
    config = write_config(tmp_path)

    async def open_once() -> None:
        async with open_greenroom(load_settings(config, {})):
            pass

    asyncio.run(open_once())
    right = config.read_text()
    config.write_text(right.replace('name = "main"', 'name = "other"'))
    asyncio.run(open_once())  # a name is only a name
    config.write_text(right.replace("rooms@example.org", "test@example.org"))
    with pytest.raises(MixedUpError):
        asyncio.run(open_once())
    result = CliRunner().invoke(main, ["serve", "--config", str(config)], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert (
        "Number 1 is that of the mailbox rooms@example.org, and the configuration gives it to test@example.org." in said
    )
    assert "greenroom config moved" in said
    assert CliRunner().invoke(main, ["config", "moved", "--yes", "--config", str(config)]).exit_code == 0
    asyncio.run(open_once())


def test_another_number_for_the_same_mailbox_is_to_be_put_back(tmp_path: Path) -> None:
    config = write_config(tmp_path)

    async def open_once() -> None:
        async with open_greenroom(load_settings(config, {})):
            pass

    asyncio.run(open_once())
    config.write_text(config.read_text().replace("number = 1", "number = 2"))
    for command in (["serve"], ["config", "check", "--connect"]):
        result = CliRunner().invoke(main, [*command, "--config", str(config)], env={"COLUMNS": "300"})
        assert result.exit_code != 0
        assert "rooms@example.org has the number 1, and the configuration gives it the number 2." in result.output
        assert "Put the number 1 back" in result.output
    result = CliRunner().invoke(main, ["config", "moved", "--config", str(config)], env={"COLUMNS": "300"})
    assert (result.exit_code, "put the number 1 back" in result.output) == (1, True), result.output
