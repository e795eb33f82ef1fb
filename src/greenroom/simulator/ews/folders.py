"""GetFolder and FindFolder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.errors import SoapFault
from greenroom.simulator.ews.find import page_of
from greenroom.simulator.ews.names import children, m, sub, t, text_of, words
from greenroom.simulator.ews.order import FOLDER_ORDER
from greenroom.simulator.ews.paths import FieldPath, read_paths

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Folder

_DEFAULT: Final = frozenset({"FolderId", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"})
_SCHEMA_NAMES: Final = {"recoverableitems": "recoverableitemsroot"}


def read_folder_shape(element: etree._Element | None) -> frozenset[str]:
    """Read FolderShape: the names of the elements wanted."""
    base = text_of(element, t("BaseShape")) or ""
    if base not in ("IdOnly", "Default", "AllProperties"):
        raise SoapFault("ErrorSchemaValidation", "The request failed schema validation: BaseShape is invalid.")
    paths = read_paths(element.find(t("AdditionalProperties")) if element is not None else None)
    names = {path.name for path in paths if isinstance(path, FieldPath) and path.prefix == "folder"}
    if base == "AllProperties":
        return frozenset(FOLDER_ORDER) - {"ExtendedProperty", "PermissionSet"} | names
    return (_DEFAULT if base == "Default" else frozenset({"FolderId"})) | names


def write_folder(
    parent: etree._Element, exchange: Exchange, mailbox: str, folder: Folder, shape: frozenset[str]
) -> None:
    """Append a folder with the elements the shape asks for."""
    calendar = folder.name == "calendar"
    element = sub(parent, t("CalendarFolder" if calendar else "Folder"))
    folders = exchange.folders(mailbox)
    texts = _texts(exchange, mailbox, folder)
    for name in FOLDER_ORDER:
        if name not in shape and name != "FolderId":
            continue
        if name == "FolderId":
            sub(element, t(name), Id=folder.id, ChangeKey=folder.change_key)
        elif name == "ParentFolderId":
            above = next((f for f in folders if f.id == folder.parent_id), folder)
            sub(element, t(name), Id=above.id, ChangeKey=above.change_key)
        elif name == "EffectiveRights":
            _rights(element)
        elif texts.get(name):
            sub(element, t(name), texts[name])


def _texts(exchange: Exchange, mailbox: str, folder: Folder) -> dict[str, str]:
    items = exchange.items(mailbox, folder.id)
    texts = {
        "FolderClass": folder.folder_class,
        "DisplayName": folder.display_name,
        "TotalCount": str(len(items)),
        "ChildFolderCount": str(sum(f.parent_id == folder.id for f in exchange.folders(mailbox))),
        "DistinguishedFolderId": _SCHEMA_NAMES.get(folder.name, folder.name),
    }
    # Calendars count nothing as unread.
    return texts if folder.name == "calendar" else texts | {"UnreadCount": str(sum(not i.is_read for i in items))}


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
