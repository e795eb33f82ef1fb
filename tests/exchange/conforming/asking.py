"""How the conformance suite asks an adapter, and what its parts have in common."""

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from exchange.simulated import START, House
from greenroom.exchange.contract import Changes, Invitation
from greenroom.meetings.meeting import Glance, Observation
from greenroom.simulator.recurrence import Recurrence, Weekly

BLOCK = "<p>Join: 123456</p>"
WEEKLY = Recurrence(Weekly(1, ("Tuesday",)), (START - timedelta(days=7)).date(), count=6)


async def everything(house: House, cursor: str = "", limit: int = 100) -> tuple[list[Glance], list[str], str]:
    """Follow the feed to its end."""
    glances: list[Glance] = []
    gone: list[str] = []
    while True:
        changes: Changes = await house.mailbox.changes(cursor, limit=limit)
        glances.extend(changes.glances)
        gone.extend(changes.gone)
        cursor = changes.cursor
        if not changes.more:
            return glances, gone, cursor


async def observed(house: House, cursor: str = "") -> tuple[list[Observation], str]:
    """Everything readable behind the changes since `cursor`."""
    glances, _, after = await everything(house, cursor)
    results = await house.mailbox.read([g.ref for g in glances])
    return [r for r in results if isinstance(r, Observation)], after


async def the_one(house: House, cursor: str = "") -> Observation:
    found, _ = await observed(house, cursor)
    assert len(found) == 1, [(o.kind, o.ref.is_message) for o in found]
    return found[0]


def with_block(invitation: Invitation) -> Invitation | None:
    """Add the block once, at the end of the content."""
    if BLOCK in invitation.body_html:
        return None
    before, end, after = invitation.body_html.rpartition("</body>")
    return replace(invitation, body_html=before + BLOCK + end + after if end else after + BLOCK)


class Contract:
    """What every part of the suite knows of the adapter it asks."""

    capabilities: ClassVar[frozenset[str]] = frozenset({"push", "glances", "expiring-cursors"})
    """`push`: hints by notification. `glances`: lists show key and fingerprint. `expiring-cursors`: Exchange may forget a place."""

    def needs(self, capability: str) -> None:
        if capability not in self.capabilities:
            pytest.skip(f"this adapter has no capability {capability!r}")
