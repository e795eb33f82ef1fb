"""Meetings that are booked in an organizer's calendar as a trial: made, found by their mark, cancelled.

Source: Graph v1.0, "Create event" (it invites the attendees), "List events" with a filter over
`singleValueExtendedProperties`, "Delete event" (by the organizer it tells the attendees), attendee (`status` stands on the
organizer's copy).
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from greenroom.exchange.contract import TRIAL, Access, Invitation, Permitted, Trial, TrialMeeting
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, MisconfiguredError, NotPermittedError
from greenroom.exchange.graph import shapes, values
from greenroom.exchange.graph.call import Call, RefusedError, path
from greenroom.exchange.graph.events import CLEAN_GLOBAL_OBJECT_ID, Event, ResponseStatus, raw_page, read_event
from greenroom.exchange.graph.facts import answered
from greenroom.exchange.graph.marks import name_of
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.meeting import ItemRef

_MOST: Final = 20
_SELECT: Final = "id,changeKey,iCalUId,type,start,body,location,attendees,isCancelled"
_UNKNOWN: Final = frozenset(
    {"ErrorInvalidUser", "Request_ResourceNotFound", "ErrorNonExistentMailbox", "MailboxNotFound"}
)


class Trials:
    """Looks into organizers' calendars and books trials there. `allowed`: the settings let us change them at all."""

    def __init__(self, transport: GraphTransport, *, allowed: bool) -> None:
        self._transport = transport
        self._allowed = allowed

    async def may_act_for(self, person: str) -> Permitted:
        """Open the calendar of somebody."""
        look = Call("GetCalendar", "GET", path("users", person, "calendar"), person, {"$select": "id"})
        try:
            await self._transport.call(look)
        except NotPermittedError as error:
            return Permitted(Access.NO, error.code)
        except RefusedError as error:
            if error.elsewhere:
                return Permitted(Access.NOT_FOUND if error.code in _UNKNOWN else Access.ELSEWHERE, error.code)
            raise for_mailbox(error, person) from error
        return Permitted(Access.YES)

    async def book(self, organizer: str, attendee: str, trial: Trial) -> None:
        """Book a meeting and invite the one attendee."""
        where = path("users", organizer, "calendar", "events")
        await self._as(
            Call("CreateEvent", "POST", where, organizer, body=_body(attendee, trial), writes=True, sends=True)
        )

    async def find(self, organizer: str, attendee: str) -> list[TrialMeeting]:
        """Return the trials of this attendee in somebody's calendar."""
        prop = f"ep/id eq '{name_of(TRIAL)}' and ep/value eq {shapes.quoted(attendee)}"
        query = {
            "$filter": f"singleValueExtendedProperties/Any(ep: {prop})",
            "$top": str(_MOST),
            "$select": _SELECT,
            "$expand": shapes.properties(CLEAN_GLOBAL_OBJECT_ID),
        }
        where = path("users", organizer, "calendar", "events")
        call = Call("ListEvents", "GET", where, organizer, query, prefer=(shapes.HTML, shapes.UNSAFE_HTML))
        raws, _ = raw_page(await self._as(call), organizer)
        found = (_meeting(raw) for raw in raws)
        return [one for one in found if one is not None]

    async def cancel(self, organizer: str, ref: ItemRef) -> None:
        """Delete the organizer's meeting, which cancels it."""
        call = Call("DeleteEvent", "DELETE", shapes.event_path(organizer, ref.id), organizer, writes=True, sends=True)
        try:
            await self._as(call)
        except _GoneError:
            return

    async def _as(self, call: Call) -> Any:
        if not self._allowed:
            sentence = f"the settings do not let Greenroom change the calendar of {call.mailbox}"
            raise NotPermittedError(sentence, code="not-wanted", mailbox=call.mailbox)
        try:
            return (await self._transport.call(call)).body
        except NotPermittedError as error:
            sentence = f"the application may not book in the calendar of {call.mailbox} ({error.code})"
            raise NotPermittedError(sentence, code=error.code, mailbox=call.mailbox) from error
        except RefusedError as error:
            raise _sorted(error, call.mailbox) from error


class _GoneError(ItemBrokenError):
    """The meeting is no longer there."""


def _sorted(error: RefusedError, organizer: str) -> ExchangeError:
    if error.elsewhere:
        sentence = f"Microsoft 365 has no calendar of {organizer} ({error.code})"
        return MisconfiguredError(sentence, hint="name an organizer who is there", code=error.code, mailbox=organizer)
    kind = _GoneError if error.gone else ItemBrokenError
    return kind(f"Graph refused the meeting ({error.code})", code=error.code, mailbox=organizer)


def _body(attendee: str, trial: Trial) -> Mapping[str, Any]:
    return {
        "subject": trial.subject,
        "sensitivity": "private" if trial.private else "normal",
        "body": {"contentType": "html", "content": trial.body_html},
        "start": {"dateTime": f"{trial.start:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "end": {"dateTime": f"{trial.end:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "isReminderOn": False,
        "attendees": [{"type": "required", "emailAddress": {"address": attendee}}],
        "singleValueExtendedProperties": [{"id": name_of(TRIAL), "value": attendee}],
    }


def _meeting(raw: Any) -> TrialMeeting | None:
    event = read_event(raw)
    if not isinstance(event, Event) or event.key is None or event.is_cancelled:
        return None
    body = "" if event.body is None else event.body.html[: values.LONGEST_BODY]
    response, replied_at = answered(_status(raw))
    return TrialMeeting(event.ref, event.key, event.starts, Invitation(body, event.place), response, replied_at)


def _status(raw: Any) -> ResponseStatus | None:
    """Read how the one attendee answered."""
    attendees = raw.get("attendees") if isinstance(raw, dict) else None
    first = attendees[0] if isinstance(attendees, list) and attendees else None
    try:
        return ResponseStatus.model_validate(first.get("status")) if isinstance(first, dict) else None
    except ValidationError:
        return None
