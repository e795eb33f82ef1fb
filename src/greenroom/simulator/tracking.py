"""The organizer's view of who has answered what."""

from dataclasses import replace

from greenroom.simulator.envelope import Envelope
from greenroom.simulator.model import Attendee, CalendarItem
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore


def track(site: Site, store: MailboxStore, item: CalendarItem, envelope: Envelope) -> bool:
    """Enter an answer into the organizer's item; false when it answers an older version of the meeting.

    Someone who was not invited by the organizer but answers (a forwarded invitation) becomes an optional attendee.
    Answers for one occurrence do not change the tracking of the series.
    """
    if envelope.meeting.sequence < item.meeting.sequence:
        return False
    if envelope.meeting.recurrence_id is not None and item.meeting.recurrence_id is None:
        return True
    response = envelope.answer or "Unknown"
    time = envelope.meeting.stamp if envelope.external else site.now()
    updated: list[Attendee] = []
    found = False
    for attendee in item.meeting.attendees:
        if not site.directory.same(attendee.person, envelope.author):
            updated.append(attendee)
            continue
        found = True
        if attendee.response_time is not None and time < attendee.response_time:
            return False
        updated.append(replace(attendee, response=response, response_time=time))
    if not found:
        updated.append(Attendee(site.directory.smtp(envelope.author), "optional", response, time))
    item.meeting.attendees = tuple(updated)
    store.touch(item)
    return True
