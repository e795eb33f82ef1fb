"""What each element of an item says, for plain messages and for what all items have in common.

A property is a function of the item in hand; it returns the element's text, a function that fills the element, or None
where the item has no such property. `meeting_properties` adds those of meetings; `items` puts them in order.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Final

from greenroom.simulator.ews.bodies import as_kind
from greenroom.simulator.ews.names import sub, t, xml_text
from greenroom.simulator.ews.people import timestamp, write_person
from greenroom.simulator.ics_write import write_ics
from greenroom.simulator.model import CalendarItem, MeetingMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from greenroom.simulator.ews.shapes import BodyWish
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Item, Person

    Filler = Callable[[etree._Element], None]  # noqa: SLF001 - lxml has no public name for it
    Value = str | Filler | None
    Property = Callable[["InHand"], Value]


@dataclass(frozen=True, slots=True)
class InHand:
    """An item about to be written, with what is needed to say everything of it."""

    exchange: Exchange
    item: Item
    body: BodyWish = "Best"


def flag(value: bool) -> str:
    """A boolean as XML Schema writes it."""
    return "true" if value else "false"


def item_id_filler(item_id: str, change_key: str | None = None) -> Filler:
    """Fill an element of ItemIdType."""

    def fill(element: etree._Element) -> None:
        element.set("Id", item_id)
        if change_key:
            element.set("ChangeKey", change_key)

    return fill


def person_filler(person: Person | None) -> Filler | None:
    """Fill an element of SingleRecipientType."""
    if person is None:
        return None
    return lambda element: write_person(element, person)


def people_filler(people: tuple[Person, ...]) -> Filler | None:
    """Fill an array of recipients; nobody means no element."""
    if not people:
        return None

    def fill(element: etree._Element) -> None:
        for person in people:
            write_person(element, person)

    return fill


def _body(wish: BodyWish | None = None) -> Property:
    def write(hand: InHand) -> Value:
        kind, content = as_kind(hand.item.body, wish or hand.body)

        def fill(element: etree._Element) -> None:
            element.set("BodyType", kind)
            element.text = xml_text(content)

        return fill

    return write


def _mime(hand: InHand) -> Value:
    if isinstance(hand.item, (CalendarItem, MeetingMessage)):
        data = write_ics(hand.item)
    else:
        message = EmailMessage()
        message["Subject"] = " ".join(hand.item.subject.split())
        message["Date"] = format_datetime(hand.item.sent)
        if hand.item.author is not None:
            message["From"] = formataddr((hand.item.author.name, hand.item.author.address))
        message["To"] = ", ".join(formataddr((person.name, person.address)) for person in hand.item.to)
        message.set_content(hand.item.body.content, subtype="html" if hand.item.body.type == "HTML" else "plain")
        data = message.as_bytes()

    def fill(element: etree._Element) -> None:
        element.set("CharacterSet", "UTF-8")
        element.text = base64.b64encode(data).decode()

    return fill


def _rights(_: InHand) -> Value:
    def fill(element: etree._Element) -> None:
        for name in ("CreateAssociated", "CreateContents", "CreateHierarchy"):
            sub(element, t(name), "false")
        for name in ("Delete", "Modify", "Read", "ViewPrivateItems"):
            sub(element, t(name), "true")

    return fill


def _conversation(hand: InHand) -> Value:
    item = hand.item
    topic = item.meeting.clean_goid if isinstance(item, (CalendarItem, MeetingMessage)) else item.id.encode()
    return item_id_filler(base64.b64encode(hashlib.sha256(topic).digest()[:22]).decode())


def _names(people: tuple[Person, ...]) -> str:
    return "; ".join(person.name or person.address for person in people)


def _received(hand: InHand) -> Value:
    if hand.item.is_draft or (hand.item.author is not None and hand.item.author.address == hand.item.mailbox):
        return None
    return person_filler(hand.exchange.mailbox(hand.item.mailbox).person)


ITEM_PROPERTIES: Final[dict[str, Property]] = {
    "MimeContent": _mime,
    "ItemId": lambda hand: item_id_filler(hand.item.id, hand.item.change_key),
    "ParentFolderId": lambda hand: item_id_filler(
        hand.item.folder_id, hand.exchange.folder(hand.item.mailbox, hand.item.folder_id).change_key
    ),
    "ItemClass": lambda hand: hand.item.item_class,
    "Subject": lambda hand: hand.item.subject,
    "Sensitivity": lambda hand: hand.item.sensitivity,
    "Body": _body(),
    "DateTimeReceived": lambda hand: timestamp(hand.item.received),
    "Size": lambda hand: str(2048 + len(hand.item.body.content) + len(hand.item.subject)),
    "Importance": lambda hand: hand.item.importance,
    "IsSubmitted": lambda _: "false",
    "IsDraft": lambda hand: flag(hand.item.is_draft),
    "IsFromMe": lambda hand: flag(hand.item.author is not None and hand.item.author.address == hand.item.mailbox),
    "IsResend": lambda _: "false",
    "IsUnmodified": lambda hand: flag(hand.item.modified == hand.item.created),
    "DateTimeSent": lambda hand: timestamp(hand.item.sent),
    "DateTimeCreated": lambda hand: timestamp(hand.item.created),
    "ReminderIsSet": lambda _: "false",
    "ReminderMinutesBeforeStart": lambda _: "15",
    "DisplayCc": lambda hand: _names(hand.item.cc),
    "DisplayTo": lambda hand: _names(hand.item.to),
    "HasAttachments": lambda hand: flag(hand.item.has_attachments),
    "Culture": lambda _: "en-US",
    "EffectiveRights": _rights,
    "LastModifiedName": lambda hand: hand.exchange.mailbox(hand.item.mailbox).name,
    "LastModifiedTime": lambda hand: timestamp(hand.item.modified),
    "IsAssociated": lambda _: "false",
    "ConversationId": _conversation,
    "UniqueBody": _body(),
    "InstanceKey": lambda hand: base64.b64encode(hashlib.sha256(hand.item.id.encode()).digest()[:16]).decode(),
    "NormalizedBody": _body(),
    "Preview": lambda hand: " ".join(as_kind(hand.item.body, "Text")[1].split())[:255],
    "TextBody": _body("Text"),
}
"""Properties of ItemType."""

MESSAGE_PROPERTIES: Final[dict[str, Property]] = {
    **ITEM_PROPERTIES,
    "Sender": lambda hand: person_filler(hand.item.sender),
    "ToRecipients": lambda hand: people_filler(hand.item.to),
    "CcRecipients": lambda hand: people_filler(hand.item.cc),
    "IsReadReceiptRequested": lambda _: "false",
    "IsDeliveryReceiptRequested": lambda _: "false",
    "ConversationTopic": lambda hand: hand.item.subject,
    "From": lambda hand: person_filler(hand.item.author),
    "InternetMessageId": lambda hand: hand.item.internet_message_id or None,
    "IsRead": lambda hand: flag(hand.item.is_read),
    "IsResponseRequested": lambda _: "false",
    "ReceivedBy": _received,
    "ReceivedRepresenting": _received,
}
"""Properties of MessageType."""
