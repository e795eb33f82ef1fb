"""FindItem by meeting key and in a stretch of time, and ResolveNames.

Source: EWS reference, FindItem, IsEqualTo (a binary constant is base64), CalendarView (the one list that shows the occurrences of
series), ResolveNames (takes a legacyExchangeDN).
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime

from greenroom.exchange.addresses import address, is_x500
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, messages, text_of, types, with_children
from greenroom.exchange.ews.values import instant, number, truth
from greenroom.meetings.meeting import MeetingKey

MOST_HITS = 200
"""A series may have many lone occurrences, and all share its id."""
MOST_IN_VIEW = 500
PAGE = 500
MOST_PAGES = 4
UNSEARCHABLE = frozenset({"ErrorInvalidRestriction", "ErrorUnsupportedPathForQuery", "ErrorUnsupportedQueryFilter"})
"""Codes of servers that cannot search by a binary property; their calendars are listed in bounded pages instead."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was listed: the key of the whole meeting, and of one occurrence its day, as far as the list shows them."""

    id: str
    key: MeetingKey | None
    day: date | None = None
    start: datetime | None = None
    original: datetime | None = None
    part_of_series: bool = False

    def may_be(self, key: MeetingKey) -> bool:
        """Whether this may be the item of a meeting. Of one occurrence it may be the item of its series as well."""
        whole = self.key in (key.clean, None)
        return whole and self.day in ((None,) if key.occurrence is None else (key.occurrence, None))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a folder, and where the next one begins (None: nowhere)."""

    items: tuple[Hit, ...]
    next_offset: int | None


def find_by_key(key: MeetingKey) -> Call:
    """Search the calendar for the clean global object id."""
    constant = types("Constant", Value=b64encode(key.to_bytes()).decode("ascii"))
    clause = with_children(
        types("IsEqualTo"),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
        with_children(types("FieldURIOrConstant"), constant),
    )
    return find(first(MOST_HITS), with_children(messages("Restriction"), clause))


def view_calendar(start: datetime, end: datetime) -> Call:
    """List what takes place then, the occurrences of series one by one."""
    stretch = {"StartDate": _moment(start), "EndDate": _moment(end)}
    view = messages("CalendarView", MaxEntriesReturned=str(MOST_IN_VIEW), **stretch)
    return find(view, None, ("calendar:Start", "calendar:OriginalStart", "calendar:CalendarItemType"))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def list_calendar(offset: int) -> Call:
    """List the calendar with its keys, for servers that cannot search by them."""
    return find(_indexed(offset, PAGE), None)


def first(most: int) -> Element:
    """Ask for no more than the first items."""
    return _indexed(0, most)


def _indexed(offset: int, most: int) -> Element:
    return messages("IndexedPageItemView", MaxEntriesReturned=str(most), Offset=str(offset), BasePoint="Beginning")


def find(view: Element, restriction: Element | None, more: tuple[str, ...] = ()) -> Call:
    """List the calendar with keys: the view says how much, the restriction which items (None: all)."""
    properties = with_children(
        types("AdditionalProperties"),
        *identity.fields(more),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
        identity.extended_field(identity.GLOBAL_OBJECT_ID),
    )
    body = with_children(
        messages("FindItem", Traversal="Shallow"),
        with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), properties),
        view,
        restriction,
        with_children(messages("ParentFolderIds"), types("DistinguishedFolderId", Id="calendar")),
    )
    return Call("FindItem", body)


def read_page(reply: Envelope, *, mailbox: str, offset: int = 0) -> Page:
    """Read what was found; raises what the response code says."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to FindItem", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem:
        raise error_for(message.problem, mailbox=mailbox)
    folder = child(message.element, "RootFolder")
    found: list[Hit] = []
    for item in children(child(folder, "Items")):
        ident = child(item, "ItemId")
        if ident is not None and (name := ident.get("Id")) and len(found) < PAGE:
            found.append(_hit(name, item))
    last = folder is None or truth(folder.get("IncludesLastItemInRange") or "") is not False
    after = number(folder.get("IndexedPagingOffset") or "") if folder is not None else None
    following = after if after is not None and after > offset else offset + len(found)
    return Page(tuple(found), None if last or not found else following)


def _hit(name: str, item: Element) -> Hit:
    properties = identity.extended(item)
    return Hit(
        name,
        identity.key_of(properties),
        identity.occurrence_day(properties),
        instant(text_of(item, "Start")),
        instant(text_of(item, "OriginalStart")),
        text_of(item, "CalendarItemType") in ("Occurrence", "Exception"),
    )


def resolve(name: str) -> Call:
    """Ask the directory for the mailbox behind an X500 address."""
    body = messages("ResolveNames", ReturnFullContactData="false", SearchScope="ActiveDirectory")
    return Call("ResolveNames", with_children(body, messages("UnresolvedEntry", name)))


def read_resolution(reply: Envelope, *, mailbox: str) -> str | None:
    """Return the one SMTP address found, None if there is none or no single one; raises what is transient."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to ResolveNames", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem and not message.code.startswith("ErrorNameResolution"):
        raise error_for(message.problem, mailbox=mailbox)
    found = {
        address(text_of(resolution, "Mailbox", "EmailAddress"))
        for resolution in children(child(message.element, "ResolutionSet"), "Resolution")
    }
    smtp = {a for a in found if "@" in a and not is_x500(a)}
    return smtp.pop() if len(smtp) == 1 else None


def look_at_calendar() -> Call:
    """Ask for the calendar folder: the cheapest call that needs sign-in, impersonation and the mailbox."""
    shape = with_children(messages("FolderShape"), types("BaseShape", "IdOnly"))
    ids = with_children(messages("FolderIds"), types("DistinguishedFolderId", Id="calendar"))
    return Call("GetFolder", with_children(messages("GetFolder"), shape, ids))


def read_look(reply: Envelope, *, mailbox: str) -> None:
    """Raise what is wrong with the folder, if anything."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer for one folder", code="count", mailbox=mailbox)
    for message in reply.messages:
        if message.problem:
            raise error_for(message.problem, mailbox=mailbox)
