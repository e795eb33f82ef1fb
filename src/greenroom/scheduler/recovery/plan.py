"""The plan of a recovery: what becomes of every meeting and of every room, with nothing changed.

```
 calendar, page by page ──▶ judged as the normal pass would decide ──▶ keep, adopt, new, answer, make, leave
 records that were not shown ──▶ end                 (a walk through the whole calendar only)
 rooms that no meeting has   ──▶ remove-orphan       (the same)
```

`recover` walks again and judges anew: the calendar goes on changing while somebody reads a plan.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import Entry, Fate, Progress
from greenroom.scheduler.recovery.judging import UNREADABLE
from greenroom.scheduler.recovery.leftover import Orphans, ending, gone, orphans
from greenroom.scheduler.recovery.owned import OwnedRooms
from greenroom.scheduler.recovery.walking import WHOLE, Reach, Walk
from greenroom.storage import Storage

LISTED = 1000
_NEVER = datetime.max.replace(tzinfo=UTC)


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far it got."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of everything: `entries` are what changes, the soonest first; of what is left alone `left` counts the reasons.

    `counts` is how many have which fate, in the order of `Fate`, where there are any: also of those that are not among the entries.
    `meetings` and `rooms` is how many were looked at; `told` how many meetings get a mail or an update. `rooms_told` is False
    where the platform does not list its rooms, `remembers` where there is no database yet. `held_back` rooms may be orphans,
    which nobody can say before all meetings can be read. `untouched` are the others, if they were asked for.
    """

    entries: tuple[Entry, ...] = ()
    counts: Mapping[Fate, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    untouched: tuple[Entry, ...] = ()
    meetings: int = 0
    rooms: int = 0
    told: int = 0
    held_back: int = 0
    rooms_told: bool = True
    remembers: bool = True

    @property
    def changes(self) -> int:
        """How many meetings and rooms are changed."""
        return sum(self.counts.values()) - self.counts.get(Fate.LEAVE, 0)

    @property
    def is_clear(self) -> bool:
        """Whether everything could be read."""
        return not self.left.get(UNREADABLE) and not self.held_back


async def plan(
    integration: Integration,
    storage: Storage | None,
    clock: Clock,
    *,
    reach: Reach = WHOLE,
    updates: bool = True,
    listed: int | None = LISTED,
    untouched: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Walk through the calendar and say what a recovery would do. Changes nothing.

    `storage` is None where nothing is remembered yet. At most `listed` meetings, ends and orphans each become entries (None: all):
    of a large calendar nobody reads more, and all of them together take much memory. With `untouched` also what is left alone is
    returned meeting by meeting. Raises ExchangeError, PlatformError and StorageError.
    """
    progress("platform", 0, 0)
    rooms = await OwnedRooms.load(integration, remembers=storage is not None)
    walk = Walk(integration, storage, rooms, clock, updates=updates)
    changing, others = _Soonest(listed), _Soonest(None)
    left: Counter[str] = Counter()
    counts: Counter[Fate] = Counter()
    told = 0
    async with aclosing(walk.pages(reach)) as pages:
        async for page in pages:
            for one in page:
                told += one.told
                counts[one.entry.fate] += 1
                if one.entry.fate is not Fate.LEAVE:
                    changing.add(one.entry)
                    continue
                left[one.entry.detail] += 1
                if untouched:
                    others.add(one.entry)
            progress("calendar", walk.meetings, 0)
    if walk.unread:
        left[UNREADABLE] = len(walk.unread)
        counts[Fate.LEAVE] += len(walk.unread)
    ended = (
        [ending(one) for one in await gone(integration, storage, walk, clock())] if storage and reach.is_whole else []
    )
    found = await orphans(integration, storage, walk, rooms, clock()) if reach.is_whole else Orphans()
    counts.update({Fate.END: len(ended), Fate.ORPHAN: len(found.entries)})
    entries = [*changing.entries, *sorted(ended, key=_soonest)[:listed], *found.entries[:listed]]
    return Plan(
        entries=tuple(sorted(entries, key=_soonest)),
        counts={fate: counts[fate] for fate in Fate if counts[fate]},
        left=dict(left),
        untouched=(*walk.unread, *others.entries),
        meetings=walk.meetings + len(walk.unread),
        rooms=len(rooms),
        told=told,
        held_back=found.held_back,
        rooms_told=rooms.told,
        remembers=storage is not None,
    )


class _Soonest:
    """The first of many entries, by start."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        if self._most is not None and len(self._entries) > 2 * self._most:
            self._entries = self.entries

    @property
    def entries(self) -> list[Entry]:
        return sorted(self._entries, key=_soonest)[: self._most]


def _soonest(entry: Entry) -> tuple[bool, datetime, str]:
    return entry.fate is Fate.ORPHAN, entry.starts_at or _NEVER, entry.mark
