"""Rooms that a test makes up, and a clock it moves."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import httpx2

from greenroom.meetings.admission import Admission, Once, Times
from greenroom.meetings.alias import Alias
from greenroom.meetings.dialling import Phone, WaysToJoin, pexip_ways
from greenroom.meetings.recurrence import Series
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Pattern, Rule
from greenroom.meetings.zones import Zone, tzinfo_of
from greenroom.web.app import create_app
from greenroom.web.contract import JoinRoom, Planned, RoomsUnavailableError

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=60)
JOIN_ID = "0123456789abcdef"
BASE = "https://meet.example.org"
PHONES = (
    Phone("DE", "+49 30 1234567", "Germany"),
    Phone("NO", "+47 23 45 67 89", "Norway"),
    Phone("GB", "+44 20 7946 0000", "United Kingdom"),
    Phone("US", "+1 (202) 555-0100", "United States, free of charge"),
)
PEXIP, PEXIP_FEW = 2, 3
PLACES = {
    1: WaysToJoin(
        web_app="https://jitsi.example.org/{numeric_alias}",
        dial=(
            ("Video system (SIP)", "sip:{alias}"),
            ("H.323", "h323:{alias}"),
            ("From the lobby", "dial {numeric_alias}"),
        ),
        phone="+49 30 1234567, then {numeric_alias}#",
    ),
    PEXIP: pexip_ways("https://vc.example.org", phones=PHONES),
    PEXIP_FEW: pexip_ways("https://vc.example.org", phones=PHONES[:3]),
}
"""How rooms are entered, by the number of the integration."""


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


class Visitor:
    """Somebody with a browser, the rooms there are, and the clock."""

    def __init__(self, *rooms: JoinRoom) -> None:
        self.rooms, self.clock = RoomsInMemory(*rooms), Clock()
        app = create_app(self.rooms, self.clock, PLACES, base=BASE)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE)

    async def get(self, path: str = f"/j/{JOIN_ID}", method: str = "GET") -> httpx2.Response:
        return await self.client.request(method, path)

    async def told(self, now: datetime | None = None) -> dict[str, str | None]:
        """What the JSON says at an instant."""
        self.clock.now = now or self.clock.now
        answer = await self.get(f"/j/{JOIN_ID}.json")
        assert answer.status_code == 200
        told: dict[str, str | None] = answer.json()
        return told

    async def states(self, *moments: datetime) -> list[str | None]:
        """What the JSON says of the state at each of these instants."""
        return [(await self.told(now))["state"] for now in moments]

    async def page(self, now: datetime | None = None) -> str:
        """The page at an instant."""
        self.clock.now = now or self.clock.now
        answer = await self.get()
        assert answer.status_code == 200
        return answer.text


def room(
    opens_in: timedelta = timedelta(),
    *,
    lasts: timedelta = timedelta(hours=1),
    title: str = "Quarterly review (Ada Lovelace)",
    pins: int = 0,
    retired_at: datetime | None = None,
    zone: str | None = "W. Europe Standard Time",
    integration: int = 1,
    admission: Admission | None = None,
) -> JoinRoom:
    """A room of a meeting that takes place once, or of whatever `admission` says.

    Once: its window opens so long after NOW, 30 minutes before the start, and closes 60 after the end.
    """
    starts = NOW + opens_in + BEFORE
    admission = admission or Admission((Once(starts, starts + lasts),), BEFORE, AFTER)
    spec = RoomSpec(
        mark="ab" * 16,
        alias=Alias(482915306, "meet482915306@video.example.org", "482915306"),
        join_id=JOIN_ID,
        name=title,
        description="",
        owner="ada@example.org",
        admission=admission,
        host_pin="271828" if pins > 1 else None,
        guest_pin="314159" if pins else None,
    )
    planned = tuple(Planned(one, one.zone if isinstance(one, Series) else Zone(zone or "")) for one in admission.times)
    return JoinRoom(integration, spec, retired_at, planned)


def series(
    pattern: Pattern,
    start: datetime,
    lasts: timedelta = timedelta(hours=1),
    *,
    zone: str = "W. Europe Standard Time",
    until: date | None = None,
    count: int | None = None,
    moved: Iterable[tuple[date, datetime, datetime]] = (),
    gone: Iterable[date] = (),
) -> Series:
    """A series whose first occurrence starts at an instant; endless unless told otherwise."""
    named = Zone(zone)
    rule = Rule(pattern, start.astimezone(tzinfo_of(named)).date(), until, count)
    return Series.of(rule, start, start + lasts, named, moved=moved, gone=gone)


def admission(*times: Times, before: timedelta = BEFORE, after: timedelta = AFTER) -> Admission:
    """Admission to one or more meetings, 30 minutes before the start and 60 past the end unless told otherwise."""
    return Admission(times, before, after)
