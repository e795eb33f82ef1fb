"""What a resource mailbox with AutoAccept does with a request: accept it stripped, decline it, or leave it to its delegates.

The judgement is that of Set-CalendarProcessing: recurrence, duration, booking window, working hours, conflicts, and who may book
in or out of policy. Two things are simpler than in Exchange: single occurrences of a series are never declined for their own
conflicts (the series is taken or declined whole), and a series that reaches beyond the booking window where that is allowed is
not shortened. Working hours are Monday to Friday, 8 to 17, in the mailbox's time zone, as in a new mailbox.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from greenroom.simulator import exceptions, rights, zones
from greenroom.simulator.envelope import ANSWER_PREFIX, Envelope, copy_of
from greenroom.simulator.model import Body, CalendarItem
from greenroom.simulator.occurrences import last_occurrence, occurrences_within

if TYPE_CHECKING:
    from greenroom.simulator.model import Answer, Booking, Meeting, MeetingRequestType
    from greenroom.simulator.site import Site
    from greenroom.simulator.store import MailboxStore

_DAY: Final = timedelta(days=1)
_FAR: Final = timedelta(days=730)
_OPENS, _CLOSES, _WORKDAYS = 8, 17, 5
Verdict = Literal["Accept", "Decline", "Pending"]
_SAID: Final[dict[Answer, str]] = {
    "Accept": "Your request was accepted.",
    "Decline": "Your request was declined.",
    "Tentative": "Your request is pending.",
}


def process(
    site: Site, store: MailboxStore, envelope: Envelope, item: CalendarItem, request_type: MeetingRequestType
) -> Envelope | None:
    """Answer a request that is in the calendar; returns the reply to the organizer, if there is one to be sent."""
    new = request_type != "InformationalUpdate"
    verdict, reason = judge(site, store, envelope.meeting) if new else ("Accept", "")
    original = envelope.meeting.recurrence_id
    answer: Answer = {"Accept": "Accept", "Decline": "Decline", "Pending": "Tentative"}[verdict]  # type: ignore[assignment]  # a literal each
    if verdict == "Pending":
        return _reply(store, envelope, answer, reason) if envelope.meeting.response_requested else None
    if original is not None and item.meeting.is_series:
        exceptions.answer(item, original, answer, site.now())
        store.touch(item)
    elif verdict == "Accept":
        _accept(site, store, item)
        store.touch(item)
    else:
        item.my_response, item.reply_time, item.meeting.free_busy = "Decline", site.now(), "Free"
        store.touch(item)
        store.move(item, "deleteditems")
    if not new or not envelope.meeting.response_requested:
        return None
    return _reply(store, envelope, answer, reason)


def judge(site: Site, store: MailboxStore, meeting: Meeting) -> tuple[Verdict, str]:
    """What becomes of a request, and a sentence that says why it is not simply accepted."""
    options = store.owner.booking
    reason = _out_of_policy(site, store, meeting)
    if reason:
        pending = options.request_out_of_policy and options.delegates
        return ("Pending", reason) if pending else ("Decline", reason)
    if not options.allow_conflicts and _conflicts(site, store, meeting):
        return "Decline", "It conflicts with another meeting."
    if options.book_in_policy:
        return "Accept", ""
    if options.request_in_policy and options.delegates:
        return "Pending", "It waits for the approval of a delegate."
    return "Decline", "You are not allowed to book this resource."


def _out_of_policy(site: Site, store: MailboxStore, meeting: Meeting) -> str:
    options = store.owner.booking
    if meeting.is_series and not options.allow_recurring:
        return "Recurring meetings are not allowed."
    if options.longest_minutes and meeting.end - meeting.start > timedelta(minutes=options.longest_minutes):
        return f"It is longer than {options.longest_minutes} minutes."
    if options.work_hours_only and not _at_work(site, store, meeting.start, meeting.end):
        return "It is outside of the working hours."
    return "" if options.window_days is None else _too_far(site.now(), meeting, options)


def _too_far(now: datetime, meeting: Meeting, options: Booking) -> str:
    assert options.window_days is not None, "the caller has looked"
    horizon = (now + _DAY * (options.window_days + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if meeting.start >= horizon:
        return f"It is more than {options.window_days} days ahead."
    if meeting.is_series and options.enforce_horizon:
        last = last_occurrence(meeting)
        if last is None or last.start >= horizon:
            return f"The series goes on for more than {options.window_days} days."
    return ""


def _at_work(site: Site, store: MailboxStore, start: datetime, end: datetime) -> bool:
    zone = zones.find(rights.recipient(site, store.owner).time_zone) or UTC
    first, last = start.astimezone(zone), end.astimezone(zone)
    closing = first.replace(hour=_CLOSES, minute=0, second=0, microsecond=0)
    return first.weekday() < _WORKDAYS and first.hour >= _OPENS and last <= closing


def _spans(site: Site, meeting: Meeting) -> list[tuple[datetime, datetime]]:
    if not meeting.is_series:
        return [(meeting.start, meeting.end)]
    now = site.now()
    return [(one.start, one.end) for one in occurrences_within(meeting, now, now + _FAR)]


def _conflicts(site: Site, store: MailboxStore, meeting: Meeting) -> bool:
    options, asked = store.owner.booking, _spans(site, meeting)
    busy: list[tuple[datetime, datetime]] = []
    for item in store.contents("calendar"):
        taken = isinstance(item, CalendarItem) and item.meeting.clean_goid != meeting.clean_goid
        if taken and not item.meeting.is_cancelled and item.meeting.free_busy != "Free":  # type: ignore[attr-defined]  # a calendar item, see above
            busy += _spans(site, item.meeting)  # type: ignore[attr-defined]  # as above
    clashes = sum(any(start < until and since < end for since, until in busy) for start, end in asked)
    if not meeting.is_series:
        return clashes > 0
    share = 100 * clashes / len(asked) if asked else 0
    return clashes > options.conflict_instances or share > options.conflict_percentage


def _accept(site: Site, store: MailboxStore, item: CalendarItem) -> None:
    options = store.owner.auto_accept
    subject = "" if options.delete_subject else item.subject
    if options.add_organizer_to_subject:
        organizer = site.directory.smtp(item.meeting.organizer)
        subject = f"{organizer.name or organizer.address} {subject}".strip()
    item.subject = subject
    if options.delete_comments:
        item.body = Body("", item.body.type)
    if options.remove_private_property:
        item.sensitivity = "Normal"
    item.my_response, item.reply_time = "Accept", site.now()
    item.meeting.free_busy = item.intended_free_busy


def _reply(store: MailboxStore, envelope: Envelope, answer: Answer, reason: str) -> Envelope:
    said = [_SAID[answer], reason, store.owner.booking.response or ""]
    return Envelope(
        method="REPLY",
        meeting=copy_of(envelope.meeting),
        subject=ANSWER_PREFIX[answer] + envelope.subject,
        body=Body(" ".join(part for part in said if part), "Text"),
        author=store.owner.person,
        sender=store.owner.person,
        to=(envelope.meeting.organizer,),
        answer=answer,
    )
