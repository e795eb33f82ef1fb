"""What organizers do: create, change, cancel, delete (EWS CreateItem, UpdateItem, CancelCalendarItem, DeleteItem)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

from greenroom.simulator import exceptions, goid, transport
from greenroom.simulator.envelope import MAX_SUBJECT, Envelope, canceled_subject, copy_of, schedule_print
from greenroom.simulator.errors import InvalidOperation, IrresolvableConflict
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    ConflictResolution,
    DeleteMode,
    Disposition,
    Item,
    Meeting,
    MeetingDraft,
    Person,
    PropertyTag,
    PropertyValue,
    SendInvitations,
    SendUpdates,
)
from greenroom.simulator.occurrence_items import exception_on, view_of
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.recurrence import is_sound
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore

_MAX_DURATION = timedelta(days=1825)  # ErrorCalendarDurationIsTooLong past five years
_DIRECT = (
    "location",
    "start",
    "end",
    "start_zone",
    "end_zone",
    "zone_rules",
    "all_day",
    "free_busy",
    "response_requested",
)
_PLAIN = ("body", "sensitivity", "importance")


def create(
    site: Site, store: MailboxStore, draft: MeetingDraft, send: SendInvitations, sender: str | None
) -> CalendarItem:
    """See Exchange.create_meeting."""
    if "start" not in draft or "end" not in draft:
        raise InvalidOperation("ErrorInvalidRequest", "a calendar item needs a start and an end")
    now = site.stamp()
    id_ = goid.clean(goid.from_uid(draft["uid"])) if draft.get("uid") else goid.new_goid(now, site.random(16))
    owner = store.owner
    meeting = Meeting(
        uid=goid.uid_of(id_),
        goid=id_,
        clean_goid=id_,
        start=draft["start"],
        end=draft["end"],
        organizer=owner.person,
        stamp=now,
        recurrence=draft.get("recurrence"),
    )
    author = Person(owner.address, owner.name)
    item = CalendarItem(
        **site.base_fields(store, "calendar"),
        item_class="IPM.Appointment",
        meeting=meeting,
        is_organizer=True,
        author=author,
        sender=author if sender is None else site.directory.smtp(Person(sender)),
    )
    _apply(site, item, draft)
    _check(item.meeting)
    item.is_read = draft.get("is_read", True)
    store.add(item)
    if send != "SendToNone" and item.meeting.attendees:
        send_request(site, store, item, [one.person for one in item.meeting.attendees], copy="Copy" in send)
    return item


def update(
    site: Site,
    store: MailboxStore,
    item: Item,
    draft: MeetingDraft,
    *,
    change_key: str | None,
    resolution: ConflictResolution,
    send: SendUpdates,
) -> None:
    """See Exchange.update_item."""
    if resolution == "NeverOverwrite" and change_key is not None and change_key != item.change_key:
        raise IrresolvableConflict("the item was changed since it was read")
    if not isinstance(item, CalendarItem):
        _apply_plain(item, draft)
        item.is_read = draft.get("is_read", item.is_read)
        store.touch(item, read_flag_only=set(draft) == {"is_read"})
        return
    before = item.meeting
    item.meeting = copy_of(before)
    try:
        _apply(site, item, draft)
        _check(item.meeting)
    except InvalidOperation:
        item.meeting = before
        raise
    _carry_exceptions(site, item, before)
    item.is_read = draft.get("is_read", item.is_read)
    store.touch(item, read_flag_only=set(draft) == {"is_read"})
    if item.is_organizer and send != "SendToNone":
        _send_updates(site, store, item, before, send)
        _uninvite_from_lost(site, store, replace(item, meeting=before), item.meeting, copy="Copy" in send)


def _carry_exceptions(site: Site, item: CalendarItem, before: Meeting) -> None:
    """A new pattern and new times know no exceptions; another end of the range keeps those it reaches."""
    meeting = item.meeting
    if schedule_print(before) != schedule_print(meeting):
        if exceptions.same_pattern(before, meeting):
            exceptions.keep_in_range(meeting)
        else:
            meeting.modified, meeting.deleted = (), ()
    exceptions.follow_attendees(
        meeting, before.attendees, lambda one, other: site.directory.same(one.person, other.person)
    )


def _uninvite_from_lost(site: Site, store: MailboxStore, before: CalendarItem, now: Meeting, *, copy: bool) -> None:
    """Tell those who were invited to a lost exception, and to nothing else of the series, that it is off."""
    for change in before.meeting.modified:
        if exception_on(now, change.original_start) is not None and now.is_series:
            continue
        alone = [one.person for one in change.attendees or () if not contains(site, now.attendees, one.person)]
        alone = [one for one in alone if not contains(site, before.meeting.attendees, one)]
        if alone:
            view = view_of(before, change)
            send_cancel(site, store, view, alone, Body(), copy=copy, sequence=now.sequence)


def everybody(site: Site, item: CalendarItem) -> list[Person]:
    """Who is invited to a meeting, or to an exception of it alone."""
    found: list[Attendee] = list(item.meeting.attendees)
    for change in item.meeting.modified:
        found += [one for one in change.attendees or () if not contains(site, found, one.person)]
    return [one.person for one in found]


def _send_updates(site: Site, store: MailboxStore, item: CalendarItem, before: Meeting, send: SendUpdates) -> None:
    was, now = list(before.attendees), list(item.meeting.attendees)
    removed = [one.person for one in was if not contains(site, now, one.person)]
    added = [one.person for one in now if not contains(site, was, one.person)]
    everybody = [one.person for one in now]
    moved = item.request_was_sent and item.sent_schedule != schedule_print(item.meeting)
    changed_only = "Changed" in send and not moved and item.request_was_sent
    copy = "Copy" in send
    if removed and item.request_was_sent:
        send_cancel(site, store, item, removed, Body(), copy=copy, sequence=item.meeting.sequence)
    recipients = added if changed_only else everybody
    if recipients:
        send_request(site, store, item, recipients, copy=copy)


def send_request(site: Site, store: MailboxStore, item: CalendarItem, to: Iterable[Person], *, copy: bool) -> None:
    """Send the meeting as it is now. Changed times raise the sequence and make everybody's answer void."""
    now_print = schedule_print(item.meeting)
    if item.request_was_sent and item.sent_schedule != now_print:
        item.meeting.sequence += 1
        item.meeting.attendees = tuple(
            replace(one, response="NoResponseReceived", response_time=None) for one in item.meeting.attendees
        )
    item.request_was_sent, item.sent_schedule = True, now_print
    item.meeting.stamp = site.stamp()
    store.touch(item)
    envelope = envelope_for(store, item, "REQUEST", item.subject, item.body)
    if copy:
        transport.keep_sent_copy(site, store, envelope, to)
    transport.send(site, envelope, others(site, store, to))


def send_cancel(
    site: Site,
    store: MailboxStore,
    item: CalendarItem,
    to: Iterable[Person],
    body: Body,
    *,
    copy: bool,
    sequence: int,
) -> None:
    """Tell people that the meeting is off for them."""
    cancelled = replace(item.meeting, sequence=sequence, stamp=site.stamp(), is_cancelled=True, free_busy="Free")
    envelope = envelope_for(store, item, "CANCEL", canceled_subject(item.subject), body)
    envelope = replace(envelope, meeting=cancelled)
    if copy:
        transport.keep_sent_copy(site, store, envelope, to)
    transport.send(site, envelope, others(site, store, to))


def envelope_for(store: MailboxStore, item: CalendarItem, method: str, subject: str, body: Body) -> Envelope:
    """The organizer's message about this item: without tracking, which is nobody else's business."""
    people = item.meeting.attendees
    travelling = replace(
        item.meeting,
        organizer=store.owner.person,
        attendees=_untracked(people),
        modified=tuple(
            replace(
                one,
                attendees=None if one.attendees is None else _untracked(one.attendees),
                my_response=None,
                reply_time=None,
                extended=(),
            )
            for one in item.meeting.modified
        ),
    )
    return Envelope(
        method="CANCEL" if method == "CANCEL" else "REQUEST",
        meeting=travelling,
        subject=subject,
        body=body,
        author=store.owner.person,
        sender=item.sender or store.owner.person,
        to=tuple(one.person for one in people if one.role == "required"),
        cc=tuple(one.person for one in people if one.role == "optional"),
        sensitivity=item.sensitivity,
        importance=item.importance,
    )


def _untracked(people: Iterable[Attendee]) -> tuple[Attendee, ...]:
    return tuple(replace(one, response="Unknown", response_time=None) for one in people)


def others(site: Site, store: MailboxStore, people: Iterable[Person]) -> list[Person]:
    """All of them but the organizer."""
    me = Person(store.owner.address)
    return [one for one in people if not site.directory.same(one, me)]


def contains(site: Site, attendees: Iterable[Attendee], person: Person) -> bool:
    """Whether one of the attendees is this person, whatever address form names them."""
    return any(site.directory.same(one.person, person) for one in attendees)


def cancel(site: Site, store: MailboxStore, item: Item, body: Body | None, disposition: Disposition) -> CalendarItem:
    """See Exchange.cancel_meeting."""
    if not isinstance(item, CalendarItem) or not item.is_organizer:
        raise InvalidOperation("ErrorCalendarIsNotOrganizer", "only the organizer can cancel a meeting")
    _mark_cancelled(site, store, item, body or Body(), send=disposition != "SaveOnly", copy="Copy" in disposition)
    store.move(item, "deleteditems")
    return item


def _mark_cancelled(site: Site, store: MailboxStore, item: CalendarItem, body: Body, *, send: bool, copy: bool) -> None:
    sequence = item.meeting.sequence + 1
    people = everybody(site, item)
    if send and people:
        send_cancel(site, store, item, people, body, copy=copy, sequence=sequence)
    item.meeting = replace(item.meeting, is_cancelled=True, free_busy="Free", sequence=sequence)
    item.subject = canceled_subject(item.subject)
    store.touch(item)


def delete(
    site: Site, store: MailboxStore, item: Item, mode: DeleteMode, send_cancellations: SendInvitations
) -> Item | None:
    """See Exchange.delete_item."""
    tells = send_cancellations != "SendToNone"
    if tells and isinstance(item, CalendarItem) and item.is_organizer and not item.meeting.is_cancelled:
        _mark_cancelled(site, store, item, Body(), send=True, copy="Copy" in send_cancellations)
    if mode == "MoveToDeletedItems":
        store.move(item, "deleteditems")
        return item
    if mode == "SoftDelete":
        store.move(item, "recoverableitems")
        return None
    store.remove(item)
    return None


def _apply(site: Site, item: CalendarItem, draft: MeetingDraft) -> None:
    _apply_plain(item, draft)
    given = cast("Mapping[str, object]", draft)
    if given.get("start_zone", item.meeting.start_zone) != item.meeting.start_zone:
        item.meeting.zone_rules = None
    for name in _DIRECT:
        if name in given:
            setattr(item.meeting, name, given[name])
    if "recurrence" in draft:
        item.meeting.recurrence, item.meeting.raw_rrule = draft["recurrence"], None
    if "attendees" in draft:
        item.meeting.attendees = _merged(site, item, draft["attendees"])
    if {"all_day", "start", "end"} & set(draft) and item.meeting.all_day:
        _whole_days(item.meeting)
    item.intended_free_busy = item.meeting.free_busy
    if item.is_organizer:
        item.is_meeting = bool(item.meeting.attendees) or item.request_was_sent
        item.my_response = "Organizer" if item.is_meeting else "Unknown"


def _apply_plain(item: Item, draft: MeetingDraft) -> None:
    if "subject" in draft:
        item.subject = draft["subject"][:MAX_SUBJECT]
    given = cast("Mapping[str, object]", draft)
    for name in _PLAIN:
        if name in given:
            setattr(item, name, given[name])
    merge_extended(item, draft.get("extended", {}).items())


def merge_extended(item: Item, given: Iterable[tuple[PropertyTag, PropertyValue | None]]) -> None:
    """Set extended properties, remove those given as None."""
    for tag, value in given:
        if value is None:
            item.extended.pop(tag, None)
        else:
            item.extended[tag] = value


def _merged(site: Site, item: CalendarItem, given: Iterable[Attendee]) -> tuple[Attendee, ...]:
    """The new list without doubles, in directory form, with the answers of those who stay."""
    merged: list[Attendee] = []
    for one in given:
        person = site.directory.smtp(one.person)
        known = [old for old in item.meeting.attendees if site.directory.same(old.person, person)]
        fresh = Attendee(person, one.role, one.response, one.response_time)
        kept = replace(known[0], person=person, role=one.role) if known else fresh
        if not contains(site, merged, person):
            merged.append(kept)
    return tuple(merged)


def _whole_days(meeting: Meeting) -> None:
    """All-day items last from local midnight to local midnight, at least one day (as Exchange rounds them)."""
    zone = zone_of(meeting) or UTC
    first = meeting.start.astimezone(zone)
    last = meeting.end.astimezone(zone)
    start = first.replace(hour=0, minute=0, second=0, microsecond=0)
    end = last.replace(hour=0, minute=0, second=0, microsecond=0)
    if end < last or end <= start:
        end = _next_day(end)
    meeting.start, meeting.end = start.astimezone(UTC), end.astimezone(UTC)


def _next_day(local: datetime) -> datetime:
    return local + timedelta(days=1)  # wall-clock arithmetic: aware datetimes of one zone add local days


def _check(meeting: Meeting) -> None:
    if meeting.end < meeting.start:
        raise InvalidOperation("ErrorCalendarEndDateIsEarlierThanStartDate", "the end lies before the start")
    if meeting.end - meeting.start > _MAX_DURATION:
        raise InvalidOperation("ErrorCalendarDurationIsTooLong", "the meeting lasts longer than five years")
    if meeting.recurrence is not None and not is_sound(meeting.recurrence):
        raise InvalidOperation("ErrorCalendarInvalidRecurrence", "the recurrence has numbers that cannot be")
