"""The contract every platform adapter keeps."""

from dataclasses import dataclass
from typing import Protocol

from greenroom.meetings.room import RoomSpec


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do by itself."""

    judges_time: bool  # lets people in only within the admission window, without our opening and closing it
    pins: bool


class Platform(Protocol):
    """Rooms of one integration on one video platform. Methods raise `PlatformError` (see `errors`)."""

    @property
    def capabilities(self) -> Capabilities:
        """What needs no help from us."""
        ...

    async def ensure(self, spec: RoomSpec) -> None:
        """Make the room exist as specified: create or update the one that carries `spec.mark`. Safe to repeat."""
        ...

    async def retire(self, mark: str) -> None:
        """Let nobody in any more: the room that carries this mark is removed or closed. Safe to repeat, and without a room."""
        ...

    async def check(self) -> None:
        """Reach the platform once; raises what is wrong."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
