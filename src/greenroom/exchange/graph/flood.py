"""Against floods: how much may come that is of no use, and how much is said of it."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

_TELL_EVERY = timedelta(minutes=1)


class Allowance:
    """A token bucket: `burst` at once, refilled by `per_second`. A clock that goes back refills nothing and blocks nothing."""

    def __init__(self, clock: Callable[[], datetime], *, burst: float, per_second: float) -> None:
        self._clock = clock
        self._burst = burst
        self._per_second = per_second
        self._left = burst
        self._at = clock()

    def covers(self, price: float) -> bool:
        """Whether so much is left now. A price beyond the whole bucket is covered by a full one."""
        now = self._clock()
        passed = max(0.0, (now - self._at).total_seconds())
        self._at = now
        self._left = min(self._burst, self._left + passed * self._per_second)
        return self._left >= min(price, self._burst)

    def spend(self, price: float) -> bool:
        """Take so much if it is there; False if it is not."""
        if not self.covers(price):
            return False
        self._left -= min(price, self._burst)
        return True


class Tally:
    """Says the first refusal of each kind at once, and of those that follow only the number, once a minute."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._untold: Counter[str] = Counter()
        self._told: dict[str, datetime] = {}

    def count(self, kind: str, times: int = 1) -> None:
        """Count something refused. `kind` is a word of ours, never anything that was sent."""
        self._untold[kind] += times
        now, told = self._clock(), self._told.get(kind)
        if told is None or abs(now - told) >= _TELL_EVERY:
            self._told[kind] = now
            log.warning("graph.notifications.refused", kind=kind, count=self._untold.pop(kind))
