"""What was asked of the management API: every call, and counts of them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

_KEPT: Final = 50_000


@dataclass(slots=True)
class Call:
    """One call. `target` is "list", "item", "schema", "root" or "token"; `payload` the JSON that came, with everything in it."""

    at: datetime
    method: str
    resource: str
    target: str
    number: str | None = None
    query: list[tuple[str, str]] = field(default_factory=list)
    payload: Any = None
    who: str | None = None
    status: int | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The call, ready for JSON."""
        return {**asdict(self), "at": self.at.isoformat()}


class Calls:
    """All calls since the beginning, or since `clear`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: list[Call] = []
        self._in_flight = 0
        self.most_in_flight = 0

    def begin(self, call: Call) -> None:
        """A call has come in."""
        with self._lock:
            if len(self._made) >= _KEPT:
                del self._made[: _KEPT // 10]
            self._made.append(call)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def end(self) -> None:
        """A call is over."""
        with self._lock:
            self._in_flight -= 1

    def clear(self) -> None:
        """Forget what was."""
        with self._lock:
            self._made.clear()
            self.most_in_flight = self._in_flight

    def made(self, method: str = "*", resource: str = "*", target: str = "*") -> list[Call]:
        """The calls that fit, oldest first; ``resource`` is a pattern such as ``configuration/conference*``."""
        with self._lock:
            made = list(self._made)
        return [
            call
            for call in made
            if fnmatchcase(call.method, method)
            and fnmatchcase(call.resource, resource)
            and fnmatchcase(call.target, target)
        ]

    def count(self, method: str = "*", resource: str = "*", target: str = "*") -> int:
        """How many calls fit."""
        return len(self.made(method, resource, target))

    def wipes(self) -> list[Call]:
        """Deletions of whole lists, whether or not they were let through."""
        return self.made("DELETE", target="list")

    def snapshot(self) -> dict[str, Any]:
        """Counts and calls, ready for JSON."""
        made = self.made()
        counts = Counter(f"{call.method} {call.resource} {call.target}" for call in made)
        return {
            "total": len(made),
            "counts": dict(counts),
            "statuses": dict(Counter(str(call.status) for call in made)),
            "wipes": len(self.wipes()),
            "most_in_flight": self.most_in_flight,
            "calls": [call.as_json() for call in made],
        }
