"""What organizers plan with a series: end it and go on with another one, invite to a part of it, take people from a part of it.

These are several steps for Exchange, each with its own messages, as calendar programs take them.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from greenroom.simulator import organizer, series
from greenroom.simulator.days import number_before
from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.model import (
    Attendee,
    CalendarItem,
    Item,
    MeetingDraft,
    Person,
    SendInvitations,
    SendUpdates,
)
from greenroom.simulator.occurrence_items import change_of
from greenroom.simulator.occurrences import first_occurrence, original_day, zone_of
from greenroom.simulator.recurrence import Recurrence
from greenroom.simulator.site import Site
from greenroom.simulator.store import MailboxStore


def split(
    site: Site,
    store: MailboxStore,
    item: Item,
    original: datetime,
    draft: MeetingDraft,
    *,
    send: SendInvitations,
    new_first: bool,
) -> CalendarItem:
    """See Exchange.split_series."""
    if not isinstance(item, CalendarItem) or not item.is_organizer or item.meeting.recurrence is None:
        raise InvalidOperation("ErrorInvalidRequest", "only the organizer of a series can split it")
    change_of(item, original)
    first = first_occurrence(item.meeting)
    day = original_day(item.meeting, original)
    if first is None or original_day(item.meeting, first.original_start) >= day:
        raise InvalidOperation("ErrorInvalidRequest", "nothing of the series would be left before this occurrence")
    rule = item.meeting.recurrence
    shorter: MeetingDraft = {"recurrence": replace(rule, count=None, until=day - timedelta(days=1))}
    following = _following(item, original, draft)
    made = organizer.create(site, store, following, send, None) if new_first else None
    updates = cast("SendUpdates", send)  # all words for sending invitations are among those for updates
    organizer.update(site, store, item, shorter, change_key=None, resolution="AutoResolve", send=updates)
    return made or organizer.create(site, store, following, send, None)


def _following(item: CalendarItem, original: datetime, draft: MeetingDraft) -> MeetingDraft:
    """The series that goes on: all of the old one that the draft does not say otherwise."""
    old = item.meeting
    zone = zone_of(old) or UTC
    day = original_day(old, original)
    first, last = old.start.astimezone(zone), old.end.astimezone(zone)
    ends = datetime.combine(day, time()) + (last.replace(tzinfo=None) - datetime.combine(first.date(), time()))
    end = ends.replace(tzinfo=zone).astimezone(UTC)
    start = draft.get("start", original)
    given = cast("dict[str, Any]", draft)
    copied: MeetingDraft = {
        "subject": item.subject,
        "body": item.body,
        "sensitivity": item.sensitivity,
        "importance": item.importance,
        "location": old.location,
        "start": start,
        "end": start + (end - original) if "start" in draft else end,
        "start_zone": old.start_zone,
        "end_zone": old.end_zone,
        "zone_rules": old.zone_rules,
        "all_day": old.all_day,
        "free_busy": item.intended_free_busy,
        "attendees": tuple(replace(one, response="Unknown", response_time=None) for one in old.attendees),
        "response_requested": old.response_requested,
        "extended": dict(item.extended),
    }
    if old.recurrence is not None:
        copied["recurrence"] = _rest(old.recurrence, original_day(old, start), day)
    return cast("MeetingDraft", {**copied, **given})


def _rest(rule: Recurrence, start: date, split_day: date) -> Recurrence:
    count = None if rule.count is None else max(1, rule.count - number_before(rule, split_day))
    until = None if rule.until is None else max(rule.until, start)
    return Recurrence(rule.pattern, start, count, until)


def invite(
    site: Site,
    store: MailboxStore,
    item: Item,
    people: Iterable[Attendee],
    *,
    original: datetime | None,
    send: SendUpdates,
) -> CalendarItem:
    """See Exchange.invite."""
    entry, current = _invited(item, original)
    added = [one for one in people if not organizer.contains(site, current, one.person)]
    return _set_attendees(site, store, entry, (*current, *added), original=original, send=send)


def uninvite(
    site: Site,
    store: MailboxStore,
    item: Item,
    people: Iterable[Person],
    *,
    original: datetime | None,
    send: SendUpdates,
) -> CalendarItem:
    """See Exchange.uninvite."""
    entry, current = _invited(item, original)
    gone = list(people)
    kept = tuple(one for one in current if not any(site.directory.same(one.person, person) for person in gone))
    return _set_attendees(site, store, entry, kept, original=original, send=send)


def _invited(item: Item, original: datetime | None) -> tuple[CalendarItem, tuple[Attendee, ...]]:
    if not isinstance(item, CalendarItem) or not item.is_organizer:
        raise InvalidOperation("ErrorCalendarIsNotOrganizer", "only the organizer invites")
    if original is None:
        return item, item.meeting.attendees
    own = change_of(item, original).attendees
    return item, item.meeting.attendees if own is None else own


def _set_attendees(
    site: Site,
    store: MailboxStore,
    item: CalendarItem,
    people: tuple[Attendee, ...],
    *,
    original: datetime | None,
    send: SendUpdates,
) -> CalendarItem:
    draft: MeetingDraft = {"attendees": people}
    if original is None:
        organizer.update(site, store, item, draft, change_key=None, resolution="AutoResolve", send=send)
        return item
    return series.update(site, store, item, original, draft, change_key=None, resolution="AutoResolve", send=send)
