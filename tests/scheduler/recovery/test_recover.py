from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.record import InstructionsState, State
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.recovery.contract import Fate
from support.greenroom_at_work import Died, die_at
from support.observations import NOW, observation, weekly
from support.recovering import Disaster, disaster
from support.stubborn_platform import StubbornPlatform

DAY = timedelta(days=1)
ACCEPTED: dict[str, Any] = {"response": Response.ACCEPTED, "replied_at": NOW}


async def agrees(at: Disaster) -> None:
    """Calendar, database and platform say the same, and a pass finds nothing to do."""
    sent = len(at.mailbox.sent)
    assert (await at.plan()).entries == ()
    await at.attend()
    assert len(at.mailbox.sent) == sent
    assert (await at.plan()).entries == ()
    living = {item.key.digest for item in at.mailbox.items.values() if not item.cancelled}
    assert set(await at.rooms()) == living


async def test_an_empty_database_is_rebuilt_without_a_mail() -> None:
    async with disaster() as at:
        at.mailbox.page = 4
        for number in range(8):
            at.book(f"m{number}", 500000001 + number)
        at.book("plain")
        at.book("series", 600000001, seen=weekly("series"))
        await at.attend()
        rooms, sent, bodies = await at.rooms(), len(at.mailbox.sent), dict(at.mailbox.organizer_bodies)
        await at.lose()
        done = await at.recover()
        assert (done.done, done.mails, done.updates, done.failed) == ({Fate.KEEP: 10}, 0, 0, [])
        assert (await at.rooms(), len(at.mailbox.sent), at.mailbox.organizer_bodies) == (rooms, sent, bodies)
        await agrees(at)


@pytest.mark.slow
async def test_every_meeting_says_in_its_story_that_it_was_recovered() -> None:
    async with disaster() as at:
        key = at.book("one", 500000001, **ACCEPTED)
        await at.recover()
        lines = [(line.step, line.code) for line in await at.journal(key)]
        assert lines[-1] == ("recovered", "keep-alias")
        assert ("decided", "recovered") in lines


async def test_a_database_from_before_many_changes_is_brought_up_to_date_without_a_mail() -> None:
    async with disaster() as at:
        keys = [at.book(f"m{number}", 500000001 + number) for number in range(12)]
        await at.attend()
        backup = await at.keep()
        at.clock.forward(hours=2)
        for key in keys[:2]:
            at.move(key)
        for number in range(5, 8):
            at.mailbox.remove(f"item-m{number}")
        for number in range(2):
            at.book(f"new{number}", 700000001 + number)
        await at.attend()
        rooms, sent = await at.rooms(), len(at.mailbox.sent)
        await at.lose(backup)
        done = await at.recover()
        assert done.done == {Fate.KEEP: 4, Fate.END: 3}
        assert (done.mails, len(at.mailbox.sent)) == (0, sent)
        assert set(await at.rooms()) == set(rooms)
        await agrees(at)


@pytest.mark.slow
async def test_an_emptied_platform_gets_its_rooms_back() -> None:
    async with disaster() as at:
        for number in range(4):
            at.book(f"m{number}", 500000001 + number)
        await at.attend()
        rooms, sent = await at.rooms(), len(at.mailbox.sent)
        await at.lose(only=("rooms",))
        assert (await at.recover()).done == {Fate.MAKE: 4}
        assert (await at.rooms(), len(at.mailbox.sent)) == (rooms, sent)
        await agrees(at)


@pytest.mark.slow
async def test_rooms_of_no_meeting_are_removed() -> None:
    async with disaster() as at:
        at.book("stays", 400000001)
        for number in range(5):
            at.book(f"m{number}", 500000001 + number)
        await at.attend()
        kept = await at.keep()
        for number in range(5):
            at.mailbox.remove(f"item-m{number}")
        await at.lose(kept | {"meetings": []})
        assert (await at.recover()).done == {Fate.KEEP: 1, Fate.ORPHAN: 5}
        await agrees(at)


@pytest.mark.slow
async def test_a_room_whose_meeting_came_in_the_meantime_is_no_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    async with disaster() as at:
        key = at.book("one", 500000001)
        await at.attend()
        kept, item = await at.keep(), at.mailbox.items["item-one"]
        at.mailbox.remove("item-one")
        await at.lose(kept | {"meetings": []})
        inventory = at.mailbox.inventory

        async def late(since: object) -> object:
            shown = await inventory(since)  # type: ignore[arg-type]  # passed on
            await at.lose(kept)
            return shown

        monkeypatch.setattr(at.mailbox, "inventory", late)
        assert (await at.recover()).done == {}
        assert key.digest in await at.rooms()
        assert item.key == key


@pytest.mark.slow
async def test_a_new_integration_on_an_old_mailbox_answers_nobody_whom_another_one_prepared() -> None:
    async with disaster() as at:
        other = KeyRing("GRM", 9, {0: b"z" * 32})
        for number in range(3):
            body = f"<p>{other.issue(500000001 + number, NOW)}</p>"
            at.mailbox.put(replace(observation(f"m{number}"), body_html=body, **ACCEPTED))
        at.book("plain", **ACCEPTED)
        done = await at.recover()
        assert (done.done, done.left) == ({Fate.NEW: 1}, {"foreign": 3})
        assert len(await at.rooms()) == 1


@pytest.mark.slow
async def test_a_meeting_without_ticket_and_room_gets_an_alias_that_its_organizer_reads() -> None:
    async with disaster() as at:
        key = at.book("one", **ACCEPTED)
        done = await at.recover()
        assert (done.done, done.updates) == ({Fate.NEW: 1}, 1)
        record = await at.record(key)
        assert record is not None
        assert record.instructions is InstructionsState.WRITTEN
        assert str(record.alias_number) in at.mailbox.organizer_bodies[key].body_html
        assert done.mails == len(at.mailbox.sent)
        await agrees(at)


@pytest.mark.slow
async def test_a_room_that_stands_is_adopted_and_nobody_is_told() -> None:
    async with disaster() as at:
        at.mailbox.refused_organizers.add("ada@greenroom.example")
        key = at.book("one")
        await at.attend()
        rooms, sent = await at.rooms(), len(at.mailbox.sent)
        await at.lose(only=("meetings", "reservations", "journal", "mailboxes"))
        done = await at.recover()
        assert (done.done, len(at.mailbox.sent)) == ({Fate.ADOPT: 1}, sent)
        assert (await at.rooms())[key.digest].aliases == rooms[key.digest].aliases
        await agrees(at)


async def test_without_updates_rooms_are_made_and_nobody_is_written_to() -> None:
    async with disaster() as at:
        plain, asks = at.book("plain", **ACCEPTED), at.book("asks", 500000002)
        bodies = dict(at.mailbox.organizer_bodies)
        done = await at.recover(updates=False)
        assert (done.done, done.left) == ({Fate.NEW: 1}, {"unanswered": 1})
        assert (at.mailbox.sent, at.mailbox.organizer_bodies) == ([], bodies)
        record = await at.record(plain)
        assert record is not None
        assert (record.state, record.instructions) == (State.SCHEDULED, InstructionsState.LEFT)
        assert plain.digest in await at.rooms()
        assert await at.record(asks) is None
        assert (await at.plan(updates=False)).entries == ()


@pytest.mark.slow
async def test_who_was_not_told_before_is_told_by_a_later_run() -> None:
    async with disaster() as at:
        key = at.book("plain", **ACCEPTED)
        await at.recover(updates=False)
        before = await at.record(key)
        assert await at.fates() == {"plain": "new-alias untold"}
        done = await at.recover()
        after = await at.record(key)
        assert before is not None
        assert after is not None
        assert (done.updates, after.alias_number) == (1, before.alias_number)
        await agrees(at)


@pytest.mark.slow
async def test_declines_do_not_make_the_walk_miss_a_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with disaster() as at:

        async def by_position(since: object, until: object = None) -> AsyncIterator[list[Observation]]:
            del since, until
            start = 0
            while page := list(at.mailbox.items.values())[start : start + 4]:
                yield page
                start += len(page)

        monkeypatch.setattr(at.mailbox, "pages", by_position)
        for number in range(6):
            at.mailbox.put(replace(observation(f"m{number}"), body_html=f"<p>{_forged(at, number)}</p>"))
            at.book(f"good{number}", 500000001 + number)
        done = await at.recover()
        assert done.done == {Fate.ANSWER: 12}
        assert len(at.mailbox.items) == 6


def _forged(at: Disaster, number: int) -> str:
    good = at.ticket(600000001 + number)
    return good[:-1] + ("0" if good[-1] != "0" else "1")


async def test_no_more_than_so_many_are_told_in_a_minute() -> None:
    async with disaster() as at:
        for number in range(9):
            at.book(f"m{number}", **ACCEPTED)
        for number in range(5):
            at.book(f"quiet{number}", 500000001 + number, **ACCEPTED)
        began = at.clock()
        done = await at.recover(per_minute=4)
        assert done.done == {Fate.NEW: 9, Fate.KEEP: 5}
        told = sorted(sent for sent in at.mailbox.mailed_at)
        for at_once in told:
            assert sum(at_once <= other < at_once + timedelta(minutes=1) for other in told) <= 4
        assert timedelta(minutes=2) <= at.clock() - began <= timedelta(minutes=4)


@pytest.mark.slow
async def test_as_many_are_told_as_exchange_lets_the_mailbox_send() -> None:
    async with disaster() as at:
        at.mailbox.sends_per_minute = 5
        for number in range(12):
            at.book(f"m{number}", 500000001 + number)
        done = await at.recover()
        assert (done.done, done.mails, done.waiting) == ({Fate.ANSWER: 12}, 12, 0)
        assert at.mailbox.violations == []


@pytest.mark.slow
async def test_a_limit_ends_it_early_with_the_soonest_done() -> None:
    async with disaster() as at:
        for day in range(1, 9):
            at.book(f"day{day}", 500000000 + day, seen=observation(f"day{day}", starts_in=day * DAY), **ACCEPTED)
        done = await at.recover(limit=3)
        assert (done.changed, done.stopped) == (3, True)
        assert list(await at.fates()) == [f"day{day}" for day in range(4, 9)]


async def test_it_ends_when_it_is_asked_to_and_goes_on_later() -> None:
    async with disaster() as at:
        at.mailbox.page = 4
        for number in range(6):
            at.book(f"m{number}", 500000001 + number, **ACCEPTED)
        seen: list[str] = []
        done = await at.recover(step=seen.append, stopped=lambda: "recovered" in seen)
        assert (done.changed, done.stopped) == (4, True)
        assert (await at.recover()).changed == 2
        await agrees(at)


@pytest.mark.slow
async def test_nobody_else_is_tried_where_everything_fails() -> None:
    async with disaster(platform=StubbornPlatform) as at:
        assert isinstance(at.integration.platform, StubbornPlatform)
        at.integration.platform.ensuring = [PlatformUnavailableError("down") for _ in range(500)]
        at.mailbox.page = 5
        for number in range(40):
            at.book(f"m{number}", 500000001 + number, **ACCEPTED)
        done = await at.recover()
        assert (done.changed, done.in_vain, done.stopped) == (0, True, True)
        assert len(done.failed) == 25


@pytest.mark.slow
async def test_a_single_failure_is_told_and_the_others_go_on() -> None:
    async with disaster(platform=StubbornPlatform) as at:
        assert isinstance(at.integration.platform, StubbornPlatform)
        at.integration.platform.ensuring = [PlatformUnavailableError("down")]
        for number in range(5):
            at.book(f"m{number}", 500000001 + number, **ACCEPTED)
        done = await at.recover()
        (failed,) = done.failed
        assert (done.done, done.stopped) == ({Fate.KEEP: 4}, False)
        assert failed.correlation_id
        await at.settle()
        assert (await at.plan()).entries == ()


@pytest.mark.slow
async def test_a_meeting_that_is_found_after_all_is_not_ended() -> None:
    async with disaster() as at:
        key = at.book("one", 500000001)
        await at.attend()
        pages = at.mailbox.pages

        async def nothing(since: object, until: object = None) -> object:
            del since, until
            for page in range(0):
                yield page

        at.mailbox.pages = nothing  # type: ignore[method-assign,assignment]  # what a server may do
        assert (await at.recover()).done == {}
        at.mailbox.fail("find", TryLaterError("busy", code="ErrorServerBusy"))
        assert [one.key for one in (await at.recover()).failed] == [key]
        at.mailbox.pages = pages  # type: ignore[method-assign]  # as it was
        assert key.digest in await at.rooms()
        await agrees(at)


@pytest.mark.parametrize("at_step", [1])
async def test_after_a_death_the_next_run_ends_it(at_step: int) -> None:
    await _dies(at_step)


async def _lost(at: Disaster) -> tuple[set[str], int]:
    """An old backup, an emptied platform and meetings that nobody knows, all at once."""
    for number in range(3):
        at.book(f"kept{number}", 500000001 + number)
    at.book("gone", 500000011)
    at.book("series", 600000001, seen=weekly("series"))
    await at.attend()
    backup = await at.keep()
    at.clock.forward(hours=1)
    at.move(MeetingKey.of_uid("kept1"))
    at.mailbox.remove("item-gone")
    at.book("late", 500000021)
    await at.attend()
    at.book("asks", 500000031)
    at.book("plain", **ACCEPTED)
    sent = len(at.mailbox.sent)
    backup["rooms"] = [row for row in backup["rooms"] if row["mark"] != MeetingKey.of_uid("kept2").digest]
    await at.lose(backup)
    return {item.key.digest for item in at.mailbox.items.values()}, sent


@pytest.mark.slow
async def test_after_a_death_at_any_step_the_next_run_ends_it() -> None:
    async with disaster() as at:
        await _lost(at)
        step, seen = die_at(0)
        await at.recover(step=step)
        steps = len(seen)
    assert steps > 10
    for number in range(1, steps + 1):
        await _dies(number)


async def _dies(number: int) -> None:
    async with disaster() as at:
        rooms, sent = await _lost(at)
        with pytest.raises(Died):
            await at.recover(step=die_at(number)[0])
        at.clock.forward(minutes=2)  # Exchange is done with whatever was under way
        await at.recover()
        assert set(await at.rooms()) == rooms
        assert len(at.mailbox.sent) - sent <= 2
        assert len(at.mailbox.replies_to(MeetingKey.of_uid("asks"))) == 1
        assert len(at.mailbox.replies_to(MeetingKey.of_uid("kept1"))) == 2
        await at.settle_quickly()
        assert (await at.plan()).entries == ()
