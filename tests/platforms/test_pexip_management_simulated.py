"""The client against the simulated Pexip, which knows nothing of it: the same words mean the same on both sides."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformMisconfiguredError,
    PlatformSignInError,
    PlatformUnavailableError,
)
from greenroom.platforms.pexip.management import (
    ALIAS_FIELDS,
    CONFERENCE_FIELDS,
    Basic,
    ConferenceGoneError,
    Credential,
    FieldsRefusedError,
    ManagementApi,
    ManagementSettings,
    NameTakenError,
    NodeLimits,
    OAuth2,
    OutcomeUnknownError,
    RequestBudget,
)
from greenroom.simulator.pexip import Client, Fault, InProcess, Pexip, User, create_pexip_app
from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.server import SimulatorServer, address_of, listening_socket, simulator_config
from support.certificates import Identity, of_this_machine

CONFERENCE = "configuration/conference"
ROOM = {"name": "Weekly", "service_type": "conference", "tag": "greenroom-1-a", "pin": "123456"}
TWO = [{"alias": "meet.1@example.com", "description": "d"}, {"alias": "1001"}]


def client(pexip: Pexip, credential: Credential | None = None, **more: Any) -> ManagementApi:
    settings = ManagementSettings(
        "http://127.0.0.1", credential or Basic("admin", "pexip-admin"), timeout=timedelta(seconds=5)
    )
    shared = NodeLimits(pexip.clock, RequestBudget(100_000, clock=lambda: pexip.clock().timestamp()))
    return ManagementApi(settings, shared, clock=pexip.clock, transport=InProcess(pexip), **more)


@pytest.fixture
def pexip() -> Pexip:
    return Pexip()


async def test_the_life_of_a_room(pexip: Pexip) -> None:
    there = client(pexip)
    await there.ping()
    uri = await there.create({**ROOM, "aliases": TWO, "primary_owner_email_address": "Ada@example.com"})
    (found,) = await there.find_by_tag("greenroom-1-a")
    assert (found.uri, found.name, found.pin) == (uri, "Weekly", "123456")
    assert [a.alias for a in found.aliases] == ["meet.1@example.com", "1001"]
    assert await there.get(uri) == found
    assert (
        [c.uri for c in await there.by_name("Weekly")]
        == [c.uri for c in await there.by_owner("ada@EXAMPLE.com")]
        == [uri]
    )
    among = await there.aliases_among(["MEET.1@example.com", "1001", "1002", "a.b|c"])
    assert {asked: told.conference for asked, told in among.items()} == {"MEET.1@example.com": uri, "1001": uri}
    await there.update(uri, {"description": "now"})
    added = await there.add_alias(uri, "meet.2@example.com")
    await there.delete_alias(added)
    await there.delete_alias(added)
    changed = await there.get(uri)
    assert changed is not None
    assert (changed.description, len(changed.aliases)) == ("now", 2)
    await there.delete(uri)
    await there.delete(uri)
    assert await there.get(uri) is None
    with pytest.raises(ConferenceGoneError):
        await there.update(uri, {"description": "x"})
    with pytest.raises(ConferenceGoneError):
        await there.add_alias(uri, "meet.3@example.com")
    assert pexip.conferences() == []
    assert pexip.calls.wipes() == []


@pytest.mark.parametrize("resource", ["conference_alias", "conference"])
@pytest.mark.parametrize("status", [400, 409])
async def test_what_another_has_is_told_apart(pexip: Pexip, resource: Any, status: int) -> None:
    pexip.options.alias_errors, pexip.options.duplicate = resource, status
    there = client(pexip)
    uri = await there.create({**ROOM, "aliases": TWO})
    with pytest.raises(NameTakenError, match="name: taken"):
        await there.create({**ROOM, "aliases": []})
    with pytest.raises(AliasTakenError, match="taken"):
        await there.create({**ROOM, "name": "Daily", "aliases": [{"alias": "1001"}]})
    other = await there.create({**ROOM, "name": "Monthly"})
    with pytest.raises(AliasTakenError):
        await there.add_alias(other, "1001")
    with pytest.raises(NameTakenError):
        await there.update(other, {"name": "Weekly"})
    assert {c.uri for c in await there.find_by_tag("greenroom-1-a")} == {uri, other}


async def test_a_room_pexip_does_not_take_is_refused_by_field(pexip: Pexip) -> None:
    with pytest.raises(FieldsRefusedError) as caught:
        await client(pexip).create({**ROOM, "pin": "12"})
    assert caught.value.errors.fields == {"pin"}
    assert "12" not in str(caught.value)


async def test_a_theme_that_is_gone_is_for_the_administrator(pexip: Pexip) -> None:
    pexip.seed({"ivr_theme": [{"name": "Blue"}], "identity_provider_group": [{"name": "Staff"}]})
    there = client(pexip)
    theme = await there.resource_uri_by_name("ivr_theme", "Blue")
    group = await there.resource_uri_by_name("identity_provider_group", "Staff")
    assert await there.resource_uri_by_name("ivr_theme", "Green") is None
    uri = await there.create({**ROOM, "ivr_theme": theme, "host_identity_provider_group": group})
    found = await there.get(uri)
    assert found is not None
    assert (found.theme, found.host_identity_provider_group) == (theme, group)
    with pytest.raises(PlatformMisconfiguredError, match="unknown-object"):
        await there.create({**ROOM, "name": "x", "ivr_theme": "/api/admin/configuration/v1/ivr_theme/77/"})


@pytest.mark.parametrize("size", [2, 7, 1000])
async def test_every_owned_room_is_told_and_no_other(pexip: Pexip, size: int) -> None:
    for n in range(20):
        pexip.create("conference", name=f"ours {n}", tag=f"greenroom-1-{n:02}")
        pexip.create("conference", name=f"theirs {n}", tag="greenroom-11-x")
    found = [c.tag async for c in client(pexip, page=size).owned("greenroom-1-")]
    assert found == [f"greenroom-1-{n:02}" for n in range(20)]


async def test_half_a_page_is_never_a_short_list(pexip: Pexip) -> None:
    for n in range(6):
        pexip.create("conference", name=f"ours {n}", tag="greenroom-1-x")
    for kind in ("half_page", "truncated", "cut_body"):
        pexip.faults.add(Fault(kind, resource=CONFERENCE, target="list", times=6))
        with pytest.raises(PlatformUnavailableError):
            [c async for c in client(pexip).owned("greenroom-1-")]
        pexip.faults.clear()
    pexip.faults.add(Fault("half_page", resource=CONFERENCE, target="list", times=2))
    assert len(await client(pexip).find_by_tag("greenroom-1-x")) == 6


COMMITTED = [
    Fault("timeout_after_commit", method="POST", times=1),
    Fault("truncated", method="POST", times=1),
    Fault("cut_body", method="POST", times=1),
    Fault("garbage", method="POST", times=1),
    Fault("http_500", method="POST", times=1, committed=True),
    Fault("http_504", method="POST", times=1, committed=True, body="Gateway"),
]


@pytest.mark.parametrize("fault", COMMITTED, ids=lambda fault: fault.kind)
async def test_a_lost_answer_is_found_again_by_the_mark(pexip: Pexip, fault: Fault) -> None:
    pexip.options.returns_data = True
    there = client(pexip)
    await there.ping()
    pexip.faults.add(fault)
    with pytest.raises(OutcomeUnknownError):
        await there.create({**ROOM, "aliases": TWO})
    assert [c.name for c in await there.find_by_tag("greenroom-1-a")] == ["Weekly"]
    assert pexip.calls.count("POST", CONFERENCE) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("http_429", retry_after=7), PlatformUnavailableError),
        (Fault("http_503"), PlatformUnavailableError),
        (Fault("http_502", body="Bad Gateway"), OutcomeUnknownError),
        (Fault("timeout_before", seconds=0), OutcomeUnknownError),
        (Fault("http_401"), PlatformSignInError),
        (Fault("http_403"), PlatformMisconfiguredError),
        (Fault("http_400", fields={"pin": ["no"]}), FieldsRefusedError),
        (Fault("http_400", body="Bad Request"), PlatformMisconfiguredError),
        (Fault("http_405"), PlatformMisconfiguredError),
        (Fault("http_501", body="Not Implemented"), PlatformMisconfiguredError),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_every_fault_is_sorted(pexip: Pexip, fault: Fault, kind: type[PlatformError]) -> None:
    pexip.faults.add(fault)
    with pytest.raises(kind):
        await client(pexip).create(ROOM)
    assert pexip.conferences() == []
    assert pexip.calls.count("POST") == 1


async def test_many_rooms_in_one_request(pexip: Pexip) -> None:
    there = client(pexip)
    one, two = await there.create(ROOM), await there.create({**ROOM, "name": "Daily"})
    made = {"name": "New", "service_type": "conference"}
    await there.change_many([made, {"resource_uri": one, "description": "d"}], [two])
    assert {(c["name"], c["description"]) for c in pexip.conferences()} == {("Weekly", "d"), ("New", "")}
    with pytest.raises(ConferenceGoneError):
        await there.change_many([], [two])
    assert pexip.calls.count("PATCH") == 2


async def test_what_runs_is_told(pexip: Pexip) -> None:
    there = client(pexip)
    await there.create({**ROOM, "aliases": TWO})
    assert (await there.running()).tags == frozenset()
    pexip.replicate()
    await pexip.dial("1001", protocol="sip", pin="123456", join=True)
    assert (await there.running()).tags == {"greenroom-1-a"}
    assert (await there.running("Weekly")).names == {"Weekly"}
    assert (await there.running("Daily")).names == frozenset()


async def test_an_oauth_client_signs_in_and_its_token_is_renewed(pexip: Pexip) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pexip.sign_in.clients["greenroom"] = Client(public.decode())
    there = client(pexip, OAuth2("greenroom", private))
    uri = await there.create(ROOM)
    pexip.sign_in.revoke_all()
    await there.update(uri, {"description": "d"})
    assert pexip.calls.count("POST", "oauth/token") == 2
    pexip.sign_in.audience = "mgr.internal"
    with pytest.raises(PlatformSignInError, match="invalid_client"):
        await client(pexip, OAuth2("greenroom", private)).ping()
    await client(pexip, OAuth2("greenroom", private, audience="https://mgr.internal/oauth/token/")).ping()


async def test_a_wrong_password_is_tried_once_and_who_may_only_read_is_told(pexip: Pexip) -> None:
    there = client(pexip, Basic("admin", "wrong"))
    for _ in range(3):
        with pytest.raises(PlatformSignInError):
            await there.find_by_tag("x")
    assert pexip.calls.count() == 1
    pexip.sign_in.users["reader"] = User("pw", read_only=True)
    reader = client(pexip, Basic("reader", "pw"))
    assert await reader.find_by_tag("x") == []
    with pytest.raises(PlatformMisconfiguredError, match="not-permitted"):
        await reader.create(ROOM)


async def test_what_an_older_scheduler_left_behind_can_be_read(pexip: Pexip) -> None:
    pexip.seed(
        {
            "ms_exchange_connector": [
                {
                    "name": "Exchange",
                    "room_mailbox_email_address": "vmr@greenroom.example",
                    "addin_server_domain": "join.greenroom.example",
                }
            ]
        }
    )
    (found,) = [told async for told in client(pexip).listing("ms_exchange_connector")]
    assert (found["name"], found["room_mailbox_email_address"]) == ("Exchange", "vmr@greenroom.example")
    there = client(pexip)
    await there.ping()
    with pytest.raises(PlatformUnavailableError, match="http-404"):
        [told async for told in there.listing("no_such_thing")]


@pytest.fixture
def encrypted(pexip: Pexip, tmp_path: Path) -> Iterator[tuple[str, Identity]]:
    """The simulated platform behind TLS, on a port of loopback."""
    identity = of_this_machine(tmp_path)
    app = create_pexip_app(pexip)
    sock = listening_socket("127.0.0.1", 0)
    config = simulator_config(app, certificate=str(identity.certificate), key=str(identity.key))
    server = SimulatorServer(config, close=app.close, started=(up := threading.Event()).set)
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    assert up.wait(10)
    yield address_of(sock, tls=True), identity
    server.should_exit = True
    thread.join(10)


async def test_over_the_wire_only_a_node_whose_certificate_is_trusted_hears_the_password(
    pexip: Pexip, encrypted: tuple[str, Identity]
) -> None:
    url, identity = encrypted

    def there(url: str, ca_file: Path | None) -> ManagementApi:
        settings = ManagementSettings(url, Basic("admin", "pexip-admin"), ca_file)
        return ManagementApi(settings, NodeLimits(pexip.clock), clock=pexip.clock)

    trusting = there(url, identity.certificate)
    uri = await trusting.create({**ROOM, "aliases": TWO})
    assert [c.uri for c in await trusting.find_by_tag("greenroom-1-a")] == [uri]
    await trusting.close()
    asked = pexip.calls.count()
    with pytest.raises(PlatformMisconfiguredError, match="bad-certificate") as caught:
        await there(url, None).ping()
    assert "ca_file" in caught.value.hint
    with pytest.raises(PlatformUnavailableError):
        await there(url.replace("https", "http"), None).ping()
    sock = listening_socket("127.0.0.1", 0)
    free = address_of(sock, tls=True)
    sock.close()
    with pytest.raises(PlatformUnavailableError, match="connection-refused"):
        await there(free, identity.certificate).ping()
    assert pexip.calls.count() == asked


async def test_both_sides_know_the_same_fields() -> None:
    assert {field.name for field in CONFIGURATION["conference"].fields} <= CONFERENCE_FIELDS
    assert {field.name for field in CONFIGURATION["conference_alias"].fields} <= ALIAS_FIELDS
