"""The room a meeting should have."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

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
