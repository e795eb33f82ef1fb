"""What is known to have changed and was not handled yet: after an outage, more than one slice of it.

The feed tells changes in the order in which they happened. After an hour without us that would let a meeting that starts in five
minutes wait behind a thousand that start next month. So the feed is read first (glances only, no texts), and what it told is
handled soonest start first:

```
 started within the last day ─▶ start unknown ─▶ to come, by start ─▶ our own writes
                                                  └── began long ago: a series, or over for long; like what starts in a day
```

Everything about one meeting stays together, its series included: several changes become one look, one decision and one update.
Pure, and in memory: the cursor is stored when all of it is handled. Whoever comes after a crash reads the feed anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenroom.exchange.contract import Changes, Cursor
from greenroom.meetings.meeting import Glance, MeetingKey, Response
from greenroom.meetings.record import Record, State

MOST = 20_000
"""So many items are kept at most (about 30 MB); the feed is read on when these have been handled."""

_DAY = timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Group:
    """What was told about one meeting, or about a series and its occurrences; of each item the latest, in the order it came."""

    entries: dict[str, Glance | None] = field(default_factory=dict)  # by item id; None: it is gone
    starts_at: datetime | None = None
    is_news: bool = False

    def due(self, now: datetime) -> datetime:
        """Say when it is due: what is lower goes first."""
        if not self.is_news:
            return _LAST
        if self.starts_at is None:
            return now  # it may start any moment, and only its text tells
        return now + _DAY if self.starts_at < now - _DAY else self.starts_at


class Backlog:
    """Changes that wait, by meeting. `cursor` says how far the feed was read, `ended` whether that was to its end."""

    def __init__(self, base: Cursor) -> None:
        self.base = base
        self.cursor = base
        self.ended = False
        self.done = 0
        self._groups: dict[str, _Group] = {}
        self._group_of: dict[str, str] = {}
        self._order: list[str] | None = None
        self._waiting = 0

    @property
    def length(self) -> int:
        """How many items wait."""
        return len(self._group_of)

    @property
    def is_full(self) -> bool:
        """Whether no more should be read before some of it is handled."""
        return self.length >= MOST

    @property
    def waiting(self) -> int:
        """How many meetings wait; what shows only our own writes is not counted."""
        return self._waiting

    def add(self, changes: Changes, known: Mapping[MeetingKey, Record], left: Mapping[str, Record]) -> None:
        """Take in a page of the feed. `known` are records of its meetings, `left` those of its items that are gone, by item id."""
        for glance in changes.glances:
            record = None if glance.key is None else known.get(glance.key)
            name = f"item {glance.ref.id}" if glance.key is None else glance.key.clean.value
            news, starts_at = _is_news(glance, record), glance.starts_at or _start(record)
            self._put(name, glance.ref.id, glance, news=news, starts_at=starts_at)
        for item in changes.gone:
            record = left.get(item)
            told = self._group_of.get(item) if record is None else record.key.clean.value
            if told is not None:  # else it is nothing that we ever had to do with
                self._put(told, item, None, news=True, starts_at=_start(record))
        self.cursor, self.ended = changes.cursor, not changes.more
        if changes.glances or changes.gone:
            self._order = None

    def next(self, limit: int, now: datetime) -> Changes:
        """Return what is to be handled next, about `limit` items, whole meetings unless one alone has more.

        Its `cursor` may be stored when it is handled: until the last piece, the one with which all this began.
        """
        if self._order is None:
            self._order = sorted(self._groups, key=lambda name: self._groups[name].due(now))
            self._order.reverse()  # what is due first stands last, where it is taken out cheaply
        piece: list[tuple[str, Glance | None]] = []
        for name in reversed(self._order):
            entries = self._groups[name].entries
            if piece and len(piece) + len(entries) > limit:
                break
            piece += list(entries.items())[:limit]
        rest = len(piece) < self.length
        return Changes(
            glances=tuple(glance for _, glance in piece if glance is not None),
            gone=tuple(item for item, glance in piece if glance is None),
            cursor=self.base if rest else self.cursor,
            more=rest or not self.ended,
        )

    def handled(self, piece: Changes) -> None:
        """Take out what was handled."""
        for item in _items(piece):
            self._drop(item, done=True)
        if not self._groups:
            self.base = self.cursor
        if self._order is not None:
            while self._order and self._order[-1] not in self._groups:
                self._order.pop()

    def _put(self, name: str, item: str, glance: Glance | None, *, news: bool, starts_at: datetime | None) -> None:
        self._drop(item, done=False)
        group = self._groups.setdefault(name, _Group())
        group.entries[item] = glance
        self._group_of[item] = name
        if news and not group.is_news:
            group.is_news = True
            self._waiting += 1
        if starts_at is not None and (group.starts_at is None or starts_at < group.starts_at):
            group.starts_at = starts_at

    def _drop(self, item: str, *, done: bool) -> None:
        name = self._group_of.pop(item, None)
        if name is None:
            return
        group = self._groups[name]
        del group.entries[item]
        if not group.entries:
            del self._groups[name]
            if group.is_news:
                self._waiting -= 1
                self.done += done


def _items(piece: Changes) -> Iterator[str]:
    yield from (glance.ref.id for glance in piece.glances)
    yield from piece.gone


def _is_news(glance: Glance, record: Record | None) -> bool:
    """Whether more than our own writes may be behind a change: other facts than those we said yes to, or our yes is gone."""
    handled = record is not None and record.state is State.SCHEDULED and record.retry_at is None
    same = record is not None and glance.fingerprint is not None and glance.fingerprint == record.seen
    return not (handled and same and glance.response is Response.ACCEPTED)


def _start(record: Record | None) -> datetime | None:
    return None if record is None or record.span is None else record.span.start


def keys_of(glances: Iterable[Glance]) -> set[MeetingKey]:
    """Return the meetings that glances tell of."""
    return {glance.key for glance in glances if glance.key is not None}
