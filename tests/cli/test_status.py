import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.cli.codes import failure_sentence
from greenroom.meetings.record import State
from greenroom.scheduler.watch_book import Other, Watch, WatchStanding, fact_of
from greenroom.storage import Alarm, Storage
from greenroom.storage.mailboxes import Mailboxes
from support.house import fill, write_config
from support.records import full_record

BOX = "rooms@example.org"
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

Note = Callable[[Mailboxes], Any]


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return NOW.astimezone(tz)

    monkeypatch.setattr("greenroom.cli.status.datetime", Noon)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    records = [full_record(n, state=State.DECLINED if n > 3 else State.SCHEDULED) for n in range(1, 6)]
    fill(tmp_path, [*records, replace(full_record(9), integration=7)])
    return write_config(tmp_path)


def note(config: Path, *notes: Note) -> None:
    async def store() -> None:
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        async with storage.work() as work:
            for one in notes:
                await one(work.mailboxes)
        await storage.close()

    asyncio.run(store())


def run(config: Path, *arguments: str) -> Result:
    environment = {"COLUMNS": "120", "TZ": "UTC"}
    return CliRunner().invoke(main, ["status", *arguments, "--config", str(config)], env=environment)


def told(config: Path) -> tuple[int, str]:
    result = run(config)
    return result.exit_code, " ".join(result.output.split())


def status(config: Path) -> dict[str, Any]:
    result = run(config, "--json")
    data = json.loads(result.stdout)
    (one,) = data["integrations"]
    assert data["ok"] is one["ok"] is (result.exit_code == 0)
    assert isinstance(one, dict)
    return one


def test_a_mailbox_nobody_attended_yet_is_no_problem_and_says_what_to_do(config: Path) -> None:
    code, output = told(config)
    assert code == 0, output
    assert f"mailbox {BOX}, Exchange Server over EWS" in output
    assert "attended by nobody; start `greenroom serve`" in output
    assert "last good pass never" in output
    assert "meetings 3 scheduled, 2 declined" in output
    assert "replies none waiting" in output
    assert "all compared never" in output


def test_a_mailbox_that_is_well_tells_who_attends_it_and_since_when(config: Path) -> None:
    note(
        config,
        lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + 9 * MINUTE),
        lambda boxes: boxes.note_pass(BOX, NOW - 3 * MINUTE, None),
        lambda boxes: boxes.note_reconciled(BOX, NOW - 3 * 60 * MINUTE),
    )
    code, output = told(config)
    assert code == 0, output
    for words in ("attended by host/4711", "3 minutes ago", "3 hours ago"):
        assert words in output
    one = status(config)
    assert (one["attended_by"], one["failure"], one["credential"]) == ("host/4711", None, None)
    assert one["last_success_age"] == 180
    assert one["last_pass_at"] == (NOW - 3 * MINUTE).isoformat()
    assert one["meetings"]["scheduled"] == 3


def test_a_claim_that_ran_out_is_nobodys(config: Path) -> None:
    note(config, lambda boxes: boxes.claim(BOX, "host/4711", NOW - 9 * MINUTE, NOW - MINUTE))
    assert status(config)["attended_by"] is None


def test_a_failed_pass_is_a_problem_told_in_a_sentence(config: Path) -> None:
    note(
        config,
        lambda boxes: boxes.note_pass(BOX, NOW - 2 * DAY, None),
        lambda boxes: boxes.note_pass(BOX, NOW - MINUTE, "http-401"),
    )
    code, output = told(config)
    assert code == 1
    assert "2 days ago; the last one" in output
    assert "Exchange refuses the sign-in. (http-401)" in output
    assert "greenroom config check --connect" in output
    assert status(config)["failure"] == {"code": "http-401", "sentence": "Exchange refuses the sign-in."}


def test_a_pass_that_failed_just_now_is_told_and_no_problem_yet(config: Path) -> None:
    note(
        config,
        lambda boxes: boxes.note_pass(BOX, NOW - 5 * MINUTE, None),
        lambda boxes: boxes.note_pass(BOX, NOW, "http-503"),
    )
    code, output = told(config)
    assert code == 0
    assert "busy and asked for a pause. (http-503)" in output
    assert status(config)["failure"]["code"] == "http-503"


def test_replies_in_line_come_with_their_expected_end(config: Path) -> None:
    note(config, lambda boxes: boxes.note_line(BOX, 37, NOW + 400 * DAY))
    assert f"37 waiting, done {NOW + 400 * DAY:%Y-%m-%d %H:%M}" in told(config)[1]
    assert status(config)["replies"] == {"waiting": 37, "end_at": (NOW + 400 * DAY).isoformat()}
    note(config, lambda boxes: boxes.note_line(BOX, 37, NOW - MINUTE))
    assert "37 waiting, should have been done" in told(config)[1]
    note(config, lambda boxes: boxes.note_line(BOX, 37, None))
    assert "replies 37 waiting all compared" in told(config)[1]


def test_catching_up_tells_how_far_it_is_and_when_it_ends(config: Path) -> None:
    assert "catching up" not in told(config)[1]
    assert (status(config)["backlog"], status(config)["lag"]) == (None, None)
    since = NOW - 12 * MINUTE
    note(
        config,
        lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE),
        lambda boxes: boxes.note_pass(BOX, NOW - 72 * MINUTE, None),
        lambda boxes: boxes.note_backlog(BOX, 500, 120, since),
    )
    code, output = told(config)
    assert code == 0
    ends = NOW + 38 * MINUTE
    words = f"catching up 120 of 500, since {since.astimezone():%Y-%m-%d %H:%M}, done about {ends.astimezone():%H:%M}"
    assert words in output
    assert status(config)["backlog"] == {
        "total": 500,
        "done": 120,
        "since": since.isoformat(),
        "end_at": ends.isoformat(),
    }
    assert status(config)["lag"] == 72 * 60


def test_a_backlog_that_nobody_works_through_says_so_and_promises_no_end(config: Path) -> None:
    note(config, lambda boxes: boxes.note_backlog(BOX, 500, 120, NOW - MINUTE))
    assert "; it goes on when somebody attends the mailbox" in told(config)[1]
    assert status(config)["backlog"]["end_at"] is None
    note(
        config,
        lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE),
        lambda boxes: boxes.note_backlog(BOX, 500, 0, NOW - MINUTE),
    )
    assert "catching up 0 of 500, since" in told(config)[1]
    assert "done about" not in told(config)[1]


def test_replies_done_today_are_told_by_the_hour(config: Path) -> None:
    ends = NOW + 2 * MINUTE
    note(config, lambda boxes: boxes.note_line(BOX, 37, ends))
    assert f"37 waiting, done about {ends.astimezone():%H:%M}" in told(config)[1]


@pytest.mark.parametrize(
    ("left", "words", "renew", "code"),
    [
        (31 * DAY + MINUTE, "31 days left", False, 0),
        (30 * DAY - MINUTE, "29 days left: renew it", True, 0),
        (1 * DAY + MINUTE, "1 day left: renew it", True, 0),
        (60 * MINUTE, "0 days left: renew it", True, 0),
        (-MINUTE, "it has run out, renew it", True, 1),
        (-20 * DAY, "it has run out, renew it", True, 1),
    ],
)
def test_a_credential_is_told_ahead_and_is_a_problem_when_it_ran_out(
    config: Path, left: timedelta, words: str, code: int, *, renew: bool
) -> None:
    note(config, lambda boxes: boxes.note_credential(BOX, NOW + left))
    exit_code, output = told(config)
    assert exit_code == code
    assert words in output
    assert status(config)["credential"]["renew"] is renew


def test_only_the_database_is_asked(tmp_path: Path) -> None:
    result = run(write_config(tmp_path))
    assert result.exit_code == 3
    assert "next:" in result.output
    assert not (tmp_path / "greenroom.db").exists()


def test_what_is_stored_cannot_drive_the_terminal(config: Path) -> None:
    note(
        config,
        lambda boxes: boxes.claim(BOX, "evil\x1b[31m[bold]host/1", NOW, NOW + 9 * MINUTE),
        lambda boxes: boxes.note_pass(BOX, NOW, "code\x1b[2J"),
    )
    output = run(config).output
    assert "\x1b" not in output
    assert "[bold]host/1" in output


def test_help_shows_examples() -> None:
    output = CliRunner().invoke(main, ["status", "--help"]).output
    assert "greenroom status --json" in output
    assert "Exit code 1" in output


def test_several_integrations_stand_one_below_the_other(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    other = base64.b64encode(bytes(range(32, 64))).decode()
    with config.open("a") as file:
        file.write(f"""
[[integration]]
number = 2
name = "online"
mailbox = "Online@example.org"
ticket_keys = [{{ id = 0, key = "{other}" }}]

[integration.alias]
digits = 8

[integration.exchange]
tenant = "example.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "planted-password"

[integration.organizers]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password = "planted-password"
mailbox = "you@example.org"
""")
    fill(tmp_path)
    note(config, lambda boxes: boxes.note_pass("online@example.org", NOW, "AADSTS7000215"))
    code, output = told(config)
    assert code == 1, output
    assert "online@example.org, Microsoft 365 over Graph; organizers also Exchange Server over EWS" in output
    assert "Microsoft Entra refuses the sign-in. (AADSTS7000215)" in output
    assert "signs in until not known" in output
    first, second = json.loads(run(config, "--json").stdout)["integrations"]
    assert (first["protocol"], second["protocol"], second["organizers_protocol"]) == ("ews", "graph", "ews")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ErrorServerBusy", "busy"),
        ("http-429", "busy"),
        ("http-500", "fails"),
        ("timeout", "in time"),
        ("http-403", "no right"),
        ("AADSTS50034", "Entra"),
        ("MailboxNotEnabledForRESTAPI", "other side"),
        ("ErrorSomethingNew", "the log tells more"),
    ],
)
def test_codes_of_failed_passes_have_sentences(code: str, words: str) -> None:
    assert words in failure_sentence(code)


def raise_alarms(config: Path, *alarms: Alarm) -> None:
    async def store() -> None:
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        async with storage.work() as work:
            await work.alarms.note(alarms)
        await storage.close()

    asyncio.run(store())


def test_alarms_of_the_last_day_are_told_and_change_nothing_else(config: Path) -> None:
    assert json.loads(run(config, "--json").stdout)["alarms"] == []
    assert "alarms" not in told(config)[1]
    guessing = Alarm(1, "policy-alias-guessing", "caller 3fa2b1c9d0 at 203.0.113.9", 312, NOW - 9 * MINUTE, NOW)
    raise_alarms(
        config,
        guessing,
        Alarm(0, "policy-password-guessing", "address 203.0.113.9", 11, NOW - DAY, NOW - DAY + MINUTE),
        Alarm(0, "policy-password-guessing", "address 192.0.2.1", 11, NOW - 2 * DAY, NOW - DAY - MINUTE),
    )
    code, output = told(config)
    assert code == 0, output
    assert "alarms of the last 24 hours" in output
    began, ended = (f"{at.astimezone():%Y-%m-%d %H:%M}" for at in (guessing.first_at, NOW))
    assert f"{began} to {ended} Aliases were guessed at the policy server" in output
    assert "caller 3fa2b1c9d0 at 203.0.113.9 (main), 312 times" in output
    assert "address 203.0.113.9, 11 times" in output
    assert "192.0.2.1" not in output
    raise_alarms(config, Alarm(0, "second-watcher", "far-away", 1, NOW - DAY / 2, NOW - DAY / 2))
    assert "it runs on far-away, once" in told(config)[1]
    first, _, second = json.loads(run(config, "--json").stdout)["alarms"]
    assert first == {
        "integration": "main",
        "code": "policy-alias-guessing",
        "sentence": "Aliases were guessed at the policy server; whoever did it was turned away.",
        "subject": guessing.subject,
        "count": 312,
        "first_at": guessing.first_at.isoformat(),
        "last_at": NOW.isoformat(),
    }
    assert second["integration"] is None


def test_of_very_many_alarms_the_latest_are_shown(config: Path) -> None:
    raise_alarms(config, *(Alarm(1, "odd-\x1b[2J", f"subject {n}", 1, NOW, NOW - n * MINUTE) for n in range(30)))
    output = run(config).output
    assert "odd- [2J:" in output
    assert "\x1b" not in output
    assert output.count(", once") == 20
    assert "tells the latest 30" in output


def watched(config: Path, watch: Watch) -> None:
    async def store() -> None:
        storage = Storage.open(f"sqlite:///{config.parent}/greenroom.db")
        async with storage.work() as work:
            await work.facts.put(fact_of(BOX), watch.write())
        await storage.close()

    asyncio.run(store())


def other(*, copy: bool = False, seen: datetime = NOW) -> Other:
    return Other("0a1b2c3d" * 4, "other-host", copy, NOW - 7 * MINUTE, seen)


def test_a_service_that_is_kept_out_says_by_whom_and_since_when(config: Path) -> None:
    note(config, lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE))
    watched(config, Watch(WatchStanding.KEPT_OUT, NOW - 7 * MINUTE, other()))
    code, output = told(config)
    assert code == 1
    assert "attended by host/4711, kept out by installation 0a1b2c3d on other-host, since 2026-12-01 11:53" in output
    assert "`greenroom watcher`" in output
    watch = status(config)["watch"]
    assert (watch["standing"], watch["kept_out_by"]["host"]) == ("kept-out", "other-host")
    watched(config, Watch(WatchStanding.KEPT_OUT, NOW - 7 * MINUTE, other(copy=True)))
    assert "kept out by a copy of this database on other-host" in told(config)[1]


def test_who_else_wants_the_mailbox_is_told_while_they_are_there(config: Path) -> None:
    note(config, lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE))
    watched(config, Watch(WatchStanding.HOLDS, NOW - DAY, None, other()))
    code, output = told(config)
    assert code == 1
    assert "wanted by installation 0a1b2c3d on other-host, which is kept out, since 2026-12-01 11:53" in output
    watched(config, Watch(WatchStanding.HOLDS, NOW - DAY, None, other(seen=NOW - DAY)))
    code, output = told(config)
    assert (code, "wanted by" in output) == (0, False)


def test_a_service_that_is_gone_is_kept_out_by_nobody(config: Path) -> None:
    watched(config, Watch(WatchStanding.KEPT_OUT, NOW - 7 * MINUTE, other()))
    code, output = told(config)
    assert (code, "kept out" in output) == (0, False)


def test_a_mailbox_that_is_lent_says_to_whom(config: Path) -> None:
    note(
        config,
        lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE),
        lambda boxes: boxes.want(BOX, "host/4712", NOW, NOW + MINUTE),
    )
    assert "attended by host/4711; host/4712 waits to borrow the mailbox" in told(config)[1]
    note(
        config,
        lambda boxes: boxes.release(BOX, "host/4711"),
        lambda boxes: boxes.claim(BOX, "host/4712", NOW, NOW + MINUTE),
    )
    assert "attended by lent to host/4712" in told(config)[1]
    assert status(config)["lent_to"] == "host/4712"


def test_a_mailbox_that_may_not_be_marked_says_so(config: Path) -> None:
    note(config, lambda boxes: boxes.claim(BOX, "host/4711", NOW, NOW + MINUTE))
    watched(config, Watch(WatchStanding.UNGUARDED, NOW))
    code, output = told(config)
    assert code == 0
    assert "host/4711; no mark may be left on the mailbox" in output
