"""One watcher per mailbox: who is kept out, who is told, and who goes on when the other one is gone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.errors import ItemBrokenError, NotPermittedError, TryLaterError
from greenroom.scheduler.watch_book import WatchBook, WatchStanding, forget_watches, watch_of
from greenroom.scheduler.watcher import Watcher
from greenroom.storage import Storage
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX
from support.watched import BEGAN, Hours, Installation, mark_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hours() -> Hours:
    return Hours()


def passes(hours: Hours, minutes: float, *people: Installation) -> None:
    """So many minutes pass, and everybody looks when it is time."""
    for _ in range(int(minutes)):
        hours.seconds += 60.0
        for one in people:
            one.finish()


def pair(hours: Hours) -> tuple[Installation, Installation]:
    """One who holds the mailbox and one who is kept out, a minute later."""
    shared: dict[str, str] = {}
    first, second = Installation(hours, shared, "a"), Installation(hours, shared, "b")
    first.finish()
    second.finish()
    assert (first.works, second.works) == (True, False)
    return first, second


def working(*people: Installation) -> list[Installation]:
    return [one for one in people if one.works]


def has_contender(one: Installation) -> bool:
    return one.watcher.contender is not None


def test_who_is_alone_begins_at_once(hours: Hours) -> None:
    one = Installation(hours, {}, "a")
    one.finish()
    assert (one.works, one.watcher.standing, hours.seconds) == (True, WatchStanding.HOLDS, 0.0)


def test_who_comes_second_is_kept_out_and_both_say_so_at_once_and_then_seldom(hours: Hours) -> None:
    with capture_logs() as logs:
        first, second = pair(hours)
        passes(hours, 40, first, second)
    errors = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert errors.count("another Greenroom attends this mailbox; kept out") == 3
    assert errors.count("another Greenroom wants to attend this mailbox; it is kept out") == 3
    assert {code for code, _ in second.book.alarms} == {"second-watcher"}
    assert {code for code, _ in first.book.alarms} == {"contender"}
    assert (first.works, second.works) == (True, False)


def test_a_clean_stop_lets_the_other_one_go_on_at_its_next_look(hours: Hours) -> None:
    first, second = pair(hours)
    first.leave()
    assert "Watcher" not in first.shared
    with capture_logs() as logs:
        passes(hours, 1, second)
    assert second.works
    assert "the other Greenroom is gone; this mailbox is attended again" in [entry["event"] for entry in logs]


def test_who_falls_silent_is_replaced_after_five_minutes_and_not_before(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.scheduler.whereabouts.is_dead", lambda _process: False)
    first, second = pair(hours)
    passes(hours, 4, second)
    assert (first.works, second.works) == (False, False)  # what was judged four minutes ago counts no more
    passes(hours, 2, second)
    assert second.works
    first.finish()
    assert (first.works, first.watcher.standing) == (False, WatchStanding.KEPT_OUT)


def test_a_mark_that_was_written_late_takes_the_mailbox_from_nobody_who_is_at_work(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.scheduler.whereabouts.is_dead", lambda _process: False)
    first, second = pair(hours)
    hours.seconds += 60
    for _ in range(3):
        first.step()  # what it read says that the mailbox is its own; what it wrote is still on its way
    passes(hours, 6, second)
    assert working(first, second) == [second]
    first.finish()  # it arrives
    assert working(first, second) == [second]
    first.finish()
    assert working(first, second) == [second]
    for _ in range(20):
        passes(hours, 1, first, second)
        assert len(working(first, second)) <= 1
    assert len(working(first, second)) == 1


def test_the_mark_of_a_process_of_this_machine_that_died_keeps_nobody_waiting(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair(hours)
    assert not first.watcher.contender
    monkeypatch.setattr("greenroom.scheduler.whereabouts.is_dead", lambda _process: True)
    passes(hours, 1, second)
    assert second.works


def test_a_dead_process_number_of_another_machine_says_nothing(hours: Hours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.scheduler.whereabouts.is_dead", lambda _process: True)
    one = Installation(hours, {"Watcher": mark_of("b", "1", BEGAN).write()}, "a")
    one.finish()
    assert not one.works


def test_a_restart_goes_on_at_once_with_the_mark_that_was_left(hours: Hours) -> None:
    one = Installation(hours, {}, "a")
    one.finish()
    passes(hours, 3, one)
    one.start()
    one.finish()
    assert one.works


def test_a_copy_of_the_database_beside_the_original_is_another_one(hours: Hours) -> None:
    shared: dict[str, str] = {}
    original, copy = Installation(hours, shared, "a"), Installation(hours, shared, "a")
    original.finish()
    copy.book.known |= original.book.known  # as a backup that was made now knows it
    passes(hours, 1, original)
    copy.finish()
    assert (original.works, copy.works) == (True, False)
    assert copy.watcher.meets_a_copy
    passes(hours, 1, original)
    assert original.watcher.contender is not None
    assert original.watcher.contender.copy


def test_a_copy_that_began_within_the_minute_of_the_backup_stays_alone_in_the_end(hours: Hours) -> None:
    shared: dict[str, str] = {}
    original, copy = Installation(hours, shared, "a"), Installation(hours, shared, "a")
    original.finish()
    copy.book.known |= original.book.known
    copy.finish()
    passes(hours, 1, original, copy)
    assert sum(one.works for one in (original, copy)) == 1
    assert "second-watcher" in {code for one in (original, copy) for code, _ in one.book.alarms}


def test_what_is_no_mark_keeps_nobody_out_and_is_told_once(hours: Hours) -> None:
    shared = {"Watcher": "greenroom 1 nonsense\x1b[2J"}
    with capture_logs() as logs:
        one = Installation(hours, shared, "a")
        one.finish()
        passes(hours, 3, one)
    assert one.works
    told = [entry for entry in logs if "not one of Greenroom's" in entry["event"]]
    assert len(told) == 1
    assert "nonsense" not in repr(logs)


def test_a_contender_who_went_away_is_told_to_be_gone(hours: Hours) -> None:
    first, second = pair(hours)
    with capture_logs() as logs:
        passes(hours, 1, first, second)
        assert has_contender(first) is True
        passes(hours, 7, first)
        assert has_contender(first) is False
    assert "no other Greenroom wants to attend this mailbox any more" in [entry["event"] for entry in logs]


def test_a_wall_clock_that_is_set_costs_a_look_and_nothing_else(hours: Hours) -> None:
    first, second = pair(hours)
    first.wrong = timedelta(hours=-5)
    assert working(first, second) == []
    first.finish()
    assert working(first, second) == [first]
    second.wrong = timedelta(days=3)
    passes(hours, 20, first, second)
    assert (first.works, second.works) == (True, False)


# --- with a mailbox that answers at once and a real database -----------------------------------------------------


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    opened = Storage.open("sqlite://")
    await opened.migrate()
    yield opened
    await opened.close()


def watcher_on(mailbox: FakeMailbox, storage: Storage, hours: Hours) -> Watcher:
    return Watcher(mailbox, WatchBook(storage, MAILBOX, 1, hours.wall), hours.wall, monotonic=hours)


async def test_a_mailbox_that_may_not_be_marked_is_attended_and_that_is_told_once(
    storage: Storage, hours: Hours
) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    mailbox.fail("mark", NotPermittedError("no", code="ErrorAccessDenied"))
    watcher = watcher_on(mailbox, storage, hours)
    with capture_logs() as logs:
        for _ in range(30):
            assert await watcher.look()
            hours.seconds += 60
    assert watcher.standing is WatchStanding.UNGUARDED
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "no mark may be left on this mailbox; a second Greenroom goes unnoticed"
    ]
    async with storage.reading() as work:
        (alarm,) = await work.alarms.since(BEGAN - MINUTE)
        assert (alarm.code, alarm.subject, alarm.count) == ("no-watcher-mark", MAILBOX, 1)
    hours.seconds += 3600
    assert await watcher.look()
    assert str(watcher.standing) == WatchStanding.HOLDS  # somebody gave the right


async def test_a_mailbox_that_may_not_be_marked_is_not_attended_beside_one_that_did(
    storage: Storage, hours: Hours
) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall, folder_marks={"Watcher": mark_of("b", "1", BEGAN).write()})
    mailbox.fail("mark", NotPermittedError("no", code="ErrorAccessDenied"))
    watcher = watcher_on(mailbox, storage, hours)
    assert not await watcher.look()
    assert watcher.standing is WatchStanding.KEPT_OUT


async def test_where_marks_are_unknown_the_mailbox_is_attended(storage: Storage, hours: Hours) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    mailbox.fail("marks", ItemBrokenError("no such thing", code="ErrorInvalidExtendedProperty"))
    watcher = watcher_on(mailbox, storage, hours)
    assert await watcher.look()
    assert watcher.standing is WatchStanding.UNGUARDED


async def test_what_was_judged_holds_for_four_minutes_when_the_mailbox_cannot_be_asked(
    storage: Storage, hours: Hours
) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    watcher = watcher_on(mailbox, storage, hours)
    assert await watcher.fresh()
    for minute in range(1, 6):
        hours.seconds += 60
        mailbox.fail("marks", TryLaterError("down", code="E"))
        with pytest.raises(TryLaterError):
            await watcher.look()
        assert watcher.may_work is (minute < 4)
    assert await watcher.fresh()


async def test_whoever_waits_for_the_loss_of_a_mailbox_is_told(storage: Storage, hours: Hours) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    watcher = watcher_on(mailbox, storage, hours)
    await watcher.look()
    mailbox.folder_marks["Watcher"] = mark_of("b", "1", BEGAN).write()
    assert not await watcher.look()
    await watcher.lost()
    async with storage.reading() as work:
        watch = await watch_of(work, MAILBOX)
    assert watch.standing is WatchStanding.KEPT_OUT
    assert watch.by is not None
    assert (watch.by.host, watch.by.copy, watch.by.since) == ("elsewhere", False, BEGAN)
    async with storage.work() as work:
        await forget_watches(work)
    async with storage.reading() as work:
        assert (await watch_of(work, MAILBOX)).tokens == ()


async def test_leaving_takes_away_what_is_ours_and_nothing_else(storage: Storage, hours: Hours) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    watcher = watcher_on(mailbox, storage, hours)
    await watcher.look()
    mailbox.folder_marks["Contender"] = mark_of("b", "1", BEGAN, holds=False).write()
    await watcher.leave()
    assert list(mailbox.folder_marks) == ["Contender"]
    assert not watcher.may_work


async def test_an_exchange_that_is_out_of_reach_keeps_nobody_from_stopping(storage: Storage, hours: Hours) -> None:
    mailbox = FakeMailbox(MAILBOX, hours.wall)
    watcher = watcher_on(mailbox, storage, hours)
    await watcher.look()
    mailbox.fail("marks", TryLaterError("down", code="E"))
    await watcher.leave()
    assert not watcher.may_work
