"""What Exchange Online allows an application in one mailbox (Graph "Service-specific throttling limits", Outlook).

    4 requests in flight at the same time    more: 429 ApplicationThrottled, at once
    10,000 requests in 10 minutes            more: 429 until the window has moved on; refused requests count too
    30 messages in a minute                  per sending mailbox, whoever sends; see `Throttle.message`

Windows slide and follow the simulator's clock; what is in flight is counted as it really is.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from greenroom.simulator.graph.call import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE: Final = 4
REQUESTS: Final = 10_000
REQUEST_WINDOW: Final = timedelta(minutes=10)
MESSAGES: Final = 30
MESSAGE_WINDOW: Final = timedelta(minutes=1)
_CONCURRENCY_PAUSE: Final = 1


class Throttle:
    """Counts the requests and messages of each application and mailbox.

    Strict: a message beyond the rate is refused with 429. Not strict: it is taken and delayed, as Exchange Online's
    message rate limit really does it.
    """

    def __init__(self, clock: Callable[[], datetime], *, strict: bool = True) -> None:
        self.strict = strict
        self._clock = clock
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._requests: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self._messages: defaultdict[str, deque[datetime]] = defaultdict(deque)

    @contextmanager
    def request(self, client_id: str, mailbox: str) -> Iterator[None]:
        """Hold a place while a request is answered. Raises GraphError (429)."""
        key = (client_id, mailbox)
        window = self._requests[key]
        now = self._clock()
        _forget(window, now - REQUEST_WINDOW, now)
        window.append(now)
        if len(window) > REQUESTS:
            free = window[len(window) - REQUESTS - 1] + REQUEST_WINDOW
            window.popleft()  # what a refusal adds takes the place of the oldest, so that the list stays bounded
            raise _refusal("Application is over its MailboxRequest limit.", free - now)
        if self._in_flight[key] >= AT_ONCE:
            text = "Application is over its MailboxConcurrency limit."
            raise _refusal(text, timedelta(seconds=_CONCURRENCY_PAUSE))
        self._in_flight[key] += 1
        try:
            yield
        finally:
            self._in_flight[key] -= 1

    def message(self, mailbox: str) -> datetime | None:
        """Ask whether a mailbox may send a message now; returns the time until which it has to wait, if any.

        Raises GraphError (429) instead of a wait where the mode is strict. Nothing is counted before `sent`.
        """
        now = self._clock()
        window = self._messages[mailbox]
        _forget(window, now - MESSAGE_WINDOW, None)
        if len(window) < MESSAGES:
            return None
        free = window[-MESSAGES] + MESSAGE_WINDOW
        if self.strict:
            raise _refusal("Mailbox is over its message rate limit.", free - now)
        return free

    def sent(self, mailbox: str, at: datetime | None = None) -> None:
        """Count a message; ``at`` is when it leaves if that is not now."""
        self._messages[mailbox].append(at or self._clock())

    def reset(self) -> None:
        """Forget the windows."""
        self._requests.clear()
        self._messages.clear()


def _forget(window: deque[datetime], until: datetime, now: datetime | None) -> None:
    """Drop what lies before the window, and (the clock may be set back) what lies in the future."""
    while window and window[0] <= until:
        window.popleft()
    while now is not None and window and window[-1] > now:
        window.pop()


def _refusal(text: str, wait: timedelta) -> GraphError:
    seconds = max(1, math.ceil(wait.total_seconds()))
    return GraphError(429, "ApplicationThrottled", text, {"Retry-After": str(seconds)})
