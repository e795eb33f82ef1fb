"""Reading the feed of one mailbox, and catching up when it shows more than one slice.

```
 feed ──┬── one slice ─────────────────────────────────────────────────▶ handled as it comes
        └── more ──▶ read to its end, glances only ──▶ backlog ──slice by slice, soonest start first──▶ handled ──▶ cursor
                                                        ▲
                          newer changes: every few slices the feed is looked at again
```

So no meeting waits behind more than a few slices of others that start later. Of a backlog beyond `backlog.MOST` items only so much
is taken at a time; newer changes are then seen when the feed comes to its end.

How far it got is stored (`greenroom status` and the metrics show it) and logged. After a fault the next pass goes on where this one
was; after a crash the feed is read anew, and what is done already shows as our own echo, which costs no read.
"""

from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import ExchangeError
from greenroom.scheduler.backlog import Backlog, keys_of
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.line import ReplyLine
from greenroom.scheduler.observe import feed
from greenroom.scheduler.waiting import split
from greenroom.storage import MailboxState, Storage

log = structlog.get_logger(__name__)

_PAGE = 500
"""So many glances are asked for at once; every adapter cuts it to what its protocol gives."""
_MOST_PAGES = 400
"""After so many pages without an end what they told is handled first."""
_PIECE = 50
"""A slice of a backlog is no larger: what comes meanwhile, and replies whose turn it is, wait for its end."""
_SLICES = 5
_LOOK_EVERY = timedelta(seconds=10)
_TELL_EVERY = timedelta(minutes=1)


class CatchingUp:
    """What a pass works through next, of one mailbox. `done` follows every `next` whose changes were handled."""

    def __init__(self, integration: Integration, storage: Storage, clock: Clock, slice_size: int) -> None:
        self._integration = integration
        self._storage = storage
        self._clock = clock
        self._slice = slice_size
        self._backlog: Backlog | None = None
        self._slices = 0
        self._looked_at: datetime | None = None
        self._since: datetime | None = None
        self._told_at: datetime | None = None
        self._is_stored = False

    @property
    def has_seen_all(self) -> bool:
        """Whether every change that Exchange tells of is known, be it handled or not."""
        return self._backlog is None or self._backlog.ended

    @property
    def is_under_way(self) -> bool:
        """Whether there is more than one slice to be handled."""
        return self._backlog is not None

    def look_again(self) -> None:
        """Let `next` read the feed before it goes on: a new pass begins."""
        self._looked_at = None

    def forget(self) -> None:
        """Forget everything: another process has the mailbox."""
        self._backlog = self._since = self._told_at = None

    async def next(self, state: MailboxState, line: ReplyLine) -> Changes:
        """Return the changes to be handled next; their cursor may be stored when they are. Raises ExchangeError.

        With the feed at its end no reply waits in line any more whose meeting shows something new.
        """
        self._is_stored = state.backlog_total is not None
        backlog = self._backlog
        if backlog is None or backlog.base != state.cursor:
            changes = await feed(self._integration, state.cursor, self._slice)
            if not changes.more:
                self._backlog = None
                return changes
            backlog = Backlog(state.cursor)
            await self._take_in(backlog, line, changes)
            self._backlog, self._since = backlog, self._clock()
            await self._read_on(backlog, line)
        elif backlog.length == 0 or (backlog.ended and self._is_time):
            await self._read_on(backlog, line)
        await self._tell(backlog)
        self._slices += 1
        return backlog.next(min(self._slice, _PIECE), self._clock())

    async def done(self, changes: Changes) -> None:
        """Say that these were handled, and their cursor stored."""
        backlog = self._backlog
        if backlog is not None:
            backlog.handled(changes)
            if backlog.length or not backlog.ended:
                return
            if self._told_at is not None and self._since is not None:
                seconds = (self._clock() - self._since).total_seconds()
                log.info("caught up", mailbox=self._address, done=backlog.done, seconds=round(seconds, 1))
            self.forget()
        if self._is_stored:
            self._is_stored = False
            await self._store(None, None, None)

    @property
    def _address(self) -> str:
        return self._integration.mailbox.address

    @property
    def _is_time(self) -> bool:
        """Whether newer changes are worth a look."""
        looked = self._looked_at
        return looked is None or self._slices >= _SLICES or self._clock() - looked >= _LOOK_EVERY

    async def _read_on(self, backlog: Backlog, line: ReplyLine) -> None:
        """Read the feed to its end, or as far as there is room. Where it breaks off, what it told is handled first."""
        try:
            for _ in range(_MOST_PAGES):
                page = await feed(self._integration, backlog.cursor, max(self._slice, _PAGE))
                await self._take_in(backlog, line, page)
                if backlog.ended or backlog.is_full:
                    break
        except ExchangeError as error:
            if backlog.length == 0:
                raise
            log.info("feed broke off", mailbox=self._address, code=error.code, waiting=backlog.waiting)
        self._looked_at, self._slices = self._clock(), 0

    async def _take_in(self, backlog: Backlog, line: ReplyLine, changes: Changes) -> None:
        split(
            line, changes.glances, changes.gone
        )  # what waits must not be told any more where something newer is known
        if changes.glances or changes.gone:
            async with self._storage.reading() as work:
                known = await work.meetings.by_keys(self._integration.number, keys_of(changes.glances))
                left = await work.meetings.by_items(self._integration.number, changes.gone) if changes.gone else {}
        else:
            known, left = {}, {}
        backlog.add(changes, known, left)

    async def _tell(self, backlog: Backlog) -> None:
        """Store how far we are, and log it at the beginning and now and then. A single slice is not worth a word."""
        if self._told_at is None and backlog.waiting <= self._slice:
            return
        now, since = self._clock(), self._since or self._clock()
        await self._store(backlog.done + backlog.waiting, backlog.done, since)
        self._is_stored = True
        if self._told_at is None or now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            ends_at = expected_end(backlog.done + backlog.waiting, backlog.done, since, now)
            log.info(
                "catching up",
                mailbox=self._address,
                done=backlog.done,
                waiting=backlog.waiting,
                since=since.isoformat(),
                ends_at=None if ends_at is None else ends_at.isoformat(),
            )

    async def _store(self, total: int | None, done: int | None, since: datetime | None) -> None:
        async with self._storage.work() as work:
            await work.mailboxes.note_backlog(self._address, total, done, since)


def expected_end(total: int, done: int, since: datetime, now: datetime) -> datetime | None:
    """Say when catching up ends if it goes on as it did so far; None while nothing is done yet."""
    if done <= 0 or now <= since:
        return None
    return now + (now - since) * max(total - done, 0) / done
