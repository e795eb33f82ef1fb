"""What Graph says when it refuses, made from what the store refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.errors import IrresolvableConflict, NoSuchFolder, NoSuchItem, NoSuchMailbox, StoreError
from greenroom.simulator.graph.call import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable


_UNABLE: Final = "Your request can't be completed."


def bad(code: str, message: str) -> GraphError:
    """A 400."""
    return GraphError(400, code, message)


def unreadable(message: str) -> GraphError:
    """A body that is no JSON of the expected shape."""
    return bad("RequestBodyRead", message)


def invalid_request(message: str) -> GraphError:
    """Something that the event does not allow."""
    return bad("ErrorInvalidRequest", f"{_UNABLE} {message}")


def unparsable(message: str) -> GraphError:
    """A query option that cannot be read."""
    return bad("RequestBroker--ParseUri", message)


def malformed_id() -> GraphError:
    """An id that is none."""
    return bad("ErrorInvalidIdMalformed", "Id is malformed.")


def not_found() -> GraphError:
    """An id of nothing that is here."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def conflict() -> GraphError:
    """An If-Match that is stale (Graph: 412)."""
    return GraphError(
        412,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not match "
        "the current change key for the item.",
    )


def of_store(error: StoreError) -> GraphError:
    """The refusal of the store in Graph's words."""
    for kind, make in _BY_KIND.items():
        if isinstance(error, kind):
            return make()
    if error.code == "ErrorAccessDenied":
        return GraphError(403, error.code, "Access is denied. Check credentials and try again.")
    for beginning, message in _INVALID.items():
        if error.code.startswith(beginning):
            return invalid_request(message)
    return bad(error.code, f"{error}.")


_BY_KIND: Final[dict[type[StoreError], Callable[[], GraphError]]] = {
    NoSuchItem: not_found,
    NoSuchFolder: not_found,
    IrresolvableConflict: conflict,
    NoSuchMailbox: lambda: GraphError(404, "ErrorInvalidUser", "The requested user is invalid."),
}
_INVALID: Final = {
    "ErrorCalendarIsOrganizerFor": "You can't respond to this meeting because you're the meeting organizer.",
    "ErrorCalendarIsCancelledFor": "You can't respond to this meeting because it has been canceled.",
    "ErrorCalendarIsNotOrganizer": "You need to be an organizer to cancel a meeting.",
}
