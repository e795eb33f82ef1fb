"""An event loop whose clock jumps over all waiting: minutes of time-outs pass in a moment, and can be measured to the second."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SkippingLoop(asyncio.SelectorEventLoop):
    """For what waits for nothing but the clock."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0

    def time(self) -> float:
        """The time, with all that was jumped over."""
        return super().time() + self._skipped

    def _run_once(self) -> None:
        own: Any = self  # asyncio has no public way to see what is scheduled
        if not own._ready and own._scheduled:
            self._skipped += max(0.0, own._scheduled[0]._when - self.time())
        super()._run_once()  # type: ignore[misc]  # the same


def skipping(work: Coroutine[Any, Any, T]) -> T:
    """Run something in such a loop."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
