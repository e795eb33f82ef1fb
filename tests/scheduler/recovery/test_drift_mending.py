"""What is mended by itself, what is left to somebody, and what the service does of it every few hours."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import Drift, Policy
from greenroom.meetings.record import Record, State
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.queue import InProcessQueue
from greenroom.scheduler.recovery import drift, watch_drift
from greenroom.scheduler.recovery.watch_drift import DriftWatch, look
from greenroom.scheduler.service import Service
from greenroom.storage import RoomStore
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation
from support.records import once, room

ONE, TWO, THREE = (MeetingKey.of_uid(name) for name in ("one", "two", "three"))
HOUR = timedelta(hours=1)


@pytest.fixture
async def work() -> AsyncIterator[AtWork]:
    """Two meetings, handled a while ago."""
    async with at_work() as found:
        for name in ("one", "two"):
            found.mailbox.invite(observation(name))
        await found.settle_quickly()
        found.clock.forward(minutes=10)
        yield found


def attendant(work: AtWork) -> Attendant:
    return Attendant(work.integration, work.storage, work.clock)


async def looked(work: AtWork) -> list[tuple[str, str]]:
    """Compare as the service does, some hours later; returns what is left."""
    work.clock.forward(hours=1)
    await look(work.integration, work.storage, attendant(work), work.clock)
    return await stored(work)


async def stored(work: AtWork) -> list[tuple[str, str]]:
    async with work.storage.reading() as reading:
        return [(one.kind, one.subject) for one in await reading.drifts.of(1)]


async def lives(work: AtWork, key: MeetingKey) -> bool:
    found = await work.room(key)
    return found is not None and found.retired_at is None


async def mended(work: AtWork, key: MeetingKey) -> list[str]:
    return [line.code for line in await work.journal(key) if line.step == "mended"]


async def lose(work: AtWork, key: MeetingKey) -> None:
    await RoomStore(work.storage, 1, work.clock).retire(key.digest)


async def change(work: AtWork, key: MeetingKey, **changes: object) -> Record:
    record = await work.record(key)
    assert record is not None
    changed = replace(record, **changes)  # type: ignore[arg-type]  # fields of a record
    async with work.storage.work() as storage:
        await storage.meetings.save([changed])
    return changed


async def test_missing_rooms_are_made_again_and_nobody_is_told(work: AtWork) -> None:
    await lose(work, ONE)
    before, told = await work.record(ONE), len(work.mailbox.sent)
    assert await looked(work) == []
    after = await work.record(ONE)
    assert before is not None
    assert after is not None
    assert (after.alias_number, after.state) == (before.alias_number, State.SCHEDULED)
    assert await lives(work, ONE)
    assert len(work.mailbox.sent) == told
    assert await mended(work, ONE) == ["room-missing"]
    assert await mended(work, TWO) == []


async def test_a_missing_room_whose_meeting_was_cancelled_meanwhile_is_not_left(work: AtWork) -> None:
    await lose(work, ONE)
    work.mailbox.put(observation("one", cancelled=True))
    assert await looked(work) == []
    assert await mended(work, ONE) == ["room-missing"]
    after = await work.record(ONE)
    assert after is not None
    assert after.state is State.ENDED


async def test_a_room_with_other_aliases_gets_its_own_back(work: AtWork) -> None:
    found = await work.room(ONE)
    assert found is not None
    other = replace(found.spec.alias, name="lobby@video.example")
    assert await RoomStore(work.storage, 1, work.clock).ensure(replace(found.spec, alias=other))
    assert await looked(work) == []
    again = await work.room(ONE)
    assert again is not None
    assert again.spec.alias == found.spec.alias


async def test_what_the_calendar_shows_otherwise_is_looked_at(work: AtWork) -> None:
    work.mailbox.put(observation("three"))
    work.mailbox.log.pop()
    del work.mailbox.items["item-one"]
    assert await looked(work) == []
    assert await lives(work, THREE)
    assert not await lives(work, ONE)
    assert await mended(work, ONE) == ["vanished-meeting"]
    assert await mended(work, THREE) == ["unknown-meeting"]


async def test_a_known_orphan_is_closed_when_it_is_found_a_second_time(work: AtWork) -> None:
    await change(work, ONE, state=State.ENDED, reason="cancelled")
    del work.mailbox.items["item-one"]
    assert await looked(work) == [("orphan-room", ONE.digest)]
    assert await lives(work, ONE)
    assert await looked(work) == []
    assert not await lives(work, ONE)
    record = await work.record(ONE)
    assert record is not None
    assert record.room is None
    assert await mended(work, ONE) == ["orphan-room"]


async def test_an_orphan_of_which_nothing_is_known_is_never_closed(work: AtWork) -> None:
    now = work.clock()
    assert await RoomStore(work.storage, 1, work.clock).ensure(room(7, admission=once(now, now + 99 * HOUR)))
    for _ in range(3):
        assert await looked(work) == [("orphan-room", room(7).mark)]


async def test_an_orphan_whose_meeting_lives_again_is_left_alone(work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = await change(work, ONE, state=State.ENDED, reason="cancelled")
    del work.mailbox.items["item-one"]
    await looked(work)
    compare = drift.drift

    async def then_invited(*given: object) -> object:
        found = await compare(*given)  # type: ignore[arg-type]  # just as given
        await change(work, ONE, state=State.SCHEDULED, room=ended.room)
        return found

    monkeypatch.setattr(watch_drift, "drift", then_invited)
    assert await looked(work) == [("orphan-room", ONE.digest)]
    assert await lives(work, ONE)


async def test_what_could_not_be_mended_stays_known(work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    await lose(work, ONE)

    async def ensure(_spec: object) -> None:
        raise PlatformUnavailableError("busy")

    monkeypatch.setattr(work.integration.platform, "ensure", ensure)
    assert await looked(work) == [("room-missing", ONE.digest)]
    assert await mended(work, ONE) == []


async def test_a_policy_that_only_reports_changes_nothing(work: AtWork) -> None:
    quiet = replace(work.integration, policy=Policy(MAILBOX, drift=Drift.REPORT))
    await lose(work, ONE)
    with capture_logs() as logs:
        await look(quiet, work.storage, Attendant(quiet, work.storage, work.clock), work.clock)
    assert await stored(work) == [("room-missing", ONE.digest)]
    assert not await lives(work, ONE)
    (line,) = (one for one in logs if one["event"] == "drift")
    assert (line["room-missing"], line["mends"]) == (1, False)


async def test_the_first_comparison_comes_a_while_after_the_start_and_then_every_few_hours(work: AtWork) -> None:
    watch = DriftWatch(work.integration, work.storage, attendant(work), work.clock, 6 * HOUR)
    assert not watch.is_due()
    work.clock.forward(minutes=11)
    assert watch.is_due()
    await watch.look()
    assert not watch.is_due()
    async with work.storage.reading() as reading:
        assert (await reading.mailboxes.get(MAILBOX)).drift_at == work.clock()
    work.clock.forward(hours=6)
    assert watch.is_due()


async def test_a_comparison_of_a_process_before_is_not_made_again(work: AtWork) -> None:
    await looked(work)
    work.clock.forward(hours=4)
    watch = DriftWatch(work.integration, work.storage, attendant(work), work.clock, 6 * HOUR)
    watch.is_due()
    work.clock.forward(minutes=11)
    work.mailbox.fail("inventory", TryLaterError("not asked"))
    await watch.look()
    assert work.mailbox.faults
    work.mailbox.faults.clear()
    assert not watch.is_due()
    work.clock.forward(hours=2)
    assert watch.is_due()


async def test_a_backlog_is_worked_off_first(work: AtWork) -> None:
    watch = DriftWatch(work.integration, work.storage, attendant(work), work.clock, 6 * HOUR)
    async with work.storage.work() as storage:
        await storage.mailboxes.note_backlog(MAILBOX, 500, 20, work.clock())
    work.mailbox.fail("inventory", TryLaterError("not asked"))
    await watch.look()
    assert work.mailbox.faults


async def test_a_comparison_that_failed_is_tried_again_sooner(work: AtWork) -> None:
    watch = DriftWatch(work.integration, work.storage, attendant(work), work.clock, 24 * HOUR)
    work.mailbox.fail("inventory", TryLaterError("busy"))
    with pytest.raises(TryLaterError):
        await watch.look()
    work.clock.forward(minutes=31)
    assert watch.is_due()


async def test_the_service_compares_when_it_is_time(work: AtWork) -> None:
    await lose(work, ONE)
    queue, begun = InProcessQueue(work.clock), work.clock()
    service = Service(
        [work.integration],
        work.storage,
        queue,
        work.clock,
        poll={"main": 3600.0},
        push={"main": False},
        drift={"main": 6 * HOUR},
    )
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    try:
        async with asyncio.timeout(40):
            while not await lives(work, ONE):
                for _ in range(15):  # the first pass begins the wait, and none is seen from here
                    await service.look("main")
                    await asyncio.sleep(0.05)
                    if await lives(work, ONE):
                        break
                else:
                    work.clock.forward(minutes=11)
    finally:
        stop.set()
        await running
    assert work.clock() - begun >= timedelta(minutes=11)
