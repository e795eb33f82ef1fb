"""What events can be filtered and sorted by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.graph import extended
from greenroom.simulator.graph.call import GraphError
from greenroom.simulator.graph.filters import Collection, Column
from greenroom.simulator.graph.rendering import PROPERTIES, Hand

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry

_TEXTS: Final = (
    "id", "changeKey", "iCalUId", "importance", "sensitivity", "seriesMasterId", "showAs", "subject", "transactionId", "type",
    "bodyPreview",
)  # fmt: skip
_FLAGS: Final = (
    "hasAttachments", "isAllDay", "isCancelled", "isDraft", "isOnlineMeeting", "isOrganizer", "isReminderOn",
    "responseRequested",
)  # fmt: skip
_TIMES: Final[dict[str, Callable[[Entry], datetime | None]]] = {
    "createdDateTime": lambda entry: entry.item.created,
    "lastModifiedDateTime": lambda entry: entry.item.modified,
    "originalStart": lambda entry: entry.original,
    "start/dateTime": lambda entry: entry.meeting.start,
    "end/dateTime": lambda entry: entry.meeting.end,
}
_INSIDE: Final = {
    "organizer/emailAddress/address": ("organizer", "emailAddress", "address"),
    "organizer/emailAddress/name": ("organizer", "emailAddress", "name"),
    "location/displayName": ("location", "displayName"),
    "responseStatus/response": ("responseStatus", "response"),
}


def columns(call: GraphCall) -> dict[str, Column]:
    """The columns of events as this call would see them."""

    def plain(name: str) -> Callable[[Entry], object]:
        return lambda entry: PROPERTIES[name](Hand(call, entry))

    def inside(path: tuple[str, ...]) -> Callable[[Entry], object]:
        def value(entry: Entry) -> object:
            found = PROPERTIES[path[0]](Hand(call, entry))
            for name in path[1:]:
                found = found[name]
            return found

        return value

    exact = {"id", "changeKey", "seriesMasterId"}
    return {
        **{name: Column("exact" if name in exact else "text", plain(name)) for name in _TEXTS},
        **{name: Column("flag", plain(name)) for name in _FLAGS},
        **{name: Column("time", value) for name, value in _TIMES.items()},
        **{name: Column("text", inside(path)) for name, path in _INSIDE.items()},
    }


def collections(call: GraphCall) -> dict[str, Collection]:
    """The collections of events that `any` can look into."""

    def canonical(text: str) -> str:
        return extended.write_id(extended.read_id(text))

    def values(entry: Entry, texts: tuple[str, ...]) -> list[tuple[str, str]]:
        pairs = []
        for text in texts:
            try:
                tag = extended.read_id(text)
            except GraphError:
                continue  # a value, not the id of a property
            value = extended.value_of(call.exchange, entry, tag)
            if value is not None:
                pairs.append((extended.write_id(tag), value))
        return pairs

    pair = {
        "id": Column("exact", lambda one: one[0], canonical),
        "value": Column("exact", lambda one: one[1]),
    }
    return {
        "singleValueExtendedProperties": Collection(pair, values),
        "categories": Collection(
            {"": Column("text", lambda one: one)}, lambda entry, _: PROPERTIES["categories"](Hand(call, entry))
        ),
    }
