"""What does it cost to recover a lost database? Greenroom and a plain reading of the same calendar, over EWS and Graph, in one run.

An equipment mailbox holds thousands of accepted meetings with genuine tickets of ours, and Greenroom's database is empty. It plans
and carries out a recovery as `greenroom recover --yes` does: every meeting keeps its alias, nobody is mailed. The simulator, a
process of its own, counts calls and mail. Beside it somebody only reads the calendar and looks for tickets, without deciding or
storing anything: exchangelib over EWS, nothing but requests over Graph.

    python bench/recovery.py                                  the table, with 50,000 meetings
    python bench/recovery.py --meetings 5000 --protocol graph
    python bench/recovery.py --json                           for programs

Ends with status 1 where a promise is broken: more than one call per 100 meetings beyond the page reads, 200 MB or more of memory,
a mail, or a meeting that was not recovered.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import job
from recovery_names import CLIENT_ID, LOGIN, MAILBOX, PEER, PEER_ID
from support.certificates import of_this_machine

PROTOCOLS = ("ews", "graph")
MOST_BEYOND_PAGES = 1.0
MOST_MEMORY_MB = 200.0
_PER = 100
_SENDING = frozenset(
    {"CreateItem", "SendItem", "UpdateItem", "AcceptEvent", "DeclineEvent", "TentativelyAcceptEvent", "UpdateEvent"}
)


@dataclass(frozen=True)
class Phase:
    """One walk through the calendar: its seconds, and its calls by operation as the simulator counted them.

    `page_reads` list or read whole pages of meetings; what goes in one batch is one call. `beyond_per_100` are all other calls, per
    100 meetings.
    """

    seconds: float
    operations: dict[str, int]
    page_reads: int
    beyond_per_100: float


@dataclass(frozen=True)
class Result:
    """What one protocol came to. `seconds` is both walks together; `ratio` how much longer that is than the peer's reading."""

    protocol: str
    meetings: int
    with_exceptions: int
    planning: Phase
    recovering: Phase
    seconds: float
    cpu_seconds: float
    memory_mb: float
    fates: dict[str, int]
    left: dict[str, int]
    failed: int
    mails: int
    pages_only_seconds: float
    peer: str
    peer_seconds: float | None = None
    peer_memory_mb: float | None = None
    peer_operations: dict[str, int] = field(default_factory=dict)
    ratio: float | None = None

    @property
    def broken(self) -> list[str]:
        """Which promises were broken."""
        beyond = max(self.planning.beyond_per_100, self.recovering.beyond_per_100)
        return [
            said
            for said, is_so in (
                (f"{beyond:.2f} calls per 100 meetings beyond the page reads", beyond > MOST_BEYOND_PAGES),
                (f"{self.memory_mb:.0f} MB of memory", self.memory_mb >= MOST_MEMORY_MB),
                (f"{self.mails} mails", self.mails > 0),
                ("not every meeting kept its alias", self.fates != {"keep-alias": self.meetings}),
            )
            if is_so
        ]


@dataclass(frozen=True)
class World:
    """A running simulator with the planted calendar."""

    referee: job.Referee
    protocol: str
    meetings: int
    broken: int
    config: Path

    def calls(self, account: str) -> dict[str, int]:
        """What an account, or an application, has called so far."""
        return self.referee.calls_of(account)

    def mails(self) -> int:
        """Mail in the inboxes of the people, who are all of this organisation."""
        return sum(len(self.referee.ask(f"state?mailbox={person}")["inbox"]) for person in job.PEOPLE)

    def phase(self, before: dict[str, int], after: dict[str, int], seconds: float) -> Phase:
        """What was called between two looks."""
        calls = {name: number - before.get(name, 0) for name, number in sorted(after.items())}
        calls = {name: number for name, number in calls.items() if number}
        if self.protocol == "ews":
            whole = -(-self.meetings // _PER)  # a page's bodies are read by one GetItem
            reads = calls.get("FindItem", 0) + min(calls.get("GetItem", 0), whole)
            all_calls = sum(calls.values())
        else:
            reads = calls.get("ListEvents", 0)
            all_calls = sum(calls.values()) - (calls.get("GetEvent", 0) if "Batch" in calls else 0)
        beyond = (all_calls - reads) / self.meetings * _PER
        return Phase(round(seconds, 1), calls, reads, round(beyond, 3))


@contextlib.contextmanager
def planted(folder: Path, protocol: str, count: int, seed: int) -> Iterator[World]:
    """Run the simulator with a calendar to be recovered; Graph is spoken over TLS."""
    command = [sys.executable, str(Path(__file__).with_name("recovery_exchange.py"))]
    command += ["--meetings", str(count), "--seed", str(seed)]
    authority = None
    if protocol == "graph":
        papers = of_this_machine(folder)
        authority = papers.certificate
        command += ["--tls-cert", str(papers.certificate), "--tls-key", str(papers.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            referee = job.Referee(told["url"], told["ews"], told["tenant"], authority)
            config = folder / "greenroom.toml"
            config.write_text(configuration(folder, protocol, referee), encoding="utf-8")
            yield World(referee, protocol, count, told["broken"], config)
        finally:
            process.terminate()


def configuration(folder: Path, protocol: str, referee: job.Referee) -> str:
    """Write an integration with an empty database and rooms of its own."""
    ews = f'url = "{referee.ews}"\nusername = "{LOGIN}"\npassword = "{job.PASSWORD}"\n'
    graph = f"""protocol = "graph"
tenant = "{referee.tenant}"
client_id = "{CLIENT_ID}"
client_secret = "{job.PASSWORD}"
cloud = "custom"
login_url = "{referee.url}"
graph_url = "{referee.url}"
ca_file = "{referee.authority}"
notifications = false
"""
    return f"""
[service]
public_url = "https://meet.example"
[storage]
url = "sqlite:///{folder / "greenroom.db"}"
[[integration]]
number = 1
name = "bench"
mailbox = "{MAILBOX}"
{job.ticket_keys()}
[integration.exchange]
{ews if protocol == "ews" else graph}"""


def worked(world: World, work: str, *more: str) -> dict[str, Any]:
    """Let one part be done by a process of its own, and return what it told."""
    with _worker(world, work, *more) as process:
        assert process.stdout is not None
        told = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{work} failed")
    return dict(json.loads(told))


def _worker(world: World, work: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("recovery_worker.py")), work]
    command += ["--config", str(world.config), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def greenroom(world: World) -> tuple[dict[str, Any], Phase, Phase]:
    """Plan and recover in one process; between the two it waits, so that calls can be told apart."""
    account = LOGIN if world.protocol == "ews" else CLIENT_ID
    before = world.calls(account)
    with _worker(world, "greenroom") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        if not process.stdout.readline():
            raise SystemExit("greenroom failed")
        between = world.calls(account)
        process.stdin.write("\n")
        process.stdin.flush()
        told = process.stdout.read()
    if process.returncode:
        raise SystemExit("greenroom failed")
    found = json.loads(told)
    after = world.calls(account)
    planning = world.phase(before, between, found["plan_seconds"])
    return found, planning, world.phase(between, after, found["seconds"])


def run(protocol: str, count: int, seed: int, *, with_peer: bool) -> Result:
    """Measure over one protocol."""
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name,
        planted(Path(name), protocol, count, seed) as world,
    ):
        pages = worked(world, "pages")
        found, planning, recovering = greenroom(world)
        sent = sum(number for op, number in recovering.operations.items() if op in _SENDING)
        mails = max(world.mails(), sent, found["mails_said"])
        seconds = planning.seconds + recovering.seconds
        peer = "exchangelib" if protocol == "ews" else "plain-graph"
        told: dict[str, Any] | None = None
        if with_peer:
            where = ("--url", world.referee.ews if protocol == "ews" else world.referee.url)
            papers = ("--tenant", world.referee.tenant, "--authority", str(world.referee.authority or ""))
            told = worked(world, peer, *where, *papers)
            if told["meetings"] != count:
                raise SystemExit(f"{peer} found {told['meetings']} tickets of {count}")
        return Result(
            protocol=protocol,
            meetings=count,
            with_exceptions=world.broken,
            planning=planning,
            recovering=recovering,
            seconds=round(seconds, 1),
            cpu_seconds=round(found["cpu_seconds"], 1),
            memory_mb=round(found["memory_mb"], 1),
            fates=found["fates"],
            left=found["left"],
            failed=found["failed"],
            mails=mails,
            pages_only_seconds=round(pages["seconds"], 1),
            peer=peer,
            peer_seconds=None if told is None else round(told["seconds"], 1),
            peer_memory_mb=None if told is None else round(told["memory_mb"], 1),
            peer_operations={} if told is None else world.calls(PEER if protocol == "ews" else PEER_ID),
            ratio=None if told is None else round(seconds / told["seconds"], 2),
        )


def table(results: Sequence[Result]) -> str:
    """Lay the protocols side by side."""
    rows: list[tuple[str, list[object]]] = [
        ("seconds, plan and recovery", [one.seconds for one in results]),
        ("  the plan", [one.planning.seconds for one in results]),
        ("  carrying it out", [one.recovering.seconds for one in results]),
        ("seconds to read the pages alone", [one.pages_only_seconds for one in results]),
        ("CPU seconds", [one.cpu_seconds for one in results]),
        ("highest memory, MB", [one.memory_mb for one in results]),
        ("page reads, plan / recovery", [f"{o.planning.page_reads}/{o.recovering.page_reads}" for o in results]),
        (
            "other calls per 100 meetings",
            [f"{o.planning.beyond_per_100}/{o.recovering.beyond_per_100}" for o in results],
        ),
        ("mails sent", [one.mails for one in results]),
        ("meetings that kept their alias", [one.fates.get("keep-alias", 0) for one in results]),
        ("series with exceptions among them", [one.with_exceptions for one in results]),
        ("peer, only reading", [one.peer for one in results]),
        ("  seconds", [one.peer_seconds for one in results]),
        ("  highest memory, MB", [one.peer_memory_mb for one in results]),
        ("  we need so many times as long", [one.ratio for one in results]),
    ]
    lines = [f"{results[0].meetings} accepted meetings with tickets, an empty database"]
    lines.append("".ljust(36) + "".join(one.protocol.rjust(16) for one in results))
    lines += [
        label.ljust(36) + "".join(("-" if v is None else str(v)).rjust(16) for v in values) for label, values in rows
    ]
    for one in results:
        calls = ", ".join(f"{number} {name}" for name, number in one.recovering.operations.items())
        theirs = ", ".join(f"{number} {name}" for name, number in sorted(one.peer_operations.items()))
        lines.append(
            f"calls of the recovery over {one.protocol}: {calls}" + (f"; of {one.peer}: {theirs}" * bool(theirs))
        )
        lines += [f"BROKEN over {one.protocol}: {said}" for said in one.broken]
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description="What does it cost to recover a lost database?")
    parser.add_argument("--meetings", type=int, default=50_000)
    parser.add_argument("--protocol", choices=(*PROTOCOLS, "both"), default="both")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-peer", action="store_true", help="without the comparison")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    protocols = PROTOCOLS if arguments.protocol == "both" else (arguments.protocol,)
    results = [
        run(protocol, arguments.meetings, arguments.seed, with_peer=not arguments.no_peer) for protocol in protocols
    ]
    print(json.dumps([asdict(one) for one in results], indent=2) if arguments.json else table(results))
    if any(one.broken for one in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
