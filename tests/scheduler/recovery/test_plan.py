from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.meetings.meeting import ItemRef, Person, Response
from greenroom.meetings.policy import Policy
from greenroom.meetings.ticket import KeyRing
from greenroom.scheduler.recovery.contract import Fate
from greenroom.scheduler.recovery.walking import Reach
from support.observations import MAILBOX, NOW, observation, weekly
from support.recovering import disaster
from support.series_at_work import KEY, lone
from support.stubborn_platform import StubbornPlatform

DAY = timedelta(days=1)
ACCEPTED: dict[str, Any] = {"response": Response.ACCEPTED, "replied_at": NOW}
ANOTHER = KeyRing("GRM", 7, {0: b"x" * 32})


async def test_where_nothing_happened_there_is_nothing_to_do() -> None:
    async with disaster() as at:
        for number in range(3):
            at.book(str(number), 500000001 + number)
        at.book("plain")
        at.book("series", 600000001, seen=weekly("series"))
        await at.attend()
        plan = await at.plan()
        assert (plan.entries, plan.left, plan.told) == ((), {"as-it-should-be": 5}, 0)
        assert (plan.meetings, plan.rooms) == (5, 5)


async def test_a_plan_changes_nothing_at_all() -> None:
    async with disaster() as at:
        one, two = at.book("one", 500000001), at.book("two")
        await at.attend()
        at.move(one)
        at.mailbox.remove(at.mailbox.items["item-two"].ref.id)
        at.book("new", 500000003)
        before, sent, shown = await at.keep(), len(at.mailbox.sent), dict(at.mailbox.items)
        assert two != one
        assert set((await at.fates()).values()) == {"answer edited", "answer new", "end not-shown"}
        assert (await at.keep(), len(at.mailbox.sent), at.mailbox.items) == (before, sent, shown)


async def test_with_an_empty_database_every_accepted_meeting_with_a_ticket_keeps_its_alias() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        at.book("plain")  # its ticket was written by us
        at.book("series", 600000001, seen=weekly("series"))
        await at.attend()
        await at.lose()
        plan = await at.plan()
        assert plan.counts == {Fate.KEEP: 3}
        assert plan.told == 0
        assert "meet500000001@video.example" in {entry.alias for entry in plan.entries}


@pytest.mark.slow
async def test_before_there_is_a_database_the_plan_is_the_same() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        at.book("plain")
        await at.attend()
        await at.lose()
        assert (await at.plan(storage=False)).entries == (await at.plan()).entries
        assert (await at.plan(storage=False)).remembers is False


@pytest.mark.slow
async def test_what_changes_is_told_soonest_first() -> None:
    async with disaster() as at:
        at.book("late", 500000001, seen=observation("late", starts_in=3 * DAY))
        at.book("soon", 500000002, seen=observation("soon", starts_in=1 * DAY))
        at.book("between", 500000003, seen=observation("between", starts_in=2 * DAY))
        assert list(await at.fates()) == ["soon", "between", "late"]


async def test_of_a_large_plan_the_soonest_are_listed_and_all_are_counted() -> None:
    async with disaster() as at:
        for day in (5, 3, 1, 4, 2, 7, 6):
            at.book(f"day{day}", 500000000 + day, seen=observation(f"day{day}", starts_in=day * DAY), **ACCEPTED)
        plan = await at.plan(listed=2)
        assert (plan.counts, plan.changes) == ({Fate.KEEP: 7}, 7)
        assert list(await at.fates(listed=2)) == ["day1", "day2"]


@pytest.mark.slow
async def test_an_accepted_meeting_without_ticket_and_room_gets_another_alias_and_an_update() -> None:
    async with disaster() as at:
        at.book("one", response=Response.ACCEPTED, replied_at=NOW)
        assert await at.fates() == {"one": "new-alias unticketed"}
        assert (await at.plan()).told == 1


async def test_an_accepted_meeting_whose_room_stands_adopts_it() -> None:
    async with disaster() as at:
        at.mailbox.refused_organizers.add("ada@greenroom.example")
        key = at.book("one")
        await at.attend()
        await at.lose(only=("meetings", "reservations", "journal", "mailboxes"))
        plan = await at.plan()
        (entry,) = plan.entries
        assert (entry.fate, plan.told) == (Fate.ADOPT, 0)
        assert entry.alias == (await at.rooms())[key.digest].aliases[0]


@pytest.mark.slow
async def test_invitations_that_nobody_answered_are_answered() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        at.book("two")
        assert set((await at.fates()).values()) == {"answer new", "answer unticketed"}


@pytest.mark.slow
async def test_a_copy_is_told_from_the_meeting_whose_turn_comes_first() -> None:
    async with disaster() as at:
        at.book("first", 500000001, seen=observation("first", starts_in=1 * DAY), **ACCEPTED)
        at.book("copy", 500000001, seen=observation("copy", starts_in=2 * DAY), **ACCEPTED)
        assert await at.fates() == {"first": "keep-alias recovered", "copy": "new-alias copy"}


async def test_a_copy_on_a_later_page_is_told_as_well() -> None:
    async with disaster() as at:
        at.mailbox.page = 4
        at.book("first", 500000001, seen=observation("first", starts_in=1 * DAY), **ACCEPTED)
        for number in range(9):
            at.book(f"m{number}", 510000000 + number, seen=observation(f"m{number}", starts_in=2 * DAY), **ACCEPTED)
        at.book("copy", 500000001, seen=observation("copy", starts_in=3 * DAY), **ACCEPTED)
        fates = await at.fates()
        assert (fates["first"], fates["copy"]) == ("keep-alias recovered", "new-alias copy")
        assert list(fates.values()).count("keep-alias recovered") == 10


@pytest.mark.slow
async def test_a_lone_occurrence_shares_the_room_of_its_series_on_an_earlier_page() -> None:
    async with disaster() as at:
        at.mailbox.page = 4
        at.book("series", 500000001, **ACCEPTED, seen=weekly("series", key=KEY))
        for number in range(9):
            at.book(f"m{number}", 510000000 + number, **ACCEPTED)
        at.book("one", 500000001, **ACCEPTED, seen=lone(NOW.date() + 15 * DAY))
        assert list((await at.fates()).values()) == ["keep-alias recovered"] * 11
        await at.recover()
        assert len(await at.rooms()) == 10


async def test_of_an_old_backup_only_what_is_behind_is_done() -> None:
    async with disaster() as at:
        same, moved = at.book("same", 500000001), at.book("moved", 500000002)
        gone = at.book("gone", 500000003)
        await at.attend()
        backup = await at.keep()
        at.clock.forward(hours=1)
        at.move(moved)
        at.mailbox.remove("item-gone")
        at.book("new", 500000004)
        await at.attend()
        await at.lose(backup)
        plan = await at.plan()
        assert await at.fates() == {
            "moved": "keep-alias recovered",
            "new": "keep-alias recovered",
            gone.value: "end not-shown",
        }
        assert (plan.told, plan.left) == (0, {"as-it-should-be": 1})
        assert same not in {entry.key for entry in plan.entries}


@pytest.mark.slow
async def test_a_change_that_nobody_answered_is_answered_after_a_restored_backup_too() -> None:
    async with disaster() as at:
        key = at.book("one", 500000001)
        await at.attend()
        backup = await at.keep()
        at.clock.forward(hours=1)
        at.move(key)
        await at.lose(backup)
        assert await at.fates() == {"one": "answer edited"}


@pytest.mark.slow
async def test_rooms_that_the_platform_lost_are_made_again() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        at.book("two", 500000002)
        await at.attend()
        await at.lose(only=("rooms",))
        plan = await at.plan()
        assert set((await at.fates()).values()) == {"make-room missing"}
        assert plan.told == 0


@pytest.mark.slow
async def test_a_room_that_is_dialled_otherwise_is_made_again() -> None:
    async with disaster() as at:
        key = at.book("one", 500000001)
        await at.attend()
        async with at.storage.work() as work:
            stored = await work.rooms.by_mark(1, key.digest)
            assert stored is not None
            await work.rooms.upsert(1, replace(stored.spec, alias=at.integration.aliases.alias(777777777)))
        assert await at.fates() == {"one": "make-room differs"}


async def test_rooms_of_no_meeting_are_orphans_whether_their_meeting_is_known_or_not() -> None:
    async with disaster() as at:
        known, unknown = at.book("known", 500000001), at.book("unknown", 500000002)
        await at.attend()
        kept = await at.keep()
        at.mailbox.remove("item-known")
        at.mailbox.remove("item-unknown")
        await at.attend()
        ended = await at.keep()
        mine = [row for row in ended["meetings"] if row["mark"] == known.digest]
        await at.lose(ended | {"meetings": mine, "rooms": kept["rooms"]})
        assert await at.fates() == {
            known.digest[:8]: "remove-orphan known",
            unknown.digest[:8]: "remove-orphan unknown",
        }


@pytest.mark.slow
async def test_the_room_of_a_meeting_whose_window_is_still_open_is_no_orphan() -> None:
    async with disaster() as at:
        at.book("one", 500000001, seen=observation("one", starts_in=timedelta(hours=1)))
        await at.attend()
        kept = await at.keep()
        at.clock.forward(hours=2, minutes=30)
        await at.lose(kept, only=("rooms",))
        await at.lose(only=("meetings",))
        assert (await at.plan()).entries == ()
        at.clock.forward(hours=2)
        assert [entry.fate for entry in (await at.plan()).entries] == [Fate.ORPHAN]


async def test_no_orphan_is_told_while_something_cannot_be_read_whose_room_it_may_be() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        await at.attend()
        await at.lose(only=("meetings",))
        at.mailbox.unreadable["item-one"] = ItemBrokenError("broken", code="ErrorCorruptData")
        plan = await at.plan()
        assert plan.left == {"unreadable": 1}
        assert not plan.is_clear
        assert not plan.entries  # the inventory tells its key, though nobody can read it


@pytest.mark.slow
async def test_what_is_in_the_calendar_and_cannot_be_read_has_not_left_it() -> None:
    async with disaster() as at:
        at.book("one", 500000001)
        await at.attend()
        at.mailbox.unreadable["item-one"] = ItemBrokenError("broken", code="ErrorCorruptData")
        plan = await at.plan()
        assert (plan.entries, plan.left) == ((), {"unreadable": 1})


@pytest.mark.slow
async def test_a_part_of_the_calendar_says_nothing_about_what_is_not_in_it() -> None:
    async with disaster() as at:
        for day in range(1, 6):
            at.book(f"day{day}", 500000000 + day, seen=observation(f"day{day}", starts_in=day * DAY))
        await at.attend()
        at.mailbox.remove("item-day3")
        await at.lose(only=("rooms",))
        reach = Reach(NOW + 1.5 * DAY, NOW + 4.5 * DAY)
        assert await at.fates(reach=reach) == {"day2": "make-room missing", "day4": "make-room missing"}


async def test_what_is_not_ours_to_touch_is_left_alone_and_counted() -> None:
    async with disaster(policy=Policy(MAILBOX, deny_domains=frozenset({"bad.example"}))) as at:
        at.book("own", is_organizer=True, response=Response.ORGANIZER)
        at.book("cancelled", 500000001, cancelled=True, **ACCEPTED)
        at.mailbox.put(replace(observation("foreign"), body_html=ANOTHER.issue(500000009, NOW), **ACCEPTED))
        at.book("declined", response=Response.DECLINED, organizer=Person("eve@bad.example"))
        at.mailbox.put(observation("over", starts_in=-1.5 * timedelta(hours=1), response=Response.ACCEPTED))
        assert (await at.plan()).left == {
            "own-meeting": 1,
            "cancelled": 1,
            "foreign": 1,
            "declined-before": 1,
            "over": 1,
        }
        listed = (await at.plan(untouched=True)).untouched
        assert {entry.detail for entry in listed} == set((await at.plan()).left)


async def test_without_updates_what_asks_for_an_answer_is_left_to_the_service() -> None:
    async with disaster() as at:
        at.book("known", 500000001)
        await at.attend()
        at.move(at.mailbox.items["item-known"].key)
        at.book("asks", 500000002)
        at.book("plain", response=Response.ACCEPTED, replied_at=NOW)
        plan = await at.plan(updates=False)
        assert await at.fates(updates=False) == {"plain": "new-alias unticketed"}
        assert (plan.left, plan.told) == ({"unanswered": 2}, 0)


@pytest.mark.slow
async def test_where_the_platform_does_not_list_rooms_none_is_missing() -> None:
    async with disaster(platform=StubbornPlatform) as at:
        at.book("one", 500000001)
        await at.attend()
        await at.lose(only=("rooms",))
        plan = await at.plan()
        assert (plan.entries, plan.rooms_told) == ((), False)


@pytest.mark.slow
async def test_a_request_that_is_only_a_message_has_not_left_the_calendar() -> None:
    async with disaster() as at:
        at.book("one", 500000001, ref=ItemRef("item-one", "1", is_message=True))
        await at.attend()
        assert (await at.plan()).entries == ()


@pytest.mark.slow
async def test_a_walk_under_way_waits_while_exchange_is_busy_and_gives_up_some_time() -> None:
    async with disaster() as at:
        pages, faults = at.mailbox.pages, [TryLaterError("busy", code="ErrorServerBusy", after=timedelta(seconds=40))]

        async def interrupted(since: datetime, until: datetime | None = None) -> AsyncIterator[Any]:
            async for page in pages(since, until):
                yield page
                if faults:
                    raise faults.pop()

        at.mailbox.pages = interrupted  # type: ignore[method-assign]  # a server that is busy in between
        at.mailbox.page = 2
        for number in range(5):
            at.book(f"m{number}", 500000001 + number, **ACCEPTED)
        assert (await at.recover()).changed == 5
        assert at.pauses == [40]
        faults += [TryLaterError("busy", code="ErrorServerBusy") for _ in range(9)]
        with pytest.raises(TryLaterError):
            await at.recover()


@pytest.mark.slow
async def test_an_exchange_that_does_not_answer_at_all_is_told_at_once() -> None:
    async with disaster() as at:
        at.mailbox.fail("pages", TryLaterError("away", code="unreachable"))
        with pytest.raises(TryLaterError):
            await at.recover()
        assert at.pauses == []
