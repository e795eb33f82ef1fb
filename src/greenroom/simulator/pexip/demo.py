"""What the made-up company of the demo has on its platform: a theme, sign-in for staff, films, and two people's own rooms."""

from __future__ import annotations

from typing import Any, Final

from greenroom.simulator.demo_world import DOMAIN, PEOPLE

PLAYLIST_EARLY: Final = "The meeting has not begun"
PLAYLIST_OVER: Final = "The meeting is over"
THEME: Final = "Greenroom"
STAFF: Final = "Staff"
USER: Final = "greenroom"
PASSWORD: Final = "a-node-in-the-green-room"  # noqa: S105 - everybody here is made up


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
