"""Keeping to what Exchange Online allows: never more than the documented numbers, in any window, whatever is asked for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.scripted import Clock
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph.limits import Gate, Limits, Window

START = datetime(2031, 1, 1, tzinfo=UTC)
BOX = "vmr@example.test"
SECOND = timedelta(seconds=1)


def most_within(moments: list[datetime], span: timedelta) -> int:
    """The most there are within any span, its beginning in it and its end not."""
    return max((sum(1 for m in moments if start <= m < start + span) for start in moments), default=0)


def refusal(limits: Limits, code: str, *, sends: bool = False) -> timedelta | None:
    """Count one more, or say how long to wait for it."""
    try:
        limits.count({BOX: 1}, sends=sends)
    except TryLaterError as refused:
        error = refused
    else:
        return None
    assert error.code == code
    assert error.after is not None
    return error.after


class TestWindow:
    @given(
        most=st.integers(1, 8),
        steps=st.lists(st.tuples(st.integers(0, 15), st.integers(1, 3)), max_size=80),
    )
    def test_no_window_ever_holds_more_than_the_most(self, most: int, steps: list[tuple[int, int]]) -> None:
        window, now, taken = Window(most, 10 * SECOND), START, list[datetime]()
        for seconds, wanted in steps:
            now += seconds * SECOND
            count = min(wanted, most)
            if window.wait(now, count) <= timedelta():
                window.take(now, count)
                taken += [now] * count
        assert most_within(taken, 10 * SECOND) <= most

    @given(st.lists(st.integers(0, 12), max_size=60))
    def test_the_wait_it_tells_is_exactly_long_enough(self, gaps: list[int]) -> None:
        window, now = Window(3, 10 * SECOND), START
        for gap in gaps:
            now += gap * SECOND
            wait = window.wait(now)
            if wait > timedelta():
                assert window.wait(now + wait - timedelta(microseconds=1)) > timedelta()
                now += wait
            assert window.wait(now) == timedelta()
            window.take(now)

    def test_a_clock_that_is_set_back_does_not_block_for_longer_than_the_span(self) -> None:
        window = Window(1, 10 * SECOND)
        window.take(START + timedelta(days=1))
        assert window.wait(START) == 10 * SECOND
        assert window.wait(START + 10 * SECOND) == timedelta()


class TestGate:
    @given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.booleans()), max_size=30))
    def test_never_more_than_four_are_in_and_all_get_in(self, visits: list[tuple[int, int, bool]]) -> None:
        async def run() -> None:
            gate, inside = Gate(4), [0]

            async def visit(count: int, turns: int) -> None:
                async with gate.places(count):
                    inside[0] += min(count, 4)
                    assert inside[0] <= 4
                    try:
                        for _ in range(turns):
                            await asyncio.sleep(0)
                    finally:
                        inside[0] -= min(count, 4)

            tasks = [asyncio.create_task(visit(count, turns)) for count, turns, _ in visits]
            await asyncio.sleep(0)
            for task, (_, _, leaves) in zip(tasks, visits, strict=True):
                if leaves and not task.done():
                    task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert not [e for e in done if isinstance(e, AssertionError)]
            assert all(leaves or e is None for e, (_, _, leaves) in zip(done, visits, strict=True))
            assert gate.idle
            async with asyncio.timeout(1), gate.places(4):
                pass

        asyncio.run(run())

    async def test_who_came_first_goes_in_first_even_if_he_needs_more(self) -> None:
        gate, order = Gate(4), list[str]()

        async def visit(name: str, count: int) -> None:
            async with gate.places(count):
                order.append(name)
                await asyncio.sleep(0)

        async with gate.places(3):
            tasks = [asyncio.create_task(visit(name, count)) for name, count in (("many", 4), ("one", 1))]
            await asyncio.sleep(0)
            assert order == []
        await asyncio.gather(*tasks)
        assert order == ["many", "one"]


class TestRequests:
    async def test_four_are_in_flight_per_mailbox_whatever_its_case(self) -> None:
        limits, inside, most = Limits(Clock()), dict[str, int](), dict[str, int]()

        async def one(mailbox: str) -> None:
            async with limits.turn({mailbox: 1}):
                name = mailbox.lower()
                inside[name] = inside.get(name, 0) + 1
                most[name] = max(most.get(name, 0), inside[name])
                await asyncio.sleep(0)
                inside[name] -= 1

        await asyncio.gather(*(one(m) for m in (BOX, BOX.upper(), "olga@example.test", "") for _ in range(10)))
        assert most == {BOX: 4, "olga@example.test": 4, "": 4}

    async def test_batches_over_the_same_mailboxes_do_not_wait_for_each_other(self) -> None:
        limits = Limits(Clock())

        async def one(lanes: dict[str, int]) -> None:
            async with limits.turn(lanes):
                await asyncio.sleep(0)

        async with asyncio.timeout(5):
            both = [{"a@x": 4, "b@x": 1}, {"b@x": 4, "a@x": 1}, {"B@x": 2, "a@x": 2}]
            await asyncio.gather(*(one(lanes) for lanes in both * 20))

    def test_ten_thousand_in_ten_minutes_are_never_exceeded_even_with_delays_on_the_way(self) -> None:
        clock = Clock(START)
        limits, arrived = Limits(clock), list[datetime]()
        for step in range(4000):
            clock.now = START + step * timedelta(milliseconds=400)
            for _ in range(8):
                if (wait := refusal(limits, "request-limit")) is not None:
                    assert timedelta() < wait <= timedelta(seconds=605)
                    break
                arrived.append(clock.now + (4 * SECOND if step % 2 else timedelta()))
        arrived.sort()
        assert len(arrived) > 15_000
        first = 0
        for last, moment in enumerate(arrived):
            while arrived[first] <= moment - timedelta(minutes=10):
                first += 1
            assert last - first + 1 <= 10_000

    def test_a_batch_counts_as_many_or_not_at_all(self) -> None:
        clock = Clock()
        limits = Limits(clock)
        limits.count({BOX: 9_985})
        with pytest.raises(TryLaterError, match="stay within"):
            limits.count({"olga@example.test": 1, BOX: 20})
        limits.count({BOX: 5})
        with pytest.raises(TryLaterError):
            limits.count({BOX: 1})


class TestSends:
    @given(st.lists(st.integers(0, 12_000), max_size=150))
    def test_no_minute_ever_has_more_than_thirty_messages(self, gaps: list[int]) -> None:
        clock = Clock(START)
        limits, sent = Limits(clock), list[datetime]()
        for gap in gaps:
            clock.advance(milliseconds=gap)
            if refusal(limits, "send-limit", sends=True) is None:
                sent.append(clock.now)
        assert most_within(sent, timedelta(minutes=1)) <= 30

    def test_a_line_that_waits_as_told_sends_at_least_28_a_minute(self) -> None:
        clock = Clock(START)
        limits, sent = Limits(clock), 0
        while clock.now < START + timedelta(minutes=30):
            if (wait := refusal(limits, "send-limit", sends=True)) is None:
                sent += 1
            else:
                clock.now += wait
        assert 28 <= sent / 30 <= 30

    def test_reading_goes_on_while_sending_waits(self) -> None:
        limits = Limits(Clock())
        for _ in range(29):
            limits.count({BOX: 1}, sends=True)
        with pytest.raises(TryLaterError) as caught:
            limits.count({BOX: 1}, sends=True)
        assert caught.value.mailbox == BOX
        limits.count({BOX: 1})
        limits.count({"olga@example.test": 1}, sends=True)


class TestPauses:
    def test_a_pause_concerns_one_mailbox_and_ends(self) -> None:
        clock = Clock()
        limits = Limits(clock)
        limits.pause(BOX.upper(), timedelta(seconds=17))
        with pytest.raises(TryLaterError) as caught:
            limits.check(BOX)
        assert (caught.value.code, caught.value.after) == ("backing-off", timedelta(seconds=17))
        limits.check("olga@example.test")
        clock.advance(seconds=17)
        limits.check(BOX)

    def test_mailboxes_that_were_idle_are_forgotten(self) -> None:
        clock = Clock()
        limits = Limits(clock)
        for number in range(5000):
            limits.count({f"{number}@example.test": 1}, sends=True)
            clock.advance(seconds=1)
        assert len(limits._mailboxes) < 1500
        clock.advance(hours=1)
        for _ in range(3000):
            limits.check(BOX)
            limits.count({BOX: 1})
        assert len(limits._mailboxes) == 1
