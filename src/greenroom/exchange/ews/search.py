"""FindItem by meeting key and ResolveNames.

Source: EWS reference, FindItem, IsEqualTo (a binary constant is base64), ResolveNames (takes a legacyExchangeDN).
"""

from base64 import b64encode
from dataclasses import dataclass

from greenroom.exchange.addresses import address, is_x500
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, messages, text_of, types, with_children
from greenroom.exchange.ews.values import number, truth
from greenroom.meetings.meeting import MeetingKey

MOST_HITS = 10
PAGE = 500
MOST_PAGES = 4
UNSEARCHABLE = frozenset({"ErrorInvalidRestriction", "ErrorUnsupportedPathForQuery", "ErrorUnsupportedQueryFilter"})
"""Codes of servers that cannot search by a binary property; their calendars are listed in bounded pages instead."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a folder: ids with keys, and where the next one begins (None: nowhere)."""

    items: tuple[tuple[str, MeetingKey | None], ...]
    next_offset: int | None


def find_by_key(key: MeetingKey) -> Call:
    """Search the calendar for the clean global object id."""
    constant = types("Constant", Value=b64encode(key.to_bytes()).decode("ascii"))
    clause = with_children(
        types("IsEqualTo"),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
        with_children(types("FieldURIOrConstant"), constant),
    )
    return _find(0, MOST_HITS, with_children(messages("Restriction"), clause))


def list_calendar(offset: int) -> Call:
    """List the calendar with its keys, for servers that cannot search by them."""
    return _find(offset, PAGE, None)


def _find(offset: int, most: int, restriction: Element | None) -> Call:
    properties = with_children(types("AdditionalProperties"), identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID))
    view = messages("IndexedPageItemView", MaxEntriesReturned=str(most), Offset=str(offset), BasePoint="Beginning")
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
    found: list[tuple[str, MeetingKey | None]] = []
    for item in children(child(folder, "Items")):
        ident = child(item, "ItemId")
        if ident is not None and (name := ident.get("Id")) and len(found) < PAGE:
            found.append((name, identity.key_of(identity.extended(item))))
    last = folder is None or truth(folder.get("IncludesLastItemInRange") or "") is not False
    after = number(folder.get("IndexedPagingOffset") or "") if folder is not None else None
    following = after if after is not None and after > offset else offset + len(found)
    return Page(tuple(found), None if last or not found else following)


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


def look_at_calendar(named: str | None = None) -> Call:
    """Ask for the calendar folder: the cheapest call that needs sign-in, impersonation and the mailbox.

    With `named` also for the calendar of the mailbox with that address, to compare.
    """
    shape = with_children(messages("FolderShape"), types("BaseShape", "IdOnly"))
    ids = with_children(messages("FolderIds"), types("DistinguishedFolderId", Id="calendar"))
    if named is not None:
        owner = with_children(types("Mailbox"), types("EmailAddress", named))
        with_children(ids, with_children(types("DistinguishedFolderId", Id="calendar"), owner))
    return Call("GetFolder", with_children(messages("GetFolder"), shape, ids))


def read_look(reply: Envelope, *, mailbox: str, count: int = 1) -> list[str]:
    """Return the ids of the folders; raises what is wrong with one, if anything."""
    if len(reply.messages) != count:
        raise GarbledReplyError("not one answer for each folder", code="count", mailbox=mailbox)
    found = []
    for message in reply.messages:
        if message.problem:
            raise error_for(message.problem, mailbox=mailbox)
        ident = child(next(children(child(message.element, "Folders")), None), "FolderId")
        found.append("" if ident is None else ident.get("Id") or "")
    return found
