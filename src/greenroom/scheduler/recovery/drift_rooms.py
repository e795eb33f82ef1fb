"""The second half of a drift: what database and platform disagree about.

Rooms are taken from the platform as it tells them, a thousand at a time, and judged at once; only the marks of those that living
meetings have stay in memory. Then the meetings that should have a room are gone through.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.platforms.contract import Capabilities, OwnedRoom
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import DriftKind
from greenroom.scheduler.recovery.differences import Difference, alias_of, spelled
from greenroom.scheduler.recovery.strays import is_under_way, is_used, strays
from greenroom.storage import Housed, Storage

GONE, BY_POLICY_ALONE = "gone", "by-policy-alone"
ALIASES, TWICE = "aliases", "twice"
_PIECE = 1000
_Seen = dict[str, bool]
"""Marks of rooms that living meetings have: whether the platform has a name of its own for the room."""


async def room_drift(
    integration: Integration, storage: Storage, now: datetime, since: datetime, shown: Collection[str]
) -> list[Difference]:
    """Compare database and platform; what was handled `since` is left out, and orphans with a mark of what the calendar shows.

    Empty where the platform does not list its rooms. Raises PlatformError.
    """
    if not integration.platform.capabilities.lists:
        return []
    found: list[Difference] = []
    seen: _Seen = {}
    async for piece in _pieces(integration.platform.owned()):
        found += await _judged(integration, storage, piece, seen, now=now, since=since, shown=shown)
    missing: dict[str, Difference] = {}
    busy: set[str] = set()
    async with storage.reading() as work:
        async for housed in work.housing.living(integration.number):
            if is_under_way(housed, since):
                busy.add(housed.mark)
            elif housed.has_room and is_used(housed, now, integration):
                detail = _missing(housed, seen, integration.platform.capabilities, now)
                if detail and housed.mark not in missing:
                    missing[housed.mark] = _difference(integration, housed, DriftKind.ROOM_MISSING, detail)
    found += [one for mark, one in missing.items() if mark not in busy]
    return found


async def _pieces(owned: AsyncIterator[OwnedRoom]) -> AsyncIterator[list[OwnedRoom]]:
    piece: list[OwnedRoom] = []
    async for room in owned:
        piece.append(room)
        if len(piece) == _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


async def _judged(
    integration: Integration,
    storage: Storage,
    piece: Sequence[OwnedRoom],
    seen: _Seen,
    *,
    now: datetime,
    since: datetime,
    shown: Collection[str],
) -> list[Difference]:
    """Judge some rooms, and note in `seen` those that living meetings have."""
    async with storage.reading() as work:
        houses = await work.housing.of(integration.number, {room.mark for room in piece})
    used: dict[str, Housed] = {}
    for one in houses:
        if is_used(one, now, integration):
            used.setdefault(one.mark, one)
    busy = {one.mark for one in houses if is_under_way(one, since)}
    nobody = {room.mark: room for room in piece if room.mark not in used and room.mark not in shown}
    stray = await strays(integration, storage, nobody, now, since=since) if nobody else {}
    found = [
        Difference(DriftKind.ORPHAN_ROOM, mark, detail, alias=next(iter(room.aliases), ""), room=room.ref)
        for mark, room in nobody.items()
        if (detail := stray.get(mark)) is not None
    ]
    for room in piece:
        housed = used.get(room.mark)
        if housed is None:
            continue
        twice = room.mark in seen
        seen[room.mark] = room.ref != room.mark
        detail = TWICE if twice else "" if _fits(integration, housed, room) else ALIASES
        if detail and room.mark not in busy:
            difference = _difference(integration, housed, DriftKind.ROOM_DIFFERS, detail)
            found.append(replace(difference, room=room.ref))
    return found


def _fits(integration: Integration, housed: Housed, room: OwnedRoom) -> bool:
    """Whether the room is dialled by all that the meeting tells. What else leads to it was put there by hand."""
    alias = spelled(integration, housed.alias_number, housed.adopted)
    has = {one.casefold() for one in room.aliases}
    return alias is None or {alias.name.casefold(), alias.numeric.casefold()} <= has


def _missing(housed: Housed, seen: _Seen, can: Capabilities, now: datetime) -> str:
    """Say how a room is missing; empty where it is there, or need not be there now.

    A platform that is tended makes rooms when they are due and removes them behind their windows: there our own memory says
    whether one should be. An empty `told` stands for a change that is under way.
    """
    kept, mark = housed.kept, housed.mark
    lives = kept is not None and kept.retired_at is None
    if kept is not None and lives and kept.closes_at is not None and kept.closes_at <= now:
        return ""
    made = kept is not None and kept.there.ref is not None and kept.there.told != ""
    if mark in seen:
        return BY_POLICY_ALONE if made and lives and not seen[mark] else ""
    return GONE if made or not lives or not can.tended else ""


def _difference(integration: Integration, housed: Housed, kind: DriftKind, detail: str) -> Difference:
    return Difference(
        kind,
        housed.mark,
        detail,
        housed.key,
        housed.starts_at,
        alias_of(integration, housed.alias_number, housed.adopted),
        "" if housed.kept is None else housed.kept.there.ref or "",
        housed.correlation_id,
    )
