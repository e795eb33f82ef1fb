"""Which ticket keys are in use: meetings and reservations know the id of the key that made them, sign-ins that of their seal."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greenroom.meetings.meeting import Kind
from greenroom.meetings.record import State
from greenroom.storage.ring_seal import key_of
from greenroom.storage.schema import Instant, meetings, reservations, sign_ins
from greenroom.storage.session import Session

_LIVING = tuple(state.value for state in (State.PENDING, State.SCHEDULED, State.DEFECTIVE))


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What was made with one key of an integration.

    `meetings` live, `endless` of them are series without end, and the others end at `latest_end`. `reservations` wait for their
    invitation, until `waits_until` at the longest. `first_at` and `last_at` are when tickets were issued with it. `sign_ins` of
    service accounts are sealed with it.
    """

    key_id: int
    meetings: int = 0
    endless: int = 0
    latest_end: datetime | None = None
    reservations: int = 0
    waits_until: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    sign_ins: int = 0


class KeyUses:
    """Uses of keys, by integration."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, integration: int, now: datetime) -> dict[int, KeyUse]:
        """Return the use of every key that ever was used, as far as that is still stored."""
        c, r = meetings.c, reservations.c
        lives = c.state.in_(_LIVING)
        endless = lives & (c.kind == Kind.SERIES.value) & c.span_until.is_(None)
        ends = sa.case((lives & ~endless, sa.func.coalesce(c.span_until, c.span_end, type_=Instant)), else_=None)
        asked = sa.select(
            c.alias_key,
            _count(lives),
            _count(endless),
            sa.func.max(ends, type_=Instant),
            sa.func.min(c.issued_at, type_=Instant),
            sa.func.max(c.issued_at, type_=Instant),
        ).where(c.integration == integration, c.alias_key.is_not(None))
        held = await self._by_key(asked.group_by(c.alias_key))
        waits = r.key.is_(None) & r.deleted_at.is_(None) & (r.expires_at.is_(None) | (r.expires_at > now))
        kept = sa.select(
            r.key_id,
            _count(waits),
            sa.func.max(sa.case((waits, r.expires_at), else_=None), type_=Instant),
            sa.func.min(r.issued_at, type_=Instant),
            sa.func.max(r.issued_at, type_=Instant),
        ).where(r.integration == integration, r.key_id.is_not(None))
        asked_for = await self._by_key(kept.group_by(r.key_id))
        sealed = await self._seals(integration)
        found: dict[int, KeyUse] = {}
        for key_id in sorted({*held, *asked_for, *sealed}):
            living, unending, end, first, last = held.get(key_id, (0, 0, None, None, None))
            waiting, until, first_asked, last_asked = asked_for.get(key_id, (0, None, None, None))
            found[key_id] = KeyUse(
                key_id,
                meetings=living,
                endless=unending,
                latest_end=end,
                reservations=waiting,
                waits_until=until,
                first_at=min((at for at in (first, first_asked) if at is not None), default=None),
                last_at=max((at for at in (last, last_asked) if at is not None), default=None),
                sign_ins=sealed[key_id],
            )
        return found

    async def _seals(self, integration: int) -> Counter[int]:
        mine = sa.select(sign_ins.c.sealed).where(sign_ins.c.integration == integration)
        keys = [key_of(row.sealed) for row in await self._session.execute(mine)]
        return Counter(key_id for key_id in keys if key_id is not None)

    async def _by_key(self, question: sa.Select[Any]) -> dict[int, tuple[Any, ...]]:
        return {row[0]: tuple(row[1:]) for row in await self._session.execute(question)}


def _count(what: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((what, 1), else_=0)), 0)
