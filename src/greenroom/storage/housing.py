"""Meetings beside the rooms they use: what the comparison with a platform needs of both, and no more."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import State
from greenroom.meetings.room import Provision
from greenroom.storage.schema import meetings, rooms
from greenroom.storage.session import Session
from greenroom.storage.sql import PIECE, pieces

_LIVING = tuple(state.value for state in (State.PENDING, State.SCHEDULED, State.DEFECTIVE))
_MARK = sa.func.coalesce(meetings.c.room_mark, meetings.c.mark, type_=sa.String)
_COLUMNS = tuple(
    meetings.c[name]
    for name in (
        *("key", "correlation_id", "state", "reason", "span_start", "alias_number", "adopted_alias", "adopted_numeric"),
        *("room", "held_until", "retry_at", "updated_at"),
    )
)


@dataclass(frozen=True, slots=True)
class KeptRoom:
    """What we remember of a room: when it was retired (None: it lives), when it closes for good, and what is at the platform."""

    retired_at: datetime | None
    closes_at: datetime | None
    there: Provision


@dataclass(frozen=True, slots=True)
class Housed:
    """A meeting's record, as much of it as concerns its room. `mark` is the room's, `kept` what we remember of that room.

    `has_room` says that the platform was told of the room. For the other fields see `Record`.
    """

    key: MeetingKey
    mark: str
    correlation_id: str
    state: State
    reason: str
    starts_at: datetime | None
    alias_number: int | None
    adopted: Alias | None
    has_room: bool
    held_until: datetime | None
    retry_at: datetime | None
    updated_at: datetime
    kept: KeptRoom | None


class Housing:
    """Questions about meetings together with their rooms."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def living(self, integration: int) -> AsyncIterator[Housed]:
        """Yield what lives, and what keeps its room for a running occurrence, a thousand at a time."""
        uses = meetings.c.state.in_(_LIVING) | (meetings.c.held_until.is_not(None) & meetings.c.room.is_not(None))
        after = ""
        while True:
            mine = (meetings.c.integration == integration) & uses & (meetings.c.mark > after)
            question = _question(mine).add_columns(meetings.c.mark.label("own"))
            rows = (await self._session.execute(question.order_by(meetings.c.mark).limit(PIECE))).all()
            for row in rows:
                yield _housed(row)
            if len(rows) < PIECE:
                return
            after = rows[-1].own

    async def of(self, integration: int, marks: Collection[str]) -> list[Housed]:
        """Return the meetings, in any state, whose rooms carry these marks."""
        found: list[Housed] = []
        for piece in pieces(sorted(set(marks))):
            own = meetings.c.mark.in_(piece) & meetings.c.room_mark.is_(None)
            for uses in (own, meetings.c.room_mark.in_(piece)):
                mine = (meetings.c.integration == integration) & uses
                found += [_housed(row) for row in await self._session.execute(_question(mine))]
        return found

    async def known(self, integration: int, marks: Collection[str]) -> set[str]:
        """Return those of these marks that are the digest of a meeting's key that we remember."""
        found: set[str] = set()
        for piece in pieces(sorted(set(marks))):
            mine = (meetings.c.integration == integration) & meetings.c.mark.in_(piece)
            found |= {row.mark for row in await self._session.execute(sa.select(meetings.c.mark).where(mine))}
        return found

    async def rooms(self, integration: int, marks: Collection[str]) -> dict[str, KeptRoom]:
        """Return what we remember of the rooms with these marks, tombstones too."""
        found: dict[str, KeptRoom] = {}
        columns = [rooms.c[name] for name in ("mark", "retired_at", "closes_at", "ref", "told", "attempts", "due_at")]
        for piece in pieces(sorted(set(marks))):
            mine = (rooms.c.integration == integration) & rooms.c.mark.in_(piece)
            found |= {row.mark: _kept(row) for row in await self._session.execute(sa.select(*columns).where(mine))}
        return found

    async def forget_told(self, integration: int, marks: Collection[str], now: datetime) -> None:
        """Forget what the platform was told of these rooms that live, where it is another system: it is told again."""
        for piece in pieces(sorted(set(marks))):
            mine = (rooms.c.integration == integration) & rooms.c.mark.in_(piece) & rooms.c.retired_at.is_(None)
            told = rooms.c.told.is_not(None)
            await self._session.execute(sa.update(rooms).where(mine, told).values(told="", due_at=now))


def _question(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    kept = [rooms.c[name] for name in ("retired_at", "closes_at", "ref", "told", "attempts", "due_at")]
    beside = (rooms.c.integration == meetings.c.integration) & (rooms.c.mark == _MARK)
    source = meetings.outerjoin(rooms, beside)
    is_kept = rooms.c.mark.is_not(None).label("is_kept")
    return sa.select(*_COLUMNS, _MARK.label("room_of"), is_kept, *kept).select_from(source).where(mine)


def _housed(row: sa.Row[Any]) -> Housed:
    adopted = row.adopted_alias is not None and row.alias_number is not None
    return Housed(
        key=MeetingKey(row.key),
        mark=row.room_of,
        correlation_id=row.correlation_id,
        state=State(row.state),
        reason=row.reason,
        starts_at=row.span_start,
        alias_number=row.alias_number,
        adopted=Alias(row.alias_number, row.adopted_alias, row.adopted_numeric) if adopted else None,
        has_room=row.room is not None,
        held_until=row.held_until,
        retry_at=row.retry_at,
        updated_at=row.updated_at,
        kept=_kept(row) if row.is_kept else None,
    )


def _kept(row: sa.Row[Any]) -> KeptRoom:
    return KeptRoom(row.retired_at, row.closes_at, Provision(row.ref, row.told, row.attempts, row.due_at))
