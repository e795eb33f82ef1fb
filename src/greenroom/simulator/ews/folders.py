"""GetFolder, FindFolder and UpdateFolder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.find import page_of
from greenroom.simulator.ews.names import children, local, m, sub, t, text_of, words
from greenroom.simulator.ews.order import FOLDER_ORDER
from greenroom.simulator.ews.paths import ExtendedPath, FieldPath, read_extended, read_path, read_paths, write_extended

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Folder

_DEFAULT: Final = frozenset({"FolderId", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"})
_COUNTED: Final = frozenset({"TotalCount", "ChildFolderCount", "UnreadCount"})
_SCHEMA_NAMES: Final = {"recoverableitems": "recoverableitemsroot"}


_PUBLIC_STRINGS: Final = "00020329-0000-0000-c000-000000000046"


@dataclass(frozen=True, slots=True)
class FolderShape:
    """What a request wants of each folder: elements by name, and extended properties."""

    names: frozenset[str]
    extended: tuple[ExtendedPath, ...] = ()


def read_folder_shape(element: etree._Element | None) -> FolderShape:
    """Read FolderShape."""
    base = text_of(element, t("BaseShape")) or ""
    if base not in ("IdOnly", "Default", "AllProperties"):
        raise SoapFault("ErrorSchemaValidation", "The request failed schema validation: BaseShape is invalid.")
    paths = read_paths(element.find(t("AdditionalProperties")) if element is not None else None)
    names = {path.name for path in paths if isinstance(path, FieldPath) and path.prefix == "folder"}
    extended = tuple(path for path in paths if isinstance(path, ExtendedPath))
    names |= {"ExtendedProperty"} if extended else set()
    if base == "AllProperties":
        return FolderShape(frozenset(FOLDER_ORDER) - {"ExtendedProperty", "PermissionSet"} | names, extended)
    return FolderShape((_DEFAULT if base == "Default" else frozenset({"FolderId"})) | names, extended)


def write_folder(parent: etree._Element, exchange: Exchange, mailbox: str, folder: Folder, shape: FolderShape) -> None:
    """Append a folder with the elements the shape asks for."""
    calendar = folder.name == "calendar"
    element = sub(parent, t("CalendarFolder" if calendar else "Folder"))
    folders = exchange.folders(mailbox)
    texts = _texts(exchange, mailbox, folder) if shape.names & _COUNTED else _named(folder)
    for name in FOLDER_ORDER:
        if name not in shape.names and name != "FolderId":
            continue
        if name == "FolderId":
            sub(element, t(name), Id=folder.id, ChangeKey=folder.change_key)
        elif name == "ParentFolderId":
            above = next((f for f in folders if f.id == folder.parent_id), folder)
            sub(element, t(name), Id=above.id, ChangeKey=above.change_key)
        elif name == "EffectiveRights":
            _rights(element)
        elif name == "ExtendedProperty":
            _properties(element, exchange, mailbox, folder, shape.extended)
        elif texts.get(name):
            sub(element, t(name), texts[name])


def _named(folder: Folder) -> dict[str, str]:
    return {
        "FolderClass": folder.folder_class,
        "DisplayName": folder.display_name,
        "DistinguishedFolderId": _SCHEMA_NAMES.get(folder.name, folder.name),
    }


def _texts(exchange: Exchange, mailbox: str, folder: Folder) -> dict[str, str]:
    items = exchange.items(mailbox, folder.id)
    texts = _named(folder) | {
        "TotalCount": str(len(items)),
        "ChildFolderCount": str(sum(f.parent_id == folder.id for f in exchange.folders(mailbox))),
    }
    # Calendars count nothing as unread.
    return texts if folder.name == "calendar" else texts | {"UnreadCount": str(sum(not i.is_read for i in items))}


def _properties(
    element: etree._Element, exchange: Exchange, mailbox: str, folder: Folder, paths: tuple[ExtendedPath, ...]
) -> None:
    """Append the properties asked for. Only the calendar has any: strings of PS_PUBLIC_STRINGS."""
    known = exchange.folder_properties(mailbox) if folder.name == "calendar" else {}
    for path in paths:
        value = known.get(path.tag.name or "") if _is_kept(path) else None
        if value is not None:
            write_extended(element, path, value)


def _is_kept(path: ExtendedPath) -> bool:
    return path.tag.set_id == _PUBLIC_STRINGS and path.tag.name is not None and path.tag.type == "String"


def _rights(element: etree._Element) -> None:
    rights = sub(element, t("EffectiveRights"))
    for name in words("CreateAssociated CreateContents CreateHierarchy Delete Modify Read ViewPrivateItems"):
        sub(rights, t(name), "true")


def get_folder(call: Call, request: SoapRequest) -> etree._Element:
    """Answer GetFolder."""
    shape = read_folder_shape(request.body.find(m("FolderShape")))

    def one(element: etree._Element) -> list[etree._Element]:
        mailbox, folder = call.folder(element)
        part = etree.Element(m("Folders"))
        write_folder(part, call.exchange, mailbox, folder, shape)
        return [part]

    ids = list(children(request.body.find(m("FolderIds"))))
    return call.batch("GetFolder", ids, one, tail=[lambda e: sub(e, m("Folders"))])


def update_folder(call: Call, request: SoapRequest) -> etree._Element:
    """Answer UpdateFolder, for named strings of the calendar folder only."""

    def one(change: etree._Element) -> list[etree._Element]:
        mailbox, folder = call.folder(next(children(change), None))
        wanted = [_update(update) for update in children(change.find(t("Updates")))]
        if folder.name != "calendar":
            raise EwsError("ErrorInvalidPropertySet")
        for name, value in wanted:
            call.exchange.set_folder_property(mailbox, name, value)
        part = etree.Element(m("Folders"))
        current = call.exchange.folder(mailbox, folder.id)
        write_folder(part, call.exchange, mailbox, current, FolderShape(frozenset({"FolderId"})))
        return [part]

    changes = list(children(request.body.find(m("FolderChanges"))))
    return call.batch("UpdateFolder", changes, one, tail=[lambda e: sub(e, m("Folders"))])


def _update(update: etree._Element) -> tuple[str, str | None]:
    """Read one update: the name of the property, and its new value or None."""
    parts = list(children(update))
    path = read_path(parts[0]) if parts else None
    if not isinstance(path, ExtendedPath) or not _is_kept(path) or path.tag.name is None:
        raise EwsError("ErrorInvalidPropertySet")
    if local(update) == "DeleteFolderField":
        return path.tag.name, None
    content = list(children(parts[1])) if len(parts) > 1 else []
    if local(update) != "SetFolderField" or len(content) != 1 or local(content[0]) != "ExtendedProperty":
        raise EwsError("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.")
    tag, value = read_extended(content[0])
    if tag != path.tag or not isinstance(value, str):
        raise EwsError("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.")
    return path.tag.name, value


def find_folder(call: Call, request: SoapRequest) -> etree._Element:
    """Answer FindFolder, shallow or deep; restrictions on folders are not looked at."""
    shape = read_folder_shape(request.body.find(m("FolderShape")))
    deep = request.body.get("Traversal") == "Deep"
    offset, size = page_of(request.body.find(m("IndexedPageFolderView")))

    def one(element: etree._Element) -> list[etree._Element]:
        mailbox, folder = call.folder(element)
        found = _below(call.exchange.folders(mailbox), folder.id, deep=deep)
        page = found[offset : offset + size]
        following = offset + len(page)
        root = etree.Element(m("RootFolder"))
        if following < len(found):
            root.set("IndexedPagingOffset", str(following))
        root.set("TotalItemsInView", str(len(found)))
        root.set("IncludesLastItemInRange", "true" if following >= len(found) else "false")
        part = sub(root, t("Folders"))
        for below in page:
            write_folder(part, call.exchange, mailbox, below, shape)
        return [root]

    return call.batch("FindFolder", list(children(request.body.find(m("ParentFolderIds")))), one)


def _below(folders: list[Folder], parent: str, *, deep: bool) -> list[Folder]:
    direct = [folder for folder in folders if folder.parent_id == parent and folder.id != parent]
    if not deep:
        return direct
    return [found for folder in direct for found in (folder, *_below(folders, folder.id, deep=True))]
