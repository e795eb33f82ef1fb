"""Reservations that people asked for through the add-in, until a meeting brings their ticket.

A person is a digest. Whoever reserves for one takes that person's turn first: what is counted then stays true until the commit.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.storage.reservations import reservation_of
from greenroom.storage.schema import reservations
from greenroom.storage.session import Session
from greenroom.storage.sql import insert
from greenroom.storage.values import Reservation

_columns = reservations.c
_waits = _columns.key.is_(None) & _columns.deleted_at.is_(None)


class Asked:
    """What people asked for: the rows of `reservations` that have an `asked_by`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_request(self, integration: int, person: str, request_id: str) -> Reservation | None:
        """Return what this request was answered with, in whatever state that is now."""
        mine = _of(integration, person) & (_columns.request_id == request_id)
        row = (await self._session.execute(sa.select(reservations).where(mine))).one_or_none()
        return None if row is None else reservation_of(row)

    async def take_turn(self, integration: int, person: str) -> None:
        """Wait until nobody else reserves for this person, and keep others waiting until the transaction ends."""
        if self._session.dialect == "postgresql":  # a writer of SQLite is alone anyway
            digest = hashlib.sha256(f"greenroom\0{integration}\0{person}".encode()).digest()
            lock = int.from_bytes(digest[:8], "big", signed=True)
            await self._session.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))

    async def count(self, integration: int, person: str, now: datetime) -> int:
        """Count what this person has asked for that no meeting has brought and that has not expired."""
        mine = _of(integration, person) & _waits & (_columns.expires_at > now)
        return int((await self._session.execute(sa.select(sa.func.count()).where(mine))).scalar_one())

    async def add_new(self, one: Reservation, now: datetime, most: int) -> bool:
        """Do in one statement what is asked most: keep a number for a new request, of a person who has less than `most`.

        False where any of it is not so; then nothing is stored, and the other methods tell what it was.
        """
        statement = _add_new(self._session)
        values = _row(one) | {"now": now, "most": most}
        return bool(await self._session.fetch(statement, values))

    async def add(self, asked: Sequence[Reservation]) -> list[int]:
        """Keep numbers for tickets just issued; returns those that were free, and are this person's now."""
        free: list[int] = []
        for one in asked:  # each by itself: a statement for several would be compiled anew for every number of them
            statement = insert(self._session, reservations).on_conflict_do_nothing().returning(_columns.number)
            free += (await self._session.execute(statement, _row(one))).scalars().all()
        return free

    async def prolong(self, integration: int, number: int, person: str, until: datetime) -> bool:
        """Keep an unclaimed reservation of this person until then; False if there is none."""
        mine = _of(integration, person) & (_columns.number == number) & _waits
        return await self._changes(sa.update(reservations).where(mine).values(expires_at=until))

    async def release(self, integration: int, number: int, person: str, issued_at: datetime) -> bool:
        """Give an unclaimed reservation of this person back, as if it had never been; False if there is none.

        No tombstone is left: an invitation that is on its way with this ticket still gets its room.
        """
        mine = _of(integration, person) & (_columns.number == number) & (_columns.issued_at == issued_at) & _waits
        return await self._changes(sa.delete(reservations).where(mine))

    async def forget_request(self, integration: int, person: str, request_id: str) -> None:
        """Let the same request be answered anew: what it was answered with is of no use any more."""
        mine = _of(integration, person) & (_columns.request_id == request_id)
        await self._session.execute(sa.update(reservations).where(mine).values(request_id=None))

    async def expire(self, integration: int, now: datetime, limit: int) -> int:
        """Give back what no meeting has brought in time, at most so many; returns how many."""
        over = (_columns.integration == integration) & (_columns.expires_at <= now) & _waits
        numbers = (await self._session.execute(sa.select(_columns.number).where(over).limit(limit))).scalars().all()
        if not numbers:
            return 0
        gone = sa.delete(reservations).where(over & _columns.number.in_(numbers)).returning(_columns.number)
        return len((await self._session.execute(gone)).all())

    async def _changes(self, statement: "sa.Update | sa.Delete") -> bool:
        changed = await self._session.execute(statement.returning(_columns.number))
        return changed.one_or_none() is not None


_ROW = ("integration", "number", "issued_at", "asked_by", "request_id", "key_id", "expires_at")
_statements: dict[str, Any] = {}


def _row(one: Reservation) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _ROW}


def _add_new(session: Session) -> Any:
    """Write the statement once for each dialect: it takes longer to write than to execute."""
    if session.dialect not in _statements:
        given = {name: sa.bindparam(name, type_=reservations.columns[name].type) for name in _ROW}
        mine = (_columns.integration == given["integration"]) & (_columns.asked_by == given["asked_by"])
        now = sa.bindparam("now", type_=_columns.expires_at.type)
        waiting = sa.select(sa.func.count()).where(mine & _waits & (_columns.expires_at > now)).scalar_subquery()
        known = sa.select(_columns.number).where(mine & (_columns.request_id == given["request_id"])).exists()
        allowed = (waiting < sa.bindparam("most", type_=sa.Integer)) & ~known
        statement = insert(session, reservations).from_select(_ROW, sa.select(*given.values()).where(allowed))
        _statements[session.dialect] = statement.on_conflict_do_nothing().returning(_columns.number)
    return _statements[session.dialect]


def _of(integration: int, person: str) -> sa.ColumnElement[bool]:
    return (_columns.integration == integration) & (_columns.asked_by == person)
