"""Rooms that a test makes up, and a clock it moves."""

from datetime import UTC, datetime, timedelta

from greenroom.meetings.alias import Alias
from greenroom.meetings.room import AdmissionWindow, RoomSpec
from greenroom.web import JoinRoom, Place, RoomsUnavailableError

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
JOIN_ID = "0123456789abcdef"
PLACES = {
    1: Place(
        meeting_url="https://jitsi.example.org/{numeric_alias}",
        dial=(
            ("Video system (SIP)", "sip:{alias}"),
            ("H.323", "h323:{alias}"),
            ("From the lobby", "dial {numeric_alias}"),
        ),
        phone="+49 30 1234567, then {numeric_alias}#",
    )
}


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class RoomsInMemory:
    def __init__(self, *rooms: JoinRoom) -> None:
        self.rooms = {room.spec.join_id: room for room in rooms}
        self.asked: list[str] = []
        self.down = False

    async def by_join_id(self, join_id: str) -> JoinRoom | None:
        self.asked.append(join_id)
        if self.down:
            raise RoomsUnavailableError("StorageUnreachableError")
        return self.rooms.get(join_id)


def room(
    opens_in: timedelta = timedelta(),
    *,
    lasts: timedelta = timedelta(hours=1),
    title: str = "Quarterly review (Ada Lovelace)",
    pins: int = 0,
    retired_at: datetime | None = None,
    zone: str | None = "W. Europe Standard Time",
    integration: int = 1,
    until: datetime | None = None,
) -> JoinRoom:
    """A room whose window opens so long after NOW; it opens 30 minutes before the start and closes 60 after the end."""
    opens = NOW + opens_in
    starts = opens + timedelta(minutes=30)
    ends = starts + lasts
    spec = RoomSpec(
        mark="ab" * 16,
        alias=Alias(482915306, "meet482915306@video.example.org", "482915306"),
        join_id=JOIN_ID,
        name=title,
        description="",
        owner="ada@example.org",
        window=AdmissionWindow(opens, starts, ends, until or ends + timedelta(minutes=60)),
        host_pin="271828" if pins > 1 else None,
        guest_pin="314159" if pins else None,
    )
    return JoinRoom(integration, spec, retired_at, zone)
