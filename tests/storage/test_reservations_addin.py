"""Reservations that people asked for, on both databases, also when many ask at once and from several processes."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from greenroom.meetings.reserving import Instructions, TooManyUnclaimedError
from greenroom.storage import Refused, Reservation, Storage, StorageError
from greenroom.storage.refusals import KEPT
from support.records import DAY, NOON, meeting_key
from support.reserved import ADA, BOB, Desk, asked_at

WHO, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody give up where two processes wait for each other's locks, however busy the machine is."""
    monkeypatch.setattr("greenroom.scheduler.reserving._PATIENCE", 300.0)
    monkeypatch.setattr("greenroom.scheduler.together._PATIENCE", 300.0)


def asked(number: int, request_id: str | None, *, by: str = WHO, integration: int = 1) -> Reservation:
    return Reservation(number, integration, None, NOON, None, by, request_id, 3, NOON + 30 * DAY)


async def test_who_asked_for_a_number_is_remembered(storage: Storage) -> None:
    mine = asked(5, "r1")
    async with storage.work() as work:
        await work.asked.take_turn(1, WHO)
        assert await work.asked.add([mine]) == [5]
    async with storage.reading() as work:
        assert await work.asked.of_request(1, WHO, "r1") == mine
        assert (await work.reservations.holders(1, [5]))[5] == mine
        for integration, person, request_id in ((2, WHO, "r1"), (1, OTHER, "r1"), (1, WHO, "r2")):
            assert await work.asked.of_request(integration, person, request_id) is None


async def test_of_several_numbers_those_that_are_free_are_taken(storage: Storage) -> None:
    async with storage.work() as work:
        await work.reservations.reserve(1, 5, NOON)
        assert sorted(await work.asked.add([asked(4, "r1"), asked(5, "r2"), asked(6, "r3")])) == [4, 6]
        assert await work.asked.add([asked(7, "r1")]) == [], "the same request again"
        assert await work.asked.add([asked(7, "r1", by=OTHER), asked(8, None), asked(9, None)]) == [7, 8, 9]


async def test_only_what_waits_is_counted(storage: Storage) -> None:
    async with storage.work() as work:
        await work.asked.add([asked(n, f"r{n}") for n in range(1, 6)])
        await work.asked.add([asked(6, "r6", by=OTHER), asked(7, "r7", integration=2)])
        await work.reservations.bind(1, 1, meeting_key(1), NOON)
        await work.reservations.tombstone(1, 2, NOON)
        assert await work.asked.count(1, WHO, NOON) == 3
        assert await work.asked.count(1, WHO, NOON + 30 * DAY) == 0
        assert await work.asked.count(1, OTHER, NOON) == 1


async def test_a_meeting_that_brings_the_ticket_ends_the_expiry(storage: Storage) -> None:
    async with storage.work() as work:
        await work.asked.add([asked(5, "r5")])
        bound = await work.reservations.bind(1, 5, meeting_key(1), NOON)
        assert bound == Reservation(5, 1, meeting_key(1), NOON, None, WHO, "r5", 3, None)
        assert not await work.asked.prolong(1, 5, WHO, NOON + 60 * DAY)
        assert not await work.asked.release(1, 5, WHO, NOON)
        assert await work.asked.expire(1, NOON + 900 * DAY, 10) == 0


async def test_only_its_owner_prolongs_or_gives_back(storage: Storage) -> None:
    async with storage.work() as work:
        await work.asked.add([asked(5, "r5")])
        assert not await work.asked.release(1, 5, OTHER, NOON)
        assert not await work.asked.release(1, 5, WHO, NOON - DAY), "another ticket of the same number"
        assert not await work.asked.prolong(1, 5, OTHER, NOON + 60 * DAY)
        assert await work.asked.prolong(1, 5, WHO, NOON + 60 * DAY)
        assert await work.asked.count(1, WHO, NOON + 59 * DAY) == 1
        assert await work.asked.release(1, 5, WHO, NOON)
        assert not await work.reservations.is_taken(1, 5)


async def test_a_forgotten_request_frees_its_id(storage: Storage) -> None:
    async with storage.work() as work:
        await work.asked.add([asked(5, "r5")])
        await work.asked.forget_request(1, WHO, "r5")
        assert await work.asked.of_request(1, WHO, "r5") is None
        assert await work.asked.add([asked(6, "r5")]) == [6]


async def test_what_is_over_is_given_back_piece_by_piece(storage: Storage) -> None:
    async with storage.work() as work:
        await work.asked.add([asked(n, f"r{n}") for n in range(1, 6)])
        await work.asked.add([asked(7, "r7", integration=2)])
        expire = work.asked.expire
        assert [await expire(1, at, 3) for at in (NOON, NOON + 30 * DAY, NOON + 30 * DAY, NOON + 31 * DAY)] == [
            0,
            3,
            2,
            0,
        ]
        assert await work.reservations.is_taken(2, 7)


async def test_refused_requests_are_found_by_their_id_and_bounded(storage: Storage) -> None:
    one = Refused(1, "AAAA-0001", NOON, "bearer", "audience", "expected a, received b")
    async with storage.work() as work:
        await work.refusals.note([])
        await work.refusals.note([one, Refused(0, "AAAA-0002", NOON, "x" * 100, "y" * 100, "z" * 1000)])
        assert await work.refusals.by_correlation("AAAA-0001") == [one]
        (cut,) = await work.refusals.by_correlation("AAAA-0002")
        assert (len(cut.kind), len(cut.reason), len(cut.detail)) == (32, 64, 500)
        assert await work.refusals.by_correlation("AAAA-0003") == []
    for start in range(0, KEPT, 2_500):
        async with storage.work() as work:
            await work.refusals.note([Refused(1, f"B{start + n}", NOON, "limit", "rate") for n in range(2_500)])
    async with storage.reading() as work:
        assert await work.refusals.by_correlation("AAAA-0001") == []
        assert len(await work.refusals.by_correlation("B0")) == 1


async def two_processes(url: str) -> tuple[Storage, Storage]:
    first, second = Storage.open(url), Storage.open(url)
    await first.migrate()
    return first, second


async def test_one_request_that_races_with_itself_gives_one_ticket(url: str) -> None:
    both = await two_processes(url)
    async with asked_at(both[0]) as here, asked_at(both[1]) as there:
        asks = [desk.reserving.reserve(ADA, "request-0123456789") for desk in (here, there) * 5]
        told = await asyncio.gather(*asks)
        assert len({one.ticket for one in told}) == 1
        assert sum(not one.repeated for one in told) == 1
    for storage in both:
        await storage.close()


async def test_nobody_gets_more_than_allowed_by_asking_at_once(url: str) -> None:
    both = await two_processes(url)

    async def ask(desk: Desk, number: int) -> Instructions | None:
        try:
            return await desk.reserving.reserve((ADA, BOB)[number % 2], f"request-number-{number:04}")
        except TooManyUnclaimedError:
            return None

    async with asked_at(both[0], unclaimed=4) as here, asked_at(both[1], unclaimed=4) as there:
        told = await asyncio.gather(*(ask((here, there)[n // 2 % 2], n) for n in range(24)))
        got = [one.ticket for one in told if one is not None]
        assert len(got) == len(set(got)) == 8
        async with both[0].reading() as work:
            assert await work.asked.count(1, ADA.user, here.clock()) == 4
    for storage in both:
        await storage.close()


async def test_an_invitation_and_the_expiry_of_its_ticket_do_not_lose_the_number(url: str) -> None:
    both = await two_processes(url)
    async with both[0].work() as work:
        await work.asked.add([asked(n, f"r{n}") for n in range(1, 21)])

    async def bind(number: int) -> None:
        async with both[1].work() as work:
            assert await work.reservations.bind(1, number, meeting_key(number), NOON) is not None

    async def expire() -> None:
        async with both[0].work() as work:
            await work.asked.expire(1, NOON + 30 * DAY + timedelta(seconds=1), 5)

    await asyncio.gather(*(bind(n) if n % 2 else expire() for n in range(1, 21)))
    async with both[0].reading() as work:
        held = await work.reservations.holders(1, range(1, 21))
    assert {n for n, one in held.items() if one.key is not None} == set(range(1, 21, 2))
    for storage in both:
        await storage.close()


@pytest.mark.slow
async def test_hundreds_at_once_all_get_another_number(url: str) -> None:
    both = await two_processes(url)
    async with asked_at(both[0], unclaimed=1000) as here, asked_at(both[1], unclaimed=1000) as there:
        asks = [
            desk.reserving.reserve((ADA, BOB)[n % 2], f"request-number-{n:04}")
            for n in range(200)
            for desk in (here, there)
        ]
        told = await asyncio.gather(*asks)
        assert len({one.ticket for one in told}) == 200
    for storage in both:
        await storage.close()


async def test_what_is_asked_most_is_one_statement_that_stores_or_does_not(storage: Storage) -> None:
    async with storage.work() as work:
        add = work.asked.add_new
        assert await add(asked(1, "r1"), NOON, 2)
        assert not await add(asked(1, "r2"), NOON, 2), "the number is taken"
        assert not await add(asked(2, "r1"), NOON, 2), "the request was answered"
        assert await add(asked(2, "r2"), NOON, 2)
        assert not await add(asked(3, "r3"), NOON, 2), "there are two"
        assert await add(asked(3, "r3"), NOON + 30 * DAY, 2), "those have expired"
        assert await add(asked(4, "r1", by=OTHER), NOON, 2)
        assert await add(asked(1, "r1", integration=2), NOON, 2)
        held = await work.reservations.holders(1, [1, 2, 3, 4])
    assert held == {1: asked(1, "r1"), 2: asked(2, "r2"), 3: asked(3, "r3"), 4: asked(4, "r1", by=OTHER)}


async def test_a_statement_in_one_go_fails_as_others_do(storage: Storage) -> None:
    broken = sa.text("SELECT planted_secret FROM nowhere")
    with pytest.raises(StorageError) as caught:
        async with storage.work() as work:
            await work.asked._session.fetch(broken, {})
    assert "planted" not in str(caught.value)
    async with storage.work() as work:
        assert await work.asked.add_new(asked(1, "r1"), NOON, 2)
