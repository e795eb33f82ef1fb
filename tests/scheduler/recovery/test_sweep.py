"""Looking at everything again from a point in time: what an incident left behind is put right, what was right stays."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.meetings.meeting import MeetingKey, Response
from greenroom.meetings.record import Record, State
from greenroom.platforms.errors import PlatformUnavailableError, RoomRefusedError
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.recovery.sweep import Sweepable, Swept, find_sweepable, sweep
from greenroom.storage import RoomStore
from support.greenroom_at_work import AtWork, at_work
from support.observations import observation
from support.stubborn_platform import StubbornPlatform

ONE, TWO, THREE = (MeetingKey.of_uid(name) for name in ("one", "two", "three"))
HOUR = timedelta(hours=1)
REFUSED = RoomRefusedError("pin: too-long")


@pytest.fixture
async def work() -> AsyncIterator[AtWork]:
    async with at_work(platform=StubbornPlatform) as found:
        yield found


def platform(work: AtWork) -> StubbornPlatform:
    assert isinstance(work.integration.platform, StubbornPlatform)
    return work.integration.platform


async def found_since(work: AtWork, ago: timedelta = HOUR) -> Sweepable:
    now = work.clock()
    return await find_sweepable(work.integration, work.storage, now - ago, now)


async def swept(work: AtWork, ago: timedelta = HOUR) -> Swept:
    attendant = Attendant(work.integration, work.storage, work.clock)
    found = await found_since(work, ago)
    return await sweep(work.integration, work.storage, attendant, found, work.clock)


async def lines(work: AtWork, key: MeetingKey) -> list[str]:
    return [line.code for line in await work.journal(key) if line.step == "swept"]


async def record_of(work: AtWork, key: MeetingKey) -> Record:
    record = await work.record(key)
    assert record is not None
    return record


async def declined(work: AtWork, name: str = "one", *, kept: bool) -> None:
    """Let the platform refuse a room; `kept`: this Exchange keeps declined meetings in the calendar."""
    item = observation(name)
    work.mailbox.invite(item)
    platform(work).ensuring.append(REFUSED)
    await work.attend()
    record = await record_of(work, item.key)
    assert (record.state, record.reason) == (State.DECLINED, "room-refused")
    if kept:
        work.mailbox.put(replace(item, response=Response.DECLINED, replied_at=work.clock()))
    work.clock.forward(minutes=10)


async def test_what_is_as_it_should_be_is_looked_at_and_nobody_hears_of_it(work: AtWork) -> None:
    work.mailbox.invite(observation())
    work.mailbox.invite(observation("two"))
    await work.settle_quickly()
    before, told = await record_of(work, ONE), len(work.mailbox.sent)
    done = await swept(work)
    assert (done.looked, done.changed, done.answered, done.failed) == (2, 0, 0, [])
    after = await record_of(work, ONE)
    assert (after.alias_number, after.replied) == (before.alias_number, before.replied)
    assert len(work.mailbox.sent) == told
    assert await lines(work, ONE) == []


async def test_what_nothing_happened_to_since_is_left_alone(work: AtWork) -> None:
    work.mailbox.invite(observation())
    await work.settle_quickly()
    work.clock.forward(hours=5)
    assert len(await found_since(work)) == 0
    assert len(await found_since(work, 6 * HOUR)) == 1


async def test_meetings_that_nobody_saw_are_answered(work: AtWork) -> None:
    work.mailbox.put(observation())
    work.mailbox.put(observation("two"))
    work.clock.forward(hours=5)
    done = await swept(work)
    assert (done.looked, done.changed, done.answered) == (2, 2, 2)
    assert (await record_of(work, ONE)).state is State.SCHEDULED
    assert await lines(work, ONE) == ["changed", "answered"]
    again = await swept(work)
    assert (again.changed, again.answered, len(work.mailbox.sent)) == (0, 0, 2)


async def test_a_change_that_was_missed_is_handled(work: AtWork) -> None:
    work.mailbox.invite(observation())
    await work.settle_quickly()
    work.clock.forward(hours=5)
    work.mailbox.put(observation(starts_in=timedelta(days=2), sent_at=work.clock()))
    assert (await swept(work)).answered == 1


async def test_what_an_organizer_sent_since_is_looked_at_where_the_list_tells_it(work: AtWork) -> None:
    work.mailbox.sends_per_minute = 30
    work.mailbox.invite(observation())
    await work.settle_quickly()
    work.clock.forward(hours=5)
    item = work.mailbox.items["item-one"]
    work.mailbox.put(replace(item, sent_at=work.clock()))
    assert len(await found_since(work)) == 1


async def test_rooms_that_got_lost_are_made_again(work: AtWork) -> None:
    work.mailbox.invite(observation())
    await work.settle_quickly()
    await RoomStore(work.storage, 1, work.clock).retire(ONE.digest)
    await swept(work)
    room = await work.room(ONE)
    assert room is not None
    assert room.retired_at is None


async def test_a_decline_for_our_own_fault_is_taken_back_where_the_item_is_still_there(work: AtWork) -> None:
    await declined(work, kept=True)
    assert (await record_of(work, ONE)).state is State.DECLINED
    done = await swept(work)
    assert (done.answered, done.lost) == (1, [])
    assert (await record_of(work, ONE)).state is State.SCHEDULED
    assert [sent.verdict.value for sent in work.mailbox.replies_to(ONE)] == ["decline", "accept"]
    assert await lines(work, ONE) == ["changed", "answered"]


async def test_a_room_that_is_refused_again_is_not_declined_by_mail_again(work: AtWork) -> None:
    await declined(work, kept=True)
    platform(work).ensuring.append(REFUSED)
    done = await swept(work)
    assert (done.answered, len(work.mailbox.replies_to(ONE))) == (0, 1)
    assert (await record_of(work, ONE)).state is State.DECLINED


async def test_a_decline_for_our_own_fault_that_took_the_item_away_is_named(work: AtWork) -> None:
    await declined(work, kept=False)
    assert len(await found_since(work)) == 1
    done = await swept(work)
    assert done.lost == [(await record_of(work, ONE)).correlation_id]
    assert (done.looked, done.failed) == (0, [])


async def test_right_declines_stay_as_they_are_without_a_word(work: AtWork) -> None:
    ticket = work.ticket(482915306)
    forged = f"<p>{ticket[:-2]}{'BB' if ticket.endswith('AA') else 'AA'}</p>"
    items = [observation(body_html=forged), observation("two", starts_in=-3 * HOUR)]
    for item in items:
        work.mailbox.invite(item)
    await work.attend()
    before = {key: await record_of(work, key) for key in (ONE, TWO)}
    assert {key: one.reason for key, one in before.items()} == {ONE: "ticket-forged", TWO: "past"}
    for item in items:
        work.mailbox.put(replace(item, response=Response.DECLINED, replied_at=work.clock()))
    work.clock.forward(minutes=10)
    told = len(work.mailbox.sent)
    done = await swept(work)
    assert (done.looked, done.changed, done.answered) == (2, 0, 0)
    assert len(work.mailbox.sent) == told
    assert {key: (await record_of(work, key)).state for key in before} == dict.fromkeys(before, State.DECLINED)


async def test_what_fails_is_named_and_the_others_go_on(work: AtWork) -> None:
    work.mailbox.put(observation())
    work.mailbox.put(observation("two"))
    work.mailbox.put(observation("three"))
    work.mailbox.unreadable["item-three"] = ItemBrokenError("broken")
    platform(work).ensuring.append(PlatformUnavailableError("busy"))
    done = await swept(work)
    assert (done.looked, done.unread, len(done.failed), done.answered) == (2, 1, 1, 1)


async def test_a_mailbox_that_cannot_be_listed_ends_it(work: AtWork) -> None:
    work.mailbox.fail("inventory", TryLaterError("busy"))
    with pytest.raises(TryLaterError):
        await swept(work)


async def test_many_are_read_in_slices(work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sweep", "taking_up"):
        monkeypatch.setattr(f"greenroom.scheduler.recovery.{module}.SLICE", 5)
    for number in range(12):
        work.mailbox.put(observation(f"m{number}", starts_in=timedelta(days=1, minutes=number)))
    told: list[tuple[int, int]] = []
    attendant = Attendant(work.integration, work.storage, work.clock)
    found = await found_since(work)
    await sweep(
        work.integration,
        work.storage,
        attendant,
        found,
        work.clock,
        progress=lambda _what, done, total: told.append((done, total)),
    )
    assert told == [(5, 12), (10, 12), (12, 12)]


async def test_the_mailboxs_own_meetings_are_nothing_to_look_at(work: AtWork) -> None:
    work.mailbox.put(observation(response=Response.ORGANIZER, is_organizer=True))
    assert len(await found_since(work)) == 0
