"""One disagreement between calendar, database and platform."""

from dataclasses import dataclass
from datetime import datetime

from greenroom.meetings.alias import Alias
from greenroom.meetings.meeting import MeetingKey
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.recovery.contract import DriftKind


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement.

    `subject` is the mark of the meeting, or of the room; of an item without a key the item's id. `detail` is a code that says
    more. `key` is one meeting it concerns, None where none is known; `room` is the platform's name for the room.
    """

    kind: DriftKind
    subject: str
    detail: str = ""
    key: MeetingKey | None = None
    starts_at: datetime | None = None
    alias: str = ""
    room: str = ""
    correlation_id: str = ""


def spelled(integration: Integration, number: int | None, adopted: Alias | None) -> Alias | None:
    """Return the alias of a meeting; None for one without."""
    if adopted is not None or number is None:
        return adopted
    try:
        return integration.aliases.alias(number)
    except ValueError:  # it was drawn while aliases had more digits
        return None


def alias_of(integration: Integration, number: int | None, adopted: Alias | None) -> str:
    """Spell the alias of a meeting; empty for one without."""
    alias = spelled(integration, number, adopted)
    return "" if alias is None else alias.name
