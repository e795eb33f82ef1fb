"""List, get, create, change and delete events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph import drafts, entries, ids, odata, online, ordered, rendering
from greenroom.simulator.graph.call import GraphError, GraphReply
from greenroom.simulator.graph.errors import bad, conflict
from greenroom.simulator.model import Body
from greenroom.simulator.occurrences import OccurrenceInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry
    from greenroom.simulator.model import CalendarItem, SendUpdates

_ETAG: Final = re.compile(r'\s*(?:W/)?"?([^"]*)"?\s*')


def address_of(call: GraphCall, template: str) -> str:
    """The address of a route, its placeholders filled as this call filled them."""
    return template.format_map({name: ids.quoted(value) for name, value in call.path.items()})


def listing(template: str) -> Callable[[GraphCall], GraphReply]:
    """`GET …/events`: single events and series, and occurrences whose series is not here."""

    def answer(call: GraphCall) -> GraphReply:
        options = odata.read(call)
        found, is_sorted = ordered.calendar(call, options)
        return GraphReply(body=odata.page(call, found, options, address_of(call, template), is_sorted=is_sorted))

    return answer


def get(call: GraphCall) -> GraphReply:
    """`GET …/events/{id}`."""
    options = odata.read(call, single=True)
    return GraphReply(body=_single(call, entries.find(call, call.path["id"]), options))


def _single(call: GraphCall, entry: Entry, options: odata.Options) -> dict[str, Any]:
    is_series = entry.type == "seriesMaster"
    if options.exceptions is not None and not is_series:
        raise bad("ErrorInvalidUrlQuery", "'exceptionOccurrences' can be expanded of a series only.")
    event = options.render(call, entry)
    if not is_series:
        event.pop("cancelledOccurrences", None)
    if options.exceptions is not None:
        changes = entry.item.meeting.modified
        spans = [OccurrenceInfo(one.original_start, one.start, one.end) for one in changes]
        event["exceptionOccurrences"] = [
            options.exceptions.render(call, entries.of_occurrence(entry.item, one)) for one in spans
        ]
    return _in_context(call, event)


def _in_context(call: GraphCall, event: dict[str, Any]) -> dict[str, Any]:
    user = ids.quoted(call.path.get("user", ""))
    return {"@odata.context": f"{call.base}/$metadata#users('{user}')/events/$entity", **event}


def create(call: GraphCall) -> GraphReply:
    """`POST …/events`: invitations go out. The same transactionId again gives the event that is there already."""
    options = odata.read(call, single=True)
    draft = drafts.read(call.body)
    item = _same_transaction(call, draft.transaction)
    if item is None:
        if draft.online:
            draft.meeting["body"] = _with_teams(call, draft.meeting.get("body", Body()))
        item = call.exchange.create_meeting(call.mailbox, draft.meeting, "SendToAllAndSaveCopy")
    entry = entries.of_item(item)
    body = _single(call, entry, options)
    user = ids.quoted(call.path.get("user", ""))
    location = f"{call.base}/users/{user}/events/{entry.id(immutable=call.prefer.immutable_ids)}"
    return GraphReply(201, body, {"Location": location})


def _same_transaction(call: GraphCall, transaction: str) -> CalendarItem | None:
    if not transaction:
        return None
    events = entries.calendar(call)
    same = (one.item for one in events if one.item.extended.get(rendering.TRANSACTION) == transaction)
    return next(same, None)


def _with_teams(call: GraphCall, body: Body) -> Body:
    return body if online.join_url(body) else online.add(body, call.exchange.site.random(16).hex())


def check_etag(call: GraphCall, entry: Entry) -> None:
    """Check If-Match. Raises GraphError (412) when the event was changed since."""
    wanted = call.headers.get("if-match", "").strip()
    match = _ETAG.fullmatch(wanted)
    if wanted and wanted != "*" and (match is None or match[1] != entry.item.change_key):
        raise conflict()


def update(call: GraphCall) -> GraphReply:
    """`PATCH …/events/{id}`: by the organizer it sends updates, by others it changes the own copy."""
    options = odata.read(call, single=True)
    entry = entries.find(call, call.path["id"])
    check_etag(call, entry)
    draft = drafts.read(call.body, entry.meeting)
    meeting, item = draft.meeting, entry.item
    if draft.online and item.is_organizer:
        body = meeting.get("body", entry.shown.body)
        if online.join_url(body) is None:
            meeting["body"] = _with_teams(call, body)
    send = _whom_to_tell(item, draft)
    if entry.of_series and entry.original is not None:
        call.exchange.update_occurrence(call.mailbox, item.id, entry.original, meeting, send=send)
    else:
        had_exceptions = bool(item.meeting.modified)
        call.exchange.update_item(call.mailbox, item.id, meeting, send=send)
        if had_exceptions and "ToAll" in send and item.meeting.is_series:
            call.exchange.send_exceptions(call.mailbox, item.id)
    fresh = entries.find(call, call.path["id"])
    return GraphReply(body=_single(call, fresh, options))


def _whom_to_tell(item: CalendarItem, draft: drafts.EventDraft) -> SendUpdates:
    if not item.is_organizer or draft.is_private:
        return "SendToNone"
    return "SendToChangedAndSaveCopy" if draft.said - drafts.PRIVATE == {"attendees"} else "SendToAllAndSaveCopy"


def delete(call: GraphCall) -> GraphReply:
    """`DELETE …/events/{id}`: by the organizer it cancels the meeting."""
    entry = entries.find(call, call.path["id"])
    check_etag(call, entry)
    if entry.of_series and entry.original is not None:
        call.exchange.delete_occurrence(call.mailbox, entry.item.id, entry.original, send="SendToAllAndSaveCopy")
    else:
        tells = entry.item.is_organizer and entry.item.is_invited_to
        call.exchange.delete_item(
            call.mailbox, entry.item.id, send_cancellations="SendToAllAndSaveCopy" if tells else "SendToNone"
        )
    return GraphReply(204)


# --- whether a call sends mail, which Exchange Online counts ------------------------------------------------------------


def create_sends(call: GraphCall) -> bool:
    """Whether a POST invites anybody."""
    return isinstance(call.body, dict) and bool(call.body.get("attendees"))


def update_sends(call: GraphCall) -> bool:
    """Whether a PATCH tells anybody."""
    entry = found(call)
    said = frozenset(call.body) if isinstance(call.body, dict) else frozenset()
    has_people = entry is not None and bool(
        entry.meeting.attendees or (isinstance(call.body, dict) and call.body.get("attendees"))
    )
    return entry is not None and entry.item.is_organizer and has_people and not said <= drafts.PRIVATE


def delete_sends(call: GraphCall) -> bool:
    """Whether a DELETE or a cancellation tells anybody."""
    entry = found(call)
    return entry is not None and entry.item.is_organizer and entry.item.is_invited_to and not entry.meeting.is_cancelled


def found(call: GraphCall) -> Entry | None:
    """The event of the address, None where there is none."""
    try:
        return entries.find(call, call.path["id"])
    except GraphError:
        return None
