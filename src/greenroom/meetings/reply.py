"""The eleven answers a mailbox gives, and which text says each."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a reply says. The value is stored and journalled, and is also the name of the text that says it."""

    ACCEPT_NEW_SINGLE = "accept_new_single"
    ACCEPT_NEW_SERIES = "accept_new_series"
    ACCEPT_EDITED_SINGLE = "accept_edited_single"
    ACCEPT_EDITED_SERIES = "accept_edited_series"
    ACCEPT_EDITED_OCCURRENCE = "accept_edited_occurrence"
    DECLINE_INVALID_TICKET = "decline_invalid_ticket"
    DECLINE_ALIAS_DELETED = "decline_alias_deleted"
    DECLINE_ALIAS_CONFLICT = "decline_alias_conflict"
    DECLINE_PAST_SINGLE = "decline_past_single"
    DECLINE_PAST_SERIES = "decline_past_series"
    DECLINE_ERROR = "decline_error"

    @property
    def accepts(self) -> bool:
        """Whether the meeting is accepted; only then does a room stand behind the reply."""
        return self.value.startswith("accept_")

    @property
    def text(self) -> str:
        """Name of the text for `Texts.render`."""
        return self.value
