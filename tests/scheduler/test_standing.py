"""Accepted meetings of which nothing is remembered and no ticket is left: the platform still has their rooms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from greenroom.meetings.alias import Alias, AliasPlan
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.policy import PinPolicy, Policy, Unticketed
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import OFFLINE, Ticket, TicketFault
from greenroom.platforms.contract import Capabilities, OwnedRoom, Platform
from greenroom.platforms.errors import PlatformError, PlatformSignInError, PlatformUnavailableError
from greenroom.scheduler import wording
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.recovery.contract import Fate
from greenroom.scheduler.recovery.plan import plan
from greenroom.scheduler.standing import claim, may_stand
from support.greenroom_at_work import AtWork, at_work
from support.observations import ADA, MAILBOX, NOW, observation, weekly
from support.old_scheduler import invitation
from support.stubborn_platform import StubbornPlatform

ONE, TWO = MeetingKey.of_uid("one"), MeetingKey.of_uid("two")
DAY = timedelta(days=1)
POLICY = Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST)


class Listing(StubbornPlatform):
    """A platform that outlives the database. `faults` are raised by the next lists, `dialled` replaces aliases by mark."""

    def __init__(self, inner: Platform, *, lists: bool = True) -> None:
        super().__init__(inner)
        self.capabilities = Capabilities(judges_time=True, pins=True, closes=True, lists=lists)
        self.faults: list[PlatformError] = []
        self.dialled: dict[str, tuple[str, ...]] = {}
        self.asked = 0

    async def owned(self) -> AsyncIterator[OwnedRoom]:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        async for room in self.inner.owned():
            yield replace(room, aliases=self.dialled.get(room.mark, room.aliases))


@dataclass
class Reborn:
    """A Greenroom before and after it lost its database; the organizers' mailboxes may not be changed."""

    before: AtWork
    after: AtWork
    platform: Listing

    async def wake(self) -> None:
        """Show the calendar to the one that remembers nothing, and let it work for some minutes."""
        for item in list(self.before.mailbox.items.values()):
            self.after.mailbox.put(item)
        self.after.mailbox.refused_organizers.add(ADA.address)
        await self.after.settle_quickly()

    async def record(self, key: MeetingKey = ONE) -> Record:
        found = await self.after.record(key)
        assert found is not None
        return found


@asynccontextmanager
async def lost(
    *meetings: Observation, policy: Policy = POLICY, lists: bool = True, known: bool = True
) -> AsyncIterator[Reborn]:
    async with at_work(policy=policy) as before:
        platform = Listing(before.integration.platform, lists=lists)
        async with at_work(policy=policy, platform=lambda _: platform) as after:
            before.mailbox.refused_organizers.add(ADA.address)
            for meeting in meetings or (observation(),):
                before.mailbox.invite(meeting)
            if known:
                await before.settle_quickly()
            yield Reborn(before, after, platform)


async def test_the_alias_of_the_room_that_stands_is_kept_and_nobody_hears_of_it() -> None:
    async with lost() as reborn:
        was = await reborn.before.record(ONE)
        room = await reborn.before.room(ONE)
        await reborn.wake()
        record = await reborn.record()
        assert was is not None
        assert (record.alias_number, record.adopted, record.alias_key) == (was.alias_number, None, 0)
        assert (record.state, record.reason, record.retry_at) == (State.SCHEDULED, "recovered", None)
        assert record.instructions is InstructionsState.IN_REPLY
        assert reborn.after.mailbox.sent == []
        assert reborn.after.mailbox.organizer_bodies == {}
        stands = await reborn.before.room(ONE)
        assert room is not None
        assert stands is not None
        assert stands.spec == room.spec  # also its PINs and its join link
        seen = next(entry for entry in await reborn.after.journal(ONE) if entry.step == "seen")
        assert seen.detail == "ticket room"
        assert reborn.platform.asked == 1


async def test_a_promise_that_nobody_could_replace_tells_no_alias_either() -> None:
    async with at_work() as work:
        promise = work.integration.ring.issue(987654321012345, NOW, OFFLINE)
    async with lost(replace(observation(), body_html=f"<p>{promise}</p>")) as reborn:
        was = await reborn.before.record(ONE)
        await reborn.wake()
        record = await reborn.record()
        assert was is not None
        assert (record.alias_number, record.reason) == (was.alias_number, "recovered")
        assert record.instructions is InstructionsState.IN_REPLY
        assert reborn.after.mailbox.sent == []
    # Where the platform cannot tell of its room, the promise is as good as on the first day.
    async with lost(replace(observation(), body_html=f"<p>{promise}</p>"), lists=False) as reborn:
        await reborn.wake()
        assert (await reborn.record()).reason == "offline"


async def test_a_later_change_is_answered_with_the_same_alias_and_how_to_join() -> None:
    async with lost() as reborn:
        await reborn.wake()
        record = await reborn.record()
        item = reborn.after.mailbox.items["item-one"]
        later = observation(starts_in=3 * DAY).span
        now = reborn.after.clock.now
        reborn.after.mailbox.put(replace(item, span=later, response=Response.NONE, sent_at=now))
        await reborn.after.settle_quickly()
        (reply,) = reborn.after.mailbox.replies_to(ONE)
        assert f"meet{record.alias_number}@video.example" in reply.body_html
        assert "Meeting reference" in reply.body_html


@pytest.mark.slow
async def test_a_ticket_printed_for_it_is_the_same_however_often_the_database_was_lost() -> None:
    async with lost() as reborn, lost(known=False) as again:
        await reborn.wake()
        again.platform.inner = reborn.before.integration.platform
        again.before.mailbox.items = reborn.before.mailbox.items
        again.after.clock.forward(hours=5)
        await again.wake()
        first, second = await reborn.record(), await again.record()
        assert first.correlation_id != second.correlation_id
        printed = [wording.ticket_of(reborn.after.integration, record) for record in (first, second)]
        assert printed[0] == printed[1]


async def test_a_series_keeps_the_room_that_stands() -> None:
    series = weekly()
    async with lost(series) as reborn:
        was = await reborn.before.record(series.key)
        await reborn.wake()
        record = await reborn.record(series.key)
        assert was is not None
        assert (record.alias_number, record.reason) == (was.alias_number, "recovered")
        assert reborn.after.mailbox.sent == []


async def test_an_alias_that_the_plan_does_not_spell_goes_on_as_one_that_was_taken_over() -> None:
    async with lost() as reborn:
        was = await reborn.before.room(ONE)
        assert was is not None
        plan = AliasPlan("room", 9, "other.example")
        reborn.after.integration = replace(reborn.after.integration, aliases=plan)
        await reborn.wake()
        record = await reborn.record()
        assert record.adopted == was.spec.alias
        assert record.instructions is InstructionsState.IN_REPLY
        room = await reborn.before.room(ONE)
        assert room is not None
        assert (room.spec.alias, room.spec.guest_pin) == (was.spec.alias, None)
        assert reborn.after.mailbox.sent == []


async def test_a_meeting_that_was_taken_over_keeps_its_room_though_its_token_is_known_to_nobody() -> None:
    async with lost() as reborn:
        reborn.platform.dialled[ONE.digest] = ("88500123", "88500123@old.example")
        item = reborn.before.mailbox.items["item-one"]
        reborn.before.mailbox.items["item-one"] = replace(item, body_html=invitation(500123))
        await reborn.wake()
        record = await reborn.record()
        assert record.adopted == Alias(88500123, "88500123@old.example", "88500123")
        assert (record.reason, record.instructions) == ("recovered", InstructionsState.PRESENT)
        assert reborn.after.mailbox.sent == []


@pytest.mark.parametrize(
    ("error", "alarm"),
    [
        (PlatformUnavailableError("busy", timedelta(minutes=2)), "platform-unavailable"),
        (PlatformSignInError("signed-out"), "platform-needs-setup"),
    ],
    ids=["busy", "signed-out"],
)
async def test_while_the_platform_cannot_say_the_meeting_waits_and_gets_no_other_alias(
    error: PlatformError, alarm: str
) -> None:
    async with lost(observation(), observation("two", starts_in=2 * DAY)) as reborn:
        was = await reborn.before.record(ONE)
        assert was is not None
        reborn.platform.faults = [error]
        for item in list(reborn.before.mailbox.items.values()):
            reborn.after.mailbox.put(item)
        await reborn.after.attend()
        record = await reborn.record()
        assert (record.state, record.alias_number, record.attempts) == (State.PENDING, None, 1)
        assert record.retry_at is not None
        assert reborn.platform.asked == 1
        async with reborn.after.storage.reading() as work:
            (told,) = await work.alarms.since(NOW)
        assert (told.code, told.count) == (alarm, 2)
        reborn.after.clock.forward(minutes=5)
        await reborn.after.settle_quickly()
        assert (await reborn.record()).alias_number == was.alias_number
        assert reborn.after.mailbox.sent == []


async def test_where_the_platform_does_not_list_another_alias_is_given_and_told() -> None:
    async with lost(lists=False) as reborn:
        was = await reborn.before.record(ONE)
        await reborn.wake()
        record = await reborn.record()
        assert was is not None
        assert record.alias_number not in (None, was.alias_number)
        assert len(reborn.after.mailbox.replies_to(ONE)) == 1
        assert reborn.platform.asked == 0


async def test_a_room_whose_alias_another_meeting_has_by_now_is_left() -> None:
    async with lost() as reborn:
        was = await reborn.before.record(ONE)
        assert was is not None
        assert was.alias_number is not None
        async with reborn.after.storage.work() as work:
            await work.reservations.bind(1, was.alias_number, TWO, NOW)
        await reborn.wake()
        assert (await reborn.record()).alias_number not in (None, was.alias_number)
        assert len(reborn.after.mailbox.replies_to(ONE)) == 1


async def test_a_room_that_stands_counts_where_unticketed_invitations_get_none() -> None:
    async with lost() as reborn:
        policy = replace(POLICY, unticketed=Unticketed.DECLINE, deny_organizers=frozenset({ADA.address}))
        reborn.after.integration = replace(reborn.after.integration, policy=policy)
        await reborn.wake()
        assert (await reborn.record()).reason == "recovered"
        assert reborn.after.mailbox.sent == []


@pytest.mark.parametrize(
    ("facts", "tickets", "may"),
    [
        ({}, [], True),
        ({}, [TicketFault.MALFORMED], True),
        ({}, [TicketFault.FOREIGN], False),
        ({}, [Ticket(1, 123456789, 0, NOW, 0)], False),
        ({"response": Response.NONE}, [], False),
        ({"cancelled": True}, [], False),
        ({"is_organizer": True}, [], False),
        ({"informational_copy": True}, [], False),
        ({"span": observation(starts_in=-2 * DAY).span}, [], False),
    ],
    ids=["bare", "torn-ticket", "foreign", "ticket", "unanswered", "cancelled", "own", "copy", "over"],
)
def test_the_platform_is_asked_only_for_what_we_accepted_and_no_ticket_tells(
    facts: dict[str, object], tickets: list[Ticket | TicketFault], may: bool
) -> None:
    seen = replace(observation(), response=Response.ACCEPTED)
    assert may_stand(replace(seen, **facts), tickets, NOW) is may  # type: ignore[arg-type]  # named by the test


async def test_the_platform_is_asked_once_for_a_whole_calendar_and_not_where_tickets_tell() -> None:
    bodies = [observation(f"m{n}", starts_in=n * DAY + DAY) for n in range(12)]
    async with lost(*bodies) as reborn:
        for item in list(reborn.before.mailbox.items.values()):
            reborn.after.mailbox.put(item)
        await reborn.after.attend(slice_size=5)
        assert reborn.platform.asked == 1
        assert reborn.after.mailbox.sent == []
    async with at_work() as before:
        before.mailbox.invite(observation())
        await before.settle_quickly()
        platform = Listing(before.integration.platform)
        async with at_work(platform=lambda _: platform) as after:
            after.mailbox.put(before.mailbox.items["item-one"])
            await after.settle_quickly()
            record = await after.record(ONE)
            assert record is not None
            assert (record.reason, platform.asked) == ("recovered", 0)


async def test_what_the_platform_told_is_believed_for_an_hour() -> None:
    async with lost(*(observation(f"m{n}", starts_in=9 * DAY) for n in range(3))) as reborn:
        attendant = Attendant(reborn.after.integration, reborn.after.storage, reborn.after.clock)
        asked = []
        for item, minutes in zip(list(reborn.before.mailbox.items.values()), (0, 59, 2), strict=True):
            reborn.after.clock.forward(minutes=minutes)
            reborn.after.mailbox.put(item)
            await attendant.attend()
            asked.append(reborn.platform.asked)
        assert asked == [1, 1, 2]
        assert reborn.after.mailbox.sent == []


async def test_what_a_room_is_dialled_by_stays() -> None:
    cases = {
        ("000000042", "Meet000000042@Video.example"): Alias(42, "meet000000042@video.example", "000000042"),
        ("a@old.example", "7001"): Alias(7001, "a@old.example", "7001"),
        ("7002",): Alias(7002, "7002", "7002"),
        ("7003@old.example",): Alias(7003, "7003@old.example", "7003"),
    }
    async with at_work() as work, work.storage.work() as session:
        for dialled, alias in cases.items():
            assert await claim(work.integration, session, ONE, dialled, NOW) == alias
            again = await claim(work.integration, session, TWO, dialled, NOW)
            assert again is None or (again.name, again.numeric) == (alias.name, alias.numeric)
            assert (again is None) is alias.name.startswith("meet")
            assert again is None or again.number != alias.number
        unkeyed = await claim(work.integration, session, ONE, ("ada@old.example",), NOW)
        assert unkeyed is not None
        assert (unkeyed.name, unkeyed.numeric) == ("ada@old.example", str(unkeyed.number))


async def test_a_plan_of_recovery_says_the_same_as_the_pass() -> None:
    async with lost() as reborn:
        was = await reborn.before.room(ONE)
        reborn.after.mailbox.put(reborn.before.mailbox.items["item-one"])
        (entry,) = (await plan(reborn.after.integration, reborn.after.storage, reborn.after.clock)).entries
        assert was is not None
        assert (entry.fate, entry.detail, entry.alias) == (Fate.ADOPT, "recovered", was.spec.alias.name)
