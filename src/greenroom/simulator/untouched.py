"""An organisation in which nobody has prepared anything: people, an administrator, and what Exchange does by default.

No equipment mailbox, no service account, no rights. EWS lets callers in by Windows authentication alone. A new equipment mailbox
accepts by itself, strips subjects and texts and refuses conflicts, as those of the admin centre and of Exchange Online do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.demo_world import DOMAIN, PASSWORD, PEOPLE
from greenroom.simulator.seeding import seed

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange

ADMINISTRATOR: Final = f"administrator@{DOMAIN}"
_PEOPLE: Final = 3


def populate(exchange: Exchange) -> None:
    """Make the organisation in an empty store. Everybody's password is that of the demo's people."""
    people = [*PEOPLE[:_PEOPLE], ("administrator", "Administrator")]
    mailboxes = [{"address": f"{login}@{DOMAIN}", "name": name, "password": PASSWORD} for login, name in people]
    seed(exchange, {"mailboxes": mailboxes, "untouched": True})
    exchange.site.organisation.administrators = (ADMINISTRATOR,)
