"""What the adapter does at Pexip: who is found, made, changed in place, left alone and removed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import structlog

from greenroom.platforms import (
    AliasTakenError,
    PlatformMisconfiguredError,
    PlatformSetupError,
    PlatformUnavailableError,
    RoomRefusedError,
)
from greenroom.platforms.contract import PersonalRoom
from greenroom.platforms.pexip.names import names
from greenroom.platforms.pexip.style import PexipSettings, RoomStyle
from greenroom.simulator.pexip import Fault
from support.empty import empty_storage
from support.pexip_site import AHEAD, JUST_IN_TIME, NONE, Site
from support.platform_contract import owned
from support.records import DAY, HOUR, NOON, once, room

ROOMS = "configuration/conference"
OTHERS = {"name": "Theirs", "aliases": [{"alias": room(1).alias.name}]}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with empty_storage() as storage:
        yield Site(storage, PexipSettings(1, provisioning=AHEAD))


def minutes(number: float) -> Any:
    return HOUR / 60 * number


async def test_a_room_is_made_with_one_call_that_writes(site: Site) -> None:
    await site.platform.ensure(room(1))
    (made,) = site.conferences()
    assert (made["name"], made["tag"], made["pin"]) == ("Planning 1", site.settings.tag(room(1).mark), "012345")
    assert site.dialled() == {room(1).alias.name, room(1).alias.numeric}
    assert site.writes() == ["POST conference"]
    there = await site.there(room(1).mark)
    assert (there.ref, there.attempts) == (made["resource_uri"], 0)
    assert there.due_at == NOON + 2 * HOUR + site.settings.grace


async def test_what_pexip_was_told_already_needs_no_call(site: Site) -> None:
    await site.platform.ensure(room(1))
    site.pexip.calls.clear()
    await site.platform.ensure(room(1, admission=once(NOON, NOON + DAY), join_id="another"))
    assert site.pexip.calls.count() == 0
    assert (await site.there(room(1).mark)).due_at == NOON + DAY + HOUR + site.settings.grace


async def test_a_change_is_told_by_the_fields_that_differ(site: Site) -> None:
    await site.platform.ensure(room(1))
    await site.platform.ensure(room(1, name="Other", guest_pin="111111"))
    (patch,) = site.pexip.calls.made("PATCH", ROOMS)
    assert patch.payload == {"guest_pin": "111111", "name": "Other"}


async def test_a_new_alias_is_there_before_the_old_one_goes_and_an_administrators_stays(site: Site) -> None:
    await site.platform.ensure(room(1))
    uri = site.conferences()[0]["resource_uri"]
    site.pexip.create("conference_alias", alias="lobby", conference=uri, description="for the lobby")
    site.pexip.calls.clear()
    await site.platform.ensure(room(1, alias=room(9).alias))
    assert site.dialled() == {"lobby", room(9).alias.name, room(9).alias.numeric}
    assert site.writes() == ["POST conference_alias"] * 2 + ["DELETE conference_alias"] * 2


@pytest.mark.parametrize("alias", [room(1).alias.name.upper(), room(1).alias.numeric], ids=["name", "numeric"])
@pytest.mark.parametrize("policy", [False, True], ids=["management", "both"])
async def test_an_alias_of_a_room_that_is_not_ours_is_taken(site: Site, alias: str, policy: bool) -> None:
    site.restart(replace(site.settings, policy=policy))
    site.pexip.create("conference", name="Theirs", tag="greenroom-1", aliases=[{"alias": alias}])
    with pytest.raises(AliasTakenError):
        await site.platform.ensure(room(1))
    assert await site.rooms.get(room(1).mark) is None
    assert site.writes() == []


@pytest.mark.parametrize("policy", [False, True], ids=["just-in-time", "policy"])
async def test_an_alias_is_known_to_be_taken_long_before_the_room_is_made(site: Site, policy: bool) -> None:
    site.restart(PexipSettings(1, provisioning=NONE if policy else JUST_IN_TIME, policy=policy))
    site.pexip.create("conference", **OTHERS)
    with pytest.raises(AliasTakenError):
        await site.platform.ensure(room(1, admission=once(NOON + 9 * DAY, NOON + 9 * DAY + HOUR)))


async def test_a_room_that_was_taken_over_from_elsewhere_by_its_tag_keeps_its_aliases(site: Site) -> None:
    tag = site.settings.tag(room(1).mark)
    site.pexip.create("conference", name="Old", tag=tag, aliases=[{"alias": room(1).alias.name.upper()}])
    await site.platform.ensure(room(1))
    (found,) = site.conferences()
    assert found["name"] == "Planning 1"
    assert site.dialled() == {room(1).alias.name.upper(), room(1).alias.numeric}


async def test_a_name_that_another_room_has_is_followed_by_a_number_that_stays(site: Site) -> None:
    site.pexip.create("conference", name="PLANNING 1")
    await site.platform.ensure(room(1))
    first = site.conferences()[0]["name"]
    assert first == names(room(1))[1]
    await site.platform.ensure(room(1, description="changed"))
    await site.platform.ensure(room(1, name="Other"))
    assert site.conferences()[0]["name"] == "Other"
    await site.platform.ensure(room(1))
    assert site.conferences()[0]["name"] == first
    await site.platform.retire(room(1).mark)
    await site.platform.ensure(room(1))
    assert site.conferences()[0]["name"] == first


async def test_many_meetings_may_have_the_same_name(site: Site) -> None:
    for number in range(6):
        await site.platform.ensure(room(number, name="Jour fixe"))
    assert len({one["name"] for one in site.conferences()}) == 6


@pytest.mark.parametrize("half_made", [False, True])
async def test_an_alias_taken_while_the_room_is_made_leaves_nothing(
    site: Site, half_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pexip.options.half_made = half_made
    overtaken(site, monkeypatch)
    with pytest.raises(AliasTakenError):
        await site.platform.ensure(room(1))
    assert site.conferences() == []
    assert (await site.kept(room(1).mark)).retired_at is not None
    await site.platform.tend()
    assert await site.platform.tend() is None
    await site.platform.ensure(room(1, alias=room(9).alias))
    assert site.dialled() == {room(9).alias.name, room(9).alias.numeric}


def overtaken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an administrator take the alias in the moment before we do."""
    assert site.api is not None
    inner = site.api.create

    async def create(payload: Mapping[str, Any]) -> str:
        if site.pexip.conference(room(1).alias.name) is None:
            site.pexip.create("conference", **OTHERS)
        return await inner(payload)

    monkeypatch.setattr(site.api, "create", create)


async def test_an_alias_taken_while_a_room_changes_leaves_it_as_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.platform.ensure(room(2))
    assert site.api is not None
    inner = site.api.add_alias

    async def add_alias(uri: str, alias: str, description: str = "") -> str:
        if alias == room(1).alias.numeric:
            site.pexip.create("conference", name="Theirs", aliases=[{"alias": alias}])
        return await inner(uri, alias, description)

    monkeypatch.setattr(site.api, "add_alias", add_alias)
    with pytest.raises(AliasTakenError):
        await site.platform.ensure(room(2, name="Changed", alias=room(1).alias))
    assert site.dialled() == {room(2).alias.name, room(2).alias.numeric}
    assert (await site.kept(room(2).mark)).spec == room(2)
    await site.platform.tend()
    assert site.dialled() == {room(2).alias.name, room(2).alias.numeric}
    assert site.conferences()[0]["name"] == "Planning 2"
    await site.platform.ensure(room(2))


async def test_a_room_that_pexip_refuses_is_refused_and_what_was_before_stays(site: Site) -> None:
    await site.platform.ensure(room(1))
    site.pexip.faults.add(Fault("http_400", method="PATCH", times=1, fields={"description": ["No."]}))
    with pytest.raises(RoomRefusedError, match="description: refused"):
        await site.platform.ensure(room(1, description="odd"))
    assert (await site.kept(room(1).mark)).spec == room(1)
    await site.platform.tend()
    await site.platform.ensure(room(1))
    assert len(site.conferences()) == 1


async def test_what_pexip_refuses_of_the_settings_is_never_the_rooms_fault(site: Site) -> None:
    site.pexip.faults.add(Fault("http_400", method="POST", times=1, fields={"call_type": ["No."], "name": ["No."]}))
    with pytest.raises(PlatformMisconfiguredError):
        await site.platform.ensure(room(1))
    await site.platform.ensure(room(1))
    assert len(site.conferences()) == 1


async def test_a_room_with_people_in_it_is_changed_when_they_have_left(site: Site) -> None:
    await site.platform.ensure(bare := room(1, host_pin=None, guest_pin=None))
    site.pexip.replicate()
    caller = await site.pexip.dial(room(1).alias.name, join=True)
    await site.platform.ensure(replace(bare, name="Other", alias=room(9).alias))
    assert (await site.kept(room(1).mark)).spec.name == "Other"
    for _ in range(3):
        due = await site.platform.tend()
        assert due == site.clock() + minutes(1)
        site.clock.advance(minutes(1))
    assert site.conferences()[0]["name"] == "Planning 1"
    assert site.pexip.hangup(caller["participant"])
    await site.platform.tend()
    assert site.conferences()[0]["name"] == "Other"
    assert site.dialled() == {room(9).alias.name, room(9).alias.numeric}
    assert site.pexip.disturbed == []
    assert await site.platform.tend() == NOON + 2 * HOUR + site.settings.grace


async def test_people_in_a_room_do_not_keep_it_from_being_retired(site: Site) -> None:
    await site.platform.ensure(bare := room(1, host_pin=None, guest_pin=None))
    site.pexip.replicate()
    caller = await site.pexip.dial(room(1).alias.name, join=True)
    await site.platform.retire(bare.mark)
    assert site.conferences() == []
    assert site.pexip.hangup(caller["participant"]), "who was in it stayed"


async def test_of_two_rooms_with_one_mark_one_is_kept(site: Site) -> None:
    await site.platform.ensure(room(1))
    tag = site.settings.tag(room(1).mark)
    site.pexip.create("conference", name="Twin", tag=tag, aliases=[{"alias": "twin"}])
    site.pexip.replicate()
    caller = await site.pexip.dial("twin", join=True)
    await site.platform.ensure(room(1, name="Other"))
    assert len(site.conferences()) == 2, "people are in the other"
    site.pexip.hangup(caller["participant"])
    site.clock.advance(minutes(1))
    await site.platform.tend()
    (kept,) = site.conferences()
    assert (kept["name"], site.dialled()) == ("Other", {room(1).alias.name, room(1).alias.numeric})


async def test_retiring_finds_a_room_that_nobody_remembers_and_touches_no_other(site: Site) -> None:
    site.pexip.create("conference", name="Lost", tag=site.settings.tag(room(1).mark))
    site.pexip.create("conference", name="Other integration", tag=f"greenroom-11-{room(1).mark}")
    site.pexip.create("conference", **OTHERS)
    await site.platform.retire(room(1).mark)
    assert {one["name"] for one in site.pexip.conferences()} == {"Other integration", "Theirs"}


async def test_a_room_that_a_hand_deleted_is_made_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.platform.ensure(room(1))
    assert site.api is not None
    inner = site.api.update

    async def update(uri: str, payload: Mapping[str, Any]) -> None:
        site.pexip.delete(uri)
        monkeypatch.undo()
        await inner(uri, payload)

    monkeypatch.setattr(site.api, "update", update)
    await site.platform.ensure(room(1, name="Other"))
    assert [one["name"] for one in site.conferences()] == ["Other"]


@pytest.mark.parametrize("policy", [False, True], ids=["management", "both"])
async def test_without_pexip_only_policy_remembers_a_room(site: Site, policy: bool) -> None:
    site.restart(replace(site.settings, policy=policy))
    site.pexip.faults.add(Fault("http_503"))
    with pytest.raises(PlatformUnavailableError):
        await site.platform.ensure(room(1))
    assert (await site.rooms.get(room(1).mark) is not None) == policy
    site.pexip.faults.clear()
    site.clock.advance(minutes(1))
    await site.platform.tend()
    assert len(site.conferences()) == policy
    await site.platform.ensure(room(1))
    assert len(site.conferences()) == 1


async def test_a_room_remembered_without_pexip_is_closed_when_its_alias_is_anothers(site: Site) -> None:
    site.restart(replace(site.settings, policy=True))
    site.pexip.create("conference", **OTHERS)
    site.pexip.faults.add(Fault("http_503", times=1))
    with pytest.raises(PlatformUnavailableError):
        await site.platform.ensure(room(1))
    site.clock.advance(minutes(1))
    with pytest.raises(AliasTakenError):
        await site.platform.ensure(room(1))
    assert (await site.kept(room(1).mark)).retired_at is not None
    assert await owned(site.platform) == {}


async def test_a_theme_that_does_not_exist_is_an_administrators_matter(site: Site) -> None:
    site.restart(replace(site.settings, style=RoomStyle(theme="Ours", guest_identity_provider_group="Staff")))
    for missing, resource in (("theme", "ivr_theme"), ("guest_identity_provider_group", "identity_provider_group")):
        for call in (site.platform.check(), site.platform.ensure(room(1))):
            with pytest.raises(PlatformMisconfiguredError) as raised:
                await call
            assert f"{missing} " in raised.value.hint
        site.pexip.create(resource, name="Ours" if missing == "theme" else "Staff")
    await site.platform.check()
    await site.platform.ensure(room(1))
    assert site.conferences()[0]["ivr_theme"]["name"] == "Ours"


async def test_a_theme_that_was_made_anew_is_found_by_its_name(site: Site) -> None:
    old = site.pexip.create("ivr_theme", name="Ours")
    site.restart(replace(site.settings, style=RoomStyle(theme="Ours")))
    await site.platform.ensure(room(1))
    site.pexip.delete(old)
    site.pexip.create("ivr_theme", name="Ours")
    with pytest.raises(PlatformSetupError):
        await site.platform.ensure(room(2))
    await site.platform.ensure(room(2))
    assert site.conferences(room(2).mark)[0]["ivr_theme"]["name"] == "Ours"


async def test_personal_rooms_are_told_with_what_people_dial(site: Site) -> None:
    aliases = [{"alias": text} for text in ("ann@example.com", "4711", "ann", "@odd", "+4711", "a.b@c")]
    fields = {"primary_owner_email_address": "Ann@Example.com", "service_type": "conference"}
    uri = site.pexip.create(
        "conference", name="Ann's", description="Hers", aliases=aliases, pin="1234", allow_guests=True, **fields
    )
    site.pexip.create("conference", name="Hall", **(fields | {"service_type": "lecture"}))
    site.pexip.create("conference", name="Reception", **(fields | {"service_type": "two_stage_dialing"}))
    site.pexip.create("conference", name="Of another integration", tag=f"greenroom-9-{room(9).mark}", **fields)
    await site.platform.ensure(room(1))
    found = {one.name: one for one in await site.platform.personal_rooms("ann@example.com")}
    assert set(found) == {"Ann's", "Hall"}
    assert found["Ann's"] == PersonalRoom(
        uri, "Ann's", "Hers", ("ann@example.com", "a.b@c"), ("ann", "@odd", "+4711"), ("4711",), "1234", None, True
    )
    site.pexip.options.masked_pins = True
    assert {one.pin for one in await site.platform.personal_rooms("ann@example.com")} == {None}


async def test_a_check_tells_that_the_credential_is_wrong(site: Site) -> None:
    site.pexip.sign_in.users.clear()
    with pytest.raises(PlatformSetupError):
        await site.platform.check()


async def test_logs_and_errors_tell_no_content(site: Site) -> None:
    secret = room(1, name="Planted subject", description="Planted text", guest_pin="777777", host_pin="888888")
    with structlog.testing.capture_logs() as logs:
        site.pexip.create("conference", name="Planted subject")
        await site.platform.ensure(secret)
        await site.platform.ensure(replace(secret, alias=room(9).alias))
        await site.platform.retire(secret.mark)
    assert logs
    assert not any(word in str(logs) for word in ("Planted", "777777", "888888"))
