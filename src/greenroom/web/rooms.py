"""Rooms out of our own storage."""

from collections.abc import Iterable

from greenroom.meetings.admission import Once
from greenroom.meetings.record import Record, State
from greenroom.meetings.zones import Zone
from greenroom.storage import Storage, StorageError
from greenroom.web.contract import JoinRoom, Planned, RoomsUnavailableError

_LIVING = frozenset({State.PENDING, State.SCHEDULED, State.DEFECTIVE})


class StoredRooms:
    """Looks rooms up in storage, and the organizers' zones in the records of the meetings that share them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def by_join_id(self, join_id: str) -> JoinRoom | None:
        """Return the room behind a join link, or None. Raises RoomsUnavailableError."""
        try:
            async with self._storage.reading() as work:
                room = await work.rooms.by_join_id(join_id)
                if room is None:
                    return None
                records = await work.meetings.of_rooms(room.integration, [room.mark])
        except StorageError as error:
            raise RoomsUnavailableError(type(error).__name__) from error
        return JoinRoom(room.integration, room.spec, room.retired_at, _planned(records))


def _planned(records: Iterable[Record]) -> tuple[Planned, ...]:
    """Say what meets in the room: what lives, else what was planned in it."""
    known = [(record.state in _LIVING, one) for record in records if (one := _one(record)) is not None]
    return tuple(one for lives, one in known if lives) or tuple(one for _, one in known)


def _one(record: Record) -> Planned | None:
    if record.series is not None:
        return Planned(record.series, record.series.zone)
    if record.span is None or not record.span.zone:
        return None
    return Planned(Once(record.span.start, record.span.end), Zone(record.span.zone))
