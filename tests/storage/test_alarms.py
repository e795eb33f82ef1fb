import asyncio
from datetime import timedelta

from greenroom.storage import Alarm, Storage
from greenroom.storage.alarms import KEPT
from support.records import HOUR, NOON

GUESSES = Alarm(1, "policy-alias-guessing", "address 203.0.113.9", 5, NOON, NOON + HOUR)


def at(alarm: Alarm, hours: float, count: int = 1) -> Alarm:
    when = NOON + timedelta(hours=hours)
    return Alarm(alarm.integration, alarm.code, alarm.subject, count, when, when)


async def known(storage: Storage) -> list[Alarm]:
    async with storage.reading() as work:
        return await work.alarms.since(NOON - 100 * HOUR)


async def note(storage: Storage, *alarms: Alarm) -> None:
    async with storage.work() as work:
        await work.alarms.note(alarms)


async def test_an_incident_that_goes_on_is_one_row_that_grows(storage: Storage) -> None:
    await note(storage)
    await note(storage, GUESSES)
    await note(storage, at(GUESSES, 2, 7))
    await note(storage, at(GUESSES, -1, 2))
    assert await known(storage) == [Alarm(1, GUESSES.code, GUESSES.subject, 14, NOON - HOUR, NOON + 2 * HOUR)]


async def test_after_a_day_of_silence_it_is_another_incident(storage: Storage) -> None:
    await note(storage, GUESSES)
    await note(storage, at(GUESSES, 25))
    assert (await known(storage))[0].count == 6
    await note(storage, at(GUESSES, 49.5, 3))
    assert await known(storage) == [at(GUESSES, 49.5, 3)]


async def test_incidents_differ_by_integration_code_and_subject(storage: Storage) -> None:
    others = [
        Alarm(2, GUESSES.code, GUESSES.subject, 1, NOON, NOON + 2 * HOUR),
        Alarm(1, "policy-password-guessing", GUESSES.subject, 1, NOON, NOON + 3 * HOUR),
        Alarm(1, GUESSES.code, "others", 1, NOON, NOON + 4 * HOUR),
    ]
    await note(storage, GUESSES, *others)
    assert await known(storage) == [*reversed(others), GUESSES], "the latest first"


async def test_only_what_happened_lately_is_told(storage: Storage) -> None:
    await note(storage, GUESSES)
    async with storage.reading() as work:
        assert await work.alarms.since(NOON + HOUR) == [GUESSES]
        assert await work.alarms.since(NOON + HOUR + timedelta(seconds=1)) == []
        assert await work.alarms.since(NOON, limit=0) == []


async def test_words_that_are_too_long_are_cut(storage: Storage) -> None:
    await note(storage, Alarm(1, "c" * 99, "s" * 999, 1, NOON, NOON))
    (alarm,) = await known(storage)
    assert (len(alarm.code), len(alarm.subject)) == (64, 255)


async def test_the_latest_are_kept_however_many_there_are(storage: Storage) -> None:
    minute = timedelta(minutes=1)
    many = [Alarm(1, "c", str(n), 1, NOON + n * minute, NOON + n * minute) for n in range(KEPT + 30)]
    for start in range(0, len(many), 100):
        await note(storage, *many[start : start + 100])
    async with storage.reading() as work:
        kept = await work.alarms.since(NOON, limit=2 * KEPT)
    assert kept == list(reversed(many[30:]))


async def test_several_may_note_one_incident_at_once(storage: Storage) -> None:
    await asyncio.gather(*(note(storage, at(GUESSES, number)) for number in range(8)))
    (alarm,) = await known(storage)
    assert (alarm.count, alarm.first_at, alarm.last_at) == (8, NOON, NOON + 7 * HOUR)
