"""What is asked of Graph about events: which properties, how much at once, in which form.

Source: Graph v1.0, "List events", "Get event", "Get singleValueLegacyExtendedProperty", "Use query parameters".
"""

from greenroom.exchange.graph.call import Call, path
from greenroom.exchange.graph.events import (
    CLEAN_GLOBAL_OBJECT_ID,
    END_WHOLE,
    GLOBAL_OBJECT_ID,
    OWNER_CRITICAL_CHANGE,
    SEQUENCE,
    START_WHOLE,
)

MOST_LISTED = 500
"""Light events in one page; Graph allows up to 1000."""
MOST_READ = 50
"""Whole events in one page: their bodies travel along."""

HTML = 'outlook.body-content-type="html"'
UNSAFE_HTML = "outlook.allow-unsafe-html"

_LIGHT = (
    "id,changeKey,lastModifiedDateTime,iCalUId,type,seriesMasterId,originalStart,subject,start,end,isAllDay,isCancelled,"
    "sensitivity,responseStatus"
)
_WHOLE = (
    f"{_LIGHT},createdDateTime,originalStartTimeZone,recurrence,organizer,isOrganizer,attendees,responseRequested,"
    "location,locations,body"
)
_LIGHT_PROPERTIES = (CLEAN_GLOBAL_OBJECT_ID, START_WHOLE, END_WHOLE, OWNER_CRITICAL_CHANGE)
_WHOLE_PROPERTIES = (*_LIGHT_PROPERTIES, GLOBAL_OBJECT_ID, SEQUENCE)
_EXCEPTIONS = "exceptionOccurrences($select=id,type,originalStart,start,end,isCancelled)"


def properties(*names: str) -> str:
    """Expand extended properties."""
    wanted = " or ".join(f"id eq '{name}'" for name in names)
    return f"singleValueExtendedProperties($filter={wanted})"


def list_light(mailbox: str, *, where: str, order: str = "", top: int = MOST_LISTED) -> Call:
    """List what a glance needs: single meetings and masters."""
    query = {"$filter": where, "$orderby": order, "$top": str(top), "$select": _LIGHT}
    query["$expand"] = properties(*_LIGHT_PROPERTIES)
    return Call("ListEvents", "GET", _events(mailbox), mailbox, {k: v for k, v in query.items() if v})


def list_whole(mailbox: str, *, where: str, order: str = "", top: int = MOST_READ) -> Call:
    """List events with everything an observation needs, but a series' exceptions, which lists do not have."""
    query = {"$filter": where, "$orderby": order, "$top": str(top), "$select": _WHOLE}
    query["$expand"] = properties(*_WHOLE_PROPERTIES)
    return Call("ListEvents", "GET", _events(mailbox), mailbox, {k: v for k, v in query.items() if v}, prefer=(HTML,))


def get_whole(mailbox: str, ident: str, *, exceptions: bool = False) -> Call:
    """Read one event; with `exceptions`, which only masters have, also what differs from their rule."""
    query = {"$select": _WHOLE, "$expand": properties(*_WHOLE_PROPERTIES)}
    if exceptions:
        query = {"$select": f"{_WHOLE},cancelledOccurrences", "$expand": f"{query['$expand']},{_EXCEPTIONS}"}
    return Call("GetEvent", "GET", event_path(mailbox, ident), mailbox, query, prefer=(HTML,))


def event_path(mailbox: str, ident: str, *rest: str) -> str:
    """Return the path of one event, or of something below it."""
    return path("users", mailbox, "events", ident, *rest)


def quoted(text: str) -> str:
    """Write a text as an OData string literal."""
    return "'" + text.replace("'", "''") + "'"


def _events(mailbox: str) -> str:
    return path("users", mailbox, "calendar", "events")
