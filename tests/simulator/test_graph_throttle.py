"""The limits of Graph before Outlook: what is in flight, requests in ten minutes, messages in a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.graph.call import GraphError
from greenroom.simulator.graph.throttle import Throttle
from greenroom.simulator.model import Attendee, CalendarItem, MeetingDraft, MeetingResponse, Person
from support.simulator import ATTENDEE, CLIENT_ID, EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[tuple[RunningSimulator, httpx2.AsyncClient]]:
    clock = SimulatorClock(NOW, frozen=True)
    async with simulator_in_loop(clock=clock, **options) as sim, httpx2.AsyncClient(trust_env=False) as http:
        http.headers.update(sim.bearer())
        yield sim, http


def invite(sim: RunningSimulator, number: int) -> list[str]:
    """Invite the equipment mailbox to some meetings; returns the addresses of its events."""
    start = NOW + timedelta(days=1)
    draft: MeetingDraft = {"subject": "s", "start": start, "end": start + timedelta(hours=1)}
    draft["attendees"] = (Attendee(Person(EQUIPMENT), "resource"),)
    for _ in range(number):
        sim.exchange.create_meeting(ORGANIZER, draft, "SendToAllAndSaveCopy")
    items = [one for one in sim.exchange.items(EQUIPMENT, "calendar") if isinstance(one, CalendarItem)]
    shown = [item.id.replace("/", "-").replace("+", "_") for item in items]
    return [f"{sim.graph_url}/users/{EQUIPMENT}/events/{id_}" for id_ in shown]


def answers(sim: RunningSimulator) -> int:
    return len([one for one in sim.exchange.items(ORGANIZER, "inbox") if isinstance(one, MeetingResponse)])


async def test_the_fifth_request_at_the_same_time_is_refused() -> None:
    async with running() as (sim, http):
        sim.graph.latency = 0.2
        url = f"{sim.graph_url}/users/{EQUIPMENT}/events"
        others = asyncio.create_task(http.get(f"{sim.graph_url}/users/{ATTENDEE}/events"))
        replies = await asyncio.gather(*(http.get(url) for _ in range(5)))
        statuses = sorted(reply.status_code for reply in replies)
        assert statuses == [200, 200, 200, 200, 429]
        refused = next(reply for reply in replies if reply.status_code == 429)
        assert refused.json()["error"]["code"] == "ApplicationThrottled"
        assert refused.json()["error"]["message"] == "Application is over its MailboxConcurrency limit."
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await others).status_code == 200
        told = sim.counters.snapshot()
        assert (told["most_in_flight"][EQUIPMENT], told["statuses"]["429"]) == (5, 1)
        sim.graph.latency = 0
        assert (await http.get(url)).status_code == 200


def test_ten_thousand_requests_in_ten_minutes_are_the_end_until_the_window_moves() -> None:
    clock = SimulatorClock(NOW, frozen=True)
    throttle = Throttle(clock)
    for number in range(10_000):
        with throttle.request("app", "mailbox"):
            if number == 4_999:
                clock.advance(timedelta(minutes=6))
    with pytest.raises(GraphError) as refused, throttle.request("app", "mailbox"):
        pass
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "240")
    with throttle.request("app", "another"), throttle.request("other", "mailbox"):
        pass
    clock.advance(timedelta(minutes=4))
    with throttle.request("app", "mailbox"):
        pass


def test_places_in_flight_are_free_again_whatever_happened() -> None:
    throttle = Throttle(SimulatorClock(NOW))
    with pytest.raises(RuntimeError), throttle.request("app", "m"):
        raise RuntimeError
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(throttle.request("app", "m"))
        with pytest.raises(GraphError), throttle.request("app", "m"):
            pass
        with throttle.request("app", "n"):
            pass
    with throttle.request("app", "m"):
        pass


async def test_the_thirty_first_message_of_a_minute_is_refused_in_strict_mode() -> None:
    async with running() as (sim, http):
        events = invite(sim, 32)
        for number, url in enumerate(events[:30]):
            sim.clock.advance(timedelta(seconds=1))
            assert (await http.post(f"{url}/accept", json={"comment": "yes"})).status_code == 202, number
        refused = await http.post(f"{events[30]}/accept", json={})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "31")
        assert (await http.post(f"{events[30]}/accept", json={"sendResponse": False})).status_code == 202
        assert answers(sim) == 30
        sim.clock.advance(timedelta(seconds=31))
        assert (await http.post(f"{events[31]}/accept", json={})).status_code == 202
        assert answers(sim) == 31


async def test_a_refused_answer_costs_no_message() -> None:
    async with running() as (sim, http):
        url = invite(sim, 1)[0]
        for _ in range(40):
            reply = await http.post(f"{url[:-20]}{'A' * 20}/accept", json={})
            assert reply.status_code in (400, 404)
        assert (await http.post(f"{url}/accept", json={})).status_code == 202


async def test_messages_over_the_rate_are_delayed_where_the_mode_is_lenient() -> None:
    async with running(strict=False) as (sim, http):
        events = invite(sim, 61)
        for url in events:
            assert (await http.post(f"{url}/accept", json={})).status_code == 202
        assert answers(sim) == 30
        me = f"{sim.graph_url}/users/{EQUIPMENT}/calendar"
        for passed, arrived in ((59, 30), (1, 60), (59, 60), (1, 61)):
            sim.clock.advance(timedelta(seconds=passed))
            await http.get(me)
            assert answers(sim) == arrived


async def test_refused_requests_use_up_the_window_too() -> None:
    async with running() as (sim, http):
        sim.graph.latency = 0.05
        url = f"{sim.graph_url}/users/{EQUIPMENT}/events"
        await asyncio.gather(*(http.get(url) for _ in range(6)))
        window = sim.graph.throttle._requests[CLIENT_ID, EQUIPMENT]
        assert len(window) == 6
