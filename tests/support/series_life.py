"""One life that many cases share: a whole Greenroom beside one Exchange, in which every case has people and meetings of its own.

::

    @case
    def an_occurrence_is_moved(desk: Desk) -> Steps:
        weekly = desk.invite(...)
        yield                                            # everybody waits until the mailbox is at rest
        weekly.move(second, to=...)
        yield
        assert weekly.replies == ["accept new series", "accept edited occurrence 2031-03-11"]

    outcomes = live("graph", folder, [an_occurrence_is_moved, ...])      # what went wrong with each, empty if nothing

Greenroom is a process with its own file of SQLite, on real sockets; Exchange is in this process, so that a case can do what people
do with their calendar programs. All cases go on at once, from rest to rest: the life takes as long as the longest of them.
"""

import contextlib
import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from support import planted
from support.series_desk import Desk, Greenroom
from support.simulator import running_simulator
from support.whole import ATTENDEE, PASSWORD, Program, Spoken, equipment, serving, world

# The assertions of cases are told in full, though they stand in no test module; this module is imported before them.
pytest.register_assert_rewrite("whole.series_cases")

Steps = Iterator[None]
Case = Callable[[Desk], Steps]

MAILBOXES = tuple(f"vmr-{number}@sim.test" for number in range(1, 13))
"""Exchange Online lets each send thirty mails a minute: cases are spread over several."""
_SOON = timedelta(minutes=10)
_LONGEST = 240
_PASSES = 2


class RestlessError(Exception):
    """Greenroom does not come to rest; the text says what keeps it."""


@dataclass
class Outcomes:
    """What became of the cases: of each what went wrong, empty if nothing did; and of the life as a whole."""

    cases: dict[str, str] = field(default_factory=dict)
    life: str = ""
    seconds: float = 0
    rests: list[float] = field(default_factory=list)

    def judge(self, name: str) -> None:
        """Fail the running test if this case failed."""
        failure = self.cases.get(name, f"the life came to its end too early: {self.life[-300:]}")
        if failure:
            pytest.fail(failure, pytrace=False)


def live(protocol: Spoken, folder: Path, cases: Sequence[Case]) -> Outcomes:
    """Let the cases live through all their steps beside each other. Raises nothing: what goes wrong is in the outcomes."""
    outcomes, began = Outcomes(), monotonic()
    try:
        with (
            running_simulator(_seed(len(cases))) as simulator,
            serving(folder, simulator, protocol=protocol, mailboxes=MAILBOXES) as program,
        ):
            with contextlib.closing(Greenroom(folder)) as greenroom:
                desks = [
                    Desk(simulator.exchange, greenroom, protocol, number, MAILBOXES[number % len(MAILBOXES)])
                    for number in range(len(cases))
                ]
                _go_on(cases, desks, greenroom, outcomes)
            _end(program)
    except Exception:  # noqa: BLE001  it is the outcome of every test
        outcomes.life = traceback.format_exc(limit=-6)
    outcomes.seconds = monotonic() - began
    return outcomes


def shared(file: Path, make: Callable[[], Outcomes]) -> Outcomes:
    """What `make` returns, made by the first process that asks and read by the others (workers of pytest-xdist)."""
    import fcntl  # noqa: PLC0415  not everywhere; tests of one process do not need it

    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_text(json.dumps(make().__dict__), encoding="utf-8")
        return Outcomes(**json.loads(file.read_text(encoding="utf-8")))


def _seed(cases: int) -> dict[str, Any]:
    seed = world()
    people = [ATTENDEE, *(f"{role}-{number}@sim.test" for number in range(cases) for role in ("olga", "other"))]
    seed["mailboxes"] = [
        *({"address": address, "name": planted.NAME, "password": PASSWORD} for address in people),
        *(equipment(address, "auto_update") for address in MAILBOXES),
    ]
    return seed


def _go_on(cases: Sequence[Case], desks: Sequence[Desk], greenroom: Greenroom, outcomes: Outcomes) -> None:
    living = {case.__name__: case(desk) for case, desk in zip(cases, desks, strict=True)}
    while living:
        for name, steps in list(living.items()):
            if (failure := _step(steps)) is not None:
                outcomes.cases[name] = failure
                del living[name]
        if living:
            outcomes.rests.append(_rest(greenroom))


def _step(steps: Steps) -> str | None:
    """Take one step of a case; returns what went wrong, empty when it is through, None while it has more to do."""
    try:
        next(steps)
    except StopIteration:
        return ""
    except Exception as error:  # noqa: BLE001  it is the outcome of this case
        places = traceback.extract_tb(error.__traceback__)[1:]
        where = "\n".join(f"{Path(one.filename).name}:{one.lineno}: {one.line}" for one in places)
        return f"{where}\n{type(error).__name__}: {error}"
    return None


def _rest(greenroom: Greenroom) -> float:
    """Wait until every mailbox has been looked at twice since anything happened, and nothing waits to be done soon."""
    began = monotonic()
    state = greenroom.state(_SOON)
    passes: dict[str, set[datetime | None]] = {}
    while True:
        sleep(0.2)
        now = greenroom.state(_SOON)
        if (now.done, now.waiting) != (state.done, state.waiting):
            state, passes = now, {}
        for address, at in now.passes.items():
            if at != state.passes.get(address):
                passes.setdefault(address, set()).add(at)
        enough = all(len(passes.get(address, ())) >= _PASSES for address in MAILBOXES)
        if enough and not now.waiting:
            return monotonic() - began
        if monotonic() - began > _LONGEST:
            raise RestlessError(f"still waiting: {now.waiting}; looked at: {sorted(passes)}")


def _end(program: Program) -> None:
    assert program.stop() == 0, "the program did not end well"
    output = program.output()
    shown = planted.found_in(output)
    assert not shown, f"the log shows {' and '.join(shown)}"
    assert "Traceback" not in output, "the log shows a traceback"


__all__ = ["Case", "Desk", "Outcomes", "Steps", "live", "shared"]
