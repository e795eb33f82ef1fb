"""The simulated management API: creating, changing and deleting, and what it refuses."""

import pytest

from greenroom.simulator.pexip import Options, Pexip
from support.pexip_calls import ALIASES, CONFERENCES, CONFIGURATION, calling

ROOM = {"name": "Weekly", "tag": "greenroom-1-x", "aliases": [{"alias": "weekly@x.example"}, {"alias": "1001"}]}


async def test_a_conference_is_made_with_its_aliases_and_its_address_told() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        made = await http.post(CONFERENCES, json=ROOM)
        assert (made.status_code, made.content) == (201, b"")
        assert made.headers["Location"] == f"http://127.0.0.1{CONFERENCES}1/"
        room = (await http.get(made.headers["Location"])).json()
        assert [alias["alias"] for alias in room["aliases"]] == ["weekly@x.example", "1001"]
        assert room["aliases"][0]["conference"] == room["resource_uri"] == f"{CONFERENCES}1/"
        assert (room["service_type"], room["guests_can_present"], room["participant_limit"]) == (
            "conference",
            True,
            None,
        )


async def test_a_platform_may_answer_with_the_object_and_a_bare_path() -> None:
    pexip = Pexip(options=Options(returns_data=True, location="path", patched=204))
    async with calling(pexip) as http:
        made = await http.post(CONFERENCES, json=ROOM)
        assert made.json()["name"] == "Weekly"
        assert made.headers["Location"] == f"{CONFERENCES}1/"
        assert (await http.patch(f"{CONFERENCES}1/", json={"tag": "y"})).status_code == 204


async def test_names_and_aliases_are_unique_whatever_their_case() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json=ROOM)
        name = await http.post(CONFERENCES, json={"name": "WEEKLY"})
        assert (name.status_code, list(name.json()["conference"])) == (400, ["name"])
        alias = await http.post(CONFERENCES, json={"name": "Other", "aliases": [{"alias": "WEEKLY@x.example"}]})
        assert (alias.status_code, list(alias.json()["conference_alias"])) == (400, ["alias"])
        assert [room["name"] for room in pexip.conferences()] == ["Weekly"]
        assert (await http.post(CONFERENCES, json={"name": "Other"})).status_code == 201


async def test_a_refused_alias_may_leave_a_conference_without_aliases_behind() -> None:
    pexip = Pexip(options=Options(half_made=True, alias_errors="conference", duplicate=409))
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json=ROOM)
        alias = await http.post(CONFERENCES, json={"name": "Other", "aliases": [{"alias": "1001"}]})
        assert (alias.status_code, list(alias.json()["conference"])) == (409, ["aliases"])
        assert [len(room["aliases"]) for room in pexip.conferences()] == [2, 0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"name": ""}, "name"),
        ({"name": "x" * 251}, "name"),
        ({"pin": "123"}, "pin"),
        ({"pin": "12a4"}, "pin"),
        ({"pin": 1234}, "pin"),
        ({"pin": "1" * 21}, "pin"),
        ({"allow_guests": True}, "pin"),
        ({"allow_guests": "yes"}, "allow_guests"),
        ({"pin": "1234", "guest_pin": "5678"}, "guest_pin"),
        ({"pin": "1234", "guest_pin": "56789", "allow_guests": True}, "guest_pin"),
        ({"pin": "1234", "guest_pin": "1234", "allow_guests": True}, "guest_pin"),
        ({"service_type": "meeting"}, "service_type"),
        ({"participant_limit": 1_000_001}, "participant_limit"),
        ({"max_callrate_in": 127}, "max_callrate_in"),
        ({"host_view": "adaptive"}, "host_view"),
        ({"scheduled_conferences_count": 1}, "scheduled_conferences_count"),
        ({"description": None}, "description"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
async def test_what_does_not_fit_is_refused_by_its_field(change: dict[str, object], field: str) -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        refused = await http.post(CONFERENCES, json={"name": "Room", **change})
        assert (refused.status_code, list(refused.json()["conference"])) == (400, [field])
        await http.post(CONFERENCES, json={"name": "Room"})
        refused = await http.patch(f"{CONFERENCES}1/", json=change)
        assert (refused.status_code, list(refused.json()["conference"])) == (400, [field])


@pytest.mark.parametrize("pins", [("1234", ""), ("1234", "5678"), ("123#", "56789#"), ("12345678901234567890", "")])
async def test_good_pins_are_taken(pins: tuple[str, str]) -> None:
    async with calling(Pexip()) as http:
        room = {"name": "Room", "pin": pins[0], "guest_pin": pins[1], "allow_guests": True}
        assert (await http.post(CONFERENCES, json=room)).status_code == 201


async def test_a_patch_changes_what_it_names_and_replaces_lists() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json=ROOM)
        kept = pexip.conferences()[0]["aliases"][0]
        changed = {"description": "new", "aliases": [kept, {"alias": "1002"}]}
        del kept["creation_time"]
        assert (await http.patch(f"{CONFERENCES}1/", json=changed)).status_code == 202
        room = pexip.conferences()[0]
        assert (room["description"], room["tag"]) == ("new", "greenroom-1-x")
        assert [(alias["id"], alias["alias"]) for alias in room["aliases"]] == [(1, "weekly@x.example"), (3, "1002")]
        assert (await http.put(f"{CONFERENCES}1/", json={"name": "Whole"})).status_code == 204
        assert pexip.conferences()[0]["tag"] == ""


async def test_references_are_addresses_of_what_exists() -> None:
    pexip = Pexip()
    theme = pexip.create("ivr_theme", name="Blue")
    async with calling(pexip) as http:
        assert (await http.post(CONFERENCES, json={"name": "A", "ivr_theme": theme})).status_code == 201
        for wrong in (1, "1", "/api/admin/configuration/v1/ivr_theme/9/", f"{CONFERENCES}1/"):
            refused = await http.patch(f"{CONFERENCES}1/", json={"ivr_theme": wrong})
            assert (refused.status_code, list(refused.json())) == (400, ["error"])
        assert pexip.conferences()[0]["ivr_theme"]["name"] == "Blue"
        assert (await http.get(theme)).json()["conference"] == [f"{CONFERENCES}1/"]
        await http.delete(theme)
        assert pexip.conferences()[0]["ivr_theme"] is None


async def test_an_alias_is_a_resource_of_its_own_and_goes_with_its_conference() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json=ROOM)
        made = await http.post(ALIASES, json={"alias": "more@x.example", "conference": f"{CONFERENCES}1/"})
        assert made.status_code == 201
        refused = await http.post(ALIASES, json={"alias": "more@x.example"})
        assert "conference" in refused.json()["conference_alias"]
        assert (await http.delete(f"{CONFERENCES}1/")).status_code == 204
        assert (await http.delete(f"{CONFERENCES}1/")).status_code == 404
        assert pexip.all("conference_alias") == []


async def test_a_patch_of_a_list_creates_changes_and_deletes_in_one_request() -> None:
    pexip = Pexip()
    gone = pexip.create("conference", name="Gone")
    kept = pexip.create("conference", name="Kept")
    async with calling(pexip) as http:
        body = {"objects": [{"name": "New"}, {"resource_uri": kept, "tag": "t"}], "deleted_objects": [gone]}
        assert (await http.patch(CONFERENCES, json=body)).status_code == 202
    assert [(room["name"], room["tag"]) for room in pexip.conferences()] == [("Kept", "t"), ("New", "")]
    assert pexip.calls.count() == 1


async def test_a_patch_of_a_list_makes_anew_what_is_gone() -> None:
    pexip = Pexip()
    gone = pexip.create("conference", name="Gone")
    pexip.delete(gone)
    async with calling(pexip) as http:
        assert (
            await http.patch(CONFERENCES, json={"objects": [{"resource_uri": gone, "tag": "t"}]})
        ).status_code == 400
        body = {"objects": [{"resource_uri": gone, "name": "Gone"}], "deleted_objects": [gone]}
        assert (await http.patch(CONFERENCES, json=body)).status_code == 404
    assert [room["resource_uri"] for room in pexip.conferences()] == [f"{CONFERENCES}2/"]


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_refused_patch_of_a_list_keeps_what_came_before_unless_it_is_atomic(atomic: bool) -> None:
    pexip = Pexip(options=Options(atomic_lists=atomic))
    async with calling(pexip) as http:
        body = {"objects": [{"name": "One"}, {"name": "Two", "pin": "x"}, {"name": "Three"}]}
        assert (await http.patch(CONFERENCES, json=body)).status_code == 400
    assert [room["name"] for room in pexip.conferences()] == ([] if atomic else ["One"])


async def test_deleting_a_list_deletes_everything_and_is_remembered() -> None:
    pexip = Pexip()
    async with calling(pexip) as http:
        await http.post(CONFERENCES, json=ROOM)
        assert pexip.calls.wipes() == []
        assert (await http.delete(CONFERENCES)).status_code == 204
    assert pexip.conferences() == []
    assert [call.resource for call in pexip.calls.wipes()] == ["configuration/conference"]


async def test_addresses_and_methods_that_do_not_exist() -> None:
    async with calling(Pexip()) as http:
        assert (await http.get(CONFERENCES.rstrip("/"))).status_code == 404
        assert (await http.get(f"{CONFIGURATION}/vmr/")).status_code == 404
        assert (await http.get(f"{CONFERENCES}7/")).status_code == 404
        assert (await http.get(f"{CONFIGURATION}/worker_vm/")).status_code == 501
        refused = await http.post("/api/admin/status/v1/conference/", json={})
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        assert (
            await http.post(CONFERENCES, content=b"{", headers={"Content-Type": "application/json"})
        ).status_code == 400
        assert (await http.post(CONFERENCES, content=b"{}")).status_code == 400


async def test_pins_may_be_masked_and_passwords_are_never_read_back() -> None:
    pexip = Pexip(options=Options(masked_pins=True))
    pexip.create("conference", name="A", pin="1234")
    pexip.create("ms_exchange_connector", name="X", addin_server_domain="x.example", password="hidden")
    async with calling(pexip) as http:
        assert (await http.get(f"{CONFERENCES}1/")).json()["pin"] == "****"
        assert "hidden" not in (await http.get(f"{CONFIGURATION}/ms_exchange_connector/1/")).text
    assert pexip.conferences()[0]["pin"] == "1234"


async def test_the_schema_of_a_resource_has_the_shape_of_tastypie() -> None:
    async with calling(Pexip()) as http:
        root = (await http.get(f"{CONFIGURATION}/")).json()
        assert root["conference"] == {"list_endpoint": CONFERENCES, "schema": f"{CONFERENCES}schema/"}
        schema = (await http.get(root["conference"]["schema"])).json()
        assert schema["filtering"]["tag"] == 1
        assert "name" in schema["ordering"]
        told = schema["fields"]["service_type"]
        assert (told["type"], told["default"], told["nullable"]) == ("string", "conference", False)
        assert "lecture" in told["valid_choices"]
        assert schema["fields"]["name"]["unique"]
        assert schema["fields"]["aliases"]["related_type"] == "to_many"
        command = (await http.get("/api/admin/command/v1/conference/disconnect/schema/")).json()
        assert command["allowed_list_http_methods"] == ["post"]
