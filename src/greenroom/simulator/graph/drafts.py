"""Events as clients write them: what POST and PATCH say becomes a draft for the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator import zones
from greenroom.simulator.ews.names import words
from greenroom.simulator.graph import bodies, extended, online, places, recurrences, rendering
from greenroom.simulator.graph.errors import bad, unreadable
from greenroom.simulator.graph.fields import choice, flag, items, members, number, text
from greenroom.simulator.graph.people import read_attendees
from greenroom.simulator.graph.times import read_moment
from greenroom.simulator.model import MeetingDraft, PropertyTag, PropertyValue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from greenroom.simulator.model import Meeting

_SENSITIVITY: Final = {name.lower(): name for name in ("Normal", "Personal", "Private", "Confidential")}
_IMPORTANCE: Final = {name.lower(): name for name in ("Low", "Normal", "High")}
_SHOW_AS: Final = {shown.lower(): name for name, shown in rendering.SHOW_AS.items()}
_READ_ONLY: Final = frozenset(
    words("""id createdDateTime lastModifiedDateTime changeKey iCalUId bodyPreview organizer isOrganizer responseStatus isCancelled
    isDraft seriesMasterId type webLink onlineMeeting onlineMeetingUrl hasAttachments originalStart originalStartTimeZone
    originalEndTimeZone instances calendar extensions attachments cancelledOccurrences exceptionOccurrences""")
)
PRIVATE: Final = frozenset(
    words("""categories isReminderOn reminderMinutesBeforeStart transactionId singleValueExtendedProperties
    multiValueExtendedProperties hideAttendees""")
)
"""What is the owner's own business: changing it sends nothing."""


@dataclass(slots=True)
class EventDraft:
    """What a body says: the draft, whether a Teams meeting is wanted, and the names of what was said."""

    meeting: MeetingDraft = field(default_factory=MeetingDraft)
    online: bool = False
    transaction: str = ""
    said: frozenset[str] = frozenset()

    @property
    def is_private(self) -> bool:
        """Whether nobody but the owner can see the difference."""
        return self.said <= PRIVATE


def read(body: Any, current: Meeting | None = None) -> EventDraft:
    """Read the body of a POST, or of a PATCH of a meeting. Raises GraphError (400)."""
    if body is None:
        raise unreadable("Empty Payload. JSON content expected.")
    parts = members(body, "event")
    draft = EventDraft(said=frozenset(parts) - _READ_ONLY)
    kept: dict[PropertyTag, PropertyValue | None] = {}
    for name, value in parts.items():
        if name in _READERS:
            _READERS[name](draft, value)
        elif name in _KEPT:
            tag, reader = _KEPT[name]
            kept[tag] = reader(value, name)
        elif name not in _READ_ONLY and name not in _LATER:
            raise unreadable(
                "The request has a property that does not exist on type 'Microsoft.OutlookServices.Event'."
            )
    _places(draft, parts, kept)
    for name in ("singleValueExtendedProperties", "multiValueExtendedProperties"):
        kept |= extended.read(parts.get(name), name)
    if kept:
        draft.meeting["extended"] = kept
    draft.transaction = text(parts.get("transactionId"), "transactionId")
    _all_day(draft, current)
    if "recurrence" in parts:
        start = draft.meeting.get("start", current.start if current else None)
        zone = draft.meeting.get("start_zone", current.start_zone if current else None)
        if start is not None:
            known = zone if zones.find(zone) is not None else None
            draft.meeting["recurrence"] = recurrences.read(parts["recurrence"], start, known)
    return draft


def _places(draft: EventDraft, parts: dict[str, Any], kept: dict[PropertyTag, PropertyValue | None]) -> None:
    """Several locations are kept with their structure; a single one (`location`) drops all others."""
    if "locations" in parts:
        several = places.read_all(parts["locations"])
    elif "location" in parts:
        one = places.read(parts["location"])
        several = [one] if one["displayName"] else []
    else:
        return
    draft.meeting["location"] = places.join(several)
    kept[places.LOCATIONS] = places.kept(several) if several else None


def _all_day(draft: EventDraft, current: Meeting | None) -> None:
    meeting = draft.meeting
    if not meeting.get("all_day", current.all_day if current else False):
        return
    if "start" not in meeting and "end" not in meeting and "all_day" not in meeting:
        return
    zone_name = meeting.get("start_zone", current.start_zone if current else None)
    for moment in (
        meeting.get("start", current.start if current else None),
        meeting.get("end", current.end if current else None),
    ):
        if moment is not None and not _is_midnight(moment, zone_name):
            raise bad(
                "ErrorPropertyValidationFailure",
                "The Event.Start and Event.End properties of an all-day event need to be set to midnight of one time zone.",
            )


def _is_midnight(moment: datetime, zone_name: str | None) -> bool:
    local = moment.astimezone(zones.find(zone_name) or UTC)
    return (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


# --- readers of single properties, found by name below -----------------------------------------------------------------


def _subject(draft: EventDraft, value: Any) -> None:
    draft.meeting["subject"] = text(value, "subject")


def _body(draft: EventDraft, value: Any) -> None:
    draft.meeting["body"] = bodies.read(value)


def _sensitivity(draft: EventDraft, value: Any) -> None:
    draft.meeting["sensitivity"] = choice(value or "normal", "sensitivity", _SENSITIVITY)


def _importance(draft: EventDraft, value: Any) -> None:
    draft.meeting["importance"] = choice(value or "normal", "importance", _IMPORTANCE)


def _start(draft: EventDraft, value: Any) -> None:
    draft.meeting["start"], draft.meeting["start_zone"] = read_moment(value, "start")


def _end(draft: EventDraft, value: Any) -> None:
    draft.meeting["end"], draft.meeting["end_zone"] = read_moment(value, "end")


def _is_all_day(draft: EventDraft, value: Any) -> None:
    draft.meeting["all_day"] = flag(value, "isAllDay")


def _show_as(draft: EventDraft, value: Any) -> None:
    draft.meeting["free_busy"] = choice(value or "busy", "showAs", _SHOW_AS)


def _response_requested(draft: EventDraft, value: Any) -> None:
    draft.meeting["response_requested"] = flag(value, "responseRequested")


def _attendees(draft: EventDraft, value: Any) -> None:
    draft.meeting["attendees"] = read_attendees(value)


def _is_online(draft: EventDraft, value: Any) -> None:
    draft.online = flag(value, "isOnlineMeeting")


def _provider(_: EventDraft, value: Any) -> None:
    if value is not None:
        choice(value, "onlineMeetingProvider", online.PROVIDERS)


_READERS: Final[dict[str, Callable[[EventDraft, Any], None]]] = {
    "subject": _subject,
    "body": _body,
    "sensitivity": _sensitivity,
    "importance": _importance,
    "start": _start,
    "end": _end,
    "isAllDay": _is_all_day,
    "showAs": _show_as,
    "responseRequested": _response_requested,
    "attendees": _attendees,
    "isOnlineMeeting": _is_online,
    "onlineMeetingProvider": _provider,
}
_LATER: Final = frozenset(
    {"location", "locations", "recurrence", "singleValueExtendedProperties", "multiValueExtendedProperties"}
)


def _flag_text(value: Any, name: str) -> str:
    return "true" if flag(value, name) else "false"


def _denied_text(value: Any, name: str) -> str:
    return "false" if flag(value, name) else "true"


def _minutes(value: Any, name: str) -> str:
    return str(max(0, number(value, name)))


def _words(value: Any, name: str) -> tuple[str, ...] | None:
    return tuple(text(one, name) for one in items(value, name)) or None


_KEPT: Final[dict[str, tuple[PropertyTag, Callable[[Any, str], PropertyValue | None]]]] = {
    "categories": (rendering.CATEGORIES, _words),
    "isReminderOn": (rendering.REMINDER_ON, _flag_text),
    "reminderMinutesBeforeStart": (rendering.REMINDER_MINUTES, _minutes),
    "allowNewTimeProposals": (rendering.NO_PROPOSALS, _denied_text),
    "hideAttendees": (rendering.HIDE_ATTENDEES, _flag_text),
    "transactionId": (rendering.TRANSACTION, lambda value, name: text(value, name) or None),
}
