"""A nursery of Greenrooms: processes of the real program that need not load it each time, which takes longer than they often live.

Started once, it forks a process for every command line it is told on standard input, and tells what became of it::

    {"run": ["serve", "--config", "…"], "log": "…"}    {"process": 4711}
    {"wait": 4711, "seconds": 5.0}                     {"code": -9}, or {"code": null} if it still runs
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_LOADED = (
    *(f"greenroom.cli.{name}" for name in ("serve", "backup", "restore", "recover", "drift")),
    *("greenroom.assembly", "greenroom.recovering", "aiosqlite", "uvicorn.loops.auto", "uvicorn.protocols.http.auto"),
    *("uvicorn.lifespan.on", "sqlalchemy.dialects.sqlite.aiosqlite", "alembic.command"),
)
_OFTEN = 0.02


class Nursery:
    """Starts Greenrooms and tells how they ended; use it as a context."""

    def __init__(self, log: Path) -> None:
        self._log = log
        command = [sys.executable, str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """Let the nursery end; its processes must have ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, *words: str) -> int:
        """Start a process and return its number."""
        return int(self._ask(run=words, log=str(self._log))["process"])

    def wait(self, process: int, seconds: float) -> int | None:
        """Wait for its end, and return its exit code; None if it has not ended by then."""
        code = self._ask(wait=process, seconds=seconds)["code"]
        return None if code is None else int(code)

    def _ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _child(words: list[str], log: str) -> None:
    """Be a Greenroom, and end without coming back."""
    code = 1
    try:
        with Path(log).open("ab") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        from greenroom.cli import main  # noqa: PLC0415  loaded long before the fork

        main(words, prog_name="greenroom")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(process: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end:
            return None
        time.sleep(_OFTEN)


def _warm_up() -> None:
    """Do once what every process would do again: load modules."""
    for name in _LOADED:
        importlib.import_module(name)


def main() -> None:
    """Take orders until there are no more; who still runs then has been forgotten by a run that broke off, and is killed."""
    _warm_up()
    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer: dict[str, Any] = {"code": _wait(order["wait"], order["seconds"])}
            if answer["code"] is not None:
                children.discard(order["wait"])
        else:
            process = os.fork()
            if process == 0:
                _child(order["run"], order["log"])
            children.add(process)
            answer = {"process": process}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for process in children:
        os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
