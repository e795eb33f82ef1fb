"""The contract every platform adapter keeps."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from greenroom.meetings.room import RoomSpec


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do by itself, so that others plan with it instead of knowing it.

    `judges_time`: it lets people in exactly while `spec.admission.is_open(now)`, at every instant and for every occurrence of a
    series: not before the first, not between two, not behind the last. It keeps the admission with the room and asks it; it
    is told nothing more while nobody changes the meeting, however long the series is. Where this is False, a room admits people
    from `ensure` to `retire`, or from somewhat before each window to somewhat behind it.

    `closes`: rooms whose last window has passed are closed without a call of `retire`, be it by `judges_time` or by `tend`.

    `tended`: `tend` has work to do now and then.

    `lists`: `owned` tells everything that carries our mark.

    `updates`: a room is changed in place; people in it stay. Where False, a changed room is made anew.

    `latency`: how long after `ensure` people can dial the room. `per_minute`: how many calls it takes in a minute, if that is
    known. `alias_quarantine`: so long the alias of a retired room is given to no other.
    """

    judges_time: bool
    pins: bool
    closes: bool = False
    tended: bool = False
    lists: bool = False
    updates: bool = True
    latency: timedelta = timedelta()
    per_minute: int | None = None
    alias_quarantine: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class OwnedRoom:
    """What is on the platform with a mark of ours. `ref` is the platform's own name for it; `aliases` are what people dial."""

    mark: str
    ref: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonalRoom:
    """A permanent room of one person. PINs are as the platform tells them; None where there is none or it does not tell."""

    ref: str
    name: str = field(repr=False)
    description: str = field(default="", repr=False)
    domain_aliases: tuple[str, ...] = ()
    other_aliases: tuple[str, ...] = ()
    numeric_aliases: tuple[str, ...] = ()
    pin: str | None = field(default=None, repr=False)
    guest_pin: str | None = field(default=None, repr=False)
    allow_guests: bool = False


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

    async def tend(self) -> datetime | None:
        """Do what is due by the clock: open and close rooms, finish what could not be done at once. Safe to repeat.

        Not while another process does the same for this integration. Returns when something is due next, None if nothing is in
        sight. A single room's failure raises nothing; it is tried again when it is due next.
        """
        ...

    def owned(self) -> AsyncIterator[OwnedRoom]:
        """Tell every room that carries a mark of this integration, as the platform has it now; all of them, or it raises."""
        ...

    async def personal_rooms(self, owner: str) -> Sequence[PersonalRoom]:
        """Return the permanent rooms that belong to this mail address; none where the platform has no such thing."""
        ...

    async def check(self) -> None:
        """Reach the platform once, and our own database behind it; raises what is wrong."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
