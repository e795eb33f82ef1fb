"""The first step of a pass: what changed, as far as it is not just an echo of ourselves."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from greenroom.exchange.contract import Changes, Cursor, Unreadable
from greenroom.exchange.errors import CursorExpiredError, ExchangeError, ItemBrokenError, ItemGoneError, TryLaterError
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Observation, Response
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import answers
from greenroom.scheduler.case import entry_of, new_record, postponed
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.line import ReplyLine
from greenroom.scheduler.waiting import go_on_waiting, split
from greenroom.storage import Storage

UNREADABLE = "unreadable"
"""Reason of a meeting of which no more is known than that it is there."""

log = structlog.get_logger(__name__)

_RANK = {Kind.SERIES: 0, Kind.SINGLE: 1, Kind.OCCURRENCE: 2}
_CLOSED = (State.DECLINED, State.ENDED, State.IGNORED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a slice amounts to: meetings to weigh, and meetings that vanished.

    `more` says that the next slice, of the changes or of what is due, is ready at once.
    """

    observations: tuple[Observation, ...]
    vanished: tuple[Record, ...]
    more: bool


async def observe(
    integration: Integration,
    storage: Storage,
    line: ReplyLine,
    changes: Changes,
    now: datetime,
    *,
    due_by: datetime | None,
    limit: int,
) -> Seen:
    """Read what changed and (unless `due_by` is None) the meetings whose retry is due, but no echoes of our own writes.

    What shows something new waits in line no more; what waits and shows nothing new is not read again. A meeting that cannot be
    read is remembered and looked at again later, so that the feed can go on.
    """
    standing = split(line, changes.glances, changes.gone)
    keys = {glance.key for glance in changes.glances if glance.key is not None}
    async with storage.work() as work:
        known = await work.meetings.by_keys(integration.number, keys)
        due = [] if due_by is None else await work.meetings.due(integration.number, due_by, limit)
        left = await work.meetings.by_items(integration.number, changes.gone) if changes.gone else {}
        in_line = go_on_waiting(line, due, now)
        await work.meetings.save([*_moved(changes.glances, known), *in_line])
    more = changes.more or len(due) == limit
    apart = {*standing, *(record.key for record in in_line)}
    due = [record for record in due if record.key not in apart]
    waiting = {record.key: record for record in due}
    refs, echoes = _worth_reading(changes.glances, known, due, apart)
    results = await integration.mailbox.read(list(refs)) if refs else []
    observations = [result for result in results if isinstance(result, Observation)]
    present = echoes | {observation.key for observation in observations}
    doubtful = {record.key: record for record in left.values() if record.key not in present}
    unread: dict[Record, ExchangeError] = {}
    for ref, error in _unreadable(results):
        key = refs.get(ref)
        if key is None or key in present:
            continue
        record = known.get(key) or waiting.get(key)
        if error is not None and not isinstance(error, ItemGoneError):
            unread[record or _unknown(integration, key, ref, now)] = error
        elif record is not None and (error is not None or key in waiting):
            doubtful[key] = record
    found, vanished = await _search(integration, doubtful.values(), unread)
    await _remember(storage, unread, now)
    seen = _one_per_meeting([*observations, *found])
    line.forget([*(observation.key for observation in seen), *(record.key for record in (*vanished, *unread))])
    return Seen(tuple(seen), tuple(vanished), more)


def is_echo(glance: Glance, record: Record | None) -> bool:
    """Whether a change is only what we did ourselves: the facts are those we handled and our accept came last.

    Where the list tells when the organizer sent the meeting, it must also be the sending that we answered: an answer given
    from the line may have come just after a change that we had not seen.
    """
    return (
        record is not None
        and record.state is State.SCHEDULED
        and record.retry_at is None
        and glance.own_answer
        and glance.response is Response.ACCEPTED
        and glance.fingerprint is not None
        and glance.fingerprint == record.seen
        and (glance.sent_at is None or record.replied is None or answers(record.replied, glance.sent_at))
    )


async def feed(integration: Integration, cursor: Cursor, limit: int) -> Changes:
    """Read the feed. A cursor that Exchange no longer knows starts it anew: all is looked at again, nothing done twice.

    A feed that does not move on has no more to tell.
    """
    changes = await _changes(integration, cursor, limit)
    return replace(changes, more=changes.more and changes.cursor != cursor)


async def _changes(integration: Integration, cursor: Cursor, limit: int) -> Changes:
    try:
        return await integration.mailbox.changes(cursor, limit=limit)
    except CursorExpiredError:
        log.warning("feed restarted", mailbox=integration.mailbox.address)
        return await integration.mailbox.changes("", limit=limit)


def _moved(glances: Sequence[Glance], known: Mapping[MeetingKey, Record]) -> Iterator[Record]:
    """Yield the records whose meeting now has another item, such as the calendar item that an accept created."""
    for glance in glances:
        record = known.get(glance.key) if glance.key is not None else None
        if record is not None and is_echo(glance, record) and record.ref.id != glance.ref.id:
            yield replace(record, ref=glance.ref)


def _worth_reading(
    glances: Sequence[Glance], known: Mapping[MeetingKey, Record], due: Sequence[Record], apart: Collection[MeetingKey]
) -> tuple[dict[ItemRef, MeetingKey | None], set[MeetingKey]]:
    """Return what to read, with its meeting where the feed told it, and the meetings that showed nothing but an echo.

    Meetings set `apart` wait in line with just what is shown.
    """
    refs: dict[str, tuple[ItemRef, MeetingKey | None]] = {}
    echoes: set[MeetingKey] = set()
    for glance in glances:
        if glance.key is not None and (glance.key in apart or is_echo(glance, known.get(glance.key))):
            echoes.add(glance.key)
        else:
            refs[glance.ref.id] = glance.ref, glance.key
    seen = {glance.key for glance in glances}
    refs |= {record.ref.id: (record.ref, record.key) for record in due if record.key not in seen}
    return dict(refs.values()), echoes


def _unreadable(
    results: Iterable[Observation | Unreadable],
) -> Iterator[tuple[ItemRef, ExchangeError | None]]:
    for result in results:
        if isinstance(result, Unreadable):
            if result.error is not None and not isinstance(result.error, ItemGoneError):
                log.warning("item unreadable", item=result.ref.id, code=result.error.code)
            yield result.ref, result.error


def _unknown(integration: Integration, key: MeetingKey, ref: ItemRef, now: datetime) -> Record:
    return replace(new_record(integration.number, key, ref, now), state=State.DEFECTIVE, reason=UNREADABLE)


async def _search(
    integration: Integration, doubtful: Iterable[Record], unread: dict[Record, ExchangeError]
) -> tuple[list[Observation], list[Record]]:
    """Search the calendar for meetings whose item left it: moved or restored ones are found, the others are gone."""
    found: list[Observation] = []
    vanished: list[Record] = []
    for record in doubtful:
        if record.state in _CLOSED and record.replying is None and record.retry_at is None:
            continue  # a declined item leaves the calendar by itself
        try:
            observation = await integration.mailbox.find(record.key)
        except (TryLaterError, ItemBrokenError) as error:
            unread[record] = error
            continue
        if observation is None:
            vanished.append(record)
        else:
            found.append(observation)
    return found, vanished


async def _remember(storage: Storage, unread: Mapping[Record, ExchangeError], now: datetime) -> None:
    """Store that these meetings could not be read, and that they are to be looked at again."""
    if not unread:
        return
    records, entries = [], []
    for record, error in unread.items():
        records.append(postponed(record, now, error.after if isinstance(error, TryLaterError) else None))
        entries.append(entry_of(record, now, "seen", UNREADABLE, error.code))
    async with storage.work() as work:
        await work.meetings.save(records)
        await work.journal.append(entries)


def _one_per_meeting(observations: Iterable[Observation]) -> list[Observation]:
    """Keep one observation a meeting (the series before its lone occurrence), the soonest start first."""
    best: dict[MeetingKey, Observation] = {}
    for observation in observations:
        other = best.get(observation.key)
        if other is None or _RANK[observation.kind] <= _RANK[other.kind]:
            best[observation.key] = observation
    return sorted(best.values(), key=lambda o: (o.span is not None, o.span.start.timestamp() if o.span else 0.0))
