"""The contract by which notifications that come in over HTTP reach the mailbox they are about.

The web hands over what was posted and answers by the outcome; everything else (who may say it, what it means) is the adapter's.
"""

from enum import StrEnum
from typing import Protocol


class Taken(StrEnum):
    """What became of a posted notification."""

    TAKEN = "taken"  # a mailbox will be looked at, or it was a repetition of what is known
    MALFORMED = "malformed"  # not what Exchange sends
    REFUSED = "refused"  # not from whom it says: unknown subscription, wrong secret, wrong tenant
    TOO_MANY = "too-many"  # a flood: come back later


class NotificationIntake(Protocol):
    """Takes notifications. `take` only checks and remembers, in well under a millisecond; work is done later elsewhere."""

    def take(self, body: bytes) -> Taken:
        """Take one posted body (already bounded in size). Raises nothing."""
        ...
