"""Streaming notifications: Subscribe, GetStreamingEvents, Unsubscribe, and envelopes cut out of an endless reply.

Source: EWS reference, Subscribe (StreamingSubscriptionRequest) and GetStreamingEvents (ConnectionTimeout 1 to 30 minutes).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children

_EVENTS = ("NewMailEvent", "CreatedEvent", "ModifiedEvent", "DeletedEvent", "MovedEvent")
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]{0,40}:)?Envelope\s{0,10}>")
_LONGEST_END = 64
LONGEST_ENVELOPE = 8 * 1024 * 1024


class Splitter:
    """Cuts a stream of bytes into whole SOAP envelopes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes, yield the envelopes that are whole now; raises GarbledReplyError for one without end."""
        self._buffer += data
        while match := _END.search(self._buffer, self._searched):
            envelope = bytes(self._buffer[: match.end()])
            del self._buffer[: match.end()]
            self._searched = 0
            yield envelope.lstrip()
        self._searched = max(0, len(self._buffer) - _LONGEST_END)
        if len(self._buffer) > LONGEST_ENVELOPE:
            raise GarbledReplyError("a notification without end", code="too-long")


@dataclass(frozen=True, slots=True)
class News:
    """One envelope of the stream: whether something happened, whether the connection ends, what is wrong."""

    events: bool = False
    closed: bool = False
    error: ExchangeError | None = None


def subscribe() -> Call:
    """Ask to be told of changes in Inbox and Calendar."""
    folders = with_children(
        types("FolderIds"),
        types("DistinguishedFolderId", Id="inbox"),
        types("DistinguishedFolderId", Id="calendar"),
    )
    events = with_children(types("EventTypes"), *(types("EventType", name) for name in _EVENTS))
    request = with_children(messages("StreamingSubscriptionRequest"), folders, events)
    return Call("Subscribe", with_children(messages("Subscribe"), request))


def read_subscription(reply: Envelope, *, mailbox: str) -> str:
    """Return the subscription's id; raises what the response code says."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to Subscribe", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem:
        raise error_for(message.problem, mailbox=mailbox)
    ident = text_of(message.element, "SubscriptionId")
    if not ident:
        raise GarbledReplyError("a subscription without id", code="no-id", mailbox=mailbox)
    return ident


def listen(subscription: str, minutes: int) -> Call:
    """Ask for the stream of a subscription, for at most so many minutes."""
    body = with_children(
        messages("GetStreamingEvents"),
        with_children(messages("SubscriptionIds"), types("SubscriptionId", subscription)),
        messages("ConnectionTimeout", str(minutes)),
    )
    return Call("GetStreamingEvents", body)


def read_news(envelope: Envelope, *, mailbox: str) -> News:
    """Read one envelope of the stream."""
    if envelope.fault:
        return News(closed=True, error=error_for(envelope.fault, mailbox=mailbox))
    events = closed = False
    error: ExchangeError | None = None
    for message in envelope.messages:
        if message.problem:
            error = error_for(message.problem, mailbox=mailbox)
        closed = closed or text_of(message.element, "ConnectionStatus") == "Closed"
        for notification in children(child(message.element, "Notifications"), "Notification"):
            events = events or any(_tells(event) for event in children(notification))
    return News(events, closed or error is not None, error)


def _tells(event: Element) -> bool:
    """Whether an item is concerned. A folder changes with each of its items, which is told beside it, and by our own marks."""
    folder_alone = child(event, "FolderId") is not None and child(event, "ItemId") is None
    return local(event).endswith("Event") and local(event) != "StatusEvent" and not folder_alone


def unsubscribe(subscription: str) -> Call:
    """End a subscription."""
    return Call("Unsubscribe", with_children(messages("Unsubscribe"), messages("SubscriptionId", subscription)))
