"""FindItem over the whole calendar folder, in pages: what there is, and when, without reading it.

Without a restriction: with one Exchange gives shorter pages (EWSFindCountLimit) and makes a search folder for it.
Source: EWS reference, FindItem, IndexedPageItemView (occurrences are not listed, series are), SortOrder.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, messages, text_of, types, with_children
from greenroom.exchange.ews.values import instant, truth
from greenroom.meetings.meeting import ItemRef

PAGE: Final = 1000
"""EWSFindCountLimit: what Exchange gives at most in one answer."""

_UNREASONABLE: Final = 5000
_SHOWN: Final = ("calendar:Start", "calendar:End", "calendar:CalendarItemType", "item:LastModifiedTime")


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of the calendar, as far as the list shows it. `start` and `end` of a series are those of its first occurrence."""

    ref: ItemRef
    start: datetime | None
    end: datetime | None
    single: bool
    changed_at: datetime | None

    def is_within(self, since: datetime, until: datetime | None) -> bool:
        """Whether this begins before `until` and may not be over at `since`: a series is never known to be over."""
        over = self.single and self.end is not None and self.end <= since
        return not over and (until is None or self.start is None or self.start < until)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, and whether it holds the last item of the folder."""

    items: tuple[Listed, ...]
    last: bool


def list_by_start(offset: int, most: int = PAGE) -> Call:
    """List the calendar from a place on, the soonest start first."""
    return _find(offset, most, "calendar:Start", "Ascending")


def list_by_change(offset: int, most: int = PAGE) -> Call:
    """List the calendar from a place on, the latest change first."""
    return _find(offset, most, "item:LastModifiedTime", "Descending")


def _find(offset: int, most: int, sorted_by: str, direction: str) -> Call:
    shown = with_children(types("AdditionalProperties"), *identity.fields(_SHOWN))
    order = with_children(types("FieldOrder", Order=direction), types("FieldURI", FieldURI=sorted_by))
    body = with_children(
        messages("FindItem", Traversal="Shallow"),
        with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), shown),
        messages("IndexedPageItemView", MaxEntriesReturned=str(most), Offset=str(offset), BasePoint="Beginning"),
        with_children(messages("SortOrder"), order),
        with_children(messages("ParentFolderIds"), types("DistinguishedFolderId", Id="calendar")),
    )
    return Call("FindItem", body)


def read_list(reply: Envelope, *, mailbox: str) -> Page:
    """Read one page; raises what the response code says."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to FindItem", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem:
        raise error_for(message.problem, mailbox=mailbox)
    folder = child(message.element, "RootFolder")
    found = [listed for item in children(child(folder, "Items")) if (listed := _listed(item)) is not None]
    last = None if folder is None else truth(folder.get("IncludesLastItemInRange") or "")
    if last is None or len(found) > _UNREASONABLE or not (found or last):
        raise GarbledReplyError("a page of the calendar that makes no sense", code="page", mailbox=mailbox)
    return Page(tuple(found), last)


def _listed(item: Element) -> Listed | None:
    ident = child(item, "ItemId")
    if ident is None or not ident.get("Id"):
        return None
    return Listed(
        ItemRef(ident.get("Id") or "", ident.get("ChangeKey") or ""),
        instant(text_of(item, "Start")),
        instant(text_of(item, "End")),
        text_of(item, "CalendarItemType") in ("Single", "Occurrence", "Exception"),
        instant(text_of(item, "LastModifiedTime")),
    )
