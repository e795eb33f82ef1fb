"""Whatever fault strikes whichever call: in the end there is one room and one reply per meeting, and never a decline.

The service runs in the test's own loop against the simulator over real HTTP, with time sixty times as fast.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from greenroom.meetings.meeting import MeetingKey
from support.attended import DAY, Home, serviced
from support.clocks import RunningClock
from support.simulator import RunningSimulator, simulator_in_loop
from support.spoken import OPERATIONS as SPOKEN
from support.whole import CLIENT_ID, EQUIPMENT, HOUSES, ORGANIZER, PASSWORD, SERVICE, Processing, Spoken, world
from support.windows import starts

NUMBER = 123456789
Fault = dict[str, Any]
_WITH_TIME: dict[str, Fault] = {
    "http_429": {"kind": "http_429", "retry_after": 5},
    "http_503": {"kind": "http_503"},
    "http_503-with-time": {"kind": "http_503", "retry_after": 5},
    "server_busy": {"kind": "server_busy", "back_off_ms": 5000},
}
_AT_ANY_TIME: dict[str, Fault] = {
    "timeout_before": {"kind": "timeout_before"},
    "timeout_after_commit": {"kind": "timeout_after_commit"},
    "truncated_reply": {"kind": "truncated_reply"},
    "garbage_reply": {"kind": "garbage_reply"},
    "access_denied": {"kind": "access_denied"},
    "slow": {"kind": "slow", "seconds": 0.2},
}
NESTED: Fault = {"kind": "server_busy", "back_off_ms": 5000, "nested": True}
FAULTS: dict[Spoken, dict[str, Fault]] = {
    "ews": {**_WITH_TIME, "server_busy-nested": NESTED, **_AT_ANY_TIME},
    "graph": {
        **_WITH_TIME,
        "http_504": {"kind": "http_504"},
        "http_504-with-time": {"kind": "http_504", "retry_after": 5},
        **_AT_ANY_TIME,
        "unauthorized": {"kind": "unauthorized"},
    },
}
OPERATIONS: dict[Spoken, tuple[str, ...]] = {
    "ews": ("SyncFolderItems", "GetItem", "FindItem", "UpdateItem", "CreateItem"),
    "graph": ("Token", "ListEvents", "Batch", "GetEvent", "UpdateEvent", "AcceptEvent"),
}
TELLING = {
    ("http_429", "ListEvents"),
    ("http_504", "AcceptEvent"),
    ("http_503", "UpdateEvent"),
    ("timeout_after_commit", "UpdateEvent"),
    ("timeout_after_commit", "AcceptEvent"),
    ("truncated_reply", "Batch"),
    ("access_denied", "AcceptEvent"),
    ("unauthorized", "GetEvent"),
    ("garbage_reply", "Token"),
}
"""Of the faults over Graph those that are tried each time; the others are slow in their number only."""
_NUMBERED = {one: number for number, one in enumerate((f, o) for f in FAULTS["ews"] for o in OPERATIONS["ews"])}


def _is_telling(protocol: Spoken, fault: str, operation: str) -> bool:
    """Whether a fault is tried each time: over EWS each third, so that every fault and every operation is among them."""
    return (fault, operation) in TELLING if protocol == "graph" else _NUMBERED[fault, operation] % 3 == 0


MATRIX = [
    pytest.param(
        protocol,
        fault,
        operation,
        id=f"{protocol}-{fault}-{operation}",
        marks=[] if _is_telling(protocol, fault, operation) else [pytest.mark.slow],
    )
    for protocol in FAULTS
    for fault in FAULTS[protocol]
    for operation in OPERATIONS[protocol]
]
BOTH: tuple[Spoken, ...] = ("ews", "graph")
over_both = pytest.mark.parametrize("protocol", BOTH)


@pytest.fixture
async def simulated() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(world()) as simulator:
        yield simulator


async def lives(home: Home) -> None:
    """Two meetings are made, and one of them moves, while faults strike; then all is as it would be without."""
    home.invite("plain")
    home.invite("ticketed", body=home.ticket(NUMBER))
    await home.until(lambda: bool(home.answers("plain") and home.answers("ticketed")))
    await home.rest()
    await check(home, 1)


async def check(home: Home, replies: int) -> None:
    for name in ("plain", "ticketed"):
        assert home.answers(name) == ["Accept"] * replies
        assert home.tracked(name) == "Accept"
        room, own = await home.room(name), home.own(name)
        assert room is not None
        assert own is not None
        assert room.retired_at is None
        assert starts(room.spec) == own.meeting.start
        told = [home.tickets_in(own.body.content), *(home.tickets_in(r.body.content) for r in home.responses(name))]
        assert [room.spec.alias.number] in told
        assert all(numbers in ([], [room.spec.alias.number]) for numbers in told)
    room = await home.room("ticketed")
    assert room is not None
    assert room.spec.alias.number == NUMBER


async def move(home: Home, names: Sequence[str] = ("plain", "ticketed")) -> None:
    """Move meetings by a day, and wait for what comes of it."""
    for name in names:
        own = home.own(name)
        assert own is not None
        home.change(name, start=own.meeting.start + DAY, end=own.meeting.end + DAY)
    await home.until(lambda: all(len(home.answers(name)) > 1 for name in names))
    await home.rest()


@pytest.mark.parametrize(("protocol", "fault", "operation"), MATRIX)
async def test_a_fault_that_passes_changes_nothing_in_the_end(protocol: Spoken, fault: str, operation: str) -> None:
    async with simulator_in_loop(world()) as simulator, serviced(simulator, protocol=protocol) as home:
        home.fail(operation=operation, times=2, **FAULTS[protocol][fault])
        await lives(home)
        home.fail(operation=operation, times=2, **FAULTS[protocol][fault])
        await move(home)
        await check(home, 2)


async def test_a_token_that_is_refused_in_the_middle_costs_one_more_and_no_wait(simulated: RunningSimulator) -> None:
    async with serviced(simulated, protocol="graph", clock=RunningClock()) as home:
        for operation in ("ListEvents", "UpdateEvent", "AcceptEvent"):
            home.fail(operation=operation, times=1, kind="unauthorized")
        await lives(home)
        assert simulated.counters.snapshot()["faults"]["unauthorized"] == 3
        assert home.calls("Token") <= 4


@over_both
async def test_updates_of_which_no_message_is_shown_are_seen_all_the_same(protocol: Spoken) -> None:
    async with simulator_in_loop(world()) as simulator, serviced(simulator, protocol=protocol) as home:
        simulator.exchange.site.silent_updates = True
        await lives(home)
        own = home.own("plain")
        assert own is not None
        home.change("plain", subject=f"{own.subject}, again")
        await home.until(lambda: len(home.answers("plain")) > 1)
        await move(home, ["ticketed"])
        assert home.answers("ticketed") == ["Accept", "Accept"]
        home.cancel("plain")
        await _polls(0.5)
        await home.rest()
        assert home.answers("plain") == ["Accept", "Accept"]
        room = await home.room("plain")
        assert room is not None
        assert room.retired_at is not None


@pytest.mark.parametrize("fault", ["timeout_after_commit", "truncated_reply", "server_busy-nested", "timeout_before"])
@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "CreateItem"])
async def test_the_same_is_true_where_exchange_leaves_requests_to_us(fault: str, operation: str) -> None:
    async with simulator_in_loop(world("none")) as simulator, serviced(simulator) as home:
        home.fail(operation=operation, times=2, **FAULTS["ews"][fault])
        await lives(home)


@pytest.mark.parametrize(("protocol", "processing"), [house for house in HOUSES if house[1] != "auto_accept"])
async def test_a_reply_that_exchange_still_works_on_is_not_sent_again(protocol: Spoken, processing: Processing) -> None:
    """We wait half a minute, Exchange takes three quarters; meanwhile the echo of our own update makes us look again."""
    half_a_minute = timedelta(seconds=0.5)
    async with (
        simulator_in_loop(world(processing)) as simulator,
        serviced(simulator, protocol=protocol, timeout=half_a_minute) as home,
    ):
        home.fail(kind="slow", operation=SPOKEN[protocol]["reply"], seconds=0.8, times=1)
        home.invite("plain")
        home.invite("ticketed", body=home.ticket(NUMBER))
        await home.until(lambda: home.calls_to("reply") > 0)
        await _polls(1.0)
        await home.rest()
        await check(home, 1)


@over_both
async def test_instructions_that_had_to_go_into_the_reply_are_not_lost_when_it_is_put_off(
    simulated: RunningSimulator, protocol: Spoken
) -> None:
    async with serviced(simulated, protocol=protocol) as home:
        home.fail(kind="access_denied", mailbox=ORGANIZER)
        home.fail(kind="http_503", operation=SPOKEN[protocol]["reply"], times=2)
        home.invite("plain")
        await home.until(lambda: home.answers("plain") == ["Accept"])
        room, (reply,) = await home.room("plain"), home.responses("plain")
        assert room is not None
        assert home.tickets_in(reply.body.content) == [room.spec.alias.number]


@pytest.mark.parametrize("times", [1, 3])
async def test_a_forgotten_sync_state_only_means_to_look_at_everything_again(times: int) -> None:
    async with simulator_in_loop(world()) as simulator, serviced(simulator) as home:
        await lives(home)
        rule = home.fail(kind="expired_sync_state", operation="SyncFolderItems", times=times)
        await home.until(lambda: home.face.faults.snapshot()[-1]["struck"] == times)
        home.face.faults.remove(rule)
        await home.rest()
        await check(home, 1)
        home.change("plain", subject="Another name")
        await home.until(lambda: len(home.answers("plain")) == 2)


@over_both
async def test_faults_of_all_kinds_at_once_change_nothing_in_the_end(
    simulated: RunningSimulator, protocol: Spoken
) -> None:
    # Every further try waits twice as long, at most an hour.
    async with serviced(simulated, protocol=protocol, clock=RunningClock(600)) as home:
        for at, rule in enumerate(FAULTS[protocol].values()):
            for operation in OPERATIONS[protocol]:
                home.fail(operation=operation, times=1, after=at, **rule)
        home.invite("plain")
        home.invite("ticketed", body=home.ticket(NUMBER))
        await home.until(lambda: bool(home.answers("plain") and home.answers("ticketed")), seconds=60)
        home.face.faults.clear()
        await home.rest(seconds=60)
        await check(home, 1)


# --- signing in -------------------------------------------------------------------------------------------------------


async def test_a_wrong_password_is_tried_once_and_the_account_is_not_locked() -> None:
    async with simulator_in_loop(world(), lock_after=3) as simulator:
        clock = RunningClock()
        async with serviced(simulator, clock=clock, secret="wrong", poll=0.05, push=True) as home:
            home.invite("plain")
            for _ in range(20):
                assert home.hint is not None
                await home.hint()
            await home.until(lambda: simulator.counters.snapshot()["auth_failures"].get(SERVICE, 0) > 0)
            await _polls(1.5)
            assert 1 <= simulator.counters.snapshot()["auth_failures"][SERVICE] <= 2
        assert simulator.exchange.authenticate(SERVICE, PASSWORD) is not None


async def test_a_wrong_client_secret_is_tried_ever_more_seldom(simulated: RunningSimulator) -> None:
    clock = RunningClock()

    def refused() -> int:
        return int(simulated.counters.snapshot()["auth_failures"].get(CLIENT_ID, 0))

    async with serviced(simulated, protocol="graph", clock=clock, secret="wrong", poll=0.05, push=True) as home:
        home.invite("plain")
        for number, minutes in enumerate((1, 4, 16), 1):
            await home.until(lambda number=number: refused() == number)  # type: ignore[misc]  # a default, not a parameter
            await _polls(0.5)
            assert refused() == number
            clock.forward(timedelta(minutes=minutes))
        await home.until(lambda: refused() == 4)
        assert home.answers("plain") == []


async def test_a_password_that_stops_working_is_tried_again_after_a_quarter_of_an_hour_and_no_sooner() -> None:
    clock = RunningClock()
    async with simulator_in_loop(world()) as simulator, serviced(simulator, clock=clock, poll=0.05) as home:
        await lives(home)
        home.fail(kind="unauthorized")

        def struck() -> int:
            return int(home.face.faults.snapshot()[0]["struck"])

        await home.until(lambda: struck() > 0)
        home.change("plain", subject="Another name")
        await _polls(1.0)
        assert struck() == 1
        clock.forward(timedelta(minutes=16))
        await home.until(lambda: struck() > 1)
        await _polls(1.0)
        assert struck() == 2
        home.face.faults.clear()
        clock.forward(timedelta(hours=2))
        await home.until(lambda: home.answers("plain") == ["Accept", "Accept"])
        await home.rest()
        assert home.answers("plain") == ["Accept", "Accept"]
        assert home.answers("ticketed") == ["Accept"]


async def _polls(seconds: float) -> None:
    """Let the service go on for a while (real seconds), in which it would do what it must not."""
    await asyncio.sleep(seconds)


# --- notifications ----------------------------------------------------------------------------------------------------


_SLOWER = ("late", "timeout_after_commit")
_OF_PUSH: list[tuple[Spoken, Fault]] = [
    ("ews", {"kind": "drop_stream", "operation": "GetStreamingEvents", "times": 5}),
    ("ews", {"kind": "http_503", "operation": "GetStreamingEvents"}),
    ("ews", {"kind": "garbage_reply", "operation": "Subscribe"}),
    ("ews", {"kind": "access_denied", "operation": "Subscribe"}),
    ("ews", {"kind": "access_denied", "operation": "GetStreamingEvents"}),
    ("ews", {"kind": "timeout_before", "operation": "GetStreamingEvents"}),
    ("graph", {"kind": "drop_notifications", "operation": "Notification"}),
    ("graph", {"kind": "late", "operation": "Notification", "seconds": 2}),
    ("graph", {"kind": "garbage_reply", "operation": "CreateSubscription"}),
    ("graph", {"kind": "access_denied", "operation": "CreateSubscription"}),
    ("graph", {"kind": "timeout_after_commit", "operation": "CreateSubscription"}),
]


@pytest.mark.parametrize(
    ("protocol", "rule"),
    [
        pytest.param(
            protocol,
            rule,
            id=f"{rule['kind']}-{rule['operation']}",
            marks=[pytest.mark.slow] if rule["kind"] in _SLOWER else [],
        )
        for protocol, rule in _OF_PUSH
    ],
)
async def test_without_notifications_polling_is_enough(protocol: Spoken, rule: Fault) -> None:
    async with simulator_in_loop(world()) as simulator, serviced(simulator, protocol=protocol, push=True) as home:
        home.fail(**rule)
        await lives(home)


@over_both
async def test_with_notifications_nobody_waits_for_the_poll(protocol: Spoken) -> None:
    async with (
        simulator_in_loop(world()) as simulator,
        serviced(simulator, protocol=protocol, push=True, poll=3600, clock=RunningClock()) as home,
    ):
        await home.until(lambda: bool(home.calls("GetStreamingEvents") or simulator.graph.subscriptions.active()))
        home.invite("plain")
        await home.until(lambda: home.answers("plain") == ["Accept"], seconds=3)


@over_both
async def test_doubled_and_early_notifications_do_nothing_twice(simulated: RunningSimulator, protocol: Spoken) -> None:
    async with serviced(simulated, protocol=protocol, poll=3600) as home:
        assert home.hint is not None
        for number in range(30):
            await home.hint()
            if number == 3:
                home.invite("plain")
                home.invite("ticketed", body=home.ticket(NUMBER))
            await home.hint()
            await _polls(0.02)
        await home.until(lambda: bool(home.answers("plain") and home.answers("ticketed")))
        for _ in range(10):
            await home.hint()
            await _polls(0.05)
        await check(home, 1)


# --- messages out of order --------------------------------------------------------------------------------------------

_ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Made up//for tests//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:out-of-order@elsewhere.test
SEQUENCE:{sequence}
DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
SUMMARY:Made up
ORGANIZER;CN=Eve Elsewhere:mailto:eve@elsewhere.test
ATTENDEE;RSVP=TRUE:mailto:{equipment}
END:VEVENT
END:VCALENDAR
"""


_ORDERS: dict[tuple[int, ...], list[pytest.MarkDecorator]] = {
    (0, 1): [pytest.mark.slow],
    (1, 0): [pytest.mark.slow],
    (0, 0, 1, 1): [],
    (1, 0, 1, 0): [],
}
"""Sequence numbers in the order in which they come, and what marks them over Graph: the longer ones hold the others."""


@pytest.mark.parametrize(
    ("protocol", "processing", "order"),
    [
        pytest.param(*house, order, id=f"{'-'.join(house)}-{order}", marks=marks if house[0] == "graph" else [])
        for house in HOUSES
        if house[1] != "auto_accept"
        for order, marks in _ORDERS.items()
    ],
)
@pytest.mark.parametrize("look_between", [True, False], ids=["watched", "at-once"])
async def test_updates_that_arrive_doubled_or_out_of_order_leave_the_newest_time(
    protocol: Spoken, processing: Processing, order: tuple[int, ...], *, look_between: bool
) -> None:
    async with simulator_in_loop(world(processing)) as simulator, serviced(simulator, protocol=protocol) as home:
        now = home.clock().replace(minute=0, second=0, microsecond=0)
        home.keys["foreign"] = MeetingKey.of_uid("out-of-order@elsewhere.test")
        for sequence in order:
            start = now + DAY * (1 + sequence)
            text = _ICS.format(
                sequence=sequence,
                stamp=now - DAY + timedelta(minutes=sequence),
                start=start,
                end=start + timedelta(hours=1),
                equipment=EQUIPMENT,
            )
            home.exchange.deliver_ics(EQUIPMENT, text.replace("\n", "\r\n").encode())
            if look_between:
                await home.until(lambda: bool(home.exchange.outbound))
                await home.rest()
        await home.until(lambda: bool(home.exchange.outbound))
        await home.rest()
        room = await home.room("foreign")
        assert room is not None
        assert starts(room.spec) == now + DAY * 2
        replies = [mail for mail in home.exchange.outbound if mail.method == "REPLY"]
        assert 1 <= len(replies) <= (2 if look_between and order[0] == 0 else 1)
        assert all(b"PARTSTAT=ACCEPTED" in (mail.ics or b"") for mail in replies)
