"""What the conformance suite asks of walks through a whole calendar, and of marks left on its folder."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from exchange.conforming.asking import WEEKLY, Contract, everything, observed
from exchange.simulated import HOUR, START, House
from greenroom.exchange.contract import MARKS, Reply, Unreadable, Verdict
from greenroom.exchange.errors import ItemBrokenError, NotPermittedError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Observation
from support.simulator import EQUIPMENT

DAY = timedelta(days=1)
LONG_AGO = START - 365 * DAY


async def walked(house: House, since: datetime = LONG_AGO, until: datetime | None = None) -> list[Observation]:
    """Everything a walk gives, which must all be readable."""
    found: list[Observation] = []
    async for page in house.mailbox.pages(since, until):
        assert 0 < len(page) <= 100
        assert not [one for one in page if isinstance(one, Unreadable)]
        found += [one for one in page if isinstance(one, Observation)]
    return found


async def kept(house: House) -> None:
    """See that all invitations are in the calendar, also where the server does not put them there."""
    if house.processing == "none":
        seen, _ = await observed(house)
        results = await house.mailbox.respond([Reply(o.ref, Verdict.ACCEPT, "<p>ok</p>") for o in seen])
        assert not [result.error for result in results if result.error]


def keys(found: Iterable[Observation]) -> list[MeetingKey]:
    return [one.key for one in found]


class WalkingContract(Contract):
    """The whole calendar, page by page."""

    async def test_a_walk_tells_what_the_inventory_and_reading_tell(self, house: House) -> None:
        single, private = house.invite("One"), house.invite("Two", start=START + HOUR, sensitivity="Private")
        series = house.invite("Weekly", start=START - 7 * DAY, recurrence=WEEKLY)
        cancelled = house.invite("Off", start=START + 5 * HOUR)
        await kept(house)
        if house.processing == "auto_update":  # else these are messages, which are not in the calendar
            house.change_one(series, START, start=START + 3 * HOUR, end=START + 4 * HOUR)
            house.take_out(series, START + 7 * DAY)
            house.cancel(cancelled)
        listed = await house.mailbox.inventory(LONG_AGO)
        read = await house.mailbox.read([glance.ref for glance in listed])
        known = {one.key: one for one in read if isinstance(one, Observation)}
        found = {one.key: one for one in await walked(house)}
        assert found == known
        assert set(found) == {single, private, series, cancelled}

    async def test_a_walk_ends_where_it_is_told_and_leaves_out_what_is_over(self, house: House) -> None:
        daily = [house.invite(f"M{n}", start=START + n * DAY) for n in range(5)]
        running = house.invite("Weekly", start=START - 7 * DAY, recurrence=WEEKLY)
        await kept(house)
        found = keys(await walked(house, START + DAY + HOUR / 2, START + 3 * DAY))
        assert found == [running, *daily[1:3]]
        assert keys(await walked(house, START + DAY + 2 * HOUR)) == [running, *daily[2:]]

    async def test_a_calendar_of_many_pages_comes_whole_soonest_first_and_cheaply(self, house: House) -> None:
        count = 120
        invited = [house.invite(f"M{n}", start=START + (n * 97 % count) * HOUR) for n in range(count)]
        await kept(house)
        before = house.simulator.calls()
        found = await walked(house)
        assert sorted(keys(found), key=str) == sorted(invited, key=str)
        starts = [one.span.start for one in found if one.span]
        assert starts == sorted(starts)
        assert len(starts) == count
        assert house.simulator.calls() - before <= 2 * 2 + 3

    async def test_an_empty_calendar_has_no_pages(self, house: House) -> None:
        assert [page async for page in house.mailbox.pages(LONG_AGO)] == []

    async def test_a_meeting_that_cannot_be_read_is_told_and_costs_no_other(self, house: House) -> None:
        invited = [house.invite(f"M{n}", start=START + n * HOUR) for n in range(5)]
        await kept(house)
        broken = house.own(invited[2], EQUIPMENT)
        broken.meeting.end = broken.meeting.start - HOUR
        found = [one async for page in house.mailbox.pages(LONG_AGO) for one in page]
        (unread,) = [one for one in found if isinstance(one, Unreadable)]
        assert isinstance(unread.error, ItemBrokenError)
        assert house.item_id(unread.ref) == broken.id
        assert keys(one for one in found if isinstance(one, Observation)) == [*invited[:2], *invited[3:]]

    async def test_a_walk_that_cannot_go_on_says_so(self, house: House) -> None:
        house.invite()
        await kept(house)
        house.simulator.fail(kind="http_503", retry_after=60)
        with pytest.raises(TryLaterError):
            await walked(house)

    async def test_a_walk_leaves_the_feed_where_it_was(self, house: House) -> None:
        key = house.invite()
        await kept(house)
        _, _, cursor = await everything(house)
        assert keys(await walked(house)) == [key]
        assert (await everything(house, cursor))[0] == []

    async def test_lists_tell_when_a_meeting_starts(self, house: House) -> None:
        self.needs("glances")
        house.invite()
        glances, _, _ = await everything(house)
        assert {one.starts_at for one in glances} == {START}
        await kept(house)
        assert {one.starts_at for one in await house.mailbox.inventory(LONG_AGO)} == {START}


class MarkingContract(Contract):
    """Texts on the calendar folder, for other programs that attend the mailbox."""

    async def test_a_mark_stays_until_it_is_taken_away(self, house: House) -> None:
        watcher, contender = MARKS
        assert await house.mailbox.marks() == {}
        await house.mailbox.mark(watcher, "first <&> \u00e9 " + "x" * 900)
        assert await house.mailbox.marks() == {watcher: "first <&> \u00e9 " + "x" * 900}
        await house.mailbox.mark(contender, "other")
        await house.mailbox.mark(watcher, "second")
        assert await house.mailbox.marks() == {watcher: "second", contender: "other"}
        await house.mailbox.mark(watcher, None)
        await house.mailbox.mark(watcher, None)
        assert await house.mailbox.marks() == {contender: "other"}

    async def test_a_mark_is_the_same_over_both_protocols(self, house: House) -> None:
        watcher, contender = MARKS
        other = house.open_other_face(EQUIPMENT)
        try:
            await house.mailbox.mark(watcher, "here")
            await other.mark(contender, "there")
            both = {watcher: "here", contender: "there"}
            assert await house.mailbox.marks() == await other.marks() == both
            await other.mark(watcher, None)
            assert await house.mailbox.marks() == await other.marks() == {contender: "there"}
            await house.mailbox.mark(contender, None)
            assert await other.marks() == {}
        finally:
            await other.close()

    async def test_where_the_folder_may_not_be_changed_its_marks_are_read_all_the_same(self, house: House) -> None:
        await house.mailbox.mark("Watcher", "mine")
        house.simulator.exchange.mailbox(EQUIPMENT).folders_locked = True
        for text in ("yours", None):
            with pytest.raises(NotPermittedError):
                await house.mailbox.mark("Watcher", text)
        assert await house.mailbox.marks() == {"Watcher": "mine"}

    async def test_a_mark_changes_nothing_that_the_feed_tells(self, house: House) -> None:
        house.invite()
        _, _, cursor = await everything(house)
        await house.mailbox.mark("Watcher", "here")
        glances, gone, _ = await everything(house, cursor)
        assert (glances, gone) == ([], [])
