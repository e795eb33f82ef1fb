"""Whose the number of an integration is."""

from collections.abc import AsyncIterator

import pytest

from greenroom.scheduler.numbers import MixedUpError, check_numbers, give_numbers, hold_numbers
from greenroom.storage import Storage
from support.empty import storage_in_memory

A, B, C = "a@example.org", "b@example.org", "c@example.org"


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = await storage_in_memory()
    yield storage
    await storage.close()


async def give(storage: Storage, mailboxes: dict[int, str]) -> int:
    async with storage.work() as work:
        return len(await give_numbers(work, mailboxes))


async def test_who_comes_first_has_the_number(storage: Storage) -> None:
    for _ in range(2):
        await hold_numbers(storage, {1: "A@Example.org", 10: B})
    await hold_numbers(storage, {10: B})  # a process that attends one of them
    await hold_numbers(storage, {1: A, 10: B, 2: C})
    await check_numbers(storage, {1: A, 10: B, 2: C, 3: "new@example.org"})


@pytest.mark.parametrize(
    ("mailboxes", "said"),
    [
        ({1: C, 2: B}, f"number 1 is that of the mailbox {A}, and the configuration gives it to {C}"),
        ({1: B, 2: A}, f"number 1 is that of the mailbox {A}, and the configuration gives it to {B}"),
        ({2: B, 3: A}, f"{A} has the number 1, and the configuration gives it the number 3"),
    ],
    ids=["other mailbox", "swapped", "other number"],
)
async def test_what_would_mix_up_meetings_is_refused_until_somebody_says_that_it_is_meant(
    storage: Storage, mailboxes: dict[int, str], said: str
) -> None:
    await hold_numbers(storage, {1: A, 2: B})
    for look in (hold_numbers, check_numbers, hold_numbers):
        with pytest.raises(MixedUpError) as refused:
            await look(storage, mailboxes)
        assert str(refused.value) == said
    await hold_numbers(storage, {1: A, 2: B})  # nothing was remembered of it

    assert await give(storage, mailboxes) in (1, 2)
    await hold_numbers(storage, mailboxes)
    assert await give(storage, mailboxes) == 0
    with pytest.raises(MixedUpError):
        await hold_numbers(storage, {1: A, 2: B})


async def test_a_number_that_goes_to_another_mailbox_while_the_first_gets_a_new_one_is_not_forgotten(
    storage: Storage,
) -> None:
    await hold_numbers(storage, {1: A, 10: C})
    assert await give(storage, {1: B, 2: A}) == 2
    with pytest.raises(MixedUpError):
        await hold_numbers(storage, {1: A})
    await hold_numbers(storage, {1: B, 2: A, 10: C})
