"""The organizer's own meeting: asking for its text whole, and writing what differs.

Source: Graph v1.0, "List events", "Get event", "Update event". By default Graph takes "potentially unsafe" HTML out of what it
shows; written back, such a body would cost the organizer's text, so it is asked for whole. `If-Match` makes a change by somebody
else since our reading an error (412). An update by the organizer is sent to the attendees; that cannot be kept back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from greenroom.exchange.addresses import address, is_x500
from greenroom.exchange.contract import Invitation
from greenroom.exchange.graph import locations, shapes
from greenroom.exchange.graph.call import Call, path
from greenroom.exchange.graph.events import CLEAN_GLOBAL_OBJECT_ID, Broken, Event, read_event
from greenroom.exchange.graph.finding import MOST_HITS
from greenroom.exchange.graph.locations import Place
from greenroom.exchange.graph.values import LONGEST_BODY

_TEXT = "id,changeKey,type,isCancelled,body,location,locations"
_OCCURRENCE = f"{_TEXT},start,end,originalStart,iCalUId,isAllDay,originalStartTimeZone"
_OWN = f"{_TEXT},iCalUId,seriesMasterId,isOrganizer,organizer,responseStatus"
_PREFER = (shapes.HTML, shapes.UNSAFE_HTML)
_MOST_EXCEPTIONS = 200


@dataclass(frozen=True, slots=True)
class Text:
    """The changeable text of one event, and which version of it."""

    ident: str
    etag: str
    invitation: Invitation
    places: tuple[Place, ...] = field(repr=False)
    ends: datetime | None = None
    cancelled: bool = False
    too_long: bool = False


def search(organizer: str, where: str) -> Call:
    """Search the organizer's calendar, with all that changing the text needs."""
    query = {
        "$filter": where,
        "$top": str(MOST_HITS),
        "$select": _OWN,
        "$expand": shapes.properties(CLEAN_GLOBAL_OBJECT_ID),
    }
    return Call("ListEvents", "GET", path("users", organizer, "calendar", "events"), organizer, query, prefer=_PREFER)


def instances(organizer: str, ident: str, start: datetime, end: datetime) -> Call:
    """List the occurrences of a series in a window of time, with their texts."""
    return shapes.instances(organizer, ident, start, end, select=_OCCURRENCE, prefer=_PREFER)


def get_exceptions(organizer: str, ident: str) -> Call:
    """Read the texts of a master's exceptions."""
    query = {
        "$select": "id,changeKey,type",
        "$expand": f"exceptionOccurrences($select={_OCCURRENCE})",
    }
    return Call("GetEvent", "GET", shapes.event_path(organizer, ident), organizer, query, prefer=_PREFER)


def read_text(raw: Any) -> Text | None:
    """Read the text of an event; None for what is none."""
    event = read_event(raw)
    if isinstance(event, Broken) or not isinstance(raw, dict):
        return None
    places = locations.places_of(raw)
    body = event.body
    return Text(
        event.id,
        event.etag or f'W/"{event.change_key}"',
        Invitation(body.html if body else "", locations.text_of(places)),
        places,
        event.ends,
        event.is_cancelled is True,
        _length(raw) > LONGEST_BODY or (body is not None and len(body.html) > LONGEST_BODY),
    )


def listed_in(raw: Any) -> list[Any]:
    """Return what a list holds, as it came."""
    return _some(raw, "value")


def exceptions_in(raw: Any) -> list[Any]:
    """Return the exceptions of a master, as they came."""
    return _some(raw, "exceptionOccurrences")


def _some(raw: Any, name: str) -> list[Any]:
    found = raw.get(name) if isinstance(raw, dict) else None
    return found[:_MOST_EXCEPTIONS] if isinstance(found, list) else []


def read_exceptions(raw: Any) -> list[Text]:
    """Read the texts of a master's exceptions; those that cannot be read are left out."""
    found = (read_text(one) for one in exceptions_in(raw))
    return [one for one in found if one is not None]


def occurrence_on(raws: Iterable[Any], day: date) -> Text | None:
    """Read the text of the occurrence first meant for this day; None if it is not among these, or is cancelled."""
    for raw in raws:
        event = read_event(raw)
        if isinstance(event, Event) and event.original_day == day and not event.is_cancelled:
            return read_text(raw)
    return None


def _length(raw: Mapping[str, Any]) -> int:
    body = raw.get("body")
    content = body.get("content") if isinstance(body, dict) else None
    return len(content) if isinstance(content, str) else 0


def update(organizer: str, text: Text, wanted: Invitation) -> Call | None:
    """Write what differs; None if nothing does."""
    body: dict[str, Any] = {}
    if wanted.body_html != text.invitation.body_html:
        body["body"] = {"contentType": "html", "content": wanted.body_html}
    if wanted.location != text.invitation.location:
        body["locations"] = locations.changed(text.places, wanted.location)
    if not body:
        return None
    headers = {"If-Match": text.etag}
    target = shapes.event_path(organizer, text.ident)
    return Call("UpdateEvent", "PATCH", target, organizer, body=body, headers=headers, writes=True, sends=True)


def person(text: str) -> str:
    """Return the organizer's address as Graph takes it; empty for what is none."""
    found = address(text)
    return found if "@" in found and not is_x500(found) else ""
