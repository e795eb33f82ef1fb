"""GetItem, DeleteItem, MoveItem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from greenroom.simulator.ews.create import SEND_INVITATIONS, items_part
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.items import write_item
from greenroom.simulator.ews.names import children, m, sub
from greenroom.simulator.ews.shapes import read_item_shape
from greenroom.simulator.model import CalendarItem

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.model import DeleteMode, SendInvitations

_DELETE_MODES: Final = frozenset({"HardDelete", "SoftDelete", "MoveToDeletedItems"})


def get_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer GetItem."""
    shape = read_item_shape(request.body.find(m("ItemShape")))

    def one(element: etree._Element) -> list[etree._Element]:
        part = etree.Element(m("Items"))
        write_item(part, call.exchange, call.target(element).shown, shape)
        return [part]

    ids = list(children(request.body.find(m("ItemIds"))))
    return call.batch("GetItem", ids, one, tail=[lambda e: sub(e, m("Items"))])


def delete_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer DeleteItem."""
    mode = request.body.get("DeleteType", "")
    send = request.body.get("SendMeetingCancellations")
    if mode not in _DELETE_MODES or (send is not None and send not in SEND_INVITATIONS):
        raise SoapFault("ErrorSchemaValidation", "An attribute of DeleteItem is invalid.", at=request.body)

    def one(element: etree._Element) -> list[etree._Element]:
        target = call.target(element)
        if isinstance(target.item, CalendarItem) and send is None:
            raise EwsError("ErrorSendMeetingCancellationsRequired")
        tells = cast("SendInvitations", send or "SendToNone")
        if target.original is not None:
            call.exchange.delete_occurrence(target.mailbox, target.item.id, target.original, send=tells)
        else:
            call.exchange.delete_item(
                target.mailbox, target.item.id, cast("DeleteMode", mode), send_cancellations=tells
            )
        return []

    return call.batch("DeleteItem", list(children(request.body.find(m("ItemIds")))), one)


def move_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer MoveItem."""
    target = next(children(request.body.find(m("ToFolderId"))), None)

    def one(element: etree._Element) -> list[etree._Element]:
        mailbox, folder = call.folder(target)
        moved = call.target(element)
        if moved.mailbox != mailbox:
            raise EwsError("ErrorCrossMailboxMoveCopy", "Items cannot be moved between mailboxes here.")
        if moved.occurrence is not None:
            raise EwsError("ErrorCalendarCannotMoveOrCopyOccurrence", "A single occurrence cannot be moved.")
        return [items_part(call.exchange.move_item(mailbox, moved.item.id, folder.id))]

    ids = list(children(request.body.find(m("ItemIds"))))
    return call.batch("MoveItem", ids, one, tail=[lambda e: sub(e, m("Items"))])
