"""What all integrations on one Management Node share: its budget of requests, and the memory of refused credentials."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenroom.platforms.errors import PlatformSignInError
from greenroom.platforms.pexip.management.budget import RequestBudget

_FIRST = timedelta(minutes=15)
_LONGEST = timedelta(hours=6)
_MOST = 100


@dataclass(slots=True)
class _Trial:
    """What is known of one credential: whether it works, or until when it is not tried again."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    proven: bool = False
    until: datetime | None = None
    refusals: int = 0


class SignInGuard:
    """Keeps accounts from being locked: a refused credential rests, ever longer; an unproven one is tried by one request alone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._trials: OrderedDict[str, _Trial] = OrderedDict()

    @asynccontextmanager
    async def attempt(self, mark: str) -> AsyncIterator[None]:
        """Enclose one request with the credential `mark` stands for; raises PlatformSignInError while it rests."""
        trial = self._trial(mark)
        self._check(trial)
        if trial.proven:
            yield
            return
        await trial.lock.acquire()
        held = not trial.proven
        if not held:  # whoever was before us proved it
            trial.lock.release()
        try:
            self._check(trial)
            yield
        finally:
            if held:
                trial.lock.release()

    def accepted(self, mark: str) -> None:
        """Note that this credential works."""
        trial = self._trial(mark)
        trial.proven, trial.until, trial.refusals = True, None, 0

    def refused(self, mark: str) -> None:
        """Note that this credential was refused."""
        trial = self._trial(mark)
        trial.proven, trial.until = False, self._clock() + min(_FIRST * 4 ** min(trial.refusals, 8), _LONGEST)
        trial.refusals += 1

    def _check(self, trial: _Trial) -> None:
        rest = trial.until - self._clock() if trial.until is not None else timedelta()
        if rest > timedelta():
            minutes = max(1, round(rest / timedelta(minutes=1)))
            hint = f"correct the credential; not tried again for {minutes} min, so that the account is not locked"
            raise PlatformSignInError("refused-before", hint=hint)

    def _trial(self, mark: str) -> _Trial:
        trial = self._trials.setdefault(mark, _Trial())
        self._trials.move_to_end(mark)
        if len(self._trials) > _MOST:
            idle = (m for m, t in self._trials.items() if t is not trial and not t.lock.locked() and t.until is None)
            if (oldest := next(idle, None)) is not None:
                del self._trials[oldest]
        return trial


class NodeLimits:
    """One for each Management Node in a process, handed to every `ManagementApi` that talks to it."""

    def __init__(self, clock: Callable[[], datetime], budget: RequestBudget | None = None) -> None:
        self.budget = budget or RequestBudget()
        self.guard = SignInGuard(clock)
