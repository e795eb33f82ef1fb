"""Looking at everything again from a point in time, for after an incident.

```
 calendar, not over ──┬── unknown, or otherwise than we know it ─────────┐
                      ├── worked on since then, whatever came of it ─────┼──▶ read ──▶ the normal pass, every room told afresh
                      └── sent by its organizer since then ──────────────┘
 declined since then for our own fault ── its old item, else searched ──▶ read ──▶ the same: it may be accepted now
```

The normal pass decides. A meeting that was declined is weighed as a new one whenever it is looked at: what was declined rightly
(over, a ticket that is not genuine) is declined again without a word, what failed by our fault gets its room. But a decline takes
the item out of most calendars: such a meeting is out of reach until its organizer sends it again, and is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenroom.exchange.errors import ItemBrokenError, ItemGoneError, TryLaterError
from greenroom.meetings.decision import last_end
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Response
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import State
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Case, Clock, entry_of
from greenroom.scheduler.integration import Integration, Manner
from greenroom.scheduler.recovery.contract import Progress
from greenroom.scheduler.recovery.taking_up import SLICE, take_up_again
from greenroom.storage import Standing, Storage

OUR_FAULT = (Reason.ROOM_REFUSED.value, Reason.ALIAS_CONFLICT.value)
"""Reasons of declines for which no organizer could do anything."""
SWEPT = "swept"
"""Step of a journal line: a look from a point in time on changed something, or failed."""
CHANGED, ANSWERED, FAILED = "changed", "answered", "failed"
_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sweepable:
    """What is to be looked at: the items in the calendar, the soonest first, and records declined for our own fault."""

    refs: tuple[ItemRef, ...]
    declined: tuple[Standing, ...]

    def __len__(self) -> int:
        return len(self.refs) + len(self.declined)


@dataclass(slots=True)
class Swept:
    """What came of it.

    `looked` counts meetings read, `changed` those to which something was done, `answered` those whose organizer was answered,
    `waiting` those whose answer goes out when its turn comes. `failed` and `lost` are correlation ids: what is tried again by the
    service, and what was declined for our own fault and is not in the calendar any more. `unread` counts items of meetings that
    could not be read.
    """

    looked: int = 0
    changed: int = 0
    answered: int = 0
    waiting: int = 0
    unread: int = 0
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


async def find_sweepable(integration: Integration, storage: Storage, since: datetime, now: datetime) -> Sweepable:
    """Say what would be looked at; nothing is changed. Raises ExchangeError."""
    shown = await integration.mailbox.inventory(now - integration.policy.after - _MARGIN)
    ours = [glance for glance in shown if glance.response is not Response.ORGANIZER]
    by_key: dict[MeetingKey, list[Glance]] = {}
    for glance in ours:
        if glance.key is not None:
            by_key.setdefault(glance.key, []).append(glance)
    wanted = {glance.ref.id: glance for glance in ours if glance.key is None or _sent_since(glance, since)}
    declined: list[Standing] = []
    async with storage.reading() as work:
        async for standing in work.meetings.touched(integration.number, since):
            glances = by_key.get(standing.key, [])
            wanted |= {glance.ref.id: glance for glance in glances}
            if not glances and _is_our_fault(standing, now):
                declined.append(standing)
        known: set[MeetingKey] = set()
        async for standing in work.meetings.standings(integration.number, keys=by_key):
            known.add(standing.key)
            if any(glance.fingerprint not in (None, standing.seen) for glance in by_key[standing.key]):
                wanted |= {glance.ref.id: glance for glance in by_key[standing.key]}
    for key, glances in by_key.items():
        if key not in known:
            wanted |= {glance.ref.id: glance for glance in glances}
    return Sweepable(tuple(glance.ref for glance in _soonest_first(wanted.values())), tuple(declined))


async def sweep(
    integration: Integration,
    storage: Storage,
    attendant: Attendant,
    found: Sweepable,
    clock: Clock,
    *,
    progress: Progress = no_progress,
) -> Swept:
    """Look at all of it again, a hundred at a time. The mailbox is ours meanwhile; run again, it does nothing twice.

    Raises ExchangeError when the mailbox cannot be used; what was done until then is stored.
    """
    swept = Swept()
    refs = list(found.refs)
    for start in range(0, len(found.declined), SLICE):
        piece = found.declined[start : start + SLICE]
        refs += await _items_of(integration, storage, piece, swept)
    done = 0
    async for taken in take_up_again(integration, attendant, refs, Manner(afresh=True)):
        swept.looked += len(taken.cases)
        swept.unread += taken.unread
        await _note(storage, taken.cases, clock(), swept)
        done = min(done + SLICE, len(refs))
        progress(SWEPT, done, len(refs))
    return swept


async def _note(storage: Storage, cases: Iterable[Case], now: datetime, swept: Swept) -> None:
    """Count what came of meetings, and write a line for those of which something came."""
    lines = []
    for case in cases:
        codes = []
        if case.record.state is State.DEFECTIVE or (case.waiting and case.record.attempts):
            swept.failed.append(case.record.correlation_id)
            codes.append(FAILED)
        elif case.waiting:
            swept.waiting += 1
        if _is_changed(case):
            swept.changed += 1
            codes.append(CHANGED)
        if case.outcome is not None and not case.waiting and case.record.replied == case.identity:
            swept.answered += 1
            codes.append(ANSWERED)
        lines += [entry_of(case.record, now, SWEPT, code) for code in codes]
    if lines:
        async with storage.work() as work:
            await work.journal.append(lines)


def _is_changed(case: Case) -> bool:
    """Whether something was done; that the platform was told the same again is nothing."""
    decision = case.decision
    done = decision.retire or (decision.provide and decision.reason is not Reason.UNCHANGED)
    return done or case.outcome is not None or case.made_at is not None


def _sent_since(glance: Glance, since: datetime) -> bool:
    return glance.sent_at is not None and glance.sent_at >= since


def _is_our_fault(standing: Standing, now: datetime) -> bool:
    end = last_end(standing.kind, standing.span)
    return standing.state is State.DECLINED and standing.reason in OUR_FAULT and (end is None or end > now)


def _soonest_first(glances: Iterable[Glance]) -> list[Glance]:
    return sorted(glances, key=lambda one: (one.starts_at is None, one.starts_at.timestamp() if one.starts_at else 0.0))


async def _items_of(
    integration: Integration, storage: Storage, declined: Iterable[Standing], swept: Swept
) -> list[ItemRef]:
    """Search the items of meetings that were declined for our own fault; what is not there any more is named."""
    keys = [one.key for one in declined]
    async with storage.reading() as work:
        records = await work.meetings.by_keys(integration.number, keys)
    found: list[ItemRef] = []
    for record in records.values():
        try:
            seen = await integration.mailbox.find(record.key)
        except ItemGoneError:
            seen = None
        except (TryLaterError, ItemBrokenError):
            swept.unread += 1
            continue
        if seen is None:
            swept.lost.append(record.correlation_id)
        else:
            found.append(seen.ref)
    return found
