"""UpdateItem: single properties set, removed or appended to, with the meeting updates that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from greenroom.simulator.ews.create import items_part
from greenroom.simulator.ews.drafts import SETTABLE, DraftReader, item_children, remove_field
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import children, local, m, sub, t
from greenroom.simulator.ews.paths import ExtendedPath, FieldPath, Path, read_path
from greenroom.simulator.ews.people import ROLES
from greenroom.simulator.model import Body, CalendarItem

if TYPE_CHECKING:
    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.model import ConflictResolution, Item, SendUpdates

RESOLUTIONS: Final = frozenset({"NeverOverwrite", "AutoResolve", "AlwaysOverwrite"})
SEND_UPDATES: Final = frozenset(
    {"SendToNone", "SendOnlyToAll", "SendOnlyToChanged", "SendToAllAndSaveCopy", "SendToChangedAndSaveCopy"}
)


def _conflicts(message: etree._Element) -> etree._Element:
    results = sub(message, m("ConflictResults"))
    sub(results, t("Count"), "0")
    return results


def update_item(call: Call, request: SoapRequest) -> etree._Element:
    """Answer UpdateItem."""
    resolution = request.body.get("ConflictResolution", "")
    send = request.body.get("SendMeetingInvitationsOrCancellations")
    if resolution not in RESOLUTIONS or (send is not None and send not in SEND_UPDATES):
        raise SoapFault("ErrorSchemaValidation", "An attribute of UpdateItem is invalid.", at=request.body)

    def one(change: etree._Element) -> list[etree._Element]:
        named = next(children(change), None)
        target = call.target(named)
        item = target.shown
        if isinstance(item, CalendarItem) and send is None:
            raise EwsError("ErrorSendMeetingInvitationsOrCancellationsRequired")
        draft = read_updates(change.find(t("Updates")), item, request.zone).finish()
        how = cast("ConflictResolution", resolution)
        tells = cast("SendUpdates", send or "SendToNone")
        mailbox, item_id, key = target.mailbox, target.item.id, target.change_key
        if target.original is None:
            updated = call.exchange.update_item(mailbox, item_id, draft, change_key=key, resolution=how, send=tells)
        else:
            call.exchange.update_occurrence(
                mailbox, item_id, target.original, draft, change_key=key, resolution=how, send=tells
            )
            updated = call.target(named).shown
        holder = etree.Element(m("Holder"))
        return [items_part(updated), _conflicts(holder)]

    changes = list(children(request.body.find(m("ItemChanges"))))
    return call.batch("UpdateItem", changes, one, tail=[lambda e: sub(e, m("Items"))])


def read_updates(updates: etree._Element | None, item: Item, context: str | None) -> DraftReader:
    """Read the Updates of one item into a draft that starts from what the item is now."""
    reader = DraftReader(context, item.meeting.start_zone if isinstance(item, CalendarItem) else None)
    for update in children(updates):
        parts = list(children(update))
        path = read_path(parts[0]) if parts else None
        if path is None:
            raise EwsError("ErrorInvalidPropertySet")
        kind = local(update)
        if kind == "DeleteItemField":
            _delete(reader, path)
            continue
        content = item_children(parts[1]) if len(parts) > 1 else []
        if len(content) != 1 or local(content[0]) != _element_of(path):
            raise EwsError("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.")
        if kind == "AppendToItemField":
            _append(reader, path, content[0], item)
            continue
        if _element_of(path) not in SETTABLE:
            raise EwsError("ErrorInvalidPropertySet")
        reader.read(content)
    if reader.attendees and isinstance(item, CalendarItem):
        for name, role in ROLES.items():
            kept = tuple(attendee for attendee in item.meeting.attendees if attendee.role == role)
            reader.attendees.setdefault(name, kept)
        reader.draft["attendees"] = reader.all_attendees()
    return reader


def _element_of(path: Path) -> str:
    return path.name if isinstance(path, FieldPath) else "ExtendedProperty"


def _delete(reader: DraftReader, path: Path) -> None:
    if isinstance(path, ExtendedPath):
        reader.remove_extended(path.tag)
    else:
        remove_field(reader, path.name)


def _append(reader: DraftReader, path: Path, element: etree._Element, item: Item) -> None:
    name = _element_of(path)
    if name == "Body":
        reader.body(element)
        added = reader.draft["body"]
        reader.draft["body"] = Body(
            item.body.content + added.content, item.body.type if item.body.content else added.type
        )
    elif name in ROLES and isinstance(item, CalendarItem):
        reader.people(element)
        kept = tuple(attendee for attendee in item.meeting.attendees if attendee.role == ROLES[name])
        reader.attendees[name] = (*kept, *reader.attendees[name])
    else:
        raise EwsError("ErrorInvalidPropertyAppend")
