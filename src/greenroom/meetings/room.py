"""The room a meeting should have."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from greenroom.meetings.admission import Admission
from greenroom.meetings.alias import Alias


@dataclass(frozen=True, slots=True)
class RoomSpec:
    """What should exist on the platform for one meeting, or for several that share the room.

    `mark` is the digest of the first meeting's key: the platform keeps it, and by it the room is found again after a crash.
    `join_id` names the stable join page; `host_pin` and `guest_pin` are digits, or None where the policy gives no PIN.
    """

    mark: str
    alias: Alias
    join_id: str = field(repr=False)
    name: str = field(repr=False)
    description: str = field(repr=False)
    owner: str
    admission: Admission
    host_pin: str | None = field(default=None, repr=False)
    guest_pin: str | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        """Hash of all that the platform was told; a room whose stored fingerprint is equal needs no call."""
        told = asdict(replace(self, admission=Admission((), timedelta(), timedelta()))) | {
            "admission": self.admission.text
        }
        text = json.dumps(told, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Provision:
    """What is known of a room at a platform that is another system.

    ref         the platform's own name for it; None: none is there, as far as we know
    told        fingerprint of what it was told last; None: nothing; empty: unknown, a change is under way or its answer was lost
    attempts    how often it failed since it last succeeded
    due_at      when it is to be looked after next, by the clock or after a failure; None: not by itself
    """

    ref: str | None = None
    told: str | None = None
    attempts: int = 0
    due_at: datetime | None = None
