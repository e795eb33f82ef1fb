"""When a room is open, as tests ask it."""

from datetime import datetime

from greenroom.meetings.room import RoomSpec


def starts(spec: RoomSpec) -> datetime | None:
    """Return when the first meeting in the room begins."""
    opens = spec.admission.first_opens
    return None if opens is None else opens + spec.admission.before
