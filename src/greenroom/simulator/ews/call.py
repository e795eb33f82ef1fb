"""One authenticated request: who calls, as whom, and what that opens.

Rights: an account may use its own mailbox, whoever it impersonates in this request, and mailboxes it was given access to.
Everything else is ErrorAccessDenied, also when the id is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from greenroom.simulator import ids, rights
from greenroom.simulator.errors import NoSuchFolder, NoSuchMailbox, StoreError
from greenroom.simulator.ews import envelope
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import local, t, text_of
from greenroom.simulator.model import CalendarItem
from greenroom.simulator.occurrence_items import shown
from greenroom.simulator.occurrences import OccurrenceInfo, nth_occurrence, occurrence_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from lxml import etree

    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Account, Folder, Item

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Target:
    """What an id names: an item, or one occurrence of the series that the item is."""

    mailbox: str
    item: Item
    change_key: str | None = None
    occurrence: OccurrenceInfo | None = None

    @property
    def shown(self) -> Item:
        """The item, or the occurrence as an item to be read."""
        if self.occurrence is None:
            return self.item
        assert isinstance(self.item, CalendarItem), "only series have occurrences"
        return shown(self.item, self.occurrence)

    @property
    def original(self) -> datetime | None:
        """The original start of the occurrence."""
        return None if self.occurrence is None else self.occurrence.original_start


@dataclass(slots=True)
class Call:
    """The caller of one request and what it may open."""

    exchange: Exchange
    account: Account
    acting: str | None
    """The mailbox spoken for: the impersonated one, else the account's own; None for a bare service account."""
    impersonated: bool = False
    access: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    """Mailboxes by login that were opened to others (full access)."""
    refuse: EwsError | None = None
    """Set by a fault: every response message is this error."""
    expire_sync: bool = False
    """Set by a fault: a sync state in the request counts as expired."""
    codes: list[str] = field(default_factory=list)
    """The response codes given, for the counters."""

    def mailbox(self) -> str:
        """The mailbox spoken for. Raises `EwsError` for an account without one."""
        if self.acting is None:
            raise EwsError(
                "ErrorMissingEmailAddress",
                "An account that does not have a mailbox must name the mailbox for any distinguished folder.",
            )
        return self.acting

    def open(self, address: str) -> str:
        """Check that this caller may open a mailbox; returns its primary address."""
        mailbox = self.exchange.find_mailbox(address)
        if mailbox is None or mailbox.home == "cloud":
            raise EwsError("ErrorNonExistentMailbox")
        if mailbox.address == self.acting:
            return mailbox.address
        login = (self.acting if self.impersonated and self.acting else self.account.login).casefold()
        if mailbox.address in self.access.get(login, ()) or rights.full_access(
            self.exchange.site, login, mailbox.address
        ):
            return mailbox.address
        raise EwsError("ErrorAccessDenied")

    @property
    def delegate(self) -> str | None:
        """The address of whoever acts, to be named as sender in somebody else's mailbox."""
        return self.acting

    def target(self, element: etree._Element | None) -> Target:
        """Find what an ItemId, OccurrenceItemId or RecurringMasterItemId names. Raises `EwsError`, `StoreError`."""
        if element is None:
            raise EwsError("ErrorInvalidIdEmpty")
        match local(element):
            case "OccurrenceItemId":
                return self._by_number(element)
            case "RecurringMasterItemId":
                return self._by_occurrence(element)
            case _:
                return self._by_id(element)

    def _by_id(self, element: etree._Element) -> Target:
        item_id, day = ids.split_occurrence(element.get("Id", ""))
        mailbox, item = self._named(item_id)
        if day is None:
            return Target(mailbox, item, element.get("ChangeKey"))
        one = occurrence_on(item.meeting, day) if isinstance(item, CalendarItem) else None
        if one is None:
            raise EwsError("ErrorItemNotFound")
        return Target(mailbox, item, element.get("ChangeKey"), one)

    def _by_number(self, element: etree._Element) -> Target:
        mailbox, item = self._named(element.get("RecurringMasterId", ""))
        if not isinstance(item, CalendarItem) or item.meeting.recurrence is None:
            raise EwsError("ErrorCalendarCannotUseIdForRecurringMasterId", "The id is none of a recurring master.")
        try:
            found = nth_occurrence(item.meeting, int(element.get("InstanceIndex", "")))
        except ValueError:
            raise SoapFault("ErrorSchemaValidation", "The 'InstanceIndex' attribute is invalid.", at=element) from None
        if found is None:
            raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", "There is no such occurrence.")
        if found[1] is None:
            raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence", "The occurrence is deleted.")
        return Target(mailbox, item, element.get("ChangeKey"), found[1])

    def _by_occurrence(self, element: etree._Element) -> Target:
        item_id, day = ids.split_occurrence(element.get("OccurrenceId", ""))
        mailbox, item = self._named(item_id)
        if day is None:
            raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId", "The id is none of an occurrence.")
        return Target(mailbox, item, element.get("ChangeKey"))

    def _named(self, item_id: str) -> tuple[str, Item]:
        if not item_id:
            raise EwsError("ErrorInvalidIdEmpty")
        owner = self.exchange.owner_of_item(item_id)
        if owner is None:
            raise EwsError("ErrorInvalidIdMalformed")
        mailbox = self.open(owner)
        return mailbox, self.exchange.get(mailbox, item_id)

    def folder(self, element: etree._Element | None) -> tuple[str, Folder]:
        """Find the folder a FolderId or DistinguishedFolderId names. Raises `EwsError`."""
        if element is None:
            raise EwsError("ErrorFolderNotFound")
        if local(element) == "DistinguishedFolderId":
            address = text_of(element.find(t("Mailbox")), t("EmailAddress"))
            mailbox = self.open(address) if address else self.mailbox()
            return mailbox, self._folder(mailbox, element.get("Id", ""))
        folder_id = element.get("Id", "")
        if not folder_id:
            raise EwsError("ErrorInvalidIdEmpty")
        owner = self.exchange.owner_of_folder(folder_id)
        if owner is None:
            raise EwsError("ErrorInvalidIdMalformed")
        mailbox = self.open(owner)
        return mailbox, self._folder(mailbox, folder_id)

    def _folder(self, mailbox: str, name: str) -> Folder:
        try:
            return self.exchange.folder(mailbox, name)
        except NoSuchFolder:
            raise EwsError("ErrorFolderNotFound") from None

    def batch(
        self,
        operation: str,
        entries: Iterable[Entry],
        work: Callable[[Entry], list[etree._Element]],
        *,
        element: str | None = None,
        tail: Iterable[Callable[[etree._Element], object]] = (),
    ) -> etree._Element:
        """Answer a request entry by entry: one response message each, errors beside successes.

        ``work`` returns what follows NoError in a success; ``tail`` adds what an error message needs behind its code.
        """
        root, messages = envelope.response(operation)
        for entry in entries:
            try:
                if self.refuse is not None:
                    raise self.refuse
                parts = work(entry)
            except (EwsError, StoreError) as error:
                known = error if isinstance(error, EwsError) else EwsError(error.code)
                self.codes.append(known.code)
                envelope.failure(messages, operation, known, element=element, tail=tail)
            else:
                self.codes.append("NoError")
                envelope.success(messages, operation, element).extend(parts)
        return root


def identify(
    exchange: Exchange, account: Account, impersonate: tuple[str, str] | None, access: Mapping[str, AbstractSet[str]]
) -> Call:
    """Settle whom a request speaks for.

    Raises `SoapFault`: ErrorNonExistentMailbox for an unknown mailbox and for one that lives in the cloud,
    ErrorImpersonateUserDenied without the right.
    """
    if impersonate is None:
        own = exchange.find_mailbox(account.mailbox) if account.mailbox else None
        if own is not None and own.home == "cloud":
            raise SoapFault("ErrorNonExistentMailbox")
        return Call(exchange, account, own.address if own else None, access=access)
    kind, value = impersonate
    if kind == "SID":
        raise SoapFault("ErrorInvalidUserSid", "The SID is unknown here.")
    try:
        mailbox = exchange.mailbox(value)
    except NoSuchMailbox:
        raise SoapFault("ErrorNonExistentMailbox") from None
    if mailbox.home == "cloud":
        raise SoapFault("ErrorNonExistentMailbox")
    if not exchange.may_impersonate(account.login, mailbox.address):
        raise SoapFault("ErrorImpersonateUserDenied")
    return Call(exchange, account, mailbox.address, impersonated=True, access=access)
