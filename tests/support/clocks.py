"""A clock for tests in which real time passes, only faster."""

import time
from datetime import UTC, datetime, timedelta


class RunningClock:
    """A clock that runs `speed` times as fast as real time, and may be put forward."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._base = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._base + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    def forward(self, by: timedelta) -> None:
        self._base += by
