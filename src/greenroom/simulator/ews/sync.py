"""SyncFolderItems and SyncFolderHierarchy."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from lxml import etree

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.folders import read_folder_shape, write_folder
from greenroom.simulator.ews.items import write_item
from greenroom.simulator.ews.names import children, m, sub, t, text_of
from greenroom.simulator.ews.properties import flag
from greenroom.simulator.ews.shapes import read_item_shape
from greenroom.simulator.model import CalendarItem

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest

MAX_CHANGES: Final = 512


def sync_folder_items(call: Call, request: SoapRequest) -> etree._Element:
    """Answer SyncFolderItems."""
    shape = read_item_shape(request.body.find(m("ItemShape")))
    state = (text_of(request.body, m("SyncState")) or "").strip()
    ignored = {element.get("Id") for element in children(request.body.find(m("Ignore")))}
    most = _max_changes(request.body)

    def one(element: etree._Element | None) -> list[etree._Element]:
        try:
            mailbox, folder = call.folder(element)
        except EwsError as error:
            raise EwsError("ErrorSyncFolderNotFound") if error.code == "ErrorFolderNotFound" else error from None
        if call.expire_sync and state:
            raise EwsError("ErrorInvalidSyncStateData")
        result = call.exchange.sync(mailbox, folder.id, state or None, most)
        new_state = etree.Element(m("SyncState"))
        new_state.text = result.state
        last = etree.Element(m("IncludesLastItemInRange"))
        last.text = flag(result.includes_last)
        changes = etree.Element(m("Changes"))
        for change in result.changes:
            if change.item_id in ignored:
                continue
            item = change.item
            if change.kind == "delete" or item is None:
                sub(sub(changes, t("Delete")), t("ItemId"), Id=change.item_id)
            elif change.kind == "read_flag" and not isinstance(item, CalendarItem):
                entry = sub(changes, t("ReadFlagChange"))
                sub(entry, t("ItemId"), Id=item.id, ChangeKey=item.change_key)
                sub(entry, t("IsRead"), flag(item.is_read))
            else:
                entry = sub(changes, t("Create" if change.kind == "create" else "Update"))
                write_item(entry, call.exchange, item, shape, content=False)
        return [new_state, last, changes]

    target = next(children(request.body.find(m("SyncFolderId"))), None)
    return call.batch("SyncFolderItems", [target], one)


def _max_changes(body: etree._Element) -> int:
    text = text_of(body, m("MaxChangesReturned")) or ""
    if not text.strip().isdigit() or not 1 <= int(text) <= MAX_CHANGES:
        raise SoapFault(
            "ErrorSchemaValidation",
            "The request failed schema validation: The 'MaxChangesReturned' element is invalid.",
            at=body,
        )
    return int(text)


def sync_folder_hierarchy(call: Call, request: SoapRequest) -> etree._Element:
    """Answer SyncFolderHierarchy: folders never change here, so a state says only that they were told once."""
    shape = read_folder_shape(request.body.find(m("FolderShape")))
    state = (text_of(request.body, m("SyncState")) or "").strip()

    def one(element: etree._Element | None) -> list[etree._Element]:
        mailbox = call.mailbox() if element is None else call.folder(element)[0]
        mark = base64.b64encode(f"hierarchy:{mailbox}".encode())
        if state:
            try:
                known = base64.b64decode(state, validate=True)
            except (binascii.Error, ValueError):
                raise EwsError("ErrorInvalidSyncStateData") from None
            if known != base64.b64decode(mark) or call.expire_sync:
                raise EwsError("ErrorInvalidSyncStateData")
        new_state = etree.Element(m("SyncState"))
        new_state.text = mark.decode()
        last = etree.Element(m("IncludesLastFolderInRange"))
        last.text = "true"
        changes = etree.Element(m("Changes"))
        for folder in [] if state else call.exchange.folders(mailbox):
            if folder.parent_id is not None:
                write_folder(sub(changes, t("Create")), call.exchange, mailbox, folder, shape)
        return [new_state, last, changes]

    return call.batch("SyncFolderHierarchy", [next(children(request.body.find(m("SyncFolderId"))), None)], one)
