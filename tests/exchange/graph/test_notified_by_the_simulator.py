"""The whole way over real sockets: subscription, handshake, notification, hint; and every way in which it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from exchange.graph.subscribed import until
from greenroom.exchange.contract import Hint
from greenroom.exchange.graph import wakeups
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.wakeups import Wakeups
from greenroom.simulator.graph.subscriptions import Subscription
from greenroom.simulator.model import Attendee, MeetingDraft, Person
from greenroom.web.app import create_app
from support import planted
from support.in_loop import serving
from support.issued import Issued
from support.join_rooms import PLACES, RoomsInMemory
from support.simulator import EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

START = datetime(2031, 5, 6, 9, 0, tzinfo=UTC)


@dataclass
class Site:
    """A simulator, a Greenroom whose notification address it can reach, and the hints there."""

    simulator: RunningSimulator
    intake: GraphIntake
    transport: GraphTransport
    settings: GraphSettings
    hints: list[Hint] = field(default_factory=list)

    @asynccontextmanager
    async def woken(self, intake: GraphIntake | None = None, *, clean_end: bool = True) -> AsyncIterator[None]:
        """Listen while the block runs, and until a subscription stands."""
        quick: dict[str, Any] = {"pauses": (0.05, 0.1), "long_pauses": (60.0,), "tick": 0.02}
        ours = Wakeups(self.transport, self.settings, intake or self.intake, self.simulator.clock, **quick)

        async def listen() -> None:
            async for hint in ours.hints():
                self.hints.append(hint)

        task = asyncio.create_task(listen())
        try:
            await until(lambda: ours._held is not None or ours._failures > 0)
            yield
        finally:
            if not clean_end:
                ours._held = None  # as after a crash: nobody deletes it
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def subscriptions(self) -> list[Subscription]:
        return self.simulator.graph.subscriptions.active()

    def invite(self, count: int = 1) -> None:
        for _ in range(count):
            draft: MeetingDraft = {
                "subject": planted.SUBJECT,
                "start": START,
                "end": START + timedelta(hours=1),
                "attendees": (Attendee(Person(EQUIPMENT, "Meeting room"), "resource"),),
            }
            self.simulator.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")

    async def hinted(self, *hints: Hint) -> None:
        await until(lambda: self.hints == list(hints))


@asynccontextmanager
async def site(*, reachable: bool = True) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(simulator_in_loop())
        intake = GraphIntake(simulator.tenant, clock=simulator.clock)
        app = create_app(RoomsInMemory(), simulator.clock, PLACES, {"main": intake} if reachable else {})
        url = await stack.enter_async_context(serving(app)) + "/hooks/graph/main"
        settings = GraphSettings(
            EQUIPMENT,
            simulator.tenant,
            Issued(simulator),
            cloud=Cloud(simulator.url, simulator.url),
            notification_url=url,
            lifecycle_url=url + "/lifecycle",
        )
        transport = GraphTransport(settings, limits=Limits(simulator.clock), clock=simulator.clock)
        stack.push_async_callback(transport.close)
        yield Site(simulator, intake, transport, settings)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_GATHER", 0.2)


async def test_an_invitation_wakes_and_a_burst_wakes_once() -> None:
    with capture_logs() as logs:
        async with site() as ours, ours.woken():
            ours.invite()
            await ours.hinted(Hint.LOOK)
            ours.invite(30)
            await ours.hinted(Hint.LOOK, Hint.LOOK)
    assert not planted.found_in(repr(logs))
    assert not [line for line in logs if line["event"] == "graph.notifications.refused"]


async def test_both_addresses_are_validated_and_the_subscription_is_as_it_should_be() -> None:
    async with site() as ours:
        async with ours.woken():
            (held,) = ours.subscriptions
            assert (held.mailbox, held.immutable_ids) == (EQUIPMENT, True)
            assert held.notification_url == ours.settings.notification_url
            assert held.lifecycle_url == ours.settings.lifecycle_url
            assert timedelta(days=6.9) < held.expires - ours.simulator.clock() < timedelta(days=7)
        assert ours.subscriptions == []


async def test_it_is_renewed_when_half_of_its_life_is_over() -> None:
    async with site() as ours, ours.woken():
        (held,) = ours.subscriptions
        first = held.expires
        ours.simulator.clock.advance(timedelta(days=3.6))
        await until(lambda: held.expires > first)
        assert ours.simulator.calls("RenewSubscription") == 1
        ours.invite()
        await ours.hinted(Hint.LOOK)


async def test_what_was_missed_is_compared() -> None:
    async with site() as ours, ours.woken():
        ours.simulator.graph.lifecycle(ours.subscriptions[0].id, "missed")
        await ours.hinted(Hint.RECONCILE)


async def test_a_removed_subscription_is_made_anew_and_everything_compared() -> None:
    async with site() as ours, ours.woken():
        (old,) = ours.subscriptions
        ours.simulator.clock.advance(timedelta(hours=1))
        ours.simulator.graph.lifecycle(old.id, "subscriptionRemoved")
        await ours.hinted(Hint.RECONCILE)
        (new,) = ours.subscriptions
        assert new.client_state != old.client_state
        ours.invite()
        await ours.hinted(Hint.RECONCILE, Hint.LOOK)


async def test_reauthorization_is_answered_by_a_renewal() -> None:
    async with site() as ours, ours.woken():
        ours.simulator.graph.lifecycle(ours.subscriptions[0].id, "reauthorizationRequired")
        await until(lambda: ours.simulator.calls("RenewSubscription") == 1)
        assert ours.hints == []


async def test_where_notifications_are_lost_it_stays_silent() -> None:
    async with site() as ours, ours.woken():
        ours.simulator.fail(kind="drop_notifications", operation="Notification")
        ours.invite(3)
        await asyncio.sleep(0.6)
        assert ours.hints == []


async def test_after_a_crash_the_leftover_is_deleted_and_one_subscription_stands() -> None:
    async with site() as ours:
        async with ours.woken(clean_end=False):
            pass
        (left,) = ours.subscriptions
        async with ours.woken():
            (new,) = ours.subscriptions
            assert new.id != left.id
            ours.invite()
            await ours.hinted(Hint.LOOK)


async def test_notifications_of_a_leftover_are_refused_until_it_is_gone() -> None:
    async with site() as ours:
        stranger = GraphIntake(ours.simulator.tenant, clock=ours.simulator.clock)
        with capture_logs() as logs:
            async with ours.woken(stranger):  # as if an earlier process had made it
                ours.invite()
                await until(lambda: any(line.get("kind") == "unknown-subscription" for line in logs))
        assert ours.hints == []


async def test_an_address_that_does_not_answer_the_handshake_is_told_once_and_polling_is_left_alone() -> None:
    with capture_logs() as logs:
        async with site(reachable=False) as ours, ours.woken():
            assert ours.subscriptions == []
    (told,) = [line for line in logs if line["event"] == "graph.subscription.refused"]
    assert (told["code"], told["log_level"]) == ("ValidationError", "warning")


async def test_a_busy_graph_is_asked_again() -> None:
    async with site() as ours:
        ours.simulator.fail(kind="http_429", operation="CreateSubscription", times=1)
        async with ours.woken():
            await until(lambda: len(ours.subscriptions) == 1)
            await ours.hinted(Hint.LOOK)
