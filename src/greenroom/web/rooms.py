"""Rooms out of our own storage."""

from greenroom.storage import Storage, StorageError
from greenroom.web.contract import JoinRoom, RoomsUnavailableError


class StoredRooms:
    """Looks rooms up in storage, and the organizer's zone in the meeting's record."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def by_join_id(self, join_id: str) -> JoinRoom | None:
        """Return the room behind a join link, or None. Raises RoomsUnavailableError."""
        try:
            async with self._storage.reading() as work:
                room = await work.rooms.by_join_id(join_id)
                if room is None:
                    return None
                record = await work.meetings.by_mark(room.integration, room.mark)
        except StorageError as error:
            raise RoomsUnavailableError(type(error).__name__) from error
        zone = record.span.zone if record is not None and record.span is not None else None
        return JoinRoom(room.integration, room.spec, room.retired_at, zone)
