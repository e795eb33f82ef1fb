"""Reading what the product's own scheduler keeps, and putting our mark on its rooms.

Marking is all that is changed there: `tag`, where it is empty, some rooms in one request. Nothing is deleted or renamed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog

from greenroom.meetings.legacy import Legacy
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.platforms.pexip import legacy
from greenroom.platforms.pexip.management.values import Conference
from greenroom.platforms.pexip.style import PexipSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")
TIMES: Final = 5
MOST_AT_ONCE: Final = 50
_AT_ONCE: Final = 4
_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=2)


class Management(Protocol):
    """As much of the management API's client as is needed here."""

    def listing(self, resource: str) -> AsyncIterator[Mapping[str, Any]]:
        """Tell every object of a resource, all or it raises."""
        ...

    async def get(self, uri: str) -> Conference | None:
        """Read one conference; None if it is gone."""
        ...

    async def change_many(self, objects: Sequence[Mapping[str, Any]], deleted: Sequence[str] = ()) -> None:
        """Change conferences in one request."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class PexipScheduler:
    """What the product's scheduler keeps on one Management Node, for one integration of ours.

    Keeps the contract of `greenroom.scheduler.takeover.OtherScheduler`. What fails in passing is tried again a few times.
    """

    def __init__(
        self,
        api: Management,
        settings: PexipSettings,
        clock: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._sleep = sleep

    async def survey(self, told: Callable[[str], None] = lambda _what: None) -> Legacy:
        """Read connectors, aliases, rooms and when they are used; `told` hears the name of each list. Raises PlatformError.

        A node without such a scheduler has empty lists.
        """
        odd, now, start = 0, self._clock(), self._settings.tag_start

        async def every(resource: str, read: Callable[[Mapping[str, Any]], T | None]) -> tuple[T, ...]:
            nonlocal odd
            told(resource)
            found = await self._patiently(lambda: self._read(resource, read))
            odd += sum(one is None for one in found)
            return tuple(one for one in found if one is not None)

        names = dict(
            [*await every("ivr_theme", legacy.name_of), *await every("identity_provider_group", legacy.name_of)]
        )
        return Legacy(
            connectors=await every(legacy.CONNECTOR, lambda one: legacy.read_connector(one, names)),
            aliases=await every(legacy.ALIAS, legacy.read_alias),
            rooms=await every(legacy.ROOM, lambda one: legacy.read_room(one, start)),
            uses=(
                *await every(legacy.OCCURRENCE, legacy.read_use),
                *await every(legacy.SERIES, lambda one: legacy.read_series(one, now)),
            ),
            odd=odd,
        )

    async def mark(self, wanted: Mapping[str, str]) -> dict[str, str | None]:
        """Put marks on rooms (by address), where nobody else's is, and return those they have now; None for a room that is gone.

        An empty text says that somebody else's mark stays there. Safe to repeat. Raises PlatformError; some may be done then.
        """
        return await self._patiently(lambda: self._mark(wanted))

    async def close(self) -> None:
        """Close connections."""
        await self._api.close()

    async def _read(self, resource: str, read: Callable[[Mapping[str, Any]], T | None]) -> list[T | None]:
        return [read(one) async for one in self._api.listing(resource)]

    async def _mark(self, wanted: Mapping[str, str]) -> dict[str, str | None]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(ref: str) -> Conference | None:
            async with gate:
                return await self._api.get(ref)

        rooms = dict(zip(wanted, await asyncio.gather(*map(look, wanted)), strict=True))
        bare = [ref for ref, room in rooms.items() if room is not None and not room.tag]
        changes = [{"resource_uri": ref, "tag": self._settings.tag(wanted[ref])} for ref in bare]
        for start in range(0, len(changes), MOST_AT_ONCE):
            await self._api.change_many(changes[start : start + MOST_AT_ONCE])
        return {
            ref: None if room is None else wanted[ref] if ref in bare else self._mark_of(room)
            for ref, room in rooms.items()
        }

    def _mark_of(self, room: Conference) -> str:
        return legacy.read_tag({"tag": room.tag}, self._settings.tag_start)[0] or ""

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do it again after a pause where that helps; whatever is done twice here is as if it was done once."""
        for left in reversed(range(TIMES)):
            try:
                return await attempt()
            except PlatformUnavailableError as error:
                if not left:
                    raise
                log.warning("the other scheduler is out of reach", code=str(error), left=left)
                pause = min(_LONGEST_PAUSE, max(_PAUSE * (TIMES - left), error.after or timedelta()))
                await self._sleep(pause.total_seconds())
        raise AssertionError
