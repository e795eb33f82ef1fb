"""Rooms at the platform that no meeting has, told from those that are about to close by themselves."""

from collections.abc import Collection
from datetime import datetime, timedelta

from greenroom.meetings.kin import LIVING
from greenroom.meetings.reasons import Reason
from greenroom.platforms.contract import Capabilities
from greenroom.scheduler.integration import Integration
from greenroom.storage import Housed, KeptRoom, Storage

KNOWN, UNKNOWN = "known", "unknown"
_LATE = timedelta(hours=1)
"""So long after its turn a room that should have been closed by the clock counts as forgotten."""


async def strays(
    integration: Integration, storage: Storage, marks: Collection[str], now: datetime, *, since: datetime | None = None
) -> dict[str, str]:
    """Return which of these marks of rooms at the platform no living meeting has, as the database knows it.

    KNOWN ones belonged to a meeting that is done with, UNKNOWN ones to none that is remembered. Left out are rooms that close
    by themselves, now or soon, those of meetings that were worked on since `since` or wait to be, and those of meetings that
    another installation prepared: it may have the same platform, the same number, and so the same mark.
    """
    number, wanted = integration.number, set(marks)
    async with storage.reading() as work:
        houses: dict[str, list[Housed]] = {}
        for housed in await work.housing.of(number, wanted):
            houses.setdefault(housed.mark, []).append(housed)
        # A room that a meeting left to share another one is known by the meeting it was made for.
        known = await work.housing.known(number, wanted - houses.keys()) | houses.keys()
        kept = await work.housing.rooms(number, wanted)
    can = integration.platform.capabilities
    return {
        mark: KNOWN if mark in known else UNKNOWN
        for mark in sorted(wanted)
        if not any(
            is_used(one, now, integration) or is_under_way(one, since) or is_anothers(one)
            for one in houses.get(mark, ())
        )
        and not closes_itself(kept.get(mark), can, now)
    }


def is_used(housed: Housed, now: datetime, integration: Integration) -> bool:
    """Whether this meeting needs its room: it lives, or its running occurrence goes on."""
    held = housed.held_until is not None and housed.held_until + integration.policy.after > now
    return housed.state in LIVING or (held and housed.has_room)


def is_under_way(housed: Housed, since: datetime | None) -> bool:
    """Whether it is being worked on, or waits to be."""
    return housed.retry_at is not None or (since is not None and housed.updated_at >= since)


def is_anothers(housed: Housed) -> bool:
    """Whether another installation prepared this meeting, so that a room with its mark may be that one's."""
    return housed.reason == Reason.TICKET_FOREIGN and housed.alias_number is None


def closes_itself(kept: KeptRoom | None, can: Capabilities, now: datetime) -> bool:
    """Whether the platform closes this room without being asked: its last window has passed, or it is being taken down."""
    if kept is None:
        return False
    awaited = kept.there.due_at is not None and kept.there.due_at > now - _LATE
    if kept.retired_at is not None:
        return can.tended and awaited
    over = kept.closes_at is not None and kept.closes_at <= now
    return over and can.closes and (awaited or not can.tended)
