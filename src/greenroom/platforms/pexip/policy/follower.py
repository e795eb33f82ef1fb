"""Keeps the directory as the database is: everything once, then change by change, a few times a second.

```
head ──> all pages ──> loaded ──> [ head moved? ──> changes, in order ──> seen = head ] ──> pause, or poke ──┐
                                       ^────────────────────────────────────────────────────────────────────┘
```

The head is asked for before the changes: every change up to it is committed, and so is among them. What is told twice does no harm,
for the directory keeps what has the higher version.

A database that was away may come back as another one: a backup, or a standby that missed the last changes, whose numbers then were
given anew. So everything is read once more beside what is known, and takes its place when it is complete.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from greenroom.platforms.pexip.policy.directory import Directory
from greenroom.platforms.pexip.policy.room import KEPT, FeedRoom

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_AT_ONCE = 500
_SWEPT_EVERY = timedelta(hours=1)
_LONGEST_PAUSE = 5.0
_PATIENCE = 10.0
_PATIENCE_OF_CALLERS = 2.0  # a node waits five seconds for us, no longer


class Feed(Protocol):
    """Where rooms and their changes come from; see `greenroom.storage.RoomFeed`. Methods raise what they like when it is down."""

    async def head(self) -> int:
        """Return the number of the last change."""
        ...

    async def changes(self, after: int, limit: int) -> Sequence[FeedRoom]:
        """Return at most so many rooms that changed behind a version, in the order of their last changes."""
        ...

    def everything(self, closing_after: datetime, integrations: Iterable[int]) -> AsyncIterator[Sequence[FeedRoom]]:
        """Tell in pages which rooms may still be dialled."""
        ...

    async def by_aliases(self, names: Sequence[str]) -> Sequence[FeedRoom]:
        """Return rooms and tombstones that have one of these aliases."""
        ...


class Follower:
    """Follows a feed into a directory. Let `run` be a task for as long as anybody asks.

    `pause` is how long, in seconds, a change made in another process may stay unseen; `poke` sees one of ours at once. While the
    feed cannot be reached the directory stays as it is, and `fresh_at` says how old that is.
    """

    def __init__(
        self,
        feed: Feed,
        directory: Directory,
        clock: Callable[[], datetime],
        pause: float = 0.25,
        patience: float = _PATIENCE,
    ) -> None:
        self._feed = feed
        self._directory = directory
        self._clock = clock
        self._pause = pause
        self._patience = patience
        self._poked = asyncio.Event()
        self._seen: int | None = None
        self._fresh_at: datetime | None = None
        self._failing = ""
        self._loaded = asyncio.Event()

    @property
    def is_loaded(self) -> bool:
        """Whether everything there was is in the directory: what is not there now was not there at `fresh_at`."""
        return self._loaded.is_set()

    @property
    def fresh_at(self) -> datetime | None:
        """When the directory was last known to be as the database; None if it never was."""
        return self._fresh_at

    @property
    def failing(self) -> str:
        """The kind of error that keeps it from following; empty while it follows."""
        return self._failing

    def poke(self) -> None:
        """Look now: something was stored in this process."""
        self._poked.set()

    async def loaded(self) -> None:
        """Wait until everything is in the directory."""
        await self._loaded.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        swept_at = self._clock()
        failures = 0
        while True:
            self._poked.clear()
            try:
                await self.follow()
                if abs(self._clock() - swept_at) >= _SWEPT_EVERY:
                    swept_at = self._clock()
                    for _ in self._directory.sweep(swept_at):
                        await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001  whatever a database raises: what is in memory goes on being answered
                failures += 1
                self._note(type(error).__name__)
            else:
                failures = 0
                self._note("")
            await self._rest(min(self._pause * 2 ** min(failures, 10), max(_LONGEST_PAUSE, self._pause)))

    async def follow(self) -> None:
        """Bring the directory up to date once. Raises what the feed raises, and TimeoutError."""
        asked_at = self._clock()
        head = await self._within(self._feed.head())
        if self._seen is not None and (head < self._seen or self._failing):
            if head < self._seen:
                _log.warning("policy.database_changed", seen=self._seen, head=head)
            self._loaded.clear()  # until then what is not known is looked up
            anew = self._directory.emptied()
            await self._load(anew, asked_at)
            self._directory.become(anew)
            self._seen = head
            head = await self._within(self._feed.head())
        elif self._seen is None:
            await self._load(self._directory, asked_at)
            self._seen = head
            head = await self._within(self._feed.head())
        await self._catch_up(head)
        self._fresh_at = asked_at
        if not self._loaded.is_set():
            self._loaded.set()
            _log.info("policy.loaded", rooms=len(self._directory))

    async def look_up(self, names: Sequence[str]) -> None:
        """Take in at once what the feed knows of these aliases. Raises what it raises, and TimeoutError."""
        async with asyncio.timeout(min(_PATIENCE_OF_CALLERS, self._patience)):
            found = await self._feed.by_aliases(names)
        for told in found:
            self._directory.apply(told)

    async def _load(self, directory: Directory, now: datetime) -> None:
        pages = self._feed.everything(now - KEPT, directory.integrations)
        while (page := await self._within(anext(pages, None))) is not None:
            for told in page:
                directory.apply(told)
            await asyncio.sleep(0)

    async def _catch_up(self, head: int) -> None:
        """Apply all changes up to a head that was asked for before."""
        seen = self._seen or 0
        while seen < head:
            page = await self._within(self._feed.changes(seen, _AT_ONCE))
            for told in page:
                self._directory.apply(told)
            seen = page[-1].version if len(page) == _AT_ONCE else max(head, page[-1].version if page else 0)
            self._seen = seen
        self._seen = seen

    async def _within(self, asked: Awaitable[T]) -> T:
        """A database that neither answers nor fails must not hold us for ever."""
        async with asyncio.timeout(self._patience):
            return await asked

    async def _rest(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._poked.wait()
        except TimeoutError:
            pass

    def _note(self, failing: str) -> None:
        if failing != self._failing:
            self._failing = failing
            if failing:
                _log.warning("policy.feed_unreachable", error=failing, fresh_at=_text(self._fresh_at))
            else:
                _log.info("policy.feed_reachable")


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
