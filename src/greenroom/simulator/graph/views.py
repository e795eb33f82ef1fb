"""Occurrences: the instances of a series, and the calendar within a span with all series expanded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from greenroom.simulator.graph import entries, odata
from greenroom.simulator.graph.call import GraphReply
from greenroom.simulator.graph.errors import bad, invalid_request
from greenroom.simulator.graph.events import address_of
from greenroom.simulator.graph.times import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall

_LONGEST: Final = timedelta(days=1825)


def span(call: GraphCall) -> tuple[datetime, datetime]:
    """The window of a call. Raises GraphError (400) where it is missing, reversed or longer than five years."""
    query = odata.given(call)
    found = [parse(query.get(name, "")) for name in ("startdatetime", "enddatetime")]
    start, end = found
    if start is None or end is None:
        raise bad(
            "ErrorInvalidRequest",
            "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
        )
    if end < start:
        raise bad("ErrorInvalidRequest", "The end of the time window lies before its start.")
    if end - start > _LONGEST:
        raise bad("ErrorInvalidRequest", "The requested time duration exceeds the limit of 1825 days.")
    return start, end


def calendar_view(template: str) -> Callable[[GraphCall], GraphReply]:
    """`GET …/calendarView?startDateTime=…&endDateTime=…`."""

    def answer(call: GraphCall) -> GraphReply:
        options = odata.read(call)
        found = entries.view(call, *span(call))
        return GraphReply(body=odata.page(call, found, options, address_of(call, template)))

    return answer


def instances(template: str) -> Callable[[GraphCall], GraphReply]:
    """`GET …/events/{id}/instances?startDateTime=…&endDateTime=…`, of a series."""

    def answer(call: GraphCall) -> GraphReply:
        options = odata.read(call)
        window = span(call)
        entry = entries.find(call, call.path["id"])
        if entry.type != "seriesMaster":
            raise invalid_request("Only a series has instances.")
        found = entries.instances(entry.item, *window)
        return GraphReply(body=odata.page(call, found, options, address_of(call, template)))

    return answer
