"""CreateItem: meetings, answers to meetings, plain messages; many in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from greenroom.simulator.ews.drafts import DraftReader, item_children, read_body
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.items import write_item_id
from greenroom.simulator.ews.names import children, local, m, sub, t

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.model import Answer, Body, Disposition, Item, SendInvitations

_ANSWERS: Final[dict[str, Answer]] = {
    "AcceptItem": "Accept",
    "TentativelyAcceptItem": "Tentative",
    "DeclineItem": "Decline",
}
_AS_INVITATIONS: Final[dict[Disposition, SendInvitations]] = {
    "SaveOnly": "SendToNone",
    "SendOnly": "SendOnlyToAll",
    "SendAndSaveCopy": "SendToAllAndSaveCopy",
}
SEND_INVITATIONS: Final = frozenset({"SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy"})
DISPOSITIONS: Final = frozenset({"SaveOnly", "SendOnly", "SendAndSaveCopy"})


def items_part(*items: Item | None) -> etree._Element:
    """The ``m:Items`` of a response message, each item with its id only."""
    part = etree.Element(m("Items"))
    for item in items:
        if item is not None:
            write_item_id(part, item)
    return part


def create_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer CreateItem."""
    return _Creation(call, request).answer()


class _Creation:
    """One CreateItem request."""

    def __init__(self, call: Call, request: SoapRequest) -> None:
        self.call = call
        self.zone = request.zone
        self.body = request.body
        target = request.body.find(m("SavedItemFolderId"))
        self.target = next(children(target), None)
        self.disposition = _attribute(request.body, "MessageDisposition", DISPOSITIONS)
        self.invitations = _attribute(request.body, "SendMeetingInvitations", SEND_INVITATIONS)

    def answer(self) -> etree._Element:
        entries = list(children(self.body.find(m("Items"))))
        return self.call.batch("CreateItem", entries, self.one, tail=[lambda e: sub(e, m("Items"))])

    def one(self, element: etree._Element) -> list[etree._Element]:
        kind = local(element)
        if kind == "CalendarItem":
            return [self.meeting(element)]
        if kind in _ANSWERS:
            return [self.reply(element, _ANSWERS[kind])]
        if kind == "CancelCalendarItem":
            return [self.cancel(element)]
        if kind == "RemoveItem":
            target = self.call.target(element.find(t("ReferenceItemId")))
            self.call.exchange.remove_cancelled(target.mailbox, target.item.id)
            return [items_part()]
        if kind == "Message":
            return [self.message(element)]
        raise EwsError("ErrorInvalidItemForOperationCreateItem", "This kind of item cannot be created here.")

    def meeting(self, element: etree._Element) -> etree._Element:
        if self.invitations is None:
            raise EwsError("ErrorSendMeetingInvitationsRequired")
        mailbox = self.call.mailbox()
        if self.target is not None:
            mailbox, folder = self.call.folder(self.target)
            if folder.name != "calendar":
                raise EwsError("ErrorCannotCreateCalendarItemInNonCalendarFolder")
        reader = DraftReader(self.zone)
        reader.read(item_children(element))
        draft = reader.finish()
        draft["attendees"] = reader.all_attendees()
        sender = self.call.delegate if self.call.delegate != mailbox else None
        item = self.call.exchange.create_meeting(
            mailbox, draft, cast("SendInvitations", self.invitations), sender=sender
        )
        return items_part(item)

    def reply(self, element: etree._Element, answer: Answer) -> etree._Element:
        target = self.call.target(element.find(t("ReferenceItemId")))
        mailbox, item_id, exchange = target.mailbox, target.item.id, self.call.exchange
        body, send = _comment(element, "Body"), self._send_as()
        if target.original is not None:
            done = exchange.respond_to_occurrence(
                mailbox, item_id, target.original, answer, body=body, disposition=send
            )
            left = None if answer == "Decline" else self.call.target(element.find(t("ReferenceItemId"))).shown
            return items_part(left, done.sent_copy)
        sender = self.call.delegate if self.call.delegate != mailbox else None
        done = exchange.respond(mailbox, item_id, answer, body=body, disposition=send, sender=sender)
        return items_part(done.calendar_item, done.sent_copy)

    def cancel(self, element: etree._Element) -> etree._Element:
        target = self.call.target(element.find(t("ReferenceItemId")))
        comment = _comment(element, "NewBodyContent") or _comment(element, "Body")
        if target.original is not None:
            sends = _AS_INVITATIONS[self._send_as()]
            self.call.exchange.cancel_occurrence(
                target.mailbox, target.item.id, target.original, body=comment, send=sends
            )
            return items_part()
        item = self.call.exchange.cancel_meeting(
            target.mailbox, target.item.id, body=comment, disposition=self._send_as()
        )
        return items_part(item)

    def message(self, element: etree._Element) -> etree._Element:
        mailbox = self.call.mailbox()
        if self.target is not None:
            mailbox, _ = self.call.folder(self.target)
        reader = DraftReader(self.zone)
        reader.read(item_children(element))
        reader.finish()
        disposition = self._send_as()
        if disposition != "SaveOnly" and not reader.message.get("to") and not reader.message.get("cc"):
            raise EwsError("ErrorMissingRecipients")
        return items_part(self.call.exchange.create_message(mailbox, reader.message, disposition))

    def _send_as(self) -> Disposition:
        if self.disposition is None:
            raise EwsError("ErrorMessageDispositionRequired")
        return cast("Disposition", self.disposition)


def _comment(element: etree._Element, name: str) -> Body | None:
    body = element.find(t(name))
    return None if body is None else read_body(body)


def _attribute(element: etree._Element, name: str, allowed: frozenset[str]) -> str | None:
    value = element.get(name)
    if value is not None and value not in allowed:
        raise SoapFault("ErrorSchemaValidation", f"The '{name}' attribute is invalid.", at=element)
    return value
