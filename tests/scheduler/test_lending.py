"""Commands borrow a mailbox: from a service in an orderly manner, from nobody at once, from another installation never."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.meetings.meeting import MeetingKey
from greenroom.scheduler import lending, service, watching
from greenroom.scheduler.lending import AnotherCommandError, AttendedElsewhereError, NotLentError, borrowed
from greenroom.scheduler.queue import InProcessQueue
from greenroom.scheduler.service import Service
from greenroom.scheduler.watching import Times
from greenroom.storage import MailboxState
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation
from support.watched import mark_of

ONE = MeetingKey.of_uid("one")
COMMAND = "another-host/77"
SOON = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_LEND_EVERY", timedelta(milliseconds=20))
    monkeypatch.setattr(lending, "_ASK_EVERY", 0.02)
    monkeypatch.setattr(lending, "BEAT", timedelta(milliseconds=20))


@asynccontextmanager
async def serving(work: AtWork, *, poll: float = 0.05) -> AsyncIterator[None]:
    one = Service(
        [work.integration],
        work.storage,
        InProcessQueue(work.clock),
        work.clock,
        poll={"main": poll},
        push={"main": False},
    )
    stop = asyncio.Event()
    task = asyncio.create_task(one.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (what is waited for is a plain value)
            await asyncio.sleep(0.01)


async def state_of(work: AtWork) -> MailboxState:
    async with work.storage.reading() as unit:
        return await unit.mailboxes.get(MAILBOX)


async def answered(work: AtWork, name: str) -> None:
    """An invitation comes and is answered."""
    work.mailbox.invite(observation(name))
    await until(lambda: len(work.mailbox.replies_to(MeetingKey.of_uid(name))) == 1)


async def test_where_no_service_runs_a_mailbox_is_borrowed_at_once_and_given_back_whole() -> None:
    async with at_work() as work:
        async with borrowed(work.storage, MAILBOX, work.clock, mailbox=work.mailbox, number=1, patience=timedelta()):
            state = await state_of(work)
            assert state.claimed_by == state.wanted_by is not None
            assert "Watcher" in work.mailbox.folder_marks
        state = await state_of(work)
        assert (state.claimed_by, state.wanted_by) == (None, None)
        assert work.mailbox.folder_marks == {}


async def test_the_service_lends_when_nothing_runs_and_goes_on_afterwards() -> None:
    async with at_work() as work, serving(work):
        await answered(work, "one")
        with capture_logs() as logs:
            async with borrowed(
                work.storage, MAILBOX, work.clock, mailbox=work.mailbox, number=1, patience=SOON, owner=COMMAND
            ):
                work.mailbox.invite(observation("two"))
                await asyncio.sleep(0.3)
                assert work.mailbox.replies_to(MeetingKey.of_uid("two")) == []
                assert (await state_of(work)).claimed_by == COMMAND
            await until(lambda: len(work.mailbox.replies_to(MeetingKey.of_uid("two"))) == 1)
        lent = [entry for entry in logs if entry["event"].startswith("mailbox ")]
        assert [(entry["event"], entry.get("to", entry.get("by"))) for entry in lent] == [
            ("mailbox lent", COMMAND),
            ("mailbox given back", COMMAND),
        ]
        assert not [entry for entry in logs if entry["log_level"] == "error"]


async def test_what_runs_is_finished_before_the_mailbox_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as work:
        begun, goes_on = asyncio.Event(), asyncio.Event()
        respond = work.mailbox.respond

        async def slowly(replies: object) -> object:
            begun.set()
            await goes_on.wait()
            return await respond(replies)  # type: ignore[arg-type]  # what the scheduler gave

        monkeypatch.setattr(work.mailbox, "respond", slowly)
        work.mailbox.invite(observation("one"))
        async with serving(work):
            await begun.wait()
            waits: list[str] = []
            with pytest.raises(NotLentError) as refused:
                async with borrowed(
                    work.storage,
                    MAILBOX,
                    work.clock,
                    patience=timedelta(seconds=0.2),
                    owner=COMMAND,
                    waits_for=waits.append,
                ):
                    raise AssertionError("it is not lent")
            assert waits == [refused.value.holder]
            assert refused.value.holder in str(refused.value)
            assert (await state_of(work)).wanted_by is None
            goes_on.set()
            async with borrowed(work.storage, MAILBOX, work.clock, patience=SOON, owner=COMMAND):
                assert len(work.mailbox.replies_to(ONE)) == 1


async def test_a_wish_of_a_command_that_died_runs_out() -> None:
    async with at_work() as work, serving(work):
        await answered(work, "one")
        async with work.storage.work() as unit:
            await unit.mailboxes.want(MAILBOX, COMMAND, work.clock(), work.clock() + timedelta(minutes=1))
        await asyncio.sleep(0.2)
        work.mailbox.invite(observation("two"))
        await asyncio.sleep(0.2)
        assert work.mailbox.replies_to(MeetingKey.of_uid("two")) == []
        work.clock.forward(minutes=2)
        await until(lambda: len(work.mailbox.replies_to(MeetingKey.of_uid("two"))) == 1)


async def test_a_second_command_is_refused_by_name() -> None:
    async with (
        at_work() as work,
        borrowed(work.storage, MAILBOX, work.clock, owner=COMMAND),
    ):
        with pytest.raises(AnotherCommandError, match=COMMAND):
            async with borrowed(work.storage, MAILBOX, work.clock):
                raise AssertionError("it is not lent twice")
        assert (await state_of(work)).wanted_by == COMMAND


async def test_a_command_whose_mailbox_is_lost_is_stopped() -> None:
    async with at_work() as work:

        async def borrow() -> None:
            async with borrowed(work.storage, MAILBOX, work.clock, owner=COMMAND):
                async with work.storage.work() as unit:
                    await unit.mailboxes.release(MAILBOX, COMMAND)
                    await unit.mailboxes.claim(MAILBOX, "robber/1", work.clock(), work.clock() + timedelta(minutes=1))
                await asyncio.sleep(10)

        with pytest.raises(NotLentError, match="robber/1"):
            await borrow()
        assert (await state_of(work)).claimed_by == "robber/1"


async def test_errors_of_the_work_itself_come_out_as_they_are() -> None:
    async with at_work() as work:
        with pytest.raises(TimeoutError, match="mine"):
            async with borrowed(work.storage, MAILBOX, work.clock, mailbox=work.mailbox):
                raise TimeoutError("mine")
        assert (await state_of(work)).wanted_by is None


async def test_a_mailbox_that_another_installation_attends_is_not_borrowed() -> None:
    async with at_work() as work:
        mark = mark_of("b", "1", work.clock(), host="far-away")
        work.mailbox.folder_marks["Watcher"] = mark.write()
        with pytest.raises(AttendedElsewhereError, match="far-away") as refused:
            async with borrowed(work.storage, MAILBOX, work.clock, mailbox=work.mailbox):
                raise AssertionError("it is not lent")
        assert refused.value.other is not None
        assert refused.value.other.host == "far-away"
        assert work.mailbox.folder_marks["Watcher"] == mark.write()


async def test_a_mark_that_was_left_long_ago_is_watched_for_a_while_before_it_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_work() as work:
        monkeypatch.setattr(lending, "_LOOK_EVERY", 0.05)
        monkeypatch.setattr(watching, "USUAL", Times(stale=timedelta(seconds=0.2)))
        mark = mark_of("b", "1", work.clock() - timedelta(hours=3), host="far-away")
        work.mailbox.folder_marks["Watcher"] = mark.write()
        waits: list[str] = []
        async with borrowed(work.storage, MAILBOX, work.clock, mailbox=work.mailbox, waits_for=waits.append):
            assert work.mailbox.folder_marks["Watcher"] != mark.write()
        assert waits == ["far-away"]
