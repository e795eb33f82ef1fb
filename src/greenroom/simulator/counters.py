"""Counting of calls: how often which operation came, for whom, by whom and when, and how many at once.

The number that matters most of Greenroom's cost is calls per meeting; a referee has to count them, not the client.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class Counters:
    """Counts of everything a face of the simulator answered. Safe to read from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._operations: Counter[str] = Counter()
        self._mailboxes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._minutes: Counter[str] = Counter()
        self._auth_failures: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._anchor_mismatches: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def call(self, operation: str, *, mailbox: str, account: str, at: datetime) -> None:
        """Count one call that passed authentication; ``at`` is the simulator's time."""
        with self._lock:
            self._operations[operation] += 1
            self._mailboxes[mailbox][operation] += 1
            self._accounts[account][operation] += 1
            self._minutes[at.strftime("%Y-%m-%dT%H:%MZ")] += 1

    def begin(self, mailbox: str) -> None:
        """A call for this mailbox is in flight (open streams are not counted)."""
        with self._lock:
            self._in_flight[mailbox] += 1
            self._most_in_flight[mailbox] = max(self._most_in_flight[mailbox], self._in_flight[mailbox])

    def end(self, mailbox: str) -> None:
        """The call that `begin` announced is over."""
        with self._lock:
            self._in_flight[mailbox] = max(0, self._in_flight[mailbox] - 1)

    def auth_failure(self, account: str) -> None:
        """A wrong or missing password; ``account`` is ``-`` where none was named."""
        with self._lock:
            self._auth_failures[account] += 1

    def fault(self, kind: str) -> None:
        """A fault rule struck."""
        with self._lock:
            self._faults[kind] += 1

    def code(self, response_code: str) -> None:
        """An EWS response code was returned, in a response message or a SOAP fault; or the code of a Graph error."""
        with self._lock:
            self._codes[response_code] += 1

    def status(self, status: int) -> None:
        """The Graph face or the token endpoint answered with this HTTP status; parts of a batch count each."""
        with self._lock:
            self._statuses[str(status)] += 1

    def anchor_mismatch(self, mailbox: str) -> None:
        """X-AnchorMailbox was missing or named another mailbox than the one spoken for."""
        with self._lock:
            self._anchor_mismatches[mailbox] += 1

    def reset(self) -> None:
        """Start counting from zero."""
        with self._lock:
            in_flight = +self._in_flight
            self._clear()
            self._in_flight = in_flight

    def snapshot(self) -> dict[str, Any]:
        """All counts as plain values, ready for JSON."""
        with self._lock:
            return {
                "total": sum(self._operations.values()),
                "operations": dict(self._operations),
                "mailboxes": {name: dict(counts) for name, counts in self._mailboxes.items()},
                "accounts": {name: dict(counts) for name, counts in self._accounts.items()},
                "minutes": dict(self._minutes),
                "auth_failures": dict(self._auth_failures),
                "faults": dict(self._faults),
                "codes": dict(self._codes),
                "statuses": dict(self._statuses),
                "anchor_mismatches": dict(self._anchor_mismatches),
                "most_in_flight": dict(self._most_in_flight),
            }
