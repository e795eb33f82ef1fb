"""What happens to single occurrences of a series that is in the calendar: changed, answered, taken out.

An occurrence that differs is a ModifiedOccurrence on its master, one that is gone a DeletedOccurrence (MS-OXOCAL 2.2.1.44);
messages about one carry its own global object id. What is said here of `original` is its original start in UTC.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from greenroom.simulator import attendee, exceptions, organizer, transport
from greenroom.simulator.envelope import MAX_SUBJECT
from greenroom.simulator.errors import InvalidOperation, IrresolvableConflict
from greenroom.simulator.model import (
    Answer,
    Attendee,
    Body,
    CalendarItem,
    ConflictResolution,
    Disposition,
    Item,
    MeetingDraft,
    MeetingRequest,
    ModifiedOccurrence,
    Person,
    Responded,
    SendInvitations,
    SendUpdates,
)
from greenroom.simulator.occurrence_items import change_of, view_of
from greenroom.simulator.occurrences import neighbours, original_day
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore

_TEXTS = ("subject", "location", "body")


def update(
    site: Site,
    store: MailboxStore,
    item: Item,
    original: datetime,
    draft: MeetingDraft,
    *,
    change_key: str | None,
    resolution: ConflictResolution,
    send: SendUpdates,
) -> CalendarItem:
    """See Exchange.update_occurrence."""
    master = _series(item)
    if resolution == "NeverOverwrite" and change_key is not None and change_key != master.change_key:
        raise IrresolvableConflict("the item was changed since it was read")
    known = change_of(master, original)
    before = view_of(master, known)
    fresh = _changed(site, master, known, draft)
    _check(master, fresh)
    master.meeting = replace(master.meeting)
    exceptions.put(master.meeting, fresh)
    store.touch(master)
    if master.is_organizer and send != "SendToNone":
        _tell(site, store, master, before, fresh, send=send)
    return master


def _series(item: Item) -> CalendarItem:
    if not isinstance(item, CalendarItem) or not item.meeting.is_series:
        raise InvalidOperation("ErrorInvalidRequest", "the item is no series")
    return item


def _changed(site: Site, master: CalendarItem, known: ModifiedOccurrence, draft: MeetingDraft) -> ModifiedOccurrence:
    if draft.get("recurrence") is not None:
        raise InvalidOperation("ErrorInvalidRequest", "an occurrence has no recurrence of its own")
    given = cast("dict[str, Any]", draft)
    fields = {name: given[name] for name in (*_TEXTS, "start", "end", "all_day", "free_busy") if name in given}
    if "subject" in fields:
        fields["subject"] = fields["subject"][:MAX_SUBJECT]
    if "attendees" in draft:
        current = master.meeting.attendees if known.attendees is None else known.attendees
        fields["attendees"] = _merged(site, current, draft["attendees"])
    if "extended" in draft:
        fields["extended"] = tuple({**dict(known.extended), **draft["extended"]}.items())
    if "start" in fields and "end" not in fields:
        fields["end"] = fields["start"] + (known.end - known.start)
    return replace(known, **fields)


def _merged(site: Site, current: Iterable[Attendee], given: Iterable[Attendee]) -> tuple[Attendee, ...]:
    merged: list[Attendee] = []
    for one in given:
        person = site.directory.smtp(one.person)
        kept = next((old for old in current if site.directory.same(old.person, person)), one)
        if not organizer.contains(site, merged, person):
            merged.append(replace(kept, person=person, role=one.role))
    return tuple(merged)


def _check(master: CalendarItem, change: ModifiedOccurrence) -> None:
    if change.end < change.start:
        raise InvalidOperation("ErrorCalendarEndDateIsEarlierThanStartDate", "the end lies before the start")
    if change.start == change.original_start:
        return
    meeting = master.meeting
    earlier, later = neighbours(meeting, original_day(meeting, change.original_start))
    day = original_day(meeting, change.start)
    after = earlier is None or day > original_day(meeting, earlier.start)
    before = later is None or day < original_day(meeting, later.start)
    if not (after and before):
        raise InvalidOperation("ErrorOccurrenceCrossingBoundary", "an occurrence cannot pass its neighbours")


def _tell(
    site: Site,
    store: MailboxStore,
    master: CalendarItem,
    before: CalendarItem,
    change: ModifiedOccurrence,
    *,
    send: SendUpdates,
) -> None:
    now = view_of(master, change)
    if not master.request_was_sent and change.attendees is None:
        return
    copy = "Copy" in send
    was, people = before.meeting.attendees, now.meeting.attendees
    removed = [one.person for one in was if not organizer.contains(site, people, one.person)]
    if removed:
        organizer.send_cancel(site, store, before, removed, Body(), copy=copy, sequence=before.meeting.sequence)
    moved = (before.meeting.start, before.meeting.end) != (now.meeting.start, now.meeting.end)
    added = [one.person for one in people if not organizer.contains(site, was, one.person)]
    recipients = added if "Changed" in send and not moved else [one.person for one in people]
    if recipients:
        _send_request(site, store, now, recipients, copy=copy)


def _send_request(site: Site, store: MailboxStore, view: CalendarItem, to: Iterable[Person], *, copy: bool) -> None:
    people = list(to)
    view.meeting.stamp = site.stamp()
    envelope = organizer.envelope_for(store, view, "REQUEST", view.subject, view.body)
    if copy:
        transport.keep_sent_copy(site, store, envelope, people)
    transport.send(site, envelope, organizer.others(site, store, people))


def tell_exceptions(site: Site, store: MailboxStore, item: Item) -> None:
    """See Exchange.send_exceptions."""
    master = _series(item)
    if not master.is_organizer or not master.request_was_sent:
        return
    for change in master.meeting.modified:
        view = view_of(master, change)
        people = [one.person for one in view.meeting.attendees]
        if people:
            _send_request(site, store, view, people, copy=True)


def take_out(
    site: Site,
    store: MailboxStore,
    item: Item,
    original: datetime,
    *,
    body: Body | None,
    send: SendInvitations,
) -> CalendarItem:
    """See Exchange.delete_occurrence."""
    master = _series(item)
    known = change_of(master, original)
    view = view_of(master, known)
    master.meeting = replace(master.meeting)
    exceptions.take_out(master.meeting, original)
    store.touch(master)
    people = [one.person for one in view.meeting.attendees]
    sent = master.request_was_sent or (known.attendees is not None)
    if send != "SendToNone" and master.is_organizer and sent and people:
        sequence = view.meeting.sequence
        organizer.send_cancel(site, store, view, people, body or Body(), copy="Copy" in send, sequence=sequence)
    return master


def respond(
    site: Site,
    store: MailboxStore,
    item: Item,
    original: datetime,
    answer: Answer,
    *,
    body: Body | None,
    disposition: Disposition,
) -> Responded:
    """See Exchange.respond_to_occurrence."""
    master = _series(item)
    view = view_of(master, change_of(master, original))
    attendee.check(site, store, view, answer)
    exceptions.answer(master, original, answer, site.now().astimezone(UTC))
    store.touch(master)
    inbox = store.folder("inbox").id
    for other in store.about(view.meeting.clean_goid):
        if isinstance(other, MeetingRequest) and other.folder_id == inbox and other.meeting.goid == view.meeting.goid:
            other.has_been_processed = True
            store.move(other, "deleteditems")
    sent = None
    if disposition != "SaveOnly" and view.meeting.response_requested:
        reply = attendee.reply_for(
            site, store, view, answer, subject=view.subject, body=body or Body(), sender=None, asked=view
        )
        transport.send(site, reply, [view.meeting.organizer])
        sent = attendee.sent_copy(site, store, reply) if disposition == "SendAndSaveCopy" else None
    return Responded(master, sent)
