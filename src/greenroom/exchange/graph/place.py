"""The place in the feed: how far it was read, and what of the overlap was seen already. Pure.

```
 round:   start = high-water mark - overlap        slice, slice, slice ... (each from where the last one ended)    end
 cursor:  {"v": 1, "box": whose, "high": newest change seen, "at": position in a running round, "began", "slack", "seen"}
```

Times are Exchange's own (`lastModifiedDateTime`); our clock measures nothing but how long a round took: what came late while it
ran may lie that much further back than the overlap, so the next round begins that much earlier. That is measured in half minutes,
so that a calendar in which nothing happens leaves the cursor as it was. And a change that claims to be of a day to come is told
like any other, but never the high-water mark: nothing of today would be seen until then.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from greenroom.exchange.errors import CursorExpiredError
from greenroom.exchange.graph.values import instant, stamp
from greenroom.meetings.meeting import ItemRef

OVERLAP = timedelta(minutes=2)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_VERSION = 1
_DIGEST = 12
_LONGEST_CURSOR = 4 * 1024 * 1024
_LONGEST_ROUND = timedelta(days=1)
_STEP = timedelta(seconds=30)
_TICK = timedelta(microseconds=1)
_CLOCKS_DIFFER = timedelta(days=1)


def digest(ref: ItemRef) -> str:
    """Name one version of an item shortly: 9 bytes of a hash over its id and change key."""
    key = ref.version.rpartition("|")[0] or ref.version
    return urlsafe_b64encode(sha256(f"{ref.id}\0{key}".encode("utf-8", "surrogatepass")).digest()[:9]).decode()


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor taken apart. `at` is None between two rounds; `seen` holds digests by the second of their change."""

    box: str
    high: datetime | None = None
    at: datetime | None = None
    began: datetime | None = None
    slack: timedelta = timedelta()
    seen: dict[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str, mailbox: str) -> "Place":
        """Read a cursor of this mailbox; raises CursorExpiredError for any other text."""
        box = sha256(mailbox.encode()).hexdigest()[:8]
        if not cursor:
            return cls(box)
        try:
            data = json.loads(cursor) if len(cursor) <= _LONGEST_CURSOR else None
            if isinstance(data, dict) and data["v"] == _VERSION and data["box"] == box:
                return cls(
                    box,
                    _instant(data["high"]),
                    _instant(data["at"]),
                    _instant(data["began"]),
                    min(max(timedelta(seconds=float(data["slack"])), timedelta()), _LONGEST_ROUND),
                    {int(second): _digests(text) for second, text in data["seen"].items()},
                )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            pass  # told below, whatever is wrong with it
        raise CursorExpiredError("this place in the feed is not one of ours", code="foreign-cursor", mailbox=mailbox)

    def text(self) -> str:
        """Write the cursor."""
        return json.dumps(
            {
                "v": _VERSION,
                "box": self.box,
                "high": stamp(self.high) if self.high else None,
                "at": stamp(self.at) if self.at else None,
                "began": stamp(self.began) if self.began else None,
                "slack": self.slack.total_seconds(),
                "seen": {str(second): "".join(sorted(found)) for second, found in sorted(self.seen.items())},
            },
            separators=(",", ":"),
        )

    @property
    def start(self) -> datetime:
        """The time from which on (including it) changes are asked for."""
        if self.at is not None:
            return self.at
        return BEGINNING if self.high is None else max(BEGINNING, self.high - OVERLAP - self.slack)

    @property
    def known(self) -> int:
        """How many items from `start` on were seen already: so many a list may show in vain."""
        first = int(self.start.timestamp())
        return sum(len(found) for second, found in self.seen.items() if second >= first)

    def has(self, ref: ItemRef, when: datetime) -> bool:
        """Whether this version of an item was seen."""
        return digest(ref) in self.seen.get(int(when.timestamp()), ())

    def begin(self, now: datetime) -> "Place":
        """Begin a round, or go on with one. `now` is our own clock's, before the list is asked for."""
        return self if self.at is not None and self.began is not None else replace(self, began=now)

    def take(self, rows: Iterable[tuple[ItemRef, datetime]], now: datetime) -> "Place":
        """Remember that these were seen. `now` is our own clock's, and counts only against times of another day."""
        seen, high = dict(self.seen), self.high
        for ref, when in rows:
            second = int(when.timestamp())
            seen[second] = seen.get(second, frozenset()) | {digest(ref)}
            if when - now <= _CLOCKS_DIFFER:
                high = when if high is None else max(high, when)
        return replace(self, seen=seen, high=high)

    def pause(self, at: datetime, now: datetime) -> "Place":
        """End a slice within a round: the next one goes on at this change. `now` is after the list has come."""
        return _pruned(replace(self, at=at), self._elapsed(now), at)

    def over(self, at: datetime) -> datetime:
        """Return the position behind all changes of this very instant."""
        return at + _TICK

    def end(self, now: datetime) -> "Place":
        """End the round; `now` is after the list has come."""
        elapsed = self._elapsed(now)
        ended = replace(self, at=None, began=None, slack=elapsed)
        return _pruned(ended, elapsed, ended.start)

    def _elapsed(self, now: datetime) -> timedelta:
        """Return how long the round took, in whole steps: at least so long."""
        took = min(max(now - self.began, timedelta()), _LONGEST_ROUND) if self.began else timedelta()
        return -(-took // _STEP) * _STEP


def _pruned(place: Place, elapsed: timedelta, at: datetime) -> Place:
    """Forget what no list will show again: what is older than both this position and the start of the next round."""
    if place.high is None:
        return place
    first = int(min(at, place.high - OVERLAP - elapsed).timestamp())
    return replace(place, seen={second: found for second, found in place.seen.items() if second >= first})


def _instant(text: Any) -> datetime | None:
    if text is None:
        return None
    found = instant(text)
    if found is None:
        raise ValueError("no instant")
    return found


def _digests(text: str) -> frozenset[str]:
    if len(text) % _DIGEST:
        raise ValueError("no digests")
    return frozenset(text[n : n + _DIGEST] for n in range(0, len(text), _DIGEST))
