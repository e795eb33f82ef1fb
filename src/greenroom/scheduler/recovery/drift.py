"""Holding calendar, database and platform against each other: cheap, without texts, and nothing is changed by it.

```
 calendar ── list ─────────▶ unknown meetings, vanished meetings ◀── records that live
 platform ── owned rooms ──▶ orphans, rooms that differ ◀─────────── records that have a room
                             rooms that are missing     ◀───────────
```

What is being worked on is no drift: meetings that were handled within the last minutes, that wait to be looked at again, or of
which the feed is about to tell. Neither is a room that the platform does not need yet, or will close by itself.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.differences import Difference
from greenroom.scheduler.recovery.drift_calendar import calendar_drift
from greenroom.scheduler.recovery.drift_rooms import room_drift
from greenroom.storage import Storage, StoredDrift

SETTLING = timedelta(minutes=5)
"""What was handled within this time may still be under way at the platform, or in our own list of it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What the three disagree about at an instant.

    `rooms_told` is False where the platform does not list its rooms: nothing is known of them then. `waiting` counts what
    differs and is no drift, as the feed is about to tell of it.
    """

    at: datetime
    differences: tuple[Difference, ...] = ()
    rooms_told: bool = True
    waiting: int = 0

    def of(self, *kinds: DriftKind) -> list[Difference]:
        """Return what is of these kinds."""
        return [one for one in self.differences if one.kind in kinds]

    def counts(self) -> dict[DriftKind, int]:
        """Return how many there are of each kind; every kind is there."""
        found = Counter(one.kind for one in self.differences)
        return {kind: found[kind] for kind in DriftKind}


async def drift(integration: Integration, storage: Storage, now: datetime) -> Drift:
    """Compare everything once. Raises ExchangeError, PlatformError: then nothing is said, as half of it would mislead.

    Memory grows with the list of the calendar, then with the marks of the rooms, one after the other; bodies are never read.
    """
    since = now - SETTLING
    calendar = await calendar_drift(integration, storage, now, since)
    rooms = await room_drift(integration, storage, now, since, calendar.marks)
    found = sorted(
        (*calendar.differences, *rooms),
        key=lambda one: (
            list(DriftKind).index(one.kind),
            one.starts_at is None,
            one.starts_at.timestamp() if one.starts_at else 0.0,
            one.subject,
        ),
    )
    told = integration.platform.capabilities.lists
    return Drift(now, tuple(found), rooms_told=told, waiting=calendar.waiting)


def to_store(integration: Integration, found: Drift) -> list[StoredDrift]:
    """Write a drift as it is stored."""
    number, at = integration.number, found.at
    return [StoredDrift(number, one.kind.value, one.subject, one.detail, at, at) for one in found.differences]


async def remember(integration: Integration, storage: Storage, found: Drift) -> list[StoredDrift]:
    """Store what was found; returns what the comparison before it had left."""
    async with storage.work() as work:
        before = await work.drifts.of(integration.number)
        await work.drifts.replace(integration.number, to_store(integration, found), found.at)
        await work.mailboxes.note_drift(integration.mailbox.address, found.at)
    return before
