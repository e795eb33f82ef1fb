"""What the simulated store refuses, each with the response code Exchange gives for it.

StoreError
├── NoSuchMailbox            ErrorNonExistentMailbox
├── NoSuchFolder             ErrorFolderNotFound
├── NoSuchItem               ErrorItemNotFound
├── InvalidSyncState         ErrorInvalidSyncStateData
├── NoSuchSubscription       ErrorSubscriptionNotFound
├── IrresolvableConflict     ErrorIrresolvableConflict
├── InvalidOperation         the code it was raised with (see its docstring)
└── BadInvitation            no EWS code: a mail server's refusal of an iTIP file
"""


class StoreError(Exception):
    """Something the store refuses; `code` is the EWS ResponseCode of it. Messages never hold mailbox content."""

    code = "ErrorInternalServerError"


class NoSuchMailbox(StoreError):  # noqa: N818  named for what was wrong
    """The address (or X500 name) belongs to no mailbox here."""

    code = "ErrorNonExistentMailbox"


class NoSuchFolder(StoreError):  # noqa: N818  named for what was wrong
    """The folder id or distinguished name is not one of this mailbox."""

    code = "ErrorFolderNotFound"


class NoSuchItem(StoreError):  # noqa: N818  named for what was wrong
    """The item id is not, or no longer, one of this mailbox: deleted, moved (ids change on moving), or never there."""

    code = "ErrorItemNotFound"


class InvalidSyncState(StoreError):  # noqa: N818  named for what was wrong
    """The sync state is garbage, of another folder, or expired: the client must begin with an empty one."""

    code = "ErrorInvalidSyncStateData"


class NoSuchSubscription(StoreError):  # noqa: N818  named for what was wrong
    """The subscription was ended, or never existed."""

    code = "ErrorSubscriptionNotFound"


class IrresolvableConflict(StoreError):  # noqa: N818  named for what was wrong
    """The change key is stale and the caller asked never to overwrite."""

    code = "ErrorIrresolvableConflict"


class InvalidOperation(StoreError):  # noqa: N818  named for what was wrong
    """The operation does not fit the item.

    Codes used: ErrorCalendarIsOrganizerForAccept (…ForDecline, …ForTentative, …ForRemove),
    ErrorCalendarIsCancelledForAccept (…ForDecline, …ForTentative), ErrorCalendarIsNotOrganizer,
    ErrorCalendarEndDateIsEarlierThanStartDate, ErrorCalendarDurationIsTooLong,
    ErrorCalendarInvalidRecurrence, ErrorInvalidRecipients, ErrorInvalidRequest, ErrorCalendarMeetingRequestIsOutOfDate,
    ErrorAccessDenied.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadInvitation(StoreError):  # noqa: N818  named for what was wrong
    """An iTIP file that cannot be understood as one. `reason` is a sentence, `line` its 1-based line or None."""

    code = "ErrorMimeContentInvalid"

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line
