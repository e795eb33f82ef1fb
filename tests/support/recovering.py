"""Disasters, and a recovery from them: a Greenroom without processes whose database can be lost, kept and put back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from greenroom.exchange.contract import Invitation
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.policy import Policy
from greenroom.platforms.contract import OwnedRoom, Platform
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import no_step
from greenroom.scheduler.recovery.contract import Fate
from greenroom.scheduler.recovery.plan import Plan, plan
from greenroom.scheduler.recovery.recover import Options, Recovered, recover
from greenroom.storage import Storage
from greenroom.storage.schema import metadata
from support.greenroom_at_work import AtWork, at_work
from support.observations import NOW, observation

ROWS = tuple(table for table in metadata.sorted_tables if table.name != "alembic_version")
Kept = dict[str, list[dict[str, object]]]


@dataclass
class Disaster(AtWork):
    """A Greenroom at work, and what can happen to it."""

    pauses: list[float] = field(default_factory=list)

    def book(
        self, uid: str, number: int | None = None, *, seen: Observation | None = None, **changes: Any
    ) -> MeetingKey:
        """Let somebody invite the mailbox, with a ticket where a number is given."""
        seen = replace(seen or observation(uid), **changes)
        body = "<p>Agenda</p>" if number is None else f"<p>Agenda</p><p>{self.ticket(number)}</p>"
        self.mailbox.invite(replace(seen, body_html=body))
        return seen.key

    def change(self, key: MeetingKey, **changes: Any) -> None:
        """Let the organizer send an update, as Exchange shows it: nobody has answered that."""
        before = next(item for item in self.mailbox.items.values() if item.key == key)
        sent: dict[str, Any] = {"sent_at": self.clock(), "response": Response.NONE}
        after = replace(before, **(sent | changes))
        self.mailbox.organizer_bodies[key] = Invitation(after.body_html, after.location)
        self.mailbox.put(after)

    def move(self, key: MeetingKey, by: timedelta = timedelta(hours=1)) -> None:
        """Let the organizer move a meeting."""
        before = next(item for item in self.mailbox.items.values() if item.key == key)
        assert before.span is not None
        self.change(key, span=replace(before.span, start=before.span.start + by, end=before.span.end + by))

    async def keep(self, *, but: tuple[str, ...] = ()) -> Kept:
        """Take a backup of all tables."""
        async with self.storage.work() as work:
            session = work.meetings._session
            found = {}
            for table in ROWS:
                if table.name not in but:
                    rows = await session.execute(sa.select(table))
                    found[table.name] = [dict(row) for row in rows.mappings()]
            return found

    async def lose(self, kept: Kept | None = None, *, only: tuple[str, ...] = ()) -> None:
        """Empty the database, or some tables of it, and put there what a backup has."""
        async with self.storage.work() as work:
            session = work.meetings._session
            for table in reversed(ROWS):
                if not only or table.name in only:
                    await session.execute(sa.delete(table))
            for table in ROWS:
                rows = (kept or {}).get(table.name)
                if rows and (not only or table.name in only):
                    await session.execute(sa.insert(table), rows)

    def attendant(self) -> Attendant:
        return Attendant(self.integration, self.storage, self.clock)

    async def plan(self, *, storage: bool = True, **how: Any) -> Plan:
        kept = self.storage if storage else None
        return await plan(self.integration, kept, self.clock, **how)

    async def fates(self, **how: Any) -> dict[str, str]:
        """What becomes of what changes, by the uid of the item or the mark, with the detail."""
        names = {item.key: item.ref.id.removeprefix("item-") for item in self.mailbox.items.values()}
        found = await self.plan(**how)
        return {
            (
                one.mark[:8] if one.key is None else names.get(one.key, one.key.value)
            ): f"{one.fate.value} {one.detail}".strip()
            for one in found.entries
        }

    async def recover(self, step: Callable[[str], None] = no_step, **how: Any) -> Recovered:
        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)
            self.clock.forward(seconds=seconds)

        self.pauses.clear()
        stopped: Callable[[], bool] = how.pop("stopped", lambda: False)
        attendant = Attendant(self.integration, self.storage, self.clock, step=step)
        return await recover(
            self.integration,
            self.storage,
            attendant,
            self.clock,
            Options(**how),
            stopped=stopped,
            pause=pause,
            step=step,
        )

    async def rooms(self) -> dict[str, OwnedRoom]:
        """What is at the platform."""
        return {room.mark: room async for room in self.integration.platform.owned()}


@asynccontextmanager
async def disaster(
    *, policy: Policy | None = None, platform: Callable[[Platform], Platform] = lambda platform: platform
) -> AsyncIterator[Disaster]:
    """A Greenroom to which things happen."""
    async with at_work(policy=policy, platform=platform) as work:
        yield Disaster(work.clock, work.mailbox, work.storage, work.integration)


__all__ = ["NOW", "Disaster", "Fate", "Storage", "disaster"]
