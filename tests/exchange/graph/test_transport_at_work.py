"""Transport and sign-in together, over real sockets with the simulator and its strict limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from greenroom.exchange.errors import NotPermittedError, OutcomeUnknownError, SignInError, TryLaterError
from greenroom.exchange.graph.call import Answer, Call, RefusedError, path
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.exchange.graph.sign_in import Secret, open_tokens
from greenroom.exchange.graph.transport import GraphTransport
from support.simulator import (
    ATTENDEE,
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    ORGANIZER,
    SMALL_WORLD,
    RunningSimulator,
    simulator_in_loop,
)

WORLD = {
    "mailboxes": [
        *(m if m["address"] != ATTENDEE else m | {"home": "on-premises"} for m in SMALL_WORLD["mailboxes"]),
        {"address": "closed@sim.test", "name": "Closed", "password": "x"},
    ],
    "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": [EQUIPMENT, ORGANIZER, ATTENDEE]}],
}


@asynccontextmanager
async def at_work(sim: RunningSimulator, patience: timedelta = timedelta(seconds=10)) -> AsyncIterator[GraphTransport]:
    cloud = Cloud(sim.login_url, sim.url)
    tokens = open_tokens(Secret(CLIENT_SECRET), tenant=sim.tenant, client_id=CLIENT_ID, cloud=cloud, clock=sim.clock)
    settings = GraphSettings(EQUIPMENT, sim.tenant, tokens, cloud, timeout=patience)
    transport = GraphTransport(settings, limits=Limits(sim.clock), clock=sim.clock)
    yield transport
    await transport.close()
    await tokens.close()


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(WORLD) as running:
        yield running


def calendar(mailbox: str = EQUIPMENT) -> Call:
    return Call("GetCalendar", "GET", path("users", mailbox, "calendar"), mailbox)


def new_event(mailbox: str = ORGANIZER) -> Call:
    body = {
        "subject": "x",
        "start": {"dateTime": "2031-01-01T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2031-01-01T11:00:00", "timeZone": "UTC"},
    }
    return Call("CreateEvent", "POST", path("users", mailbox, "calendar", "events"), mailbox, body=body, writes=True)


async def test_many_calls_at_once_stay_within_the_limits(sim: RunningSimulator) -> None:
    async with at_work(sim) as transport:
        calls = (transport.call(calendar(m)) for m in (EQUIPMENT, ORGANIZER) for _ in range(25))
        assert all(a.status == 200 for a in await asyncio.gather(*calls))
    assert sim.calls("Token") == 1
    assert max(sim.counters.snapshot()["most_in_flight"].values()) <= 4


async def test_batches_of_any_size_stay_within_the_limits(sim: RunningSimulator) -> None:
    async with at_work(sim) as transport:
        made = (await transport.call(new_event())).body["id"]
        there = Call("GetEvent", "GET", path("users", ORGANIZER, "events", made), ORGANIZER)
        gone = Call("GetEvent", "GET", path("users", ORGANIZER, "events", made[:-8] + "AAAAAAA="), ORGANIZER)
        many = [gone if n in (3, 11) else there for n in range(30)]
        found, few, other = await asyncio.gather(
            transport.batch(many), transport.batch([calendar()] * 3), transport.batch([calendar(ATTENDEE), there])
        )
    assert [isinstance(r, RefusedError) for r in found] == [n in (3, 11) for n in range(30)]
    assert [r.body["id"] for r in found if isinstance(r, Answer)] == [made] * 28
    assert all(isinstance(r, Answer) for r in few)
    assert isinstance(other[0], RefusedError)
    assert other[0].elsewhere
    assert isinstance(other[1], Answer)
    assert 429 not in sim.counters.snapshot()["statuses"]


async def test_who_may_not_and_who_is_elsewhere_are_told_apart(sim: RunningSimulator) -> None:
    async with at_work(sim) as transport:
        with pytest.raises(NotPermittedError) as closed:
            await transport.call(calendar("closed@sim.test"))
        with pytest.raises(RefusedError) as on_premises:
            await transport.call(calendar(ATTENDEE))
        with pytest.raises(RefusedError) as nobody:
            await transport.call(calendar("nobody@sim.test"))
    assert closed.value.code == "ErrorAccessDenied"
    assert on_premises.value.code == "MailboxNotEnabledForRESTAPI"
    assert on_premises.value.elsewhere
    assert nobody.value.elsewhere


async def test_revoked_and_outlived_tokens_are_replaced(sim: RunningSimulator) -> None:
    async with at_work(sim) as transport:
        await transport.call(calendar())
        sim.graph.tokens.revoke_all()
        await asyncio.gather(*(transport.call(calendar()) for _ in range(8)))
        assert sim.calls("Token") == 2
        sim.clock.advance(timedelta(hours=2))
        await transport.call(new_event())
        assert sim.calls("Token") == 3
        sim.fail(kind="unauthorized", operation="GetCalendar", times=2)
        for _ in range(3):
            with pytest.raises(SignInError):
                await transport.call(calendar())
        sim.clock.advance(timedelta(minutes=2))
        await transport.call(calendar())


async def test_throttling_is_waited_out(sim: RunningSimulator) -> None:
    async with at_work(sim) as transport:
        sim.fail(kind="http_429", operation="GetCalendar", times=1, retry_after=40)
        with pytest.raises(TryLaterError) as caught:
            await transport.call(calendar())
        assert caught.value.after == timedelta(seconds=40)
        with pytest.raises(TryLaterError):
            await transport.call(calendar())
        assert sim.calls("GetCalendar") == 1
        await transport.call(calendar(ORGANIZER))
        sim.clock.advance(timedelta(seconds=40))
        await transport.call(calendar())


@pytest.mark.parametrize("kind", ["truncated_reply", "garbage_reply", "timeout_before"])
async def test_a_read_survives_one_broken_answer_and_a_write_is_not_repeated(sim: RunningSimulator, kind: str) -> None:
    async with at_work(sim) as transport:
        await transport.call(calendar())
        sim.fail(kind=kind, operation="GetCalendar", times=1, seconds=0)
        await transport.call(calendar())
        assert sim.calls("GetCalendar") == 3
        sim.fail(kind=kind, operation="CreateEvent", times=1, seconds=0)
        with pytest.raises(OutcomeUnknownError):
            await transport.call(new_event())
        assert sim.calls("CreateEvent") == 1


async def test_a_write_that_never_answers_is_unknown(sim: RunningSimulator) -> None:
    async with at_work(sim, timedelta(milliseconds=300)) as transport:
        await transport.call(calendar())
        sim.fail(kind="slow", operation="CreateEvent", times=1, seconds=2)
        with pytest.raises(OutcomeUnknownError) as caught:
            await transport.call(new_event())
        assert caught.value.code == "timeout"
