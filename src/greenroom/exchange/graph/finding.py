"""Finding a meeting by its key in any mailbox we may read: by `iCalUId`, then by the clean global object id.

Source: Graph v1.0, event (iCalUId: the hex of the global object id, or the UID as it came from elsewhere), "Get
singleValueLegacyExtendedProperty" (filtering by value; a binary one is base64).
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from greenroom.exchange.graph.call import Call, RefusedError
from greenroom.exchange.graph.events import CLEAN_GLOBAL_OBJECT_ID, Broken, Event, raw_page, read_event
from greenroom.exchange.graph.shapes import quoted
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.meeting import MeetingKey

log = structlog.get_logger(__name__)

MOST_HITS = 10
_MOST_PAGES: Final = 20
_HEAD: Final = 40
_DATE: Final = 16
_FOREIGN: Final = b"vCal-Uid\x01\x00\x00\x00"


def uids_of(key: MeetingKey) -> tuple[str, ...]:
    """Return the iCalendar UIDs under which a meeting of this key may be listed; that of an occurrence holds its day."""
    raw = key.to_bytes()
    if day := key.occurrence:
        raw = raw[:_DATE] + day.year.to_bytes(2, "big") + bytes((day.month, day.day)) + raw[_DATE + 4 :]
    text = raw.hex()
    if raw[_HEAD:].startswith(_FOREIGN):
        foreign = raw[_HEAD + len(_FOREIGN) :].rstrip(b"\0").decode("utf-8", "replace")
        return (foreign, text.upper())
    return (text.upper(), text)


def wheres(key: MeetingKey) -> tuple[str, ...]:
    """Return the filters to be tried one after the other until something is found."""
    uids = [quoted(uid) for uid in uids_of(key)]
    value = quoted(b64encode(key.to_bytes()).decode("ascii"))
    prop = f"ep/id eq '{CLEAN_GLOBAL_OBJECT_ID}' and ep/value eq {value}"
    return (
        " or ".join(f"iCalUId eq {uid}" for uid in uids),
        f"singleValueExtendedProperties/Any(ep: {prop})",
    )


@dataclass(frozen=True, slots=True)
class Hit:
    """An event of this key, or one that cannot be read: as it came, and as it was read."""

    raw: Any = field(repr=False)
    row: Event | Broken


@dataclass(frozen=True, slots=True)
class Search:
    """What a search brought. `whole` is false where nothing was found and the server refused one of its ways, or came to no end."""

    hits: tuple[Hit, ...]
    whole: bool


async def search(transport: GraphTransport, mailbox: str, key: MeetingKey, make: Callable[[str], Call]) -> Search:
    """Search by each filter until something is found; `make` turns a filter into a list.

    Raises RefusedError where the mailbox is not here, or the server refuses to search at all.
    """
    refused: RefusedError | None = None
    ways, whole = wheres(key), True
    for number, where in enumerate(ways):
        try:
            hits, ended = await _pages(transport, mailbox, key, make(where))
        except RefusedError as error:
            if error.gone or error.elsewhere or (refused is not None and number + 1 == len(ways)):
                raise
            log.info("graph.find.refused", mailbox=mailbox, way=number, code=error.code)
            refused, whole = error, False
            continue
        if hits:
            return Search(hits, whole=True)
        whole = whole and ended
    return Search((), whole=whole)


async def _pages(transport: GraphTransport, mailbox: str, key: MeetingKey, call: Call) -> tuple[tuple[Hit, ...], bool]:
    """Look through pages until one holds the meeting, and say whether the list had an end: an empty page may not be the last."""
    answer = await transport.call(call)
    for _ in range(_MOST_PAGES):
        raws, link = raw_page(answer.body, mailbox)
        found = [Hit(raw, read_event(raw)) for raw in raws[:MOST_HITS]]
        hits = tuple(hit for hit in found if isinstance(hit.row, Broken) or hit.row.key == key)
        if hits or not link:
            return hits, True
        answer = await transport.follow(link, call)
    log.warning("graph.find.endless", mailbox=mailbox)
    return (), False
