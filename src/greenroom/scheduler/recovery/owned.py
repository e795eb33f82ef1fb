"""The rooms of an integration as its platform has them now, small enough for all of them to be in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from greenroom.scheduler.integration import Integration
from greenroom.storage import StorageError

_GAP = "\n"


@dataclass(frozen=True, slots=True)
class There:
    """One room at the platform: the platform's name for it, and what people dial."""

    ref: str
    aliases: tuple[str, ...]

    def is_dialled(self, alias: str) -> bool:
        """Whether it is dialled by this."""
        return alias.casefold() in (one.casefold() for one in self.aliases)


class OwnedRooms:
    """Rooms with a mark of ours, by mark. `told` is False where the platform does not list them: nothing is known then."""

    def __init__(self, *, told: bool) -> None:
        self.told = told
        self._rooms: dict[str, str] = {}

    @classmethod
    async def load(cls, integration: Integration, *, remembers: bool = True) -> "OwnedRooms":
        """Ask the platform. Raises PlatformError, and StorageError unless nothing is remembered: rooms kept there are none then."""
        found = cls(told=integration.platform.capabilities.lists)
        if not found.told:
            return found
        try:
            async for room in integration.platform.owned():
                found._rooms[room.mark] = _GAP.join((room.ref, *room.aliases))
        except StorageError:
            if remembers:
                raise
        return found

    def __contains__(self, mark: object) -> bool:
        """Whether a room carries this mark."""
        return mark in self._rooms

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rooms)

    def __iter__(self) -> Iterator[str]:
        """Tell all marks."""
        return iter(self._rooms)

    def get(self, mark: str) -> There | None:
        """Return the room that carries this mark."""
        text = self._rooms.get(mark)
        if text is None:
            return None
        ref, *aliases = text.split(_GAP)
        return There(ref, tuple(aliases))

    def forget(self, marks: Iterable[str]) -> None:
        """Take out those whose meeting is known."""
        for mark in marks:
            self._rooms.pop(mark, None)
