"""One room brought to what it should be at Pexip, with each step remembered before the next.

```
 told       Pexip has                                     then
 None       nothing of this room, as far as we know       look for its aliases, make it
 ""         nobody knows: a change was begun              look for its mark, bring it to what it should be
 a digest   what the digest was made of                   nothing, while it is the same
```

Whoever calls holds the room's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from greenroom.meetings.room import Provision, RoomSpec
from greenroom.platforms.pexip.conferences import Conferences
from greenroom.platforms.pexip.management import Conference, ConferenceGoneError
from greenroom.platforms.pexip.payload import fingerprint
from greenroom.platforms.pexip.ports import RoomStore
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.pexip.timing import Need

log = structlog.get_logger(__name__)

SOON: Final = timedelta(minutes=1)
"""When to look after a room whose change did not come to its end, or which waits until its people have left."""


class Keeper:
    """Keeps what is at Pexip and what is remembered of it in step."""

    def __init__(
        self, rooms: RoomStore, conferences: Conferences, settings: PexipSettings, clock: Callable[[], datetime]
    ) -> None:
        self.conferences = conferences
        self._rooms = rooms
        self._settings = settings
        self._clock = clock

    @property
    def bulk(self) -> "Keeper":
        """The same for what nobody waits for."""
        return Keeper(self._rooms, self.conferences.bulk, self._settings, self._clock)

    def is_told(self, spec: RoomSpec, there: Provision) -> bool:
        """Whether Pexip has this room exactly as specified, as far as we know."""
        return there.ref is not None and there.told == fingerprint(spec, self._settings)

    async def bring(self, spec: RoomSpec, there: Provision, need: Need, found: Sequence[Conference]) -> None:
        """Make, change or remove what `look` found, as it is needed now; a room with people in it is changed later.

        Raises PlatformError. What is then at Pexip is remembered as unknown.
        """
        if not need.exists and not (need.spare and found):
            await self.clear(spec.mark, there, found, need.next_at)
            return
        alone = await self._alone(spec.mark, there, found)
        try:
            if not found:
                await self.begin(spec.mark, there, None)
                uri = await self.conferences.make(spec)
            elif await self._adapted(spec, there, found[0]):
                uri = found[0].uri
            else:
                return
        except ConferenceGoneError:  # a hand was quicker
            log.info("conference gone", mark=spec.mark)
            uri = await self.conferences.make(spec)
        if alone:
            await self._rooms.note(spec.mark, Provision(uri, fingerprint(spec, self._settings), 0, need.next_at))

    async def clear(
        self, mark: str, there: Provision, found: Sequence[Conference], next_at: datetime | None = None
    ) -> None:
        """Remove what was found of this room at Pexip, and remember that nothing is there."""
        if found:
            await self.begin(mark, there, there.ref)
        for one in found:
            await self.conferences.remove(one)
            log.info("conference deleted", mark=mark)
        await self._rooms.note(mark, Provision(None, None, 0, next_at))

    async def begin(self, mark: str, there: Provision, ref: str | None) -> None:
        """Remember that a change is under way. If it is the last that we remember, somebody looks after the room soon."""
        if there.told != "" or there.ref != ref:
            await self._rooms.note(mark, Provision(ref, "", there.attempts, self._clock() + SOON))

    async def _alone(self, mark: str, there: Provision, found: Sequence[Conference]) -> bool:
        """Keep the first. That there are others should never be; False if one has people in it and stays until they have left."""
        if len(found) <= 1:
            return True
        log.warning("room found more than once", mark=mark, count=len(found))
        await self._rooms.note(mark, Provision(found[0].uri, "", there.attempts, self._clock() + SOON))
        alone = True
        for other in found[1:]:
            if await self.conferences.runs(other):
                alone = False
            else:
                await self.conferences.remove(other)
        return alone

    async def _adapted(self, spec: RoomSpec, there: Provision, kept: Conference) -> bool:
        """Change a conference in place; False if that has to wait for its people."""
        changes = await self.conferences.changes(spec, kept)
        if not changes:
            return True
        if await self.conferences.runs(kept):
            log.info("conference runs, change waits", mark=spec.mark)
            await self._rooms.note(spec.mark, replace(there, ref=kept.uri, told="", due_at=self._clock() + SOON))
            return False
        await self.begin(spec.mark, there, kept.uri)
        await self.conferences.adapt(spec, kept, changes)
        return True
