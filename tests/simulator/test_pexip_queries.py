"""Lists of the simulated management API: pages, filters, order."""

import pytest

from greenroom.simulator.pexip import Options, Pexip
from support.pexip_calls import ALIASES, CONFERENCES, calling


def rooms(number: int) -> Pexip:
    pexip = Pexip()
    theme = pexip.create("ivr_theme", name="Blue")
    for at in range(number):
        aliases = [{"alias": f"room{at}@x.example"}, {"alias": str(1000 + at)}]
        more = {"ivr_theme": theme} if at == 1 else {}
        pexip.create(
            "conference", name=f"Room {at}", tag=f"mine-{at % 2}", aliases=aliases, participant_limit=at, **more
        )
    return pexip


async def names(pexip: Pexip, **query: str | int) -> list[str]:
    async with calling(pexip) as http:
        return [
            room["name"].removeprefix("Room ") for room in (await http.get(CONFERENCES, params=query)).json()["objects"]
        ]


async def test_a_list_comes_in_pages_of_twenty_with_relative_links() -> None:
    async with calling(rooms(45)) as http:
        page = (await http.get(CONFERENCES, params={"tag__startswith": "mine"})).json()
        assert page["meta"]["limit"] == len(page["objects"]) == 20
        assert (page["meta"]["total_count"], page["meta"]["previous"]) == (45, None)
        assert page["meta"]["next"].startswith("/api/admin/")
        second = (await http.get(page["meta"]["next"])).json()
        third = (await http.get(second["meta"]["next"])).json()
        assert ([len(p["objects"]) for p in (second, third)], third["meta"]["next"]) == ([20, 5], None)
        assert "tag__startswith=mine" in third["meta"]["previous"]


async def test_a_page_has_a_greatest_length_and_zero_means_that() -> None:
    pexip = rooms(5)
    pexip.options.max_limit = 3
    async with calling(pexip) as http:
        for limit in ("0", "4"):
            page = (await http.get(CONFERENCES, params={"limit": limit})).json()
            assert (page["meta"]["limit"], len(page["objects"])) == (3, 3)
        assert (await http.get(CONFERENCES, params={"limit": "-1"})).status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("name", "Room 2", "2"),
        ("name__exact", "room 2", ""),
        ("name__iexact", "room 2", "2"),
        ("name__in", "Room 0,Room 3", "03"),
        ("name__contains", "m 3", "3"),
        ("name__icontains", "M 3", "3"),
        ("name__startswith", "Room", "0123"),
        ("name__istartswith", "rOOM", "0123"),
        ("name__endswith", "1", "1"),
        ("name__regex", "[12]$", "12"),
        ("participant_limit__lt", "2", "01"),
        ("participant_limit__lte", "2", "012"),
        ("participant_limit__gt", "2", "3"),
        ("participant_limit__gte", "2", "23"),
        ("tag", "mine-1", "13"),
        ("aliases__alias", "1002", "2"),
        ("aliases__alias__in", "1002,room3@x.example", "23"),
        ("ivr_theme__name", "Blue", "1"),
        ("ivr_theme__isnull", "true", "023"),
        ("allow_guests", "False", "0123"),
        ("scheduled_conferences_count", "0", "0123"),
    ],
)
async def test_filters_find_what_they_say(name: str, value: str, found: str) -> None:
    assert "".join(await names(rooms(4), **{name: value})) == found


async def test_several_filters_have_to_fit_together() -> None:
    assert await names(rooms(4), tag="mine-1", participant_limit__gt=1) == ["3"]


async def test_aliases_are_found_by_their_conference_by_address_or_id() -> None:
    async with calling(rooms(3)) as http:
        for value in ("2", f"{CONFERENCES}2/"):
            page = (await http.get(ALIASES, params={"conference": value})).json()
            assert [alias["alias"] for alias in page["objects"]] == ["room1@x.example", "1001"]


@pytest.mark.parametrize(
    "query",
    ["id=1", "nmae=x", "guest_view=x", "name__alias=x", "participant_limit=x", "name__regex=(", "aliases__nothing=1"],
)
async def test_a_filter_that_is_not_allowed_is_refused(query: str) -> None:
    async with calling(rooms(1)) as http:
        refused = await http.get(f"{CONFERENCES}?{query}")
        assert (refused.status_code, list(refused.json())) == (400, ["error"])


async def test_tastypie_takes_no_account_of_a_field_it_does_not_know_and_finds_everything() -> None:
    pexip = rooms(2)
    pexip.options = Options(unknown_filters="ignored")
    assert await names(pexip, nmae="Room 1") == ["0", "1"]


async def test_lists_are_ordered_as_asked() -> None:
    pexip = rooms(4)
    assert await names(pexip, order_by="-name") == ["3", "2", "1", "0"]
    async with calling(pexip) as http:
        page = (await http.get(CONFERENCES, params=[("order_by", "-tag"), ("order_by", "-name")])).json()
        assert [room["name"][-1] for room in page["objects"]] == ["3", "1", "2", "0"]
        assert (await http.get(CONFERENCES, params={"order_by": "pinning_config"})).status_code == 400
