"""What happened in each folder, so that a client can ask for the difference (SyncFolderItems).

A sync state says: all changes up to `floor` are known; of those up to `top`, the ones newer than `below` were told already.
The log is never shortened, so a page depends on the state alone and changes made between two pages come in the next round.
"""

import base64
import binascii
import json
import zlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from greenroom.simulator.errors import InvalidSyncState
from greenroom.simulator.model import Change, Item, SyncResult

Kind = Literal["create", "update", "read", "delete"]
_MAX_STATE = 4096
_MIN_PAGE, _MAX_PAGE = 1, 512  # limits of EWS MaxChangesReturned


@dataclass(frozen=True, slots=True)
class State:
    """A decoded sync state."""

    generation: int
    folder_id: str
    floor: int
    top: int
    below: int

    def encode(self) -> str:
        raw = json.dumps([self.generation, self.folder_id, self.floor, self.top, self.below]).encode()
        return base64.b64encode(zlib.crc32(raw).to_bytes(4, "big") + raw).decode()

    @classmethod
    def decode(cls, text: str) -> "State":
        """Raises InvalidSyncState for anything that `encode` did not make."""
        try:
            blob = base64.b64decode(text, validate=True) if len(text) <= _MAX_STATE else b""
            if zlib.crc32(blob[4:]).to_bytes(4, "big") != blob[:4]:
                raise InvalidSyncState("the sync state is damaged")
            parts = json.loads(blob[4:])
        except (binascii.Error, ValueError, RecursionError) as error:
            raise InvalidSyncState("the sync state is none of ours") from error
        if not isinstance(parts, list) or [type(part) for part in parts] != [int, str, int, int, int]:
            raise InvalidSyncState("the sync state is none of ours")
        return cls(*parts)


@dataclass(slots=True)
class FolderLog:
    """The changes of one folder, oldest first. Numbers rise over the whole mailbox."""

    numbers: list[int] = field(default_factory=list)
    entries: list[tuple[str, Kind]] = field(default_factory=list)
    _told: tuple[tuple[int, int], list[tuple[int, str, Kind]]] = ((0, 0), [])

    def add(self, number: int, item_id: str, kind: Kind) -> None:
        self.numbers.append(number)
        self.entries.append((item_id, kind))

    def changes(self, floor: int, top: int) -> list[tuple[int, str, Kind]]:
        """The net change of each item in (floor, top] with its last number, newest first.

        The answer to the last question is kept: a long list is asked for page by page, and what is logged never changes.
        """
        if self._told[0] == (floor, top):
            return self._told[1]
        first, last = bisect_right(self.numbers, floor), bisect_right(self.numbers, top)
        kinds: dict[str, list[Kind]] = {}
        numbers: dict[str, int] = {}
        for index in range(first, last):
            item_id, kind = self.entries[index]
            kinds.setdefault(item_id, []).append(kind)
            numbers[item_id] = self.numbers[index]
        found: list[tuple[int, str, Kind]] = []
        for item_id, happened in kinds.items():
            net = _net(happened)
            if net is not None:
                found.append((numbers[item_id], item_id, net))
        self._told = (floor, top), sorted(found, reverse=True)
        return self._told[1]


def _net(kinds: list[Kind]) -> Kind | None:
    was_there, is_there = kinds[0] != "create", kinds[-1] != "delete"
    if not is_there:
        return "delete" if was_there else None
    if not was_there:
        return "create"
    return "read" if set(kinds) == {"read"} else "update"


def sync_page(
    log: FolderLog,
    folder_id: str,
    state: str | None,
    max_changes: int,
    *,
    generation: int,
    now_at: int,
    find: Callable[[str], Item | None],
) -> SyncResult:
    """One page of changes. `now_at` is the mailbox's newest number, `find` gives the item that still has this id."""
    if state:
        known = State.decode(state)
        if (known.generation, known.folder_id) != (generation, folder_id) or known.top > now_at:
            raise InvalidSyncState("the sync state is expired or of another folder")
        if known.floor == known.top:
            known = State(generation, folder_id, known.floor, now_at, now_at + 1)
    else:
        known = State(generation, folder_id, 0, now_at, now_at + 1)
    waiting = [change for change in log.changes(known.floor, known.top) if change[0] < known.below]
    page = waiting[: max(_MIN_PAGE, min(max_changes, _MAX_PAGE))]
    changes = []
    for _, item_id, kind in page:
        item = None if kind == "delete" else find(item_id)
        if item is None and kind != "delete":
            continue  # gone since this round began: the next round tells
        changes.append(Change("read_flag" if kind == "read" else kind, item_id, item))
    complete = len(page) == len(waiting)
    floor = known.top if complete else known.floor
    below = floor + 1 if complete else page[-1][0]
    after = State(generation, folder_id, floor, known.top, below)
    return SyncResult(tuple(changes), after.encode(), complete)
