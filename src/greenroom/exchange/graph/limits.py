"""What Exchange Online allows one application in one mailbox, kept to instead of run into.

Source: "Microsoft Graph service-specific throttling limits", Outlook: per application and mailbox four requests at a time and
10,000 in ten minutes; and "Exchange Online limits", sending: 30 messages a minute. Being throttled still counts, and what is
sent on meanwhile prolongs it, so a mailbox that asked for a pause is left alone until its end.

A request counts on the server when it gets there, not when it leaves here: the numbers below are a little smaller and the
spans a little longer than those of the documents, so that what was delayed on the way cannot bring two windows together.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenroom.exchange.backoff import BackOff
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph.refusals import Refusals

IN_FLIGHT = 4
REQUESTS, REQUESTS_SPAN = 9_990, timedelta(seconds=605)
SENDS, SENDS_SPAN = 29, timedelta(seconds=61)
_SWEEP_AFTER = 256


class Window:
    """How often something was done within a span that slides along. Remembers one moment for each time."""

    def __init__(self, most: int, span: timedelta) -> None:
        self._most = most
        self._span = span
        self._times: deque[datetime] = deque()

    def wait(self, now: datetime, count: int = 1) -> timedelta:
        """Return how long to wait until `count` more fit; nothing if they fit now."""
        self._move(now)
        over = len(self._times) + min(count, self._most) - self._most
        return self._times[over - 1] + self._span - now if over > 0 else timedelta()

    def take(self, now: datetime, count: int = 1) -> None:
        """Count that it is done now."""
        self._move(now)
        self._times.extend([now] * count)

    def idle(self, now: datetime) -> bool:
        """Whether nothing within the span is remembered."""
        self._move(now)
        return not self._times

    def _move(self, now: datetime) -> None:
        if self._times and self._times[-1] > now:  # the clock was set back: what was done is at most this late
            self._times = deque(min(moment, now) for moment in self._times)
        while self._times and self._times[0] <= now - self._span:
            self._times.popleft()


class Gate:
    """So many at a time; who came first goes in first, also where somebody needs several places at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def idle(self) -> bool:
        """Whether nobody is in or waits."""
        return self._free == self._most and not self._waiting

    @asynccontextmanager
    async def places(self, count: int) -> AsyncIterator[None]:
        """Hold `count` places (at most all)."""
        count = min(count, self._most)
        if self._waiting or count > self._free:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((count, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._free += count
                self._waiting = deque(w for w in self._waiting if w[1] is not turn)
                self._admit()
                raise
        else:
            self._free -= count
        try:
            yield
        finally:
            self._free += count
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            count, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= count
                turn.set_result(None)


@dataclass(slots=True)
class _Mailbox:
    gate: Gate = field(default_factory=lambda: Gate(IN_FLIGHT))
    requests: Window = field(default_factory=lambda: Window(REQUESTS, REQUESTS_SPAN))
    sends: Window = field(default_factory=lambda: Window(SENDS, SENDS_SPAN))

    def idle(self, now: datetime) -> bool:
        return self.gate.idle and self.requests.idle(now) and self.sends.idle(now)


class Limits:
    """The limits of one application, shared by all its transports, and kept per mailbox; "" stands for what belongs to none.

    Also what its mailboxes asked for (pauses) and whether Graph refused its tokens (`refusals`). Mailboxes that have been
    idle for the longest span are forgotten.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.refusals = Refusals(clock)
        self._clock = clock
        self._back_off = BackOff()
        self._mailboxes: dict[str, _Mailbox] = {}
        self._touched = 0

    @asynccontextmanager
    async def turn(self, lanes: Mapping[str, int]) -> AsyncIterator[None]:
        """Wait for a turn in each of these mailboxes and hold it: `lanes` says how many requests run at once in which."""
        async with AsyncExitStack() as held:
            for mailbox in sorted(lanes, key=str.lower):  # in one order for all, so that no two wait for each other
                await held.enter_async_context(self._of(mailbox).gate.places(lanes[mailbox]))
            yield

    def count(self, requests: Mapping[str, int], *, sends: bool = False) -> None:
        """Count requests that go out now, by mailbox, all or none of them.

        Raises TryLaterError with code "backing-off" (the mailbox asked for a pause), "request-limit" or "send-limit".
        """
        now = self._clock()
        for mailbox, count in requests.items():
            self._back_off.check(mailbox.lower(), now)
            self._check(mailbox, "request-limit", self._of(mailbox).requests.wait(now, count))
            if sends:
                self._check(mailbox, "send-limit", self._of(mailbox).sends.wait(now, count))
        for mailbox, count in requests.items():
            self._of(mailbox).requests.take(now, count)
            if sends:
                self._of(mailbox).sends.take(now, count)

    def check(self, mailbox: str) -> None:
        """Raise TryLaterError if this mailbox asked for a pause that is not over."""
        self._back_off.check(mailbox.lower(), self._clock())

    def pause(self, mailbox: str, asked: timedelta | None) -> timedelta:
        """Leave this mailbox alone as long as it asked for, or else ever longer; returns how long."""
        return self._back_off.wait(mailbox.lower(), self._clock(), asked)

    def succeeded(self, mailbox: str) -> None:
        """Note an answer without complaint: the next pause begins short again."""
        self._back_off.succeeded(mailbox.lower())

    @staticmethod
    def _check(mailbox: str, code: str, rest: timedelta) -> None:
        if rest > timedelta():
            sentence = "not sent, to stay within what Exchange Online allows in this mailbox"
            raise TryLaterError(sentence, after=rest, code=code, mailbox=mailbox)

    def _of(self, mailbox: str) -> _Mailbox:
        self._touched += 1
        if self._touched > max(_SWEEP_AFTER, 2 * len(self._mailboxes)):
            self._touched, now = 0, self._clock()
            self._mailboxes = {name: known for name, known in self._mailboxes.items() if not known.idle(now)}
        return self._mailboxes.setdefault(mailbox.lower(), _Mailbox())
