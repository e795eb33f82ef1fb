"""One subscription, kept alive through everything; bursts in single hints; never a tight loop."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from exchange.graph.subscribed import MAILBOX, FakeGraph, Woken, until
from exchange.scripted import Clock
from greenroom.exchange.contract import Hint
from greenroom.exchange.errors import (
    ExchangeError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.exchange.graph import wakeups
from greenroom.exchange.graph.call import Call, RefusedError
from greenroom.exchange.notifications import Taken


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_GATHER", 0.05)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def graph(clock: Clock) -> FakeGraph:
    return FakeGraph(clock)


async def quiet() -> None:
    """Let pass what would come at once."""
    await asyncio.sleep(0.2)


async def test_without_an_address_for_notifications_it_ends_at_once(graph: FakeGraph, clock: Clock) -> None:
    async with asyncio.timeout(1):
        assert [hint async for hint in Woken(graph, clock, "").wakeups.hints()] == []
    assert graph.asked == []


async def test_a_burst_is_one_hint(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        assert [ours.changed() for _ in range(100)] == [Taken.TAKEN] * 100
        await quiet()
        assert ours.hints == [Hint.LOOK]
        ours.changed()
        await until(lambda: len(ours.hints) == 2)


async def test_where_nothing_arrives_it_stays_silent(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        await quiet()
        assert ours.hints == []
        assert len(graph.asked) == 2


async def test_just_under_seven_days_are_asked_for_and_the_clock_alone_says_when(
    graph: FakeGraph, clock: Clock
) -> None:
    async with Woken(graph, clock) as ours:
        held = await ours.made()
        assert datetime.fromisoformat(held["expirationDateTime"]) == clock() + timedelta(days=7, minutes=-5)
        clock.advance(days=3.49)
        await quiet()
        assert graph.count("RenewSubscription") == 0
        clock.advance(days=0.02)
        await until(lambda: graph.count("RenewSubscription") == 1)
        await quiet()
        assert graph.count("RenewSubscription") == 1
        clock.advance(days=3.51)
        await until(lambda: graph.count("RenewSubscription") == 2)
        assert ours.hints == []
        assert graph.count("CreateSubscription") == 1


@pytest.mark.parametrize(("grants", "minutes"), [(4_230, 4_225), (1_440, 1_435)])
async def test_where_less_is_allowed_less_is_asked_for_and_renewed_at_its_half(
    graph: FakeGraph, clock: Clock, grants: int, minutes: int
) -> None:
    graph.grants = timedelta(minutes=grants)
    async with Woken(graph, clock) as ours:
        held = await ours.made()
        assert len(graph.held) == 1
        assert held["expirationDateTime"].startswith(f"{clock() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}")
        asked = graph.count("CreateSubscription")
        clock.advance(minutes=minutes / 2 + 1)
        await until(lambda: graph.count("RenewSubscription") == 1)
        assert graph.count("CreateSubscription") == asked, "what is allowed is remembered"


async def test_a_life_shortened_by_exchange_is_read_back(graph: FakeGraph, clock: Clock) -> None:
    async def shorten(call: Call) -> None:
        if call.operation == "CreateSubscription":
            graph.only["expirationDateTime"] = f"{clock() + timedelta(minutes=45):%Y-%m-%dT%H:%M:%SZ}"

    graph.before_answer = shorten
    async with Woken(graph, clock) as ours:
        await ours.made()
        clock.advance(minutes=23)
        await until(lambda: graph.count("RenewSubscription") == 1)


async def test_leftovers_of_an_earlier_life_are_deleted_on_every_page(graph: FakeGraph, clock: Clock) -> None:
    graph.page = 2
    others = [graph.add("users/a@b.test/events"), graph.add("users/c@d.test/events"), graph.add(url="https://x.test")]
    graph.held[others[2]]["resource"] = f"users/{MAILBOX}/messages"
    mine = [graph.add(f"Users/{MAILBOX.upper()}/Events") for _ in range(3)]
    async with Woken(graph, clock) as ours:
        await until(lambda: graph.count("CreateSubscription") == 1)
        await until(lambda: ours.wakeups._held is not None)
        assert not set(mine) & set(graph.held)
        assert set(others) < set(graph.held)
        assert len(graph.held) == 4
    assert set(graph.held) == set(others)


async def test_a_subscription_made_by_a_request_whose_answer_was_lost_is_cleared_away(
    graph: FakeGraph, clock: Clock
) -> None:
    lost = [True]

    async def lose(call: Call) -> None:
        if call.operation == "CreateSubscription" and lost:
            lost.pop()
            raise OutcomeUnknownError("no answer", code="no-answer")

    graph.before_answer = lose
    async with Woken(graph, clock) as ours:
        await ours.made(2)
        assert len(graph.held) == 1
        ours.changed()
        await until(lambda: bool(ours.hints))


async def test_a_conflict_is_cleared_and_tried_once_more(graph: FakeGraph, clock: Clock) -> None:
    graph.wrong["CreateSubscription"] = [RefusedError("x", status=409, code="ExtensionError")]
    async with Woken(graph, clock) as ours:
        await ours.made(2)
    assert graph.count("ListSubscriptions") == 2
    assert graph.held == {}


async def test_a_conflict_that_stays_is_told_once(graph: FakeGraph, clock: Clock) -> None:
    graph.add(url="https://old.example.test/hooks/graph/main")
    with capture_logs() as logs:
        async with Woken(graph, clock, long_pauses=(0.02,)):
            await until(lambda: graph.count("CreateSubscription") >= 6)
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert [line["code"] for line in warnings] == ["ExtensionError"]
    assert "another address" in warnings[0]["hint"]


async def test_every_subscription_has_a_secret_of_its_own(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        first = (await ours.made())["clientState"]
        clock.advance(minutes=5)
        ours.told("subscriptionRemoved")
        graph.held.clear()
        second = (await ours.made(2))["clientState"]
    assert first != second
    assert len(first) == 43
    assert first not in repr(graph.asked)


async def test_what_comes_before_the_answer_of_the_create_request_wakes(graph: FakeGraph, clock: Clock) -> None:
    ours = Woken(graph, clock)

    async def early(call: Call) -> None:
        if call.operation == "CreateSubscription":
            assert ours.changed() is Taken.TAKEN

    graph.before_answer = early
    async with ours:
        await until(lambda: ours.hints == [Hint.LOOK])


async def test_what_was_missed_is_compared(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        ours.changed()
        ours.told("missed")
        ours.changed()
        await until(lambda: ours.hints == [Hint.RECONCILE])


async def test_a_removed_subscription_is_made_anew_and_everything_compared(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        clock.advance(hours=5)
        ours.told("subscriptionRemoved")
        graph.held.clear()
        await until(lambda: ours.hints == [Hint.RECONCILE])
        await ours.made(2)
        assert graph.count("RenewSubscription") == 0
        ours.changed()
        await until(lambda: ours.hints == [Hint.RECONCILE, Hint.LOOK])


async def test_a_subscription_that_is_not_found_on_renewal_is_made_anew(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        graph.held.clear()
        clock.advance(days=4)
        await ours.made(2)
        await until(lambda: ours.hints == [Hint.RECONCILE])


async def test_a_subscription_that_ran_out_while_the_machine_slept_is_made_anew(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        clock.advance(days=8)
        await ours.made(2)
        await until(lambda: ours.hints == [Hint.RECONCILE])
        assert graph.count("RenewSubscription") == 0


async def test_late_notifications_of_a_lost_subscription_wake_nobody(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        old = await ours.made()
        clock.advance(days=8)
        await ours.made(2)
        await until(lambda: ours.hints == [Hint.RECONCILE])
        assert ours.changed(subscriptionId=old["id"], clientState=old["clientState"]) is Taken.TAKEN
        await quiet()
        assert ours.hints == [Hint.RECONCILE]


async def test_when_exchange_asks_for_it_it_is_renewed_now_and_not_again_and_again(
    graph: FakeGraph, clock: Clock
) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        ours.told("reauthorizationRequired")
        await until(lambda: graph.count("RenewSubscription") == 1)
        for _ in range(20):
            ours.told("reauthorizationRequired")
            await asyncio.sleep(0.005)
        assert graph.count("RenewSubscription") == 1
        clock.advance(minutes=25)
        await until(lambda: graph.count("RenewSubscription") == 2)
        assert ours.hints == []


async def test_a_renewal_that_fails_is_tried_again_and_the_subscription_goes_on(graph: FakeGraph, clock: Clock) -> None:
    graph.wrong["RenewSubscription"] = [TryLaterError("busy"), OutcomeUnknownError("no answer"), TryLaterError("busy")]
    async with Woken(graph, clock) as ours:
        await ours.made()
        clock.advance(days=4)
        await until(lambda: graph.count("RenewSubscription") == 4)
        ours.changed()
        await until(lambda: ours.hints == [Hint.LOOK])
        assert graph.count("CreateSubscription") == 1


async def test_as_long_as_exchange_asks_is_waited(graph: FakeGraph, clock: Clock) -> None:
    graph.wrong["ListSubscriptions"] = [TryLaterError("busy", after=timedelta(seconds=60))]
    async with Woken(graph, clock):
        await until(lambda: graph.count("ListSubscriptions") == 1)
        await quiet()
        assert len(graph.asked) == 1


async def test_after_a_first_failure_there_is_a_look(graph: FakeGraph, clock: Clock) -> None:
    graph.wrong["ListSubscriptions"] = [TryLaterError("busy"), TryLaterError("busy")]
    async with Woken(graph, clock) as ours:
        await ours.made()
        await until(lambda: ours.hints == [Hint.LOOK])


async def test_where_no_new_one_can_be_made_everything_is_compared_all_the_same(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
        graph.wrong["ListSubscriptions"] = [NotPermittedError("no", code="ErrorAccessDenied")]
        clock.advance(days=8)
        await until(lambda: ours.hints == [Hint.RECONCILE])
        await quiet()
        assert ours.hints == [Hint.RECONCILE]


REFUSALS: list[ExchangeError] = [
    NotPermittedError("no", code="ErrorAccessDenied"),
    SignInError("no", code="invalid_client"),
    MisconfiguredError("no", code="not-graph", hint="check the cloud"),
    RefusedError("no", status=400, code="ValidationError"),
    RefusedError("no", status=404, code="MailboxNotEnabledForRESTAPI"),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
async def test_without_hope_it_is_told_once_and_tried_again_after_a_long_pause(
    graph: FakeGraph, clock: Clock, error: ExchangeError
) -> None:
    graph.wrong["CreateSubscription"] = [error] * 3
    with capture_logs() as logs:
        async with Woken(graph, clock, long_pauses=(0.02, 0.02, 30.0), pauses=(30.0,)):
            await until(lambda: graph.count("CreateSubscription") == 3)
            await quiet()
            assert graph.count("CreateSubscription") == 3
    (told,) = [line for line in logs if line["log_level"] == "warning"]
    assert told["event"] == "graph.subscription.refused"
    assert told["code"] == error.code
    assert told["hint"].endswith("Polling goes on meanwhile.")


async def test_an_address_that_cannot_be_reached_is_told_without_asking_exchange(
    graph: FakeGraph, clock: Clock
) -> None:
    with capture_logs() as logs:
        async with Woken(graph, clock, "http://greenroom.example.test/hooks/graph/main"):
            await until(lambda: bool(logs))
    assert logs[0]["code"] == "notification-url"
    assert graph.asked == []


def test_pauses_grow_to_hours_and_none_is_short() -> None:
    assert wakeups._LONG_PAUSES[1:] == (900.0, 3_600.0, 14_400.0)
    assert min(wakeups._PAUSES + wakeups._LONG_PAUSES) >= 5.0


@pytest.mark.parametrize("loss", ["removed", "unknown"])
async def test_subscriptions_that_are_lost_at_once_are_not_made_in_a_hurry(
    graph: FakeGraph, clock: Clock, loss: str
) -> None:
    ours = Woken(graph, clock, pauses=(0.01, 0.02, 60.0))

    async def lose(call: Call) -> None:
        if call.operation == "CreateSubscription":
            ours.told("subscriptionRemoved" if loss == "removed" else "reauthorizationRequired")
            graph.held.clear()

    graph.before_answer = lose
    async with ours:
        await until(lambda: graph.count("CreateSubscription") == 3)
        await quiet()
        assert graph.count("CreateSubscription") == 3


async def test_a_clock_far_ahead_makes_no_tight_loop(graph: FakeGraph, clock: Clock) -> None:
    async def stale(call: Call) -> None:
        if call.operation == "CreateSubscription":
            graph.only["expirationDateTime"] = "2020-01-01T00:00:00Z"

    graph.before_answer = stale
    async with Woken(graph, clock):
        await quiet()
        assert graph.count("CreateSubscription") == 1


async def test_garbled_answers_are_tried_again_later_and_cleared_away(graph: FakeGraph, clock: Clock) -> None:
    async def garble(call: Call) -> None:
        if call.operation == "CreateSubscription" and graph.count("CreateSubscription") == 1:
            graph.only["expirationDateTime"] = "soon"

    graph.before_answer = garble
    async with Woken(graph, clock):
        await until(lambda: graph.count("CreateSubscription") == 2)
        graph.before_answer = None


async def test_a_clean_end_deletes_it_and_knows_its_secret_no_more(graph: FakeGraph, clock: Clock) -> None:
    async with Woken(graph, clock) as ours:
        await ours.made()
    assert graph.held == {}
    assert graph.count("DeleteSubscription") == 1
    assert ours.intake._expected == []


async def test_an_end_in_the_middle_of_making_one_leaves_nothing(graph: FakeGraph, clock: Clock) -> None:
    begun = asyncio.Event()

    async def hang(call: Call) -> None:
        if call.operation == "CreateSubscription":
            begun.set()
            await asyncio.Event().wait()

    graph.before_answer = hang
    async with Woken(graph, clock) as ours:
        await asyncio.wait_for(begun.wait(), 5)
    assert graph.held == {}
    assert ours.intake._expected == []


async def test_an_end_that_exchange_does_not_answer_takes_no_long_time(
    graph: FakeGraph, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "_FAREWELL", 0.1)

    async def hang(call: Call) -> None:
        if call.operation == "DeleteSubscription":
            await asyncio.Event().wait()

    graph.before_answer = hang
    async with asyncio.timeout(2), Woken(graph, clock) as ours:
        await ours.made()


@pytest.mark.parametrize("error", [TryLaterError("busy"), RefusedError("gone", status=404, code="ResourceNotFound")])
async def test_an_end_that_fails_is_no_noise(graph: FakeGraph, clock: Clock, error: ExchangeError) -> None:
    graph.wrong["DeleteSubscription"] = [error]
    with capture_logs() as logs:
        async with Woken(graph, clock) as ours:
            await ours.made()
    assert not [line for line in logs if line["log_level"] != "info"]


async def test_it_can_be_started_again(graph: FakeGraph, clock: Clock) -> None:
    ours = Woken(graph, clock)
    for times in (1, 2):
        async with ours:
            await ours.made(times)
            ours.changed()
            await until(lambda times=times: len(ours.hints) == times)  # type: ignore[misc]  # a loop's value, bound
    assert graph.held == {}


async def test_a_bug_is_not_swallowed(graph: FakeGraph, clock: Clock) -> None:
    async def bug(_: Call) -> Any:
        raise ZeroDivisionError

    graph.before_answer = bug
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(anext(Woken(graph, clock).wakeups.hints()), 2)
