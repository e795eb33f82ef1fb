"""What a mail server does with an iCalendar file for one of its mailboxes (RFC 6047, RFC 5546)."""

from collections.abc import Iterable
from dataclasses import replace

from greenroom.simulator import rights, transport
from greenroom.simulator.envelope import Envelope
from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_identity import UNSTAMPED
from greenroom.simulator.ics_read import ReadEvent, ReadFile, read_ics
from greenroom.simulator.model import (
    Answer,
    DeletedOccurrence,
    Delivered,
    Message,
    ModifiedOccurrence,
    Person,
)
from greenroom.simulator.processing import Outcome
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore

_ANSWERS = {"Accept", "Decline", "Tentative"}
_NOBODY = "the event has no ORGANIZER with a mail address, so nobody invites and nobody could be answered"
_FUTURE = "a change to one occurrence and all after it (RANGE=THISANDFUTURE) cannot be taken over"
_AS_REQUEST = {None, "REQUEST", "PUBLISH"}


def deliver_ics(site: Site, store: MailboxStore, data: bytes, sender: str | None) -> Delivered:
    """See Exchange.deliver_ics."""
    file = read_ics(data)
    method = file.method or "REQUEST"
    author = sender or file.sender
    by_sender = None if author is None else Person(author)
    for event in file.events:
        if event.meeting.stamp == UNSTAMPED:
            event.meeting.stamp = site.now()
    if _is_stranger(site, store, file, by_sender):
        note = "550 5.7.133 only senders of the own organisation may write to this mailbox"
        return Delivered(method, file.events[0].meeting.uid, (), (), note)
    if file.method in _AS_REQUEST or file.method == "CANCEL":
        groups = _by_uid(file.events)
        if file.method == "PUBLISH" and all(one.organizer is None for one in file.events):
            return _keep_as_mail(
                site, store, file, by_sender, "an event that is published without an organizer invites nobody"
            )
        if by_sender is None:
            # Beside real meetings, a calendar can hold its owner's own appointments.
            groups = [events for events in groups if any(one.organizer is not None for one in events)] or groups
        cancel = file.method == "CANCEL"
        # All are read before the first is delivered, so that a bad one leaves nothing half done.
        envelopes = [one for events in groups for one in _envelopes(site, events, by_sender, cancel=cancel)]
        outcomes = [transport.deliver(site, store, one) for one in envelopes]
        return _delivered(method, file, outcomes)
    if file.method == "REPLY":
        reply = _reply(site, file.events[0])
        if reply is not None:
            return _delivered(method, file, [transport.deliver(site, store, reply)])
        return _keep_as_mail(
            site, store, file, by_sender, "it is a reply in which nobody accepts, declines or is tentative"
        )
    return _keep_as_mail(site, store, file, by_sender, "mail servers do nothing by themselves with this method")


def _is_stranger(site: Site, store: MailboxStore, file: ReadFile, sender: Person | None) -> bool:
    """Whether the mailbox takes mail of the own organisation alone (RequireSenderAuthenticationEnabled), and this is none."""
    if not rights.recipient(site, store.owner).authenticated_only:
        return False
    event = file.events[0]
    attendees = event.meeting.attendees
    author = attendees[0].person if file.method == "REPLY" and attendees else event.organizer or sender
    return author is None or site.directory.find(author.address) is None


def _by_uid(events: Iterable[ReadEvent]) -> list[list[ReadEvent]]:
    groups: dict[bytes, list[ReadEvent]] = {}
    for event in events:
        groups.setdefault(event.meeting.clean_goid, []).append(event)
    return list(groups.values())


def _envelopes(site: Site, events: list[ReadEvent], sender: Person | None, *, cancel: bool) -> list[Envelope]:
    """One message for a master with its exceptions, one for each exception that comes without its master."""
    named = next((one.organizer for one in events if one.organizer is not None), sender)
    if named is None:
        raise BadInvitation(_NOBODY, events[0].line)
    for event in events:
        if event.this_and_future:
            raise BadInvitation(_FUTURE, event.line)
        event.meeting.organizer = named
    masters = [one for one in events if one.meeting.recurrence_id is None]
    alone = [one for one in events if one.meeting.recurrence_id is not None]
    made: list[Envelope] = []
    if masters:
        newest = max(masters, key=lambda one: one.meeting.sequence)
        _add_exceptions(newest, alone)
        made.append(_envelope(site, newest, cancel=cancel))
        alone = [] if newest.meeting.is_series else alone
    return [*made, *(_envelope(site, one, cancel=cancel) for one in alone)]


def _add_exceptions(master: ReadEvent, exceptions: Iterable[ReadEvent]) -> None:
    if not master.meeting.is_series:
        return
    modified: dict[object, ModifiedOccurrence] = {}
    deleted = {one.start for one in master.meeting.deleted}
    for one in exceptions:
        original = one.meeting.recurrence_id
        assert original is not None, "exceptions have an original start"
        if one.meeting.is_cancelled:
            deleted.add(original)
            continue
        modified[original] = ModifiedOccurrence(
            original,
            one.meeting.start,
            one.meeting.end,
            None if one.subject == master.subject else one.subject,
            None if one.meeting.location == master.meeting.location else one.meeting.location,
            None if one.body == master.body else one.body,
            None if one.meeting.all_day == master.meeting.all_day else one.meeting.all_day,
            attendees=None if _invited(one) == _invited(master) else one.meeting.attendees,
        )
    master.meeting.modified = tuple(sorted(modified.values(), key=lambda one: one.original_start))
    master.meeting.deleted = tuple(DeletedOccurrence(one) for one in sorted(deleted))


def _invited(event: ReadEvent) -> frozenset[str]:
    return frozenset(one.person.address.lower() for one in event.meeting.attendees)


def _envelope(site: Site, event: ReadEvent, *, cancel: bool) -> Envelope:
    organizer = event.meeting.organizer
    attendees = tuple(replace(one, person=site.directory.smtp(one.person)) for one in event.meeting.attendees)
    meeting = replace(event.meeting, attendees=attendees, organizer=site.directory.smtp(organizer))
    cancelled = cancel or meeting.is_cancelled
    return Envelope(
        method="CANCEL" if cancelled else "REQUEST",
        meeting=meeting,
        subject=event.subject,
        body=event.body,
        author=meeting.organizer,
        sender=meeting.organizer,
        to=tuple(one.person for one in attendees if one.role == "required"),
        cc=tuple(one.person for one in attendees if one.role == "optional"),
        sensitivity=event.sensitivity,
        importance=event.importance,
        external=site.directory.find(organizer.address) is None,
        has_start=event.has_start,
    )


def _reply(site: Site, event: ReadEvent) -> Envelope | None:
    """The answer a REPLY carries; None when there is none among its attendees."""
    answered = [one for one in event.meeting.attendees if one.response in _ANSWERS]
    if not answered:
        return None
    who = site.directory.smtp(answered[0].person)
    answer: Answer = "Tentative"
    if answered[0].response in {"Accept", "Decline"}:
        answer = "Accept" if answered[0].response == "Accept" else "Decline"
    body = replace(event.body, content=event.comment, type="Text") if event.comment else event.body
    organizer = site.directory.smtp(event.meeting.organizer)
    return Envelope(
        method="REPLY",
        meeting=replace(event.meeting, organizer=organizer),
        subject=event.subject,
        body=body,
        author=who,
        sender=who,
        to=(organizer,),
        answer=answer,
        external=site.directory.find(who.address) is None,
        has_start=event.has_start,
    )


def _keep_as_mail(site: Site, store: MailboxStore, file: ReadFile, sender: Person | None, note: str) -> Delivered:
    event = file.events[0]
    author = event.organizer or sender or Person("")
    template = Message(
        **site.base_fields(store, "inbox"),
        item_class="IPM.Note",
        subject=event.subject,
        body=event.body,
        sensitivity=event.sensitivity,
        importance=event.importance,
        sender=author,
        author=author,
        to=(store.owner.person,),
    )
    message = transport.put_plain(site, store, template)
    return Delivered(file.method or "", event.meeting.uid, (message.id,), (), note)


def _delivered(method: str, file: ReadFile, outcomes: list[Outcome]) -> Delivered:
    items = {one.calendar_item.id: None for one in outcomes if one.calendar_item is not None}
    note = next((one.note for one in outcomes if one.note is not None), None)
    messages = tuple(one.message.id for one in outcomes)
    uids = dict.fromkeys(one.message.meeting.uid for one in outcomes if one.note is None)
    uid = next(iter(uids), file.events[0].meeting.uid)
    return Delivered(method, uid, messages, tuple(items), note, tuple(uids))
