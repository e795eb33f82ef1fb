"""`greenroom demo` as people start it: a process of its own, with files, folders and ports as they come."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from greenroom.cli import main
from greenroom.cli.demonstration.invitations import Invitation, files_of, read_all
from greenroom.simulator.ics_lines import MAX_BYTES

PATIENCE = 120.0  # a busy machine without byte code takes long to import

INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
METHOD:{method}
BEGIN:VEVENT
UID:{uid}
DTSTAMP:{stamp}
ORGANIZER;CN=Eve:mailto:eve@elsewhere.example
SUMMARY:Review
DTSTART:{start}
DURATION:PT1H
{more}END:VEVENT
END:VCALENDAR
"""


def invitation(
    uid: str,
    *,
    method: str = "REQUEST",
    stamp: str = "20160301T080000Z",
    start: str = "20160305T090000Z",
    more: str = "",
) -> bytes:
    return INVITATION.format(uid=uid, method=method, stamp=stamp, start=start, more=more).encode()


def demo(*arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "greenroom", "demo", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=PATIENCE, env=os.environ | {"COLUMNS": "60"},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def delivered(*arguments: str | Path, expect: int = 0) -> dict[str, dict[str, Any]]:
    results = json.loads(demo("--once", "--json", *arguments, expect=expect).stdout)
    return {one["file"]: one for one in results}


def listed(data: Path) -> dict[str, tuple[str, str | None, str | None]]:
    """What stands of every meeting of a demo: its state, its alias, and the last answer."""
    result = CliRunner().invoke(
        main, ["meetings", "--config", str(data / "greenroom.toml"), "--since", "2000-01-01", "--json"]
    )
    assert result.exit_code == 0
    meetings = json.loads(result.stdout)["meetings"]
    found = {one["key"]: (one["state"], one["alias"], one["replied"]) for one in meetings}
    assert len(found) == len(meetings)
    return found


def refused(*arguments: str | Path) -> str:
    """Run in this process what never gets as far as a demo; returns what it says."""
    result = CliRunner().invoke(main, ["demo", "--once", *map(str, arguments)])
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    return " ".join(result.output.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Invitations that end in every way there is, and some files that are none."""
    files = {
        "room.ics": invitation("room"),
        "UPPER.ICS": invitation("upper", stamp="20170301T080000Z", start="20170305T090000Z"),
        "late.ics": invitation("late", stamp="20160401T080000Z"),
        "unstamped.ics": invitation("unstamped").replace(b"DTSTAMP", b"X-STAMP"),
        "ancient.ics": invitation("ancient", stamp="16010101T000000Z", start="17000305T090000Z"),
        "[bold]odd[/nope].ics".replace("/", ""): invitation("odd"),
        "two.ics": invitation("two").replace(
            b"BEGIN:VEVENT",
            invitation("three").split(b"METHOD:REQUEST\n")[1].split(b"END:VCALENDAR")[0] + b"BEGIN:VEVENT",
        ),
        "daily.ics": invitation("daily", more="RRULE:FREQ=DAILY;COUNT=3\n"),
        "lone.ics": invitation("lone", more="RECURRENCE-ID:20160305T080000Z\n"),
        "odd-rule.ics": invitation("odd-rule", more="RRULE:FREQ=HOURLY;COUNT=5\n"),
        "cancel.ics": invitation("never", method="CANCEL"),
        "reply.ics": invitation("room", method="REPLY", more="ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example\n"),
        "nobody.ics": invitation("nobody").replace(b"ORGANIZER", b"X-WAS"),
        "empty.ics": b"",
        "junk.ics": bytes(range(256)) * 9,
        "note.txt": b"not looked at",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.ics").mkdir()
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["graph", "ews"])
def test_each_file_of_a_folder_gets_its_room_or_a_reason_at_its_own_time(folder: Path, protocol: str) -> None:
    found = delivered("--exchange", protocol, "--invitation", folder, "--now", "invitation")
    assert all(one["ok"] and one["reason"] for one in found.values())
    rooms = {
        "room.ics",
        "UPPER.ICS",
        "unstamped.ics",
        "[bold]odd[nope].ics",
        "two.ics",
        "odd-rule.ics",
        "daily.ics",
        "lone.ics",
    }
    assert {name for name, one in found.items() if one["room"]} == rooms
    assert found["room.ics"]["at"] == "2016-03-01 08:00 UTC"
    assert found["unstamped.ics"]["at"] == "2016-03-04 09:00 UTC"
    assert "2 meetings; 2 got a room" in found["two.ics"]["reason"]
    assert found["late.ics"]["reason"] == "The meeting had ended before it was seen."
    assert "cancels a meeting that is not" in found["cancel.ics"]["reason"]
    assert "attendee's answer" in found["reply.ics"]["reason"]
    assert "no ORGANIZER" in found["nobody.ics"]["reason"]
    assert "empty" in found["empty.ics"]["reason"]
    assert set(found) == {path.name for path in files_of([folder])}


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "endless"), [("graph", ["odd-rule.ics"]), ("ews", [])])
def test_the_same_files_today_are_past_and_say_so(folder: Path, protocol: str, endless: list[str]) -> None:
    told = demo("--once", "--exchange", protocol, "--invitation", folder).stdout.splitlines()
    assert len(told) == len(files_of([folder])), "one line a file, however narrow the terminal"
    roomed = [line.split()[1] for line in told if line.startswith("✓")]
    assert roomed == endless, "EWS tells the last date of a rule that Exchange cannot say, Graph does not"
    assert sum("had ended before it was seen" in line for line in told) == 10 - len(endless)
    assert any("[bold]odd[nope].ics" in line for line in told)


@pytest.mark.slow
def test_more_invitations_than_a_mailbox_may_answer_in_a_minute_all_get_their_rooms(tmp_path: Path) -> None:
    for number in range(34):
        (tmp_path / f"{number:02}.ics").write_bytes(invitation(f"many-{number}"))
    found = delivered("--exchange", "graph", "--invitation", tmp_path, "--now", "2016-03-02")
    assert all(one["room"] for one in found.values())
    waiting = {name for name, one in found.items() if "waits in line" in one["reason"]}
    assert waiting <= set(sorted(found)[29:]), "and none where the machine takes more than a minute for them"


@pytest.mark.slow
def test_files_that_cannot_be_read_are_told_and_end_with_1(tmp_path: Path) -> None:
    (tmp_path / "loop.ics").symlink_to("loop.ics")
    (tmp_path / "gone.ics").symlink_to("nowhere")
    (tmp_path / "good.ics").write_bytes(invitation("good"))
    found = delivered("--invitation", tmp_path, "--now", "2016-03-02T09:00+01:00", expect=1)
    assert found["good.ics"]["room"]
    assert found["good.ics"]["at"] == "2016-03-02 08:00 UTC"
    assert {name for name, one in found.items() if not one["ok"]} == {"loop.ics", "gone.ics"}


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [("graph", "ews"), ("ews", "graph")])
def test_a_scripted_day_goes_well_over_one_protocol_and_then_the_other_and_its_meetings_can_be_listed(
    tmp_path: Path, first: str, then: str
) -> None:
    data = tmp_path / "new" / "demo"
    day = json.loads(demo("--once", "--json", "--data", data, "--exchange", first).stdout)
    assert day["ok"]
    assert day["timeline"][-2]["what"].endswith("it is closed: this occurrence was moved")
    before = listed(data)
    again = demo("--once", "--data", data, "--exchange", then).stdout
    assert "The day went as it should." in again
    after = listed(data)
    assert len(after) >= 2 * len(before) >= 8
    assert after == after | before, "nothing happened to a meeting because another protocol tells of it"
    (data / "exchange.json").write_text('{"version": 1, "mail', encoding="utf-8")
    assert "exchange.json: it is damaged" in demo("--once", "--data", data, expect=1).stderr
    (data / "exchange.json").unlink()
    (data / "ticket-keys").write_text("nonsense\n", encoding="utf-8")
    assert "ticket-keys" in demo("--once", "--data", data, expect=2).stderr


@pytest.mark.slow
def test_a_demo_with_a_page_delivers_goes_on_and_ends_when_told(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "greenroom",
        "demo",
        "--port",
        "0",
        "--no-browser",
        "--now",
        "invitation",
        "--invitation",
    ]
    with subprocess.Popen([*command, str(folder / "room.ics")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert address is not None
        assert "Microsoft Graph, as with Microsoft 365" in httpx2.get(f"{address[0]}/").text
        assert "room meet" in process.stdout.readline()
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0


def test_a_port_in_use_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("--port", port)
        assert f"Port {port} is in use" in said
        assert "--port 0" in said
        assert json.loads(CliRunner().invoke(main, ["demo", "--once", "--json", "--port", port]).stdout)["failure"][
            "next"
        ]


@pytest.mark.parametrize("now", ["tomorrow", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31", "2200-01-01", ""])
def test_a_time_that_is_none_is_refused(now: str) -> None:
    assert "--now" in refused("--now", now)


def test_combinations_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    assert "no .ics file" in refused("--invitation", tmp_path)
    assert "goes with --invitation" in refused("--now", "invitation")
    assert "does not exist" in refused("--invitation", tmp_path / "gone.ics")
    assert "behind --invitation" in refused(tmp_path)
    assert CliRunner().invoke(main, ["demo", "--json"]).exit_code == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot keep its data in the folder" in refused("--data", tmp_path / "file" / "below")


def test_files_are_read_once_bounded_and_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "invite.ics").write_bytes(b"x" * (MAX_BYTES + 10))
    found = read_all(files_of([tmp_path / "one", tmp_path / "two"]))
    assert [one.name for one in found] == [str(tmp_path / name / "invite.ics") for name in ("one", "two")]
    assert [len(one.data or b"") for one in found] == [MAX_BYTES + 1] * 2
    assert read_all([tmp_path])[0] == Invitation(tmp_path.name, None, "it is no file")


@pytest.mark.parametrize(
    ("stamp", "start", "own"),
    [
        ("20160301T080000Z", "20160305T090000Z", "2016-03-01 08:00"),
        ("16010101T000000Z", "20160305T090000Z", "2016-03-04 09:00"),
        ("16010101T000000Z", "17000305T090000Z", None),
        ("43990101T000000Z", "44000101T000000Z", None),
    ],
)
def test_an_own_time_is_one_that_a_sender_can_have_had(stamp: str, start: str, own: str | None) -> None:
    at = Invitation("x", invitation("x", stamp=stamp, start=start)).own_time
    assert (None if at is None else f"{at:%Y-%m-%d %H:%M}") == own
