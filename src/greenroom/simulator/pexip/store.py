"""The configuration database, and the copy of it that Conferencing Nodes work with, which is behind."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from greenroom.simulator.pexip.fields import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

    from greenroom.simulator.pexip.kinds import Resource

    Row = Mapping[str, Any]
    Change = tuple[str, int, "Row | None"]


def same(value: Any) -> Any:
    """What unique values are compared by: upper and lower case do not matter."""
    return value.casefold() if isinstance(value, str) else value


class Table:
    """The rows of one resource, found by id, by unique value and by what they point to. Rows are replaced, never changed."""

    def __init__(self, resource: Resource) -> None:
        self.rows: dict[int, Row] = {}
        self._unique = {f.name: dict[Any, int]() for f in resource.fields if f.unique and f.name != "id"}
        self._links = {
            f.name: defaultdict[int, dict[int, None]](dict)
            for f in resource.fields
            if f.kind == "related" and not f.many
        }

    def put(self, number: int, row: Row | None) -> Row | None:
        """Set or remove one row; returns what was there."""
        old = self.rows.pop(number, None)
        if old is not None:
            for name, index in self._unique.items():
                if index.get(same(old[name])) == number:
                    del index[same(old[name])]
            for name, links in self._links.items():
                links[old[name]].pop(number, None)
        if row is not None:
            self.rows[number] = row
            for name, index in self._unique.items():
                if row[name] not in (None, ""):
                    index[same(row[name])] = number
            for name, links in self._links.items():
                if row[name] is not None:
                    links[row[name]][number] = None
        return old

    def holder(self, name: str, value: Any) -> int | None:
        """Who has this value in a unique field."""
        return self._unique[name].get(same(value))

    def pointing(self, name: str, number: int) -> list[int]:
        """The rows whose field points to this id, oldest first."""
        links = self._links[name].get(number)
        return sorted(links) if links else []


class Database:
    """One table per resource of the configuration."""

    def __init__(self) -> None:
        self.tables = {name: Table(resource) for name, resource in CONFIGURATION.items()}

    def put(self, resource: str, number: int, row: Row | None) -> Row | None:
        """Set or remove one row; returns what was there."""
        return self.tables[resource].put(number, row)


class Store:
    """The configuration on the Management Node (`management`), and as nodes know it (`node`), `replication` later.

    `revision` counts what was changed, so that one who keeps it on disk knows when to.
    """

    def __init__(self, clock: Callable[[], datetime], replication: timedelta) -> None:
        self.clock = clock
        self.replication = replication
        self.management = Database()
        self.lock = threading.RLock()
        self._node = Database()
        self._behind: deque[tuple[datetime, Change]] = deque()
        self._ids: defaultdict[str, int] = defaultdict(int)
        self._open: list[Change] | None = None
        self._changes: list[Change] = []
        self.revision = 0

    @property
    def node(self) -> Database:
        """What Conferencing Nodes know at this moment; a change of later than now was before somebody set the clock back."""
        now = self.clock()
        with self.lock:
            while self._behind and not self._behind[0][0] <= now < self._behind[0][0] + self.replication:
                self._node.put(*self._behind.popleft()[1])
        return self._node

    def replicate(self) -> None:
        """Let the nodes know everything at once."""
        with self.lock:
            while self._behind:
                self._node.put(*self._behind.popleft()[1])

    def state(self) -> dict[str, Any]:
        """The configuration as plain dicts, lists, tuples and values of fields."""
        with self.lock:
            return {
                "ids": dict(self._ids),
                "rows": {name: list(table.rows.values()) for name, table in self.management.tables.items()},
            }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Fill an empty store with what `state` told; nodes know all of it.

        Raises KeyError, TypeError, AttributeError or ValueError for anything else.
        """
        with self.lock:
            for name, rows in state["rows"].items():
                for row in rows:
                    whole = _whole(name, row)
                    self.management.put(name, int(row["id"]), whole)
                    self._node.put(name, int(row["id"]), whole)
            self._ids.update({str(name): int(last) for name, last in state["ids"].items()})

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside, or nothing; an inner one is part of the outer one, but can be undone alone."""
        with self.lock:
            outer = self._open
            self._open, done = [], self._changes
            self._changes = []
            try:
                yield
            except BaseException:
                for resource, number, old in reversed(self._open):
                    self.management.put(resource, number, old)
                self._open, self._changes = outer, done
                raise
            if outer is None:
                now = self.clock()
                self._behind.extend((now, change) for change in self._changes)
                self.revision += 1
                self._open, self._changes = None, []
            else:
                outer.extend(self._open)
                done.extend(self._changes)
                self._open, self._changes = outer, done

    def insert(self, resource: str, row: dict[str, Any]) -> int:
        """Keep a new row; returns its id, which is never used again."""
        with self.transaction():
            self._ids[resource] += 1
            number = self._ids[resource]
            self._put(resource, number, {**row, "id": number})
        return number

    def update(self, resource: str, number: int, row: Mapping[str, Any]) -> None:
        """Replace a row."""
        with self.transaction():
            self._put(resource, number, {**row, "id": number})

    def delete(self, resource: str, number: int) -> None:
        """Remove a row, and with it what cannot be without it."""
        with self.transaction():
            for other in CONFIGURATION.values():
                table = self.management.tables[other.name]
                for field in other.fields:
                    if field.points_to != resource or field.many:
                        continue
                    for pointing in table.pointing(field.name, number):
                        if field.nullable:
                            self._put(other.name, pointing, {**table.rows[pointing], field.name: None})
                        else:
                            self.delete(other.name, pointing)
            self._put(resource, number, None)

    def _put(self, resource: str, number: int, row: Row | None) -> None:
        assert self._open is not None
        self._open.append((resource, number, self.management.put(resource, number, row)))
        self._changes.append((resource, number, row))


def _whole(name: str, row: Row) -> Row:
    """A row as it was kept, if it has what rows of its kind have. Raises KeyError, or ValueError."""
    stored = {field.name for field in CONFIGURATION[name].fields if field.reverse is None and field.made != "count"}
    if set(row) != stored - {"resource_uri"}:
        raise ValueError(f"this is no row of {name}")
    return row
