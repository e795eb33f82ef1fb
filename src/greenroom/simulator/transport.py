"""Mail between mailboxes, and the mail that leaves."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from greenroom.simulator import processing
from greenroom.simulator.directory import bare
from greenroom.simulator.envelope import Envelope, copy_of
from greenroom.simulator.ics_write import write_envelope
from greenroom.simulator.model import (
    MeetingCancellation,
    MeetingMessage,
    MeetingRequest,
    Message,
    OutboundMail,
    Person,
)
from greenroom.simulator.processing import Outcome
from greenroom.simulator.site import Held, Site
from greenroom.simulator.store import MailboxStore

_MINUTE = timedelta(minutes=1)


def send(site: Site, envelope: Envelope, recipients: Iterable[Person]) -> None:
    """Bring a scheduling message to each recipient once: into a mailbox, out of the house, or back as undeliverable."""
    hold = site.hold_until or _over_the_rate(site, envelope)
    if hold is not None:
        site.held.append(Held(hold, envelope, tuple(recipients)))
        return
    _bring(site, envelope, recipients)


def _bring(site: Site, envelope: Envelope, recipients: Iterable[Person]) -> None:
    done: set[str] = set()
    for person in recipients:
        mailbox = site.directory.find(person.address)
        address = bare(person.address) if mailbox is None else mailbox.address
        if address in done:
            continue
        done.add(address)
        if mailbox is not None:
            deliver(site, site.stores[mailbox.address], envelope)
            continue
        ics = write_envelope(_for_outside(site, envelope))
        author = site.directory.smtp(envelope.author)
        mail = OutboundMail(
            bare(author.address), address, envelope.subject, envelope.method, ics, envelope.body, site.now()
        )
        leave(site, mail, person)


def _over_the_rate(site: Site, envelope: Envelope) -> datetime | None:
    """Until when a message waits in the outbox because its mailbox is over MessageRateLimit; None: it may leave."""
    rate, address = site.organisation.message_rate, site.directory.smtp(envelope.sender).address
    if rate is None or site.directory.find(address) is None:
        return None
    now = site.now()
    sent = site.sent[address] = [at for at in site.sent.get(address, []) if at > now - _MINUTE]
    if len(sent) < rate:
        sent.append(now)
        return None
    due = sent[-rate] + _MINUTE
    sent.append(due)
    return due


def release(site: Site) -> None:
    """Deliver the messages that were held back for the message rate and whose time has come."""
    now = site.now()
    due = [one for one in site.held if one.until <= now]
    if not due:
        return
    site.held = [one for one in site.held if one.until > now]
    for one in sorted(due, key=lambda held: held.until):
        _bring(site, one.envelope, one.recipients)


def _for_outside(site: Site, envelope: Envelope) -> Envelope:
    """Outside, nobody knows our X500 names."""
    meeting = replace(envelope.meeting, organizer=site.directory.smtp(envelope.meeting.organizer))
    author, sender = site.directory.smtp(envelope.author), site.directory.smtp(envelope.sender)
    return replace(envelope, meeting=meeting, author=author, sender=sender)


def leave(site: Site, mail: OutboundMail, person: Person) -> None:
    """Hand a mail for nobody here to the relay, or bounce it when it claims to be for one of ours."""
    ours = person.routing == "EX" or site.directory.is_local_domain(person.address)
    (site.bounced if ours else site.outbound).append(mail)


def deliver(site: Site, store: MailboxStore, envelope: Envelope) -> Outcome:
    """Put a scheduling message into a mailbox and let the mailbox process it; send what it answers by itself."""
    outcome = processing.receive(site, store, replace(envelope, meeting=copy_of(envelope.meeting)))
    if outcome.reply is not None:
        send(site, outcome.reply, [outcome.reply.meeting.organizer])
    return outcome


def keep_sent_copy(site: Site, store: MailboxStore, envelope: Envelope, recipients: Iterable[Person]) -> MeetingMessage:
    """Put the organizer's copy of a request or cancellation into Sent Items."""
    fields = site.base_fields(store, "sentitems") | {
        "subject": envelope.subject,
        "body": envelope.body,
        "sensitivity": envelope.sensitivity,
        "importance": envelope.importance,
        "sender": envelope.sender,
        "author": envelope.author,
        "to": tuple(recipients),
        "meeting": copy_of(envelope.meeting),
        "has_been_processed": True,
    }
    message: MeetingMessage
    if envelope.method == "CANCEL":
        message = MeetingCancellation(item_class="IPM.Schedule.Meeting.Canceled", **fields)
    else:
        message = MeetingRequest(item_class="IPM.Schedule.Meeting.Request", **fields)
    store.add(message)
    return message


def send_plain(site: Site, message: Message) -> None:
    """Bring a plain mail to everybody it is for."""
    assert message.author is not None, "a mail has an author"
    done: set[str] = set()
    for person in (*message.to, *message.cc):
        mailbox = site.directory.find(person.address)
        address = bare(person.address) if mailbox is None else mailbox.address
        if address in done:
            continue
        done.add(address)
        if mailbox is None:
            author = bare(message.author.address)
            leave(site, OutboundMail(author, address, message.subject, None, None, message.body, site.now()), person)
        else:
            put_plain(site, site.stores[address], message)


def put_plain(site: Site, store: MailboxStore, message: Message) -> Message:
    """Put a copy of a plain mail into an Inbox."""
    copy = replace(message, **site.base_fields(store, "inbox"), is_read=False, is_draft=False)
    store.add(copy, new_mail=True)
    if store.owner.booking.remove_mail and store.owner.processing == "auto_accept":
        store.move(copy, "deleteditems")  # DeleteNonCalendarItems
    return copy
