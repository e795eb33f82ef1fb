"""What was done for every meeting."""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.storage.kept_text import read_moved, read_series, write_moved
from greenroom.storage.schema import meetings
from greenroom.storage.session import Session
from greenroom.storage.sql import PIECE, pieces, upsert
from greenroom.storage.values import Standing

_LIVING = tuple(state.value for state in (State.PENDING, State.SCHEDULED, State.DEFECTIVE))
_STANDING = tuple(
    meetings.c[name]
    for name in (
        *("mark", "key", "state", "kind", "item_id", "item_version", "item_is_message"),
        *("span_start", "span_end", "span_zone", "span_all_day", "span_until", "reason", "seen", "retry_at"),
    )
)
_CLOCKS_APART = timedelta(minutes=2)
"""So far may the clocks of two machines be apart without one of them being wrong."""
_ALIAS_DIGITS = re.compile(r"(\d{1,20})(?:@[^@]*)?\Z", re.ASCII)


class Meetings:
    """Records by integration and meeting key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def by_keys(self, integration: int, keys: Iterable[MeetingKey]) -> dict[MeetingKey, Record]:
        """Return the records of these meetings, as far as there are any."""
        marks = list({key.digest for key in keys})
        records = await self._of(integration, meetings.c.mark, marks)
        return {record.key: record for record in records}

    async def by_mark(self, integration: int, mark: str) -> Record | None:
        """Return the record of the meeting whose room carries this mark (the key's digest)."""
        return next(iter(await self._of(integration, meetings.c.mark, [mark])), None)

    async def by_items(self, integration: int, ids: Iterable[str]) -> dict[str, Record]:
        """Return the records whose item in the mailbox has one of these ids, by id."""
        records = await self._of(integration, meetings.c.item_id, list(set(ids)))
        return {record.ref.id: record for record in sorted(records, key=lambda record: record.updated_at)}

    async def of_rooms(self, integration: int, marks: Iterable[str]) -> list[Record]:
        """Return the records of all meetings whose rooms carry these marks: those they were made for, and those that share them."""
        wanted = sorted(set(marks))
        own = await self._of(integration, meetings.c.mark, wanted, meetings.c.room_mark.is_(None))
        return own + await self._of(integration, meetings.c.room_mark, wanted)

    async def kin(self, integration: int, keys: Iterable[MeetingKey]) -> list[Record]:
        """Return all records of the series these keys belong to: those of the series and of their lone occurrences."""
        return await self._of(integration, meetings.c.series_mark, sorted({key.clean.digest for key in keys}))

    async def adopting(self, dials: Collection[str]) -> list[Record]:
        """Return the living meetings, of all integrations, that took over an alias which is spelled like one of these."""
        found: list[Record] = []
        for column in (meetings.c.adopted_alias, meetings.c.adopted_numeric):
            for piece in pieces(sorted({dial.lower() for dial in dials})):
                found += await self._all(
                    sa.select(meetings).where(sa.func.lower(column).in_(piece), meetings.c.state.in_(_LIVING))
                )
        return list({(one.integration, one.key): one for one in found}.values())

    async def due(self, integration: int, now: datetime, limit: int) -> list[Record]:
        """Return records that are to be looked at again by now, the meetings that start soonest first.

        Those are all whose retry has come, and of the living those whose review has come and that wait for no retry.
        """
        review = (meetings.c.review_at <= now) & meetings.c.retry_at.is_(None) & meetings.c.state.in_(_LIVING)
        mine = (meetings.c.integration == integration) & ((meetings.c.retry_at <= now) | review)
        soonest = meetings.c.span_start.asc().nulls_last()
        return await self._all(sa.select(meetings).where(mine).order_by(soonest, meetings.c.mark).limit(limit))

    async def hasten(self, integration: int, state: State, now: datetime) -> None:
        """Let those of a state that are looked at again later be looked at by now, unless a reply may still be under way."""
        waiting = (
            (meetings.c.integration == integration)
            & (meetings.c.state == state.value)
            & (meetings.c.retry_at > now)
            & meetings.c.replying.is_(None)
        )
        await self._session.execute(sa.update(meetings).where(waiting).values(retry_at=now))

    async def hasten_from_ahead(self, integration: int, now: datetime) -> None:
        """Let those that wait since a clock that had run ahead be looked at by now: their turn would come days late.

        Those whose room is held wait for the end of their own time, whatever the clock was.
        """
        waiting = (
            (meetings.c.integration == integration)
            & (meetings.c.retry_at > now)
            & (meetings.c.updated_at > now + _CLOCKS_APART)
            & meetings.c.held_until.is_(None)
        )
        await self._session.execute(sa.update(meetings).where(waiting).values(retry_at=now))

    async def endless(self, integration: int | None = None, limit: int = 100, offset: int = 0) -> list[Record]:
        """Return living series whose rule has no end, the one to be reviewed next first."""
        wanted = [
            meetings.c.kind == Kind.SERIES.value,
            meetings.c.series.is_not(None),
            meetings.c.span_until.is_(None),
            meetings.c.state.in_(_LIVING),
        ]
        if integration is not None:
            wanted.append(meetings.c.integration == integration)
        order = (meetings.c.review_at.asc().nulls_last(), meetings.c.integration, meetings.c.mark)
        return await self._all(sa.select(meetings).where(*wanted).order_by(*order).limit(limit).offset(offset))

    async def over(self, integration: int, ended_before: datetime, limit: int, offset: int = 0) -> list[Record]:
        """Return scheduled meetings whose (last) end was before an instant; a series without a known end is never among them.

        They are candidates, the earliest end first: a room may serve more than one meeting, and longer than this one.
        Whoever leaves some of them as they are asks for the next ones by `offset`.
        """
        endless = (meetings.c.kind == Kind.SERIES.value) & meetings.c.span_until.is_(None)
        ends = sa.func.coalesce(meetings.c.span_until, meetings.c.span_end, type_=meetings.c.span_end.type)
        mine = (meetings.c.integration == integration) & (meetings.c.state == State.SCHEDULED.value)
        question = sa.select(meetings).where(mine, ~endless, ends <= ended_before).order_by(ends, meetings.c.mark)
        return await self._all(question.limit(limit).offset(offset))

    async def living(self, integration: int) -> AsyncIterator[Standing]:
        """Yield what lives (pending, scheduled, defective), a thousand at a time: never all of them are in memory."""
        async for standing in self._walk(integration, meetings.c.state.in_(_LIVING)):
            yield standing

    async def touched(self, integration: int, since: datetime) -> AsyncIterator[Standing]:
        """Yield what was worked on since an instant, whatever its state, a thousand at a time."""
        async for standing in self._walk(integration, meetings.c.updated_at >= since):
            yield standing

    async def _walk(self, integration: int, wanted: sa.ColumnElement[bool]) -> AsyncIterator[Standing]:
        mine, after = (meetings.c.integration == integration) & wanted, ""
        while True:
            question = sa.select(*_STANDING).where(mine, meetings.c.mark > after).order_by(meetings.c.mark).limit(PIECE)
            rows = (await self._session.execute(question)).all()
            for row in rows:
                yield _standing(row)
            if len(rows) < PIECE:
                return
            after = rows[-1].mark

    async def standings(
        self, integration: int, *, keys: Collection[MeetingKey] = (), items: Collection[str] = ()
    ) -> AsyncIterator[Standing]:
        """Yield where these meetings stand, by key or by the id of their item, whatever their state."""
        marks = [key.digest for key in keys]
        for column, values in ((meetings.c.mark, marks), (meetings.c.item_id, list(items))):
            for piece in pieces(values):
                mine = (meetings.c.integration == integration) & column.in_(piece)
                for row in await self._session.execute(sa.select(*_STANDING).where(mine)):
                    yield _standing(row)

    async def by_correlation(self, correlation_id: str) -> Record | None:
        """Return the record with this correlation id."""
        mine = sa.select(meetings).where(meetings.c.correlation_id == correlation_id).limit(1)
        return next(iter(await self._all(mine)), None)

    async def save(self, records: Sequence[Record]) -> None:
        """Store records whole, new or not. Of two for one meeting the later in the sequence stays."""
        rows = {(record.integration, record.key.digest): _row(record) for record in records}
        if rows:
            # In the order of the primary key, so that two writers can never wait for each other.
            ordered = [rows[key] for key in sorted(rows)]
            await self._session.execute(upsert(self._session, meetings), ordered)

    async def search(
        self,
        *,
        integration: int | None = None,
        state: State | None = None,
        organizer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        recurring: bool | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Record]:
        """Return records that fit everything asked for, by (first) start.

        `since` and `until` ask for meetings (a series from its first to its last occurrence) that touch this time;
        `text` is part of the title, or an alias or a part of its number; `recurring` asks for series only, or for none.
        """
        wanted: list[sa.ColumnElement[bool]] = []
        if integration is not None:
            wanted.append(meetings.c.integration == integration)
        if state is not None:
            wanted.append(meetings.c.state == state.value)
        if organizer is not None:
            wanted.append(meetings.c.organizer == organizer.lower())
        if since is not None:
            endless = (meetings.c.kind == Kind.SERIES.value) & meetings.c.span_until.is_(None)
            ends = sa.func.coalesce(meetings.c.span_until, meetings.c.span_end, type_=meetings.c.span_end.type)
            wanted.append((meetings.c.span_start.is_not(None) & endless) | (ends > since))
        if until is not None:
            wanted.append(meetings.c.span_start < until)
        if text:
            wanted.append(_says(text))
        if recurring is not None:
            wanted.append((meetings.c.kind == Kind.SERIES.value) == recurring)
        order = (meetings.c.span_start.asc().nulls_last(), meetings.c.integration, meetings.c.mark)
        return await self._all(sa.select(meetings).where(*wanted).order_by(*order).limit(limit).offset(offset))

    async def counts(self, integration: int | None = None) -> dict[State, int]:
        """Return how many meetings stand where; every state is there."""
        question = sa.select(meetings.c.state, sa.func.count().label("number")).group_by(meetings.c.state)
        if integration is not None:
            question = question.where(meetings.c.integration == integration)
        found: dict[str, int] = {row.state: row.number for row in await self._session.execute(question)}
        return {state: found.get(state.value, 0) for state in State}

    async def _of(
        self, integration: int, column: sa.Column[Any], values: Sequence[str], *more: sa.ColumnElement[bool]
    ) -> list[Record]:
        found: list[Record] = []
        for piece in pieces(values):
            mine = (meetings.c.integration == integration) & column.in_(piece)
            found += await self._all(sa.select(meetings).where(mine, *more))
        return found

    async def _all(self, question: sa.Select[Any]) -> list[Record]:
        return [_record(row) for row in await self._session.execute(question)]


def _says(text: str) -> sa.ColumnElement[bool]:
    says = meetings.c.title.icontains(text, autoescape=True)
    found = _ALIAS_DIGITS.search(text.strip())
    if found is None:
        return says
    number = sa.cast(meetings.c.alias_number, sa.Text)
    # A part of the number, or an alias as it is dialled: the prefix may end in digits of its own.
    return (
        says
        | number.contains(found[1])
        | sa.literal(found[1]).endswith(number)
        | meetings.c.adopted_alias.icontains(text.strip(), autoescape=True)
        | meetings.c.adopted_numeric.contains(found[1])
    )


def _row(record: Record) -> dict[str, Any]:
    span = record.span
    return {
        "integration": record.integration,
        "mark": record.key.digest,
        "key": record.key.value,
        "correlation_id": record.correlation_id,
        "state": record.state.value,
        "kind": record.kind.value,
        "organizer": record.organizer,
        "item_id": record.ref.id,
        "item_version": record.ref.version,
        "item_is_message": record.ref.is_message,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "span_start": None if span is None else span.start,
        "span_end": None if span is None else span.end,
        "span_zone": None if span is None else span.zone,
        "span_all_day": None if span is None else span.all_day,
        "span_until": None if span is None else span.until,
        "title": record.title,
        "reason": record.reason,
        "seen": record.seen,
        "alias_number": record.alias_number,
        "alias_key": record.alias_key,
        "issued_at": record.issued_at,
        "room": record.room,
        "instructions": record.instructions.value,
        "replied": record.replied,
        "replying": record.replying,
        "answered_before": record.answered_before,
        "attempts": record.attempts,
        "retry_at": record.retry_at,
        "series": None if record.series is None else record.series.text,
        "handled": write_moved(record.handled),
        "held_from": None if record.held is None else record.held[0],
        "held_until": None if record.held is None else record.held[1],
        "room_mark": record.room_mark,
        "review_at": record.review_at,
        "adopted_alias": None if record.adopted is None else record.adopted.name,
        "adopted_numeric": None if record.adopted is None else record.adopted.numeric,
        "warned_at": record.warned_at,
        "series_mark": record.key.clean.digest,
    }


def _span(row: sa.Row[Any]) -> Span | None:
    if row.span_start is None:
        return None
    return Span(row.span_start, row.span_end, row.span_zone, row.span_all_day, row.span_until)


def _standing(row: sa.Row[Any]) -> Standing:
    return Standing(
        key=MeetingKey(row.key),
        state=State(row.state),
        kind=Kind(row.kind),
        ref=ItemRef(row.item_id, row.item_version, row.item_is_message),
        span=_span(row),
        reason=row.reason,
        seen=row.seen,
        retry_at=row.retry_at,
    )


def _record(row: sa.Row[Any]) -> Record:
    return Record(
        integration=row.integration,
        key=MeetingKey(row.key),
        correlation_id=row.correlation_id,
        state=State(row.state),
        kind=Kind(row.kind),
        organizer=row.organizer,
        ref=ItemRef(row.item_id, row.item_version, row.item_is_message),
        created_at=row.created_at,
        updated_at=row.updated_at,
        span=_span(row),
        title=row.title,
        reason=row.reason,
        seen=row.seen,
        alias_number=row.alias_number,
        alias_key=row.alias_key,
        issued_at=row.issued_at,
        room=row.room,
        instructions=InstructionsState(row.instructions),
        replied=row.replied,
        replying=row.replying,
        answered_before=row.answered_before,
        attempts=row.attempts,
        retry_at=row.retry_at,
        series=read_series(row.series, row.correlation_id),
        handled=read_moved(row.handled, row.correlation_id),
        held=None if row.held_from is None or row.held_until is None else (row.held_from, row.held_until),
        room_mark=row.room_mark,
        review_at=row.review_at,
        adopted=_adopted(row),
        warned_at=row.warned_at,
    )


def _adopted(row: sa.Row[Any]) -> Alias | None:
    if row.adopted_alias is None or row.alias_number is None:
        return None
    return Alias(row.alias_number, row.adopted_alias, row.adopted_numeric or "")
