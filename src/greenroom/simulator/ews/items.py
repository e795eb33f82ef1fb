"""Items as elements: the properties a shape asks for, in the order the schema wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.simulator.ews.meeting_properties import PROPERTIES
from greenroom.simulator.ews.mirrored import extended_value
from greenroom.simulator.ews.names import sub, t, xml_text
from greenroom.simulator.ews.paths import ExtendedPath, Path, write_extended
from greenroom.simulator.ews.properties import InHand
from greenroom.simulator.model import (
    CalendarItem,
    MeetingCancellation,
    MeetingMessage,
    MeetingRequest,
    MeetingResponse,
)

if TYPE_CHECKING:
    from lxml import etree

    from greenroom.simulator.ews.shapes import ItemShape
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Item, PropertyValue


def kind_of(item: Item) -> str:
    """The name of the element that carries this kind of item."""
    if isinstance(item, CalendarItem):
        return "CalendarItem"
    for kind in (MeetingRequest, MeetingCancellation, MeetingResponse, MeetingMessage):
        if isinstance(item, kind):
            return kind.__name__
    return "Message"


def write_item(
    parent: etree._Element, exchange: Exchange, item: Item, shape: ItemShape, *, content: bool = True
) -> None:
    """Append an item. ``content`` false leaves bodies out, as SyncFolderItems and FindItem do."""
    kind = kind_of(item)
    element = sub(parent, t(kind))
    hand = InHand(exchange, item, shape.body)
    properties = PROPERTIES[kind]
    for name in shape.wanted(kind, content=content):
        if name == "ExtendedProperty":
            for path in shape.extended:
                value = extended_value(hand, path.tag)
                if value is not None:
                    write_extended(element, path, value)
            continue
        write = properties.get(name)
        value_or_filler = write(hand) if write is not None else None
        if value_or_filler is None:
            continue
        if isinstance(value_or_filler, str):
            sub(element, t(name)).text = xml_text(value_or_filler)
        else:
            value_or_filler(sub(element, t(name)))


def write_item_id(parent: etree._Element, item: Item) -> None:
    """Append an item with nothing but its id, as answers to CreateItem and UpdateItem do."""
    sub(sub(parent, t(kind_of(item))), t("ItemId"), Id=item.id, ChangeKey=item.change_key)


def value_at(exchange: Exchange, item: Item, path: Path) -> PropertyValue | None:
    """The value a restriction or a sort order compares: a text, or None where the item has no such property.

    Raises LookupError for a property that is not a single value (attendees, recurrence and so on).
    """
    hand = InHand(exchange, item, "Text")
    if isinstance(path, ExtendedPath):
        return extended_value(hand, path.tag)
    write = PROPERTIES[kind_of(item)].get(path.name)
    if write is None:
        return None
    value = write(hand)
    if value is None or isinstance(value, str):
        return value
    if path.name in ("Body", "TextBody"):
        holder = sub(_holder(), t("Body"))
        value(holder)
        return holder.text or ""
    if path.name in ("ItemId", "ParentFolderId", "ConversationId"):
        holder = sub(_holder(), t("ItemId"))
        value(holder)
        return holder.get("Id")
    if path.name in ("From", "Sender", "Organizer", "ReceivedBy"):
        holder = sub(_holder(), t("Mailbox"))
        value(holder)
        return " ".join(str(text) for text in holder.itertext() if text)
    raise LookupError(path.name)


def _holder() -> etree._Element:
    from lxml import etree  # noqa: PLC0415 - only here an element is made without a parent

    return etree.Element(t("Holder"))
