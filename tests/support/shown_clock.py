"""A clock for programs that are processes of their own: it runs faster, or is ahead or behind, as a file says.

::

    clock = ShownClock(tmp_path / "clock.json")
    subprocess.run([sys.executable, *clock.runs("greenroom"), "serve", ...])
    clock.set(speed=20)                      # at any time: programs read the file again when it changed
    clock.set(ahead=timedelta(days=2))

What runs on it is Greenroom's own idea of the time and that of its simulators; sleeping and timeouts stay real.
"""

import json
import os
import runpy
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


@dataclass
class ShownClock:
    """The time that programs are shown; written by a test, read by them."""

    path: Path
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not self.path.exists():
            self._write(datetime.now(UTC))

    def __call__(self) -> datetime:
        return _shown(json.loads(self.path.read_text(encoding="utf-8")), datetime.now(UTC))

    def set(self, *, speed: float = 1.0, ahead: timedelta | None = None) -> None:
        """Let it go on from where it is at another speed; with `ahead` it jumps there, as seen from real time."""
        shown = self() if ahead is None else datetime.now(UTC) + ahead
        self.speed = speed
        self._write(shown)

    def runs(self, module: str) -> list[str]:
        """Return how Python is told to run a module by this clock."""
        return [str(Path(__file__).resolve()), str(self.path), module]

    def _write(self, shown: datetime) -> None:
        told = {"real": datetime.now(UTC).timestamp(), "shown": shown.timestamp(), "speed": self.speed}
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(told), encoding="utf-8")
        beside.replace(self.path)


def _shown(told: dict[str, float], real: datetime) -> datetime:
    passed = (real.timestamp() - told["real"]) * told["speed"]
    return datetime.fromtimestamp(told["shown"] + passed, UTC)


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: tuple[int, int] = (0, 0)
        self._told: dict[str, float] = {}

    def __call__(self, *_: Any) -> datetime:
        found = os.stat(self._path)  # noqa: PTH116  it is asked very often
        if (found.st_ino, found.st_mtime_ns) != self._seen:
            self._told = json.loads(Path(self._path).read_text(encoding="utf-8"))
            self._seen = found.st_ino, found.st_mtime_ns
        return _shown(self._told, datetime.now(UTC))


def _main(path: str, module: str) -> None:
    """Be a program that reads this clock wherever it asks for the time to judge by."""
    import greenroom.assembly  # noqa: PLC0415  not for those who only import this file
    import greenroom.cli.status  # noqa: PLC0415
    import greenroom.exchange.ews.mailbox as ews  # noqa: PLC0415
    import greenroom.exchange.graph.mailbox as graph  # noqa: PLC0415
    from greenroom.simulator.clock import SimulatorClock  # noqa: PLC0415

    reader = _Reader(path)

    class Datetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # what comes back is a plain one
            return reader().astimezone(tz)

    sys.modules["shown_clock_reader"] = reader  # type: ignore[assignment]  # only to be found again by what follows

    def shown() -> datetime:
        import sys  # noqa: PLC0415  it runs with the globals of another module

        return sys.modules["shown_clock_reader"]()  # type: ignore[operator, no-any-return]  # it is the reader

    # Who imported these functions by name holds the same objects: their code is replaced, not they.
    for function in (greenroom.assembly.wall_clock, ews._now, graph._now):
        function.__code__ = shown.__code__
    greenroom.cli.status.datetime = Datetime  # type: ignore[attr-defined]  # its own "now" is that of this clock too
    SimulatorClock.__call__ = reader.__call__  # type: ignore[method-assign, assignment]  # it takes the clock as well
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.argv = [sys.argv[0], *sys.argv[1:]]
    _path, _module = sys.argv[1:3]
    sys.argv[1:] = sys.argv[3:]
    _main(_path, _module)
