"""How long does `greenroom doctor` take? Whole programs, with everything up and with everything down.

"Up" is a simulated Exchange, a simulated Pexip, identity providers and the service; "down" has in their places, first, ports that
refuse at once, then one that takes connections and never says a word, which is the worst there is.

    python bench/doctor.py             the table
    python bench/doctor.py --json      for programs
    python bench/doctor.py --rounds 5
"""

import argparse
import json
import socket
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
sys.path.append(str(HOUSE / "tests"))  # the installation is a helper of the tests too

from support.doctor_house import Examined, House, black_hole, doctor_house  # noqa: E402 (the path comes first)
from support.whole import eventually  # noqa: E402 (the same)


@dataclass(frozen=True)
class Measured:
    """How one state of the world was examined; `seconds` from the start of the program to its end."""

    world: str
    median_seconds: float
    most_seconds: float
    findings: int
    wrong: int
    code: int


def measure(world: str, rounds: int, examine: Callable[[], Examined]) -> Measured:
    """Examine some times."""
    found = [examine() for _ in range(rounds)]
    seconds = [one.seconds for one in found]
    wrong = sum(one["state"] == "wrong" for one in found[-1].findings)
    median = round(statistics.median(seconds), 2)
    return Measured(world, median, round(max(seconds), 2), len(found[-1].findings), wrong, found[-1].code)


def down(house: House, place: str) -> Examined:
    """Examine with one place where everything should be."""
    return house.doctor(
        exchange=f"http://{place}/EWS/Exchange.asmx", pexip=f"http://{place}", issuers=f"http://{place}", public=place
    )


def main() -> None:
    """Print how long it takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, doctor_house(Path(folder)) as house, black_hole() as hole:
        eventually(lambda: house.doctor().code == 0, seconds=60)
        with socket.create_server(("127.0.0.1", 0)) as sock:
            closed = f"127.0.0.1:{sock.getsockname()[1]}"
        found = [
            measure("everything up", chosen.rounds, house.doctor),
            measure("down, refusing", chosen.rounds, lambda: down(house, closed)),
            measure("down, silent", chosen.rounds, lambda: down(house, f"127.0.0.1:{hole}")),
        ]
    if chosen.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return
    print(f"{'':16} {'median s':>9} {'most s':>9} {'findings':>9} {'wrong':>6} {'code':>5}")
    for one in found:
        print(
            f"{one.world:16} {one.median_seconds:9.2f} {one.most_seconds:9.2f} {one.findings:9} {one.wrong:6} {one.code:5}"
        )


if __name__ == "__main__":
    main()
