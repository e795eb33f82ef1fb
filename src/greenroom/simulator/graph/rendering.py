"""What each property of an event says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from greenroom.simulator import goid
from greenroom.simulator.graph import bodies, extended, ids, online, people, places, recurrences, times
from greenroom.simulator.model import PropertyTag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry
    from greenroom.simulator.model import Meeting

_PUBLIC: Final = "00020329-0000-0000-c000-000000000046"
_COMMON: Final = "00062008-0000-0000-c000-000000000046"
_APPOINTMENT: Final = "00062002-0000-0000-c000-000000000046"
_OURS: Final = "0f6a8a4e-7d2c-4b0e-9c55-9a4d1e6b7c21"
CATEGORIES: Final = PropertyTag("StringArray", set_id=_PUBLIC, name="Keywords")
REMINDER_ON: Final = PropertyTag("Boolean", set_id=_COMMON, number=0x8503)
REMINDER_MINUTES: Final = PropertyTag("Integer", set_id=_COMMON, number=0x8501)
NO_PROPOSALS: Final = PropertyTag("Boolean", set_id=_APPOINTMENT, number=0x825A)
HIDE_ATTENDEES: Final = PropertyTag("Boolean", set_id=_OURS, name="HideAttendees")
TRANSACTION: Final = PropertyTag("String", set_id=_OURS, name="TransactionId")
REMINDER_DEFAULT: Final = 15
SHOW_AS: Final = {
    "Free": "free",
    "Tentative": "tentative",
    "Busy": "busy",
    "OOF": "oof",
    "WorkingElsewhere": "workingElsewhere",
    "NoData": "unknown",
}


@dataclass(frozen=True, slots=True)
class Hand:
    """An event about to be written, and the call that asked for it."""

    call: GraphCall
    entry: Entry

    @property
    def meeting(self) -> Meeting:
        """The meeting or occurrence to be written."""
        return self.entry.meeting

    def kept(self, tag: PropertyTag, default: str) -> str:
        """An extended property of one value."""
        value = self.entry.shown.extended.get(tag)
        return value if isinstance(value, str) else default


def _id(hand: Hand) -> str:
    return hand.entry.id(immutable=hand.call.prefer.immutable_ids)


def ical_uid(meeting: Meeting) -> str:
    """`iCalUId`: the hex of the global object id (with the date of an occurrence), or the UID as it came from elsewhere."""
    is_ours = goid.uid_of(meeting.clean_goid) == meeting.clean_goid.hex().upper()
    return meeting.goid.hex().upper() if is_ours else goid.uid_of(meeting.clean_goid)


def _categories(hand: Hand) -> list[str]:
    kept = hand.entry.shown.extended.get(CATEGORIES, ())
    return [kept] if isinstance(kept, str) else list(kept)


def _reminder_minutes(hand: Hand) -> int:
    kept = hand.kept(REMINDER_MINUTES, "")
    return int(kept) if re.fullmatch(r"\d{1,9}", kept, re.ASCII) else REMINDER_DEFAULT


def _series_id(hand: Hand) -> str | None:
    return ids.item_id(hand.entry.item, immutable=hand.call.prefer.immutable_ids) if hand.entry.of_series else None


def _is_draft(hand: Hand) -> bool:
    item = hand.entry.item
    return item.is_draft or (item.is_organizer and bool(item.meeting.attendees) and not item.request_was_sent)


def _web_link(hand: Hand) -> str:
    address = quote(ids.item_id(hand.entry.item, immutable=False), safe="")
    return f"https://outlook.office365.com/owa/?itemid={address}&exvsurl=1&path=/calendar/item"


PROPERTIES: Final[dict[str, Callable[[Hand], Any]]] = {
    "id": _id,
    "createdDateTime": lambda hand: times.instant(hand.entry.item.created),
    "lastModifiedDateTime": lambda hand: times.instant(hand.entry.item.modified),
    "changeKey": lambda hand: hand.entry.item.change_key,
    "categories": _categories,
    "transactionId": lambda hand: hand.kept(TRANSACTION, "") or None,
    "originalStartTimeZone": lambda hand: times.start_zone(hand.meeting),
    "originalEndTimeZone": lambda hand: times.end_zone(hand.meeting),
    "iCalUId": lambda hand: ical_uid(hand.meeting),
    "reminderMinutesBeforeStart": _reminder_minutes,
    "isReminderOn": lambda hand: hand.kept(REMINDER_ON, "true") == "true",
    "hasAttachments": lambda hand: hand.entry.item.has_attachments,
    "subject": lambda hand: hand.entry.shown.subject,
    "bodyPreview": lambda hand: bodies.preview(hand.entry.shown.body),
    "importance": lambda hand: hand.entry.item.importance.lower(),
    "sensitivity": lambda hand: hand.entry.item.sensitivity.lower(),
    "isAllDay": lambda hand: hand.meeting.all_day,
    "isCancelled": lambda hand: hand.meeting.is_cancelled,
    "isOrganizer": lambda hand: hand.entry.item.is_organizer,
    "responseRequested": lambda hand: hand.meeting.response_requested,
    "seriesMasterId": _series_id,
    "showAs": lambda hand: SHOW_AS[hand.meeting.free_busy],
    "type": lambda hand: hand.entry.type,
    "webLink": _web_link,
    "onlineMeetingUrl": lambda _: None,
    "isOnlineMeeting": lambda hand: online.join_url(hand.entry.shown.body) is not None,
    "onlineMeetingProvider": lambda hand: "teamsForBusiness" if online.join_url(hand.entry.shown.body) else "unknown",
    "allowNewTimeProposals": lambda hand: hand.kept(NO_PROPOSALS, "false") != "true",
    "isDraft": _is_draft,
    "hideAttendees": lambda hand: hand.kept(HIDE_ATTENDEES, "false") == "true",
    "responseStatus": lambda hand: people.own_status(hand.entry.shown),
    "originalStart": lambda hand: times.instant(hand.entry.original),
    "body": lambda hand: bodies.shown(hand.entry.shown.body, hand.call.prefer),
    "start": lambda hand: times.shown(hand.meeting.start, hand.meeting, hand.call.prefer.time_zone),
    "end": lambda hand: times.shown(hand.meeting.end, hand.meeting, hand.call.prefer.time_zone),
    "location": lambda hand: places.location(hand.entry.shown),
    "locations": lambda hand: places.locations(hand.entry.shown),
    "recurrence": lambda hand: recurrences.write(hand.meeting),
    "attendees": lambda hand: people.attendees(hand.call.exchange, hand.entry.shown),
    "organizer": lambda hand: people.recipient(hand.call.exchange, hand.meeting.organizer),
    "onlineMeeting": lambda hand: online.info(hand.entry.shown.body),
}
"""The structural properties of an event, in the order Graph writes them."""


def cancelled_occurrences(hand: Hand) -> list[str]:
    """`cancelledOccurrences` of a series: "OID.{series}.{date}", the date as in `recurrenceTimeZone`."""
    own = ids.item_id(hand.entry.item, immutable=hand.call.prefer.immutable_ids)
    meeting = hand.entry.item.meeting
    days = sorted(times.local_day(one.start, meeting) for one in meeting.deleted)
    return [f"OID.{own}.{day.isoformat()}" for day in days]


def render(
    call: GraphCall,
    entry: Entry,
    select: Collection[str] | None = None,
    tags: tuple[PropertyTag, ...] = (),
) -> dict[str, Any]:
    """An event with the properties that are wanted (None: all), and those extended properties that it has."""
    hand = Hand(call, entry)
    event: dict[str, Any] = {"@odata.etag": f'W/"{entry.item.change_key}"'}
    for name, write in PROPERTIES.items():
        if select is None or name in select or name == "id":
            event[name] = write(hand)
    if select is not None and "cancelledOccurrences" in select:
        event["cancelledOccurrences"] = cancelled_occurrences(hand)
    found = extended.write(call.exchange, entry, tags)
    if found:
        event["singleValueExtendedProperties"] = found
    return event
