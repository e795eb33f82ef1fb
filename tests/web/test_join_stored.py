"""Rooms as the join page finds them in storage."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import httpx2
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from greenroom.meetings.admission import Once
from greenroom.meetings.meeting import Span
from greenroom.meetings.record import Record, State
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Weekly
from greenroom.meetings.zones import Zone
from greenroom.storage import Storage
from greenroom.web.app import create_app
from greenroom.web.contract import Planned, RoomsUnavailableError
from greenroom.web.rooms import StoredRooms
from support.empty import storage_in_memory
from support.join_rooms import JOIN_ID, NOW, PLACES, Clock, admission, room, series
from support.records import bare_record, meeting_key

WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
BERLIN = series(Weekly(1, (0,)), NOW, until=date(2026, 12, 1))
NEW_YORK = series(Weekly(1, (0,)), NOW + 2 * WEEK + HOUR, zone="Eastern Standard Time")


def shared_room() -> RoomSpec:
    return replace(room(admission=admission(BERLIN, NEW_YORK)).spec, mark=meeting_key(1).digest)


def planned_in_berlin(**changes: object) -> Record:
    return bare_record(1, series=BERLIN, span=Span(NOW, NOW + HOUR, BERLIN.zone.name), **changes)


def planned_in_new_york(**changes: object) -> Record:
    span = Span(NOW + 2 * WEEK + HOUR, NOW + 2 * WEEK + 2 * HOUR, NEW_YORK.zone.name)
    return bare_record(2, series=NEW_YORK, span=span, room_mark=meeting_key(1).digest, **changes)


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = await storage_in_memory()
    yield storage
    await storage.close()


async def store(storage: Storage, spec: RoomSpec, *records: Record) -> None:
    async with storage.work() as work:
        await work.rooms.upsert(1, spec)
        await work.meetings.save(records)


async def get(storage: Storage, path: str, clock: Clock | None = None) -> httpx2.Response:
    app = create_app(StoredRooms(storage), clock or Clock(), PLACES)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="https://meet.example.org"
    ) as client:
        return await client.get(path)


async def test_a_room_in_storage_is_found(storage: Storage) -> None:
    stored = room(timedelta(minutes=20)).spec
    await store(storage, stored)
    found = await StoredRooms(storage).by_join_id(JOIN_ID)
    assert found is not None
    assert (found.integration, found.spec, found.retired_at, found.planned) == (1, stored, None, ())
    assert await StoredRooms(storage).by_join_id("0" * 16) is None


async def test_a_room_that_meetings_share_knows_the_zone_of_each(storage: Storage) -> None:
    await store(storage, shared_room(), planned_in_berlin(), planned_in_new_york(), bare_record(3))
    found = await StoredRooms(storage).by_join_id(JOIN_ID)
    assert found is not None
    assert sorted(one.zone.name for one in found.planned) == ["Eastern Standard Time", "W. Europe Standard Time"]
    path, clock = f"/j/{JOIN_ID}", Clock()
    assert "(Mon 23 Nov 2026, 14:00 CET)" in (await get(storage, path, clock)).text
    clock.now = NOW + 2 * WEEK
    assert "(Mon 7 Dec 2026, 09:00 EST)" in (await get(storage, path, clock)).text


async def test_a_meeting_that_ended_does_not_tell_the_zone_of_one_that_lives(storage: Storage) -> None:
    ended = planned_in_berlin(state=State.ENDED)
    await store(storage, shared_room(), ended, planned_in_new_york(state=State.SCHEDULED))
    found = await StoredRooms(storage).by_join_id(JOIN_ID)
    assert found is not None
    assert [one.zone.name for one in found.planned] == ["Eastern Standard Time"]


async def test_the_zone_of_what_is_past_is_known_where_nothing_else_lives(storage: Storage) -> None:
    await store(storage, shared_room(), planned_in_berlin(state=State.ENDED))
    async with storage.work() as work:
        assert await work.rooms.retire(1, shared_room().mark, NOW - HOUR)
    found = await StoredRooms(storage).by_join_id(JOIN_ID)
    assert found is not None
    assert [one.zone.name for one in found.planned] == ["W. Europe Standard Time"]
    page = (await get(storage, f"/j/{JOIN_ID}")).text
    assert "was cancelled" in page
    assert "14:00 CET" in page


async def test_a_single_meeting_tells_its_zone_by_its_span(storage: Storage) -> None:
    spec = replace(room().spec, mark=meeting_key(1).digest)
    await store(storage, spec, bare_record(1, span=Span(NOW, NOW + HOUR, "Tokyo Standard Time")))
    found = await StoredRooms(storage).by_join_id(JOIN_ID)
    assert found is not None
    assert found.planned == (Planned(Once(NOW, NOW + HOUR), Zone("Tokyo Standard Time")),)
    assert "JST" in (await get(storage, f"/j/{JOIN_ID}")).text


UNREADABLE = (
    *("", "null", "[]", "7", "{", '{"times":[]}', '{"times":[7],"before":0,"after":0}', "Planted secret"),
    '{"times":[{"start":"Planted secret","end":null}],"before":0,"after":0}',
    '{"times":[{"start":"2026-11-23T13:00:00+00:00","end":null}],"before":60,"after":1e300}',
    '{"times":[{"start":"9999-12-31T23:59:59-10:00","end":null}],"before":60,"after":60}',
    "[" * 5_000,
    '{"pattern":"daily","interval":0,"start":"2026-11-23","begins":"13:00","length":1,"zone":"UTC"}',
    '{"pattern":"daily","interval":1,"start":"2026-11-23","begins":"13:00","length":1e300,"zone":"UTC"}',
)


@pytest.mark.parametrize(("table", "column", "status"), [("rooms", "admission", 503), ("meetings", "series", 200)])
async def test_what_stands_in_storage_and_cannot_be_read_is_no_error_of_the_server(
    storage: Storage, table: str, column: str, status: int
) -> None:
    await store(storage, shared_room(), planned_in_berlin())
    for text in UNREADABLE:
        async with storage.work() as work:
            overwrite = sa.text(f"UPDATE {table} SET {column} = :text")
            await work.rooms._session.execute(overwrite, {"text": text})  # no program of ours writes this
        with capture_logs() as logs:
            for path in (f"/j/{JOIN_ID}", f"/j/{JOIN_ID}.json"):
                answer = await get(storage, path)
                assert answer.status_code == status, text
                assert "Planted" not in answer.text
        assert logs, text
        assert "Planted" not in str(logs)


async def test_storage_that_is_not_there_is_told_as_such() -> None:
    storage = Storage.open("sqlite:////nowhere/greenroom.db")
    with pytest.raises(RoomsUnavailableError, match="Storage"):
        await StoredRooms(storage).by_join_id(JOIN_ID)
    await storage.close()
