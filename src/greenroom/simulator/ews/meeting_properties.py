"""What the elements of calendar items and of meeting messages say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.ews.names import sub, t
from greenroom.simulator.ews.people import timestamp, write_attendees
from greenroom.simulator.ews.properties import (
    ITEM_PROPERTIES,
    MESSAGE_PROPERTIES,
    flag,
    item_id_filler,
    person_filler,
)
from greenroom.simulator.ews.recurrences import write_recurrence
from greenroom.simulator.ews.zones import wall_clock, write_definition, zone_of
from greenroom.simulator.ids import occurrence_id
from greenroom.simulator.model import (
    CalendarItem,
    MeetingCancellation,
    MeetingMessage,
    MeetingRequest,
    MeetingResponse,
)
from greenroom.simulator.occurrence_items import shown
from greenroom.simulator.occurrences import (
    OccurrenceInfo,
    first_occurrence,
    last_occurrence,
    occurrence_on,
    original_day,
)
from greenroom.simulator.occurrences import zone_of as series_zone

if TYPE_CHECKING:
    from datetime import datetime

    from lxml import etree

    from greenroom.simulator.ews.properties import InHand, Property, Value
    from greenroom.simulator.model import Meeting, Role

_STATE_MEETING, _STATE_RECEIVED, _STATE_CANCELLED = 1, 2, 4


def meeting_of(hand: InHand) -> Meeting:
    """The meeting of a calendar item or meeting message."""
    assert isinstance(hand.item, (CalendarItem, MeetingMessage))
    return hand.item.meeting


def associated(hand: InHand) -> CalendarItem | None:
    """The calendar item a meeting message belongs to, if it still exists; of an occurrence that one, not its series."""
    item = hand.item
    if not isinstance(item, MeetingMessage) or item.associated_id is None:
        return None
    try:
        found = hand.exchange.get(item.mailbox, item.associated_id)
    except NoSuchItem:
        return None
    if not isinstance(found, CalendarItem):
        return None
    original = item.meeting.recurrence_id
    if original is None or not found.meeting.is_series:
        return found
    one = occurrence_on(found.meeting, original_day(found.meeting, original))
    return found if one is None else shown(found, one)


def _attendees(role: Role) -> Property:
    def write(hand: InHand) -> Value:
        chosen = [attendee for attendee in meeting_of(hand).attendees if attendee.role == role]
        return (lambda element: write_attendees(element, chosen)) if chosen else None

    return write


def _moment(moment: datetime | None) -> Value:
    return None if moment is None else timestamp(moment)


def _duration(hand: InHand) -> Value:
    minutes = int((meeting_of(hand).end - meeting_of(hand).start).total_seconds() // 60)
    return f"PT{minutes // 60}H{minutes % 60}M" if minutes % 60 else f"PT{minutes // 60}H"


def _recurrence(hand: InHand) -> Value:
    recurrence = meeting_of(hand).recurrence
    return None if recurrence is None else (lambda element: write_recurrence(element, recurrence))


def _zone(*, end: bool) -> Property:
    def write(hand: InHand) -> Value:
        meeting = meeting_of(hand)
        other = end and meeting.end_zone not in {None, meeting.start_zone}
        name = (meeting.end_zone if other else meeting.start_zone) or "UTC"
        zone = zone_of(name) if other else series_zone(meeting)
        return lambda element: write_definition(element, name, zone, meeting.start.year)

    return write


def _state(hand: InHand) -> Value:
    item, meeting = hand.item, meeting_of(hand)
    is_meeting = not isinstance(item, CalendarItem) or item.is_meeting
    received = not (isinstance(item, CalendarItem) and item.is_organizer) and is_meeting
    return str(_STATE_MEETING * is_meeting | _STATE_RECEIVED * received | _STATE_CANCELLED * meeting.is_cancelled)


def _deleted(hand: InHand) -> Value:
    deleted = meeting_of(hand).deleted
    if not deleted:
        return None

    def fill(element: etree._Element) -> None:
        for occurrence in deleted:
            sub(sub(element, t("DeletedOccurrence")), t("Start"), timestamp(occurrence.start))

    return fill


def _modified(hand: InHand) -> Value:
    modified = meeting_of(hand).modified
    if not modified:
        return None

    def fill(element: etree._Element) -> None:
        for one in modified:
            info = OccurrenceInfo(one.original_start, one.start, one.end)
            _occurrence(sub(element, t("Occurrence")), hand, info)

    return fill


def _occurrence(element: etree._Element, hand: InHand, one: OccurrenceInfo) -> None:
    """Fill an OccurrenceInfoType. Of a message, which has no occurrences to open, the ids lead nowhere."""
    day = original_day(meeting_of(hand), one.original_start)
    sub(element, t("ItemId"), Id=occurrence_id(hand.item.id, day), ChangeKey=hand.item.change_key)
    sub(element, t("Start"), timestamp(one.start))
    sub(element, t("End"), timestamp(one.end))
    sub(element, t("OriginalStart"), timestamp(one.original_start))


def _first(hand: InHand) -> Value:
    first = first_occurrence(meeting_of(hand))
    return None if first is None else (lambda element: _occurrence(element, hand, first))


def _last(hand: InHand) -> Value:
    """Of a series without a Recurrence to show, it is all that is known of the end."""
    meeting = meeting_of(hand)
    last = last_occurrence(meeting)
    if last is None and meeting.raw_rrule is not None and meeting.raw_end is not None:
        start = meeting.raw_end - (meeting.end - meeting.start)
        last = OccurrenceInfo(start, start, meeting.raw_end)
    return None if last is None else (lambda element: _occurrence(element, hand, last))


def _answers(hand: InHand) -> Value:
    item, meeting = hand.item, meeting_of(hand)
    if isinstance(item, CalendarItem) and item.is_organizer:
        names = ["CancelCalendarItem", "ForwardItem"] if item.is_meeting else ["ForwardItem"]
    elif meeting.is_cancelled or isinstance(item, MeetingCancellation):
        names = ["RemoveItem"]
    elif isinstance(item, (CalendarItem, MeetingRequest)):
        names = ["AcceptItem", "TentativelyAcceptItem", "DeclineItem", "ReplyToItem", "ReplyAllToItem", "ForwardItem"]
    else:
        names = ["ReplyToItem", "ForwardItem"]

    def fill(element: etree._Element) -> None:
        for name in names:
            sub(element, t(name))

    return fill


def _my_response(hand: InHand) -> Value:
    item = hand.item if isinstance(hand.item, CalendarItem) else associated(hand)
    return "NoResponseReceived" if item is None else item.my_response


def _response_type(hand: InHand) -> Value:
    if isinstance(hand.item, MeetingResponse):
        return hand.item.response
    return "Unknown" if isinstance(hand.item, MeetingCancellation) else _my_response(hand)


def _associated_id(hand: InHand) -> Value:
    item = associated(hand)
    return None if item is None else item_id_filler(item.id, item.change_key)


def _enhanced_location(hand: InHand) -> Value:
    location = meeting_of(hand).location
    if not location:
        return None

    def fill(element: etree._Element) -> None:
        sub(element, t("DisplayName"), location)

    return fill


_SHARED: Final[dict[str, Property]] = {
    "ResponseObjects": _answers,
    "UID": lambda hand: meeting_of(hand).uid,
    "RecurrenceId": lambda hand: _moment(meeting_of(hand).recurrence_id),
    "DateTimeStamp": lambda hand: timestamp(meeting_of(hand).stamp),
    "Start": lambda hand: timestamp(meeting_of(hand).start),
    "End": lambda hand: timestamp(meeting_of(hand).end),
    "Location": lambda hand: meeting_of(hand).location or None,
    "Recurrence": _recurrence,
    "CalendarItemType": lambda hand: meeting_of(hand).type,
    "EnhancedLocation": _enhanced_location,
    "IsResponseRequested": lambda hand: flag(meeting_of(hand).response_requested),
    "IsOrganizer": lambda hand: flag(isinstance(hand.item, CalendarItem) and hand.item.is_organizer),
}
_SCHEDULE: Final[dict[str, Property]] = {
    "OriginalStart": lambda hand: _moment(meeting_of(hand).recurrence_id),
    "IsAllDayEvent": lambda hand: flag(meeting_of(hand).all_day),
    "Organizer": lambda hand: person_filler(meeting_of(hand).organizer),
    "IsCancelled": lambda hand: flag(meeting_of(hand).is_cancelled),
    "IsRecurring": lambda hand: flag(meeting_of(hand).type != "Single"),
    "RequiredAttendees": _attendees("required"),
    "OptionalAttendees": _attendees("optional"),
    "Resources": _attendees("resource"),
    "MyResponseType": _my_response,
    "ConflictingMeetingCount": lambda _: "0",
    "AdjacentMeetingCount": lambda _: "0",
    "Duration": _duration,
    "TimeZone": lambda hand: meeting_of(hand).start_zone or "UTC",
    "AppointmentSequenceNumber": lambda hand: str(meeting_of(hand).sequence),
    "AppointmentState": _state,
    "FirstOccurrence": _first,
    "LastOccurrence": _last,
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "StartTimeZone": _zone(end=False),
    "EndTimeZone": _zone(end=True),
    "ConferenceType": lambda _: "0",
    "AllowNewTimeProposal": lambda _: "true",
    "IsOnlineMeeting": lambda _: "false",
    "StartWallClock": lambda hand: wall_clock(meeting_of(hand).start, meeting_of(hand).start_zone),
    "EndWallClock": lambda hand: wall_clock(meeting_of(hand).end, meeting_of(hand).end_zone),
    "StartTimeZoneId": lambda hand: meeting_of(hand).start_zone or "UTC",
    "EndTimeZoneId": lambda hand: meeting_of(hand).end_zone or meeting_of(hand).start_zone or "UTC",
}


def _calendar_item(hand: InHand) -> CalendarItem:
    assert isinstance(hand.item, CalendarItem)
    return hand.item


def _message(hand: InHand) -> MeetingMessage:
    assert isinstance(hand.item, MeetingMessage)
    return hand.item


_MEETING_MESSAGE: Final[dict[str, Property]] = {
    **MESSAGE_PROPERTIES,
    **_SHARED,
    "AssociatedCalendarItemId": _associated_id,
    "IsDelegated": lambda hand: flag(_message(hand).is_delegated),
    "IsOutOfDate": lambda hand: flag(_message(hand).is_out_of_date),
    "HasBeenProcessed": lambda hand: flag(_message(hand).has_been_processed),
    "ResponseType": _response_type,
}

PROPERTIES: Final[dict[str, dict[str, Property]]] = {
    "Message": MESSAGE_PROPERTIES,
    "CalendarItem": {
        **ITEM_PROPERTIES,
        **_SHARED,
        **_SCHEDULE,
        "LegacyFreeBusyStatus": lambda hand: meeting_of(hand).free_busy,
        "IntendedFreeBusyStatus": lambda hand: meeting_of(hand).free_busy,
        "IsMeeting": lambda hand: flag(_calendar_item(hand).is_meeting),
        "MeetingRequestWasSent": lambda hand: flag(_calendar_item(hand).request_was_sent),
        "AppointmentReplyTime": lambda hand: _moment(_calendar_item(hand).reply_time),
    },
    "MeetingMessage": _MEETING_MESSAGE,
    "MeetingRequest": {
        **_MEETING_MESSAGE,
        **_SCHEDULE,
        "MeetingRequestType": lambda hand: (
            hand.item.request_type if isinstance(hand.item, MeetingRequest) else "NewMeetingRequest"
        ),
        "IntendedFreeBusyStatus": lambda hand: meeting_of(hand).free_busy,
        "LegacyFreeBusyStatus": lambda _: "Tentative",
        "IsMeeting": lambda _: "true",
        "MeetingRequestWasSent": lambda _: "true",
    },
    "MeetingCancellation": _MEETING_MESSAGE,
    "MeetingResponse": _MEETING_MESSAGE,
}
"""What can be said of each kind of item, by element name."""
