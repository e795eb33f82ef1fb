"""How fast does the add-in get a room? Our API, tokens and all, beside a plain FastAPI route that inserts a row, in one run.

Each server is a process of its own over a real SQLite file, and so is who asks it (`reservations_load.py`): first in a fixed rhythm
of 100 new reservations a second, then as fast as answers come. Ours checks an access token of Entra for every one of them, counts
what the person has, draws an alias, stores it, and renders the instructions twice; the other does nothing of this.

    python bench/reservations.py                      the table
    python bench/reservations.py --json               for programs
    python bench/reservations.py --only greenroom     without the comparison

On a busy machine only the processor time says much.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from policy import cpu, parser

HERE = Path(__file__).parent
SIDES = ("greenroom", "plain")
RATE = 100
PEOPLE = 1_000


@dataclass(frozen=True)
class Figures:
    """What one side did: milliseconds at the fixed rate, and what it can at most. `cpu_us` is processor time of the server each."""

    side: str
    p50: float
    p99: float
    p999: float
    longest: float
    cpu_us: float
    answers_per_second: float
    cpu_us_at_most: float


@contextmanager
def server(side: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run one side while the block does; yields its port and its process id."""
    command = [sys.executable, str(HERE / "reservations_server.py"), side, str(folder), str(PEOPLE)]
    # Issuers of tokens are helpers of the tests, too.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE.parent / "tests"), os.environ.get("PYTHONPATH", "")])
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"{side} did not start")
        yield json.loads(said)["port"], process.pid


def asked(port: int, folder: Path, *options: str) -> dict[str, float]:
    """Let the other process ask; every answer must be a reservation."""
    command = [sys.executable, str(HERE / "reservations_load.py"), str(folder / "tokens.json"), str(port), *options]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if found["wrong"] or found["lost"]:
        raise SystemExit(f"{found['wrong']} wrong answers, {found['lost']} lost connections")
    return found


def run(side: str, folder: Path, seconds: float, rate: float) -> Figures:
    """Measure one side."""
    with server(side, folder) as (port, pid):
        began = cpu(pid)
        rhythm = asked(port, folder, "--rate", str(rate), "--seconds", str(seconds))
        between = cpu(pid)
        speed = asked(port, folder, "--seconds", str(seconds / 2))
        ended = cpu(pid)
    return Figures(
        side=side,
        p50=round(rhythm["p50"] * 1000, 2),
        p99=round(rhythm["p99"] * 1000, 2),
        p999=round(rhythm["p999"] * 1000, 2),
        longest=round(rhythm["max"] * 1000, 2),
        cpu_us=round((between - began) / rhythm["served"] * 1e6),
        answers_per_second=round(speed["per_second"]),
        cpu_us_at_most=round((ended - between) / speed["served"] * 1e6),
    )


def table(found: list[Figures], rate: float) -> str:
    """Lay the numbers side by side; the last column says how many times better ours is."""
    lines = [f"{rate:g} reservations a second by {PEOPLE} people, HTTP by {parser()}"]
    lines.append("".ljust(42) + "".join(one.side.rjust(12) for one in found) + ("ratio".rjust(10) if found[1:] else ""))
    names = {
        "p50": "p50, ms",
        "p99": "p99, ms",
        "p999": "p99.9, ms",
        "longest": "longest, ms",
        "cpu_us": "processor time each, µs",
        "answers_per_second": "at full speed, reservations a second",
        "cpu_us_at_most": "processor time each at full speed, µs",
    }
    for name, label in names.items():
        values = [asdict(one)[name] for one in found]
        line = label.ljust(42) + "".join(f"{value:.2f}".rjust(12) for value in values)
        if len(values) > 1:
            ours, theirs = values
            line += f"{(ours / theirs if name == 'answers_per_second' else theirs / ours):9.2f}x"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, print."""
    options = argparse.ArgumentParser(description="How fast does the add-in get a room?")
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--rate", type=float, default=RATE)
    options.add_argument("--only", choices=SIDES)
    options.add_argument("--json", action="store_true")
    arguments = options.parse_args()
    found = []
    for side in (arguments.only,) if arguments.only else SIDES:
        with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name:
            found.append(run(side, Path(name), arguments.seconds, arguments.rate))
    print(json.dumps([asdict(one) for one in found], indent=2) if arguments.json else table(found, arguments.rate))


if __name__ == "__main__":
    main()
