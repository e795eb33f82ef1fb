"""What calendar, database and platform disagreed about when they were last compared. One row is one disagreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from greenroom.storage.schema import drifts
from greenroom.storage.session import Session
from greenroom.storage.sql import insert

_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class StoredDrift:
    """One disagreement: its kind, whom it concerns (a mark, or the platform's name of a room), and since when it is known."""

    integration: int
    kind: str
    subject: str
    detail: str
    first_at: datetime
    last_at: datetime


class Drifts:
    """Disagreements by integration, kind and subject."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def replace(self, integration: int, found: Sequence[StoredDrift], now: datetime) -> None:
        """Store what a comparison found at `now`: what is still so keeps when it was found first, the rest is forgotten."""
        rows = {
            (one.kind, one.subject[:_LONGEST_SUBJECT]): {
                "integration": integration,
                "kind": one.kind,
                "subject": one.subject[:_LONGEST_SUBJECT],
                "detail": one.detail,
                "first_at": one.first_at,
                "last_at": now,
            }
            for one in found
        }
        if rows:
            statement = insert(self._session, drifts)
            new = statement.excluded
            statement = statement.on_conflict_do_update(
                index_elements=list(drifts.primary_key.columns),
                set_={"detail": new["detail"], "last_at": new["last_at"]},
            )
            await self._session.execute(statement, list(rows.values()))
        stale = (drifts.c.integration == integration) & (drifts.c.last_at < now)
        await self._session.execute(sa.delete(drifts).where(stale))

    async def of(self, integration: int) -> list[StoredDrift]:
        """Return what the last comparison of an integration found, the oldest disagreement first."""
        mine = sa.select(drifts).where(drifts.c.integration == integration)
        rows = await self._session.execute(mine.order_by(drifts.c.first_at, drifts.c.kind, drifts.c.subject))
        return [StoredDrift(**row) for row in rows.mappings()]

    async def counts(self, integration: int) -> dict[str, int]:
        """Return how many of each kind there are."""
        mine = sa.select(drifts.c.kind, sa.func.count().label("number")).where(drifts.c.integration == integration)
        rows = await self._session.execute(mine.group_by(drifts.c.kind))
        return {row.kind: int(row.number) for row in rows}
