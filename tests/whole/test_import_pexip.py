"""A move from Pexip's own scheduler: old invitations in Exchange, its aliases and rooms in Pexip, and the real command.

The old scheduler is played by the test, which accepts invitations as that would have done.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from exchangelib.recurrence import Recurrence, WeeklyPattern

from greenroom.calendars import Calendars
from greenroom.exchange.contract import Reply, Verdict
from greenroom.meetings.meeting import Observation
from greenroom.settings import Settings
from support.colleague import Colleague, in_days, in_seconds
from support.pexip_at_work import SEED, Home, SimulatedPexip, simulated_pexip, tables
from support.whole import (
    EQUIPMENT,
    ORGANIZER,
    SimulatedExchange,
    Spoken,
    configure,
    eventually,
    free_port,
    settings_in,
    settles,
    simulated_exchange,
    world,
)

pytestmark = pytest.mark.slow
OLD = "old.test"
NUMBERS = {"Running": 501001, "Planning": 501002, "Weekly": 501003, "Deleted": 501004, "Waiting": 501005}


def alias(subject: str) -> str:
    return f"88{NUMBERS[subject]}@{OLD}"


def uuid(subject: str) -> str:
    return str(UUID(int=NUMBERS[subject] << 64))


def invitation(subject: str) -> str:
    return (
        f"<html><body><p>Agenda</p><p>From a video system: {alias(subject)}</p>"
        f"<p>PXPS:-<span lang=EN>{uuid(subject)[:13]}</span>{uuid(subject)[13:]}#</p></body></html>"
    )


def invite_all(olga: Colleague) -> None:
    olga.invite("Running", in_seconds(-60), body=invitation("Running"))
    olga.invite("Planning", in_days(2), body=invitation("Planning"))
    start = in_days(3)
    weekly = Recurrence(
        pattern=WeeklyPattern(interval=1, weekdays=[start.strftime("%A")]), start=start.date(), number=6
    )
    olga.invite("Weekly", start, body=invitation("Weekly"), recurrence=weekly)
    olga.invite("Deleted", in_days(4), body=invitation("Deleted"))
    olga.invite("By hand", in_days(5))
    olga.invite("Offline", in_days(6), body="<p>Details follow</p><p>TOK:-ab.cd#</p>")


async def _look(settings: Settings, *, accept: bool) -> dict[str, Observation]:
    """What the equipment mailbox shows, by subject; `accept` answers what is not answered, as the old scheduler did."""
    calendars = Calendars(settings, lambda: datetime.now(UTC))
    try:
        mailbox = calendars.open(settings.integration[0])
        glances = await mailbox.inventory(datetime.now(UTC) - timedelta(days=1))
        seen = [one for one in await mailbox.read([g.ref for g in glances]) if isinstance(one, Observation)]
        if accept:
            await mailbox.respond([Reply(one.ref, Verdict.ACCEPT, "<p>Scheduled</p>") for one in seen])
        return {one.subject: one for one in seen}
    finally:
        await calendars.close()


def seed(seen: dict[str, Observation]) -> dict[str, Any]:
    """What the old scheduler keeps of these meetings."""
    meetings = []
    for subject, number in NUMBERS.items():
        observation = seen.get(subject)
        entry: dict[str, Any] = {
            "connector": "@old",
            "name": f"{subject} (Olga)",
            "number": int(f"88{number}"),
            "alias": alias(subject),
            "uuid": uuid(subject),
            "owner": ORGANIZER,
            "used": observation is not None,
        }
        if observation is not None and observation.span is not None:
            span = observation.span
            entry |= {"uid": observation.key.value, "series": observation.series is not None}
            entry["times"] = [[moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (span.start, span.end)]]
        meetings.append(entry)
    connector = {
        "key": "old",
        "name": "Exchange",
        "addin_server_domain": "join.old.test",
        "room_mailbox_email_address": EQUIPMENT,
        "scheduled_alias_prefix": "88",
        "scheduled_alias_domain": OLD,
        "meeting_buffer_before": 15,
        "ivr_theme": "@theme",
    }
    return {**SEED, "ms_exchange_connector": [connector], "meetings": meetings}


@dataclass
class Move:
    """The move: all programs but Greenroom run, and it is configured."""

    home: Home
    config: Path

    @property
    def pexip(self) -> SimulatedPexip:
        return self.home.pexip

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "greenroom", "import", "pexip", "--config", str(self.config), *options]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)

    def told(self, *options: str) -> dict[str, Any]:
        done = self.run("--json", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def fates(self, *options: str) -> dict[str, str]:
        meetings = self.told(*options)["meetings"]
        return {(one["title"] or one["alias"]).partition(" (")[0]: one["fate"] for one in meetings}

    def mails(self) -> Counter[str]:
        """How often the organizer was answered, by subject."""
        return Counter(message.subject.partition(": ")[2] for message in self.home.olga.responses())

    def writes(self) -> list[str]:
        return [f"{c['method']} {c['resource']}" for c in self.pexip.calls() if c["method"] != "GET"]


@contextlib.contextmanager
def moving(folder: Path, protocol: Spoken) -> Iterator[Move]:
    with simulated_exchange(folder, world()) as exchange:
        olga = Colleague.at(exchange.ews_url, ORGANIZER, EQUIPMENT)
        invite_all(olga)
        seen = accepted(folder, exchange, protocol)
        olga.invite("Waiting", in_days(7), body=invitation("Waiting"))
        with simulated_pexip(folder, seed=seed(seen)) as pexip:
            rooms = {one["name"]: one["id"] for one in pexip.get("state")["conference"]}
            deleted = f"{pexip.url}/api/admin/configuration/v1/conference/{rooms['Deleted (Olga)']}/"
            pexip.http.delete(deleted, auth=("greenroom-admin", "Sauerteig~Mangel-1887")).raise_for_status()
            port = free_port()
            pexip.asks(port)
            pexip.post("calls/reset")
            told = tables(pexip.url, "both", lines=f'domains = ["{OLD}"]')
            config = configure(folder, exchange, protocol=protocol, port=port, pexip=told)
            home = Home(folder, exchange, pexip, olga, port, protocol, told, "")
            try:
                yield Move(home, config)
            finally:
                home.stop()


def accepted(folder: Path, exchange: SimulatedExchange, protocol: Spoken) -> dict[str, Observation]:
    """Let the old scheduler accept everything, and return what the mailbox shows."""
    configure(folder, exchange, protocol=protocol)
    return asyncio.run(_look(settings_in(folder), accept=True))


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_meetings_move_with_their_aliases_and_nobody_hears_of_it(tmp_path: Path, protocol: Spoken) -> None:
    with moving(tmp_path, protocol) as move:
        a_dry_run_changes_nothing(move)
        before = move.mails()
        the_answer_to_a_mark_is_lost(move)
        taken_over(move)
        move.home.start()
        rooms_open_under_the_old_aliases(move)
        said = settles(move.mails, still=3)
        # Answered are only those nobody had answered, and those that need another alias.
        assert said - before == Counter({"Waiting": 1, "Deleted": 1, "By hand": 1, "Offline": 1})
        edited_with_the_same_alias(move)
        assert "Traceback" not in move.home.greenroom.output()


def a_dry_run_changes_nothing(move: Move) -> None:
    state = move.pexip.get("state")
    assert move.fates() == {
        "Running": "take-over",
        "Planning": "take-over",
        "Weekly": "take-over",
        "Waiting": "take-over",
        "Deleted": "alias-deleted",
        "By hand": "no-alias",
        "Offline": "offline",
    }
    assert move.pexip.get("state") == state
    assert move.writes() == []
    assert not move.home.database.exists()
    table = move.run()
    assert "Nothing was changed" in table.stdout
    assert "watches vmr@sim.test too" in " ".join(table.stderr.split())
    config = move.run("--print-config").stdout
    assert 'theme = "Company"' in config
    assert "before = 15" in config


def the_answer_to_a_mark_is_lost(move: Move) -> None:
    """It comes to its end all the same, and then there is nothing left to do."""
    move.pexip.fail(
        "timeout_after_commit", method="PATCH", resource="configuration/conference", target="list", times=1, seconds=3
    )
    told = move.told("--yes")
    assert (told["dry_run"], len(told["taken_over"]), told["unmarked"]) == (False, 4, [])


def taken_over(move: Move) -> None:
    fates = move.fates()
    assert [fates[subject] for subject in ("Running", "Planning", "Weekly", "Waiting")] == ["taken-over"] * 4
    again = move.told("--yes")
    assert again["taken_over"] == []
    assert move.writes() == ["PATCH configuration/conference"]
    assert len(move.pexip.conferences()) == 3


def rooms_open_under_the_old_aliases(move: Move) -> None:
    eventually(lambda: move.home.admits(alias("Running")), seconds=40)
    eventually(lambda: len(move.home.rooms()) == 7, seconds=40)
    report = move.home.dial(alias("Running"))
    assert (report["by"], report["service_tag"]) == (
        "policy",
        next(r.tag for r in move.home.rooms() if r.alias == alias("Running")),
    )
    assert move.home.dial(alias("Planning"))["reason"] == "rejected"
    eventually(lambda: len(move.pexip.conferences()) == 7, seconds=40)
    numbers = [alias["alias"] for one in move.pexip.conferences() for alias in one["aliases"]]
    assert {alias(subject) for subject in ("Running", "Planning", "Weekly", "Waiting")} <= set(numbers)


def edited_with_the_same_alias(move: Move) -> None:
    before = move.mails()
    move.home.olga.move("Planning", in_seconds(-30))
    eventually(lambda: move.mails() - before == Counter({"Planning": 1}), seconds=40)
    answers = [message for message in move.home.olga.responses() if message.subject.endswith("Planning")]
    assert alias("Planning") in answers[-1].body
    eventually(lambda: move.home.admits(alias("Planning")), seconds=40)
