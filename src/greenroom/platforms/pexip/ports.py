"""What the adapter needs of others: our own database, and the management API. Both are handed in."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from greenroom.meetings.room import Provision, RoomSpec
from greenroom.platforms.pexip.management import Conference, ConferenceAlias, Running


class KeptRoom(Protocol):
    """A room as it is remembered: what was specified, when it was retired (None: it lives), what is at Pexip."""

    @property
    def mark(self) -> str: ...

    @property
    def spec(self) -> RoomSpec: ...

    @property
    def retired_at(self) -> datetime | None: ...

    @property
    def there(self) -> Provision: ...


class RoomStore(Protocol):
    """Where the rooms of one integration are kept; each call stores durably before it returns. Its own errors pass through."""

    async def ensure(self, spec: RoomSpec, *, due_at: datetime | None = None) -> bool:
        """Create or replace the room that carries `spec.mark`; False if another room has its alias, or had it lately."""
        ...

    async def retire(self, mark: str, *, due_at: datetime | None = None) -> None:
        """Turn the room into a tombstone, if it lives."""
        ...

    async def get(self, mark: str) -> KeptRoom | None:
        """Return the room, living or a tombstone."""
        ...

    async def note(self, mark: str, there: Provision) -> None:
        """Remember what is at Pexip now."""
        ...

    async def due(self, now: datetime, limit: int, *, unmade: bool) -> Sequence[KeptRoom]:
        """Return what is to be looked after by now, the longest due first.

        Those of which nothing is at Pexip and that live (`unmade`), or all others, tombstones too.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next room is to be looked after."""
        ...

    def rooms(self) -> AsyncIterator[KeptRoom]:
        """Tell every room that lives."""
        ...

    async def check(self) -> None:
        """Reach the store once; raises what is wrong."""
        ...


class Management(Protocol):
    """The management API as the adapter uses it; errors are those of `management.errors` and of `platforms.errors`."""

    @property
    def bulk(self) -> "Management":
        """The same for what nobody waits for."""
        ...

    async def ping(self) -> None: ...

    async def find_by_tag(self, tag: str) -> list[Conference]: ...

    async def by_owner(self, address: str) -> list[Conference]: ...

    def owned(self, tag_prefix: str) -> AsyncIterator[Conference]: ...

    async def aliases_among(self, aliases: Iterable[str]) -> dict[str, ConferenceAlias]: ...

    async def get(self, uri: str) -> Conference | None: ...

    async def create(self, payload: Mapping[str, Any]) -> str: ...

    async def update(self, uri: str, payload: Mapping[str, Any]) -> None: ...

    async def delete(self, uri: str) -> None: ...

    async def delete_alias(self, uri: str) -> None: ...

    async def add_alias(self, conference_uri: str, alias: str, description: str = "") -> str: ...

    async def change_many(self, objects: Sequence[Mapping[str, Any]], deleted: Sequence[str] = ()) -> None: ...

    async def running(self, name: str | None = None) -> Running: ...

    async def resource_uri_by_name(
        self, resource: Literal["ivr_theme", "identity_provider_group"], name: str
    ) -> str | None: ...

    async def close(self) -> None: ...
