"""Two services, each with a database of its own, on one mailbox: one attends it, both say so, and the other one takes over."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.record import State
from greenroom.scheduler.queue import InProcessQueue
from greenroom.scheduler.service import Service
from greenroom.scheduler.watch_book import Watch, WatchStanding, watch_of
from greenroom.scheduler.watching import Times
from greenroom.storage import Alarm, Storage
from greenroom.storage.facts import INSTALLATION
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation
from support.watched import mark_of

ONE = MeetingKey.of_uid("one")
TIMES = Times(
    beat=timedelta(seconds=0.1),
    lapse=timedelta(seconds=20),
    stale=timedelta(seconds=30),
    forgotten=timedelta(seconds=30),
    settle=timedelta(seconds=0.5),
    again=timedelta(seconds=0.05),
)


def service_of(work: AtWork, times: Times = TIMES) -> Service:
    queue = InProcessQueue(work.clock)
    return Service(
        [work.integration], work.storage, queue, work.clock, poll={"main": 0.05}, push={"main": False}, times=times
    )


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task


@asynccontextmanager
async def beside(work: AtWork) -> AsyncIterator[AtWork]:
    """Another installation on the same mailbox."""
    async with at_work() as other:
        integration = replace(other.integration, mailbox=work.mailbox)
        yield AtWork(work.clock, work.mailbox, other.storage, integration)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (what is waited for is a plain value)
            await asyncio.sleep(0.01)


async def known(storage: Storage) -> tuple[Watch, set[str]]:
    async with storage.reading() as work:
        alarms: list[Alarm] = await work.alarms.since(LONG_AGO)
        return await watch_of(work, MAILBOX), {alarm.code for alarm in alarms}


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Far(FakeMailbox):
    """A mailbox that takes its time to answer."""

    async def marks(self) -> dict[str, str]:
        await asyncio.sleep(random.random() / 50)  # any order may come
        return await super().marks()

    async def mark(self, name: str, text: str | None) -> None:
        await asyncio.sleep(random.random() / 50)
        await super().mark(name, text)


async def test_of_two_services_that_start_at_once_one_answers_and_both_say_so() -> None:
    async with at_work() as first:
        far = Far(MAILBOX, first.clock)
        one = AtWork(first.clock, far, first.storage, replace(first.integration, mailbox=far))
        async with beside(one) as two, AsyncExitStack() as stack:
            for name in ("one", "two", "three"):
                far.invite(observation(name))
            services = [service_of(one), service_of(two)]
            with capture_logs() as logs:
                for service in services:
                    await stack.enter_async_context(serving(service))
                await until(lambda: len(far.sent) == 3)
                await until(
                    lambda: (
                        {e["event"] for e in logs if e["log_level"] == "error"}
                        == {
                            "another Greenroom attends this mailbox; kept out",
                            "another Greenroom wants to attend this mailbox; it is kept out",
                        }
                    )
                )
                await asyncio.sleep(0.3)
            assert (len(far.sent), far.reads) == (3, 3)
            told = [await known(one.storage), await known(two.storage)]
            assert {watch.standing for watch, _ in told} == {WatchStanding.HOLDS, WatchStanding.KEPT_OUT}
            for watch, codes in told:
                expected = "contender" if watch.standing is WatchStanding.HOLDS else "second-watcher"
                assert expected in codes
                assert (watch.contender if watch.standing is WatchStanding.HOLDS else watch.by) is not None


async def test_who_is_kept_out_goes_on_when_the_other_one_stops_and_does_what_came_meanwhile_once() -> None:
    async with at_work() as one, beside(one) as two:
        async with serving(service_of(one)):
            one.mailbox.invite(observation("one"))
            await until(lambda: len(one.mailbox.sent) == 1)
            second = serving(service_of(two))
            await second.__aenter__()
            await asyncio.sleep(0.3)
        one.mailbox.invite(observation("two"))
        await until(lambda: len(one.mailbox.sent) == 2)
        await asyncio.sleep(0.2)
        assert [len(one.mailbox.replies_to(MeetingKey.of_uid(name))) for name in ("one", "two")] == [1, 1]
        await second.__aexit__(None, None, None)
        assert one.mailbox.folder_marks == {}


async def test_a_pass_ends_when_the_mailbox_becomes_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        begun, stopped = asyncio.Event(), asyncio.Event()

        async def changes(_cursor: str, *, limit: int) -> object:
            assert limit
            begun.set()
            try:
                await asyncio.sleep(60)
                raise AssertionError("nobody stopped it")
            finally:
                stopped.set()

        monkeypatch.setattr(work.mailbox, "changes", changes)
        async with serving(service_of(work)), asyncio.timeout(10):
            await begun.wait()
            work.mailbox.folder_marks["Watcher"] = mark_of("b", "1", work.clock()).write()
            await stopped.wait()


async def kept_out_by(work: AtWork, installation: str) -> None:
    """A meeting is over while another one attends the mailbox."""
    work.mailbox.invite(observation(body_html=work.ticket(123456789)))
    await work.attend()
    work.clock.forward(days=5)
    mark = replace(mark_of("b", "1", work.clock()), installation=installation)
    work.mailbox.folder_marks["Watcher"] = mark.write()


async def test_who_is_kept_out_still_looks_after_its_own_rooms() -> None:
    async with at_work() as work:
        await kept_out_by(work, "f" * 32)
        async with serving(service_of(work)), asyncio.timeout(5):
            while (record := await work.record(ONE)) is None or record.state is not State.ENDED:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.02)


async def test_a_copy_of_a_database_lets_even_the_rooms_be() -> None:
    async with at_work() as work:
        async with work.storage.work() as unit:
            installation = await unit.facts.put_first(INSTALLATION, "a" * 32)
        await kept_out_by(work, installation)
        with capture_logs() as logs:
            async with serving(service_of(work)):
                await asyncio.sleep(0.5)
        record = await work.record(ONE)
        assert record is not None
        assert record.state is State.SCHEDULED
        assert [entry["copy"] for entry in logs if entry["log_level"] == "error"] == [True]


async def test_a_mailbox_that_cannot_be_asked_whose_it_is_is_one_that_cannot_be_attended() -> None:
    async with at_work() as work:
        for _ in range(1000):
            work.mailbox.fail("marks", TryLaterError("down", code="E-down"))
        work.mailbox.invite(observation())
        async with serving(service_of(work)):
            await asyncio.sleep(0.5)
            assert work.mailbox.sent == []
            async with work.storage.reading() as unit:
                assert (await unit.mailboxes.get(MAILBOX)).failure == "E-down"
            work.mailbox.faults.clear()
            await until(lambda: len(work.mailbox.sent) == 1)
