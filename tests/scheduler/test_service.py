"""The loops: nothing that goes wrong with a mailbox, a stream or the database ends them, and nothing spins."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.contract import Hint
from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    SignInError,
    TryLaterError,
)
from greenroom.meetings.meeting import Glance, MeetingKey
from greenroom.meetings.record import State
from greenroom.scheduler import service as services
from greenroom.scheduler.claim import LEASE
from greenroom.scheduler.queue import InProcessQueue
from greenroom.scheduler.service import Service
from greenroom.storage import MailboxState, StorageBusyError
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation

ONE = MeetingKey.of_uid("one")
FAR = 3600.0


def service_of(work: AtWork, *, poll: float = FAR, push: bool = False, queue: InProcessQueue | None = None) -> Service:
    queue = queue or InProcessQueue(work.clock)
    return Service([work.integration], work.storage, queue, work.clock, poll={"main": poll}, push={"main": push})


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (what is waited for is a plain value)
            await asyncio.sleep(0.01)


def counted(work: AtWork, monkeypatch: pytest.MonkeyPatch, *errors: BaseException) -> list[int]:
    """Count looks at the feed; the first ones raise these errors."""
    calls: list[int] = []
    waiting, changes = list(errors), work.mailbox.changes

    async def look(cursor: str, *, limit: int) -> object:
        calls.append(1)
        if waiting:
            raise waiting.pop(0)
        return await changes(cursor, limit=limit)

    monkeypatch.setattr(work.mailbox, "changes", look)
    return calls


def events(logs: list[Any]) -> list[Mapping[str, Any]]:
    return [entry for entry in logs if entry["log_level"] == "error"]


async def test_an_invitation_is_answered_by_polling_alone() -> None:
    async with at_work() as work, serving(service_of(work, poll=0.02)):
        work.mailbox.invite(observation())
        await until(lambda: len(work.mailbox.replies_to(ONE)) == 1)


async def test_a_hint_shortens_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        hints: asyncio.Queue[None] = asyncio.Queue()

        async def wakeups() -> AsyncIterator[Hint]:
            while True:
                await hints.get()
                yield Hint.LOOK

        monkeypatch.setattr(work.mailbox, "wakeups", wakeups)
        calls = counted(work, monkeypatch)
        async with serving(service_of(work, push=True)):
            await until(lambda: len(calls) == 1)
            work.mailbox.invite(observation())
            hints.put_nowait(None)
            await until(lambda: len(work.mailbox.replies_to(ONE)) == 1)


@pytest.mark.parametrize(
    "error",
    [
        TryLaterError("busy", code="E"),
        SignInError("refused", code="E"),
        MisconfiguredError("wrong", hint="look", code="E"),
        NotPermittedError("no right", code="E"),
        ExchangeError("else", code="E"),
        StorageBusyError("locked"),
        ValueError("Takeover of the competitor"),
    ],
)
async def test_no_fault_of_a_pass_ends_the_polling_and_none_shows_content(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_work() as work:
        counted(work, monkeypatch, error, error, error)
        work.mailbox.invite(observation())
        with capture_logs() as logs:
            async with serving(service_of(work, poll=0.02)):
                await until(lambda: len(work.mailbox.replies_to(ONE)) == 1)
        assert "Takeover" not in repr(logs)
        assert len(events(logs)) == (0 if isinstance(error, TryLaterError) else 1)


@pytest.mark.parametrize("error", [RuntimeError("Takeover"), SignInError("refused"), TryLaterError("stream")])
async def test_a_stream_that_fails_ends_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        begun: list[int] = []

        async def wakeups() -> AsyncIterator[Hint]:
            begun.append(1)
            if len(begun) > 1:
                yield Hint.LOOK
            raise error

        monkeypatch.setattr(work.mailbox, "wakeups", wakeups)
        monkeypatch.setattr(services, "_PUSH_PAUSES", (0.01,))
        monkeypatch.setattr(services, "_REFUSED_PAUSE", timedelta(milliseconds=10))
        with capture_logs() as logs:
            async with serving(service_of(work, push=True, poll=0.02)) as task:
                await until(lambda: len(begun) > 3)
                assert not task.done()
                work.mailbox.invite(observation())
                await until(lambda: len(work.mailbox.replies_to(ONE)) == 1)
        assert "Takeover" not in repr(logs)


async def test_a_server_that_says_at_once_is_not_asked_in_a_tight_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        busy = [TryLaterError("busy", after=timedelta(), code="E") for _ in range(1000)]
        calls = counted(work, monkeypatch, *busy)
        async with serving(service_of(work)):
            await asyncio.sleep(0.3)
            assert len(calls) == 1


async def test_the_wait_a_server_asks_for_is_kept_and_then_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        calls = counted(work, monkeypatch, TryLaterError("busy", after=timedelta(minutes=5), code="E"))
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue)):
            await until(lambda: len(calls) == 1)
            await queue.idle()  # the wait begins when the pass has ended
            work.clock.forward(minutes=4)
            await asyncio.sleep(0.1)
            assert len(calls) == 1
            work.clock.forward(minutes=2)
            await queue.idle()  # looks at the clock anew
            assert len(calls) == 2


async def test_a_mailbox_another_process_attends_is_left_alone_and_that_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_work() as work:
        calls = counted(work, monkeypatch)
        async with work.storage.work() as unit:
            await unit.mailboxes.claim(MAILBOX, "another-host/1", work.clock(), work.clock() + LEASE)
        with capture_logs() as logs:
            async with serving(service_of(work, poll=0.02)):
                await asyncio.sleep(0.3)
        assert calls == []
        assert [entry["event"] for entry in events(logs)] == ["another process attends this mailbox"]


async def test_a_pass_stops_when_another_process_has_taken_the_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
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

        async def keep(_self: object) -> str:
            await begun.wait()
            return "another-host/1"

        monkeypatch.setattr(work.mailbox, "changes", changes)
        monkeypatch.setattr("greenroom.scheduler.claim.Claim.keep", keep)
        async with serving(service_of(work)), asyncio.timeout(5):
            await stopped.wait()


async def test_stopping_in_the_middle_of_a_pass_gives_the_mailbox_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        begun = asyncio.Event()

        async def changes(_cursor: str, *, limit: int) -> object:
            assert limit
            begun.set()
            await asyncio.sleep(60)
            raise AssertionError("nobody stopped it")

        monkeypatch.setattr(work.mailbox, "changes", changes)
        monkeypatch.setattr(services, "_GRACE", timedelta(milliseconds=50))
        async with serving(service_of(work)):
            await begun.wait()
        async with work.storage.work() as unit:
            assert (await unit.mailboxes.get(MAILBOX)).claimed_by is None


async def test_a_cancelled_service_gives_the_mailbox_free() -> None:
    async with at_work() as work:
        work.mailbox.invite(observation())
        task = asyncio.create_task(service_of(work).run(asyncio.Event()))
        await until(lambda: len(work.mailbox.sent) == 1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with work.storage.work() as unit:
            assert (await unit.mailboxes.get(MAILBOX)).claimed_by is None


async def test_what_is_over_is_closed_also_while_exchange_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation(body_html=work.ticket(123456789)))
        await work.attend()
        work.clock.forward(days=5)
        counted(work, monkeypatch, *[TryLaterError("down", code="E") for _ in range(1000)])
        async with serving(service_of(work, poll=0.02)), asyncio.timeout(5):
            while (record := await work.record(ONE)) is None or record.state is not State.ENDED:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.02)


async def test_waiting_replies_go_out_when_their_turn_comes_without_another_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = 3
        calls = counted(work, monkeypatch)
        for n in range(5):
            work.mailbox.invite(observation(f"m{n}", body_html=work.ticket(100000000 + n)))
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue)):
            await until(lambda: len(work.mailbox.sent) == 2)
            await queue.idle()
            work.clock.forward(seconds=61)
            await queue.idle()
            assert len(work.mailbox.sent) == 4
        assert (len(calls), work.mailbox.reads, work.mailbox.violations) == (1, 5, [])


async def test_replies_wait_while_the_calendar_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        work.mailbox.sends_per_minute = 3
        for n in range(5):
            work.mailbox.invite(observation(f"m{n}", body_html=work.ticket(100000000 + n)))
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue)):
            await until(lambda: len(work.mailbox.sent) == 2)
            await queue.idle()
            calls = counted(work, monkeypatch, TryLaterError("down", code="E"))
            work.clock.forward(minutes=5)
            await queue.idle()
            assert (len(work.mailbox.sent), len(calls)) == (2, 1)
            await service_looks(queue)
            assert len(work.mailbox.sent) == 4


async def service_looks(queue: InProcessQueue) -> None:
    await queue.submit("attend", "main")
    await queue.idle()


async def test_the_whole_calendar_is_compared_after_the_first_pass_every_hour_and_on_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_work() as work:
        lists: list[int] = []
        inventory, hints = work.mailbox.inventory, asyncio.Queue[Hint]()

        async def listed(since: datetime) -> list[Glance]:
            lists.append(1)
            return await inventory(since)

        async def wakeups() -> AsyncIterator[Hint]:
            while True:
                yield await hints.get()

        monkeypatch.setattr(work.mailbox, "inventory", listed)
        monkeypatch.setattr(work.mailbox, "wakeups", wakeups)
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue, push=True)):
            await until(lambda: len(lists) == 1)
            await queue.idle()
            cursor = await state_of(work)
            work.mailbox.items["item-one"] = observation()  # the feed does not tell of it
            for minutes, expected in ((30, 1), (31, 2)):
                work.clock.forward(minutes=minutes)
                await service_looks(queue)
                await queue.idle()
                assert len(lists) == expected
            assert len(work.mailbox.replies_to(ONE)) == 1
            after = await state_of(work)
            assert after.cursor == cursor.cursor
            assert after.reconciled_at == work.clock.now
            del work.mailbox.items["item-one"]
            hints.put_nowait(Hint.RECONCILE)
            await until(lambda: len(lists) == 3)
            await queue.idle()
            record = await work.record(ONE)
            assert record is not None
            assert (record.state, record.reason) == (State.ENDED, "removed")


async def test_where_all_is_to_be_compared_the_feed_is_read_even_if_comparing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_work() as work:
        hints = asyncio.Queue[Hint]()

        async def wakeups() -> AsyncIterator[Hint]:
            while True:
                yield await hints.get()

        monkeypatch.setattr(work.mailbox, "wakeups", wakeups)
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue, push=True)):
            await service_looks(queue)
            work.mailbox.fail("inventory", NotPermittedError("no", code="E"))
            work.mailbox.invite(observation())
            hints.put_nowait(Hint.RECONCILE)
            await until(lambda: len(work.mailbox.replies_to(ONE)) == 1)


async def test_a_comparison_that_failed_is_made_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        work.mailbox.fail("inventory", NotPermittedError("no", code="E"))
        queue = InProcessQueue(work.clock)
        async with serving(service_of(work, queue=queue)):
            await until(lambda: work.mailbox.faults == [])
            await queue.idle()
            assert (await state_of(work)).reconciled_at is None
            work.clock.forward(minutes=6)
            await service_looks(queue)
            await queue.idle()
            assert (await state_of(work)).reconciled_at == work.clock.now


async def state_of(work: AtWork) -> MailboxState:
    async with work.storage.reading() as unit:
        return await unit.mailboxes.get(MAILBOX)
