"""Two Greenrooms as they are served, each with a database of its own, on one mailbox: one room and one reply per meeting.

Both say so. After the one that attends is killed, the other one goes on by itself, and what came meanwhile is done once.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greenroom.scheduler.watch_book import Watch, WatchStanding, watch_of
from greenroom.simulator.model import Attendee, Body, MeetingDraft, MeetingResponse, Person
from greenroom.storage import Storage, StorageError
from support.simulator import RunningSimulator, running_simulator
from support.whole import (
    EQUIPMENT,
    ORGANIZER,
    Program,
    Spoken,
    configure,
    eventually,
    settings_in,
    settles,
    started,
    world,
)

pytestmark = pytest.mark.slow
HOUR = timedelta(hours=1)
TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
SERVE = """
from datetime import timedelta
from greenroom.scheduler import watching, whereabouts
{where}
watching.USUAL = watching.Times(**{{name: timedelta(seconds=value) for name, value in {times}.items()}})
from greenroom.cli import main
main()
"""
HERE = SERVE.format(where="", times={"beat": 1})
"""Both on one machine: that the other one is dead can be seen."""
APART = SERVE.format(
    where='whereabouts.machine = lambda: "-"',
    times={"beat": 1, "lapse": 12, "stale": 15, "forgotten": 30, "settle": 15},
)
"""As if on two machines: only silence says that the other one is gone."""


@dataclass
class Side:
    """One installation."""

    folder: Path
    program: Program

    def told(self, *command: str) -> tuple[int, Any]:
        line = [sys.executable, "-m", "greenroom", *command, "--json", "--config", str(self.folder / "greenroom.toml")]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, json.loads(done.stdout)

    def watch(self) -> Watch:
        async def read() -> Watch:
            storage = Storage.open(settings_in(self.folder).storage.url.get_secret_value())
            try:
                async with storage.reading() as work:
                    return await watch_of(work, EQUIPMENT)
            except StorageError:
                return Watch()  # it has only just been started
            finally:
                await storage.close()

        return asyncio.run(read())

    def lines(self) -> list[str]:
        return [line for line in self.program.output().splitlines() if line.startswith("{")]

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines()]


@contextlib.contextmanager
def side(folder: Path, simulator: RunningSimulator, protocol: Spoken, script: str) -> Iterator[Side]:
    folder.mkdir()
    file = configure(folder, simulator, protocol=protocol, push=False, service='log_format = "json"')
    with started([sys.executable, "-c", script, "serve", "--config", str(file)], folder / "log") as program:
        yield Side(folder, program)


def invite(simulator: RunningSimulator, *names: str) -> None:
    for day, name in enumerate(names):
        start = TOMORROW + timedelta(days=day)
        draft: MeetingDraft = {
            "subject": name,
            "body": Body("<html><body><p>Agenda</p></body></html>", "HTML"),
            "start": start,
            "end": start + HOUR,
            "attendees": (Attendee(Person(EQUIPMENT, "Meeting room"), "resource"),),
        }
        simulator.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")


def answers(simulator: RunningSimulator) -> dict[str, int]:
    """How many answers the organizer got, by meeting."""
    counted: dict[str, int] = {}
    for item in simulator.exchange.items(ORGANIZER, "inbox"):
        if isinstance(item, MeetingResponse):
            name = item.subject.partition(": ")[2] or item.subject
            counted[name] = counted.get(name, 0) + 1
    return counted


@pytest.mark.parametrize("protocol", ["ews", "graph"])
@pytest.mark.parametrize("script", [HERE, APART], ids=["one-machine", "two-machines"])
def test_two_services_make_one_room_and_one_reply_and_the_second_goes_on_when_the_first_is_killed(
    tmp_path: Path, protocol: Spoken, script: str
) -> None:
    with running_simulator(world()) as simulator, contextlib.ExitStack() as stack:
        first_names, second_names = [f"early {n}" for n in range(4)], [f"late {n}" for n in range(4)]
        invite(simulator, *first_names)
        sides = [stack.enter_context(side(tmp_path / name, simulator, protocol, script)) for name in "ab"]
        eventually(lambda: len(answers(simulator)) == 4, seconds=60)
        eventually(lambda: set(stands(sides)) == {WatchStanding.HOLDS, WatchStanding.KEPT_OUT}, seconds=60)
        assert settles(lambda: answers(simulator)) == dict.fromkeys(first_names, 1)
        holder, kept = sides if stands(sides)[0] is WatchStanding.HOLDS else reversed(sides)
        eventually(lambda: holder.watch().contender is not None, seconds=30)
        for one, alarm_code in ((holder, "contender"), (kept, "second-watcher")):
            code, status = one.told("status")
            assert code == 1
            assert alarm_code in {alarm["code"] for alarm in status["alarms"]}
        assert sum("another Greenroom attends" in event for event in kept.events()) == 1
        code, shown = kept.told("watcher")
        assert code == 1
        assert shown["integrations"][0]["watched_by"]["this_installation"] is False

        holder.program.process.kill()
        holder.program.process.wait()
        invite(simulator, *second_names)
        eventually(lambda: len(answers(simulator)) == 8, seconds=60)
        assert settles(lambda: answers(simulator)) == dict.fromkeys([*first_names, *second_names], 1)
        assert kept.watch().standing is WatchStanding.HOLDS
        assert rooms(kept) == 8
        assert kept.program.stop() == 0
        assert not any(simulator.exchange.folder_properties(EQUIPMENT).values())


@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_a_command_borrows_the_mailbox_from_the_service_that_runs_and_the_service_goes_on(
    tmp_path: Path, protocol: Spoken
) -> None:
    with running_simulator(world()) as simulator, side(tmp_path / "a", simulator, protocol, HERE) as one:
        invite(simulator, "before")
        eventually(lambda: answers(simulator) == {"before": 1}, seconds=60)
        code, swept = one.told("sweep", "--since", "1h")
        assert code == 0, swept
        assert {"mailbox lent", "mailbox given back"} <= set(eventually(lambda: has_it_back(one), seconds=30))
        invite(simulator, "after")
        eventually(lambda: answers(simulator) == {"before": 1, "after": 1}, seconds=60)
        assert "error" not in {json.loads(line)["level"] for line in one.lines()}


def has_it_back(one: Side) -> list[str]:
    events = one.events()
    return events if "mailbox given back" in events else []


def stands(sides: list[Side]) -> list[WatchStanding]:
    return [one.watch().standing for one in sides]


def rooms(one: Side) -> int:
    _, status = one.told("status")
    return int(status["integrations"][0]["meetings"]["scheduled"])
