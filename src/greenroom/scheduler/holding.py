"""Who has an alias that is about to be taken over: meetings that took it over before, and rooms that live."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from greenroom.meetings.legacy import LegacyAlias
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import Record
from greenroom.storage import StoredRoom, Work


class HeldError(Exception):
    """The alias belongs to another room of ours."""


@dataclass(slots=True)
class Holding:
    """Holders by what people dial (lower case); `take` keeps them true as more is taken over."""

    meetings: dict[str, dict[tuple[int, MeetingKey], Record]] = field(default_factory=dict)
    rooms: dict[str, list[StoredRoom]] = field(default_factory=dict)

    @classmethod
    async def load(cls, work: Work, aliases: Iterable[LegacyAlias]) -> Self:
        """Load the holders of these aliases, of all integrations: a dialled alias leads to one room."""
        found = cls()
        dials = {dial for alias in aliases for dial in (alias.name, alias.numeric)}
        for record in await work.meetings.adopting(dials):
            found.take(record)
        for room in await work.rooms.dialled(dials):
            for dial in (room.spec.alias.name, room.spec.alias.numeric):
                found.rooms.setdefault(dial.lower(), []).append(room)
        return found

    def take(self, record: Record) -> None:
        """Remember that a meeting has its alias now."""
        if record.adopted is not None:
            for dial in (record.adopted.name, record.adopted.numeric):
                self.meetings.setdefault(dial.lower(), {})[record.integration, record.key] = record

    def owner(self, record: Record, alias: LegacyAlias) -> Record | None:
        """Return the meeting whose room this one shares, None if it has the alias to itself; raises HeldError.

        Single occurrences of a series share its alias, or that of the first of them, if they have one organizer.
        """
        dials = {alias.name.lower(), alias.numeric.lower()}
        mine = record.integration, record.key
        others = {name: one for dial in dials for name, one in self.meetings.get(dial, {}).items() if name != mine}
        owner: Record | None = None
        for other in others.values():
            if not _are_kin(record, other, alias):
                raise HeldError
            owner = other if owner is None or other.room_mark is None else owner
        marks = {record.key.digest, record.mark, record.key.digest if owner is None else owner.mark}
        if any(
            (r.integration, r.mark in marks) != (record.integration, True) for d in dials for r in self.rooms.get(d, ())
        ):
            raise HeldError
        return owner


def _are_kin(record: Record, other: Record, alias: LegacyAlias) -> bool:
    same = other.adopted is not None and other.adopted.name == alias.name and other.organizer == record.organizer
    return same and other.integration == record.integration and other.key.clean == record.key.clean
