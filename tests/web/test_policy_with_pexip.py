"""The door and the guard with the real desk behind them: both must mean the same by who dials, and by a guess."""

from greenroom.web.policy_guard import GuessLimits
from support.policy_desk import GUEST, Node
from support.policy_questions import FeedInMemory, counter, told
from support.records import NOON

ALIAS = "vc-900000001@example.com"


async def node() -> Node:
    behind = counter(FeedInMemory(told(1)))
    await behind.follower.follow()
    one = Node(limits=GuessLimits(per_caller=3), desk=behind.desk)
    one.clock.now = NOON
    return one


async def guess(one: Node, count: int, caller: str, first: int = 700_000_000) -> None:
    for number in range(first, first + count):
        assert (await one.dials(f"sip:vc-{number}@example.com", caller))["action"] == "continue", "passed on"


async def test_an_open_room_is_served_through_the_door() -> None:
    one = await node()
    for spelling in (ALIAS, f"sip:{ALIAS}", "900000001", f"h323:{ALIAS.upper()}"):
        assert await one.lets_in(spelling)


async def test_who_guesses_is_turned_away_from_rooms_and_from_what_looks_like_one_and_from_nothing_else() -> None:
    one = await node()
    await guess(one, 4, "sip:Eve@Example.net;transport=tls")
    for spelling in ("sip:eve@example.net", "Eve@example.net"):
        assert not await one.lets_in(ALIAS, spelling, GUEST), "the same caller, spelled otherwise"
    told_more = await one.dials("vc-700000009@example.com", "eve@example.net")
    assert told_more == await one.dials(ALIAS, "eve@example.net"), "a room and a guess look alike"
    for other in ("reception", "ann@elsewhere.example", "vc-1@example.com"):
        assert (await one.dials(other, "eve@example.net"))["action"] == "continue"
    assert (await one.dials(ALIAS, "eve@example.net", service="participant/properties"))["action"] == "continue"
    assert await one.lets_in(ALIAS)
    (alarm,) = one.guard.take()
    assert alarm.integration == 1


async def test_other_numbers_of_the_house_are_no_guesses() -> None:
    one = await node()
    for number in range(30):
        await one.dials(f"{1000 + number}", "eve@example.net")
        await one.dials(f"person{number}@example.com", "eve@example.net")
    assert await one.lets_in(ALIAS, "eve@example.net", GUEST)
