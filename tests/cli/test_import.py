import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from greenroom.cli import main
from greenroom.cli.import_report import warnings_of
from greenroom.cli.import_settings import compared, toml_of
from greenroom.cli.import_words import DETAILS, MEANING, SHORT
from greenroom.meetings.legacy import LegacyAlias, LegacyConnector
from greenroom.scheduler.takeover import Entry, Fate
from support.whole import configure, settings_in

TABLES = """
[integration.pexip]
[integration.pexip.management]
url = "http://127.0.0.1:9"
username = "greenroom"
password = "x"
[integration.pexip.rooms]
theme = "Blue"
"""
CONNECTOR = LegacyConnector(
    "/1/", 'The "old" one', "vmr@sim.test", "88", 6, "old.test", 15, 45, "Blue", "Staff", "disallow_all",
    templates={"conference_name_template": 33, "odd_template": 4},
)  # fmt: skip


class _Nowhere:
    """No Exchange at all."""

    url = ews_url = "http://127.0.0.1:9/EWS/Exchange.asmx"
    login_url = "http://127.0.0.1:9"
    tenant = "t"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configure(tmp_path, _Nowhere(), pexip=TABLES)


def test_settings_of_the_connector_are_lines_of_a_configuration(config: Path) -> None:
    (entry,) = settings_in(config.parent).integration
    told = tomllib.loads(toml_of(entry, CONNECTOR))["integration"]
    assert told == {
        "alias": {"prefix": "88", "digits": 6, "domain": "old.test"},
        "meetings": {"before": 15, "after": 45},
        "pexip": {
            "rooms": {
                "theme": "Blue",
                "host_identity_provider_group": "Staff",
                "non_idp_participants": "disallow_all",
            }
        },
    }
    assert "room_name.txt.j2" in toml_of(entry, CONNECTOR)
    assert [one.name for one in compared(entry, CONNECTOR) if one.same] == ["theme"]


def test_lines_for_the_configuration_can_be_put_into_it(config: Path) -> None:
    (entry,) = settings_in(config.parent).integration
    text = config.read_text().partition("[integration.alias]")
    rest = text[2].partition("[integration.exchange]")
    bare = text[0] + "[integration.exchange]" + rest[2].replace('[integration.pexip.rooms]\ntheme = "Blue"\n', "")
    config.write_text(bare + toml_of(entry, CONNECTOR))
    (changed,) = settings_in(config.parent).integration
    assert all(one.same for one in compared(changed, CONNECTOR))


def test_every_fate_has_its_words() -> None:
    assert set(SHORT) == set(MEANING) == set(Fate)
    assert all(DETAILS.values())


def test_domains_that_are_not_configured_are_warned_of(config: Path) -> None:
    (entry,) = settings_in(config.parent).integration
    alias = LegacyAlias("a", "u", "881@Old.test", "881")
    told = warnings_of(entry, (CONNECTOR,), [Entry(Fate.TAKE, alias=alias)], odd=2, remembers=False)
    assert [next(word for word in ("connector", "old.test", "objects", "database") if word in one) for one in told] == [
        "connector",
        "old.test",
        "objects",
        "database",
    ]
    other = replace(alias, name="881")
    assert not warnings_of(entry, (), [Entry(Fate.TAKE, alias=other)], odd=0, remembers=True)[1:]


def test_without_an_integration_on_pexip_there_is_nothing_to_import_into(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["import", "pexip", "--config", str(configure(tmp_path, _Nowhere()))])
    assert done.exit_code == 2
    assert "platform.kind" in done.output


def test_a_pexip_out_of_reach_is_told_with_exit_code_3(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.platforms.pexip.takeover.TIMES", 1)
    done = CliRunner().invoke(main, ["import", "pexip", "--config", str(config)])
    assert done.exit_code == 3
    assert not (config.parent / "greenroom.db").exists()


def test_printing_a_configuration_goes_alone(config: Path) -> None:
    done = CliRunner().invoke(main, ["import", "pexip", "--print-config", "--yes", "--config", str(config)])
    assert done.exit_code == 2
