"""What the made-up company of the demo has on its platform: a theme, sign-in for staff, films, and two people's own rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.demo_world import DOMAIN, PEOPLE
from greenroom.simulator.pexip.oauth import User
from greenroom.simulator.pexip.platform import Pexip
from greenroom.simulator.pexip.policy import PolicyProfile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PLAYLIST_EARLY: Final = "The meeting has not begun"
PLAYLIST_OVER: Final = "The meeting is over"
THEME: Final = "Greenroom"
STAFF: Final = "Staff"
USER: Final = "greenroom"
PASSWORD: Final = "a-node-in-the-green-room"  # noqa: S105 - everybody here is made up
POLICY_USER: Final = "conferencing-nodes"
POLICY_PASSWORD: Final = "may-they-come-in"  # noqa: S105 - as above


def demo_seed() -> dict[str, Any]:
    """The demo company's platform as a seed."""
    people = [{"primary_email_address": f"{login}@{DOMAIN}", "display_name": name} for login, name in PEOPLE]
    rooms = [
        {
            "name": f"{name}'s room",
            "description": "Open all day",
            "aliases": [{"alias": f"meet.{login}@{DOMAIN}"}, {"alias": f"{700_001 + at}"}],
            "primary_owner_email_address": f"{login}@{DOMAIN}",
            "ivr_theme": "@theme",
            "pin": f"{4711 + at}",
            "allow_guests": True,
        }
        for at, (login, name) in enumerate(PEOPLE[:2])
    ]
    return {
        "ivr_theme": [{"key": "theme", "name": THEME}],
        "identity_provider_group": [{"name": STAFF}],
        "media_library_playlist": [{"name": PLAYLIST_EARLY}, {"name": PLAYLIST_OVER}],
        "system_location": [{"name": "London"}],
        "end_user": people,
        "conference": rooms,
    }


def demo_pexip(clock: Callable[[], datetime], address: str) -> Pexip:
    """The demo company's platform, still empty; its nodes ask for policy at this address."""
    pexip = Pexip(clock, policy=PolicyProfile(address, POLICY_USER, POLICY_PASSWORD))
    pexip.sign_in.users = {USER: User(PASSWORD)}
    return pexip
