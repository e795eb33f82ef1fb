"""The room a meeting should have, and when it lets people in."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import Span


@dataclass(frozen=True, slots=True)
class AdmissionWindow:
    """From `opens` (inclusive) to `closes` (exclusive) people are let in; `closes` None means the series has no known end.

    For a series this is one window from its first to its last occurrence until windows per occurrence exist.
    """

    opens: datetime
    starts: datetime
    ends: datetime
    closes: datetime | None

    @classmethod
    def around(cls, span: Span, *, before: timedelta, after: timedelta, series: bool) -> "AdmissionWindow":
        """Open `before` ahead of the start and close `after` past the (last) end."""
        last_end = span.until if series else span.end
        closes = None if last_end is None else last_end + after
        return cls(span.start - before, span.start, span.end, closes)

    def is_over(self, now: datetime) -> bool:
        """Whether nobody will ever be let in again."""
        return self.closes is not None and now >= self.closes

    def is_open(self, now: datetime) -> bool:
        """Whether people are let in at this instant."""
        return self.opens <= now and not self.is_over(now)


@dataclass(frozen=True, slots=True)
class RoomSpec:
    """What should exist on the platform for one meeting.

    `mark` is the meeting key's digest: the platform keeps it, and by it the room is found again after a crash.
    `join_id` names the stable join page; `host_pin` and `guest_pin` are digits, or None where the policy gives no PIN.
    """

    mark: str
    alias: Alias
    join_id: str = field(repr=False)
    name: str = field(repr=False)
    description: str = field(repr=False)
    owner: str
    window: AdmissionWindow
    host_pin: str | None = field(default=None, repr=False)
    guest_pin: str | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        """Hash of all that the platform was told; a room whose stored fingerprint is equal needs no call."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
