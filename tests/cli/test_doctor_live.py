"""What `greenroom doctor` asks before a live test, and what it lets nobody ask for."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from greenroom.cli import main
from greenroom.cli.doctor_live import may_try
from greenroom.settings import load_settings
from support.house import write_config


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--live"], "--live needs one --organizer"),
        (["--live", "--organizer", "a@example.org", "--organizer", "b@example.org"], "--live needs one --organizer"),
        (["--live", "--organizer", "not an address"], "this is not a mail address"),
        (["--organizer", "a@b@c"], "this is not a mail address"),
        (["--live", "--organizer", "rooms@example.org"], "not the equipment mailbox"),
        (["--live", "--organizer", "a@example.org", "--json"], "--live with --json needs --yes"),
        (["--yes"], "--yes goes with --live only"),
        (["--live", "--organizer", "a@example.org", "--patience", "1"], "--patience"),
    ],
    ids=["nobody", "two", "no-address", "odd-address", "mailbox", "json", "yes", "patience"],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", *arguments, "--config", str(write_config(tmp_path))])
    assert result.exit_code == 2
    assert words in result.stderr


def test_where_nobody_sits_nothing_is_sent(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    result = CliRunner().invoke(main, ["doctor", "--live", "--organizer", "a@example.org", "--config", str(file)])
    assert result.exit_code == 0
    assert result.stdout == "Nothing was changed. With --yes it is done.\n"


def test_the_question_says_what_is_made_and_who_is_invited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(question: str, **_options: bool) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr("greenroom.cli.doctor_live.asked", refuse)
    entry = load_settings(write_config(tmp_path), {}).integration[0]
    assert not may_try(entry, "you@example.org", yes=False, as_json=False)
    (question,) = asked
    assert "in the calendar of you@example.org" in question
    assert f"Nobody but {entry.mailbox} is invited" in question
    assert "cancelled and deleted again" in question
