"""The first half of a drift: what calendar and database disagree about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from greenroom.exchange.errors import CursorExpiredError
from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Glance, Kind, Response
from greenroom.meetings.record import Record, State
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.reconcile import differing
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.differences import Difference, alias_of
from greenroom.storage import Storage

NEW, CHANGED = "new", "changed"
_AT_ONCE = 500
_SLICES = 40
_PIECE = 1000


@dataclass(frozen=True, slots=True)
class CalendarDrift:
    """What differs, the marks of all meetings that the calendar shows otherwise than the database, and how much of it waits."""

    differences: tuple[Difference, ...]
    marks: frozenset[str]
    waiting: int


async def calendar_drift(integration: Integration, storage: Storage, now: datetime, since: datetime) -> CalendarDrift:
    """Compare calendar and database; what was handled `since` is left out. Raises ExchangeError."""
    changes = await differing(integration, storage, now)
    coming = await _coming(integration, storage) if changes.glances or changes.gone else frozenset()
    marks = frozenset(glance.key.digest for glance in changes.glances if glance.key is not None)
    found: list[Difference] = []
    waiting = 0
    for piece in _pieces(_by_meeting(changes.glances)):
        known = await _known(integration, storage, piece)
        for subject, glances in piece:
            record = known.get(subject)
            if any(glance.ref.id in coming for glance in glances):
                waiting += 1
            elif _is_drift(glances, record, since):
                found.append(_shown(integration, subject, glances, record))
    for start in range(0, len(changes.gone), _PIECE):
        gone = changes.gone[start : start + _PIECE]
        async with storage.reading() as work:
            left = await work.meetings.by_items(integration.number, gone)
        for ident in gone:
            record = left.get(ident)
            if ident in coming:
                waiting += 1
            elif record is not None and record.state in LIVING and _is_settled(record, since):
                found.append(_vanished(integration, record))
    return CalendarDrift(tuple(found), marks, waiting)


_Meeting = tuple[str, list[Glance]]


def _by_meeting(glances: Iterable[Glance]) -> list[_Meeting]:
    """Bring what belongs to one meeting together, under its mark; what shows no key stands for itself."""
    found: dict[str, list[Glance]] = {}
    for glance in glances:
        found.setdefault(glance.ref.id if glance.key is None else glance.key.digest, []).append(glance)
    return list(found.items())


def _pieces(meetings: Sequence[_Meeting]) -> Iterable[Sequence[_Meeting]]:
    return (meetings[start : start + _PIECE] for start in range(0, len(meetings), _PIECE))


async def _known(integration: Integration, storage: Storage, piece: Sequence[_Meeting]) -> Mapping[str, Record]:
    keys = {glance.key for _, glances in piece for glance in glances if glance.key is not None}
    items = {glances[0].ref.id for _, glances in piece if glances[0].key is None}
    async with storage.reading() as work:
        known = await work.meetings.by_keys(integration.number, keys)
        unnamed = await work.meetings.by_items(integration.number, items) if items else {}
    return {key.digest: record for key, record in known.items()} | unnamed


def _is_drift(glances: Sequence[Glance], record: Record | None, since: datetime) -> bool:
    if record is None:
        return not any(glance.sent_at is not None and glance.sent_at >= since for glance in glances)
    return _is_settled(record, since) and not _is_only_doubtful(glances, record)


def _is_settled(record: Record, since: datetime) -> bool:
    return record.updated_at < since and record.retry_at is None


def _is_only_doubtful(glances: Sequence[Glance], record: Record) -> bool:
    """Whether nothing shows that this series changed: where no list tells its exceptions, each new version is worth a look."""
    scheduled = record.state is State.SCHEDULED and record.kind is Kind.SERIES
    return scheduled and any(
        glance.fingerprint is None and glance.ref.id == record.ref.id and glance.response in (None, Response.ACCEPTED)
        for glance in glances
    )


def _shown(integration: Integration, subject: str, glances: Sequence[Glance], record: Record | None) -> Difference:
    first = glances[0]
    kind = DriftKind.UNKNOWN_MEETING
    if record is None:
        return Difference(kind, subject, NEW, first.key, first.starts_at)
    starts_at = first.starts_at or (None if record.span is None else record.span.start)
    alias = alias_of(integration, record.alias_number, record.adopted)
    return Difference(kind, subject, CHANGED, record.key, starts_at, alias, "", record.correlation_id)


def _vanished(integration: Integration, record: Record) -> Difference:
    starts_at = None if record.span is None else record.span.start
    alias = alias_of(integration, record.alias_number, record.adopted)
    kind = DriftKind.VANISHED_MEETING
    return Difference(kind, record.key.digest, "", record.key, starts_at, alias, "", record.correlation_id)


async def _coming(integration: Integration, storage: Storage) -> frozenset[str]:
    """Return the ids of items of which the feed is about to tell. Its place stays; nothing where it was never read."""
    async with storage.reading() as work:
        cursor = (await work.mailboxes.get(integration.mailbox.address)).cursor
    found: set[str] = set()
    for _ in range(_SLICES if cursor else 0):
        try:
            changes = await integration.mailbox.changes(cursor, limit=_AT_ONCE)
        except CursorExpiredError:
            break
        found |= {glance.ref.id for glance in changes.glances} | set(changes.gone)
        if not changes.more or changes.cursor == cursor:
            break
        cursor = changes.cursor
    return frozenset(found)
