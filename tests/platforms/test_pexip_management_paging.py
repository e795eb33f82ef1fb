"""A list that is read page by page: every object once, or it raises."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.platforms.pexip.management import CodedUnavailableError, GarbledAnswerError
from greenroom.platforms.pexip.management.addresses import Root, follows
from greenroom.platforms.pexip.management.errors import ShiftedListError
from greenroom.platforms.pexip.management.paging import Paging
from platforms.scripted_pexip import CONFERENCES, Listing, Node, answer, client, conference, page

HERE = Root("https://pexip.example.com", "pexip.example.com", encrypted=True)


def rooms(*numbers: int) -> list[dict[str, Any]]:
    return [conference(n, tag="greenroom-1-x") for n in numbers]


def link(offset: int, limit: int = 3) -> str:
    return f"{CONFERENCES}?limit={limit}&offset={offset}"


async def read(node: Node, size: int = 3) -> list[str]:
    return [found.uri.split("/")[-2] async for found in client(node, page=size).owned("greenroom-1-")]


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(st.integers(0, 40), st.integers(2, 12), st.integers(2, 12))
def test_every_object_is_told_once_in_order(count: int, size: int, most: int) -> None:
    node = Node(Listing(rooms(*range(1, count + 1)), most), forever=True)
    assert asyncio.run(read(node, size)) == [str(n) for n in range(1, count + 1)]
    step = min(size, most) - 1
    assert len(node.seen) == max(1, -(-(count - 1) // step))


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(st.integers(5, 30), st.integers(2, 8), st.integers(0, 10**6))
def test_nothing_that_stays_is_missed_while_others_come_and_go(count: int, size: int, seed: int) -> None:
    chance = random.Random(seed)
    there = rooms(*range(1, count + 1))
    listing = Listing(there)
    always = {one["resource_uri"].split("/")[-2] for one in there}

    def shaken(seen: Any) -> Any:
        told = listing(seen)
        while chance.random() < 0.6:
            if chance.random() < 0.5 and there:
                always.discard(there.pop(chance.randrange(len(there)))["resource_uri"].split("/")[-2])
            else:
                there.insert(chance.randint(0, len(there)), *rooms(1000 + chance.randrange(10**9)))
        return told

    try:
        told = asyncio.run(read(Node(shaken, forever=True), size))
    except ShiftedListError:
        return
    assert len(told) == len(set(told))
    assert always <= set(told)


async def test_a_list_that_changes_is_read_anew_where_it_is_short() -> None:
    told = [conference(n, tag="t") for n in range(1, 6)]
    first, rest = page(told[:3], total=5, limit=3, next=link(3)), Listing(told, 3)
    node = Node(
        answer(200, first), answer(200, page(told[1:4], total=5, offset=2, limit=3, next=link(5))), rest, forever=True
    )
    found = await client(node, page=3).find_by_tag("t")
    assert [c.fields["id"] for c in found] == [1, 2, 3, 4, 5]
    with pytest.raises(ShiftedListError):
        await client(Node(answer(200, first), forever=True), page=3).find_by_tag("t")


SECOND = [
    ("half-page", page(rooms(3), total=5, offset=2, limit=3)),
    ("half-page", page([], total=5, offset=2, limit=3)),
    ("half-page", page(rooms(3, 4, 5, 6), total=5, offset=2, limit=3)),
    ("changed-total", page(rooms(3, 4, 5), total=6, offset=2, limit=3)),
    ("changed-total", page(rooms(3, 4), total=4, offset=2, limit=3)),
    ("shifted", page(rooms(4, 5, 6), total=5, offset=2, limit=3)),
    ("repeated", page(rooms(3, 1, 2), total=5, offset=2, limit=3)),
    ("endless", page(rooms(3, 4, 5), total=5, offset=2, limit=3, next=link(5))),
    ("no-progress", page(rooms(3), total=5, offset=2, limit=1, next=link(3, 1))),
    ("foreign-link", page(rooms(3, 4), total=5, offset=2, limit=2)),
    ("odd-page", page(rooms(3, 4, 5), total=5, offset=0, limit=3)),
    ("odd-page", page(rooms(3, 4, 5), total=5, offset=2, limit=4)),
    ("odd-page", page(rooms(3, 4, 5), total=True, offset=2, limit=3)),
    ("odd-page", {"objects": rooms(3, 4, 5)}),
    ("odd-page", {"meta": {}, "objects": {}}),
    ("odd-page", []),
    ("odd-object", page([*rooms(3, 4), {"resource_uri": ""}], total=5, offset=2, limit=3)),
    ("odd-object", page([*rooms(3, 4), "x"], total=5, offset=2, limit=3)),
]


@pytest.mark.parametrize(("code", "second"), SECOND, ids=range(len(SECOND)))
async def test_a_page_that_contradicts_what_was_promised_raises(code: str, second: Any) -> None:
    node = Node(answer(200, page(rooms(1, 2, 3), total=5, limit=3, next=link(3))), answer(200, second))
    with pytest.raises(GarbledAnswerError, match=code) as caught:
        await read(node)
    assert isinstance(caught.value, CodedUnavailableError)


@pytest.mark.parametrize(
    "following",
    [
        None,
        "",
        7,
        link(2),
        link(4),
        link(0),
        f"{CONFERENCES}?limit=3",
        f"{CONFERENCES}?offset=x",
        f"{CONFERENCES}?offset=-3",
        CONFERENCES.replace("conference", "conference_alias") + "?offset=3",
        f"{CONFERENCES}../conference/?offset=3",
        f"https://evil.example.net{link(3)}",
        f"//evil.example.net{link(3)}",
        f"http://pexip.example.com{link(3)}",
        f"https://pexip.example.com@evil.example.net{link(3)}",
        f"https://pexip.example.com:444{link(3)}",
        "http://[",
        f"{link(3)}\n",
        f"{link(3)}&{'a' * 20_000}",
        "&".join([link(3), *(f"a{n}=1" for n in range(200))]),
    ],
    ids=range(20),
)
async def test_a_next_page_elsewhere_is_not_followed(following: object) -> None:
    node = Node(answer(200, page(rooms(1, 2, 3), total=5, limit=3, next=following)))
    with pytest.raises(ShiftedListError, match="foreign-link"):
        await read(node)
    assert len(node.seen) == 1


async def test_a_next_page_is_asked_for_in_our_own_words() -> None:
    first = page(rooms(1, 2, 3), total=4, limit=3, next=f"https://PEXIP.example.com{link(3)}&tag__startswith=&evil=1")
    node = Node(answer(200, first), answer(200, page(rooms(3, 4), total=4, offset=2, limit=3)))
    assert await read(node) == ["1", "2", "3", "4"]
    assert node.seen[1].query == [("tag__startswith", "greenroom-1-"), ("limit", "3"), ("offset", "2")]


async def test_a_list_without_an_end_has_one() -> None:
    node = Node(answer(200, page(rooms(1, 2, 3), total=10**8, limit=3, next=link(3))), forever=True)
    with pytest.raises(GarbledAnswerError, match="too-many"):
        await read(node)


async def test_who_stops_in_the_middle_asks_for_no_more() -> None:
    node = Node(Listing(rooms(*range(1, 30))), forever=True)
    async for found in client(node, page=3).owned("greenroom-1-"):
        assert found.uri.endswith("/1/")
        break
    assert len(node.seen) == 1


@settings(deadline=None, max_examples=60)  # a busy machine is no failure
@given(st.text(max_size=40) | st.none() | st.integers())
def test_any_link_is_ours_or_not_followed(text: object) -> None:
    assert follows(text, CONFERENCES, HERE) is None


def test_a_page_has_room_for_the_object_before() -> None:
    with pytest.raises(ValueError, match="room"):
        Paging(CONFERENCES, HERE, page=1)
