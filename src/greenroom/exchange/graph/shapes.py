"""What is asked of Graph about events: which properties, how much at once, in which form.

Source: Graph v1.0, "List events", "Get event", "Get singleValueLegacyExtendedProperty", "Use query parameters".
"""

from dataclasses import replace
from datetime import datetime
from enum import IntEnum

from greenroom.exchange.graph.call import Call, path
from greenroom.exchange.graph.events import (
    CLEAN_GLOBAL_OBJECT_ID,
    END_WHOLE,
    GLOBAL_OBJECT_ID,
    OWNER_CRITICAL_CHANGE,
    SEQUENCE,
    START_WHOLE,
    ZONE_OF_SERIES,
)
from greenroom.exchange.graph.rule_blob import RULE
from greenroom.exchange.graph.values import stamp

MOST_LISTED = 500
"""Light events in one page; Graph allows up to 1000."""
MOST_READ = 50
"""Whole events in one page: their bodies travel along."""
_INSTANCES = 50

HTML = 'outlook.body-content-type="html"'
UNSAFE_HTML = "outlook.allow-unsafe-html"

_LIGHT = (
    "id,changeKey,lastModifiedDateTime,iCalUId,type,seriesMasterId,originalStart,subject,start,end,isAllDay,isCancelled,"
    "sensitivity,responseStatus,originalStartTimeZone"
)
_WHOLE = (
    f"{_LIGHT},createdDateTime,recurrence,organizer,isOrganizer,attendees,responseRequested,location,locations,body"
)
_LIGHT_PROPERTIES = (CLEAN_GLOBAL_OBJECT_ID, GLOBAL_OBJECT_ID, START_WHOLE, END_WHOLE, OWNER_CRITICAL_CHANGE)
_WHOLE_PROPERTIES = (*_LIGHT_PROPERTIES, SEQUENCE, ZONE_OF_SERIES)


class Depth(IntEnum):
    """How much of what differs from a series is asked for with its master."""

    NOTHING = 0
    TIMES = 1
    ANSWERS = 2


_TIMES = "id,type,originalStart,start,end,isAllDay,isCancelled"
_EXCEPTIONS = {Depth.TIMES: _TIMES, Depth.ANSWERS: f"{_TIMES},responseStatus"}


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
    query["$expand"] = properties(*_WHOLE_PROPERTIES, RULE)
    return Call("ListEvents", "GET", _events(mailbox), mailbox, {k: v for k, v in query.items() if v}, prefer=(HTML,))


def lightened(call: Call, *, top: int = MOST_READ) -> Call:
    """Ask for the same list with what a glance needs."""
    light = {"$top": str(top), "$select": _LIGHT, "$expand": properties(*_LIGHT_PROPERTIES)}
    return replace(call, query={**call.query, **light}, prefer=())


def get_whole(mailbox: str, ident: str, depth: Depth = Depth.NOTHING) -> Call:
    """Read one event; only masters have any depth."""
    query = {"$select": _WHOLE, "$expand": properties(*_WHOLE_PROPERTIES)}
    if depth:
        expand = f"{query['$expand']},exceptionOccurrences($select={_EXCEPTIONS[depth]})"
        query = {"$select": f"{_WHOLE},cancelledOccurrences", "$expand": expand}
    return Call("GetEvent", "GET", event_path(mailbox, ident), mailbox, query, prefer=(HTML,))


def instances(
    mailbox: str, ident: str, start: datetime, end: datetime, *, select: str, prefer: tuple[str, ...]
) -> Call:
    """List the occurrences of a series that take place in a window of time."""
    query = {
        "startDateTime": stamp(start),
        "endDateTime": stamp(end),
        "$top": str(_INSTANCES),
        "$select": select,
    }
    return Call("ListInstances", "GET", event_path(mailbox, ident, "instances"), mailbox, query, prefer=prefer)


def event_path(mailbox: str, ident: str, *rest: str) -> str:
    """Return the path of one event, or of something below it."""
    return path("users", mailbox, "events", ident, *rest)


def quoted(text: str) -> str:
    """Write a text as an OData string literal."""
    return "'" + text.replace("'", "''") + "'"


def _events(mailbox: str) -> str:
    return path("users", mailbox, "calendar", "events")
