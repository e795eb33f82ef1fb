"""Which alias numbers were given out, and which meeting brought each one's ticket first.

Most come and are bound in one transaction. Those that the add-in is asked for (`greenroom.storage.asked`) wait for their meeting.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.meetings.meeting import MeetingKey
from greenroom.storage.schema import reservations
from greenroom.storage.session import Session
from greenroom.storage.sql import insert, pieces
from greenroom.storage.values import Reservation


class Reservations:
    """Alias numbers of each integration. A number has one holder for ever; a second meeting is a copy."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def holders(self, integration: int, numbers: Sequence[int]) -> dict[int, Reservation]:
        """Return the reservations among these numbers."""
        found: dict[int, Reservation] = {}
        for piece in pieces(list(dict.fromkeys(numbers))):
            mine = (reservations.c.integration == integration) & reservations.c.number.in_(piece)
            for row in await self._session.execute(sa.select(reservations).where(mine)):
                found[row.number] = reservation_of(row)
        return found

    async def is_taken(self, integration: int, number: int) -> bool:
        """Whether the number must not be given out: reserved, held, or a tombstone."""
        return bool(await self.holders(integration, [number]))

    async def any_from(self, integration: int, number: int) -> bool:
        """Whether any number from this one upwards was given out."""
        mine = (reservations.c.integration == integration) & (reservations.c.number >= number)
        found = await self._session.execute(sa.select(reservations.c.number).where(mine).limit(1))
        return found.one_or_none() is not None

    async def reserve(self, integration: int, number: int, issued_at: datetime) -> bool:
        """Keep a number for a ticket just issued, without a meeting yet; False if it is taken."""
        statement = insert(self._session, reservations).values(
            integration=integration, number=number, issued_at=issued_at
        )
        statement = statement.on_conflict_do_nothing()
        taken = await self._session.execute(statement.returning(reservations.c.number))
        return taken.one_or_none() is not None

    async def bind(self, integration: int, number: int, key: MeetingKey, issued_at: datetime) -> Reservation | None:
        """Make the meeting the number's holder. The first one wins: None if another holds it, or it was deleted, or set aside anew.

        A number nobody reserved here (it was given back, or the database was lost) is reserved by this. Once a meeting holds it,
        it does not expire any more. `issued_at` tells the ticket that it was set aside with from older ones of the same number,
        which were given back. Safe to repeat.
        """
        statement = insert(self._session, reservations).values(
            integration=integration, number=number, key=key.value, issued_at=issued_at
        )
        statement = statement.on_conflict_do_update(
            index_elements=[reservations.c.integration, reservations.c.number],
            set_={"key": key.value, "expires_at": None},
            where=reservations.c.deleted_at.is_(None)
            & (
                (reservations.c.key.is_(None) & (reservations.c.issued_at == issued_at))
                | (reservations.c.key == key.value)
            ),
        )
        row = (await self._session.execute(statement.returning(reservations))).one_or_none()
        return None if row is None else reservation_of(row)

    async def tombstone(self, integration: int, number: int, at: datetime) -> None:
        """Delete the reservation for good: its ticket is declined from now on, and the number not given out again."""
        statement = insert(self._session, reservations).values(
            integration=integration, number=number, issued_at=at, deleted_at=at
        )
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[reservations.c.integration, reservations.c.number],
                set_={"deleted_at": at},
                where=reservations.c.deleted_at.is_(None),
            )
        )


def reservation_of(row: sa.Row[Any]) -> Reservation:
    """Read a row."""
    key = None if row.key is None else MeetingKey(row.key)
    return Reservation(
        row.number,
        row.integration,
        key,
        row.issued_at,
        row.deleted_at,
        row.asked_by,
        row.request_id,
        row.key_id,
        row.expires_at,
    )
