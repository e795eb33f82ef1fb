"""Service accounts that were signed in by hand: what renews their tokens, encrypted (see `ring_seal`).

Several processes renew, and each may get a new refresh token for it. Whoever writes names what it has read, and changes nothing if
that is not there any more: what another one renewed, or an administrator signed in anew, stays.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.storage.schema import sign_ins
from greenroom.storage.session import Session
from greenroom.storage.sql import upsert

_columns = sign_ins.c
_LONGEST_ACCOUNT = 254


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """One service account of one side ("exchange" or "organizers") of an integration.

    `refused_at` is when what is sealed was refused last; None while it works, as far as anybody knows.
    """

    integration: int
    side: str
    account: str
    sealed: str = field(repr=False)
    signed_in_at: datetime
    renewed_at: datetime
    refused_at: datetime | None = None


class SignIns:
    """Service accounts, by integration and side."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, integration: int, side: str) -> StoredSignIn | None:
        """Return the sign-in of a side; None where nobody signed in."""
        found = (
            (await self._session.execute(sa.select(sign_ins).where(_of(integration, side)))).mappings().one_or_none()
        )
        return None if found is None else StoredSignIn(**found)

    async def all(self) -> list[StoredSignIn]:
        """Return all sign-ins."""
        rows = await self._session.execute(sa.select(sign_ins).order_by(_columns.integration, _columns.side))
        return [StoredSignIn(**row) for row in rows.mappings()]

    async def put(self, one: StoredSignIn) -> None:
        """Store a sign-in in the place of whatever was there."""
        row = {name: getattr(one, name) for name in sign_ins.columns.keys()}  # noqa: SIM118 - it is no dict
        row["account"] = one.account[:_LONGEST_ACCOUNT]
        await self._session.execute(upsert(self._session, sign_ins), row)

    async def renew(self, before: StoredSignIn, sealed: str, at: datetime) -> bool:
        """Replace what is sealed, unless it is not what `before` says any more (False): it works, so no refusal stands."""
        values = {"sealed": sealed, "renewed_at": at, "refused_at": None}
        return await self._change(before, values)

    async def refuse(self, before: StoredSignIn, at: datetime) -> bool:
        """Note that what `before` has sealed was refused, unless it is there no more (False)."""
        return await self._change(before, {"refused_at": at})

    async def forget(self, integration: int, side: str) -> bool:
        """Forget a sign-in; False if there is none."""
        gone = sa.delete(sign_ins).where(_of(integration, side)).returning(_columns.side)
        return bool((await self._session.execute(gone)).all())

    async def _change(self, before: StoredSignIn, values: dict[str, Any]) -> bool:
        still = _of(before.integration, before.side) & (_columns.sealed == before.sealed)
        done = await self._session.execute(sa.update(sign_ins).where(still).values(values).returning(_columns.side))
        return bool(done.all())


def _of(integration: int, side: str) -> sa.ColumnElement[bool]:
    return (_columns.integration == integration) & (_columns.side == side)
