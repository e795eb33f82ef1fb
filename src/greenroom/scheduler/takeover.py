"""Taking meetings over from another scheduling product: the contract with it, and what a plan says.

Organizer, item and times come from the calendar; the other product tells the alias and the room it leads to. `takeover_plan` says
what becomes of each meeting and changes nothing; `taking` carries that out. Whoever plans again sees what is done already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from greenroom.meetings.legacy import Legacy, LegacyAlias, LegacyRoom
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import Record

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


class OtherScheduler(Protocol):
    """What another product keeps of its meetings, and marks on its rooms. Methods raise `PlatformError`."""

    async def survey(self, told: Callable[[str], None]) -> Legacy:
        """Read all of it."""
        ...

    async def mark(self, wanted: Mapping[str, str]) -> dict[str, str | None]:
        """Put our marks on rooms (by address) that carry nobody's, and return whose they carry now.

        An empty text is somebody else's; None: the room is gone. Safe to repeat.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Fate(StrEnum):
    """What becomes of a meeting, or of an alias that belongs to none."""

    TAKE = "take-over"
    TAKEN = "taken-over"  # by an earlier run
    OURS = "ours"  # it has a ticket or an alias of Greenroom's
    OVER = "over"
    ABSENT = "not-in-calendar"
    DELETED = "alias-deleted"
    UNKNOWN = "alias-unknown"
    FOREIGN = "foreign"
    CONFLICT = "conflict"
    COPY = "copy"
    OFFLINE = "offline"
    PLAIN = "no-alias"
    DECLINED = "declined"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the plan. `detail` is a code that says more; `record` is there for what is in the calendar and was read.

    For TAKE it is the record to be stored, all but the number of its alias. `room` is that which gets our mark.
    """

    fate: Fate
    detail: str = ""
    key: MeetingKey | None = None
    record: Record | None = None
    alias: LegacyAlias | None = None
    room: LegacyRoom | None = None

    @property
    def unmarked(self) -> bool:
        """Whether its room has still to get our mark."""
        return self.fate in (Fate.TAKE, Fate.TAKEN) and self.room is not None and self.room.mark is None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of everything, the soonest first."""

    entries: tuple[Entry, ...]

    def of(self, *fates: Fate) -> tuple[Entry, ...]:
        """Return those with one of these fates."""
        return tuple(entry for entry in self.entries if entry.fate in fates)
