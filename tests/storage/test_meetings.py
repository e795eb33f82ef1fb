import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Span
from greenroom.meetings.record import Record, State
from greenroom.storage import Standing, Storage
from support.records import HOUR, NOON, bare_record, full_record, line, meeting_key


async def saved(storage: Storage, *records: Record) -> None:
    async with storage.work() as work:
        await work.meetings.save(records)


async def numbers(storage: Storage, **wanted: object) -> list[int]:
    async with storage.reading() as work:
        found = await work.meetings.search(**wanted)  # type: ignore[arg-type] # each test names one or two of them
    return [int(record.correlation_id[1:]) for record in found]


@pytest.mark.parametrize("record", [full_record(), bare_record()], ids=["full", "bare"])
async def test_a_record_comes_back_as_it_was_saved(storage: Storage, record: Record) -> None:
    await saved(storage, record)

    async with storage.reading() as work:
        assert await work.meetings.by_keys(1, [record.key]) == {record.key: record}
        assert await work.meetings.by_items(1, [record.ref.id]) == {record.ref.id: record}
        assert await work.meetings.by_correlation(record.correlation_id) == record


async def test_a_series_without_end_and_an_all_day_meeting_keep_their_times(storage: Storage) -> None:
    endless = full_record(1, kind=Kind.SERIES, span=Span(NOON, NOON + HOUR, None, all_day=True, until=None))
    ending = full_record(2, kind=Kind.SERIES, span=Span(NOON, NOON + HOUR, "Europe/Berlin", until=NOON + 900 * HOUR))
    await saved(storage, endless, ending)

    async with storage.reading() as work:
        found = await work.meetings.by_keys(1, [endless.key, ending.key])
    assert found == {endless.key: endless, ending.key: ending}


async def test_saving_again_replaces_everything(storage: Storage) -> None:
    await saved(storage, full_record())
    await saved(storage, bare_record())

    async with storage.reading() as work:
        assert await work.meetings.by_correlation("C000001") == bare_record()


async def test_of_two_records_of_one_meeting_in_one_batch_the_later_stays(storage: Storage) -> None:
    await saved(storage, full_record(title="first"), full_record(title="second"))

    async with storage.reading() as work:
        (record,) = await work.meetings.search()
    assert record.title == "second"


async def test_the_same_meeting_in_two_integrations_has_two_records(storage: Storage) -> None:
    await saved(storage, full_record(integration=1), full_record(integration=2, state=State.DECLINED))

    async with storage.reading() as work:
        assert (await work.meetings.by_keys(1, [meeting_key(1)]))[meeting_key(1)].state is State.SCHEDULED
        assert (await work.meetings.by_keys(2, [meeting_key(1)]))[meeting_key(1)].state is State.DECLINED
        assert await work.meetings.by_keys(3, [meeting_key(1)]) == {}


async def test_a_foreign_uid_of_any_length_and_an_item_id_of_any_length_are_stored(storage: Storage) -> None:
    long = full_record(
        key=MeetingKey.of_uid("".join(chr(33 + i * 7 % 90) for i in range(20_000))), ref=ItemRef("x" * 9_000)
    )
    await saved(storage, long)

    async with storage.reading() as work:
        assert await work.meetings.by_keys(1, [long.key]) == {long.key: long}
        assert await work.meetings.by_items(1, [long.ref.id]) == {long.ref.id: long}


async def test_text_that_no_database_takes_is_made_storable(storage: Storage) -> None:
    await saved(storage, full_record(title="a\0b\ud800c", organizer="\0@example.com"))

    async with storage.reading() as work:
        record = await work.meetings.by_correlation("C000001")
    assert record is not None
    assert record.title == "a\ufffdb\ufffdc"


async def test_nothing_asked_nothing_found(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save([])
        assert await work.meetings.by_keys(1, []) == {}
        assert await work.meetings.by_items(1, []) == {}
        assert await work.meetings.by_correlation("none") is None


@pytest.mark.slow
async def test_ten_thousand_keys_are_asked_for_at_once(storage: Storage) -> None:
    records = [bare_record(number) for number in range(2_500)]
    await saved(storage, *records)

    async with storage.reading() as work:
        found = await work.meetings.by_keys(1, [meeting_key(number) for number in range(10_000)])
        items = await work.meetings.by_items(1, [f"item-{number}" for number in range(40_000)])
    assert len(found) == len(items) == 2_500


async def test_times_are_instants_whatever_zone_they_come_in(storage: Storage) -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=45))
    far = datetime(4500, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    await saved(storage, full_record(retry_at=NOON.astimezone(elsewhere), span=Span(far - HOUR, far)))

    async with storage.reading() as work:
        record = await work.meetings.by_correlation("C000001")
    assert record is not None
    assert record.span is not None
    assert (record.retry_at, record.span.end) == (NOON, far)
    assert record.retry_at is not None
    assert record.retry_at.tzinfo is UTC


async def test_a_naive_time_is_refused(storage: Storage) -> None:
    with pytest.raises(Exception, match="StatementError"):
        await saved(storage, full_record(retry_at=NOON.replace(tzinfo=None)))


async def test_what_is_due_comes_by_start_and_no_more_than_asked_for(storage: Storage) -> None:
    await saved(
        storage,
        full_record(3, retry_at=NOON - 5 * HOUR),
        full_record(1, retry_at=NOON),
        full_record(2, retry_at=NOON + timedelta(microseconds=1)),
        full_record(4, retry_at=NOON - HOUR, span=None),
        full_record(5, retry_at=None),
        full_record(6, retry_at=NOON, integration=2),
    )

    async with storage.reading() as work:
        assert [r.correlation_id for r in await work.meetings.due(1, NOON, 10)] == ["C000001", "C000003", "C000004"]
        assert [r.correlation_id for r in await work.meetings.due(1, NOON, 1)] == ["C000001"]


async def test_a_search_narrows_by_state_organizer_and_integration(storage: Storage) -> None:
    await saved(
        storage,
        full_record(1),
        full_record(2, state=State.DECLINED),
        full_record(3, organizer="bob@example.com"),
        full_record(4, integration=2),
    )

    assert await numbers(storage) == [1, 2, 3, 4]
    assert await numbers(storage, state=State.DECLINED) == [2]
    assert await numbers(storage, organizer="Bob@Example.com") == [3]
    assert await numbers(storage, integration=2) == [4]
    assert await numbers(storage, limit=2, offset=1) == [2, 3]


async def test_a_search_in_time_finds_what_touches_it(storage: Storage) -> None:
    await saved(
        storage,
        full_record(1),
        full_record(2),
        full_record(3, span=None),
        full_record(4, kind=Kind.SERIES, span=Span(NOON - 99 * HOUR, NOON - 98 * HOUR)),
        full_record(5, kind=Kind.SERIES, span=Span(NOON - 99 * HOUR, NOON - 98 * HOUR, until=NOON)),
    )

    assert await numbers(storage, since=NOON + HOUR) == [4, 1, 2]
    assert await numbers(storage, since=NOON + 2 * HOUR) == [4, 2]
    assert sorted(await numbers(storage, until=NOON + 2 * HOUR)) == [1, 4, 5]
    assert await numbers(storage, since=NOON + HOUR, until=NOON + 2 * HOUR) == [4, 1]


@pytest.mark.parametrize("text", ["übung", "ÜBUNG", "100%", "00000007", "vc-900000007@example.com", "42900000007"])
async def test_a_search_finds_a_part_of_the_title_or_an_alias(storage: Storage, text: str) -> None:
    await saved(storage, full_record(7, title="Große Übung, 100% sicher"), full_record(8, alias_number=None))

    assert await numbers(storage, text=text) == [7]


@pytest.mark.parametrize("text", ["%", "_", "\\", "100_"])
async def test_wildcards_in_a_search_are_ordinary_characters(storage: Storage, text: str) -> None:
    await saved(storage, full_record(1, title="1000"))

    assert await numbers(storage, text=text) == []


async def test_counts_name_every_state(storage: Storage) -> None:
    await saved(
        storage, full_record(1), full_record(2), full_record(3, state=State.ENDED), bare_record(4, integration=2)
    )

    async with storage.reading() as work:
        everywhere, here = await work.meetings.counts(), await work.meetings.counts(1)
    assert set(everywhere) == set(State)
    assert (everywhere[State.SCHEDULED], everywhere[State.PENDING], everywhere[State.DEFECTIVE]) == (2, 1, 0)
    assert here[State.PENDING] == 0


async def test_five_hundred_records_and_lines_cost_little_time(storage: Storage) -> None:
    records = [full_record(number) for number in range(500)]
    lines = [line(number, "decided") for number in range(500)]
    times = []
    for attempt in range(3):
        began = time.process_time()
        async with storage.work() as work:
            await work.meetings.save([replace(record, attempts=attempt) for record in records])
            await work.journal.append(lines)
        times.append(time.process_time() - began)

    assert min(times) < 0.3, times


async def test_what_lives_is_told_in_short_a_thousand_at_a_time(storage: Storage) -> None:
    states = (State.PENDING, State.SCHEDULED, State.DEFECTIVE)
    records = [bare_record(n, state=states[n % 3]) for n in range(2001)]
    others = [bare_record(5000 + n, state=state) for n, state in enumerate(set(State) - set(states))]
    async with storage.work() as work:
        await work.meetings.save([*records, *others, bare_record(1, integration=2), full_record(3000)])
    async with storage.reading() as work:
        found = {standing.key: standing async for standing in work.meetings.living(1)}
    full = full_record(3000)
    assert set(found) == {*(record.key for record in records), full.key}
    assert found[full.key] == Standing(
        full.key, full.state, full.kind, full.ref, full.span, full.reason, full.seen, full.retry_at
    )


async def test_standings_are_found_by_key_and_by_item(storage: Storage) -> None:
    async with storage.work() as work:
        await work.meetings.save([bare_record(n, state=State.ENDED) for n in range(4)])
    async with storage.reading() as work:
        keys = {
            s.key async for s in work.meetings.standings(1, keys=[meeting_key(0), meeting_key(9)], items=["item-2"])
        }
        assert keys == {meeting_key(0), meeting_key(2)}
        assert [s async for s in work.meetings.standings(1)] == []
        assert [s async for s in work.meetings.standings(2, keys=[meeting_key(0)], items=["item-2"])] == []
