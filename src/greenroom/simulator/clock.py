"""The simulator's own clock: real time, set to another time, or standing still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SimulatorClock:
    """A clock that can be set. It goes on ticking from the time it was set to, unless it was frozen."""

    def __init__(self, now: datetime | None = None, *, frozen: bool = False) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None
        if now is not None:
            self.set(now, frozen=frozen)

    def __call__(self) -> datetime:
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._offset

    def set(self, now: datetime, *, frozen: bool = False) -> None:
        """Make it ``now`` (aware). Raises ValueError for a naive time."""
        if now.tzinfo is None:
            raise ValueError("the clock needs a time with an offset")
        self._offset = now.astimezone(UTC) - datetime.now(UTC)
        self._frozen = now.astimezone(UTC) if frozen else None

    def advance(self, span: timedelta) -> None:
        """Let time pass at once."""
        self.set(self() + span, frozen=self._frozen is not None)

    def reset(self) -> None:
        """Return to real time."""
        self._offset, self._frozen = timedelta(), None
