"""What the conformance suite asks of pushed hints and of trouble on the way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

import pytest

from exchange.conforming.asking import Contract, everything, the_one
from exchange.simulated import HOUR, START, House
from greenroom.exchange.errors import (
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)


class WakingContract(Contract):
    """Hints come, once for each burst, and end with the listening."""

    async def test_an_invitation_wakes_and_a_burst_wakes_once(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            for n in range(5):
                house.invite(f"M{n}", start=START + n * HOUR)
            await asyncio.wait_for(waiting, 5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(hints), 1)

    async def test_listening_that_exchange_ended_is_taken_up_again_with_a_hint(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            house.stop_listening()
            await asyncio.wait_for(waiting, 5)
            await house.eventually(lambda: house.listeners_made() > 1)

    async def test_nobody_is_left_listening_after_the_end(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            house.invite()
            await asyncio.wait_for(waiting, 5)
        assert house.listeners_ended() == 1


class EnduringContract(Contract):
    """Trouble is told for what it is, and not made worse."""

    async def test_a_busy_server_is_left_alone_as_long_as_it_asks(self, house: House) -> None:
        house.simulator.fail(kind="http_429", retry_after=30, times=1)
        with pytest.raises(TryLaterError) as told:
            await house.mailbox.changes("", limit=10)
        assert not isinstance(told.value, OutcomeUnknownError)
        assert told.value.after is not None
        assert timedelta(seconds=25) < told.value.after <= timedelta(seconds=30)
        before = house.simulator.calls()
        with pytest.raises(TryLaterError):
            await house.mailbox.changes("", limit=10)
        assert house.simulator.calls() == before

    async def test_one_broken_answer_to_a_reading_call_is_not_noticed(self, house: House) -> None:
        key = house.invite()
        for operation in (house.operations["changes"], house.operations["read"]):
            house.simulator.fail(kind="truncated_reply", operation=operation, times=1)
        assert (await the_one(house)).key == key

    async def test_answers_that_stay_broken_are_something_to_try_later(self, house: House) -> None:
        house.invite()
        glances, _, _ = await everything(house)
        house.simulator.fail(kind="garbage_reply")
        with pytest.raises(TryLaterError):
            await house.mailbox.changes("", limit=10)
        with pytest.raises(TryLaterError):
            await house.mailbox.read([g.ref for g in glances])

    async def test_a_refused_sign_in_is_not_repeated(self, house: House) -> None:
        house.simulator.fail(kind="unauthorized")
        for _ in range(3):
            with pytest.raises(SignInError):
                await house.mailbox.check()
        assert house.simulator.calls() <= house.calls_of_a_refusal

    async def test_check_says_nothing_when_all_is_well(self, house: House) -> None:
        await house.mailbox.check()
