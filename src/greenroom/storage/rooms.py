"""Rooms as they were specified, for every platform: those that live, and tombstones, which tell a visitor why a link leads nowhere.

Beside each stands what is known of it at its platform, where that is another system.
"""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from greenroom.meetings.alias import Alias
from greenroom.meetings.room import Provision, RoomSpec
from greenroom.storage.errors import AliasHeldError
from greenroom.storage.kept_text import read_admission
from greenroom.storage.schema import counters, rooms
from greenroom.storage.session import Session
from greenroom.storage.sql import insert, pieces, upsert
from greenroom.storage.values import StoredRoom

_KEY = ("integration", "mark")


class Rooms:
    """Rooms by mark within an integration; alias, numeric alias and join id are unique among all that live."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(
        self,
        integration: int,
        spec: RoomSpec,
        *,
        at: datetime | None = None,
        due_at: datetime | None = None,
        quarantined_since: datetime | None = None,
    ) -> None:
        """Make the room live as specified; a retired one lives again. Raises AliasHeldError, and the work may go on.

        What is at the platform stays as it was noted; `due_at` says when to look after it. `at` is now: if the name changes while a
        window is open, the name it had until then is remembered. An alias that another room had when it was retired, at
        `quarantined_since` or later, is held.
        """
        if quarantined_since is not None and await self._is_quarantined(spec, integration, quarantined_since):
            raise AliasHeldError("the alias or its numeric form belonged to another room until lately")
        before = None if at is None else await self.by_mark(integration, spec.mark)
        former_name, renamed_at = _former_name(before, spec, at)
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
            "closes_at": spec.admission.closes,
            "former_name": former_name,
            "renamed_at": renamed_at,
            "due_at": due_at,
            "version": await self._next_version(),
        }
        try:
            async with self._session.savepoint():
                await self._session.execute(upsert(self._session, rooms, _KEY, tuple(values)), values)
        except IntegrityError:
            # The database's own text would show the row.
            raise AliasHeldError("the alias, its numeric form or the join id belongs to another live room") from None

    async def retire(self, integration: int, mark: str, at: datetime, *, due_at: datetime | None = None) -> bool:
        """Turn a live room into a tombstone; False if there is none. A tombstone keeps the time it became one."""
        live = _is(integration, mark) & rooms.c.retired_at.is_(None)
        values = {"retired_at": at, "due_at": due_at, "version": await self._next_version()}
        statement = sa.update(rooms).where(live).values(**values).returning(rooms.c.mark)
        return (await self._session.execute(statement)).one_or_none() is not None

    async def note(self, integration: int, mark: str, there: Provision) -> None:
        """Remember what is at the platform now."""
        await self._session.execute(sa.update(rooms).where(_is(integration, mark)).values(**asdict(there)))

    async def due(self, integration: int, now: datetime, limit: int, *, unmade: bool) -> list[StoredRoom]:
        """Return the rooms that are to be looked after by now, the longest due first.

        Those that live and of which nothing is at the platform, as far as we know (`unmade`), or all others, also tombstones.
        """
        mine = (rooms.c.integration == integration) & (rooms.c.due_at <= now)
        kind = rooms.c.ref.is_(None) & rooms.c.retired_at.is_(None)
        found = sa.select(rooms).where(mine, kind if unmade else sa.not_(kind)).order_by(rooms.c.due_at).limit(limit)
        return [_room(row) for row in await self._session.execute(found)]

    async def next_due(self, integration: int) -> datetime | None:
        """Return when the next room is to be looked after; None if none is."""
        mine = (rooms.c.integration == integration) & rooms.c.due_at.is_not(None)
        found: datetime | None = (
            await self._session.execute(sa.select(rooms.c.due_at).where(mine).order_by(rooms.c.due_at).limit(1))
        ).scalar_one_or_none()
        return found

    async def living(self, integration: int, after: str, limit: int) -> list[StoredRoom]:
        """Return rooms that live, in the order of their marks behind `after`."""
        mine = (rooms.c.integration == integration) & rooms.c.retired_at.is_(None) & (rooms.c.mark > after)
        found = sa.select(rooms).where(mine).order_by(rooms.c.mark).limit(limit)
        return [_room(row) for row in await self._session.execute(found)]

    async def by_mark(self, integration: int, mark: str) -> StoredRoom | None:
        """Return the room, live or not."""
        return await self._one(_is(integration, mark))

    async def dialled(self, dials: Collection[str]) -> list[StoredRoom]:
        """Return the rooms, of all integrations, that live and have an alias or numeric alias spelled like one of these."""
        found: list[StoredRoom] = []
        for column in (rooms.c.alias, rooms.c.alias_numeric):
            for piece in pieces(sorted({dial.lower() for dial in dials})):
                living = sa.select(rooms).where(sa.func.lower(column).in_(piece), rooms.c.retired_at.is_(None))
                found += [_room(row) for row in await self._session.execute(living)]
        return list({(one.integration, one.mark): one for one in found}.values())

    async def by_join_id(self, join_id: str) -> StoredRoom | None:
        """Return the room behind a join link: the live one, else the one retired last."""
        return await self._one(rooms.c.join_id == join_id)

    async def _is_quarantined(self, spec: RoomSpec, integration: int, since: datetime) -> bool:
        mine = (rooms.c.integration == integration) & (rooms.c.mark == spec.mark)
        names = rooms.c.alias.in_([spec.alias.name]) | rooms.c.alias_numeric.in_([spec.alias.numeric])
        held = sa.select(rooms.c.mark).where(names & (rooms.c.retired_at >= since) & sa.not_(mine)).limit(1)
        return (await self._session.execute(held)).one_or_none() is not None

    async def _next_version(self) -> int:
        """Count this change. The counter's row is locked until the commit, so that numbers appear in the order they were given."""
        statement = insert(self._session, counters).values(name="rooms", value=1)
        statement = statement.on_conflict_do_update(
            index_elements=[counters.c.name], set_={"value": counters.c.value + 1}
        )
        counted: int = (await self._session.execute(statement.returning(counters.c.value))).scalar_one()
        return counted

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
    return StoredRoom(
        row.integration,
        spec,
        row.retired_at,
        row.former_name,
        row.renamed_at,
        Provision(row.ref, row.told, row.attempts, row.due_at),
    )


def _is(integration: int, mark: str) -> sa.ColumnElement[bool]:
    return (rooms.c.integration == integration) & (rooms.c.mark == mark)


def _former_name(before: StoredRoom | None, spec: RoomSpec, at: datetime | None) -> tuple[str | None, datetime | None]:
    """Return what the room was called when the window opened that is open now, and since when it is called otherwise."""
    if before is None or at is None:
        return None, None
    known = before.former_name, before.renamed_at
    if before.spec.name == spec.name:
        return known
    window = before.spec.admission.at(at)
    if window is not None and before.renamed_at is not None and before.renamed_at >= window.opens:
        return known  # it was renamed more than once since then
    return before.spec.name, at
