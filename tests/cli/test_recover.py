"""`greenroom recover`: what it shows, what it asks, what it does, and how it ends."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from greenroom.cli import main
from greenroom.cli import recover as command
from greenroom.cli.desk import asked
from greenroom.cli.recover_report import Report
from greenroom.cli.recover_words import DETAILS, LEFT, MEANING, SHORT
from greenroom.cli.words import sentence
from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.record import JournalEntry
from greenroom.meetings.ticket import KeyRing
from greenroom.recovering import Desk
from greenroom.scheduler.lending import NotLentError
from greenroom.scheduler.recovery import judging, leftover
from greenroom.scheduler.recovery.contract import Fate
from greenroom.scheduler.recovery.plan import Plan
from greenroom.scheduler.recovery.recover import Recovered, recover
from support.colleague import Colleague, in_days
from support.observations import NOW, observation
from support.recovering import Disaster, disaster
from support.whole import EQUIPMENT, ORGANIZER, Spoken, configure, eventually, serving, simulated_exchange, world

ACCEPTED: dict[str, Any] = {"response": Response.ACCEPTED, "replied_at": NOW}
Scene = Callable[[Disaster], Awaitable[None]]


class _Nowhere:
    """No Exchange at all."""

    url = ews_url = "http://127.0.0.1:9/EWS/Exchange.asmx"
    login_url = "http://127.0.0.1:9"
    tenant = "t"


async def lost(at: Disaster) -> None:
    """The database was lost; one meeting has no ticket."""
    for number in range(3):
        at.book(f"m{number}", 500000001 + number, **ACCEPTED)
    at.book("plain", **ACCEPTED)
    at.book("own", is_organizer=True, response=Response.ORGANIZER)


async def well(at: Disaster) -> None:
    """Nothing was lost."""
    at.book("one", 500000001)
    await at.attend()


async def broken(at: Disaster) -> None:
    """Something cannot be read."""
    await well(at)
    at.mailbox.unreadable["item-one"] = ItemBrokenError("broken", code="ErrorCorruptData")


async def away(at: Disaster) -> None:
    """Exchange does not answer."""
    for _ in range(9):
        at.mailbox.fail("pages", TryLaterError("busy", code="unreachable"))


def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scene: Scene,
    *words: str,
    answer: str | None = None,
    holder: str = "",
    columns: str = "200",
) -> tuple[Result, dict[str, int]]:
    """Run the command on a Greenroom in this process that is the same each time it is opened; also says what it did."""
    seen: dict[str, int] = {}

    @asynccontextmanager
    async def opened(*_given: object, **_more: object) -> AsyncIterator[Desk]:
        async with disaster() as at:
            await scene(at)
            monkeypatch.setattr(command, "wall_clock", at.clock)
            before = len(at.mailbox.sent)
            yield Desk(at.integration, at.storage, at.attendant)
            seen["mails"], seen["rooms"] = len(at.mailbox.sent) - before, len(await at.rooms())

    @asynccontextmanager
    async def lent(*_given: object, **_more: object) -> AsyncIterator[None]:
        if holder:
            raise NotLentError(f"{holder} attends the mailbox and has not let it go yet", holder)
        yield

    monkeypatch.setattr(command, "open_recovery", opened)
    monkeypatch.setattr(command, "borrowed", lent)
    if answer is not None:
        monkeypatch.setattr(command, "asked", lambda question, **_how: click.confirm(question, default=False))
    config = configure(tmp_path, _Nowhere())
    line = ["recover", *words, "--config", str(config)]
    return CliRunner(env={"COLUMNS": columns}).invoke(main, line, input=answer), seen


def test_everything_that_it_says_has_its_words() -> None:
    assert set(SHORT) == set(MEANING) == set(Fate)
    left = {judging.AS_IT_SHOULD_BE, judging.DECLINED_BEFORE, judging.UNANSWERED, judging.UNREADABLE, judging.WAITS}
    assert left <= set(LEFT)
    told = {judging.UNTOLD, judging.MISSING, judging.DIFFERS, judging.WAITS}
    assert told | {leftover.KNOWN, leftover.UNKNOWN, leftover.NOT_SHOWN} <= set(DETAILS)


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate not in (Fate.ORPHAN, Fate.LEAVE)])
def test_every_line_of_it_in_a_meetings_story_has_a_sentence(fate: Fate) -> None:
    said = sentence(JournalEntry(1, MeetingKey.of_uid("one"), "AAAA-0000", NOW, "recovered", fate.value, ""))
    assert not said.startswith("Recovered:")


def test_a_plan_lists_what_changes_and_counts_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost)
    assert done.exit_code == 0, done.output
    for said in ("meet500000001@video.example", "keep alias", "new alias", "organized by the equipment mailbox itself"):
        assert said in done.output
    assert "1 meeting of these get a mail or an update" in done.output
    assert "Nothing was changed. With --yes it is done." in done.output
    assert seen == {"mails": 0, "rooms": 0}


def test_at_eighty_columns_no_alias_is_cut_and_no_line_wraps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, lost, columns="80")
    table = done.stdout.partition("\n\n")[0].splitlines()
    assert len(table) == 1 + 4, done.output
    assert sum(f"meet50000000{number}@video.example" in line for line in table for number in (1, 2, 3)) == 3
    assert any(line.rstrip().endswith("no ticket") for line in table)


async def unsigned(at: Disaster) -> None:
    """The database was lost, and the ticket keys with it: what is in the invitations was signed by others."""
    ring = KeyRing(at.integration.ring.prefix, 1, {0: bytes(range(100, 132))})
    for number in range(3):
        body = f"<p>{ring.issue(500000001 + number, NOW)}</p>"
        at.mailbox.invite(observation(f"m{number}", body_html=body, **ACCEPTED))


def test_a_plan_says_when_the_ticket_keys_may_be_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, unsigned)
    assert "put them back before you go on" in done.output, done.output
    told, _ = run(tmp_path, monkeypatch, unsigned, "--json")
    (one,) = json.loads(told.stdout)["integrations"]
    assert any("ticket keys" in warning for warning in one["warnings"])
    assert "ticket keys" not in run(tmp_path, monkeypatch, lost)[0].output


def test_with_yes_it_is_no_dry_run_even_where_nothing_is_to_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, _ = run(tmp_path, monkeypatch, well, "--yes", "--json")
    told = json.loads(done.stdout)
    assert (told["dry_run"], told["integrations"][0]["done"]) == (False, None)


def test_who_says_no_is_told_that_nothing_was_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = type("Terminal", (), {"isatty": lambda _: True})()
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(click, "confirm", lambda *_args, **_more: False)
    assert not asked("Do this?", yes=False, as_json=False)
    assert "Nothing was changed." in capsys.readouterr().out


@pytest.mark.parametrize(("planned", "limit", "well"), [(2, None, True), (3, None, False), (3, 2, True), (2, 5, True)])
def test_a_stop_when_all_was_done_is_no_problem(planned: int, limit: int | None, *, well: bool) -> None:
    done = Recovered(done=Counter({Fate.KEEP: 2}), stopped=True)
    entry: Any = None  # nobody asks whose plan it is
    assert command._is_well(Report(entry, Plan(counts={Fate.KEEP: planned}), done), limit) is well


def test_with_yes_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost, "--yes")
    assert done.exit_code == 0, done.output
    assert "1 meeting of organizers updated" in done.output
    assert seen["rooms"] == 4


@pytest.mark.slow
def test_at_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost, answer="n\n")
    assert ("Do this? [y/N]" in done.output, seen["rooms"]) == (True, 0)
    done, seen = run(tmp_path, monkeypatch, lost, "--limit", "2", answer="y\n")
    assert ("Do the first 2 of these? [y/N]" in done.output, seen["rooms"]) == (True, 2)
    assert "run it again for the rest" in done.output


@pytest.mark.slow
def test_without_updates_nobody_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost, "--no-updates", "--yes")
    assert (done.exit_code, seen) == (0, {"mails": 0, "rooms": 4}), done.output
    assert "0 answers mailed, 0 meetings of organizers updated." in done.output


def test_a_script_gets_the_plan_as_json_and_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost, "--json", "--all")
    told = json.loads(done.output)
    (one,) = told["integrations"]
    assert (told["ok"], told["dry_run"], one["done"], seen["rooms"]) == (True, True, None, 0)
    assert one["counts"] == {"keep-alias": 3, "new-alias": 1, "leave": 1}
    assert one["left"] == {"own-meeting": 1}
    assert [entry["fate"] for entry in one["plan"]].count("leave") == 1


@pytest.mark.slow
def test_what_was_done_is_told_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, lost, "--json", "--yes")
    (one,) = json.loads(done.output)["integrations"]
    assert one["done"]["counts"] == {"keep-alias": 3, "new-alias": 1}
    assert (one["done"]["updates"], one["done"]["complete"], one["done"]["failed"]) == (1, True, [])


def test_where_nothing_is_to_be_done_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, well, answer="")
    assert (done.exit_code, "as it should be" in done.output, "[y/N]" in done.output) == (0, True, False), done.output


def test_what_cannot_be_read_is_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, broken, "--yes")
    assert (done.exit_code, "could not be read" in done.output) == (1, True), done.output


def test_an_exchange_that_does_not_answer_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(tmp_path, monkeypatch, away, "--yes")
    assert done.exit_code == 3, done.output


@pytest.mark.slow
def test_a_mailbox_that_is_not_lent_is_told_with_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = run(tmp_path, monkeypatch, lost, "--yes", holder="host/1")
    assert (done.exit_code, seen["rooms"]) == (3, 0), done.output
    assert "has not let it go yet" in done.output


def test_ctrl_c_ends_it_after_the_work_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out = recover

    async def interrupted(*given: Any, **how: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        return await carried_out(*given, **how)

    monkeypatch.setattr(command, "recover", interrupted)
    done, seen = run(tmp_path, monkeypatch, lost, "--yes")
    assert (done.exit_code, seen) == (1, {"mails": 0, "rooms": 0}), done.output
    assert "run it again for the rest" in done.output


@pytest.mark.slow
def test_of_two_integrations_the_second_waits_for_another_run_where_the_first_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, monkeypatch, lost)  # puts the doors in place
    config = configure(tmp_path, _Nowhere(), mailboxes=(EQUIPMENT, "vmr2@sim.test"))
    line = ["recover", "--yes", "--json", "--config", str(config)]
    told = json.loads(CliRunner().invoke(main, [*line, "--limit", "1"]).output)["integrations"]
    assert [one["done"] and one["done"]["counts"] for one in told] == [{"keep-alias": 1}, None]
    told = json.loads(CliRunner().invoke(main, line).output)["integrations"]
    assert [one["done"]["counts"] for one in told] == [{"keep-alias": 3, "new-alias": 1}] * 2


def test_an_end_that_is_a_day_includes_the_day() -> None:
    end = command._LastMoment()
    context = click.Context(main)
    assert end.convert("2026-12-01", None, context) == datetime(2026, 12, 2).astimezone()
    assert end.convert("2026-12-01T09:00", None, context) == datetime(2026, 12, 1, 9).astimezone()
    tomorrow = datetime.now().astimezone().date() + timedelta(days=1)
    assert end.convert("today", None, context).date() == tomorrow


@pytest.mark.parametrize(
    "words", [("--from", "2026-12-02", "--to", "2026-12-01"), ("--integration", "other"), ("--per-minute", "0")]
)
def test_what_makes_no_sense_is_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    config = configure(tmp_path, _Nowhere())
    assert CliRunner().invoke(main, ["recover", *words, "--config", str(config)]).exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_lost_database_comes_back_without_a_mail(tmp_path: Path, protocol: Spoken) -> None:
    def greenroom(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "greenroom", *words, "--config", str(tmp_path / "greenroom.toml")]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=240, env=env)

    def sql(text: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "greenroom.db", timeout=10)) as file, file:
            return list(file.execute(text))

    def told(*words: str) -> Any:
        done = greenroom("recover", "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["integrations"][0]

    with simulated_exchange(tmp_path, world("auto_update")) as exchange:
        olga = Colleague.at(exchange.ews_url, ORGANIZER, EQUIPMENT)
        with serving(tmp_path, exchange, protocol=protocol):
            for number in range(4):
                olga.invite(f"Planning {number}", in_days(1 + number))
            eventually(lambda: len(exchange.answers()) == 4, seconds=60)
            sql("UPDATE rooms SET retired_at = '2020-01-01 00:00:00.000000'")
            assert told("--yes")["done"]["counts"] == {"make-room": 4}  # the running service lends the mailbox
            olga.invite("Planning at last", in_days(6))
            eventually(lambda: len(exchange.answers()) == 5, seconds=90)
            aliases = sorted(sql("SELECT alias FROM rooms WHERE retired_at IS NULL"))
        for file in tmp_path.glob("greenroom.db*"):
            file.unlink()
        plan = told()
        assert plan["counts"] == {"keep-alias": 5}
        assert sorted((entry["alias"],) for entry in plan["plan"]) == aliases
        assert not list(tmp_path.glob("greenroom.db*"))
        done = told("--yes")["done"]
        assert (done["counts"], done["mails"], done["updates"], done["complete"]) == ({"keep-alias": 5}, 0, 0, True)
        assert sorted(sql("SELECT alias FROM rooms WHERE retired_at IS NULL")) == aliases
        with serving(tmp_path, exchange, protocol=protocol):
            olga.invite("Planning after all", in_days(7))
            eventually(lambda: len(exchange.answers()) == 6, seconds=90)
        assert told()["counts"] == {"leave": 6}
        assert len(exchange.answers()) == 6
