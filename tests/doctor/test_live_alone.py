"""The live test takes away what is its own and nothing else, and ends whatever stays silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.doctor import live
from greenroom.doctor.contract import State
from greenroom.doctor.fetching import Page
from greenroom.doctor.live import mark_until, until_of
from greenroom.exchange.contract import Trial
from greenroom.exchange.errors import TryLaterError
from greenroom.settings import Integration
from support.greenroom_at_work import AtWork
from support.observations import MAILBOX
from support.trying import Trying, bad, trying_with_a_fake

PERSON = "olga@sim.test"


async def book(work: AtWork, *, minutes: float) -> None:
    """Let another test have booked a meeting, which lasts for so many minutes yet."""
    now = work.clock()
    body = f"<p>{mark_until(now + timedelta(minutes=minutes))}</p>"
    await work.mailbox.book_trial(PERSON, MAILBOX, Trial("test", body, now, now + timedelta(hours=1)))


@pytest.mark.slow
async def test_two_at_once_leave_each_other_alone(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        other = Trying(replace(trying.scene, tell=lambda _: None), [])
        found, theirs = await asyncio.gather(trying.run(PERSON), other.run(PERSON))
        assert bad(found) == {}
        assert bad(theirs) in ({}, {"live-tidying": State.NOTE})
        assert work.mailbox.booked == {PERSON: {}}


async def test_what_belongs_to_a_test_under_way_stays_and_what_is_over_goes(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        await book(work, minutes=3)
        await book(work, minutes=-1)
        await book(work, minutes=10**6)  # nobody waits so long: a stranger wrote that
        found = [one for one in await live.try_live(trying.scene, PERSON) if one.check == "live-tidying"]
        assert [one.what.partition(" ")[0] for one in found] == ["2", "Another", "The"]
        assert list(work.mailbox.booked[PERSON]) == ["trial-1"]


async def test_an_interrupted_booking_is_brought_to_its_end_and_removed(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        asked, usual = asyncio.Event(), work.mailbox.book_trial

        async def slow(*arguments: object) -> None:
            asked.set()
            await asyncio.sleep(0.02)  # the request is out, and Exchange will do it
            await usual(*arguments)  # type: ignore[arg-type]  # as it was called

        work.mailbox.book_trial = slow  # type: ignore[assignment, method-assign]  # only here
        task = asyncio.ensure_future(trying.run(PERSON))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.mailbox.booked == {PERSON: {}}


@asynccontextmanager
async def in_a_hurry(monkeypatch: pytest.MonkeyPatch, entry: Integration) -> AsyncIterator[tuple[Trying, AtWork]]:
    for name in ("_BUSY", "_ENDING", "_SLACK"):
        monkeypatch.setattr(live, name, timedelta(seconds=0.05))
    async with trying_with_a_fake(entry) as (trying, work):
        trying.scene = replace(trying.scene, patience=timedelta(seconds=0.05), pause=lambda: asyncio.sleep(0.01))
        yield trying, work


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "busy"])
async def test_an_exchange_that_is_gone_in_the_middle_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, *, silent: bool, entry: Integration
) -> None:
    async with in_a_hurry(monkeypatch, entry) as (trying, work):
        usual = work.mailbox.trials

        async def gone(organizer: str, attendee: str) -> object:
            if not work.mailbox.booked:
                return await usual(organizer, attendee)
            if silent:
                await asyncio.sleep(600)
            raise TryLaterError("busy", code="http-503")

        work.mailbox.trials = gone  # type: ignore[assignment]  # only here
        async with asyncio.timeout(5):
            found = await trying.run(PERSON)
        assert found["live-tidying"].state is State.WRONG


@pytest.mark.slow
async def test_whatever_answers_as_the_join_page_breaks_nothing(entry: Integration) -> None:
    async def odd(_url: str) -> Page:
        return Page(200, body=b"5")

    async with trying_with_a_fake(entry) as (trying, work):
        trying.scene = replace(trying.scene, page=odd)
        assert bad(await trying.run(PERSON)) == {"live-join-page": State.WRONG}
        assert work.mailbox.booked == {PERSON: {}}


def test_how_long_a_test_may_last_is_read_back() -> None:
    until = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert until_of(f"<p>x {mark_until(until)}</p>") == until
    assert until_of("until 20269999T999999Z") is None
    assert until_of("") is None
