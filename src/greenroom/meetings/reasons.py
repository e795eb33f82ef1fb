"""Why something was decided, and where an alias comes from: the words of decisions."""

from enum import StrEnum


class AliasSource(StrEnum):
    """Where the meeting's alias comes from."""

    RECORD = "record"
    TICKET = "ticket"
    KIN = "kin"
    ROOM = "room"  # that of the room which the platform still has for this meeting
    DRAW = "draw"


class Reason(StrEnum):
    """Why it was decided so; journal and `greenroom explain` turn these into sentences."""

    NEW = "new"
    EDITED = "edited"
    ANSWER_WAS_RESET = "answer-was-reset"
    UNCHANGED = "unchanged"
    RECOVERED = "recovered"
    IMPORTED = "imported"
    COPY = "copy"
    OFFLINE = "offline"
    SPLIT = "split"
    KIN = "kin"
    AWAITED = "awaited"
    OCCURRENCE_EDITED = "occurrence-edited"
    OCCURRENCES_CHANGED = "occurrences-changed"
    REVIEW = "review"
    MERGED = "merged"
    UNTICKETED = "unticketed"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    OVER = "over"
    LONG_OVER = "long-over"
    PAST = "past"
    OWN_MEETING = "own-meeting"
    INFORMATIONAL_COPY = "informational-copy"
    PERSONAL_ROOM = "personal-room"
    NOT_WELCOME = "not-welcome"
    TICKET_MISSING = "ticket-missing"
    TICKET_FORGED = "ticket-forged"
    TICKET_FOREIGN = "ticket-foreign"
    ALIAS_DELETED = "alias-deleted"
    ALIAS_CONFLICT = "alias-conflict"
    ROOM_REFUSED = "room-refused"
