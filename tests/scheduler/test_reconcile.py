"""Comparing calendar and records: what the feed did not tell is found, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from greenroom.exchange.contract import Changes, Verdict
from greenroom.exchange.errors import ExchangeError, SignInError, TryLaterError
from greenroom.meetings.meeting import Glance, Kind, MeetingKey, Observation, Response
from greenroom.meetings.record import State
from greenroom.scheduler.case import Clock
from greenroom.scheduler.reconcile import compare, slices
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation
from support.records import full_record, meeting_key
from support.windows import starts

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")


class Told(FakeMailbox):
    """A mailbox whose feed tells what a test puts in first."""

    def __init__(self, address: str, clock: Clock) -> None:
        super().__init__(address, clock)
        self.told: list[Changes] = []
        self.finds: list[MeetingKey] = []
        self.hidden: set[str] = set()  # ids the list leaves out, though they are there
        self.since: datetime | None = None

    async def changes(self, cursor: str, *, limit: int) -> Changes:
        if self.told:
            return replace(self.told.pop(0), cursor=cursor)
        return await super().changes(cursor, limit=limit)

    async def find(self, key: MeetingKey) -> Observation | None:
        self.finds.append(key)
        return await super().find(key)

    async def inventory(self, since: datetime) -> list[Glance]:
        self.since = since
        return [glance for glance in await super().inventory(since) if glance.ref.id not in self.hidden]

    def silently(self, item: Observation) -> None:
        """Let the calendar show something without a word in the feed."""
        self.put(item)
        self.log.pop()

    def lose(self, item_id: str) -> None:
        """Take an item out of the calendar without a word in the feed."""
        del self.items[item_id]


@dataclass
class House:
    """A Greenroom on a mailbox whose feed keeps things back."""

    work: AtWork
    mailbox: Told

    async def compare(self) -> Changes:
        return await compare(self.work.integration, self.work.storage, self.work.clock())

    async def heal(self, *, limit: int = 100) -> int:
        """Compare, and look at what came out, as a pass does; returns how much it was."""
        found = await self.compare()
        for part in slices(found, limit):
            self.mailbox.told = [replace(part, more=False)]
            await self.work.attend()
        return len(found.glances) + len(found.gone)

    async def state(self, key: MeetingKey) -> tuple[State, str]:
        record = await self.work.record(key)
        assert record is not None
        return record.state, record.reason

    async def lives(self, key: MeetingKey) -> bool:
        room = await self.work.room(key)
        return room is not None and room.retired_at is None


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with at_work() as work:
        yield _house(work)


def _house(work: AtWork) -> House:
    mailbox = Told(MAILBOX, work.clock)
    return House(replace(work, mailbox=mailbox, integration=replace(work.integration, mailbox=mailbox)), mailbox)


def nothing(changes: Changes) -> bool:
    return not changes.glances and not changes.gone and not changes.more


async def test_nothing_differs_after_a_pass(house: House) -> None:
    house.mailbox.invite(observation())
    house.mailbox.invite(observation("two", starts_in=-timedelta(hours=5)))
    await house.work.attend()
    assert nothing(await house.compare())
    await house.work.settle_quickly()
    assert nothing(await house.compare())


async def test_an_item_deleted_behind_our_back_ends_its_room(house: House) -> None:
    house.mailbox.invite(observation())
    house.mailbox.invite(observation("two"))
    await house.work.settle_quickly()
    house.mailbox.lose("item-one")
    assert await house.compare() == Changes((), ("item-one",), "", more=False)
    assert await house.lives(ONE)
    await house.heal()
    assert house.mailbox.finds == [ONE]
    assert not await house.lives(ONE)
    assert await house.lives(TWO)
    assert await house.state(ONE) == (State.ENDED, "removed")
    assert nothing(await house.compare())


async def test_an_item_that_only_the_list_left_out_keeps_its_room(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    house.mailbox.hidden.add("item-one")
    assert await house.heal() == 1
    assert house.mailbox.finds == [ONE]
    assert await house.lives(ONE)
    assert len(house.mailbox.replies_to(ONE)) == 1


async def test_an_item_that_cannot_be_searched_just_now_keeps_its_room(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    house.mailbox.lose("item-one")
    house.mailbox.fail("find", TryLaterError("busy"))
    await house.heal()
    assert await house.lives(ONE)
    await house.work.settle_quickly()
    assert not await house.lives(ONE)


async def test_a_meeting_the_feed_never_told_gets_its_room(house: House) -> None:
    house.mailbox.silently(observation())
    assert [glance.key for glance in (await house.compare()).glances] == [ONE]
    await house.heal()
    assert await house.lives(ONE)
    assert [sent.verdict for sent in house.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]
    assert nothing(await house.compare())


async def test_a_move_the_feed_never_told_moves_the_room(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    moved = observation(starts_in=timedelta(days=3)).span
    assert moved is not None
    item = house.mailbox.items["item-one"]
    house.mailbox.silently(replace(item, span=moved, response=Response.NONE, sent_at=house.work.clock()))
    assert await house.heal() == 1
    room = await house.work.room(ONE)
    assert room is not None
    assert starts(room.spec) == moved.start
    assert nothing(await house.compare())


async def test_an_answer_that_was_reset_is_given_again(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    item = house.mailbox.items["item-one"]
    house.mailbox.silently(replace(item, response=Response.NONE, sent_at=house.work.clock()))
    assert await house.heal() == 1
    assert len(house.mailbox.replies_to(ONE)) == 2
    assert nothing(await house.compare())


async def test_an_id_that_changed_is_followed_without_a_word(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    item = house.mailbox.items["item-one"]
    house.mailbox.lose("item-one")
    house.mailbox.silently(replace(item, ref=replace(item.ref, id="restored")))
    assert [glance.ref.id for glance in (await house.compare()).glances] == ["restored"]
    await house.heal()
    record = await house.work.record(ONE)
    assert record is not None
    assert record.ref.id == "restored"
    assert await house.lives(ONE)
    assert len(house.mailbox.replies_to(ONE)) == 1
    assert nothing(await house.compare())


async def test_of_two_items_the_one_that_is_as_we_left_it_is_followed(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    item = house.mailbox.items["item-one"]
    house.mailbox.lose("item-one")
    house.mailbox.silently(replace(item, ref=replace(item.ref, id="restored")))
    house.mailbox.silently(replace(item, ref=replace(item.ref, id="copy"), subject="Another", informational_copy=True))
    assert [glance.ref.id for glance in (await house.compare()).glances] == ["restored"]
    await house.heal()
    assert nothing(await house.compare())


async def test_a_meeting_that_came_back_gets_its_room_again(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    item = house.mailbox.items["item-one"]
    house.mailbox.remove("item-one")
    await house.work.attend()
    assert not await house.lives(ONE)
    house.mailbox.silently(replace(item, sent_at=house.work.clock()))
    await house.heal()
    assert await house.lives(ONE)
    assert nothing(await house.compare())


async def test_a_declined_meeting_that_moved_is_looked_at_again(house: House) -> None:
    house.mailbox.invite(observation(starts_in=-timedelta(hours=5)))
    await house.work.settle_quickly()
    assert (await house.state(ONE))[0] is State.DECLINED
    house.mailbox.silently(replace(observation(), sent_at=house.work.clock()))
    await house.heal()
    assert await house.lives(ONE)
    assert nothing(await house.compare())


async def test_a_meeting_that_is_over_is_not_missed(house: House) -> None:
    house.mailbox.invite(observation(starts_in=timedelta(hours=1)))
    await house.work.attend()
    house.work.clock.forward(hours=2, minutes=1)
    house.mailbox.lose("item-one")
    assert nothing(await house.compare())


async def test_an_answer_lost_after_the_end_is_not_missed(house: House) -> None:
    house.mailbox.invite(observation(starts_in=timedelta(hours=1)))
    await house.work.attend()
    house.work.clock.forward(hours=2, minutes=1)
    house.mailbox.silently(replace(house.mailbox.items["item-one"], response=Response.NONE))
    assert nothing(await house.compare())


async def test_a_series_without_a_known_end_is_always_missed(house: House) -> None:
    endless = observation(kind=Kind.SERIES, recurrence="daily")
    house.mailbox.invite(endless)
    await house.work.attend()
    house.work.clock.forward(days=400)
    assert nothing(await house.compare())
    house.mailbox.lose("item-one")
    await house.heal()
    assert not await house.lives(ONE)


async def test_the_list_begins_a_day_before_the_last_window_that_may_be_open(house: House) -> None:
    await house.compare()
    policy = house.work.integration.policy
    assert house.mailbox.since == house.work.clock() - policy.after - timedelta(days=1)


async def test_what_is_tried_again_anyway_is_no_difference(house: House) -> None:
    house.mailbox.fail("update_invitation", TryLaterError("busy", code="ErrorServerBusy"))
    house.mailbox.invite(observation(starts_in=timedelta(days=9)))
    await house.work.attend()
    assert (await house.state(ONE))[0] is State.PENDING
    assert nothing(await house.compare())
    house.mailbox.lose("item-one")
    assert (await house.compare()).gone == ("item-one",)


async def test_a_meeting_that_a_crash_left_half_way_is_looked_at(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.attend()
    record = await house.work.record(ONE)
    assert record is not None
    async with house.work.storage.work() as work:
        await work.meetings.save([replace(record, state=State.PENDING)])
    assert await house.heal() == 1
    assert (await house.state(ONE))[0] is State.SCHEDULED


@pytest.mark.parametrize("error", [TryLaterError("busy"), SignInError("no")])
async def test_a_mailbox_that_cannot_be_listed_ends_nothing(house: House, error: ExchangeError) -> None:
    house.mailbox.invite(observation())
    await house.work.attend()
    house.mailbox.fail("inventory", error)
    with pytest.raises(type(error)):
        await house.compare()
    assert await house.lives(ONE)


async def test_the_mailboxs_own_meetings_and_messages_are_no_news(house: House) -> None:
    own = observation(is_organizer=True, response=Response.ORGANIZER)
    message = observation("two")
    house.mailbox.silently(own)
    house.mailbox.silently(replace(message, ref=replace(message.ref, is_message=True)))
    assert nothing(await house.compare())


async def test_a_request_that_is_still_a_message_is_not_missed(house: House) -> None:
    item = observation()
    house.mailbox.invite(replace(item, ref=replace(item.ref, is_message=True)))
    await house.work.settle_quickly()
    assert await house.lives(ONE)
    assert nothing(await house.compare())
    house.mailbox.lose("item-one")
    assert (await house.compare()).gone == ("item-one",)


async def test_a_calendar_item_is_missed_though_its_old_request_is_still_there(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    item = house.mailbox.items["item-one"]
    house.mailbox.silently(replace(item, ref=replace(item.ref, id="message", is_message=True)))
    assert nothing(await house.compare())
    house.mailbox.lose("item-one")
    assert await house.compare() == Changes((), ("item-one",), "", more=False)


async def test_another_item_of_the_same_meeting_changes_nothing(house: House) -> None:
    house.mailbox.invite(observation())
    await house.work.settle_quickly()
    copy = observation(is_organizer=True, subject="A copy")
    house.mailbox.silently(replace(copy, ref=replace(copy.ref, id="copy")))
    assert nothing(await house.compare())


async def test_lists_of_ids_alone_are_matched_by_id(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.mailbox.invite(observation())
    house.mailbox.invite(observation("two"))
    await house.work.settle_quickly()
    house.mailbox.put(replace(house.mailbox.items["item-two"], cancelled=True))
    await house.work.settle_quickly()
    assert (await house.state(TWO))[0] is State.ENDED
    full = house.mailbox.inventory

    async def ids(since: datetime) -> list[Glance]:
        return [Glance(glance.ref) for glance in await full(since)]

    monkeypatch.setattr(house.mailbox, "inventory", ids)
    assert nothing(await house.compare())
    house.mailbox.lose("item-one")
    house.mailbox.silently(observation("three"))
    found = await house.compare()
    assert [glance.ref.id for glance in found.glances] == ["item-three"]
    assert found.gone == ("item-one",)
    await house.heal()
    assert not await house.lives(ONE)
    assert await house.lives(MeetingKey.of_uid("three"))
    assert nothing(await house.compare())


async def test_thousands_of_records_are_held_against_thousands_of_items(house: House) -> None:
    many = 3500
    far = house.work.clock() + timedelta(days=30)
    items = [observation(f"m{n}", response=Response.ACCEPTED, starts_in=timedelta(days=5)) for n in range(many)]
    records = [
        full_record(
            key=item.key,
            correlation_id=f"C{n}",
            ref=item.ref,
            span=item.span,
            seen=item.fingerprint,
            state=State.ENDED if n % 7 == 0 else State.SCHEDULED,
            replying=None,
            retry_at=None,
        )
        for n, item in enumerate(items)
    ]
    strangers = [full_record(n, integration=2, retry_at=None, span=None) for n in range(10)]
    lost = full_record(key=meeting_key(1), ref=replace(items[0].ref, id="lost"), retry_at=None)
    lost = replace(lost, span=replace(lost.span, end=far) if lost.span else None)
    async with house.work.storage.work() as work:
        await work.meetings.save([*records, *strangers, lost])
    house.mailbox.items = {item.ref.id: item for item in items}
    assert await house.compare() == Changes((), ("lost",), "", more=False)
    house.mailbox.silently(observation("new"))
    assert [glance.key for glance in (await house.compare()).glances] == [MeetingKey.of_uid("new")]


def test_changes_are_cut_into_slices_that_hold_all_of_them_once() -> None:
    glances = tuple(Glance(observation(f"m{n}").ref) for n in range(5))
    parts = list(slices(Changes(glances, ("a", "b"), "", more=False), 3))
    assert [len(part.glances) + len(part.gone) for part in parts] == [3, 3, 1]
    assert [part.more for part in parts] == [True, True, False]
    assert tuple(glance for part in parts for glance in part.glances) == glances
    assert tuple(gone for part in parts for gone in part.gone) == ("a", "b")
    assert list(slices(Changes((), (), "", more=False), 3)) == []


async def test_a_credentials_end_is_stored_and_told_once_a_day(house: House) -> None:
    work, clock = house.work, house.work.clock

    async def told() -> list[tuple[str, int]]:
        with capture_logs() as logs:
            await house.compare()
        async with work.storage.work() as unit:
            await unit.mailboxes.note_reconciled(MAILBOX, clock())
            assert (await unit.mailboxes.get(MAILBOX)).credential_expires_at == house.mailbox.credential_expires_at
        return [(entry["event"], entry["days"]) for entry in logs if entry["event"].startswith("credential")]

    soon = "credential runs out soon: renew it"
    assert await told() == []
    house.mailbox.credential_expires_at = clock() + timedelta(days=31, hours=1)
    assert await told() == []
    clock.forward(days=2)
    assert await told() == [(soon, 29)]
    clock.forward(hours=1)
    assert await told() == []
    clock.forward(days=1)
    assert await told() == [(soon, 28)]
    house.mailbox.credential_expires_at = clock() + timedelta(days=365)
    assert await told() == []
    house.mailbox.credential_expires_at = clock() - timedelta(days=1)
    assert await told() == [("credential has run out", -1)]
    house.mailbox.credential_expires_at = None
    assert await told() == []


STEP = st.tuples(
    st.sampled_from(["invite", "move", "cancel", "remove", "restore", "reset", "rename", "attend", "busy"]),
    st.sampled_from(["a", "b", "c"]),
    st.integers(-3, 300),
    st.booleans(),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(STEP, min_size=2, max_size=20))
def test_one_comparison_finds_everything_and_the_next_finds_nothing(steps: list[tuple[str, str, int, bool]]) -> None:
    asyncio.run(live(steps))


async def live(steps: list[tuple[str, str, int, bool]]) -> None:
    async with at_work() as work:
        house = _house(work)
        for step, uid, number, silent in steps:
            house.work.clock.forward(minutes=3)
            if step == "attend":
                await house.work.settle_quickly()
            elif step == "busy":
                house.mailbox.fail("respond" if silent else "update_invitation", TryLaterError("busy"))
            else:
                people_do(house, step, uid, number, silent=silent)
        house.mailbox.faults.clear()
        await house.work.settle_quickly()
        house.work.clock.forward(hours=1)
        await house.work.attend()
        await house.heal()
        await house.work.attend()
        assert nothing(await house.compare())
        for uid in "abc":
            await check(house, uid)


def people_do(house: House, step: str, uid: str, number: int, *, silent: bool) -> None:
    mailbox, now = house.mailbox, house.work.clock()
    put = mailbox.silently if silent else mailbox.put
    there = next((item for item in mailbox.items.values() if item.key == MeetingKey.of_uid(uid)), None)
    if there is None:
        if step in ("invite", "restore"):
            fresh = observation(uid, starts_in=timedelta(hours=number), sent_at=now, received_at=now)
            put(replace(fresh, ref=replace(fresh.ref, id=f"item-{uid}-{len(mailbox.log)}-{now.minute}")))
        return
    if step == "remove":
        (mailbox.lose if silent else mailbox.remove)(there.ref.id)
    elif step == "restore":
        mailbox.lose(there.ref.id)
        put(replace(there, ref=replace(there.ref, id=f"{there.ref.id}+")))
    else:
        span = observation(uid, starts_in=timedelta(hours=number)).span
        changed = {
            "move": replace(there, span=span, response=Response.NONE),
            "cancel": replace(there, cancelled=True),
            "reset": replace(there, response=Response.NONE),
            "rename": replace(there, subject=f"Name {number}"),
        }.get(step, there)
        put(replace(changed, sent_at=now))


async def check(house: House, uid: str) -> None:
    """What lives in the calendar has its room; what does not has none."""
    key, now = MeetingKey.of_uid(uid), house.work.clock()
    item = next((item for item in house.mailbox.items.values() if item.key == key), None)
    record, room = await house.work.record(key), await house.work.room(key)
    if item is None or item.cancelled:
        if record is not None and record.span is not None and record.span.end > now:
            assert room is None or room.retired_at is not None
    elif item.span is not None and item.span.end > now:
        assert room is not None
        assert room.retired_at is None
        assert starts(room.spec) == item.span.start
        assert item.response is Response.ACCEPTED
