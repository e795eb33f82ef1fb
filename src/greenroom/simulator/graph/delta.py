"""`calendarView/delta`: what changed within a fixed span since a token was given.

As documented for event-delta: occurrences are minimal, masters and single events whole; what was deleted, and what merely
left the span, is `@removed`; the same event may come several times; only odata.maxpagesize, outlook.timezone and IdType
are heard. A token holds all there is to know, nothing is remembered here.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.graph import entries, ids, odata
from greenroom.simulator.graph.call import GraphError, GraphReply
from greenroom.simulator.graph.errors import bad, unparsable
from greenroom.simulator.graph.events import address_of
from greenroom.simulator.graph.rendering import render
from greenroom.simulator.graph.times import parse
from greenroom.simulator.graph.views import span
from greenroom.simulator.model import CalendarItem
from greenroom.simulator.occurrences import original_day, touches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry

_PAGE: Final = 50
_MAX_TOKEN: Final = 4096
_MINIMAL: Final = frozenset({"id", "type", "seriesMasterId", "start", "end"})
_HEARD: Final = frozenset({"startdatetime", "enddatetime", "deltatoken", "skiptoken"})


@dataclass(frozen=True, slots=True)
class _Token:
    """Where a round stands: the changes in (floor, top] of the calendar's log are told from the newest on.

    Those numbered `below` and lower are still to be told, of the first of them `inside` entries were.
    """

    generation: int
    mailbox: str
    start: str
    end: str
    floor: int
    top: int
    below: int
    inside: int

    def encode(self) -> str:
        raw = json.dumps(astuple(self)).encode()
        return base64.urlsafe_b64encode(zlib.crc32(raw).to_bytes(4, "big") + raw).decode().rstrip("=")


def _decode(text: str) -> _Token:
    refusal = bad("BadRequest", "The delta token is malformed.")
    try:
        blob = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) <= _MAX_TOKEN else b""
        if zlib.crc32(blob[4:]).to_bytes(4, "big") != blob[:4]:
            raise refusal
        parts = json.loads(blob[4:])
    except (binascii.Error, ValueError, RecursionError):
        raise refusal from None
    kinds = [int, str, str, str, int, int, int, int]
    if not isinstance(parts, list) or [type(part) for part in parts] != kinds:
        raise refusal
    return _Token(*parts)


def delta(template: str) -> Callable[[GraphCall], GraphReply]:
    """`GET …/calendarView/delta`, with a window, a $deltatoken or a $skiptoken."""

    def answer(call: GraphCall) -> GraphReply:
        token = _token(call)
        wanted = min(size for size in (call.prefer.page_size or _PAGE, odata.PAGING.at_most or odata.MAX_TOP))
        told: list[dict[str, Any]] = []
        following = None
        for number, index, event in _round(call, token):
            if len(told) >= wanted:
                following = replace(token, below=number, inside=index)
                break
            told.append(event)
        address = address_of(call, template)
        body: dict[str, Any] = {"@odata.context": f"{call.base}/$metadata#Collection(event)"}
        if following is not None:
            body["@odata.nextLink"] = odata.link(call, address, {"$skiptoken": following.encode()})
        else:
            over = _Token(token.generation, token.mailbox, token.start, token.end, token.top, token.top, 0, 0)
            body["@odata.deltaLink"] = odata.link(call, address, {"$deltatoken": over.encode()})
        return GraphReply(body={**body, "value": told})

    return answer


def _token(call: GraphCall) -> _Token:
    query = odata.given(call)
    unheard = [name for name in call.query if name.startswith("$") and name[1:].lower() not in _HEARD]
    if unheard:
        raise unparsable("The query parameters $select, $expand, $filter, $orderby and $search are not supported.")
    site = call.exchange.site
    newest = site.store(call.mailbox).number
    text = query.get("skiptoken") or query.get("deltatoken")
    if text is None:
        start, end = span(call)
        return _Token(site.generation, call.mailbox, start.isoformat(), end.isoformat(), 0, newest, newest, 0)
    token = _decode(text)
    if token.generation != site.generation or token.mailbox != call.mailbox or token.top > newest:
        raise GraphError(
            410, "syncStateNotFound", "The sync state generation is not found; the whole has to be read again."
        )
    if "skiptoken" in query:
        return token
    return _Token(token.generation, token.mailbox, token.start, token.end, token.top, newest, newest, 0)


def _round(call: GraphCall, token: _Token) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Everything still to be told, each with the number of its change and its place within that."""
    start, end = parse(token.start), parse(token.end)
    if start is None or end is None:
        raise bad("BadRequest", "The delta token is malformed.")
    store = call.exchange.site.store(call.mailbox)
    calendar = store.folder("calendar").id
    for number, item_id, _ in store.logs[calendar].changes(token.floor, token.top):
        if number > token.below:
            continue
        item = store.items.get(item_id)
        here = isinstance(item, CalendarItem) and item.folder_id == calendar
        if isinstance(item, CalendarItem) and here:
            events = _told(call, item, start, end, fresh=token.floor == 0)
        else:
            events = [] if token.floor == 0 else _gone(call, item_id)
        for index, event in enumerate(events):
            if number != token.below or index >= token.inside:
                yield number, index, event


def _gone(call: GraphCall, item_id: str) -> list[dict[str, Any]]:
    """What is said of an id that left the calendar: nothing, where its item came back and the client sees it by another."""
    if not call.prefer.immutable_ids:
        return [_removed(ids.url_safe(item_id))]
    store = call.exchange.site.store(call.mailbox)
    immutable = store.immutable_id_of(item_id)
    try:
        back = store.get_immutable(immutable).folder_id == store.folder("calendar").id
    except NoSuchItem:
        back = False
    return [] if back else [_removed(ids.url_safe(immutable))]


def _removed(event_id: str) -> dict[str, Any]:
    return {"id": event_id, "@removed": {"reason": "deleted"}}


def _told(call: GraphCall, item: CalendarItem, start: datetime, end: datetime, *, fresh: bool) -> list[dict[str, Any]]:
    """What is said of an item that changed. A first round (`fresh`) does not speak of what is not there."""
    immutable = call.prefer.immutable_ids
    master = entries.of_item(item)
    if not item.meeting.is_series:
        if touches(item.meeting.start, item.meeting.end, start, end):
            return [render(call, master)]
        return [] if fresh else [_removed(master.id(immutable=immutable))]
    inside = entries.instances(item, start, end)
    told = [render(call, master)] if inside else []
    told += [_one(call, entry) for entry in inside]
    if fresh:
        return told
    own = ids.item_id(item, immutable=immutable)
    away = [one.start for one in item.meeting.deleted if start <= one.start < end]
    away += [
        one.original_start for one in item.meeting.modified
        if start <= one.original_start < end and not touches(one.start, one.end, start, end)
    ]  # fmt: skip
    told += [_removed(ids.occurrence_id(own, original_day(item.meeting, moment))) for moment in away]
    return told or [_removed(own)]


def _one(call: GraphCall, entry: Entry) -> dict[str, Any]:
    return render(call, entry, _MINIMAL if entry.type == "occurrence" else None)
