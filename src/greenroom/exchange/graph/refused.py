"""What a refusal by Graph means for the one who asked."""

from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, MisconfiguredError, TryLaterError
from greenroom.exchange.graph.call import RefusedError

CONFLICTS = (409, 412)
_OUTDATED = frozenset(
    {
        "ErrorCalendarIsCancelledForAccept",
        "ErrorCalendarIsCancelledForDecline",
        "ErrorCalendarMeetingRequestIsOutOfDate",
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
        "ErrorIrresolvableConflict",
        "ErrorObjectTypeChanged",
        "ErrorStaleObject",
    }
)


def for_item(error: RefusedError, mailbox: str) -> ExchangeError:
    """Say what it means where one item was asked for."""
    if error.elsewhere:
        return for_mailbox(error, mailbox)
    if error.gone or error.code in _OUTDATED or error.status in CONFLICTS:
        return ItemGoneError(f"the item is no longer there as it was ({error.code})", code=error.code, mailbox=mailbox)
    return ItemBrokenError(f"Graph cannot handle this item ({error.code})", code=error.code, mailbox=mailbox)


def for_mailbox(error: RefusedError, mailbox: str) -> ExchangeError:
    """Say what it means where the whole calendar was asked for."""
    if error.elsewhere or error.gone:
        hint = (
            "check the address (it must be the primary SMTP address or the user principal name), that the mailbox is in "
            "Exchange Online and not on-premises, and that it has a licence or is a resource mailbox"
        )
        sentence = f"Microsoft 365 has no calendar of the mailbox {mailbox} ({error.code})"
        return MisconfiguredError(sentence, hint=hint, code=error.code, mailbox=mailbox)
    return TryLaterError(f"Graph refused to list the calendar ({error.code})", code=error.code, mailbox=mailbox)
