"""`greenroom meetings` and `greenroom explain` where meetings recur."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.meetings.admission import Admission
from greenroom.meetings.meeting import Kind, MeetingKey, Span
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import Daily, Rule
from greenroom.meetings.zones import Zone
from support.house import fill, write_config
from support.join_rooms import room
from support.records import DAY, HOUR, bare_record

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
NEXT = TODAY + 3 * DAY + 10 * HOUR
"""When the next occurrence is; the series takes place every ten days."""
FIRST = NEXT - 100 * DAY


def every_ten_days(start: datetime = FIRST, **rule: Any) -> Series:
    return Series(Rule(Daily(10), start.date(), **rule), start.time(), HOUR, Zone("UTC"))


def record(number: int, series: Series | None = None, start: datetime = FIRST, **changes: Any) -> Record:
    """An accepted meeting with an alias; a series where one is given."""
    told: dict[str, Any] = {
        "state": State.SCHEDULED,
        "kind": Kind.SINGLE if series is None else Kind.SERIES,
        "correlation_id": f"AAAA-000{number}",
        "span": Span(start, start + HOUR),
        "series": series,
        "title": f"Meeting {number}",
        "alias_number": 100_000_000 + number,
        "created_at": FIRST - DAY,
    }
    return bare_record(number, **(told | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run(folder: Path, *arguments: str, columns: int = 160) -> Result:
    environment = {"COLUMNS": str(columns), "TZ": "UTC"}
    result = CliRunner().invoke(main, [*arguments, "--config", str(write_config(folder))], env=environment)
    assert result.exit_code == 0, result.output
    return result


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(folder, "meetings", "--json", *arguments).stdout)["meetings"]
    return found


def ids(folder: Path, *arguments: str) -> list[str]:
    return [one["correlation_id"][-1] for one in listed(folder, *arguments)]


def told(folder: Path, name: str) -> str:
    return " ".join(run(folder, "explain", name).output.split())


def test_a_series_is_listed_by_its_next_occurrence(folder: Path) -> None:
    fill(folder, [record(1, every_ten_days()), record(2, start=NEXT - DAY), record(3, start=NEXT + DAY)])
    assert ids(folder) == ["2", "1", "3"]
    assert ids(folder, "--limit", "2") == ["2", "1"]
    output = run(folder, "meetings").output
    assert f"{NEXT:%Y-%m-%d %H:%M}" in output
    assert f"{FIRST:%Y-%m-%d}" not in output


def test_a_series_is_in_a_time_only_with_an_occurrence(folder: Path) -> None:
    fill(folder, [record(1, every_ten_days()), record(2, every_ten_days(until=(NEXT - 10 * DAY).date()))])
    assert ids(folder, "--since", "now") == ["1"]
    assert sorted(ids(folder, "--until", f"{NEXT.date()}")) == ["1", "2"]
    assert ids(folder, "--since", f"{(NEXT + DAY).date()}", "--until", f"{(NEXT + 9 * DAY).date()}") == []
    assert ids(folder, "--since", f"{(NEXT + DAY).date()}") == ["1"]
    assert ids(folder, "--search", "meeting") == ["2", "1"]


def test_json_tells_the_rule_and_what_comes_next(folder: Path) -> None:
    gone = frozenset({NEXT.date()})
    moved = (Moved((NEXT - 10 * DAY).date(), NEXT - 11 * DAY, NEXT - 11 * DAY + HOUR),)
    series = replace(every_ten_days(count=20), gone=gone, moved=moved)
    fill(folder, [record(1, series), record(2, start=NEXT)])
    first, second = sorted(listed(folder), key=lambda one: one["correlation_id"])
    assert first["series"] == {
        "rule": "FREQ=DAILY;INTERVAL=10;COUNT=20",
        "zone": "UTC",
        "next_opens": (NEXT + 10 * DAY - HOUR / 2).isoformat(),
        "next_start": (NEXT + 10 * DAY).isoformat(),
        "until": (FIRST + 190 * DAY + HOUR).isoformat(),
        "exceptions": 2,
    }
    assert first["start"] == FIRST.isoformat()
    assert second["series"] is None


def test_a_series_that_is_over_has_nothing_next(folder: Path) -> None:
    fill(folder, [record(1, every_ten_days(count=2), state=State.ENDED)])
    [one] = listed(folder, "--state", "ended")
    assert one["series"]["next_start"] is None
    assert f"{FIRST + 10 * DAY:%Y-%m-%d %H:%M}" in run(folder, "meetings", "--state", "ended").output
    assert "nothing more; the last one ended" in told(folder, "AAAA-0001")


def endless(folder: Path) -> None:
    reviewed = JournalEntry(1, record(2).key, "AAAA-0002", TODAY - 5 * DAY, "decided", "review")
    records = [
        record(1, every_ten_days(), review_at=TODAY + 90 * DAY),
        record(2, every_ten_days(), review_at=TODAY + 30 * DAY, title="Standing \x1b[31mone"),
        record(3, every_ten_days(count=900), span=Span(FIRST, FIRST + HOUR, until=FIRST + 8990 * DAY)),
        record(4, start=NEXT),
        record(5, every_ten_days(), state=State.ENDED),
    ]
    fill(folder, records, [reviewed])


def test_endless_series_are_listed_by_their_next_review(folder: Path) -> None:
    endless(folder)
    first, second = listed(folder, "--endless", "--integration", "main")
    assert (first["correlation_id"], second["correlation_id"]) == ("AAAA-0002", "AAAA-0001")
    assert first["reviewed_at"] == (TODAY - 5 * DAY).isoformat()
    assert first["review_at"] == (TODAY + 30 * DAY).isoformat()
    assert second["reviewed_at"] is None
    output = run(folder, "meetings", "--endless").output
    for word in (
        *(f"{at:%Y-%m-%d}" for at in (FIRST, TODAY - 5 * DAY, TODAY + 30 * DAY, TODAY + 90 * DAY)),
        *(f"{NEXT:%Y-%m-%d %H:%M}", "never", "Standing", "ann@example.com", "meet100000002", "AAAA-0002"),
    ):
        assert word in output
    assert "\x1b" not in output
    assert "There are more" in run(folder, "meetings", "--endless", "--limit", "1").output


def test_on_a_narrow_terminal_nothing_that_is_copied_is_cut(folder: Path) -> None:
    endless(folder)
    output = run(folder, "meetings", "--endless", columns=80).output
    for word in ("meet100000002", "AAAA-0002", f"{TODAY + 30 * DAY:%Y-%m-%d}", f"{NEXT:%Y-%m-%d %H:%M}"):
        assert word in output
    assert all(len(line.rstrip()) <= 80 for line in output.splitlines())


def test_without_endless_series_the_list_says_so(folder: Path) -> None:
    fill(folder, [record(1)])
    assert "No series is without an end." in run(folder, "meetings", "--endless").output


def test_the_list_of_endless_series_takes_no_other_filter(folder: Path) -> None:
    fill(folder)
    arguments = ["meetings", "--endless", "--state", "scheduled", "--config", str(write_config(folder))]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--endless goes with" in result.output


def test_a_story_tells_the_rule_and_the_next_windows(folder: Path) -> None:
    series = replace(every_ten_days(), gone=frozenset({(NEXT + 10 * DAY).date()}))
    one = record(1, series, review_at=TODAY + 90 * DAY)
    spec = replace(room().spec, mark=one.key.digest, admission=Admission((series,), HOUR / 2, HOUR))
    fill(folder, [one], [], [spec])
    story = told(folder, "AAAA-0001")
    later = NEXT + 20 * DAY
    for words in (
        "repeats every 10 days, 10:00 to 11:00 UTC, no end",
        "rule FREQ=DAILY;INTERVAL=10",
        "exceptions 1 cancelled",
        f"next {NEXT:%Y-%m-%d} 10:00 to 11:00, open 09:30 to 12:00",
        f"after that {later:%Y-%m-%d} 10:00 to 11:00, open 09:30 to 12:00",
        f"and then {later + 10 * DAY:%Y-%m-%d} 10:00",
        f"room closed, opens {NEXT:%Y-%m-%d} 09:30",
        f"review {TODAY + 90 * DAY:%Y-%m-%d}",
    ):
        assert words in story


def test_a_story_says_whether_the_room_is_open(folder: Path) -> None:
    now = datetime.now(UTC)
    begun = Series(Rule(Daily(), now.date() - DAY), time(0), timedelta(days=1), Zone("UTC"))
    one = record(1, begun, start=TODAY - DAY)
    spec = replace(room().spec, mark=one.key.digest, admission=Admission((begun,), HOUR / 2, HOUR))
    fill(folder, [one], [], [spec])
    assert "room open" in told(folder, "AAAA-0001")


def test_a_shared_room_leads_to_all_its_meetings(folder: Path) -> None:
    first = record(1, every_ten_days(count=5))
    second = record(
        2, every_ten_days(NEXT), room_mark=first.key.digest, reason="split", alias_number=first.alias_number
    )
    spec = replace(room().spec, mark=first.key.digest)
    fill(folder, [first, second], [], [spec])
    link = f"https://meet.example.org/j/{spec.join_id}"
    story = told(folder, "AAAA-0002")
    assert "shared with AAAA-0001" in story
    assert f"join link {link}" in story
    assert "The series goes on from another one" in story
    both = json.loads(run(folder, "explain", "--json", link).stdout)["meetings"]
    assert [one["correlation_id"] for one in both] == ["AAAA-0001", "AAAA-0002"]
    assert both[0]["shares_room_with"] == ["AAAA-0002"]


def test_a_lone_occurrence_is_found_by_its_own_key_and_by_that_of_its_series(folder: Path) -> None:
    whole = record(1, every_ten_days())
    lone = record(2, key=whole.key.on(NEXT.date()), kind=Kind.OCCURRENCE, start=NEXT)
    fill(folder, [whole, lone])
    key = whole.key.value

    def found(name: str) -> list[str]:
        stories = json.loads(run(folder, "explain", "--json", name).stdout)["meetings"]
        return [one["correlation_id"] for one in stories]

    assert found(key) == ["AAAA-0001", "AAAA-0002"]
    assert found(lone.key.value) == ["AAAA-0002"]
    assert f"one occurrence of a series, first meant for {NEXT.date()}" in told(folder, "AAAA-0002")
    assert (
        json.loads(run(folder, "explain", "--json", "AAAA-0002").stdout)["meetings"][0]["occurrence"]
        == f"{NEXT.date()}"
    )


def test_what_is_held_is_told(folder: Path) -> None:
    fill(folder, [record(1, every_ten_days(count=3), state=State.ENDED, held=(NEXT, NEXT + HOUR), reason="cancelled")])
    assert f"held {NEXT:%Y-%m-%d} 10:00 to 11:00: what began then keeps its room" in told(folder, "AAAA-0001")


def test_a_key_of_an_unknown_day_is_not_known(folder: Path) -> None:
    fill(folder, [record(1, every_ten_days())])
    arguments = ["explain", f"{MeetingKey.of_uid('x').value}@2026-13-99", "--config", str(write_config(folder))]
    assert CliRunner().invoke(main, arguments).exit_code == 1
