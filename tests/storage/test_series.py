"""What storage keeps of series: their rule, their kin, the rooms they share, and when they are to be reviewed."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from greenroom.meetings.meeting import Kind, Span
from greenroom.meetings.record import Record, State
from greenroom.storage import Storage
from support.records import DAY, HOUR, NOON, bare_record, meeting_key, weekly


def series(number: int = 1, **changes: Any) -> Record:
    """A scheduled endless weekly series."""
    told: dict[str, Any] = {"state": State.SCHEDULED, "kind": Kind.SERIES, "span": Span(NOON, NOON + HOUR)}
    return bare_record(number, **(told | {"series": weekly()} | changes))


async def saved(storage: Storage, *records: Record) -> None:
    async with storage.work() as work:
        await work.meetings.save(records)


def ids(records: list[Record]) -> list[str]:
    return [record.correlation_id for record in records]


UNREADABLE = ("", "{", "7", "[7]", '[["2026-03-09", 1, 2]]', '{"pattern": "hourly"}', "[" * 100_000)


@pytest.mark.parametrize(("column", "empty"), [("series", None), ("handled", ())])
async def test_what_cannot_be_read_counts_as_not_known_and_is_told(
    storage: Storage, column: str, empty: object
) -> None:
    await saved(storage, *(series(number) for number in range(len(UNREADABLE))))
    async with storage._engine.begin() as connection:
        for number, text in enumerate(UNREADABLE):
            statement = sa.text(f"UPDATE meetings SET {column} = :text WHERE correlation_id = :id")
            await connection.execute(statement, {"text": text, "id": f"C{number:06d}"})

    with capture_logs() as told:
        async with storage.reading() as work:
            records = await work.meetings.search()
    assert [getattr(record, column) for record in records] == [empty] * len(UNREADABLE)
    assert sorted((line["what"], line["id"]) for line in told) == sorted((column, one) for one in ids(records))


async def test_kin_are_a_series_and_its_lone_occurrences(storage: Storage) -> None:
    whole = series()
    monday = bare_record(2, key=whole.key.on(date(2026, 3, 9)))
    tuesday = bare_record(3, key=whole.key.on(date(2026, 3, 10)))
    stranger, elsewhere = series(4), series(5, key=whole.key, integration=2)
    await saved(storage, whole, monday, tuesday, stranger, elsewhere)

    async with storage.reading() as work:
        assert sorted(ids(await work.meetings.kin(1, [monday.key]))) == ["C000001", "C000002", "C000003"]
        assert len(await work.meetings.kin(1, [whole.key, monday.key, stranger.key])) == 4
        assert await work.meetings.kin(1, []) == []
        assert await work.meetings.by_keys(1, [monday.key, tuesday.key]) == {monday.key: monday, tuesday.key: tuesday}


async def test_a_room_is_of_the_meeting_it_was_made_for_and_of_those_that_share_it(storage: Storage) -> None:
    first, own = series(1), series(2)
    guest = series(3, room_mark=first.key.digest)
    stray = series(4, room_mark=meeting_key(99).digest)
    await saved(storage, first, own, guest, stray, series(5, room_mark=first.key.digest, integration=2))

    async with storage.reading() as work:
        of_rooms = work.meetings.of_rooms
        assert sorted(ids(await of_rooms(1, [first.mark]))) == ["C000001", "C000003"]
        assert await of_rooms(1, [guest.key.digest]) == []  # it has a room, but not of its own
        assert ids(await of_rooms(1, [stray.mark, own.mark])) == ["C000002", "C000004"]
        assert await of_rooms(1, []) == []


async def test_a_living_series_is_due_for_review_unless_it_waits_for_a_retry(storage: Storage) -> None:
    await saved(
        storage,
        series(1, review_at=NOON),
        series(2, review_at=NOON + HOUR),
        series(3, review_at=NOON, state=State.ENDED),
        series(4, review_at=NOON, retry_at=NOON + HOUR),
        series(5, review_at=NOON, integration=2),
        series(6, review_at=NOON, retry_at=NOON - HOUR),
    )

    async with storage.reading() as work:
        assert sorted(ids(await work.meetings.due(1, NOON, 10))) == ["C000001", "C000006"]


async def test_a_series_without_end_is_never_over_and_one_with_an_end_is(storage: Storage) -> None:
    ending = Span(NOON - 14 * DAY, NOON - 14 * DAY + HOUR, until=NOON)
    await saved(
        storage,
        series(1),
        series(2, series=None),
        series(3, span=ending, series=weekly(count=3)),
        series(4, span=Span(NOON - 9 * DAY, NOON - 9 * DAY + HOUR), kind=Kind.OCCURRENCE),
    )

    async with storage.reading() as work:
        assert ids(await work.meetings.over(1, NOON, 10)) == ["C000004", "C000003"]
        assert ids(await work.meetings.over(1, NOON, 10, offset=1)) == ["C000003"]
        assert ids(await work.meetings.over(1, NOON - HOUR, 10)) == ["C000004"]


async def test_endless_series_come_by_their_next_review(storage: Storage) -> None:
    await saved(
        storage,
        series(1, review_at=NOON + 2 * DAY),
        series(2, review_at=NOON + DAY, state=State.DEFECTIVE),
        series(3),
        series(4, review_at=NOON + DAY, integration=2, state=State.PENDING),
        series(5, review_at=NOON, state=State.ENDED),
        series(6, review_at=NOON, series=None),
        series(7, review_at=NOON, span=Span(NOON, NOON + HOUR, until=NOON + 8 * DAY), series=weekly(count=2)),
        series(8, review_at=NOON, kind=Kind.SINGLE),
    )

    async with storage.reading() as work:
        endless = work.meetings.endless
        assert ids(await endless()) == ["C000002", "C000004", "C000001", "C000003"]
        assert ids(await endless(1)) == ["C000002", "C000001", "C000003"]
        assert ids(await endless(1, limit=1, offset=1)) == ["C000001"]
