"""The contract every platform adapter keeps."""

from dataclasses import dataclass
from typing import Protocol

from greenroom.meetings.room import RoomSpec


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do by itself.

    `judges_time`: it lets people in exactly while `spec.admission.is_open(now)`, at every instant and for every occurrence of a
    series: not before the first, not between two, not behind the last. It keeps the admission with the room and asks it; it
    is told nothing more while nobody changes the meeting, however long the series is. Where this is False, a room admits people
    from `ensure` to `retire`: it is retired when its last window has closed (scheduler/windows), and open between two.
    """

    judges_time: bool
    pins: bool


class Platform(Protocol):
    """Rooms of one integration on one video platform. Methods raise `PlatformError` (see `errors`)."""

    @property
    def capabilities(self) -> Capabilities:
        """What needs no help from us."""
        ...

    async def ensure(self, spec: RoomSpec) -> None:
        """Make the room exist as specified: create or update the one that carries `spec.mark`. Safe to repeat.

        `spec.admission` holds for the whole life of the room: one that judges the time follows it from now on, and follows the
        latest when it is called again, also for people who wait. A retired room that is ensured again follows it, too.
        """
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
