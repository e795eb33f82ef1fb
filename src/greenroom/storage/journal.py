"""The timelines of meetings: what was seen, decided, done and replied, and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import JournalEntry
from greenroom.storage.schema import journal
from greenroom.storage.session import Session
from greenroom.storage.sql import pieces

_RECENT = 20_000
"""Lines are found by meeting, not by time: of a long journal no more than its end is searched."""


class Journal:
    """Lines are only ever appended, and come back in the order in which they were."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        """Add lines in their order."""
        if not entries:
            return
        rows = [
            {
                "integration": entry.integration,
                "mark": entry.key.digest,
                "key": entry.key.value,
                "correlation_id": entry.correlation_id,
                "at": entry.at,
                "step": entry.step,
                "code": entry.code,
                "detail": entry.detail,
            }
            for entry in entries
        ]
        await self._session.execute(sa.insert(journal), rows)

    async def of_meeting(self, integration: int, key: MeetingKey) -> list[JournalEntry]:
        """Return a meeting's lines, oldest first."""
        mine = (journal.c.integration == integration) & (journal.c.mark == key.digest)
        rows = await self._session.execute(sa.select(journal).where(mine).order_by(journal.c.id))
        return [_entry(row) for row in rows]

    async def latest(self, integration: int, keys: Iterable[MeetingKey], code: str) -> dict[MeetingKey, datetime]:
        """Return when lines of these meetings had this code last; meetings that have none are left out."""
        marks = {key.digest: key for key in keys}
        found: dict[MeetingKey, datetime] = {}
        for piece in pieces(list(marks)):
            mine = (journal.c.integration == integration) & journal.c.mark.in_(piece) & (journal.c.code == code)
            last = sa.func.max(journal.c.at, type_=journal.c.at.type).label("last")
            question = sa.select(journal.c.mark, last).where(mine).group_by(journal.c.mark)
            found |= {marks[row.mark]: row.last for row in await self._session.execute(question)}
        return found

    async def recent(self, integration: int, step: str, since: datetime) -> list[JournalEntry]:
        """Return the lines of one step since an instant, oldest first, as far as they are among the last of the journal."""
        last = sa.select(journal).order_by(journal.c.id.desc()).limit(_RECENT).subquery()
        mine = (last.c.integration == integration) & (last.c.step == step) & (last.c.at >= since)
        rows = await self._session.execute(sa.select(last).where(mine).order_by(last.c.id))
        return [_entry(row) for row in rows]


def _entry(row: sa.Row[Any]) -> JournalEntry:
    return JournalEntry(
        row.integration, MeetingKey(row.key), row.correlation_id, row.at, row.step, row.code, row.detail
    )
