"""The first step of a pass: what changed, as far as it is not just an echo of ourselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from greenroom.exchange.contract import Changes, Cursor, Unreadable
from greenroom.exchange.errors import CursorExpiredError, ItemGoneError, NotPermittedError, TryLaterError
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Observation, Response
from greenroom.meetings.record import Record, State
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_RANK = {Kind.SERIES: 0, Kind.SINGLE: 1, Kind.OCCURRENCE: 2}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a slice of the feed amounts to: meetings to weigh, meetings that vanished, and where the feed stands now."""

    observations: tuple[Observation, ...]
    vanished: tuple[Record, ...]
    cursor: Cursor
    more: bool


async def observe(integration: Integration, storage: Storage, cursor: Cursor, now: datetime, *, limit: int) -> Seen:
    """Read one slice of the feed and the meetings whose retry is due; read only what is not an echo of our own writes.

    A cursor that Exchange no longer knows starts the feed anew: everything is looked at again, and nothing is done twice.
    """
    try:
        changes = await integration.mailbox.changes(cursor, limit=limit)
    except CursorExpiredError:
        log.warning("feed restarted", mailbox=integration.mailbox.address)
        changes = await integration.mailbox.changes("", limit=limit)
    keys = {glance.key for glance in changes.glances if glance.key is not None}
    async with storage.work() as work:
        known = await work.meetings.by_keys(integration.number, keys)
        due = await work.meetings.due(integration.number, now, limit)
        left = await work.meetings.by_items(integration.number, changes.gone) if changes.gone else {}
        moved = list(_moved(changes.glances, known))
        if moved:
            await work.meetings.save(moved)
    refs = _worth_reading(changes, known, due)
    results = await integration.mailbox.read(refs) if refs else []
    _see_refusal(results)
    observations = [result for result in results if isinstance(result, Observation)]
    found_keys = keys | {observation.key for observation in observations}
    doubtful = {record.key: record for record in left.values() if record.key not in found_keys}
    doubtful |= _gone_while_reading(results, due, found_keys)
    found, vanished = await _search(integration, doubtful.values())
    seen = tuple(_one_per_meeting([*observations, *found]))
    if any(isinstance(result, Unreadable) and isinstance(result.error, TryLaterError) for result in results):
        # Something could not be read for now: the others go on, but the feed must show it again.
        return Seen(seen, tuple(vanished), cursor, more=False)
    return Seen(seen, tuple(vanished), changes.cursor, changes.more)


def is_echo(glance: Glance, record: Record | None) -> bool:
    """Whether a change is only what we did ourselves: the facts are those we handled and our accept came last."""
    return (
        record is not None
        and record.state is State.SCHEDULED
        and record.retry_at is None
        and glance.own_answer
        and glance.response is Response.ACCEPTED
        and glance.fingerprint is not None
        and glance.fingerprint == record.seen
    )


def _moved(glances: Sequence[Glance], known: dict[MeetingKey, Record]) -> Iterable[Record]:
    """Records whose meeting now has another item, such as the calendar item that an accept created."""
    for glance in glances:
        record = known.get(glance.key) if glance.key is not None else None
        if record is not None and is_echo(glance, record) and record.ref.id != glance.ref.id:
            yield replace(record, ref=glance.ref)


def _worth_reading(changes: Changes, known: dict[MeetingKey, Record], due: Sequence[Record]) -> list[ItemRef]:
    refs = {
        glance.ref.id: glance.ref
        for glance in changes.glances
        if not is_echo(glance, known.get(glance.key) if glance.key is not None else None)
    }
    seen_keys = {glance.key for glance in changes.glances}
    refs |= {record.ref.id: record.ref for record in due if record.key not in seen_keys}
    return list(refs.values())


def _gone_while_reading(
    results: Sequence[Observation | Unreadable], due: Sequence[Record], found: set[MeetingKey]
) -> dict[MeetingKey, Record]:
    """Due meetings whose item is not there any more; they may have another item, so they are searched for by key."""
    gone = set()
    for result in results:
        if isinstance(result, Unreadable):
            if isinstance(result.error, ItemGoneError):
                gone.add(result.ref.id)
            elif result.error is not None:
                log.warning("item unreadable", item=result.ref.id, code=result.error.code)
    return {record.key: record for record in due if record.ref.id in gone and record.key not in found}


def _see_refusal(results: Sequence[Observation | Unreadable]) -> None:
    """Raise what Exchange said if it refused every item: then the right to the mailbox is gone, and no item is to blame."""
    refused = [r.error for r in results if isinstance(r, Unreadable) and isinstance(r.error, NotPermittedError)]
    if refused and len(refused) == len(results):
        raise refused[0]


async def _search(integration: Integration, doubtful: Iterable[Record]) -> tuple[list[Observation], list[Record]]:
    """Search the calendar for meetings whose item left it: moved or restored ones are found, the others are gone."""
    found: list[Observation] = []
    vanished: list[Record] = []
    for record in doubtful:
        if record.state in (State.DECLINED, State.ENDED, State.IGNORED) and record.replying is None:
            continue  # a declined item leaves the calendar by itself
        observation = await integration.mailbox.find(record.key)
        if observation is None:
            vanished.append(record)
        else:
            found.append(observation)
    return found, vanished


def _one_per_meeting(observations: Iterable[Observation]) -> list[Observation]:
    """Keep one observation a meeting (the series before its lone occurrence), the soonest start first."""
    best: dict[MeetingKey, Observation] = {}
    for observation in observations:
        other = best.get(observation.key)
        if other is None or _RANK[observation.kind] <= _RANK[other.kind]:
            best[observation.key] = observation
    return sorted(best.values(), key=lambda o: (o.span is not None, o.span.start.timestamp() if o.span else 0.0))
