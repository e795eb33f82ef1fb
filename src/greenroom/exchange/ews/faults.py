"""Exchange's response codes, sorted into the errors of the house.

Source: ResponseCode in the EWS reference, "Handling errors" and "EWS throttling" of the Exchange developer documents.
The sentences name codes, hosts and mailbox addresses; Exchange's own message texts are not repeated, they may quote content.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

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


class RefusedRequestError(TryLaterError):
    """Exchange did not carry out this whole request; with several items in it, one of them may be to blame."""


class GarbledReplyError(TryLaterError):
    """A reply came that is not (whole) EWS XML."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as Exchange tells it, in a SOAP fault or in one response message."""

    code: str
    back_off: timedelta | None = None


_BUSY: Final = frozenset(
    {
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "ErrorExceededSubscriptionCount",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxStoreUnavailable",
        "ErrorADUnavailable",
        "ErrorBatchProcessingStopped",
        "ErrorTooManyObjectsOpened",
        "ErrorInsufficientResources",
        "ErrorExceededFindCountLimit",
        "ErrorMailboxLogonFailed",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorServiceUnavailable",
        "ErrorSubmissionQuotaExceeded",
        "ErrorQuotaExceeded",
        "ErrorExceededMessageLimit",
        "ErrorMessageSubmissionBlocked",
    }
)
_UNSURE: Final = frozenset(
    {
        "",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorTimeoutExpired",
        "ErrorClientDisconnected",
        "ErrorRequestAborted",
        "ErrorConnectionFailed",
        "ErrorProxyCallFailed",
        "ErrorProxyRequestProcessingFailed",
        "ErrorProxySoapException",
        "ErrorMailboxFailover",
        "ErrorNotEnoughMemory",
        "ErrorResponseSchemaValidation",
        "ErrorADOperation",
        "ErrorItemSave",
    }
)
"""Codes that may come after the work was done."""

_SIGN_IN: Final = frozenset({"ErrorPasswordExpired", "ErrorPasswordChangeRequired", "ErrorAccountDisabled"})
_RIGHTS: Final = frozenset(
    {
        "ErrorAccessDenied",
        "ErrorCreateItemAccessDenied",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorSendAsDenied",
        "ErrorSubscriptionAccessDenied",
        "ErrorSubscriptionDelegateAccessNotSupported",
        "ErrorNotAllowedExternalSharingByPolicy",
        "ErrorOrganizationAccessBlocked",
    }
)
_GONE: Final = frozenset(
    {
        "ErrorItemNotFound",
        "ErrorStaleObject",
        "ErrorIrresolvableConflict",
        "ErrorCalendarCannotUpdateDeletedItem",
        "ErrorCalendarIsCancelledForAccept",
        "ErrorCalendarIsCancelledForDecline",
        "ErrorCalendarMeetingRequestIsOutOfDate",
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
        "ErrorObjectTypeChanged",
    }
)
_CURSOR: Final = frozenset({"ErrorInvalidSyncStateData"})
UNREACHABLE_MAILBOX: Final = frozenset(
    {
        "ErrorNonExistentMailbox",
        "ErrorCannotFindUser",
        "ErrorNonPrimarySmtpAddress",
        "ErrorInvalidSmtpAddress",
        "ErrorMissingEmailAddress",
        "ErrorMailboxConfiguration",
        "ErrorNoCalendar",
        "ErrorCrossSiteRequest",
        "ErrorInvalidUserSid",
        "ErrorInvalidUserPrincipalName",
        "ErrorProxyRequestNotAllowed",
        "ErrorWrongServerVersion",
        "ErrorInvalidExchangeImpersonationHeaderData",
    }
)
"""Codes that say the mailbox spoken for is not here, or not at all."""

PROPERTY_REFUSED: Final = frozenset(
    {
        "ErrorInvalidExtendedProperty",
        "ErrorInvalidPropertyForOperation",
        "ErrorInvalidPropertyRequest",
        "ErrorInvalidRequest",
        "ErrorSchemaValidation",
        "ErrorUnsupportedPathForQuery",
        "ErrorUnsupportedPropertyDefinition",
    }
)
"""Codes of a server that does not give a property we asked for; it may give the rest."""

CUT_SHORT: Final = frozenset({"ErrorBatchProcessingStopped", "ErrorTimeoutExpired"})
"""Codes of items to which Exchange did not come in the time it gives to one request."""

_VERSION: Final = frozenset(
    {"ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion"}
)
_FOLDER: Final = frozenset({"ErrorFolderNotFound", "ErrorSyncFolderNotFound"})


def error_for(problem: Problem, *, mailbox: str | None, writing: bool = False, item: bool = False) -> ExchangeError:
    """Sort a problem. `item` says that it concerns one item of several, `writing` that the request changes something."""
    code = problem.code
    if common := _common(code, problem.back_off, mailbox):
        return common
    if writing and code in _UNSURE:
        sentence = f"Exchange failed in the middle of a change ({code or 'no code'}); look before repeating it"
        return OutcomeUnknownError(sentence, after=problem.back_off, code=code, mailbox=mailbox)
    if code in _GONE:
        return ItemGoneError(f"the item is no longer there as it was ({code})", code=code, mailbox=mailbox)
    if item and code not in _UNSURE:
        return ItemBrokenError(f"Exchange cannot handle this item ({code})", code=code, mailbox=mailbox)
    sentence = f"Exchange did not carry out the request ({code or 'no code'})"
    if item:
        return TryLaterError(sentence, after=problem.back_off, code=code, mailbox=mailbox)
    return RefusedRequestError(sentence, after=problem.back_off, code=code, mailbox=mailbox)


def _common(code: str, back_off: timedelta | None, mailbox: str | None) -> ExchangeError | None:  # noqa: PLR0911  one for each meaning
    if code in _BUSY or (back_off is not None and code not in _UNSURE):
        return TryLaterError(f"Exchange is busy ({code})", after=back_off, code=code, mailbox=mailbox)
    if code in _CURSOR:
        return CursorExpiredError("Exchange does not know this sync state any more", code=code, mailbox=mailbox)
    if code in _SIGN_IN:
        return SignInError(f"Exchange refuses the account ({code})", code=code, mailbox=mailbox)
    if code in _RIGHTS:
        sentence = (
            f"the account may not act for {mailbox or 'this mailbox'} ({code}): the right over this mailbox is missing"
        )
        return NotPermittedError(sentence, code=code, mailbox=mailbox)
    if code in UNREACHABLE_MAILBOX:
        sentence = f"Exchange cannot act for the mailbox {mailbox or '(none)'} ({code})"
        hint = "check that the address is the mailbox's primary SMTP address and that the mailbox is on this server"
        return MisconfiguredError(sentence, hint=hint, code=code, mailbox=mailbox)
    if code in _VERSION:
        hint = "Exchange Server 2016 or newer is needed"
        return MisconfiguredError(f"this Exchange is too old ({code})", hint=hint, code=code, mailbox=mailbox)
    if code in _FOLDER:
        hint = "check that the mailbox was signed in to once, so that it has its folders"
        sentence = f"the mailbox {mailbox or ''} has no such folder ({code})"
        return MisconfiguredError(sentence, hint=hint, code=code, mailbox=mailbox)
    return None


def is_about_content(error: ExchangeError) -> bool:
    """Whether a whole request was refused, before anything was done, for something that stands in it."""
    content = ("ErrorInvalid", "ErrorSchema", "ErrorCorrupt", "http-400", "http-413", "http-415")
    return isinstance(error, RefusedRequestError) and error.code.startswith(content)


def is_busy(error: ExchangeError | None) -> bool:
    """Whether Exchange asks to come back later, rather than failing over something."""
    return isinstance(error, TryLaterError) and (error.code in _BUSY or error.after is not None)


def broken(error: ExchangeError) -> ItemBrokenError:
    """Say of the one item in a refused request that it is to blame."""
    return ItemBrokenError(f"Exchange cannot handle this item ({error.code})", code=error.code, mailbox=error.mailbox)


def not_sent(error: ExchangeError) -> ExchangeError:
    """Say of an item whose turn did not come, after this error, that nothing happened to it."""
    if not isinstance(error, TryLaterError):
        return error
    return TryLaterError(
        "not sent, after a failure just before", after=error.after, code="not-sent", mailbox=error.mailbox
    )
