"""The contract every job queue keeps.

A job says "look at this key now", never "apply this change": submitting twice is harmless, and nothing here is truth.
What a queue forgets (a restart, a crash) is submitted again by whoever owns it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

Handler = Callable[[str], Awaitable[None]]
"""Does one job for the key it is given. What it raises is logged by the queue and goes no further."""

Clock = Callable[[], datetime]
"""Tells the time: aware, in UTC."""


class UnknownJobError(LookupError):
    """A job was submitted for which no handler is registered: a mistake in the assembly."""


class Queue(Protocol):
    """Jobs by name and key: at most one running and one waiting per (job, key).

    A job that is submitted while the same is running waits until that one has ended, and then runs: what changed in
    between is looked at. A job that is submitted while the same is waiting merges with it; the earliest `not_before`
    and the highest priority win.
    """

    def register(self, job: str, handler: Handler) -> None:
        """Say what does the jobs of this name. Once per name, before `run`; a second time raises ValueError."""
        ...

    async def submit(self, job: str, key: str, *, not_before: datetime | None = None, priority: int = 0) -> None:
        """Ask for the job to be done, at once or not before an instant (aware); higher priority goes first.

        May be called before `run` and from within handlers. After `stop` it is accepted and does nothing. Raises
        UnknownJobError.
        """
        ...

    async def run(self) -> None:
        """Work until `stop` is called; returns when the last handler has ended."""
        ...

    async def stop(self, grace: timedelta) -> None:
        """Start no more jobs; wait for the running ones at most `grace`, then cancel them. Returns when none runs."""
        ...

    async def idle(self) -> None:
        """Return when nothing runs and nothing waits that may start now; jobs whose time lies ahead do not count."""
        ...
