"""What survives chaos? Greenroom is killed, cheated and robbed of its memory; in the end all is as people meant.

The simulated Exchange listens on a real socket, every Greenroom is a real process. For a bounded time, by a script from the seed
alone: people invite, move, cancel and edit (single meetings and series, with tickets and without, copied ones, one organizer whom
Greenroom may not touch); Exchange fails, loses, doubles and delays notifications; Greenroom dies by SIGKILL at any moment, also
while it starts, and sometimes runs twice on one database; the database is lost, an older backup comes back, the platform loses
rooms. Then the faults end, and it may settle. What is compared then follows from what people did, and from nothing else: one open
room for each living meeting with the right times and alias, none for others, instructions that name it, no sending answered
twice, no mail about what people need not know.

    python bench/chaos.py                                       two minutes over EWS, another seed each time
    python bench/chaos.py --seed 7 --seconds 300 --protocol both
    python bench/chaos.py --database postgres --json            for programs; with the script

Ends with status 1 where anything differs, and tells the seed. The same seed gives the same script; what the processes had done
when an action came is another matter, so a difference may need a few runs to come again.
"""

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

import job  # noqa: F401  finds the helpers of the tests
from chaos_check import differences, held
from chaos_house import House, house, world
from chaos_people import People
from chaos_script import DEEDS, Action, script
from chaos_trouble import Trouble
from greenroom.cli.exits import Exit
from greenroom.meetings.ticket import KeyRing
from support.simulator import RunningSimulator, running_simulator
from support.whole import Spoken, settings_in

PROTOCOLS: tuple[Spoken, ...] = ("ews", "graph")
_STILL = 4.0
_TRIES = 5
_ENDLESS = 2.0
"""A run takes no longer than so many times what was asked for, however slow the machine is, before it settles."""


@dataclass(frozen=True)
class Result:
    """What one run came to. `differences` are empty where the end is what people meant."""

    seed: int
    protocol: str
    database: str
    seconds: float
    planned: int
    done: dict[str, int]
    struck: dict[str, int]
    meetings: int
    living: int
    settled_after: float
    differences: list[str]
    script: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Run:
    """One run."""

    people: People
    house: House
    trouble: Trouble
    done: Counter[str] = field(default_factory=Counter)
    recovery_due: bool = False

    def live(self, actions: Sequence[Action], seconds: float) -> None:
        """Let everything happen in its turn."""
        self.house.start()
        began = time.monotonic()
        for action in actions:
            time.sleep(max(0.0, action.at - (time.monotonic() - began)))
            if time.monotonic() - began > seconds * _ENDLESS:
                break
            self.house.look_after()
            if self._do(action):
                self.done[action.what] += 1

    def _do(self, action: Action) -> bool:
        if action.what in DEEDS:
            return self.people.act(action)
        if self.trouble.make(action):
            return True
        disaster = getattr(self, "_" + action.what.replace("-", "_"), None)
        return disaster is not None and disaster(action) is not False

    def _kill(self, action: Action) -> None:
        self.house.kill()
        time.sleep(action.long if action.flag else 0)
        self.house.start()

    def _kill_starting(self, action: Action) -> None:
        self.house.kill()
        self.house.start()
        time.sleep(action.long * 3)
        self.house.kill()
        self.house.start()

    def _stop(self, _action: Action | None = None) -> None:
        self.house.stop()
        self.house.start()

    def _two(self, action: Action) -> None:
        self.house.start()
        time.sleep(1 + action.long * 4)
        self.house.kill(all_of_them=False)
        self.house.look_after()

    def _lose_database(self, _action: Action) -> None:
        self.house.kill()
        self.people.look_what_survives()
        self.house.database.lose()
        self.house.start()

    def _backup(self, _action: Action) -> bool:
        for _ in range(_TRIES):
            code = self.house.command("backup", str(self.house.backup_file), "--force")
            if code != Exit.OUTSIDE:
                break
            time.sleep(2)  # the database was lost a moment ago, and Greenroom is only making another
        if code:
            self.house.wrong.append(f"greenroom backup ended with {code}")
        return code == 0

    def _restore(self, _action: Action) -> bool:
        if not self.house.backup_file.exists():
            return False
        self.house.kill()
        self.people.look_what_survives()
        code = self.house.command("restore", str(self.house.backup_file), "--replace", "--yes")
        if (
            code == 1
        ):  # the claim of the process that was killed stands for a minute; who has no patience takes an empty database
            self.house.database.lose()
            code = self.house.command("restore", str(self.house.backup_file), "--yes")
        if code != 0:
            self.house.wrong.append(f"greenroom restore ended with {code}")
        self.house.start()
        return True

    def _lose_rooms(self, action: Action) -> bool:
        self.house.kill()
        lost = self.house.lose_rooms(1 + action.which % 4)
        self.house.start()
        self.recovery_due = self.recovery_due or lost > 0
        self._recover(action)
        return lost > 0

    def _recover(self, action: Action) -> None:
        self.house.command("recover", "--yes", kill_after=1 + action.long * 4 if action.flag else 15)

    def _drift(self, action: Action) -> None:
        self.house.command("drift", "--mend", "--yes", kill_after=1 + action.long * 4 if action.flag else 15)

    def settle(self, simulator: RunningSimulator, patience: float) -> list[str]:
        """Wait, without faults, until all is as people meant and nothing goes on; returns in what it is not."""
        began, now = time.monotonic(), datetime.now(UTC)
        if self.done["refusal"]:  # refused once, it waits for a quarter of an hour, so that no account is locked
            self._stop()
        self.house.look_after()
        if self.recovery_due and (code := self._recovered()) != 0:
            self.house.wrong.append(f"greenroom recover ended with {code}, though nothing was wrong with Exchange")
        since, before = time.monotonic(), -1
        while True:
            found = held(self.house.database.url)
            wrong = differences(self.people, simulator.exchange, found)
            if found.looked is None or found.looked < now:
                wrong.append("the mailbox was not looked at")
            wrong += [f"waits: {one}" for one in found.waiting]
            writes = sum(len(simulator.exchange.items(one.organizer, "inbox")) for one in self.people.meetings)
            if wrong or writes != before:
                since, before = time.monotonic(), writes
            if time.monotonic() - since >= _STILL or time.monotonic() - began > patience:
                return wrong + self.house.wrong
            time.sleep(0.5)

    def _recovered(self) -> int | None:
        self.done["recover"] += 1
        return self.house.command("recover", "--yes")

    def sabotage(self, simulator: RunningSimulator) -> list[str]:
        """Take a room away behind everybody's back: a comparison that does not see this sees nothing."""
        self.house.end()
        self.house.lose_rooms(1)
        return differences(self.people, simulator.exchange, held(self.house.database.url))


def run(protocol: Spoken, kind: str, seed: int, seconds: float, options: argparse.Namespace) -> Result:
    """Make one run."""
    actions = script(seed, seconds)
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-chaos-") as name,
        running_simulator(world(), check_requests=False) as simulator,
    ):
        folder = Path(options.keep) if options.keep else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        with house(folder, simulator, protocol, kind) as greenroom:
            (entry,) = settings_in(folder).integration
            ring = KeyRing(entry.ticket_prefix, entry.number, {key.id: key.key for key in entry.ticket_keys})
            people = People(simulator.exchange, ring)
            one = Run(people, greenroom, Trouble(simulator, protocol, people))
            began = time.monotonic()
            one.live(actions, seconds)
            struck = one.trouble.end()
            lived = time.monotonic() - began
            wrong = one.settle(simulator, options.patience)
            settled = time.monotonic() - began - lived
            if options.sabotage:
                wrong += one.sabotage(simulator)
            greenroom.end()
        return Result(
            seed,
            protocol,
            kind,
            round(lived, 1),
            len(actions),
            dict(sorted({**one.done, **greenroom.counts}.items())),
            struck,
            len(people.meetings),
            sum(meeting.lives for meeting in people.meetings),
            round(settled, 1),
            wrong,
            [asdict(action) for action in actions],
        )


def told(result: Result) -> str:
    """Say what was survived."""
    lines = [f"seed {result.seed} over {result.protocol} on {result.database}: {sum(result.done.values())} things"]
    lines[0] += (
        f" in {result.seconds} s, settled after {result.settled_after} s; {result.living} of {result.meetings} meetings live"
    )
    lines.append("  happened: " + ", ".join(f"{count} {name}" for name, count in result.done.items()))
    lines.append("  faults that struck: " + (", ".join(f"{n} {name}" for name, n in result.struck.items()) or "none"))
    lines += [f"  DIFFERS: {said}" for said in result.differences]
    if result.differences:
        lines.append(f"  again: --seed {result.seed} --protocol {result.protocol} --database {result.database}")
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description="What survives chaos?")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--protocol", choices=(*PROTOCOLS, "both"), default="ews")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--patience", type=float, default=420, help="seconds in which it must have settled")
    parser.add_argument("--keep", help="a folder in which configuration, database and log are left")
    parser.add_argument(
        "--sabotage", action="store_true", help="take rooms away before the comparison, which must see it"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    protocols = PROTOCOLS if options.protocol == "both" else (options.protocol,)
    seconds = options.seconds / len(protocols)
    results = [run(protocol, options.database, seed, seconds, options) for protocol in protocols]
    print(json.dumps([asdict(one) for one in results], indent=1) if options.json else "\n".join(map(told, results)))
    sys.exit(any(one.differences for one in results))


if __name__ == "__main__":
    main()
