"""Texts left on the calendar folder as named properties: GetFolder and UpdateFolder.

Source: EWS reference, UpdateFolder (SetFolderField, DeleteFolderField), ExtendedFieldURI (PublicStrings is PS_PUBLIC_STRINGS).
"""

from collections.abc import Iterable
from typing import Final

from greenroom.exchange.errors import NotPermittedError
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, messages, types, with_children

_SET: Final = "00020329-0000-0000-c000-000000000046"
_PREFIX: Final = "Greenroom-"
_LONGEST: Final = 1000


def get_marks(names: Iterable[str]) -> Call:
    """Ask for the marks of these names: EWS gives only what is named."""
    wanted = with_children(types("AdditionalProperties"), *(field_of(name) for name in names))
    shape = with_children(messages("FolderShape"), types("BaseShape", "IdOnly"), wanted)
    ids = with_children(messages("FolderIds"), types("DistinguishedFolderId", Id="calendar"))
    return Call("GetFolder", with_children(messages("GetFolder"), shape, ids))


def read_marks(reply: Envelope, *, mailbox: str) -> dict[str, str]:
    """Return the texts by name; raises what the response code says.

    An empty text is none: over Graph nothing can be taken away, only emptied.
    """
    folder = next(children(child(_only(reply, "GetFolder", mailbox, writing=False), "Folders")), None)
    found: dict[str, str] = {}
    for prop in children(folder, "ExtendedProperty"):
        field, value = child(prop, "ExtendedFieldURI"), child(prop, "Value")
        name = "" if field is None else name_in(field)
        if name and value is not None and value.text:
            found.setdefault(name, value.text[:_LONGEST])
    return found


def set_mark(name: str, text: str | None) -> Call:
    """Write a mark, or take it away (None)."""
    if text is None:
        update = with_children(types("DeleteFolderField"), field_of(name))
    else:
        value = with_children(types("ExtendedProperty"), field_of(name), types("Value", text))
        update = with_children(types("SetFolderField"), field_of(name), with_children(types("CalendarFolder"), value))
    change = with_children(
        types("FolderChange"),
        types("DistinguishedFolderId", Id="calendar"),
        with_children(types("Updates"), update),
    )
    body = with_children(messages("UpdateFolder"), with_children(messages("FolderChanges"), change))
    return Call("UpdateFolder", body, writes=True)


def read_set(reply: Envelope, *, mailbox: str) -> None:
    """Raise what the answer to `set_mark` says is wrong."""
    try:
        _only(reply, "UpdateFolder", mailbox, writing=True)
    except NotPermittedError as error:
        sentence = f"the account may not change the calendar folder of {mailbox} ({error.code})"
        raise NotPermittedError(sentence, code=error.code, mailbox=mailbox) from None


def _only(reply: Envelope, operation: str, mailbox: str, *, writing: bool) -> Element:
    if len(reply.messages) != 1:
        raise GarbledReplyError(f"not one answer to {operation}", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem:
        raise error_for(message.problem, mailbox=mailbox, writing=writing)
    return message.element


def field_of(name: str) -> Element:
    """Name the property of a mark, be it on a folder or on an item."""
    return types(
        "ExtendedFieldURI",
        DistinguishedPropertySetId="PublicStrings",
        PropertyName=f"{_PREFIX}{name}",
        PropertyType="String",
    )


def name_in(field: Element) -> str:
    """Return the name of the mark that an ExtendedFieldURI names; empty for any other property."""
    public = field.get("DistinguishedPropertySetId") == "PublicStrings"
    name = field.get("PropertyName") or ""
    if not (public or (field.get("PropertySetId") or "").lower() == _SET) or not name.startswith(_PREFIX):
        return ""
    return name.removeprefix(_PREFIX)
