"""The attendee's calendar entry: made from requests, changed by updates and cancellations."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from greenroom.simulator import exceptions
from greenroom.simulator.envelope import Envelope, canceled_subject, copy_of
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    Meeting,
    MeetingRequestType,
    ModifiedOccurrence,
    Person,
)
from greenroom.simulator.occurrence_items import exception_on
from greenroom.simulator.occurrences import occurrence_on, original_day
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
        return next((item for item in items if item.meeting.is_series), None)
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
    _update_copy(site, store, known, envelope, reset=request_type in {"FullUpdate", "NewMeetingRequest"})
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
    if meeting.is_series:
        exceptions.without(meeting, _names_owner(site, store))
        _absorb_lone_occurrences(store, item)
    store.add(item)
    return item


def _names_owner(site: Site, store: MailboxStore) -> Callable[[Iterable[Attendee]], bool]:
    me = Person(store.owner.address)
    return lambda people: any(site.directory.same(one.person, me) for one in people)


def _absorb_lone_occurrences(store: MailboxStore, master: CalendarItem) -> None:
    """Occurrences that came before their series become its exceptions, with the answers given to them."""
    meeting = master.meeting
    for lone in store.calendar_items(meeting.clean_goid):
        original = lone.meeting.recurrence_id
        if original is None:
            continue
        told = exception_on(meeting, original)
        if lone.meeting.is_cancelled:
            if told is None:
                exceptions.take_out(meeting, original)
        else:
            mine = _exception_of(master, lone.meeting, lone.subject, lone.body)
            mine = replace(
                mine, my_response=lone.my_response, reply_time=lone.reply_time, free_busy=lone.meeting.free_busy
            )
            exceptions.put(meeting, mine if told is None else exceptions.renew_answer(told, mine, meeting))
        store.remove(lone)


def _exception_of(master: CalendarItem, one: Meeting, subject: str, body: Body) -> ModifiedOccurrence:
    """What is different at an occurrence."""
    assert one.recurrence_id is not None, "only an occurrence can be an exception"
    series = master.meeting
    return ModifiedOccurrence(
        one.recurrence_id,
        one.start,
        one.end,
        None if subject == master.subject else subject,
        None if one.location == series.location else one.location,
        None if body == master.body else body,
        None if one.all_day == series.all_day else one.all_day,
        attendees=None if one.attendees == series.attendees else one.attendees,
    )


def _update_copy(site: Site, store: MailboxStore, item: CalendarItem, envelope: Envelope, *, reset: bool) -> None:
    meeting, before = copy_of(envelope.meeting), item.meeting
    intended = meeting.free_busy
    reset = reset or before.is_cancelled
    if exceptions.same_pattern(before, meeting) and not before.is_cancelled:
        exceptions.merge(meeting, before, is_mine=_names_owner(site, store))
    elif meeting.is_series:
        exceptions.without(meeting, _names_owner(site, store))
    if reset:
        item.my_response, item.reply_time = "NoResponseReceived", None
        meeting.free_busy = "Free" if intended == "Free" else "Tentative"
    else:
        meeting.free_busy = intended if item.my_response == "Accept" else before.free_busy
    item.intended_free_busy = intended
    item.meeting = meeting
    item.subject, item.body = envelope.subject, envelope.body
    item.sensitivity, item.importance = envelope.sensitivity, envelope.importance
    item.sender, item.author = envelope.sender, envelope.author


def _set_exception(master: CalendarItem, envelope: Envelope) -> None:
    told = envelope.meeting
    assert told.recurrence_id is not None, "only messages about an occurrence have another id than their series"
    meeting = master.meeting = replace(master.meeting)
    before = exception_on(meeting, told.recurrence_id)
    was_out = occurrence_on(meeting, original_day(meeting, told.recurrence_id)) is None
    change = exceptions.renew_answer(_exception_of(master, told, envelope.subject, envelope.body), before, meeting)
    if was_out:
        change = replace(change, my_response="NoResponseReceived", reply_time=None)
    exceptions.put(meeting, change)


def apply_cancel(store: MailboxStore, envelope: Envelope) -> CalendarItem:
    """Mark the entry cancelled, or take one occurrence out of its series; the entry must be there (`find`)."""
    known = find(store, envelope.meeting)
    assert known is not None, "the caller has found it"
    original = envelope.meeting.recurrence_id
    if original is not None and known.meeting.recurrence_id is None:
        known.meeting = replace(known.meeting)
        exceptions.take_out(known.meeting, original)
        store.touch(known)
        return known
    for item in store.calendar_items(envelope.meeting.clean_goid):
        if original is None or item is known:
            _cancel(item, envelope.meeting)
            store.touch(item)
    return known


def _cancel(item: CalendarItem, by: Meeting) -> None:
    item.subject = canceled_subject(item.subject)
    item.meeting = replace(item.meeting, is_cancelled=True, free_busy="Free", sequence=by.sequence, stamp=by.stamp)
