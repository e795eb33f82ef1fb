"""Mailboxes that several installations watch, by a clock that a test moves, and without an event loop where that helps."""

import asyncio
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from greenroom.scheduler.watch_book import Other, WatchBook, WatchStanding
from greenroom.scheduler.watcher import Watcher
from greenroom.scheduler.watching import USUAL, Mark, Times
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX

BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Hours:
    """Seconds that pass, and a wall clock that may be wrong by `wrong`."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def wall(self, wrong: timedelta = timedelta()) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds) + wrong


class MemoryBook(WatchBook):
    """A database of which nothing is written down. `name` makes its installation's id; a copy has the same."""

    def __init__(self, name: str, tokens: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.known = set(tokens)
        self.serial = len(tokens)
        self.alarms: list[tuple[str, str]] = []
        self.noted: list[WatchStanding] = []

    async def installation(self) -> str:
        return self.name.encode().hex().ljust(32, "0")

    async def tokens(self, new: int) -> tuple[list[str], frozenset[str]]:
        fresh = [f"{id(self) % 2**32:08x}{self.serial + n:08x}" for n in range(new)]
        self.serial += new
        self.known.update(fresh)
        return fresh, frozenset(self.known)

    async def note(self, standing: WatchStanding, by: Other | None, contender: Other | None) -> None:
        self.noted.append(standing)

    async def alarm(self, code: str, subject: str) -> None:
        self.alarms.append((code, subject))


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


class Slow(FakeMailbox):
    """A mailbox over a wire: what is asked for happens some time after it was sent, and the answer comes some time later."""

    shared: dict[str, str]

    async def marks(self) -> dict[str, str]:
        await _Turn()
        found = dict(self.shared)
        await _Turn()
        return found

    async def mark(self, name: str, text: str | None) -> None:
        await _Turn()
        if text is None:
            self.shared.pop(name, None)
        else:
            self.shared[name] = text
        await _Turn()


@dataclass
class Installation:
    """One process that watches a mailbox, driven step by step. `wrong` is how much its clock is."""

    hours: Hours
    shared: dict[str, str]
    name: str
    wrong: timedelta = timedelta()
    times: Times = USUAL
    book: MemoryBook = field(init=False)
    watcher: Watcher = field(init=False)
    doing: Coroutine[Any, Any, object] | None = None
    looked: float | None = None

    def __post_init__(self) -> None:
        self.book = MemoryBook(self.name)
        self.start()

    def start(self) -> None:
        """Begin as a new process of the same database; what the old one was about to do is not done."""
        if self.doing is not None:
            self.doing.close()
        self.doing, self.looked = None, None
        mailbox = Slow(MAILBOX, self.clock)
        mailbox.shared = self.shared
        self.watcher = Watcher(mailbox, self.book, self.clock, monotonic=self.hours, times=self.times)

    def clock(self) -> datetime:
        return self.hours.wall(self.wrong)

    @property
    def works(self) -> bool:
        return self.watcher.may_work

    def step(self) -> None:
        """Send what is to be sent next, or let the next answer come in; begins to look when it is time for that."""
        if self.doing is None:
            due = self.looked is None or self.hours.seconds - self.looked >= self.watcher.beat.total_seconds()
            self.doing = self.watcher.look() if due else self.watcher.fresh()
            self.looked = self.hours.seconds if due else self.looked
        try:
            self.doing.send(None)
        except StopIteration:
            self.doing = None

    def finish(self) -> None:
        """Let all of the look happen that is under way, or a new one."""
        self.step()
        while self.doing is not None:
            self.step()

    def leave(self) -> None:
        """Stop as one does that is told to."""
        if self.doing is not None:
            self.doing.close()
            self.doing = None
        asyncio.run(self.watcher.leave())


def mark_of(name: str, token: str, at: datetime, *, holds: bool = True, host: str = "elsewhere") -> Mark:
    """A mark of another installation."""
    return Mark(name.encode().hex().ljust(32, "0"), token.ljust(16, "0"), at, holds, "-", 4711, host)
