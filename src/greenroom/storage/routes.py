"""On which side of a hybrid organisation each organizer's mailbox is."""

import hashlib
from datetime import datetime

import sqlalchemy as sa

from greenroom.storage.schema import organizer_routes
from greenroom.storage.session import Session
from greenroom.storage.sql import upsert
from greenroom.storage.values import OrganizerRoute, Side


class Routes:
    """What was learned of organizers, by integration and address (in any case)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, integration: int, organizer: str) -> OrganizerRoute | None:
        """Return the side that knew this organizer, and when that was learned; None if nothing is remembered."""
        question = sa.select(organizer_routes).where(_of(integration, organizer))
        row = (await self._session.execute(question)).one_or_none()
        return None if row is None else OrganizerRoute(row.organizer, Side(row.side), row.learned_at)

    async def learn(self, integration: int, organizer: str, side: Side, at: datetime) -> None:
        """Remember which side knows this organizer, in place of whatever was remembered before."""
        await self._session.execute(
            upsert(self._session, organizer_routes),
            {
                "integration": integration,
                "mark": _mark(organizer),
                "organizer": organizer.lower(),
                "side": side.value,
                "learned_at": at,
            },
        )

    async def forget(self, integration: int, organizer: str) -> None:
        """Remember nothing of this organizer any more."""
        await self._session.execute(sa.delete(organizer_routes).where(_of(integration, organizer)))


def _of(integration: int, organizer: str) -> sa.ColumnElement[bool]:
    return (organizer_routes.c.integration == integration) & (organizer_routes.c.mark == _mark(organizer))


def _mark(organizer: str) -> str:
    """Make a key of fixed length: an address from outside may be longer than a B-tree row."""
    return hashlib.sha256(organizer.lower().encode("utf-8", "surrogatepass")).hexdigest()[:32]
