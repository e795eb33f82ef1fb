"""Requests that the add-in's API refused: what an administrator sees behind the id that a person is told.

Nothing of a token stands here, and nobody is named. Only the latest are kept: strangers can make as many as they like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from greenroom.storage.schema import addin_refusals
from greenroom.storage.session import Session

KEPT = 10_000
"""So many are remembered."""

_LONGEST = {"correlation_id": 64, "kind": 32, "reason": 64, "detail": 500}


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused request: `kind` says what was judged ("bearer", "exchange", "limit", ...), `reason` is a code.

    Integration 0 stands for one that is not known.
    """

    integration: int
    correlation_id: str
    at: datetime
    kind: str
    reason: str
    detail: str = ""


class Refusals:
    """The latest refused requests."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def note(self, refused: Sequence[Refused]) -> None:
        """Add lines; texts that are too long are cut. The oldest are forgotten."""
        if not refused:
            return
        rows = [
            {
                "integration": one.integration,
                "at": one.at,
                **{name: getattr(one, name)[:longest] for name, longest in _LONGEST.items()},
            }
            for one in refused
        ]
        await self._session.execute(sa.insert(addin_refusals), rows)
        last = sa.select(sa.func.max(addin_refusals.c.id)).scalar_subquery()
        await self._session.execute(sa.delete(addin_refusals).where(addin_refusals.c.id <= last - KEPT))

    async def by_correlation(self, correlation_id: str) -> list[Refused]:
        """Return what was refused under this id, oldest first; nearly always one."""
        mine = sa.select(addin_refusals).where(addin_refusals.c.correlation_id == correlation_id)
        rows = await self._session.execute(mine.order_by(addin_refusals.c.id).limit(100))
        return [Refused(row.integration, row.correlation_id, row.at, row.kind, row.reason, row.detail) for row in rows]
