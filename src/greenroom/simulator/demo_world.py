"""A small made-up company for demonstrations: a few people, an equipment mailbox, a service account, an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.seeding import seed

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange

DOMAIN: Final = "greenroom.example"
EQUIPMENT: Final = f"vmr@{DOMAIN}"
SERVICE_LOGIN: Final = "svc-greenroom"
PASSWORD: Final = "green-tea-in-the-green-room"  # noqa: S105 - everybody here is made up
"""Everybody's password, the service account's too."""
CLIENT_ID: Final = "7c1d8f52-0a4e-4b36-8f7b-2a9b5d3e6c10"
CLIENT_SECRET: Final = "a-secret-that-opens-the-green-room"  # noqa: S105 - as above
"""The application by which Greenroom signs in to Graph."""

PEOPLE: Final[tuple[tuple[str, str], ...]] = (
    ("ada", "Ada Okafor"),
    ("ben", "Ben Lindqvist"),
    ("carla", "Carla Reyes"),
    ("deniz", "Deniz Şahin"),
    ("emil", "Emil Sørensen"),
)


def demo_seed(*, processing: str = "auto_update") -> dict[str, Any]:
    """The demo company as a seed; ``processing`` is the equipment mailbox's AutomateProcessing."""
    people = [
        {
            "address": f"{login}@{DOMAIN}",
            "name": name,
            "password": PASSWORD,
            "x500": f"/o=Greenroom/cn=Recipients/cn={login}",
        }
        for login, name in PEOPLE
    ]
    equipment = {
        "address": EQUIPMENT,
        "name": "Virtual meeting room",
        "password": None,
        "kind": "equipment",
        "processing": processing,
        "x500": "/o=Greenroom/cn=Recipients/cn=vmr",
    }
    service = {"login": SERVICE_LOGIN, "password": PASSWORD, "impersonate": "everybody"}
    application = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": "everybody"}
    return {"mailboxes": [*people, equipment], "accounts": [service], "applications": [application]}


def populate(exchange: Exchange, *, processing: str = "auto_update") -> None:
    """Create the demo company in a store."""
    seed(exchange, demo_seed(processing=processing))
