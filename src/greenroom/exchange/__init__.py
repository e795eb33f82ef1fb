"""Calendars: what the service asks of Exchange, whichever protocol answers.

`contract` says what every adapter can do and `errors` what can go wrong, sorted by what the caller should do; everybody else
in the house knows only these two. The adapters live in rooms of their own: `ews` for Exchange Server, `graph` for
Microsoft 365.
"""

from greenroom.exchange.contract import (
    Access,
    Changes,
    Cursor,
    Hint,
    Invitation,
    InvitationEdit,
    Mailbox,
    OrganizerCalendars,
    Permitted,
    Reply,
    ReplyResult,
    Trial,
    TrialMeeting,
    Unreadable,
    UpdateResult,
    Verdict,
)
from greenroom.exchange.errors import (
    CursorExpiredError,
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)

__all__ = [
    "Access",
    "Changes",
    "Cursor",
    "CursorExpiredError",
    "ExchangeError",
    "Hint",
    "Invitation",
    "InvitationEdit",
    "ItemBrokenError",
    "ItemGoneError",
    "Mailbox",
    "MisconfiguredError",
    "NotPermittedError",
    "OrganizerCalendars",
    "OutcomeUnknownError",
    "Permitted",
    "Reply",
    "ReplyResult",
    "SignInError",
    "Trial",
    "TrialMeeting",
    "TryLaterError",
    "Unreadable",
    "UpdateResult",
    "Verdict",
]
