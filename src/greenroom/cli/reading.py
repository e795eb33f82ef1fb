"""Reading what is stored, for the commands that show it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from greenroom.cli.coming import coming, window_of
from greenroom.cli.failures import of_storage
from greenroom.cli.options import end_with
from greenroom.meetings.alias import Alias
from greenroom.meetings.icalendar import rrule_of
from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.recurrence import Series
from greenroom.settings import Settings
from greenroom.storage import Storage, StorageError, Work

T = TypeVar("T")


def read(settings: Settings, question: Callable[[Work], Awaitable[T]], *, as_json: bool) -> T:
    """Ask the database one question; ends the command with a sentence if that cannot be done."""

    async def ask() -> T:
        storage = Storage.open(settings.storage.url.get_secret_value())
        try:
            await storage.check()
            async with storage.reading() as work:
                return await question(work)
        finally:
            await storage.close()

    try:
        return asyncio.run(ask())
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)


def alias_of(settings: Settings, record: Record) -> str:
    """Spell a record's alias; empty if it has none or its integration is not configured any more."""
    alias = spelled(settings, record)
    return "" if alias is None else alias.name


def spelled(settings: Settings, record: Record) -> Alias | None:
    """Return a record's alias, with its numeric form; None if it has none or its integration is not configured any more."""
    if record.adopted is not None:
        return record.adopted
    entry = settings.numbered(record.integration)
    if entry is None or record.alias_number is None or record.alias_number >= 10**entry.alias.digits:
        return None
    return entry.alias.plan.alias(record.alias_number)


def name_of(settings: Settings, number: int) -> str:
    """Name an integration by its number."""
    entry = settings.numbered(number)
    return str(number) if entry is None else entry.name


def plain(text: str) -> str:
    """Take out what could drive a terminal: titles are written by strangers."""
    return "".join(c if c.isprintable() else " " for c in text)


def local(at: datetime | None) -> str:
    """Write a time in this computer's zone, to the minute; in UTC where its calendar does not reach."""
    return "" if at is None else f"{_here(at):%Y-%m-%d %H:%M}"


def _here(at: datetime) -> datetime:
    try:
        return at.astimezone()
    except (OverflowError, OSError, ValueError):  # a stranger may invite for the last minute of time
        return at


def record_json(settings: Settings, record: Record, now: datetime) -> dict[str, Any]:
    """Write a record for `--json`; times in UTC. Of a series it tells the rule and the occurrence that is on or comes next."""
    span = record.span
    return {
        "integration": name_of(settings, record.integration),
        "key": record.key.value,
        "correlation_id": record.correlation_id,
        "state": record.state.value,
        "reason": record.reason,
        "kind": record.kind.value,
        "title": record.title,
        "organizer": record.organizer,
        "start": None if span is None else stamp(span.start),
        "end": None if span is None else stamp(span.end),
        "until": None if span is None else stamp(span.until),
        "occurrence": record.key.occurrence and record.key.occurrence.isoformat(),
        "series": None if record.series is None else series_json(settings, record, record.series, now),
        "alias": alias_of(settings, record) or None,
        "instructions": record.instructions.value,
        "replied": record.replied.partition(":")[0] if record.replied else None,
        "retry_at": stamp(record.retry_at),
        "attempts": record.attempts,
        "held_until": None if record.held is None else stamp(record.held[1]),
        "review_at": stamp(record.review_at),
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def series_json(settings: Settings, record: Record, series: Series, now: datetime) -> dict[str, Any]:
    """Write a recurrence for `--json`: its rule as in RFC 5545, and what comes next."""
    one = coming(series, now)
    window = None if one is None else window_of(settings, record, one)
    return {
        "rule": rrule_of(series.rule),
        "zone": series.zone.name,
        "next_opens": None if window is None else stamp(window.opens),
        "next_start": None if one is None else stamp(one.start),
        "until": stamp(series.occurrences.last_end),
        "exceptions": len(series.moved) + len(series.gone),
    }


def entry_json(entry: JournalEntry, sentence: str) -> dict[str, Any]:
    """Write a line of a timeline for `--json`."""
    return {
        "at": stamp(entry.at),
        "step": entry.step,
        "code": entry.code,
        "detail": entry.detail,
        "sentence": sentence,
    }


def stamp(at: datetime | None) -> str | None:
    """Write a time for machines."""
    return None if at is None else at.astimezone(UTC).isoformat()
