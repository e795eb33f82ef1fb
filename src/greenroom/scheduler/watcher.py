"""Keeps the mark on one mailbox, and finds out whether somebody else does.

```
 take:   read both ─────────────────────▶ Watcher is another's ────────────▶ kept out; Contender := us, which tells them
            ▼
         Contender := us ── read both ──▶ Watcher is another's ────────────▶ kept out
                              │ Contender is not ours any more ────────────▶ unsettled: once more in a moment
                              ▼
         Watcher := us (tries) ── read both ──▶ Contender still ours ──────▶ we hold it, at once
                              │ another's Watcher ─────────────────────────▶ kept out
                              ▼ only the Contender changed
         unsettled: wait until every other one has looked, then take it as before
 renew:  read both ──▶ Watcher is another's who holds ─────────────────────▶ kept out
                   └─▶ Watcher := us (holds), every minute; another's Contender is told
```

This is Lamport's fast mutual exclusion (ACM TOCS 5(1), 1987, algorithm 1): who is alone waits for nothing, and of several that
start at the same time one goes on, though Exchange has no "write only if unchanged" for folders. Its delay is longer than a
judgement lasts: whoever held the mailbox has looked again by then, or stopped by itself.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Mailbox
from greenroom.scheduler import watching
from greenroom.scheduler.case import Clock
from greenroom.scheduler.watch_book import Other, WatchBook, WatchStanding
from greenroom.scheduler.watch_marks import FolderMarks, NoMarksError, Seen
from greenroom.scheduler.watching import Mark, Times, Whose
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_WORKING = (WatchStanding.HOLDS, WatchStanding.UNGUARDED)


class Watcher:
    """This process's watch over one mailbox. `monotonic` are seconds of a clock that nobody sets.

    `by` is who keeps us out, `marked_at` the time of their mark as it names it, `contender` who would like to attend as well.

    Use it only while the claim in the database is ours: among processes of one database that decides.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        book: WatchBook,
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        times: Times | None = None,
    ) -> None:
        self._address = mailbox.address
        self._book = book
        self._clock = clock
        self._monotonic = monotonic
        self._times = times or watching.USUAL
        self._marks = FolderMarks(mailbox, clock, monotonic, self._times)
        self._lock = asyncio.Lock()
        self._lost = asyncio.Event()
        self._lost.set()
        self._looked: tuple[float, datetime] | None = None
        self._tried: float | None = None
        self._settles: float | None = None
        self._told: dict[str, float] = {}
        self._installation = ""
        self.standing = WatchStanding.UNKNOWN
        self.by: Other | None = None
        self.marked_at: datetime | None = None
        self.contender: Other | None = None

    @property
    def beat(self) -> timedelta:
        """How often `look` should be called."""
        return self._times.beat

    @property
    def may_work(self) -> bool:
        """Whether the mailbox is ours, and that was found out lately enough."""
        return self.standing in _WORKING and not self._has_lapsed()

    @property
    def meets_a_copy(self) -> bool:
        """Whether we are kept out by a copy of our own database: even its rooms are not ours alone then."""
        return self.standing is WatchStanding.KEPT_OUT and self.by is not None and self.by.copy

    async def fresh(self) -> bool:
        """Say whether the mailbox may be worked on, and look first if that is not known. Raises as `look` does."""
        if self._is_known:
            return self.may_work
        async with self._lock:
            if not self._is_known:  # by whoever had the lock before
                await self._look()
            return self.may_work

    async def look(self) -> bool:
        """Renew our mark, or try to take the mailbox; returns whether it may be worked on.

        Raises TryLaterError, SignInError and MisconfiguredError when the mailbox cannot be asked (what was judged before holds
        until it lapses), and StorageError.
        """
        async with self._lock:
            await self._look()
            return self.may_work

    async def lost(self) -> None:
        """Return as soon as the mailbox may not be worked on any more."""
        await self._lost.wait()

    def forget(self) -> None:
        """Begin anew: another process of our own database had the mailbox meanwhile."""
        self.standing, self.by, self.contender = WatchStanding.UNKNOWN, None, None
        self._looked = self._settles = self._tried = None
        self._lost.set()

    async def leave(self) -> None:
        """Take our marks away, so that another one need not wait."""
        self.forget()
        await self._marks.leave()

    def _has_lapsed(self) -> bool:
        """The wall clock counts as well: it goes on while a machine sleeps. When it is set, that costs one look too many."""
        if self._looked is None:
            return True
        return self._is_long_since(*self._looked)

    def _is_long_since(self, at: float, wall: datetime) -> bool:
        lapse = self._times.lapse
        return self._monotonic() - at >= lapse.total_seconds() or abs(self._clock() - wall) >= lapse

    @property
    def _is_known(self) -> bool:
        """Whether there is nothing to be found out before the next beat, or before the moment that was set."""
        now = self._monotonic()
        if self.may_work:
            return True
        if self._settles is not None:
            return now < self._settles
        if self.standing is WatchStanding.UNSETTLED:
            return self._tried is not None and now - self._tried < self._times.again.total_seconds()
        return self.standing is WatchStanding.KEPT_OUT

    async def _look(self) -> None:
        began, wall = self._monotonic(), self._clock()
        self._tried = began
        try:
            self._installation = await self._book.installation()
            standing = await self._judged(began, wall)
        finally:
            if self._has_lapsed():
                self._lost.set()
        self._looked = began, wall
        await self._stand(standing)

    async def _judged(self, began: float, wall: datetime) -> WatchStanding:
        try:
            if self.standing is WatchStanding.HOLDS and not self._has_lapsed():
                standing = await self._renew()
                late = self._has_lapsed()
            else:
                standing = await self._take()
                late = self._is_long_since(began, wall)
        except NoMarksError:
            return WatchStanding.UNGUARDED
        # Too long after what was read, or after the mark before: in between the mailbox may have become another's.
        return self._settle() if late and standing is WatchStanding.HOLDS else standing

    async def _renew(self) -> WatchStanding:
        (token,), ours = await self._book.tokens(1)
        seen = await self._marks.read(ours)
        if seen.other is not None and seen.other.holds:
            return self._meet(seen.other)
        self.contender = None if seen.rival is None else self._other(seen.rival, self.contender)
        await self._marks.watch(self._installation, token, holds=True)
        return WatchStanding.HOLDS

    async def _take(self) -> WatchStanding:
        (first, second), ours = await self._book.tokens(2)
        self.contender = None
        seen = await self._marks.read(ours)
        if seen.other is not None:
            standing = self._meet(seen.other)
            if self._marks.may_write:
                await self._tell_them(first)
            return standing
        if not self._marks.may_write:
            return WatchStanding.UNGUARDED
        if self._settles is not None and self._monotonic() < self._settles:
            return WatchStanding.UNSETTLED
        knows = self.standing is WatchStanding.HOLDS and seen.watcher_is_mine
        if self._settles is None and _is_doubtful(seen) and not knows:
            return self._settle()
        self._settles = None
        await self._marks.contend(self._installation, first)
        return await self._enter(second, ours)

    async def _enter(self, token: str, ours: frozenset[str]) -> WatchStanding:
        """Go on where our Contender stands."""
        seen = await self._marks.read(ours)
        if seen.other is not None:
            return self._meet(seen.other)
        if not seen.contender_is_mine:
            return WatchStanding.UNSETTLED
        # Where the mark is ours already, nobody who held the mailbox before may take it back.
        await self._marks.watch(self._installation, token, holds=seen.whose is Whose.OURS)
        seen = await self._marks.read(ours)
        if seen.other is not None:
            return self._meet(seen.other)
        if not seen.watcher_is_mine:
            return WatchStanding.UNSETTLED
        return WatchStanding.HOLDS if seen.contender_is_mine else self._settle()

    def _settle(self) -> WatchStanding:
        self._settles = self._monotonic() + self._times.settle.total_seconds()
        return WatchStanding.UNSETTLED

    async def _tell_them(self, token: str) -> None:
        try:
            await self._marks.contend(self._installation, token)
        except NoMarksError:
            log.info("the other Greenroom cannot be told of us", mailbox=self._address)

    def _meet(self, mark: Mark) -> WatchStanding:
        self.by, self.marked_at = self._other(mark, self.by), mark.at
        return WatchStanding.KEPT_OUT

    def _other(self, mark: Mark, before: Other | None) -> Other:
        now = self._clock()
        same = before is not None and (before.installation, before.host) == (mark.installation, mark.host)
        since = before.since if before is not None and same else now
        return Other(mark.installation, mark.host, mark.installation == self._installation, since, now)

    async def _stand(self, standing: WatchStanding) -> None:
        """Act upon how we stand now: let work begin or end, and tell it."""
        if standing is WatchStanding.UNSETTLED and self.standing is not WatchStanding.UNSETTLED:
            log.info(
                "somebody else may start on this mailbox as well; waiting until that is clear", mailbox=self._address
            )
        self.standing = standing
        if standing is not WatchStanding.UNSETTLED:
            self._settles = None
        if standing in _WORKING:
            self.by = None
            self._lost.clear()
        else:
            self._lost.set()
        await self._book.note(standing, self.by, self.contender)
        if standing is WatchStanding.KEPT_OUT and self.by is not None:
            await self._warn("second-watcher", "another Greenroom attends this mailbox; kept out", self.by)
        elif standing in _WORKING and self._told.pop("second-watcher", None) is not None:
            log.warning("the other Greenroom is gone; this mailbox is attended again", mailbox=self._address)
        if standing is WatchStanding.UNGUARDED and "no-watcher-mark" not in self._told:
            self._told["no-watcher-mark"] = self._monotonic()
            log.warning("no mark may be left on this mailbox; a second Greenroom goes unnoticed", mailbox=self._address)
            await self._book.alarm("no-watcher-mark", self._address)
        if self.contender is not None:
            await self._warn(
                "contender", "another Greenroom wants to attend this mailbox; it is kept out", self.contender
            )
        elif self._told.pop("contender", None) is not None:
            log.warning("no other Greenroom wants to attend this mailbox any more", mailbox=self._address)

    async def _warn(self, code: str, event: str, other: Other) -> None:
        """Tell loudly of another one: at once, and again now and then while it goes on."""
        now, told = self._monotonic(), self._told.get(code)
        if told is not None and now - told < self._times.tell.total_seconds():
            return
        self._told[code] = now
        log.error(
            event,
            mailbox=self._address,
            host=other.host,
            installation=other.installation[:8],
            copy=other.copy,
            since=other.since.isoformat(),
        )
        await self._book.alarm(code, other.host)


def _is_doubtful(seen: Seen) -> bool:
    """Whether one of ours wrote the mark and ended before it knew whether it might: somebody else may hold the mailbox."""
    tries = seen.watcher is not None and not seen.watcher.holds
    return seen.whose is Whose.OURS and tries and not seen.contender_is_ours


def watcher_of(mailbox: Mailbox, number: int, storage: Storage, clock: Clock, *, times: Times | None = None) -> Watcher:
    """Make the watcher of an integration's mailbox."""
    return Watcher(mailbox, WatchBook(storage, mailbox.address, number, clock), clock, times=times)
