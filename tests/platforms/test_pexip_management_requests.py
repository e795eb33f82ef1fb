"""What is sent: methods, addresses, queries, headers and bodies."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from greenroom.platforms.pexip.management import (
    CodedUnavailableError,
    Conference,
    ConferenceGoneError,
    GarbledAnswerError,
    ManagementApi,
    NodeLimits,
    OutcomeUnknownError,
    RequestBudget,
)
from platforms.scripted_pexip import (
    ALIASES,
    CONFERENCES,
    RUNNING,
    URL,
    Listing,
    Node,
    Time,
    alias,
    answer,
    client,
    conference,
    created,
    listed,
)

ONE = f"{CONFERENCES}1/"
Ask = Callable[[ManagementApi], Awaitable[object]]


async def test_a_tag_is_looked_for_in_the_list_of_conferences() -> None:
    node = Node(
        listed(conference(7, "meet.7@example.com", "123456", tag="greenroom-1-ab", pin="1234", allow_guests=True))
    )
    (found,) = await client(node).find_by_tag("greenroom-1-ab")
    (seen,) = node.seen
    assert (seen.method, seen.path) == ("GET", CONFERENCES)
    assert seen.query == [("tag", "greenroom-1-ab"), ("limit", "1000"), ("offset", "0")]
    assert seen.headers["authorization"] == "Basic YXBpOnNlY3JldA=="
    assert seen.headers["accept"] == "application/json"
    assert (found.uri, found.tag, found.pin, found.allow_guests) == (f"{CONFERENCES}7/", "greenroom-1-ab", "1234", True)
    assert [(a.uri, a.alias, a.conference) for a in found.aliases] == [
        (f"{ALIASES}70/", "meet.7@example.com", f"{CONFERENCES}7/"),
        (f"{ALIASES}71/", "123456", f"{CONFERENCES}7/"),
    ]


async def test_a_value_with_signs_stays_one_value() -> None:
    node = Node(listed(conference(1, name="A & B, 50% #1 é")))
    await client(node).by_name("A & B, 50% #1 é")
    assert node.seen[0]["name"] == "A & B, 50% #1 é"
    assert "A%20%26%20B%2C%2050%25%20%231%20%C3%A9" in node.seen[0].raw


async def test_an_owner_is_found_in_upper_and_lower_case() -> None:
    node = Node(listed(conference(1, primary_owner_email_address="Anna@Example.com")))
    (found,) = await client(node).by_owner("anna@example.COM")
    assert node.seen[0]["primary_owner_email_address__iexact"] == "anna@example.COM"
    assert found.owner == "Anna@Example.com"


async def test_aliases_are_asked_for_in_one_request() -> None:
    node = Node(listed(alias(3, "Meet.1,x@example.com", 9), alias(4, "100", 8)))
    found = await client(node).aliases_among(["meet.1,x@example.com", "100", "200"])
    (seen,) = node.seen
    assert (seen.path, seen["alias__iregex"]) == (ALIASES, r"^(meet\.1,x@example\.com|100|200)$")
    assert {asked: told.conference for asked, told in found.items()} == {
        "meet.1,x@example.com": f"{CONFERENCES}9/",
        "100": f"{CONFERENCES}8/",
    }


async def test_one_alias_needs_no_expression_and_many_need_several() -> None:
    node = Node(listed(), listed(), listed())
    assert await client(node).aliases_among(["a.b"]) == {}
    assert node.seen[0]["alias__iexact"] == "a.b"
    assert await client(node).aliases_among(f"{n:0190}" for n in range(3)) == {}
    assert len(node.seen[1]["alias__iregex"]) <= 410
    assert node.seen[2]["alias__iexact"] == f"{2:0190}"
    assert await client(node).aliases_among([]) == {}


async def test_a_filter_that_the_node_passes_over_is_seen() -> None:
    stranger = conference(
        5, "boss@example.com", tag="ours", primary_owner_email_address="boss@example.com", name="Boss"
    )
    asks: list[Ask] = [
        lambda c: c.find_by_tag("greenroom-1-ab"),
        lambda c: c.by_name("Weekly"),
        lambda c: c.by_owner("anna@example.com"),
        lambda c: c.running("Weekly"),
        lambda c: c.resource_uri_by_name("ivr_theme", "Blue"),
    ]
    for ask in asks:
        with pytest.raises(GarbledAnswerError, match="filter-ignored"):
            await ask(client(Node(listed(stranger))))
    with pytest.raises(GarbledAnswerError, match="filter-ignored"):
        await client(Node(listed(alias(1, "boss")))).aliases_among(["anna"])
    with pytest.raises(GarbledAnswerError, match="filter-ignored"):
        [c async for c in client(Node(listed(stranger))).owned("greenroom-1-")]
    with pytest.raises(GarbledAnswerError, match="too-many"):
        await client(Node(Listing([conference(n, tag="x") for n in range(1, 1500)]))).find_by_tag("x")


async def test_tags_that_differ_in_case_are_not_ours() -> None:
    told = [conference(1, tag="Greenroom-1-ab"), conference(2, tag="greenroom-1-ab")]
    found = await client(Node(listed(*told))).find_by_tag("greenroom-1-ab")
    assert [c.uri for c in found] == [f"{CONFERENCES}2/"]
    assert [c.uri async for c in client(Node(listed(*told))).owned("greenroom-")] == [f"{CONFERENCES}2/"]


async def test_owned_rooms_are_asked_for_by_the_beginning_of_their_tag() -> None:
    node = Node(listed(conference(1, tag="greenroom-1-ab")))
    assert [c.tag async for c in client(node).owned("greenroom-1-")] == ["greenroom-1-ab"]
    assert node.seen[0]["tag__startswith"] == "greenroom-1-"
    with pytest.raises(ValueError, match="nothing"):
        [c async for c in client(Node()).owned("")]


async def test_a_conference_is_made_by_a_post_on_the_list() -> None:
    payload = {"name": "Weekly ä", "aliases": [{"alias": "meet.1"}], "pin": "1234"}
    for location in (ONE, f"https://10.0.0.1{ONE}", f"http://evil.example.net{ONE}?x=1"):
        node = Node(created(location))
        assert await client(node).create(payload) == ONE
    (seen,) = node.seen
    assert (seen.method, seen.path, seen.query, seen.json) == ("POST", CONFERENCES, [], payload)
    assert seen.headers["content-type"] == "application/json"
    assert seen.raw.startswith(URL)


async def test_where_a_conference_was_made_may_stand_in_the_body() -> None:
    assert await client(Node(answer(201, {"resource_uri": ONE}))).create({}) == ONE


@pytest.mark.parametrize(
    "location", ["", CONFERENCES, f"{ALIASES}1/", f"{ONE}../", "/x/1/", f"{CONFERENCES}1", f"{ONE}2/"]
)
async def test_a_conference_that_was_made_nobody_knows_where_is_looked_for(location: str) -> None:
    with pytest.raises(OutcomeUnknownError, match="no-location"):
        await client(Node(created(location))).create({})


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_conference_is_changed_by_a_patch_on_the_item(status: int) -> None:
    node = Node(answer(status))
    await client(node).update(ONE, {"pin": ""})
    (seen,) = node.seen
    assert (seen.method, seen.path, seen.json) == ("PATCH", ONE, {"pin": ""})


async def test_a_conference_and_an_alias_are_deleted_by_their_address() -> None:
    node = Node(answer(204), answer(204))
    await client(node).delete(ONE)
    await client(node).delete_alias(f"{ALIASES}5/")
    assert [(s.method, s.path, s.content) for s in node.seen] == [("DELETE", ONE, b""), ("DELETE", f"{ALIASES}5/", b"")]


WRONG = [
    "",
    CONFERENCES,
    ALIASES,
    CONFERENCES.rstrip("/"),
    f"{CONFERENCES}0/",
    f"{CONFERENCES}1",
    f"{CONFERENCES}1//",
    f"{CONFERENCES}/",
    f"{CONFERENCES}1/?x=1",
    f"{CONFERENCES}../conference/",
    f"{CONFERENCES}%2e%2e/",
    f"{CONFERENCES}schema/",
    f"{CONFERENCES}set/1;2/",
    f"{CONFERENCES}1/\n",
    f"{CONFERENCES}\u0661/",
    f"{URL}{CONFERENCES}1/",
    "/api/admin/configuration/v1/system_location/1/",
    "/api/admin/status/v1/conference/1/",
]


@pytest.mark.parametrize("uri", WRONG)
async def test_nothing_but_one_item_is_ever_deleted_or_changed(uri: str) -> None:
    node = Node()
    there = client(node)
    for act in (
        lambda: there.delete(uri),
        lambda: there.delete_alias(uri),
        lambda: there.update(uri, {}),
        lambda: there.get(uri),
        lambda: there.add_alias(uri, "a"),
        lambda: there.change_many([], [uri]),
        lambda: there.change_many([{"resource_uri": uri}]),
    ):
        with pytest.raises(ValueError, match="address of one item"):
            await act()
    assert node.seen == []


async def test_an_alias_is_no_conference_to_delete() -> None:
    with pytest.raises(ValueError, match="conference"):
        await client(Node()).delete(f"{ALIASES}5/")
    with pytest.raises(ValueError, match="conference_alias"):
        await client(Node()).delete_alias(ONE)


async def test_what_is_gone_is_deleted() -> None:
    node = Node(listed(), answer(404), answer(410))
    there = client(node)
    await there.find_by_tag("x")
    await there.delete(ONE)
    await there.delete_alias(f"{ALIASES}1/")
    assert [s.method for s in node.seen] == ["GET", "DELETE", "DELETE"]


async def test_a_wrong_address_says_of_everything_that_it_is_gone_and_is_not_believed() -> None:
    node = Node(answer(404, b"<html>not found</html>"), forever=True)
    acts: list[Ask] = [
        lambda c: c.delete(ONE),
        lambda c: c.get(ONE),
        lambda c: c.update(ONE, {}),
    ]
    for act in acts:
        with pytest.raises(Exception, match="not-pexip"):
            await act(client(node))


async def test_a_conference_that_is_gone_is_told_as_such() -> None:
    there = client(Node(listed(), answer(404), answer(404)))
    await there.find_by_tag("x")
    assert await there.get(ONE) is None
    with pytest.raises(ConferenceGoneError):
        await there.update(ONE, {})


async def test_one_conference_is_read_by_its_address() -> None:
    node = Node(answer(200, conference(1, "a", ivr_theme={"resource_uri": "/api/admin/configuration/v1/ivr_theme/3/"})))
    found = await client(node).get(ONE)
    assert isinstance(found, Conference)
    assert (found.theme, found.fields["id"]) == ("/api/admin/configuration/v1/ivr_theme/3/", 1)
    assert "Room 1" not in repr(found)
    with pytest.raises(GarbledAnswerError):
        await client(Node(answer(200, conference(2)), forever=True)).get(ONE)


async def test_many_are_changed_in_one_request() -> None:
    node = Node(answer(202), answer(202))
    objects = [{"name": "new"}, {"resource_uri": ONE, "description": "d"}]
    await client(node).change_many(objects, [f"{CONFERENCES}2/"])
    await client(node).change_many(objects)
    assert [(s.method, s.path) for s in node.seen] == [("PATCH", CONFERENCES)] * 2
    assert node.seen[0].json == {"objects": objects, "deleted_objects": [f"{CONFERENCES}2/"]}
    assert node.seen[1].json == {"objects": objects}
    await client(Node()).change_many([])
    with pytest.raises(ValueError, match="500"):
        await client(Node()).change_many([{}] * 501)


async def test_an_alias_is_added_to_a_conference() -> None:
    node = Node(created(f"{ALIASES}9/"))
    assert await client(node).add_alias(ONE, "meet.2", "second") == f"{ALIASES}9/"
    (seen,) = node.seen
    assert (seen.method, seen.path) == ("POST", ALIASES)
    assert seen.json == {"alias": "meet.2", "conference": ONE, "description": "second"}


async def test_an_alias_for_a_conference_that_is_gone() -> None:
    told = {"error": f"Could not find the provided conference object via resource URI '{ONE}'."}
    with pytest.raises(ConferenceGoneError):
        await client(Node(answer(400, told))).add_alias(ONE, "a")


async def test_what_runs_is_told_by_name_and_tag() -> None:
    running = {"resource_uri": f"{RUNNING}u-1/", "id": "u-1", "name": "Weekly", "tag": "greenroom-1-ab"}
    nameless = {"resource_uri": f"{RUNNING}u-2/", "name": None, "tag": 5}
    node = Node(listed(running, nameless, limit=5000), listed(running, limit=5000), listed(limit=5000))
    told = await client(node).running()
    assert (set(told.names), set(told.tags)) == ({"Weekly"}, {"greenroom-1-ab"})
    assert (await client(node).running("Weekly")).names == {"Weekly"}
    assert (await client(node).running("Daily")).names == frozenset()
    assert [s.path for s in node.seen] == [RUNNING] * 3
    assert node.seen[0].query == [("limit", "5000"), ("offset", "0")]
    assert node.seen[1]["name"] == "Weekly"


async def test_themes_and_groups_are_found_by_name() -> None:
    uri = "/api/admin/configuration/v1/identity_provider_group/4/"
    told = [{"resource_uri": uri[:-2] + "3/", "name": "STAFF"}, {"resource_uri": uri, "name": "Staff"}]
    node = Node(listed(*told), listed())
    assert await client(node).resource_uri_by_name("identity_provider_group", "Staff") == uri
    assert node.seen[0].path == "/api/admin/configuration/v1/identity_provider_group/"
    assert await client(node).resource_uri_by_name("ivr_theme", "Blue") is None


async def test_any_resource_of_the_configuration_can_be_listed() -> None:
    told = {
        "resource_uri": "/api/admin/configuration/v1/ms_exchange_connector/1/",
        "name": "c",
        "nested": {"a": [1, None]},
    }
    node = Node(listed(told))
    assert [dict(one) async for one in client(node).listing("ms_exchange_connector")] == [told]
    assert node.seen[0].path == "/api/admin/configuration/v1/ms_exchange_connector/"
    for name in ("", "../x", "a/b", "A", "a?b", "schéma"):
        with pytest.raises(ValueError, match="resource"):
            [one async for one in client(Node()).listing(name)]


async def test_a_ping_reads_as_little_as_can_be() -> None:
    node = Node(listed(limit=2))
    await client(node).ping()
    assert node.seen[0].query == [("limit", "2"), ("offset", "0")]


async def test_after_closing_nothing_is_sent() -> None:
    node = Node(listed())
    there = client(node)
    await there.find_by_tag("x")
    await there.close()
    with pytest.raises(CodedUnavailableError, match="closed"):
        await there.find_by_tag("x")
    assert len(node.seen) == 1


async def test_who_waits_for_a_turn_while_it_closes_sends_nothing() -> None:
    node = Node(listed())
    shared = NodeLimits(Time(), RequestBudget(1000, 1))
    there = client(node, shared=shared)
    async with shared.budget.turn("other"):
        waiting = asyncio.create_task(there.find_by_tag("x"))
        await asyncio.sleep(0)
        await there.close()
    with pytest.raises(CodedUnavailableError, match="closed"):
        await waiting
    assert node.seen == []


async def test_bulk_is_the_same_client_with_less_haste() -> None:
    node = Node(listed(), answer(204), answer(204))
    there = client(node)
    assert await there.bulk.find_by_tag("x") == []
    await there.bulk.bulk.delete(ONE)
    await there.delete(ONE)
    await there.bulk.close()
    with pytest.raises(CodedUnavailableError, match="closed"):
        await there.ping()
