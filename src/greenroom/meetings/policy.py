"""What an integration allows, as values the decision can read."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from greenroom.meetings.meeting import Person


class Unticketed(StrEnum):
    """What becomes of an invitation that the add-in did not prepare."""

    SCHEDULE = "schedule"
    DECLINE = "decline"
    IGNORE = "ignore"


class Foreign(StrEnum):
    """What becomes of an invitation that another installation, or another product, has prepared."""

    IGNORE = "ignore"  # that one answers it
    DECLINE = "decline"
    SCHEDULE = "schedule"  # the other one is gone: as if it had no ticket


class Drift(StrEnum):
    """What becomes of what calendar, database and platform disagree about."""

    REPORT = "report"
    MEND = "mend"


class PinPolicy(StrEnum):
    """Which PINs a room has."""

    NONE = "none"
    GUEST = "guest"
    HOST_AND_GUEST = "host-and-guest"


class Replies(StrEnum):
    """Which answers are mailed to the organizer; the others are only marked in the calendar."""

    ALL = "all"  # every answer
    CHANGES = "changes"  # new meetings, changed times, and an answer that turned round
    FIRST = "first"  # the first answer, and one that turned round


class Split(StrEnum):
    """Which room the new series has when an organizer changes "this and following" occurrences of one."""

    SAME_ROOM = "same-room"  # the old one goes on: what people read in the invitation stays true
    NEW_ROOM = "new-room"  # another one, told in an update of the new series


class Review(StrEnum):
    """What a review of a series without end does."""

    LIST = "list"  # it shows in `greenroom meetings --endless` and in the journal
    MAIL = "mail"  # the organizer is also asked by mail whether it is still needed


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one integration.

    `before` and `after` bound the admission window. An invitation that lay in the mailbox for more than `stale_after` when its
    meeting was over is not worth a decline: nobody waits for it. Addresses and domains in the lists are lower case.
    What tells the organizer something new that stands nowhere else is mailed whatever `replies` says.
    A series without end is reviewed every `review_after`. An organizer is told of a room that is not there yet when the meeting
    starts within `warn_before`; zero: never.
    """

    mailbox: str
    before: timedelta = timedelta(minutes=30)
    after: timedelta = timedelta(minutes=60)
    pin: PinPolicy = PinPolicy.NONE
    unticketed: Unticketed = Unticketed.SCHEDULE
    allow_organizers: frozenset[str] = field(default=frozenset())
    allow_domains: frozenset[str] = field(default=frozenset())
    deny_organizers: frozenset[str] = field(default=frozenset())
    deny_domains: frozenset[str] = field(default=frozenset())
    stale_after: timedelta = timedelta(days=14)
    replies: Replies = Replies.ALL
    split: Split = Split.SAME_ROOM
    review_after: timedelta = timedelta(days=365)
    review: Review = Review.LIST
    foreign: Foreign = Foreign.IGNORE
    warn_before: timedelta = timedelta(minutes=30)
    drift: Drift = Drift.MEND

    def welcomes(self, organizer: Person) -> bool:
        """Whether this organizer may have a room without a ticket.

        A denied address or domain never may; where an allow list exists, only who is on one of them.
        """
        address, domain = organizer.address, organizer.domain
        if address in self.deny_organizers or domain in self.deny_domains:
            return False
        if not self.allow_organizers and not self.allow_domains:
            return True
        return address in self.allow_organizers or domain in self.allow_domains
