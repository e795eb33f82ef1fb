"""How many meetings get a mail or an update in a minute: organizers, and the Exchange that carries it, are not to be flooded."""

from collections import deque
from datetime import datetime, timedelta

from greenroom.scheduler.line import WINDOW


class Pace:
    """At most so many in any minute, and the second more that the line of replies takes for one. Pure: the time comes in."""

    def __init__(self, per_minute: int) -> None:
        self.most = per_minute
        self._told: deque[datetime] = deque()

    def free(self, now: datetime) -> int:
        """How many may be told now. A clock that was put back does not close the minute for as long."""
        while self._told and not timedelta() <= now - self._told[0] < WINDOW:
            self._told.popleft()
        return max(0, self.most - len(self._told))

    def wait(self, now: datetime) -> timedelta:
        """How long until one may be told again."""
        return timedelta() if self.free(now) else max(timedelta(), self._told[0] + WINDOW - now)

    def told(self, count: int, at: datetime) -> None:
        """Say that so many were told."""
        self._told.extend([at] * count)
