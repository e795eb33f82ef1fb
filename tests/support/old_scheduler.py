"""Another scheduling product, as far as it keeps meetings and lets rooms be marked: invitations, aliases, rooms, in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from greenroom.meetings.legacy import Legacy, LegacyAlias, LegacyConnector, LegacyRoom, LegacyUse
from greenroom.meetings.meeting import MeetingKey
from support.observations import MAILBOX

OWNER = "/api/admin/configuration/v1/ms_exchange_connector/1/"
_SPACE = UUID("6f0f4f10-7d2c-4c51-9b55-0c8b0b2f6a30")


def uuid_of(number: int) -> str:
    return str(uuid5(_SPACE, str(number)))


def invitation(number: int) -> str:
    """What the product's add-in wrote into an invitation."""
    return f"<p>Agenda</p><p>Dial 88{number}@old.example</p><p>PXPS:-{uuid_of(number)}#</p>"


@dataclass
class OldScheduler:
    """Keeps the contract of `OtherScheduler`. `faults` are raised by the next calls of `mark`, before or after their work."""

    legacy: Legacy = field(default_factory=lambda: Legacy((LegacyConnector(OWNER, "old", MAILBOX),)))
    faults: list[tuple[Exception, bool]] = field(default_factory=list)
    marked: int = 0

    def book(
        self, number: int, key: MeetingKey | None, end: datetime | None, *, room: bool = True, **alias: object
    ) -> LegacyAlias:
        """Give out an alias, and make its room."""
        usual = LegacyAlias(
            f"alias-{number}", uuid_of(number), f"88{number}@old.example", f"88{number}", OWNER, room, key
        )
        made = replace(usual, **alias)  # type: ignore[arg-type]  # named by the test
        old = self.legacy
        self.legacy = replace(old, aliases=(*old.aliases, made))
        if room:
            there = LegacyRoom(f"room-{number}", frozenset({made.name.lower(), made.numeric}))
            use = LegacyUse(there.ref, made.ref, key, end)
            self.legacy = replace(self.legacy, rooms=(*old.rooms, there), uses=(*old.uses, use))
        return made

    def room(self, number: int) -> LegacyRoom:
        return next(one for one in self.legacy.rooms if one.ref == f"room-{number}")

    def change(self, number: int, **room: object) -> None:
        changed = replace(self.room(number), **room)  # type: ignore[arg-type]  # as above
        rooms = [changed if one.ref == changed.ref else one for one in self.legacy.rooms]
        self.legacy = replace(self.legacy, rooms=tuple(rooms))

    async def survey(self, told: Callable[[str], None]) -> Legacy:
        told("everything")
        return replace(self.legacy)

    async def mark(self, wanted: Mapping[str, str]) -> dict[str, str | None]:
        self._trip(after=False)
        found: dict[str, str | None] = {}
        rooms = []
        for room in self.legacy.rooms:
            mine = replace(room, mark=wanted[room.ref]) if room.ref in wanted and not room.mark else room
            mine = room if room.claimed else mine
            rooms.append(mine)
            if room.ref in wanted:
                found[room.ref] = mine.mark or ""
        self.legacy = replace(self.legacy, rooms=tuple(rooms))
        self.marked += len(wanted)
        self._trip(after=True)
        return dict.fromkeys(wanted) | found

    async def close(self) -> None:
        return

    def _trip(self, *, after: bool) -> None:
        if self.faults and self.faults[0][1] is after:
            raise self.faults.pop(0)[0]
