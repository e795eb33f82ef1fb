"""The attendee's calendar entry: made from requests, changed by updates and cancellations."""

from dataclasses import replace
from datetime import datetime

from greenroom.simulator.envelope import Envelope, canceled_subject, copy_of
from greenroom.simulator.model import (
    CalendarItem,
    DeletedOccurrence,
    Meeting,
    MeetingRequestType,
    ModifiedOccurrence,
)
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore


def find(store: MailboxStore, meeting: Meeting) -> CalendarItem | None:
    """The calendar entry a message is about: the same meeting or occurrence, else the series an occurrence belongs to.

    A cancellation of a whole series also finds its lone occurrences.
    """
    items = store.calendar_items(meeting.clean_goid)
    exact = next((item for item in items if item.meeting.goid == meeting.goid), None)
    if exact is not None:
        return exact
    if meeting.recurrence_id is not None:
        return next((item for item in items if item.meeting.recurrence_id is None), None)
    return items[0] if meeting.is_cancelled and items else None


def apply_request(
    site: Site, store: MailboxStore, envelope: Envelope, request_type: MeetingRequestType
) -> CalendarItem:
    """Bring a request into the calendar; returns the entry made or changed (the series, for one of its occurrences)."""
    known = find(store, envelope.meeting)
    if known is not None and known.meeting.goid != envelope.meeting.goid:
        _set_exception(known, envelope)
        store.touch(known)
        return known
    if known is None:
        return _new_copy(site, store, envelope)
    _update_copy(known, envelope, reset=request_type in {"FullUpdate", "NewMeetingRequest"})
    store.touch(known)
    return known


def _new_copy(site: Site, store: MailboxStore, envelope: Envelope) -> CalendarItem:
    meeting = copy_of(envelope.meeting)
    intended = meeting.free_busy
    meeting.free_busy = "Free" if intended == "Free" else "Tentative"
    item = CalendarItem(
        **site.base_fields(store, "calendar"),
        item_class="IPM.Appointment",
        subject=envelope.subject,
        body=envelope.body,
        sensitivity=envelope.sensitivity,
        importance=envelope.importance,
        sender=envelope.sender,
        author=envelope.author,
        meeting=meeting,
        my_response="NoResponseReceived",
        intended_free_busy=intended,
        request_was_sent=True,
    )
    if meeting.recurrence_id is None:
        _absorb_lone_occurrences(store, item)
    store.add(item)
    return item


def _absorb_lone_occurrences(store: MailboxStore, master: CalendarItem) -> None:
    """Occurrences that came before their series become its exceptions."""
    if not master.meeting.is_series:
        return
    for lone in store.calendar_items(master.meeting.clean_goid):
        original = lone.meeting.recurrence_id
        if original is None:
            continue
        if lone.meeting.is_cancelled:
            master.meeting.deleted = (*master.meeting.deleted, DeletedOccurrence(original))
        elif all(one.original_start != original for one in master.meeting.modified):
            change = ModifiedOccurrence(
                original, lone.meeting.start, lone.meeting.end, lone.subject, lone.meeting.location, lone.body
            )
            master.meeting.modified = (*master.meeting.modified, change)
        store.remove(lone)


def _update_copy(item: CalendarItem, envelope: Envelope, *, reset: bool) -> None:
    meeting = copy_of(envelope.meeting)
    intended = meeting.free_busy
    reset = reset or item.meeting.is_cancelled
    if reset:
        item.my_response, item.reply_time = "NoResponseReceived", None
        meeting.free_busy = "Free" if intended == "Free" else "Tentative"
    else:
        meeting.free_busy = intended if item.my_response == "Accept" else item.meeting.free_busy
        if not meeting.modified and not meeting.deleted:
            meeting.modified, meeting.deleted = item.meeting.modified, item.meeting.deleted
    item.intended_free_busy = intended
    item.meeting = meeting
    item.subject, item.body = envelope.subject, envelope.body
    item.sensitivity, item.importance = envelope.sensitivity, envelope.importance
    item.sender, item.author = envelope.sender, envelope.author


def _set_exception(master: CalendarItem, envelope: Envelope) -> None:
    original = envelope.meeting.recurrence_id
    assert original is not None, "only messages about an occurrence have another id than their series"
    before = next((one for one in master.meeting.modified if one.original_start == original), None)
    when = (original, original + (master.meeting.end - master.meeting.start))
    moved = (envelope.meeting.start, envelope.meeting.end) != ((before.start, before.end) if before else when)
    kept = before.my_response if before else None
    same_people = envelope.meeting.attendees == master.meeting.attendees
    change = ModifiedOccurrence(
        original,
        envelope.meeting.start,
        envelope.meeting.end,
        None if envelope.subject == master.subject else envelope.subject,
        None if envelope.meeting.location == master.meeting.location else envelope.meeting.location,
        None if envelope.body == master.body else envelope.body,
        None if envelope.meeting.all_day == master.meeting.all_day else envelope.meeting.all_day,
        attendees=None if same_people else envelope.meeting.attendees,
        my_response="NoResponseReceived" if moved else kept,
        reply_time=None if moved or before is None else before.reply_time,
    )
    others = tuple(one for one in master.meeting.modified if one.original_start != original)
    master.meeting.modified = tuple(sorted((*others, change), key=lambda one: one.original_start))
    master.meeting.deleted = tuple(one for one in master.meeting.deleted if one.start != original)


def apply_cancel(store: MailboxStore, envelope: Envelope) -> CalendarItem:
    """Mark the entry cancelled, or take one occurrence out of its series; the entry must be there (`find`)."""
    known = find(store, envelope.meeting)
    assert known is not None, "the caller has found it"
    original = envelope.meeting.recurrence_id
    if original is not None and known.meeting.recurrence_id is None:
        take_out(known, original)
        store.touch(known)
        return known
    for item in store.calendar_items(envelope.meeting.clean_goid):
        if original is None or item is known:
            _cancel(item, envelope.meeting)
            store.touch(item)
    return known


def take_out(master: CalendarItem, original: datetime) -> None:
    """Delete one occurrence from a series."""
    master.meeting.modified = tuple(one for one in master.meeting.modified if one.original_start != original)
    if all(one.start != original for one in master.meeting.deleted):
        master.meeting.deleted = (*master.meeting.deleted, DeletedOccurrence(original))


def _cancel(item: CalendarItem, by: Meeting) -> None:
    item.subject = canceled_subject(item.subject)
    item.meeting = replace(item.meeting, is_cancelled=True, free_busy="Free", sequence=by.sequence, stamp=by.stamp)
