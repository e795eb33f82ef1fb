"""What a walk through the whole calendar leaves: records whose meeting it did not show, and rooms that no meeting has.

Both are doubted before anything is done. A record's meeting is searched for by its key; of rooms those are kept whose meeting is in
the calendar or inbox without having been read, and all of them where something is there that does not even tell its key.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from greenroom.meetings.decision import last_end
from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Glance
from greenroom.meetings.reasons import Reason
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import Entry, Fate
from greenroom.scheduler.recovery.owned import OwnedRooms
from greenroom.scheduler.recovery.strays import closes_itself, is_anothers
from greenroom.scheduler.recovery.walking import Walk
from greenroom.storage import Housed, Standing, Storage

log = structlog.get_logger(__name__)

KNOWN = "known"
UNKNOWN = "unknown"
NOT_SHOWN = "not-shown"


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rooms of no meeting. `held_back` is how many more there may be: something could not be read whose room one may be."""

    entries: tuple[Entry, ...] = ()
    held_back: int = 0


async def gone(integration: Integration, storage: Storage, walk: Walk, now: datetime) -> list[Standing]:
    """Return the living records, not over, whose meeting the walk did not come across."""
    found: list[Standing] = []
    async with storage.reading() as work:
        async for standing in work.meetings.living(integration.number):
            end = last_end(standing.kind, standing.span)
            known = walk.has_seen(standing.key.digest) or standing.ref.id in walk.unread_items
            # A request message without an item is no part of the calendar; an occurrence that merged has no item of its own.
            apart = standing.ref.is_message or standing.reason == Reason.MERGED
            if not known and not apart and (end is None or end > now):
                found.append(standing)
    return found


def ending(standing: Standing) -> Entry:
    """Write a line of a plan."""
    starts_at = None if standing.span is None else standing.span.start
    return Entry(Fate.END, NOT_SHOWN, key=standing.key, starts_at=starts_at)


async def orphans(
    integration: Integration, storage: Storage | None, walk: Walk, rooms: OwnedRooms, now: datetime
) -> Orphans:
    """Find the rooms of no meeting, after a walk through the whole calendar. Raises ExchangeError and StorageError."""
    left = {mark for mark in rooms if not walk.needs(mark)}
    remembered: set[str] = set()
    if left and storage is not None:
        async with storage.reading() as work:
            housed = await work.housing.of(integration.number, left)
            left -= {one.mark for one in housed if needs_room(one) or is_anothers(one)}
            remembered = await work.housing.known(integration.number, left)
            kept = await work.housing.rooms(integration.number, remembered)
            can = integration.platform.capabilities
            left -= {mark for mark, room in kept.items() if closes_itself(room, can, now)}  # of meetings that are over
    if not left:
        return Orphans()
    shown = await integration.mailbox.inventory(now - integration.policy.after)
    keyed = {glance.ref.id for glance in shown if glance.key is not None}
    if not walk.unread_items <= keyed:
        log.warning("orphans not told: something cannot be read", integration=integration.name, rooms=len(left))
        return Orphans(held_back=len(left))
    left -= {one.key.digest for one in shown if one.key is not None and _may_come(one, walk, now)}
    return Orphans(tuple(_orphan(rooms, mark, KNOWN if mark in remembered else UNKNOWN) for mark in sorted(left)))


def _may_come(glance: Glance, walk: Walk, now: datetime) -> bool:
    """Whether a meeting that the walk did not show may have a room: it is not just over, and listed all the same."""
    if glance.key is None or walk.has_seen(glance.key.digest):
        return False
    soon = glance.starts_at is not None and glance.starts_at > now
    return soon or glance.ref.is_message or glance.ref.id in walk.unread_items


def needs_room(housed: Housed) -> bool:
    """Whether a meeting uses its room: it lives, or the room is kept for its running occurrence."""
    return housed.state in LIVING or (housed.held_until is not None and housed.has_room)


def _orphan(rooms: OwnedRooms, mark: str, detail: str) -> Entry:
    there = rooms.get(mark)
    alias = there.aliases[0] if there is not None and there.aliases else ""
    return Entry(Fate.ORPHAN, detail, alias=alias, room="" if there is None else there.ref, mark=mark)
