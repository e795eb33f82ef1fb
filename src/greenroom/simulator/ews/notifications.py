"""Subscribe, Unsubscribe, and the envelopes of a streaming connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from lxml import etree

from greenroom.simulator.ews import envelope
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import children, m, sub, t, text_of
from greenroom.simulator.ews.people import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greenroom.simulator.ews.call import Call
    from greenroom.simulator.ews.soap import SoapRequest
    from greenroom.simulator.model import Event

EVENT_TYPES: Final = frozenset(
    {
        "CreatedEvent",
        "ModifiedEvent",
        "DeletedEvent",
        "MovedEvent",
        "NewMailEvent",
        "CopiedEvent",
        "FreeBusyChangedEvent",
    }
)
_OPERATION: Final = "GetStreamingEvents"
MAX_CONNECTION_MINUTES: Final = 30


def subscribe(call: Call, request: SoapRequest) -> etree._Element:
    """Answer Subscribe, for streaming subscriptions only."""
    wanted = request.body.find(m("StreamingSubscriptionRequest"))
    types = [e.text or "" for e in children(wanted.find(t("EventTypes")) if wanted is not None else None)]
    if wanted is not None and (not types or not set(types) <= EVENT_TYPES):
        raise SoapFault("ErrorSchemaValidation", "EventTypes is invalid.", at=request.body)

    def one(_: None) -> list[etree._Element]:
        if wanted is None:
            raise EwsError("ErrorInvalidSubscriptionRequest", "Only streaming subscriptions are offered here.")
        found = [call.folder(element) for element in children(wanted.find(t("FolderIds")))]
        everything = wanted.get("SubscribeToAllFolders") in ("true", "1")
        if everything == bool(found) or len({mailbox for mailbox, _ in found}) > 1:
            raise EwsError("ErrorInvalidSubscriptionRequest", "Name folders of one mailbox, or all folders.")
        mailbox = call.mailbox() if everything else found[0][0]
        kinds = cast("Any", [kind for kind in types if kind != "FreeBusyChangedEvent"])
        subscription = call.exchange.subscribe(
            mailbox, None if everything else [folder.id for _, folder in found], kinds
        )
        part = etree.Element(m("SubscriptionId"))
        part.text = subscription.id
        return [part]

    return call.batch("Subscribe", [None], one)


def unsubscribe(call: Call, request: SoapRequest) -> etree._Element:
    """Answer Unsubscribe."""

    def one(_: None) -> list[etree._Element]:
        subscription_id = (text_of(request.body, m("SubscriptionId")) or "").strip()
        if call.exchange.subscription(subscription_id).mailbox != call.acting:
            raise EwsError("ErrorSubscriptionAccessDenied", "The subscription is somebody else's.")
        call.exchange.unsubscribe(subscription_id)
        return []

    return call.batch("Unsubscribe", [None], one)


def read_stream_request(request: SoapRequest) -> tuple[list[str], int]:
    """Read GetStreamingEvents: the subscription ids and the time the connection may last, in minutes."""
    ids = [(element.text or "").strip() for element in children(request.body.find(m("SubscriptionIds")))]
    minutes = text_of(request.body, m("ConnectionTimeout")) or ""
    if not ids or not minutes.strip().isdigit() or not 1 <= int(minutes) <= MAX_CONNECTION_MINUTES:
        raise SoapFault("ErrorSchemaValidation", "ConnectionTimeout is invalid.", at=request.body)
    return ids, int(minutes)


def connection_status(status: str) -> bytes:
    """An envelope that says nothing but OK or Closed."""
    root, messages = envelope.response(_OPERATION)
    sub(envelope.success(messages, _OPERATION), m("ConnectionStatus"), status)
    return envelope.envelope(root)


def stream_error(code: str, subscription_ids: Iterable[str]) -> bytes:
    """The envelope that ends a connection because of its subscriptions."""
    root, messages = envelope.response(_OPERATION)
    message = envelope.failure(messages, _OPERATION, EwsError(code))
    ids = list(subscription_ids)
    if ids:
        errors = sub(message, m("ErrorSubscriptionIds"))
        for subscription_id in ids:
            sub(errors, t("SubscriptionId"), subscription_id)
    sub(message, m("ConnectionStatus"), "Closed")
    return envelope.envelope(root)


def _notification(subscription_id: str, messages: etree._Element) -> etree._Element:
    notifications = sub(envelope.success(messages, _OPERATION), m("Notifications"))
    # Exchange sends Notification in the messages namespace, and clients look for it there; its schema file says types.
    notification = sub(notifications, m("Notification"))
    sub(notification, t("SubscriptionId"), subscription_id)
    sub(notification, t("MoreEvents"), "false")
    return notification


def keep_alive(subscription_ids: Iterable[str]) -> bytes:
    """An envelope with a StatusEvent for every subscription."""
    root, messages = envelope.response(_OPERATION)
    for subscription_id in subscription_ids:
        sub(_notification(subscription_id, messages), t("StatusEvent"))
    return envelope.envelope(root)


def events_envelope(subscription_id: str, events: Iterable[Event]) -> bytes:
    """An envelope with what happened in one subscription's folders."""
    root, messages = envelope.response(_OPERATION)
    notification = _notification(subscription_id, messages)
    for event in events:
        element = sub(notification, t(event.type))
        sub(element, t("TimeStamp"), timestamp(event.timestamp))
        if event.parent_id is None:
            sub(element, t("ItemId"), Id=event.item_id, ChangeKey=event.change_key)
        else:
            sub(element, t("FolderId"), Id=event.folder_id, ChangeKey=event.change_key)
        sub(element, t("ParentFolderId"), Id=event.parent_id or event.folder_id)
        if event.type in ("MovedEvent", "CopiedEvent"):
            sub(element, t("OldItemId"), Id=event.old_item_id or event.item_id)
            sub(element, t("OldParentFolderId"), Id=event.old_folder_id or event.folder_id)
    return envelope.envelope(root)
