"""What attendees do: accept, tentatively accept, decline, remove a cancelled meeting."""

from dataclasses import replace
from datetime import UTC

from greenroom.simulator import copies, exceptions, processing, transport
from greenroom.simulator.envelope import ANSWER_PREFIX, MAX_SUBJECT, Envelope, copy_of, meeting_of, version
from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.model import (
    Answer,
    Body,
    CalendarItem,
    Disposition,
    Item,
    MeetingCancellation,
    MeetingRequest,
    MeetingResponse,
    Person,
    Responded,
)
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore

_CLASS = {"Accept": "Pos", "Decline": "Neg", "Tentative": "Tent"}


def respond(
    site: Site,
    store: MailboxStore,
    item: Item,
    answer: Answer,
    *,
    body: Body | None,
    disposition: Disposition,
    sender: str | None,
) -> Responded:
    """See Exchange.respond."""
    if not isinstance(item, CalendarItem | MeetingRequest):
        raise InvalidOperation("ErrorInvalidRequest", "only meetings and meeting requests can be answered")
    check(site, store, item, answer)
    entry = _entry_for(site, store, item)
    if isinstance(item, CalendarItem):
        item = entry
    asked = copy_of(item.meeting)
    whole = entry.meeting.goid == asked.goid
    if whole:
        entry.my_response, entry.reply_time = answer, site.now()
        busy = {"Accept": entry.intended_free_busy, "Tentative": "Tentative", "Decline": "Free"}[answer]
        entry.meeting.free_busy = entry.intended_free_busy if entry.intended_free_busy == "Free" else busy
    elif asked.recurrence_id is not None:
        exceptions.answer(entry, asked.recurrence_id, answer, site.now().astimezone(UTC))
    store.touch(entry)
    inbox = store.folder("inbox").id
    for other in store.about(asked.clean_goid):
        if isinstance(other, MeetingRequest) and other.folder_id == inbox and other.meeting.goid == asked.goid:
            other.has_been_processed = True
            store.move(other, "deleteditems")
    if whole and answer == "Decline":
        store.move(entry, "deleteditems")
    sent = None
    if disposition != "SaveOnly" and asked.response_requested:
        subject = item.subject if isinstance(item, MeetingRequest) else entry.subject
        reply = reply_for(site, store, entry, answer, subject=subject, body=body or Body(), sender=sender, asked=item)
        transport.send(site, reply, [asked.organizer])
        if disposition == "SendAndSaveCopy":
            sent = sent_copy(site, store, reply)
    return Responded(entry, sent)


def check(site: Site, store: MailboxStore, item: CalendarItem | MeetingRequest, answer: Answer) -> None:
    """Raise InvalidOperation where this cannot be answered: the own meeting, a cancelled or outdated one."""
    own = isinstance(item, CalendarItem) and item.is_organizer
    if own or site.directory.same(item.meeting.organizer, Person(store.owner.address)):
        raise InvalidOperation(f"ErrorCalendarIsOrganizerFor{answer}", "the organizer cannot answer the own meeting")
    if isinstance(item, MeetingRequest) and item.is_out_of_date:
        raise InvalidOperation("ErrorCalendarMeetingRequestIsOutOfDate", "a newer version of this request is here")
    known = copies.find(store, item.meeting)
    superseded = known is not None and (
        isinstance(item, CalendarItem) or version(known.meeting) >= version(item.meeting)
    )
    if item.meeting.is_cancelled or (superseded and known is not None and known.meeting.is_cancelled):
        raise InvalidOperation(f"ErrorCalendarIsCancelledFor{answer}", "the meeting was cancelled")


def _entry_for(site: Site, store: MailboxStore, item: CalendarItem | MeetingRequest) -> CalendarItem:
    """The calendar entry to be answered; made or brought up to date when only the request has the news."""
    if isinstance(item, CalendarItem):
        current = copies.find(store, item.meeting)
        if current is not None and current.meeting.goid == item.meeting.goid:
            return current  # an old declined entry answered after an update has made a new one
        if item.folder_id != store.folder("calendar").id:
            store.move(item, "calendar")  # a declined meeting accepted after all comes back
        return item
    known = copies.find(store, item.meeting)
    is_newest = known is not None and version(known.meeting) >= version(item.meeting)
    if known is not None and (is_newest or known.meeting.goid != item.meeting.goid) and item.has_been_processed:
        return known
    envelope = Envelope(
        method="REQUEST",
        meeting=copy_of(item.meeting),
        subject=item.subject,
        body=item.body,
        author=item.author or item.meeting.organizer,
        sender=item.sender or item.meeting.organizer,
        sensitivity=item.sensitivity,
        importance=item.importance,
    )
    entry = copies.apply_request(site, store, envelope, item.request_type)
    item.associated_id = entry.id
    return entry


def reply_for(
    site: Site,
    store: MailboxStore,
    entry: CalendarItem,
    answer: Answer,
    *,
    subject: str,
    body: Body,
    sender: str | None,
    asked: CalendarItem | MeetingRequest,
) -> Envelope:
    """The message that brings an answer to the organizer."""
    me = store.owner.person
    meeting = replace(asked.meeting, free_busy=entry.meeting.free_busy, stamp=site.now())
    return Envelope(
        method="REPLY",
        meeting=meeting,
        subject=(ANSWER_PREFIX[answer] + subject)[:MAX_SUBJECT],
        body=body,
        author=me,
        sender=me if sender is None else site.directory.smtp(Person(sender)),
        to=(meeting.organizer,),
        sensitivity=entry.sensitivity,
        answer=answer,
    )


def sent_copy(site: Site, store: MailboxStore, reply: Envelope) -> MeetingResponse:
    """Put a copy of the answer into Sent Items."""
    assert reply.answer is not None, "a reply carries an answer"
    fields = processing.message_fields(site, store, replace(reply, meeting=copy_of(reply.meeting)), "sentitems")
    fields["is_read"] = True
    item_class = f"IPM.Schedule.Meeting.Resp.{_CLASS[reply.answer]}"
    message = MeetingResponse(item_class=item_class, response=reply.answer, has_been_processed=True, **fields)
    store.add(message)
    return message


def remove_cancelled(store: MailboxStore, item: Item) -> None:
    """See Exchange.remove_cancelled."""
    meeting = meeting_of(item)
    fits = isinstance(item, MeetingCancellation) or (isinstance(item, CalendarItem) and item.meeting.is_cancelled)
    if meeting is None or not fits:
        raise InvalidOperation("ErrorInvalidRequest", "only a cancelled meeting can be removed")
    known = copies.find(store, meeting)
    if known is not None and known.is_organizer:
        raise InvalidOperation("ErrorCalendarIsOrganizerForRemove", "the organizer cannot remove the own meeting")
    if known is not None and known.meeting.goid == meeting.goid:
        store.move(known, "deleteditems")
    elif known is not None and meeting.recurrence_id is not None:
        known.meeting = replace(known.meeting)
        exceptions.take_out(known.meeting, meeting.recurrence_id)
        store.touch(known)
    for other in store.about(meeting.clean_goid):
        inbox = other.folder_id == store.folder("inbox").id
        if inbox and isinstance(other, MeetingCancellation) and other.meeting.goid == meeting.goid:
            store.move(other, "deleteditems")
