"""Which ticket keys something was made with."""

from dataclasses import replace
from datetime import timedelta

from greenroom.meetings.meeting import Kind, Span
from greenroom.meetings.record import State
from greenroom.storage import Reservation, Storage
from greenroom.storage.key_use import KeyUse
from support.records import DAY, HOUR, NOON, bare_record


async def test_uses_are_counted_by_key_and_only_what_lives_needs_one(storage: Storage) -> None:
    day = Span(NOON, NOON + HOUR, "UTC")
    made = bare_record(1, alias_number=1, alias_key=1, issued_at=NOON - DAY, state=State.SCHEDULED, span=day)
    series = replace(day, until=NOON + 9 * DAY)
    records = [
        made,
        replace(made, key=bare_record(2).key, kind=Kind.SERIES, span=series, issued_at=NOON - 2 * DAY),
        replace(
            made, key=bare_record(3).key, state=State.ENDED, issued_at=NOON, span=replace(day, end=NOON + 50 * DAY)
        ),
        replace(made, key=bare_record(4).key, kind=Kind.SERIES, alias_key=2),
        replace(made, key=bare_record(5).key, integration=2, alias_key=9),
        bare_record(6),
    ]
    asked = Reservation(5, 1, None, NOON - 3 * DAY, asked_by="a", request_id="r", key_id=1, expires_at=NOON + DAY)
    async with storage.work() as work:
        await work.meetings.save(records)
        await work.asked.add([asked, replace(asked, number=6, request_id="s", key_id=4, expires_at=NOON)])
        found = await work.key_uses.of(1, NOON)
    assert found == {
        1: KeyUse(1, 2, 0, NOON + 9 * DAY, 1, NOON + DAY, first_at=NOON - 3 * DAY, last_at=NOON),
        2: KeyUse(2, 1, 1, None, first_at=NOON - DAY, last_at=NOON - DAY),
        4: KeyUse(4, first_at=NOON - 3 * DAY, last_at=NOON - 3 * DAY),
    }
    async with storage.work() as work:
        await work.reservations.bind(1, 5, bare_record(7).key, NOON - 3 * DAY)
        later = await work.key_uses.of(1, NOON + timedelta(seconds=1))
    assert (later[1].reservations, later[1].waits_until) == (0, None)


async def test_facts_are_found_by_how_their_names_begin(storage: Storage) -> None:
    async with storage.work() as work:
        for name in ("a:1", "a:10", "a_", "b:1"):
            await work.facts.put(name, name.upper())
        assert await work.facts.beginning("a:") == {"1": "A:1", "10": "A:10"}
        await work.facts.forget("a:1")
        assert await work.facts.beginning("a:") == {"10": "A:10"}
