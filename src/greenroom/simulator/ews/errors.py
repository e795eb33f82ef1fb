"""Errors of the EWS face, by where they appear in the reply.

::

    EwsError            one response message of ResponseClass Error; the rest of the batch goes on
    SoapFault           the whole request fails: a SOAP fault with HTTP 500 (bad XML, impersonation, back-off)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from lxml import etree

MESSAGE_TEXTS: Final[dict[str, str]] = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorSyncFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidIdEmpty": "Id must be non-empty.",
    "ErrorInvalidChangeKey": "The change key is invalid.",
    "ErrorChangeKeyRequired": "A change key is required for this operation.",
    "ErrorIrresolvableConflict": (
        "The send or update operation could not be performed because the change key passed in the request does not "
        "match the current change key for the item."
    ),
    "ErrorInvalidSyncStateData": "Synchronization state data is corrupt or otherwise invalid.",
    "ErrorSubscriptionNotFound": "The specified subscription was not found.",
    "ErrorInvalidSubscription": "The subscription is invalid.",
    "ErrorNonExistentMailbox": "No mailbox with such guid or address.",
    "ErrorImpersonateUserDenied": ("The account does not have permission to impersonate the requested user."),
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorInvalidPropertyRequest": "The requested property is invalid.",
    "ErrorInvalidPropertySet": "Set action is invalid for property.",
    "ErrorInvalidPropertyDelete": "Delete action is invalid for property.",
    "ErrorInvalidPropertyAppend": "Append action is invalid for property.",
    "ErrorInvalidOperation": "The requested operation is invalid.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorSendMeetingInvitationsRequired": "SendMeetingInvitations attribute is required.",
    "ErrorSendMeetingInvitationsOrCancellationsRequired": (
        "SendMeetingInvitationsOrCancellations attribute is required."
    ),
    "ErrorSendMeetingCancellationsRequired": "SendMeetingCancellations attribute is required.",
    "ErrorMessageDispositionRequired": "MessageDisposition attribute is required.",
    "ErrorInvalidRestriction": "The restriction or sort order is too complex for this operation.",
    "ErrorUnsupportedPathForQuery": "The requested property cannot be used in a restriction.",
    "ErrorUnsupportedPathForSortGroup": "The requested property cannot be used for sorting.",
    "ErrorCalendarIsOrganizerForAccept": "This operation can not be performed because you are the meeting organizer.",
    "ErrorCalendarIsCancelledForAccept": "This operation can not be performed because the meeting is cancelled.",
    "ErrorCalendarIsNotOrganizer": "Only the meeting organizer can cancel it.",
    "ErrorInvalidRecipients": "At least one recipient is not valid.",
    "ErrorMissingRecipients": "A message can't be sent without recipients.",
    "ErrorCalendarEndDateIsEarlierThanStartDate": "EndDate is earlier than StartDate.",
    "ErrorSchemaValidation": "The request failed schema validation.",
    "ErrorTimeoutExpired": "The operation timed out.",
}


def message_text(code: str) -> str:
    """The English text Exchange gives, in kind, with a response code."""
    return MESSAGE_TEXTS.get(code, "The operation failed.")


class EwsError(Exception):
    """One item of a request failed; becomes a response message of ResponseClass Error.

    Carries nothing of the request's content: ``detail`` is a text of our own.
    """

    def __init__(self, code: str, detail: str | None = None, *, values: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = detail or message_text(code)
        self.values = values or {}


class SoapFault(Exception):  # noqa: N818 - the name SOAP gives it
    """The whole request failed; becomes a SOAP fault with HTTP 500 and ``e:ResponseCode`` in its detail."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        values: dict[str, str] | None = None,
        line: int | None = None,
        at: etree._Element | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.text = detail or message_text(code)
        self.values = values or {}
        self.line = line if at is None else cast("int | None", at.sourceline)
