"""One occurrence of a series as an item of its own: for messages about it, and for whoever reads it.

What is said here of `original` is its original start in UTC; an occurrence is known by the local day of it.
"""

from dataclasses import replace
from datetime import datetime

from greenroom.simulator import goid, ids
from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.model import CalendarItem, Meeting, ModifiedOccurrence
from greenroom.simulator.occurrences import OccurrenceInfo, occurrence_on, original_day


def exception_on(meeting: Meeting, original: datetime) -> ModifiedOccurrence | None:
    """The exception of a series that was first meant for the day of this start."""
    day = original_day(meeting, original)
    return next((one for one in meeting.modified if original_day(meeting, one.original_start) == day), None)


def change_of(master: CalendarItem, original: datetime) -> ModifiedOccurrence:
    """What is different at this occurrence (nothing but its date, often). Raises NoSuchItem for none of the series."""
    meeting = master.meeting
    known = exception_on(meeting, original)
    if known is not None:
        return known
    found = occurrence_on(meeting, original_day(meeting, original))
    if found is None or found.original_start != original:
        raise NoSuchItem("the series has no such occurrence")
    return ModifiedOccurrence(original, found.start, found.end)


def meeting_of(master: CalendarItem, change: ModifiedOccurrence) -> Meeting:
    """The meeting of one occurrence, as messages about it carry it."""
    series = master.meeting
    return replace(
        series,
        goid=goid.of_occurrence(series.clean_goid, original_day(series, change.original_start)),
        recurrence_id=change.original_start,
        start=change.start,
        end=change.end,
        recurrence=None,
        raw_rrule=None,
        raw_end=None,
        modified=(),
        deleted=(),
        location=series.location if change.location is None else change.location,
        all_day=series.all_day if change.all_day is None else change.all_day,
        free_busy=series.free_busy if change.free_busy is None else change.free_busy,
        attendees=series.attendees if change.attendees is None else change.attendees,
    )


def view_of(master: CalendarItem, change: ModifiedOccurrence) -> CalendarItem:
    """One occurrence as if it were an item of its own. It is in no folder: only to be read."""
    meeting = meeting_of(master, change)
    own = dict(change.extended)
    extended = {tag: value for tag, value in {**master.extended, **own}.items() if value is not None}
    return replace(
        master,
        extended=extended,
        meeting=meeting,
        is_meeting=master.is_meeting or bool(meeting.attendees),
        subject=master.subject if change.subject is None else change.subject,
        body=master.body if change.body is None else change.body,
        my_response=master.my_response if change.my_response is None else change.my_response,
        reply_time=master.reply_time if change.my_response is None else change.reply_time,
    )


def shown(master: CalendarItem, one: OccurrenceInfo) -> CalendarItem:
    """One occurrence as EWS shows it: with an id of its own, and told from an exception. It is in no folder: only to be read."""
    known = exception_on(master.meeting, one.original_start)
    view = view_of(master, known or ModifiedOccurrence(one.original_start, one.start, one.end))
    view.meeting.as_ruled = known is None
    view.id = ids.occurrence_id(master.id, original_day(master.meeting, one.original_start))
    return view
