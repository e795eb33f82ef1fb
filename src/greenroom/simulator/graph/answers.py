"""Accept, tentatively accept, decline, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph import entries, events
from greenroom.simulator.graph.call import GraphReply
from greenroom.simulator.graph.errors import invalid_request
from greenroom.simulator.graph.fields import flag, members, text
from greenroom.simulator.graph.times import read_moment
from greenroom.simulator.model import Body

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.model import Answer, Disposition

_NOT_REQUESTED: Final = "The meeting organizer hasn't requested a response."


def _parameters(call: GraphCall) -> dict[str, Any]:
    """The parameters of an action, whose names may be in any case."""
    given = {} if call.body is None else members(call.body, "parameters")
    return {name.lower(): value for name, value in given.items()}


def _comment(parameters: dict[str, Any]) -> Body | None:
    comment = text(parameters.get("comment"), "Comment")
    return Body(comment, "Text") if comment else None


def _sends_response(parameters: dict[str, Any]) -> bool:
    value = parameters.get("sendresponse")
    return True if value is None else flag(value, "SendResponse")


def respond(answer: Answer) -> Callable[[GraphCall], GraphReply]:
    """`POST …/events/{id}/accept` and the like: 202 without a body; declining takes the event out of the calendar."""

    def act(call: GraphCall) -> GraphReply:
        parameters = _parameters(call)
        body, sends = _comment(parameters), _sends_response(parameters)
        _check_proposal(parameters)
        entry = entries.find(call, call.path["id"])
        if sends and not entry.item.is_organizer and not entry.meeting.response_requested:
            raise invalid_request(_NOT_REQUESTED)
        disposition: Disposition = "SendAndSaveCopy" if sends else "SaveOnly"
        if entry.of_series and entry.original is not None:
            call.exchange.respond_to_occurrence(
                call.mailbox, entry.item.id, entry.original, answer, body=body, disposition=disposition
            )
        else:
            call.exchange.respond(call.mailbox, entry.item.id, answer, body=body, disposition=disposition)
        return GraphReply(202)

    return act


def _check_proposal(parameters: dict[str, Any]) -> None:
    """A proposed new time is read, so that nonsense is refused, and goes no further: nobody here looks at proposals."""
    if parameters.get("proposednewtime") is not None:
        slot = members(parameters["proposednewtime"], "ProposedNewTime")
        for name in ("start", "end"):
            read_moment(slot.get(name), name)


def sends(call: GraphCall) -> bool:
    """Whether an answer goes out as a message."""
    if call.body is None:
        return True
    if not isinstance(call.body, dict):
        return False
    return all(value not in (False, "false") for name, value in call.body.items() if name.lower() == "sendresponse")


def cancel(call: GraphCall) -> GraphReply:
    """`POST …/events/{id}/cancel`, for organizers."""
    parameters = _parameters(call)
    body = _comment(parameters)
    entry = entries.find(call, call.path["id"])
    events.check_etag(call, entry)
    if not entry.item.is_organizer:
        raise invalid_request("You need to be an organizer to cancel a meeting.")
    if not (entry.item.is_meeting or entry.item.is_invited_to):
        raise invalid_request("The event has no attendees.")
    if entry.of_series and entry.original is not None:
        call.exchange.delete_occurrence(
            call.mailbox, entry.item.id, entry.original, body=body, send="SendToAllAndSaveCopy"
        )
    else:
        call.exchange.cancel_meeting(call.mailbox, entry.item.id, body=body)
    return GraphReply(202)
