"""The timelines of meetings: what was seen, decided, done and replied, and why."""

from collections.abc import Sequence

import sqlalchemy as sa

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import JournalEntry
from greenroom.storage.schema import journal
from greenroom.storage.session import Session


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
        return [
            JournalEntry(
                row.integration, MeetingKey(row.key), row.correlation_id, row.at, row.step, row.code, row.detail
            )
            for row in rows
        ]
