"""A nursery of Greenrooms for tests: the real program in real processes that die by SIGKILL at a given step.

Started once (importing takes longer than a whole day's work does), it forks a process for every order on standard input::

    {"config": "/…/greenroom.toml", "at": "step", "die_at": 7}   die when the seventh step is done
    {"config": "/…/greenroom.toml", "at": "call", "die_at": 7}   die when Exchange or Pexip has done the seventh call, before we
                                                                 read of it
    {"config": "/…/greenroom.toml", "at": null, "die_at": 0}     work until there is nothing to do

and answers with one line when that process has ended::

    {"killed": true, "code": -9, "steps": [], "calls": 0}      `steps` are named and `calls` counted by those who lived
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from greenroom.assembly import open_greenroom
from greenroom.cli.logs import configure_logs
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.templates import Texts
from greenroom.platforms.pexip.management.transport import Transport as PexipTransport
from greenroom.scheduler import watching
from greenroom.scheduler.watching import Times
from greenroom.settings import load_settings
from greenroom.storage import Storage
from support.clocks import RunningClock

_LONGEST = 60  # seconds until a process that never comes to rest is ended
_OFTEN = 0.02  # seconds between two polls
_SPEED = 60
_WATCH = Times(lapse=timedelta(days=1))  # time runs too fast to look every four minutes whose the mailbox is
_SENDS = "_exchange"  # of all transports; death has no interface in the program
_IDLE = ["observed", "weighed", "rooms", "answered", "observed"]


@dataclass
class Calls:
    """The calls to Exchange, over either protocol, and to Pexip; this process may die when one's answer has come, unread."""

    die_at: int = 0
    made: int = 0

    def watch(self) -> None:
        """Count from now on."""
        for transport in (EwsTransport, GraphTransport, PexipTransport):
            setattr(transport, _SENDS, self._counted(getattr(transport, _SENDS)))

    def _counted(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def sent(*args: Any, **kwargs: Any) -> Any:
            answer = await send(*args, **kwargs)
            self.made += 1
            if self.made == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return sent


async def work(config: Path, calls: Calls, die_at: int = 0) -> tuple[list[str], int]:
    """Serve until there is nothing left to do.

    Returns the names of all steps before the first pass that had nothing to do, and how many calls were made until its end.
    Time runs fast, so that what is put off (a busy machine makes calls fail, too) is not waited for long.
    """
    steps: list[str] = []
    made: list[int] = []
    stop = asyncio.Event()

    def step(name: str) -> None:
        steps.append(name)
        made.append(calls.made)
        if len(steps) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    watching.USUAL = _WATCH
    async with open_greenroom(load_settings(config, {}), clock=RunningClock(_SPEED), step=step) as greenroom:
        greenroom.service._poll = dict.fromkeys(greenroom.service._poll, _OFTEN)
        resting = asyncio.create_task(_stop_at_rest(greenroom.storage, steps, stop))
        await greenroom.run(stop)
        await resting
    rest = _idle(steps) or 0
    return steps[:rest], made[rest]


async def _stop_at_rest(storage: Storage, steps: list[str], stop: asyncio.Event) -> None:
    """Tell Greenroom to stop once a pass has found nothing to do and nothing waits to be tried again."""
    looked = 0
    while not stop.is_set():
        await asyncio.sleep(_OFTEN)
        if _idle(steps[looked:]) is None:
            continue
        looked = len(steps)
        async with storage.reading() as work:
            waiting = await work.meetings.due(1, datetime.max.replace(tzinfo=UTC), 1)
        if not waiting:
            stop.set()


def _idle(steps: list[str]) -> int | None:
    """Where the first pass begins that had nothing to do: it did no step of work and did not even move the cursor."""
    return next((at for at in range(len(steps) - len(_IDLE) + 1) if steps[at : at + len(_IDLE)] == _IDLE), None)


def child(config: str, at: str | None, die_at: int) -> None:
    """Be a Greenroom, and end without coming back."""
    signal.alarm(_LONGEST)
    folder = Path(config).parent
    with (folder / "greenroom.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        configure_logs("info", "json")
        code = 1
        calls = Calls(die_at if at == "call" else 0)
        calls.watch()
        with contextlib.suppress(KeyboardInterrupt):
            steps, made = asyncio.run(work(Path(config), calls, die_at if at == "step" else 0))
            (folder / "lived.json").write_text(json.dumps({"steps": steps, "calls": made}), encoding="utf-8")
            code = 0
        sys.stderr.flush()
        os._exit(code)


async def warm_up() -> None:
    """Do once what every process would do again: load modules, compile templates."""
    Texts().lint()
    storage = Storage.open("sqlite://")
    await storage.migrate()
    await storage.close()


def main() -> None:
    """Take orders until there are no more."""
    asyncio.run(warm_up())
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)
    assert threading.active_count() == 1, "only a process of one thread may be forked"
    for line in sys.stdin:
        order = json.loads(line)
        lived = Path(order["config"]).parent / "lived.json"
        lived.unlink(missing_ok=True)
        if (pid := os.fork()) == 0:
            child(order["config"], order["at"], order["die_at"])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told = json.loads(lived.read_text(encoding="utf-8")) if lived.exists() else {"steps": [], "calls": 0}
        sys.stdout.write(json.dumps({"killed": code == -signal.SIGKILL, "code": code, **told}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
