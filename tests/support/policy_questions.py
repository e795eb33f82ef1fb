"""Questions as Conferencing Nodes ask them, and a desk over a database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from greenroom.meetings.alias import AliasPlan
from greenroom.platforms.pexip.policy import ClosedAnswers, Desk, Directory, Feed, Follower, PolicySettings
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.policy import PolicyRequest
from greenroom.storage import FeedRoom
from support.records import NOON, room

SETTINGS = PolicySettings(
    PexipSettings(1, policy=True, domains=frozenset({"video.example.org"})), AliasPlan("vc-", 9, "example.com")
)
PLAYING = PolicySettings(SETTINGS.pexip, SETTINGS.plan, ClosedAnswers("Too early", "It is over"))


def question(alias: str, *integrations: int, service: str = "service/configuration", **more: str) -> PolicyRequest:
    """A question about an alias, with the parameters of the documented example."""
    parameters = {
        "call_direction": "dial_in",
        "protocol": "sip",
        "bandwidth": "0",
        "vendor": "Cisco/CE",
        "registered": "False",
        "trigger": "invite",
        "remote_display_name": "Alice",
        "remote_alias": "sip:alice@example.com",
        "remote_address": "10.44.151.5",
        "remote_port": "58435",
        "call_tag": "",
        "location": "London",
        "node_ip": "10.144.101.21",
        "version_id": "35",
        "local_alias": alias,
    }
    return PolicyRequest(service, parameters | more, frozenset(integrations or (1,)), "10.144.101.21")


def told(number: int = 1, **changes: Any) -> FeedRoom:
    """A room as the feed tells it: that of `records.room`, and its version is its number."""
    kept = {
        name: changes.pop(name)
        for name in ("integration", "version", "retired_at", "former_name", "renamed_at")
        if name in changes
    }
    text = changes.pop("admission_text", None)
    spec = room(number, **changes)
    return FeedRoom(
        kept.get("integration", 1),
        spec.mark,
        spec.alias.name,
        spec.alias.numeric,
        spec.name,
        spec.description,
        spec.owner,
        spec.host_pin,
        spec.guest_pin,
        spec.admission.text if text is None else text,
        spec.admission.closes,
        kept.get("retired_at"),
        kept.get("former_name"),
        kept.get("renamed_at"),
        kept.get("version", number),
    )


class FeedInMemory:
    """A feed that has what a test puts there, and is down or slow when it says so."""

    def __init__(self, *rooms: FeedRoom) -> None:
        self.rooms = {(one.integration, one.mark): one for one in rooms}
        self.version: int | None = None
        self.down = False
        self.slow = False
        self.asked: list[str] = []

    def put(self, one: FeedRoom) -> None:
        self.rooms[one.integration, one.mark] = one

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise ConnectionError("the database is down")
        if self.slow:
            await asyncio.Event().wait()

    async def head(self) -> int:
        await self._ask("head")
        return self.version or max((one.version for one in self.rooms.values()), default=0)

    async def changes(self, after: int, limit: int) -> list[FeedRoom]:
        await self._ask("changes")
        return sorted((one for one in self.rooms.values() if one.version > after), key=lambda one: one.version)[:limit]

    async def everything(self, closing_after: datetime, integrations: object) -> AsyncIterator[list[FeedRoom]]:
        await self._ask("everything")
        for one in list(self.rooms.values()):
            yield [one]

    async def by_aliases(self, names: object) -> list[FeedRoom]:
        await self._ask("by_aliases")
        wanted = set(names)  # type: ignore[call-overload]  # any collection of texts
        return [one for one in self.rooms.values() if wanted & {one.alias, one.numeric}]


@dataclass(frozen=True)
class Counter:
    """A desk with what stands behind it."""

    desk: Desk
    directory: Directory
    follower: Follower


def counter(feed: Feed, *settings: PolicySettings, clock: Any = lambda: NOON, **options: Any) -> Counter:
    directory = Directory(settings or (SETTINGS,))
    follower = Follower(feed, directory, clock, **options)
    return Counter(Desk(directory, follower), directory, follower)


@asynccontextmanager
async def following(one: Counter) -> AsyncIterator[None]:
    """Let the follower run meanwhile."""
    task = asyncio.create_task(one.follower.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
