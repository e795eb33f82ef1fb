"""Every operation of the Graph face on calendars and events, by method and address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.errors import StoreError
from greenroom.simulator.graph import answers, delta, directory, events, views
from greenroom.simulator.graph.call import Route
from greenroom.simulator.graph.errors import not_found, of_store
from greenroom.simulator.graph.ids import from_url
from greenroom.simulator.graph.times import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.simulator.graph.call import GraphCall, GraphReply

CALENDARS: Final = ("users/{user}", "users/{user}/calendar", "users/{user}/calendars/{calendar}")
"""Where a calendar's events are: every operation on events exists below each of these."""


def guarded(answer: Callable[[GraphCall], GraphReply]) -> Callable[[GraphCall], GraphReply]:
    """An operation whose refusals are in Graph's words, after what all operations have in common was looked at."""

    def guard(call: GraphCall) -> GraphReply:
        zone_named(call.prefer.time_zone)  # before anything is done, not when its result is to be shown
        try:
            calendar = call.path.get("calendar")
            if calendar is not None and from_url(calendar) != call.exchange.folder(call.mailbox, "calendar").id:
                raise not_found()
            return answer(call)
        except StoreError as error:
            raise of_store(error) from None

    return guard


def _of_calendar(place: str) -> list[Route]:
    many, one = f"{place}/events", f"{place}/events/{{id}}"
    return [
        Route("GET", many, "ListEvents", guarded(events.listing(many))),
        Route("POST", many, "CreateEvent", guarded(events.create), events.create_sends),
        Route("GET", one, "GetEvent", guarded(events.get)),
        Route("PATCH", one, "UpdateEvent", guarded(events.update), events.update_sends),
        Route("DELETE", one, "DeleteEvent", guarded(events.delete), events.delete_sends),
        Route("POST", f"{one}/accept", "AcceptEvent", guarded(answers.respond("Accept")), answers.sends),
        Route("POST", f"{one}/decline", "DeclineEvent", guarded(answers.respond("Decline")), answers.sends),
        Route(
            "POST",
            f"{one}/tentativelyAccept",
            "TentativelyAcceptEvent",
            guarded(answers.respond("Tentative")),
            answers.sends,
        ),
        Route("POST", f"{one}/cancel", "CancelEvent", guarded(answers.cancel), events.delete_sends),
    ]


def _views(place: str) -> list[Route]:
    """A default calendar may be left out of the address of its view."""
    many, one = f"{place}/calendarView", f"{place}/calendarView/delta"
    instances = f"{place}/events/{{id}}/instances"
    return [
        Route("GET", instances, "ListInstances", guarded(views.instances(instances))),
        Route("GET", many, "ListCalendarView", guarded(views.calendar_view(many))),
        Route("GET", one, "DeltaCalendarView", guarded(delta.delta(one))),
    ]


_DIRECTORY: Final = (
    Route("GET", "users/{user}", "GetUser", guarded(directory.user)),
    Route("GET", "users/{user}/calendar", "GetCalendar", guarded(directory.calendar)),
    Route("GET", "users/{user}/calendars/{calendar}", "GetCalendar", guarded(directory.calendar)),
    Route("PATCH", "users/{user}/calendar", "UpdateCalendar", guarded(directory.update_calendar)),
    Route("PATCH", "users/{user}/calendars/{calendar}", "UpdateCalendar", guarded(directory.update_calendar)),
    Route("GET", "users/{user}/calendars", "ListCalendars", guarded(directory.calendars("users/{user}/calendars"))),
    Route("POST", "users/{user}/translateExchangeIds", "TranslateIds", guarded(directory.translate_ids)),
)
ROUTES: Final[tuple[Route, ...]] = (
    *(route for place in CALENDARS for route in (*_of_calendar(place), *_views(place))),
    *_DIRECTORY,
)
