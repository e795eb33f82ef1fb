"""Who guesses too often is turned away for a while, alone, and in one alarm."""

from datetime import timedelta
from ipaddress import ip_address

import pytest
import structlog

from greenroom.storage import Alarm
from greenroom.web.policy_guard import ALIASES, PASSWORDS, Guard, GuessLimits
from support.join_rooms import NOW
from support.policy_desk import CLOSED, FOREIGN, GUEST, OPEN, Node, basic

EVE = "sip:eve@example.net"
LIMITS = GuessLimits(per_caller=3, per_address=6, passwords=2)
SECOND = timedelta(seconds=1)


async def guesses(node: Node, count: int, caller: str = EVE, address: str = GUEST, first: int = 1000) -> None:
    for number in range(first, first + count):
        assert (await node.dials(f"meet.{number}", caller, address))["result"] == {}


async def test_mistakes_within_the_limit_shut_nobody_out() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 3)
    assert await node.lets_in(caller=EVE, address=GUEST)
    assert not node.guard.take()


async def test_who_guesses_more_is_turned_away_from_open_rooms_too_until_the_pause_is_over() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 4)
    assert not await node.lets_in(caller=EVE, address=GUEST)
    node.later(minutes=5, seconds=-1)
    assert not await node.lets_in(caller=EVE, address=GUEST)
    node.later(seconds=1)
    assert await node.lets_in(caller=EVE, address=GUEST)


async def test_while_turned_away_a_caller_does_not_reach_the_desk_with_a_guess() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 4)
    node.desk.asked.clear()
    await guesses(node, 5)
    assert not node.desk.asked


async def test_a_caller_turned_away_reaches_everything_that_is_not_ours() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 4)
    assert (await node.dials(FOREIGN))["action"] == "continue"
    assert (await node.dials("meet.1", service="participant/properties"))["action"] == "continue"


async def test_others_are_let_in_while_one_is_turned_away() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 4)
    assert await node.lets_in()
    assert await node.lets_in(caller="sip:bob@example.com", address=GUEST), "somebody else at the same address"
    assert await node.lets_in(caller=EVE, address="198.51.100.1"), "the one whose name was borrowed"


async def test_many_names_at_one_address_are_one_guesser() -> None:
    node = Node(limits=LIMITS)
    for number in range(7):
        await guesses(node, 1, caller=f"sip:{number}@example.net", first=number)
    assert not await node.lets_in(caller="sip:new@example.net", address=GUEST)
    assert await node.lets_in()


async def test_a_caller_without_a_name_is_counted_by_address_alone() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 6, caller="")
    assert await node.lets_in(caller="", address=GUEST)
    await guesses(node, 1, caller="", first=5)
    assert not await node.lets_in(caller="", address=GUEST)


async def test_one_number_dialled_wrong_again_and_again_counts_little() -> None:
    node = Node(limits=GuessLimits())
    for _ in range(20):
        for spelling in ("meet.7", "sip:meet.7@example.com", "MEET.7"):
            await node.dials(spelling)
    assert await node.lets_in(caller=EVE, address=GUEST)
    assert not node.guard.take()


async def test_slow_guessing_at_the_limit_goes_on_and_above_it_does_not() -> None:
    node = Node(limits=LIMITS)
    for number in range(30):
        await guesses(node, 1, first=number)
        node.later(seconds=21)
    assert await node.lets_in(caller=EVE, address=GUEST)
    for number in range(30):
        await guesses(node, 1, first=number)
        node.later(seconds=10)
    assert not await node.lets_in(caller=EVE, address=GUEST)


async def test_closed_rooms_and_foreign_aliases_are_no_guesses() -> None:
    node = Node(limits=LIMITS)
    for number in range(9):
        await node.dials(CLOSED)
        await node.dials(f"room-{number}")
    assert await node.lets_in(caller=EVE, address=GUEST)


async def test_limits_of_zero_count_nothing() -> None:
    node = Node(limits=GuessLimits(per_caller=0, per_address=0, passwords=0))
    await guesses(node, 100)
    for number in range(100):
        assert (await node.ask(headers=basic(password=str(number)))).status_code == 401
    assert await node.lets_in(caller=EVE, address=GUEST)
    assert not node.guard.take()


def test_limits_must_make_sense() -> None:
    with pytest.raises(ValueError, match="limits"):
        GuessLimits(per_caller=-1)
    with pytest.raises(ValueError, match="limits"):
        GuessLimits(pause=timedelta())


async def test_an_incident_is_one_alarm_and_one_line_however_many_requests_it_is_made_of() -> None:
    node = Node(limits=LIMITS)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await guesses(node, 20)
            node.later(minutes=5)
    (alarm,) = node.guard.take()
    assert (alarm.integration, alarm.code, alarm.count) == (1, ALIASES, 60)
    assert (alarm.first_at, alarm.last_at) == (NOW, NOW + timedelta(minutes=10))
    assert alarm.subject.startswith("caller ")
    assert alarm.subject.endswith(f" at {GUEST}")
    assert "eve" not in alarm.subject
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["policy.guessing"]
    assert not node.guard.take(), "what was taken is not told again"
    node.later(hours=2)
    with structlog.testing.capture_logs() as logs:
        await guesses(node, 20)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["policy.guessing"]


async def test_an_alarm_tells_the_address_whole_and_of_ipv6_the_network() -> None:
    subjects = []
    for address in (GUEST, f"::ffff:{GUEST}", "2001:db8::1:2:3:4"):
        node = Node(limits=LIMITS)
        await guesses(node, 7, caller="", address=address)
        (alarm,) = node.guard.take()
        subjects.append(alarm.subject)
    assert subjects == [f"address {GUEST}"] * 2 + ["address 2001:db8::/64"]


async def test_a_household_of_ipv6_is_one_address() -> None:
    node = Node(limits=LIMITS)
    for number in range(7):
        await guesses(node, 1, caller="", address=str(ip_address("2001:db8::") + number), first=number)
    assert not await node.lets_in(address="2001:db8::ffff:1")
    assert await node.lets_in(address="2001:db8:0:1::1")


async def test_what_claims_to_be_an_address_and_is_none_reaches_no_alarm() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 9, address="planted <script>" + "x" * 300)
    assert not await node.lets_in(caller=EVE, address="planted")
    (alarm,) = node.guard.take()
    assert "planted" not in alarm.subject
    assert len(alarm.subject) < 40


async def test_wrong_passwords_shut_an_address_out_but_not_the_nodes_there() -> None:
    node = Node(limits=LIMITS)
    assert (await node.ask()).status_code == 200
    statuses = [(await node.ask(headers=basic(password=f"guess {number}"))).status_code for number in range(6)]
    assert statuses == [401, 401, 401, 429, 429, 429]
    assert (await node.ask()).status_code == 200, "it was right before"
    (alarm,) = node.guard.take()
    assert alarm == Alarm(0, PASSWORDS, "address 10.0.0.5", 6, NOW, NOW)
    node.at("10.0.0.6")
    assert (await node.ask()).status_code == 200


async def test_at_an_address_that_is_shut_out_even_the_right_password_is_not_looked_at() -> None:
    node = Node(limits=LIMITS)
    for number in range(3):
        await node.ask(headers=basic(password=f"guess {number}"))
    assert (await node.ask()).status_code == 429
    node.later(minutes=5)
    assert (await node.ask()).status_code == 200


async def test_a_node_with_an_old_password_does_not_shut_itself_out() -> None:
    node = Node()
    for _ in range(60):
        assert (await node.ask(headers=basic(password="old"))).status_code == 401
    assert (await node.ask()).status_code == 200


async def test_busy_nodes_with_an_old_password_get_in_as_soon_as_it_is_corrected() -> None:
    node = Node(limits=LIMITS)
    for _ in range(500):
        assert (await node.ask(headers=basic(password="the old one"))).status_code == 401
    assert (await node.ask()).status_code == 200


async def test_a_request_without_a_credential_is_no_guess() -> None:
    node = Node(limits=LIMITS)
    for _ in range(20):
        assert (await node.ask(headers={})).status_code == 401
    assert (await node.ask()).status_code == 200


def test_a_clock_that_is_set_back_makes_no_pause_of_years() -> None:
    guard = Guard(LIMITS)
    for number in range(4):
        guard.guessed(EVE, GUEST, str(number), 1, NOW)
    assert guard.is_barred(EVE, GUEST, NOW)
    assert not guard.is_barred(EVE, GUEST, NOW - timedelta(days=1))


def test_a_flood_from_everywhere_is_borne_in_bounded_memory() -> None:
    guard = Guard(GuessLimits(per_caller=1, per_address=1))
    with structlog.testing.capture_logs() as logs:
        for number in range(5_500):
            address = str(ip_address("10.0.0.0") + number)
            guard.guessed(EVE, address, "1", 1, NOW)
            guard.guessed(EVE, address, "2", 1, NOW)
    assert max(len(one._kept) for one in guard._tallies.values()) <= 5_000
    assert max(len(one) for one in guard._barred.values()) == 5_000
    alarms = guard.take()
    assert len(alarms) == len(logs) == 51
    assert sum(alarm.count for alarm in alarms) == 22_000
    assert alarms[-1].subject == "others"


@pytest.mark.parametrize("address", ["2001:db8:0:{:x}::1", ""])
def test_guessing_from_everywhere_or_nowhere_raises_an_alarm_and_turns_nobody_away(address: str) -> None:
    guard = Guard(key=b"planted")
    for number in range(5_000):
        guard.guessed(f"sip:eve{number}@example.net", address.format(number), f"meet.{number}", 1, NOW)
    (alarm,) = guard.take()
    assert (alarm.code, alarm.subject) == ("policy-alias-guessing-by-many", "many callers")
    assert alarm.count > 4_000
    assert not guard.turns_away


def test_what_could_not_be_stored_is_kept_and_grows() -> None:
    guard = Guard(LIMITS)
    for number in range(4):
        guard.guessed(EVE, GUEST, str(number), 1, NOW)
    first = guard.take()
    guard.is_barred(EVE, GUEST, NOW + SECOND)
    guard.give_back(first)
    (alarm,) = guard.take()
    assert (alarm.count, alarm.first_at, alarm.last_at) == (5, NOW, NOW + SECOND)


def test_a_caller_has_the_same_digest_where_the_key_is_the_same() -> None:
    def subject(key: bytes) -> str:
        guard = Guard(LIMITS, key=key)
        for number in range(4):
            guard.guessed(EVE, GUEST, str(number), 1, NOW)
        return guard.take()[0].subject

    assert subject(b"a") == subject(b"a") != subject(b"b")
    assert subject(b"") != subject(b"")


async def test_an_open_room_is_found_again_by_those_who_did_not_guess() -> None:
    node = Node(limits=LIMITS)
    await guesses(node, 50)
    for number in range(20):
        assert await node.lets_in(OPEN, f"sip:{number}@example.com", f"198.51.100.{number}")
