"""Does all checks at once, each within its own time and all within the whole: what hangs is left behind and told as such."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from greenroom.doctor.contract import Check, Finding, State

log = structlog.get_logger(__name__)

WHOLE = timedelta(seconds=20)
"""Nothing takes longer than that, whatever is down."""
_TOO_LONG = "It took too long: there was no answer in time."
MEND_FIRST = "Mend that first."
"""What mends a check that something else stood before: it needs nobody by itself."""
AT_ONCE = 32
"""So many checks are under way at the same time."""

Tell = Callable[[Sequence[Check]], None]


def _nobody(_running: Sequence[Check]) -> None:
    """Tell nobody."""


async def examine(checks: Sequence[Check], *, whole: timedelta = WHOLE, tell: Tell = _nobody) -> list[Finding]:
    """Do the checks and return what they found, in their order. Raises nothing, and never waits longer than `whole`.

    `tell` is told which checks are under way whenever that changes.
    """
    examination = _Examination(checks, tell)
    tasks = [asyncio.ensure_future(examination.one(place)) for place in range(len(checks))]
    examination.tasks = tasks
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, timeout=whole.total_seconds())
        found = [
            task.result() if task.done() and not task.cancelled() else [_late(check)]
            for check, task in zip(checks, tasks, strict=True)
        ]
    finally:
        for task in (*tasks, *examination.looks):
            task.cancel()  # and not waited for: what does not listen is left behind
    return [finding for findings in found for finding in findings]


class _Examination:
    def __init__(self, checks: Sequence[Check], tell: Tell) -> None:
        self._checks = checks
        self._tell = tell
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: dict[int, Check] = {}
        self._undone: set[Check] = set()  # took too long, or was pointless
        self.tasks: Sequence[asyncio.Future[list[Finding]]] = ()
        self.looks: set[asyncio.Future[list[Finding]]] = set()

    async def one(self, place: int) -> list[Finding]:
        check = self._checks[place]
        needed = check.needed()
        for before, task in zip(self._checks[:place], self.tasks, strict=False):
            if any((name, before.subject) in needed for name in before.names):
                await asyncio.wait([task])
                found = [] if task.cancelled() else task.result()
                if (because := self._standing_before(before, found, needed)) is not None:
                    self._undone.add(check)
                    return [_pointless(check, because)]
        async with self._slots:
            self._running[place] = check
            self._tell(list(self._running.values()))
            try:
                return await self._looked(check)
            finally:
                del self._running[place]
                self._tell(list(self._running.values()))

    def _standing_before(
        self, before: Check, found: list[Finding], needed: frozenset[tuple[str, str]]
    ) -> Finding | None:
        """Return what makes a check pointless: something wrong, or something that was not even seen."""
        for one in found:
            wrong = one.state is State.WRONG and (one.check, one.subject) in needed
            if wrong or before in self._undone:
                return one
        return None

    async def _looked(self, check: Check) -> list[Finding]:
        look = asyncio.ensure_future(_begun(check))
        self.looks.add(look)
        look.add_done_callback(_heard)
        await asyncio.wait([look], timeout=check.patience.total_seconds())
        if not look.done():
            look.cancel()
            self._undone.add(check)
            return [_slow(check)]
        self.looks.discard(look)
        if look.cancelled():
            return [_unknown(check, "The check was cut short.")]
        error = look.exception()
        if error is None:
            return look.result()
        code = str(getattr(error, "code", "") or "")
        log.error("doctor.check_failed", check=check.name, error=type(error).__name__, code=code)
        what = f"The check itself failed ({type(error).__name__}{f', {code}' if code else ''})."
        return [_judged(check, what, "")]


async def _begun(check: Check) -> list[Finding]:
    """Begin inside a task, so that what fails at once fails there."""
    return await check.look()


def _heard(look: asyncio.Future[list[Finding]]) -> None:
    """Let nobody complain of an error for which nobody waits any more."""
    if not look.cancelled():
        look.exception()


def _slow(check: Check) -> Finding:
    mend = "Try once more. If it stays so, see what keeps it: a disk or network that is gone, a lock, or too much load."
    return _judged(check, _TOO_LONG, mend if check.silence else "")


def _judged(check: Check, what: str, mend: str) -> Finding:
    """Say that a check came to no end: that is wrong where nothing works without what it looks at."""
    state = State.WRONG if check.silence else State.UNKNOWN
    return Finding(check.name, check.subject, state, what, check.silence, mend)


def _late(check: Check) -> Finding:
    return _unknown(check, _TOO_LONG)


def _pointless(check: Check, because: Finding) -> Finding:
    return _unknown(check, f"Not looked at, because of {because.check} of {because.subject}.", MEND_FIRST)


def _unknown(check: Check, what: str, mend: str = "") -> Finding:
    return Finding(check.name, check.subject, State.UNKNOWN, what, mend=mend)
