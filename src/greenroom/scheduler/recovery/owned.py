"""The rooms of an integration as its platform has them now, small enough for all of them to be in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from greenroom.scheduler.integration import Integration
from greenroom.storage import StorageError

_GAP = "\n"
_DIGEST = 16
_OTHER = bytes(_DIGEST + 1)


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
        self._rooms: dict[bytes, bytes] = {}

    @classmethod
    async def load(
        cls, integration: Integration, *, remembers: bool = True, wanted: Callable[[str], bool] = lambda _mark: True
    ) -> "OwnedRooms":
        """Ask the platform for rooms with a `wanted` mark.

        Raises PlatformError, and StorageError unless nothing is remembered: rooms that are kept in our database are none then.
        """
        found = cls(told=integration.platform.capabilities.lists)
        if not found.told:
            return found
        try:
            async for room in integration.platform.owned():
                if wanted(room.mark):
                    ref = "" if room.ref == room.mark else room.ref
                    found._rooms[packed(room.mark)] = _GAP.join((ref, *room.aliases)).encode()
        except StorageError:
            if remembers:
                raise
        return found

    def __contains__(self, mark: str) -> bool:
        """Whether a room carries this mark."""
        return packed(mark) in self._rooms

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rooms)

    def __iter__(self) -> Iterator[str]:
        """Tell all marks."""
        return (unpacked(mark) for mark in self._rooms)

    def get(self, mark: str) -> There | None:
        """Return the room that carries this mark."""
        text = self._rooms.get(packed(mark))
        if text is None:
            return None
        ref, *aliases = text.decode().split(_GAP)
        return There(ref or mark, tuple(aliases))


def packed(mark: str) -> bytes:
    """Keep a mark small: 16 bytes where it is a digest in hex, as all of ours are, and more than 16 where it is anything else."""
    try:
        small = bytes.fromhex(mark)
    except ValueError:
        small = b""
    return small if len(small) == _DIGEST and small.hex() == mark else _OTHER + mark.encode()


def unpacked(mark: bytes) -> str:
    """Return a mark as it was."""
    return mark.hex() if len(mark) == _DIGEST else mark.removeprefix(_OTHER).decode()
