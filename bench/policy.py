"""How fast is a call answered? Our policy server beside a plain FastAPI route that asks SQLite, with the same meetings, in one run.

100,000 meetings lie in a real SQLite file, half of them series. Each server is a process of its own, and so is who asks it
(`policy_load.py`): first in a fixed rhythm of 500 questions a second, then as fast as answers come. The questions are those of
real calls: open rooms, closed ones, aliases of others, participants. Every answer is checked.

    python bench/policy.py            the table
    python bench/policy.py --json     for programs

Uvicorn takes httptools and uvloop where it finds them (PYTHONPATH); the table says which it was. At the end meetings are stored
from this process, and asked for until the server in its own process lets in. On a busy machine only the processor time says much.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.recurrence import Series
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Rule, Weekly
from greenroom.meetings.zones import Zone
from greenroom.storage import Storage
from greenroom.storage.schema import counters, rooms
from policy_load import NAME, PASSWORD
from policy_server import PLAN

HERE = Path(__file__).parent
HOUR = timedelta(hours=1)
MARGIN = timedelta(minutes=30)
SIDES = ("greenroom", "plain")
RATE = 500
CHANGES = 20
PATIENCE = 10
_PAGE = 5_000


@dataclass(frozen=True)
class Figures:
    """What one side did. Times in milliseconds, memory in megabytes: with nothing in it, with all meetings, and behind the load.

    `cpu_us` is how many microseconds of processor time an answer took the server, at full speed.
    """

    side: str
    load_ms: float
    rss_empty: int
    rss_loaded: int
    rss_after: int
    p50: float
    p99: float
    p999: float
    longest: float
    answers_per_second: float
    cpu_us: float
    change_p50: float | None = None
    change_max: float | None = None


def meeting(number: int, now: datetime) -> RoomSpec:
    """Make a meeting: even numbers once, odd ones every week; one of seven is on now."""
    starts = now.replace(minute=0, second=0, microsecond=0) + HOUR * (number // 2 % 7 * 24)
    times: Once | Series = Once(starts, starts + 2 * HOUR)
    if number % 2:
        first = starts - timedelta(weeks=number % 50)
        rule = Rule(Weekly(1, (first.weekday(),)), first.date())
        times = Series.of(rule, first, first + 2 * HOUR, Zone("UTC"), gone=[first.date() + timedelta(weeks=60)])
    return RoomSpec(
        mark=f"{number:032x}",
        alias=PLAN.alias(100_000_000 + number * 7919),
        join_id=f"{number:016d}",
        name=f"Weekly review of department {number}",
        description="",
        owner=f"person{number % 5000}@bench.test",
        admission=Admission((times,), MARGIN, MARGIN),
        host_pin=f"{number % 1_000_000:06d}",
        guest_pin=f"{(number + 1) % 1_000_000:06d}",
    )


def row(spec: RoomSpec, version: int) -> dict[str, Any]:
    """Write a room as storage has it; a hundred thousand transactions would take minutes."""
    return {
        "integration": 1,
        "mark": spec.mark,
        "alias_number": spec.alias.number,
        "alias": spec.alias.name,
        "alias_numeric": spec.alias.numeric,
        "join_id": spec.join_id,
        "name": spec.name,
        "description": spec.description,
        "owner": spec.owner,
        "admission": spec.admission.text,
        "host_pin": spec.host_pin,
        "guest_pin": spec.guest_pin,
        "closes_at": spec.admission.closes,
        "version": version,
    }


def fill(database: Path, number: int, now: datetime) -> list[RoomSpec]:
    """Make the database with its meetings."""

    async def migrate() -> None:
        storage = Storage.open(f"sqlite:///{database}")
        await storage.migrate()
        await storage.close()

    asyncio.run(migrate())
    specs = [meeting(one, now) for one in range(number)]
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        for start in range(0, number, _PAGE):
            piece = specs[start : start + _PAGE]
            connection.execute(sa.insert(rooms), [row(spec, start + n + 1) for n, spec in enumerate(piece)])
        connection.execute(sa.insert(counters), {"name": "rooms", "value": number})
    engine.dispose()
    return specs


def path(alias: str, number: int, service: str = "service/configuration") -> str:
    """A question with all that a node sends along."""
    asked = {
        "call_direction": "dial_in",
        "protocol": "sip",
        "bandwidth": 0,
        "vendor": "Cisco/CE11.5.2.4 (RoomOS)",
        "encryption": "On",
        "registered": "False",
        "trigger": "invite",
        "remote_display_name": f"Person {number}",
        "remote_alias": f"sip:person{number}@bench.test",
        "remote_address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "remote_port": 58435,
        "call_tag": "",
        "idp_uuid": "",
        "has_authenticated_display_name": "False",
        "supports_direct_media": "False",
        "teams_tenant_id": "",
        "location": "London",
        "node_ip": "10.144.101.21",
        "version_id": 38,
        "pseudo_version_id": "77683.0.0",
        "local_alias": alias,
    }
    return f"/policy/v1/{service}?{urlencode(asked)}"


def questions(specs: list[RoomSpec], now: datetime, most: int = 20_000) -> list[tuple[str, str]]:
    """Draw questions, each with what the right answer contains: six of ten are about rooms that are open."""
    random = Random(5)
    is_open = [spec for spec in specs if spec.admission.state(now + MARGIN / 3)[0] and spec.admission.state(now)[0]]
    closed = [
        spec for spec in specs if not spec.admission.state(now)[0] and not spec.admission.state(now + MARGIN / 3)[0]
    ]
    drawn = []
    for number in range(most):
        kind = number % 10
        if kind < 6:
            spec = random.choice(is_open)
            drawn.append((path(f"sip:{spec.alias.name}", number), spec.mark))
        elif kind < 8:
            drawn.append((path(random.choice(closed).alias.name, number), '"reject"'))
        elif kind < 9:
            drawn.append((path(f"reception{number}@elsewhere.test", number), '"continue"'))
        else:
            drawn.append((path(random.choice(is_open).alias.name, number, "participant/properties"), '"continue"'))
    random.shuffle(drawn)
    return drawn


@contextmanager
def server(side: str, database: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Run one side while the block does; yields what it said of itself, and its process id."""
    command = [sys.executable, str(HERE / "policy_server.py"), side, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"{side} did not start")
        yield json.loads(said), process.pid


def asked(port: int, file: Path, *options: str) -> dict[str, float]:
    """Let the other process ask; every answer must be the right one."""
    command = [sys.executable, str(HERE / "policy_load.py"), str(file), str(port), *options]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if found["wrong"] or found["lost"]:
        raise SystemExit(f"{found['wrong']} wrong answers, {found['lost']} lost connections")
    return found


def changes(port: int, database: Path, now: datetime, first: int) -> list[float]:
    """Store meetings that are on now; returns how many milliseconds behind its commit each was answered for."""
    credential = b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    callers = count(200_000)  # always somebody else: one alone would be turned away for guessing

    def lets_in(alias: str) -> bool:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path(alias, next(callers))}")
        request.add_header("Authorization", f"Basic {credential}")
        with urllib.request.urlopen(request) as answer:
            return b"service_type" in answer.read()

    async def store(spec: RoomSpec) -> None:
        storage = Storage.open(f"sqlite:///{database}")
        async with storage.work() as work:
            await work.rooms.upsert(1, spec)
        await storage.close()

    took = []
    for number in range(first, first + CHANGES * 14, 14):
        spec = meeting(number, now)
        asyncio.run(store(spec))
        began = time.perf_counter()
        while not lets_in(spec.alias.name):
            if time.perf_counter() - began > PATIENCE:
                raise SystemExit("a change was not answered for")
            time.sleep(0.005)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def run(side: str, database: Path, file: Path, seconds: float, later: Callable[[int], list[float]]) -> Figures:
    """Measure one side. `later` measures changes, at a port."""
    with server(side, database) as (said, pid):
        port = said["port"]
        rhythm = asked(port, file, "--rate", str(RATE), "--seconds", str(seconds))
        worked = cpu(pid)
        speed = asked(port, file, "--seconds", str(seconds / 2))
        worked = cpu(pid) - worked
        after = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 // 1_000_000
        took = later(port) if side == "greenroom" else []
    return Figures(
        side=side,
        load_ms=round(said["load"] * 1000),
        rss_empty=said["empty"],
        rss_loaded=said["rss"],
        rss_after=after,
        p50=round(rhythm["p50"] * 1000, 2),
        p99=round(rhythm["p99"] * 1000, 2),
        p999=round(rhythm["p999"] * 1000, 2),
        longest=round(rhythm["max"] * 1000, 2),
        answers_per_second=round(speed["per_second"]),
        cpu_us=round(worked / speed["served"] * 1e6),
        change_p50=round(took[len(took) // 2]) if took else None,
        change_max=round(took[-1]) if took else None,
    )


def cpu(pid: int) -> float:
    """Seconds a process has worked so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(found: list[Figures], meetings: int) -> str:
    """Lay the numbers side by side; the last column says how many times better ours is."""
    lines = [f"{meetings} meetings, {RATE} questions a second, HTTP by {parser()}"]
    lines.append("".ljust(34) + "".join(one.side.rjust(12) for one in found) + ("ratio".rjust(10) if found[1:] else ""))
    names = {
        "p50": "p50, ms",
        "p99": "p99, ms",
        "p999": "p99.9, ms",
        "longest": "longest, ms",
        "answers_per_second": "at full speed, answers a second",
        "cpu_us": "processor time an answer, µs",
        "rss_empty": "memory without meetings, MB",
        "rss_loaded": "memory with meetings, MB",
        "rss_after": "memory behind the load, MB",
        "load_ms": "until it answers at the start, ms",
        "change_p50": "a change is answered for, p50, ms",
        "change_max": "a change is answered for, max, ms",
    }
    for name, label in names.items():
        values = [asdict(one)[name] for one in found]
        line = label.ljust(34) + "".join(("-" if value is None else f"{value:.2f}").rjust(12) for value in values)
        if len(values) > 1 and name in {"p50", "p99", "p999", "longest", "answers_per_second", "cpu_us"}:
            ours, theirs = values
            line += f"{(ours / theirs if name == 'answers_per_second' else theirs / ours):9.1f}x"
        lines.append(line)
    return "\n".join(lines)


def parser() -> str:
    """Name what uvicorn takes here to read HTTP and to wait."""
    found = [name for name in ("httptools", "uvloop") if importlib.util.find_spec(name)]
    return " and ".join(found) or "h11 and asyncio"


def main() -> None:
    """Read the options, run, print."""
    options = argparse.ArgumentParser(description="How fast is a call answered?")
    options.add_argument("--meetings", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--only", choices=SIDES)
    options.add_argument("--json", action="store_true")
    arguments = options.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name:
        database, file = Path(name) / "greenroom.db", Path(name) / "questions.json"
        specs = fill(database, arguments.meetings, now)
        file.write_text(json.dumps(questions(specs, now)))
        del specs
        later = partial(changes, database=database, now=now, first=arguments.meetings // 14 * 14 + 14)
        found = [
            run(side, database, file, arguments.seconds, later)
            for side in ((arguments.only,) if arguments.only else SIDES)
        ]
    print(json.dumps([asdict(one) for one in found], indent=2) if arguments.json else table(found, arguments.meetings))


if __name__ == "__main__":
    main()
