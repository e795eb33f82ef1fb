"""`greenroom doctor` on a whole installation: green where all is well, and each single thing that breaks is found and named."""

import socket
from collections.abc import Iterator

import pytest

from support.doctor_house import House, black_hole, doctor_house
from support.whole import eventually, listens

pytestmark = pytest.mark.slow
UNTRIED = {"mailbox-kind", "mailbox-arrivals", "mailbox-organizers"}
"""What nobody can tell of a mailbox that nobody has booked yet."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with doctor_house(tmp_path_factory.mktemp("doctor")) as running:
        yield running


def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"127.0.0.1:{sock.getsockname()[1]}"


def test_an_installation_that_is_well_is_green(house: House) -> None:
    healthy = eventually(lambda: (found := house.doctor()).code == 0 and found, seconds=60)
    assert healthy
    assert (healthy.wrong, healthy.unknown) == (set(), UNTRIED), healthy.findings
    told = {one["check"] for one in healthy.findings}
    assert told >= {
        "config-texts",
        "disk",
        "database",
        "reach",
        "clock",
        "exchange-sign-in",
        "exchange-rights",
        "watcher",
        "heartbeat",
        "service",
        "platform",
        "policy",
        "addin-manifest",
        "addin-page",
        "identity",
    }
    assert healthy.seconds < 25  # 10 on a quiet machine: bench/doctor.py measures it


@pytest.mark.parametrize(
    ("piece", "wrong", "unknown"),
    [
        ("exchange", {"reach"}, {"exchange-sign-in"}),
        ("pexip", {"reach"}, {"platform"}),
        ("issuers", {"reach", "addin-manifest"}, {"identity"}),  # the manifest names where people sign in
    ],
    ids=["exchange", "pexip", "issuers"],
)
def test_one_that_cannot_be_reached_is_named_and_what_needs_it_is_left(
    piece: str, wrong: set[str], unknown: set[str], house: House
) -> None:
    found = house.doctor(**{piece: f"http://{closed()}"})
    assert found.code == 1
    assert found.wrong == wrong, found.findings
    assert found.unknown >= unknown


def test_a_wrong_password_of_the_policy_server_is_named(house: House) -> None:
    found = house.doctor(policy_password="another-planted-one")
    assert (found.code, found.wrong) == (1, {"policy"}), found.findings


def test_a_public_address_that_leads_elsewhere_is_named(house: House) -> None:
    found = house.doctor(public=house.pexip.url.partition("//")[2])
    assert found.code == 1
    assert found.wrong >= {"service", "policy", "addin-manifest", "addin-page"}, found.findings
    assert "exchange-sign-in" not in found.wrong


def test_with_everything_down_it_ends_in_time(house: House) -> None:
    with black_hole() as hole:
        there = f"127.0.0.1:{hole}"
        found = house.doctor(
            exchange=f"http://{there}/EWS/Exchange.asmx",
            pexip=f"http://{there}",
            issuers=f"http://{there}",
            public=there,
        )
    assert found.code == 3
    assert "reach" in found.wrong
    assert found.seconds < 30


def test_a_service_that_was_stopped_is_named(house: House) -> None:
    """The last one: nobody starts it again."""
    assert house.greenroom is not None
    house.greenroom.stop()
    assert not listens(house.port)
    found = house.doctor()
    assert found.code == 1
    assert found.wrong == {"reach", "heartbeat"}, found.findings
    assert found.unknown >= {"service", "policy", "addin"}
