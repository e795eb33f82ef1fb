"""Bounds of an examination, by a clock that jumps: nothing hangs, nothing takes long, and nothing fails for the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from greenroom.doctor.contract import Check, Finding, State, chosen
from greenroom.doctor.examine import AT_ONCE, examine
from greenroom.exchange.errors import TryLaterError
from support.skipping import skipping

Look = Callable[[], Awaitable[list[Finding]]]


def finding(name: str, state: State = State.WELL, subject: str = "it") -> Finding:
    return Finding(name, subject, state, "as it is")


def check(name: str, look: Look, *, subject: str = "it", **more: object) -> Check:
    return Check(name, subject, look, **more)  # type: ignore[arg-type]  # what the tests give


def telling(name: str, state: State = State.WELL, *, after: float = 0, subject: str = "it") -> Look:
    async def look() -> list[Finding]:
        await asyncio.sleep(after)
        return [finding(name, state, subject)]

    return look


async def forever() -> list[Finding]:
    await asyncio.sleep(10**6)
    raise AssertionError("nobody waits for that")


async def stubborn() -> list[Finding]:
    """Do not listen to being cancelled, as a call in a thread does not."""
    while True:
        try:
            await asyncio.sleep(10**6)
        except asyncio.CancelledError:
            continue


def measured(checks: Sequence[Check], **more: object) -> tuple[list[Finding], float]:
    async def work() -> tuple[list[Finding], float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await examine(checks, **more)  # type: ignore[arg-type]  # as above
        return found, loop.time() - began

    return skipping(work())


def test_findings_come_in_the_order_of_the_checks() -> None:
    found, _ = measured(
        [check("a", telling("a", after=3)), check("b", telling("b")), check("c", telling("c", after=1))]
    )
    assert [one.check for one in found] == ["a", "b", "c"]


def test_what_takes_longer_than_its_patience_is_unknown_and_keeps_nobody() -> None:
    checks = [check("a", forever, patience=timedelta(seconds=4)), check("b", telling("b"))]
    found, took = measured(checks)
    assert [(one.check, one.state) for one in found] == [("a", State.UNKNOWN), ("b", State.WELL)]
    assert "took too long" in found[0].what
    assert 4 <= took < 4.5


def test_silence_of_what_everything_needs_is_wrong_and_so_is_its_failure() -> None:
    async def failing() -> list[Finding]:
        raise ValueError("secret subject")

    checks = [check("database", forever, silence="Nothing starts."), check("sign-in", failing, silence="No mail.")]
    checks.append(check("heartbeat", telling("heartbeat"), needs=("database",)))
    found, _ = measured(checks)
    assert [one.state for one in found] == [State.WRONG, State.WRONG, State.UNKNOWN]
    assert (found[0].why, found[1].why) == ("Nothing starts.", "No mail.")
    assert "Try once more" in found[0].mend


def test_with_everything_down_all_is_told_within_20_seconds() -> None:
    checks = [check(f"c{n}", forever, subject=str(n)) for n in range(4 * AT_ONCE)]
    found, took = measured(checks)
    assert [one.state for one in found] == [State.UNKNOWN] * len(checks)
    assert took <= 20.5


def test_of_a_few_dozen_that_hang_all_end_within_9_seconds() -> None:
    found, took = measured([check(f"c{n}", forever) for n in range(AT_ONCE)])
    assert len(found) == AT_ONCE
    assert took <= 9


def test_a_chain_of_needs_that_are_slow_stays_within_the_whole() -> None:
    checks = [check(f"c{n}", telling(f"c{n}", after=7), needs=(f"c{n - 1}",)) for n in range(9)]
    found, took = measured(checks)
    assert [one.state for one in found] == [State.WELL] * 2 + [State.UNKNOWN] * 7
    assert took <= 20.5


def test_what_is_wrong_makes_what_needs_it_pointless() -> None:
    checks = [
        check("way", telling("tls", State.WRONG, subject="host"), subject="host", tells=("tls",)),
        check("sign-in", telling("sign-in"), needs=("tls@host",)),
        check("mailbox", telling("mailbox"), needs=("sign-in",)),
        check("other", telling("other"), needs=("tls",)),
    ]
    found, _ = measured(checks)
    assert [(one.check, one.state) for one in found] == [
        ("tls", State.WRONG),
        ("sign-in", State.UNKNOWN),
        ("mailbox", State.UNKNOWN),  # nor what needs what was not looked at
        ("other", State.WELL),  # it needs one of its own subject
    ]
    assert found[1].what == "Not looked at, because of tls of host."


def test_what_took_too_long_is_not_waited_for_a_second_time() -> None:
    checks = [check("a", forever), check("b", forever, needs=("a",)), check("c", forever, needs=("b",))]
    found, took = measured(checks)
    assert [one.state for one in found] == [State.UNKNOWN] * 3
    assert "because of a of it" in found[1].what
    assert took < 8.5


def test_a_note_or_an_unknown_stands_in_nobodys_way() -> None:
    for state in (State.NOTE, State.UNKNOWN, State.WELL):
        found, _ = measured([check("a", telling("a", state)), check("b", telling("b"), needs=("a",))])
        assert found[1].state is State.WELL


def test_an_error_in_a_check_is_told_by_class_and_code_alone() -> None:
    async def failing() -> list[Finding]:
        raise TryLaterError("secret subject", code="http-503")

    def failing_at_once() -> Awaitable[list[Finding]]:
        raise ValueError("secret subject")

    found, _ = measured([check("a", failing), check("b", failing_at_once), check("c", telling("c"))])
    assert [one.what for one in found[:2]] == [
        "The check itself failed (TryLaterError, http-503).",
        "The check itself failed (ValueError).",
    ]
    assert [one.state for one in found] == [State.UNKNOWN, State.UNKNOWN, State.WELL]


def test_what_does_not_listen_to_being_cancelled_is_left_behind() -> None:
    loop = asyncio.new_event_loop()
    try:
        found = loop.run_until_complete(
            examine([check("a", stubborn, patience=timedelta(milliseconds=20)), check("b", telling("b"))])
        )
    finally:
        loop.close()  # and nobody waits for it here
    assert [one.state for one in found] == [State.UNKNOWN, State.WELL]


def test_an_interrupted_examination_ends_at_once() -> None:
    async def work() -> float:
        loop = asyncio.get_running_loop()
        examination = asyncio.ensure_future(examine([check("a", forever), check("b", telling("b"))]))
        await asyncio.sleep(1)
        began = loop.time()
        examination.cancel()
        await asyncio.wait([examination])
        return loop.time() - began

    assert skipping(work()) < 0.1


def test_who_watches_is_told_what_is_under_way() -> None:
    told: list[list[str]] = []
    measured(
        [check("a", telling("a", after=2)), check("b", telling("b", after=1))],
        tell=lambda running: told.append([one.name for one in running]),
    )
    assert told == [["a"], ["a", "b"], ["a"], []]


def test_no_checks_find_nothing() -> None:
    assert measured([])[0] == []


def test_chosen_checks_bring_what_they_need() -> None:
    checks = [
        check("reach", forever, subject="host", tells=("tls", "tls-expiry", "clock")),
        check("sign-in", forever, subject="main", needs=("tls@host",)),
        check("mailbox", forever, subject="main", needs=("sign-in",)),
        check("disk", forever),
    ]
    assert [one.name for one in chosen(checks, ["mailbox"])] == ["reach", "sign-in", "mailbox"]
    assert [one.name for one in chosen(checks, ["tls"])] == ["reach"]
    assert [one.name for one in chosen(checks, ["clock", "disk"])] == ["reach", "disk"]
    assert chosen(checks, ["tl"]) == []
    assert chosen(checks, []) == checks
