"""People's own rooms: offered to nobody else, and told with no more than guests need."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.dialling import Phone, pexip_ways
from greenroom.meetings.instructions import RULE
from greenroom.meetings.policy import Policy
from greenroom.meetings.reserving import Kind, NoSuchRoomError, NotPossibleError
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing, Ticket
from greenroom.meetings.ticket_finder import find_tickets
from greenroom.platforms.contract import PersonalRoom, Platform
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.platforms.errors import PlatformError, PlatformMisconfiguredError, PlatformUnavailableError
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.personal import MOST_ROOMS, OwnRooms
from greenroom.simulator.pexip.seeding import seed
from greenroom.storage import RoomStore
from greenroom.web.addin_contract import PersonalRooms
from greenroom.web.identity.contract import Caller
from support.empty import empty_storage
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import Clock
from support.observations import MAILBOX, NOW
from support.pexip_site import Site

ADA = Caller("entra", "a" * 32, "Ada@greenroom.example ")
BOB = Caller("entra", "b" * 32, "bob@greenroom.example")
NOBODY = Caller("exchange", "c" * 32)
RING = KeyRing("GRM", 1, {0: b"k" * 32})
WAYS = pexip_ways("https://conf.example", phones=(Phone("DE", "+49 30 1234567", "Germany"),), domain="video.example")
ROOM = PersonalRoom(
    "/1/",
    "Ada's <room>",
    "Always open",
    domain_aliases=("ada@video.example", "lovelace@video.example"),
    other_aliases=("ada",),
    numeric_aliases=("1815",),
    pin="9999",
    guest_pin="4711",
    allow_guests=True,
)


@dataclass
class Rooms:
    """A platform of which nothing is asked but people's own rooms."""

    there: list[PersonalRoom]
    fault: PlatformError | None = None

    async def personal_rooms(self, owner: str) -> list[PersonalRoom]:
        if self.fault is not None:
            raise self.fault
        return self.there if owner.casefold() == "ada@greenroom.example" else []


def integration(platform: object, **more: object) -> Integration:
    usual = Integration(
        number=1,
        name="main",
        mailbox=FakeMailbox(MAILBOX, Clock()),
        platform=platform,  # type: ignore[arg-type]  # only what is asked is there
        policy=Policy(MAILBOX),
        aliases=AliasPlan("meet", 9, "video.example"),
        ring=RING,
        texts=Texts(),
        links=JoinLinks("https://meet.example", WAYS),
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # named by the test


def own(*rooms: PersonalRoom, host_pin: bool = False, **more: object) -> PersonalRooms:
    return OwnRooms(integration(Rooms(list(rooms)), **more), lambda: NOW, host_pin=host_pin)


async def told(room: PersonalRoom, *, host_pin: bool = False, **more: object) -> str:
    """The plain text that is written for a room."""
    rooms = own(room, host_pin=host_pin, **more)
    (entry,) = await rooms.of(ADA)
    return (await rooms.instructions(ADA, entry.id)).text


async def test_a_person_is_offered_their_own_rooms() -> None:
    rooms = own(ROOM, PersonalRoom("/2/", "", numeric_aliases=("77",)))
    one, two = await rooms.of(ADA)
    assert (one.name, one.description) == ("Ada's <room>", "Always open")
    assert (two.name, two.description) == ("77", "")
    assert list(await rooms.of(BOB)) == []
    assert list(await rooms.of(NOBODY)) == []


async def test_ids_say_nothing_and_are_worth_nothing_to_others() -> None:
    class Everybodys(Rooms):
        async def personal_rooms(self, owner: str) -> list[PersonalRoom]:
            return [ROOM] if owner else []

    rooms = OwnRooms(integration(Everybodys([])), lambda: NOW)
    (hers,) = await rooms.of(ADA)
    (his,) = await rooms.of(BOB)
    assert hers.id != his.id
    assert ROOM.ref not in hers.id
    for caller, room_id in ((BOB, hers.id), (NOBODY, hers.id), (ADA, ""), (ADA, ROOM.ref), (ADA, "é\ud800")):
        with pytest.raises(NoSuchRoomError):
            await rooms.instructions(caller, room_id)
    again = Caller("oidc", "d" * 32, "ADA@GREENROOM.EXAMPLE")
    assert (await rooms.instructions(again, hers.id)).alias == "ada@video.example"


async def test_the_text_for_a_meeting_is_whole_and_found_again() -> None:
    rooms = own(ROOM)
    (entry,) = await rooms.of(ADA)
    got = await rooms.instructions(ADA, entry.id)
    link = "https://conf.example/webapp3/m/ada@video.example"
    assert (got.kind, got.location, got.join_url) == (Kind.PERSONAL, link, link)
    assert (got.alias, got.numeric_alias, got.expires_at) == ("ada@video.example", "1815", None)
    ticket = RING.verify(got.ticket)
    assert isinstance(ticket, Ticket)
    assert ticket.is_personal
    for text in (got.html, got.text):
        assert find_tickets(text, "GRM") == [got.ticket]
        for word in (f"GRM:{got.ticket[-5:]}", link, "ada@video.example", "+49 30 1234567", "1815#", "4711"):
            assert word in text
        assert "9999" not in text
    assert got.text.startswith(f"{RULE}\nGRM:")
    assert (await rooms.instructions(ADA, entry.id)).ticket != got.ticket


@pytest.mark.parametrize(
    ("changes", "host_pin", "shown"),
    [
        ({}, True, "PIN: 4711"),
        ({"guest_pin": None}, True, ""),
        ({"allow_guests": False}, False, "The room asks for a PIN, which the organizer can tell you."),
        ({"allow_guests": False}, True, "PIN: 9999"),
        ({"allow_guests": False, "pin": None}, True, ""),
        ({"allow_guests": False, "pin": None}, False, ""),
    ],
    ids=["guests", "guests-without", "withheld", "host", "none", "none-either"],
)
async def test_the_hosts_pin_is_only_told_where_all_need_it_and_it_is_wanted(
    changes: dict[str, object], shown: str, *, host_pin: bool
) -> None:
    text = await told(replace(ROOM, **changes), host_pin=host_pin)  # type: ignore[arg-type]  # named above
    lines = [line for line in text.splitlines() if "PIN" in line]
    assert lines == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("changes", "dialled"),
    [
        ({}, "ada@video.example"),
        ({"domain_aliases": ()}, "ada"),
        ({"domain_aliases": (), "other_aliases": ()}, "1815"),
    ],
)
async def test_an_alias_with_a_domain_comes_first_and_a_number_last(changes: dict[str, object], dialled: str) -> None:
    rooms = own(replace(ROOM, **changes))  # type: ignore[arg-type]  # named above
    (entry,) = await rooms.of(ADA)
    got = await rooms.instructions(ADA, entry.id)
    assert got.alias == dialled
    assert got.location.endswith(f"/{dialled}")


async def test_a_room_without_numbers_has_no_telephone_line() -> None:
    assert "telephone" not in await told(replace(ROOM, numeric_aliases=()))


async def test_a_room_without_aliases_is_still_told() -> None:
    bare = replace(ROOM, domain_aliases=(), other_aliases=(), numeric_aliases=())
    text = await told(bare)
    assert "http" not in text
    assert "sip:" not in text


async def test_what_leads_over_our_join_page_is_not_told() -> None:
    ways = replace(WAYS, web_app="https://x.example/{join_id}", dial=(("Page", "https://x.example/{join_id}"),))
    text = await told(ROOM, links=JoinLinks("https://meet.example", replace(ways, phone="see {join_id}")))
    assert "x.example" not in text
    assert "see" not in text


@pytest.mark.parametrize(
    ("fault", "code", "after"),
    [
        (PlatformUnavailableError("503", timedelta(seconds=9)), "platform-unavailable", timedelta(seconds=9)),
        (PlatformMisconfiguredError("theme-missing"), "platform-needs-setup", None),
        (PlatformError("odd"), "platform-refuses", None),
    ],
    ids=["unavailable", "setup", "other"],
)
async def test_a_platform_that_does_not_answer_is_told_by_code(
    fault: PlatformError, code: str, after: timedelta | None
) -> None:
    rooms = OwnRooms(integration(Rooms([], fault)), lambda: NOW)
    with pytest.raises(NotPossibleError) as error:
        await rooms.of(ADA)
    assert (error.value.code, error.value.after) == (code, after)


async def test_not_everything_of_a_flood_is_offered() -> None:
    rooms = own(*(replace(ROOM, ref=f"/{number}/") for number in range(MOST_ROOMS + 1)))
    assert len(await rooms.of(ADA)) == MOST_ROOMS


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=3), st.text(max_size=20))
async def test_whatever_a_room_is_called_nothing_of_it_becomes_markup(
    name: str, aliases: list[str], guest_pin: str
) -> None:
    hostile = replace(ROOM, name=name + "<b", other_aliases=tuple(f'"><script>{one}' for one in aliases))
    rooms = own(replace(hostile, domain_aliases=(), guest_pin=guest_pin))
    (entry,) = await rooms.of(ADA)
    got = await rooms.instructions(ADA, entry.id)
    assert "<script" not in got.html
    assert len(entry.name) <= 125
    assert len(got.location) <= 255
    assert got.ticket in got.text


async def test_the_embedded_platform_has_no_personal_rooms() -> None:
    async with empty_storage() as storage:
        rooms = OwnRooms(integration(EmbeddedPlatform(RoomStore(storage, 1, lambda: NOW))), lambda: NOW)
        assert list(await rooms.of(ADA)) == []


@asynccontextmanager
async def pexip() -> AsyncIterator[tuple[Site, Platform]]:
    async with empty_storage() as storage:
        site = Site(storage, PexipSettings(integration=1))
        owner = {"primary_owner_email_address": "ada@greenroom.example"}
        aliases = [{"alias": "ada@greenroom.example"}, {"alias": "1001"}]
        hers = {"name": "Ada's room", "pin": "1234", "guest_pin": "5678", "allow_guests": True, "aliases": aliases}
        seed(site.pexip, {"conference": [hers | owner, {"name": "Another"} | owner, {"name": "Nobody's"}]})
        yield site, site.platform


async def test_rooms_on_pexip_are_offered_to_their_owner() -> None:
    async with pexip() as (_, platform):
        rooms = OwnRooms(integration(platform), lambda: NOW)
        offered = {one.name: one.id for one in await rooms.of(ADA)}
        assert set(offered) == {"Ada's room", "Another"}
        assert list(await rooms.of(BOB)) == []
        text = (await rooms.instructions(ADA, offered["Ada's room"])).text
        assert "https://conf.example/webapp3/m/ada@greenroom.example" in text
        assert "5678" in text
        assert "1234\n" not in text


async def test_a_room_that_is_gone_since_it_was_offered_is_said_to_be() -> None:
    async with pexip() as (site, platform):
        rooms = OwnRooms(integration(platform), lambda: NOW)
        offered = {one.name: one.id for one in await rooms.of(ADA)}
        gone = next(one for one in site.pexip.conferences() if one["name"] == "Another")
        site.pexip.delete(gone["resource_uri"])
        with pytest.raises(NoSuchRoomError):
            await rooms.instructions(ADA, offered["Another"])
