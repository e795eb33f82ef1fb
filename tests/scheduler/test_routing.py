"""Organizers on either side of a hybrid organisation: who is asked, what is remembered, and what a fault may hold up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from greenroom.exchange.contract import Invitation, InvitationEdit, UpdateResult
from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.meetings.meeting import MeetingKey, Person
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.scheduler.case import Clock
from greenroom.scheduler.reconcile import note_credential
from greenroom.scheduler.routing import Routed, update_invitation
from greenroom.storage import OrganizerRoute, Side
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import AtWork, at_work
from support.observations import ADA, MAILBOX, observation

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")
MONTH = timedelta(days=30)


class Half(FakeMailbox):
    """One side: it knows the organizers whose mailboxes are here, and counts how often it is asked."""

    def __init__(self, address: str, clock: Clock) -> None:
        super().__init__(address, clock)
        self.here: set[str] = set()
        self.asked: list[str] = []

    async def update_invitation(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        self.asked.append(organizer)
        result = await super().update_invitation(organizer, key, edit)
        return result if organizer in self.here else UpdateResult.ELSEWHERE


@dataclass
class Hybrid:
    """A Greenroom between two Exchanges; the equipment mailbox is on the first."""

    work: AtWork
    first: Half
    second: Half

    def invite(self, uid: str = "one", organizer: Person = ADA, **changes: object) -> None:
        """Send an invitation; the organizer's own meeting is where the organizer is."""
        item = observation(uid, starts_in=timedelta(days=90), organizer=organizer, **changes)
        self.first.put(item)
        for half in (self.first, self.second):
            if organizer.address in half.here:
                half.organizer_bodies[item.key] = Invitation(item.body_html, item.location)

    def migrate(self, organizer: str) -> None:
        """Move an organizer's mailbox to the other side, with all that is in it."""
        old, new = (self.first, self.second) if organizer in self.first.here else (self.second, self.first)
        old.here.remove(organizer)
        new.here.add(organizer)
        new.organizer_bodies |= old.organizer_bodies
        old.organizer_bodies = {}

    def asked(self) -> tuple[int, int]:
        """How often each side was asked since the last time."""
        counts = len(self.first.asked), len(self.second.asked)
        self.first.asked.clear()
        self.second.asked.clear()
        return counts

    async def route(self, organizer: str = ADA.address) -> OrganizerRoute | None:
        async with self.work.storage.reading() as work:
            return await work.routes.get(1, organizer)

    async def side(self) -> Side | None:
        route = await self.route()
        return None if route is None else route.side

    async def record(self, key: MeetingKey = ONE) -> Record:
        record = await self.work.record(key)
        assert record is not None
        return record

    async def lines(self, key: MeetingKey = ONE) -> list[tuple[str, str]]:
        return [(line.code, line.detail) for line in await self.work.journal(key) if line.step == "instructions"]


@asynccontextmanager
async def _hybrid() -> AsyncIterator[Hybrid]:
    async with at_work() as work:
        first, second = Half(MAILBOX, work.clock), Half("", work.clock)
        integration = replace(work.integration, mailbox=first, elsewhere=second)
        yield Hybrid(replace(work, mailbox=first, integration=integration), first, second)


@pytest.fixture
async def hybrid() -> AsyncIterator[Hybrid]:
    async with _hybrid() as hybrid:
        yield hybrid


async def test_an_organizer_on_this_side_costs_one_call(hybrid: Hybrid) -> None:
    hybrid.first.here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 0)
    assert await hybrid.lines() == [("written", "")]
    assert await hybrid.side() is Side.FIRST


async def test_an_organizer_on_the_other_side_is_found_there_and_remembered(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 1)
    assert "Meeting reference" in hybrid.second.organizer_bodies[ONE].body_html
    assert await hybrid.lines() == [("written", "second exchange")]
    assert (await hybrid.record()).instructions is InstructionsState.WRITTEN
    hybrid.invite("two")
    await hybrid.work.attend()
    assert hybrid.asked() == (0, 1)
    assert await hybrid.lines(TWO) == [("written", "second exchange")]


async def test_what_was_learned_is_forgotten_after_a_month(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    learned = await hybrid.route()
    assert learned is not None
    hybrid.asked()
    hybrid.work.clock.now = learned.learned_at + MONTH - timedelta(seconds=2)
    hybrid.invite("two")
    await hybrid.work.attend()
    assert hybrid.asked() == (0, 1)
    hybrid.work.clock.forward(seconds=1)
    hybrid.invite("three")
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 1)
    assert await hybrid.route() == replace(learned, learned_at=hybrid.work.clock())


@pytest.mark.parametrize("side", list(Side))
async def test_an_organizer_whose_mailbox_moved_is_followed(hybrid: Hybrid, side: Side) -> None:
    (hybrid.first if side is Side.FIRST else hybrid.second).here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    assert await hybrid.side() is side
    hybrid.migrate(ADA.address)
    hybrid.asked()
    hybrid.invite("two")
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 1)
    assert await hybrid.side() is not side
    assert (await hybrid.record(TWO)).instructions is InstructionsState.WRITTEN


async def test_an_organizer_of_neither_side_gets_the_instructions_in_the_reply(hybrid: Hybrid) -> None:
    hybrid.invite()
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 1)
    assert await hybrid.lines() == [("elsewhere", "")]
    assert await hybrid.route() is None
    (reply,) = hybrid.first.replies_to(ONE)
    assert "Meeting reference" in reply.body_html


async def test_an_organizer_who_left_both_sides_is_forgotten(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    hybrid.second.here.clear()
    hybrid.invite("two")
    await hybrid.work.attend()
    assert await hybrid.route() is None
    assert (await hybrid.record(TWO)).state is State.SCHEDULED


@pytest.mark.parametrize("result", [UpdateResult.REFUSED, UpdateResult.NOT_FOUND])
async def test_a_side_that_refuses_or_has_no_such_meeting_is_the_organizers(
    hybrid: Hybrid, result: UpdateResult
) -> None:
    hybrid.second.here.add(ADA.address)
    if result is UpdateResult.REFUSED:
        hybrid.second.refused_organizers.add(ADA.address)
    hybrid.first.put(observation(starts_in=timedelta(days=90)))
    await hybrid.work.attend()
    assert await hybrid.side() is Side.SECOND
    assert await hybrid.lines() == [(result.value, "second exchange")]
    assert (await hybrid.record()).instructions is InstructionsState.IN_REPLY


async def test_no_right_on_the_own_side_may_hide_that_the_organizer_is_on_the_other(hybrid: Hybrid) -> None:
    hybrid.first.here.add(ADA.address)  # a scope refuses before it says whether there is a mailbox
    hybrid.second.here.add(ADA.address)
    hybrid.first.refused_organizers.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 1)
    assert await hybrid.lines() == [("written", "second exchange")]
    assert await hybrid.side() is Side.SECOND


async def test_a_busy_side_delays_and_nobody_else_is_asked(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.invite()
    await hybrid.work.attend()
    hybrid.asked()
    hybrid.second.fail("update_invitation", TryLaterError("busy", code="ErrorServerBusy"))
    hybrid.invite("two")
    await hybrid.work.attend()
    assert hybrid.asked() == (0, 1)
    assert hybrid.first.replies_to(TWO) == []
    assert await hybrid.lines(TWO) == [("postponed", "ErrorServerBusy")]
    await hybrid.work.settle_quickly()
    assert (await hybrid.record(TWO)).instructions is InstructionsState.WRITTEN
    assert len(hybrid.first.replies_to(TWO)) == 1


async def test_a_busy_own_side_is_no_reason_to_ask_the_other(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.first.fail("update_invitation", TryLaterError("busy"))
    hybrid.invite()
    await hybrid.work.attend()
    assert hybrid.asked() == (1, 0)
    assert await hybrid.route() is None


async def test_an_update_whose_answer_was_lost_is_looked_for_on_the_same_side(hybrid: Hybrid) -> None:
    hybrid.second.here.add(ADA.address)
    hybrid.invite()
    hybrid.second.fail("update_invitation", OutcomeUnknownError("lost"), after=True)
    await hybrid.work.settle_quickly()
    assert (await hybrid.record()).instructions is InstructionsState.PRESENT
    assert hybrid.second.organizer_bodies[ONE].body_html.count("Meeting reference") == 1


@pytest.mark.parametrize("error", [SignInError("no", code="401"), MisconfiguredError("no", code="bad-certificate")])
async def test_a_second_exchange_that_refuses_us_holds_nothing_up(hybrid: Hybrid, error: ExchangeError) -> None:
    bob = Person("bob@greenroom.example")
    hybrid.second.here.add(ADA.address)
    hybrid.first.here.add(bob.address)
    hybrid.second.fail("update_invitation", error)
    hybrid.invite()
    hybrid.invite("two", bob)
    with capture_logs() as logs:
        await hybrid.work.attend()
    assert ("second exchange refuses us", error.code) in [(entry["event"], entry.get("code")) for entry in logs]
    assert await hybrid.lines() == [("refused", "second exchange")]
    assert "Meeting reference" in hybrid.first.replies_to(ONE)[0].body_html
    assert await hybrid.lines(TWO) == [("written", "")]
    assert await hybrid.route() is None


@pytest.mark.parametrize("side", list(Side))
async def test_no_right_for_one_organizer_never_stops_the_pass(hybrid: Hybrid, side: Side) -> None:
    bob = Person("bob@greenroom.example")
    refusing = hybrid.first if side is Side.FIRST else hybrid.second
    refusing.here.add(ADA.address)
    hybrid.first.here.add(bob.address)
    refusing.fail("update_invitation", NotPermittedError("no", code="ErrorAccessDenied"))
    hybrid.invite()
    hybrid.invite("two", bob)
    await hybrid.work.attend()
    assert (await hybrid.record()).instructions is InstructionsState.IN_REPLY
    assert [len(hybrid.first.replies_to(key)) for key in (ONE, TWO)] == [1, 1]


async def test_one_exchange_alone_needs_no_memory() -> None:
    async with at_work() as work:
        half = Half(MAILBOX, work.clock)
        integration = replace(work.integration, mailbox=half)

        def edit(invitation: Invitation) -> Invitation | None:
            return None if invitation.location else Invitation(invitation.body_html, "here")

        async def update() -> Routed:
            return await update_invitation(integration, work.storage, ADA.address, ONE, edit, now=work.clock())

        assert await update() == Routed(UpdateResult.ELSEWHERE)
        half.here.add(ADA.address)
        half.organizer_bodies[ONE] = Invitation("", "")
        assert [await update(), await update()] == [Routed(UpdateResult.WRITTEN), Routed(UpdateResult.PRESENT)]
        async with work.storage.reading() as unit:
            assert await unit.routes.get(1, ADA.address) is None


async def test_waiting_for_an_organizers_own_sending_limit_wears_out_no_patience(hybrid: Hybrid) -> None:
    hybrid.first.here.add(ADA.address)
    hybrid.invite()
    for _ in range(20):
        hybrid.first.fail(
            "update_invitation", TryLaterError("30 a minute", code="send-limit", after=timedelta(seconds=9))
        )
    for _ in range(20):
        await hybrid.work.attend()
        record = await hybrid.record()
        assert (record.attempts, record.retry_at) == (0, hybrid.work.clock() + timedelta(seconds=9))
        hybrid.work.clock.forward(seconds=8)
    assert hybrid.first.replies_to(ONE) == []
    await hybrid.work.attend()
    assert await hybrid.lines() == [("postponed", "send-limit"), ("written", "")]
    assert len(hybrid.first.replies_to(ONE)) == 1
    assert (await hybrid.record()).retry_at is None


async def test_the_meetings_of_an_organizer_who_may_not_send_now_cost_one_call_together(hybrid: Hybrid) -> None:
    bob = Person("bob@example.com", "Bob")
    hybrid.first.here |= {ADA.address, bob.address}
    for n in range(5):
        hybrid.invite(f"ada{n}")
    hybrid.invite("bob", bob)
    hybrid.first.fail("update_invitation", TryLaterError("30 a minute", code="send-limit", after=timedelta(minutes=1)))
    await hybrid.work.attend()
    assert hybrid.first.asked == [ADA.address, bob.address]
    hybrid.work.clock.forward(minutes=1)
    await hybrid.work.attend()
    for uid in ("bob", *(f"ada{n}" for n in range(5))):
        assert (await hybrid.lines(MeetingKey.of_uid(uid)))[-1] == ("written", "")
        assert len(hybrid.first.replies_to(MeetingKey.of_uid(uid))) == 1


async def test_faults_wear_out_patience_though_turns_were_waited_for_between(hybrid: Hybrid) -> None:
    hybrid.first.here.add(ADA.address)
    hybrid.invite()
    for _ in range(9):
        hybrid.first.fail("update_invitation", TryLaterError("busy", code="busy"))
        hybrid.first.fail("update_invitation", TryLaterError("30 a minute", code="send-limit"))
    await hybrid.work.settle()
    assert (await hybrid.record()).instructions is InstructionsState.IN_REPLY


@pytest.mark.parametrize(
    ("here", "there", "table"),
    [(9, None, "exchange"), (9, 20, "exchange"), (None, 9, "organizers"), (20, 9, "organizers")],
)
async def test_the_credential_that_runs_out_first_is_told_whichever_side_it_signs_in_to(
    hybrid: Hybrid, here: int | None, there: int | None, table: str
) -> None:
    now = hybrid.work.clock()
    hybrid.first.credential_expires_at = None if here is None else now + timedelta(days=here)
    hybrid.second.credential_expires_at = None if there is None else now + timedelta(days=there)
    with capture_logs() as logs:
        await note_credential(hybrid.work.integration, hybrid.work.storage, now)
    assert [(line["table"], line["days"]) for line in logs] == [(table, 9)]
    async with hybrid.work.storage.reading() as work:
        assert (await work.mailboxes.get(MAILBOX)).credential_expires_at == now + timedelta(days=9)
