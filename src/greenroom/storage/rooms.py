"""Rooms of the embedded platform: those that live, and the tombstones that tell a visitor why a link leads nowhere."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from greenroom.meetings.alias import Alias
from greenroom.meetings.room import RoomSpec
from greenroom.storage.errors import AliasHeldError
from greenroom.storage.kept_text import read_admission
from greenroom.storage.schema import rooms
from greenroom.storage.session import Session
from greenroom.storage.sql import upsert
from greenroom.storage.values import StoredRoom


class Rooms:
    """Rooms by mark within an integration; alias, numeric alias and join id are unique among all that live."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(self, integration: int, spec: RoomSpec) -> None:
        """Make the room live as specified; a retired one lives again. Raises AliasHeldError, and the work may go on."""
        values = {
            "integration": integration,
            "mark": spec.mark,
            "alias_number": spec.alias.number,
            "alias": spec.alias.name,
            "alias_numeric": spec.alias.numeric,
            "join_id": spec.join_id,
            "name": spec.name,
            "description": spec.description,
            "owner": spec.owner,
            "admission": spec.admission.text,
            "host_pin": spec.host_pin,
            "guest_pin": spec.guest_pin,
            "retired_at": None,
        }
        try:
            async with self._session.savepoint():
                await self._session.execute(upsert(self._session, rooms), values)
        except IntegrityError:
            # The database's own text would show the row.
            raise AliasHeldError("the alias, its numeric form or the join id belongs to another live room") from None

    async def retire(self, integration: int, mark: str, at: datetime) -> bool:
        """Turn a live room into a tombstone; False if there is none. A tombstone keeps the time it became one."""
        live = (rooms.c.integration == integration) & (rooms.c.mark == mark) & rooms.c.retired_at.is_(None)
        statement = sa.update(rooms).where(live).values(retired_at=at).returning(rooms.c.mark)
        return (await self._session.execute(statement)).one_or_none() is not None

    async def by_mark(self, integration: int, mark: str) -> StoredRoom | None:
        """Return the room, live or not."""
        return await self._one((rooms.c.integration == integration) & (rooms.c.mark == mark))

    async def by_join_id(self, join_id: str) -> StoredRoom | None:
        """Return the room behind a join link: the live one, else the one retired last."""
        return await self._one(rooms.c.join_id == join_id)

    async def _one(self, where: sa.ColumnElement[bool]) -> StoredRoom | None:
        latest = sa.select(rooms).where(where).order_by(rooms.c.retired_at.desc().nulls_first()).limit(1)
        row = (await self._session.execute(latest)).one_or_none()
        return None if row is None else _room(row)


def _room(row: sa.Row[Any]) -> StoredRoom:
    spec = RoomSpec(
        mark=row.mark,
        alias=Alias(row.alias_number, row.alias, row.alias_numeric),
        join_id=row.join_id,
        name=row.name,
        description=row.description,
        owner=row.owner,
        admission=read_admission(row.admission, row.mark),
        host_pin=row.host_pin,
        guest_pin=row.guest_pin,
    )
    return StoredRoom(row.integration, spec, row.retired_at)
