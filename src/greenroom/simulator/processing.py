"""What a mailbox does by itself with a scheduling message (the Calendar Attendant and the Resource Booking Attendant).

    none         the message stays as it came; the calendar is the client's business
    auto_update  requests enter the calendar tentatively, updates and cancellations change the entry
    auto_accept  as auto_update, then the entry is accepted and stripped, or declined, and the organizer told (`booking`)

Where the site has silent updates (`Site.silent_updates`, as Exchange Online), messages of updates that change nothing of weight
go straight to Deleted Items.

Source: MS-OXOCAL 3.1.4.7 to 3.1.4.9, Set-CalendarProcessing.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from greenroom.simulator import booking, copies, tracking
from greenroom.simulator.envelope import Envelope, canceled_subject, copy_of, schedule_print, version
from greenroom.simulator.model import (
    CalendarItem,
    Meeting,
    MeetingCancellation,
    MeetingMessage,
    MeetingRequest,
    MeetingRequestType,
    MeetingResponse,
    Processing,
)
from greenroom.simulator.occurrences import occurrence_on, original_day
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore

_ALWAYS_SEEN = timedelta(minutes=15)
_RESPONSE_CLASS = {"Accept": "Pos", "Decline": "Neg", "Tentative": "Tent"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The message made, the calendar item it touched, what the mailbox answers by itself, and why nothing happened."""

    message: MeetingMessage
    calendar_item: CalendarItem | None = None
    reply: Envelope | None = None
    note: str | None = None


def receive(site: Site, store: MailboxStore, envelope: Envelope) -> Outcome:
    """Put the message into the Inbox and process it as the mailbox is set."""
    if envelope.method == "REQUEST":
        return _receive_request(site, store, envelope)
    if envelope.method == "CANCEL":
        return _receive_cancel(site, store, envelope)
    return _receive_reply(site, store, envelope)


def mode_of(store: MailboxStore, *, external: bool) -> Processing:
    """How this mailbox treats a message."""
    if store.owner.kind == "user":
        return "auto_update"
    if external and not store.owner.process_external:
        return "none"
    return store.owner.processing


def message_fields(site: Site, store: MailboxStore, envelope: Envelope, folder: str = "inbox") -> dict[str, Any]:
    """The fields of a received message."""
    return site.base_fields(store, folder) | {
        "subject": envelope.subject,
        "body": envelope.body,
        "sensitivity": envelope.sensitivity,
        "importance": envelope.importance,
        "sender": envelope.sender,
        "author": envelope.author,
        "to": envelope.to or (store.owner.person,),
        "cc": envelope.cc,
        "sent": envelope.meeting.stamp if envelope.method != "REPLY" else site.now(),
        "is_read": False,
        "meeting": envelope.meeting,
    }


def _held(store: MailboxStore, envelope: Envelope) -> list[CalendarItem | MeetingMessage]:
    """What this mailbox has from the organizer about exactly this meeting or occurrence, newest version last."""
    organizer_said = CalendarItem | MeetingRequest | MeetingCancellation
    sent = store.folder("sentitems").id
    found = [
        item
        for item in store.about(envelope.meeting.clean_goid)
        if isinstance(item, organizer_said) and item.meeting.goid == envelope.meeting.goid and item.folder_id != sent
    ]
    return sorted(found, key=lambda item: version(item.meeting))


def _request_type(store: MailboxStore, envelope: Envelope) -> MeetingRequestType:
    held = _held(store, envelope)
    if not held:
        # An occurrence of a series that is here already changes it.
        series = copies.find(store, envelope.meeting)
        return "NewMeetingRequest" if series is None else _type_for_occurrence(series.meeting, envelope.meeting)
    if version(envelope.meeting) < version(held[-1].meeting):
        return "Outdated"
    if any(one.meeting.is_cancelled or isinstance(one, MeetingCancellation) for one in held[-1:]):
        return "NewMeetingRequest"
    same = schedule_print(held[-1].meeting) == schedule_print(envelope.meeting)
    return "InformationalUpdate" if same else "FullUpdate"


def _type_for_occurrence(series: Meeting, told: Meeting) -> MeetingRequestType:
    if told.recurrence_id is None:
        return "NewMeetingRequest"
    known = occurrence_on(series, original_day(series, told.recurrence_id))
    if known is None and series.recurrence is not None:
        return "NewMeetingRequest"  # it was taken out
    same = known is not None and (known.start, known.end) == (told.start, told.end)
    return "InformationalUpdate" if same else "FullUpdate"


def _receive_request(site: Site, store: MailboxStore, envelope: Envelope) -> Outcome:
    request_type = _request_type(store, envelope)
    mode = mode_of(store, external=envelope.external)
    outdated = request_type == "Outdated"
    known = copies.find(store, envelope.meeting)
    silent = mode != "none" and known is not None and _is_silent(site, known, envelope, request_type)
    message = MeetingRequest(
        item_class="IPM.Schedule.Meeting.Request",
        request_type=request_type,
        is_out_of_date=outdated,
        **message_fields(site, store, envelope, "deleteditems" if silent else "inbox"),
    )
    message.associated_id = None if known is None else known.id
    if known is not None and known.is_organizer:
        store.add(message, new_mail=True)
        return Outcome(message, note="the mailbox is the organizer of this meeting itself")
    if site.directory.same(envelope.meeting.organizer, store.owner.person):
        store.add(message, new_mail=True)
        return Outcome(message, note="the mailbox is named as the organizer of a meeting it does not have")
    if mode == "none" or outdated:
        message.has_been_processed = outdated and mode != "none"
        store.add(message, new_mail=True)
        if outdated and store.owner.booking.remove_old:
            store.move(message, "deleteditems")
        note = "an older version than the mailbox has" if outdated else None
        return Outcome(message, note=note)
    mark_older_requests(store, message)
    if known is None and mode == "auto_update" and not store.owner.booking.tentatively:
        store.add(message, new_mail=True)
        return Outcome(message, note="new requests do not enter the calendar of this mailbox by themselves")
    if store.owner.booking.remove_private and envelope.sensitivity == "Private":
        envelope = replace(envelope, sensitivity="Normal")
    item = copies.apply_request(site, store, envelope, request_type)
    message.associated_id, message.has_been_processed = item.id, True
    store.add(message, new_mail=not silent)
    if not silent:
        _for_delegates(site, store, envelope, message)
    if mode != "auto_accept":
        return Outcome(message, item)
    reply = booking.process(site, store, envelope, item, request_type)
    store.move(message, "deleteditems")
    return Outcome(message, item, reply)


def _is_silent(site: Site, known: CalendarItem, envelope: Envelope, request_type: MeetingRequestType) -> bool:
    """Whether an attendee never sees this update in the Inbox, where the site has silent updates.

    As the default of VisibleMeetingUpdateProperties ("Location,AllProperties:15", Set-OrganizationConfig): what changes neither
    the time nor the place and comes earlier than 15 minutes before the meeting, to someone who has responded.
    """
    return (
        site.silent_updates
        and not known.is_organizer
        and request_type == "InformationalUpdate"
        and known.my_response in ("Accept", "Tentative", "Decline")
        and known.meeting.location == envelope.meeting.location
        and (known.meeting.is_series or known.meeting.start - site.now() > _ALWAYS_SEEN)
    )


def mark_older_requests(store: MailboxStore, newer: MeetingMessage) -> None:
    """Older requests for the same meeting or occurrence that still lie in the Inbox are out of date now."""
    inbox = store.folder("inbox").id
    for item in store.about(newer.meeting.clean_goid):
        older = (
            isinstance(item, MeetingRequest)
            and item is not newer
            and item.folder_id == inbox
            and item.meeting.goid == newer.meeting.goid
            and not item.is_out_of_date
            and version(item.meeting) < version(newer.meeting)
        )
        if older and isinstance(item, MeetingRequest):
            item.is_out_of_date = True
            item.request_type = "Outdated"
            store.touch(item)
            if store.owner.booking.remove_old:
                store.move(item, "deleteditems")


def _for_delegates(site: Site, store: MailboxStore, envelope: Envelope, message: MeetingRequest) -> None:
    """Put a copy of a request into the Inboxes of the mailbox's delegates, who may answer it (ForwardRequestsToDelegates)."""
    options = store.owner.booking
    for address in options.delegates if options.forward_to_delegates else ():
        known = site.directory.find(address)
        if known is None:
            continue
        theirs = site.stores[known.address]
        copy = replace(envelope, meeting=copy_of(envelope.meeting), to=(store.owner.person,))
        forwarded = MeetingRequest(
            item_class="IPM.Schedule.Meeting.Request",
            request_type=message.request_type,
            is_delegated=True,
            **message_fields(site, theirs, copy),
        )
        theirs.add(forwarded, new_mail=True)


def _receive_cancel(site: Site, store: MailboxStore, envelope: Envelope) -> Outcome:
    mode = mode_of(store, external=envelope.external)
    held = _held(store, envelope)
    outdated = bool(held) and version(envelope.meeting) < version(held[-1].meeting)
    envelope.meeting.is_cancelled = True
    known = copies.find(store, envelope.meeting)
    if not envelope.has_start and known is not None:
        when = known.meeting
        envelope.meeting.start, envelope.meeting.end, envelope.meeting.all_day = when.start, when.end, when.all_day
    message = MeetingCancellation(
        item_class="IPM.Schedule.Meeting.Canceled",
        is_out_of_date=outdated,
        associated_id=None if known is None else known.id,
        **message_fields(site, store, replace(envelope, subject=canceled_subject(envelope.subject))),
    )
    note = None
    if known is None:
        note = "no calendar item of this meeting is here"
    elif outdated:
        note = "an older version than the mailbox has"
    elif known.is_organizer:
        note = "the mailbox is the organizer of this meeting itself"
    if note is not None or mode == "none":
        message.has_been_processed = mode != "none"
        store.add(message, new_mail=True)
        return Outcome(message, note=note)
    mark_older_requests(store, message)
    item = copies.apply_cancel(store, envelope)
    message.associated_id, message.has_been_processed = item.id, True
    store.add(message, new_mail=True)
    if mode == "auto_accept":
        store.move(message, "deleteditems")
    if store.owner.booking.remove_cancelled:
        for one in store.calendar_items(envelope.meeting.clean_goid):
            if one.meeting.is_cancelled:
                store.move(one, "deleteditems")
    return Outcome(message, item)


def _receive_reply(site: Site, store: MailboxStore, envelope: Envelope) -> Outcome:
    answer = envelope.answer
    assert answer is not None, "a reply carries an answer"
    own = next((one for one in store.calendar_items(envelope.meeting.clean_goid) if one.is_organizer), None)
    if not envelope.has_start and own is not None:
        envelope.meeting.start, envelope.meeting.end = own.meeting.start, own.meeting.end
    message = MeetingResponse(
        item_class=f"IPM.Schedule.Meeting.Resp.{_RESPONSE_CLASS[answer]}",
        response=answer,
        **message_fields(site, store, envelope),
    )
    note = None
    if own is None:
        note = "no meeting of this organizer is here"
    elif mode_of(store, external=False) != "none":
        message.associated_id, message.has_been_processed = own.id, True
        message.is_out_of_date = not tracking.track(site, store, own, envelope)
        note = "answers an older version of the meeting" if message.is_out_of_date else None
    store.add(message, new_mail=True)
    return Outcome(message, own, note=note)
