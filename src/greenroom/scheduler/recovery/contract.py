"""The words of recovery: what becomes of a meeting or a room, and what calendar, database and platform disagree about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from greenroom.meetings.meeting import ItemRef, MeetingKey

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is (0: not known yet)."""


class Fate(StrEnum):
    """What recovery does with a meeting, or with a room."""

    KEEP = "keep-alias"  # its ticket tells the alias: room and record are made again, nobody is told
    ADOPT = "adopt-room"  # no ticket, but the platform has its room: the alias comes from there, nobody is told
    NEW = "new-alias"  # neither: another alias, and an update of the organizer's meeting
    ANSWER = "answer"  # an invitation that nobody answered yet, or a change that nobody saw: the normal pass
    MAKE = "make-room"  # the record is as it should be, the platform's room is missing or another one
    END = "end"  # the record lives, the meeting left the calendar
    ORPHAN = "remove-orphan"  # a room with our mark that no meeting has
    LEAVE = "leave"  # nothing, and `detail` says why


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a recovery's plan.

    `detail` is a code that says more. `starts_at` is that of the meeting, of a series its first occurrence. Rooms of which no
    meeting is known have no `key`; `room` is the platform's name for theirs, `mark` is what they carry.
    """

    fate: Fate
    detail: str = ""
    key: MeetingKey | None = None
    ref: ItemRef | None = None
    starts_at: datetime | None = None
    organizer: str = ""
    alias: str = ""
    correlation_id: str = ""
    room: str = ""
    mark: str = ""


class DriftKind(StrEnum):
    """What calendar, database and platform can disagree about."""

    UNKNOWN_MEETING = "unknown-meeting"  # the calendar shows it, the database does not know it so
    VANISHED_MEETING = "vanished-meeting"  # the database has it living, the calendar does not show it
    ROOM_MISSING = "room-missing"  # the database says that it has a room, the platform has none with its mark
    ROOM_DIFFERS = "room-differs"  # the platform's room is dialled by other aliases
    ORPHAN_ROOM = "orphan-room"  # the platform has a room with a mark of ours that no living meeting has
