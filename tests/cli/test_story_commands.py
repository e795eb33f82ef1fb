import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import JournalEntry, Record, State
from support.house import fill, write_config
from support.join_rooms import JOIN_ID, room

KEY = MeetingKey.of_uid("one@example.org")
OTHER = MeetingKey.of_uid("two@example.org")
START = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
RECORD = Record(
    integration=1,
    key=KEY,
    correlation_id="7K2M-Q9XD",
    state=State.SCHEDULED,
    kind=Kind.SINGLE,
    organizer="ada@example.org",
    ref=ItemRef("item-1"),
    created_at=START - timedelta(days=2),
    updated_at=START - timedelta(days=2),
    span=Span(START, START + timedelta(hours=1)),
    title="Quarterly review (Ada)",
    reason="unticketed",
    alias_number=482915306,
    alias_key=0,
    replied="accept_new_single:abc",
)
DECLINED = replace(
    RECORD, key=OTHER, correlation_id="AAAA-0001", state=State.DECLINED, title="Evil \x1b[31m[bold]title", reason="not-welcome",
    alias_number=None, ref=ItemRef("item-2"), organizer="bob@example.org",
)  # fmt: skip


def entry(step: str, code: str, detail: str = "") -> JournalEntry:
    return JournalEntry(1, KEY, "7K2M-Q9XD", RECORD.created_at, step, code, detail)


JOURNAL = [
    entry("seen", "single", "ticket none"),
    entry("decided", "unticketed", "accept_new_single"),
    entry("room", "created"),
    entry("instructions", "written"),
    entry("replied", "accept_new_single"),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    spec = replace(room().spec, mark=KEY.digest)
    fill(tmp_path, [RECORD, DECLINED], JOURNAL, [spec])
    return write_config(tmp_path)


def run(config: Path, *arguments: str) -> Result:
    environment = {"COLUMNS": "160", "TZ": "UTC"}
    return CliRunner().invoke(main, [*arguments, "--config", str(config)], env=environment)


def found(config: Path, *arguments: str) -> list[str]:
    result = run(config, "meetings", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [meeting["correlation_id"] for meeting in json.loads(result.stdout)["meetings"]]


def test_meetings_are_listed_with_what_matters(config: Path) -> None:
    result = run(config, "meetings")
    assert result.exit_code == 0, result.output
    for word in ("scheduled", "Quarterly review (Ada)", "ada@example.org", "meet482915306", "7K2M-Q9XD", "declined"):
        assert word in result.output


def test_what_people_copy_is_whole_on_a_narrow_terminal_too(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    settings = config.read_text().replace(
        'prefix = "meet"', 'prefix = "meet"\ndomain = "video.a-long-name.example.org"'
    )
    config.write_text(settings)
    output = run(config, "meetings").output
    assert "meet482915306@video.a-long-name.example.org" in output
    assert "7K2M-Q9XD" in output
    assert "scheduled" in output


def test_a_story_is_found_by_what_callers_key_in(config: Path) -> None:
    config.write_text(config.read_text().replace('prefix = "meet"', 'prefix = "meet77"'))
    for said in ("77482915306", "482915306", "meet77482915306", "sip:meet77482915306"):
        result = run(config, "explain", said)
        assert (result.exit_code, "7K2M-Q9XD" in result.output) == (0, True), said
    assert run(config, "explain", "88482915306").exit_code != 0


def test_a_title_cannot_drive_the_terminal(config: Path) -> None:
    output = run(config, "meetings").output
    assert "\x1b" not in output
    assert "[bold]title" in output


def test_meetings_can_be_filtered(config: Path) -> None:
    assert found(config) == ["7K2M-Q9XD", "AAAA-0001"] or found(config) == ["AAAA-0001", "7K2M-Q9XD"]
    assert found(config, "--state", "declined") == ["AAAA-0001"]
    assert found(config, "--organizer", "ADA@example.org") == ["7K2M-Q9XD"]
    assert found(config, "--search", "quarterly") == ["7K2M-Q9XD"]
    assert found(config, "--search", "482915306") == ["7K2M-Q9XD"]
    assert found(config, "--until", "today") == []
    assert len(found(config, "--since", "2000-01-01", "--integration", "main")) == 2


def test_the_list_says_when_there_is_more(config: Path) -> None:
    assert json.loads(run(config, "meetings", "--json", "--limit", "1").stdout)["more"] is True
    assert "There are more" in run(config, "meetings", "--limit", "1").output


def test_json_of_a_meeting_has_utc_times_and_its_alias(config: Path) -> None:
    [meeting] = json.loads(run(config, "meetings", "--json", "--state", "scheduled").stdout)["meetings"]
    assert meeting["start"] == START.isoformat()
    assert (meeting["alias"], meeting["replied"], meeting["integration"]) == (
        "meet482915306",
        "accept_new_single",
        "main",
    )


def test_wrong_filters_are_refused_with_what_is_allowed(config: Path) -> None:
    unknown = run(config, "meetings", "--integration", "mian")
    assert unknown.exit_code == 2
    assert "known: main" in unknown.output
    assert run(config, "meetings", "--since", "yesterdayish").exit_code == 2


@pytest.mark.parametrize(
    "name",
    [
        "7K2M-Q9XD",
        "7k2mq9xd",
        "meet482915306",
        "482915306",
        "sip:MEET482915306",
        KEY.value,
        KEY.value.lower(),
        JOIN_ID,
        f"https://meet.example.org/j/{JOIN_ID}",
    ],
)
def test_a_meeting_is_found_by_every_name_it_has(config: Path, name: str) -> None:
    result = run(config, "explain", "--json", name)
    assert result.exit_code == 0, result.output
    [story] = json.loads(result.stdout)["meetings"]
    assert story["correlation_id"] == "7K2M-Q9XD"


def test_a_story_is_told_in_sentences(config: Path) -> None:
    output = run(config, "explain", "7K2M-Q9XD").output
    for words in (
        "Quarterly review (Ada)",
        f"https://meet.example.org/j/{JOIN_ID}",
        "The meeting has its room.",
        "Seen in the calendar: a single meeting, without a ticket.",
        "policy gives it a room all the same",
        "The room was made.",
        "Joining instructions were written",
        "Replied to the organizer: accepted the meeting.",
    ):
        assert words in " ".join(output.split())
    assert "314159" not in output


def test_a_refusal_comes_with_its_next_step(config: Path) -> None:
    output = " ".join(run(config, "explain", "AAAA-OOO1").output.split())
    assert "The meeting was declined. The organizer is not on the allow lists" in output
    assert "next: Add the organizer or their domain" in output


@pytest.mark.parametrize("name", ["0000-0000", "nothing", "12", "0" * 16, "%", "AB" * 30])
def test_what_is_not_known_exits_with_1_and_says_where_to_look(config: Path, name: str) -> None:
    result = run(config, "explain", name)
    assert result.exit_code == 1
    assert "greenroom meetings --search" in result.output
    assert json.loads(run(config, "explain", "--json", name).stdout) == {"meetings": [], "refusals": []}


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run(write_config(tmp_path), "meetings")
    assert result.exit_code == 3
    assert "next:" in result.output
    assert not (tmp_path / "greenroom.db").exists()
