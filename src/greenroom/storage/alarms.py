"""Incidents that belong to no meeting: somebody guesses aliases, or a password. This table is their journal.

One row is one incident, however many requests it is made of; it grows while the incident lasts and is written anew by the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from greenroom.storage.schema import Instant, alarms
from greenroom.storage.session import Session
from greenroom.storage.sql import insert

QUIET = timedelta(hours=24)
"""After so long a silence the same thing is another incident."""

KEPT = 1_000
"""So many incidents are remembered, the latest: strangers cannot fill the database by being many."""

_LONGEST_CODE = 64
_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Alarm:
    """What happened (`code`) about whom (`subject`), how often, from when to when. Integration 0 stands for the whole process."""

    integration: int
    code: str
    subject: str
    count: int
    first_at: datetime
    last_at: datetime


class Alarms:
    """Incidents by integration, code and subject."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def note(self, found: Sequence[Alarm]) -> None:
        """Add to incidents that go on, and begin the others; an alarm's count is what happened since it was noted last."""
        if not found:
            return
        statement = insert(self._session, alarms)
        new, stale = statement.excluded, alarms.c.last_at < sa.bindparam("stale_before", type_=Instant)
        earlier, later = new.first_at < alarms.c.first_at, new.last_at > alarms.c.last_at
        statement = statement.on_conflict_do_update(
            index_elements=list(alarms.primary_key.columns),
            set_={
                "count": sa.case((stale, new["count"]), else_=alarms.c["count"] + new["count"]),
                "first_at": sa.case((sa.or_(stale, earlier), new.first_at), else_=alarms.c.first_at),
                "last_at": sa.case((later, new.last_at), else_=alarms.c.last_at),
            },
        )
        rows = [
            {
                "integration": one.integration,
                "code": one.code[:_LONGEST_CODE],
                "subject": one.subject[:_LONGEST_SUBJECT],
                "count": one.count,
                "first_at": one.first_at,
                "last_at": one.last_at,
                "stale_before": one.first_at - QUIET,
            }
            for one in found
        ]
        await self._session.execute(statement, rows)
        oldest = sa.select(alarms.c.last_at).order_by(alarms.c.last_at.desc()).offset(KEPT - 1).limit(1)
        await self._session.execute(sa.delete(alarms).where(alarms.c.last_at < oldest.scalar_subquery()))

    async def since(self, at: datetime, limit: int = 100) -> list[Alarm]:
        """Return the incidents in which something happened at an instant or later, the latest first."""
        lately = sa.select(alarms).where(alarms.c.last_at >= at)
        rows = await self._session.execute(lately.order_by(alarms.c.last_at.desc()).limit(limit))
        return [Alarm(**row) for row in rows.mappings()]
