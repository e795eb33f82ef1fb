"""What is going on right now, and must not be hurt by a change of its series.

People who sit in a room keep it until the window of their occurrence closes, whatever becomes of the series: moved to another
weekday, shortened, cancelled as a whole. Only a word about this very occurrence, or about a single meeting, counts.
"""

from datetime import datetime, timedelta

from greenroom.meetings.meeting import Kind, Observation
from greenroom.meetings.policy import Policy
from greenroom.meetings.record import Record, State
from greenroom.meetings.recurrence import Occurrence

Held = tuple[datetime, datetime]


def held_after(
    observation: Observation | None, record: Record | None, policy: Policy, now: datetime, *, closing: bool = False
) -> Held | None:
    """Return the running occurrence, from start to end, that must be kept open beside what the calendar now says.

    `observation` is None for a meeting that left the calendar; `closing` says that its room is about to be closed whatever the
    calendar shows, as for a series shortened to what is past. None: nothing runs, or it runs on by itself.
    """
    if record is None:
        return None
    found = [record.held] if record.held is not None and now < record.held[1] + policy.after else []
    begun = _begun(observation, record, policy, now)
    found += [] if begun is None else [begun]
    kept = [one for one in found if closing or not _goes_on(observation, one, now, policy)]
    # What was held before an edit and what runs since then may be two: whoever stays longest needs the room.
    return max(kept, key=lambda one: one[1], default=None)


def _begun(observation: Observation | None, record: Record, policy: Policy, now: datetime) -> Held | None:
    """Return what runs by the record, unless the organizer changed just this."""
    if record.room is None or record.state not in (State.PENDING, State.SCHEDULED, State.DEFECTIVE):
        return None
    if record.kind is not Kind.SERIES and (observation is None or observation.kind is not Kind.SERIES):
        return None
    running = _running(record, policy, now)
    if running is None or (observation is not None and _is_told_of(observation, record, running)):
        return None
    return running.start, running.end


def _running(record: Record, policy: Policy, now: datetime) -> Occurrence | None:
    """Return what has begun and whose window has not closed."""
    if record.series is not None:
        found = record.series.occurrences.covering(now, timedelta(), policy.after)
        return found[-1] if found else None
    span = record.span
    if span is None or record.kind is Kind.SERIES or not span.start <= now < span.end + policy.after:
        return None
    return Occurrence(span.start.date(), span.start, span.end)


def _is_told_of(observation: Observation, record: Record, running: Occurrence) -> bool:
    """Whether the organizer changed just this occurrence."""
    series, before = observation.series, record.series
    if observation.cancelled or series is None or before is None or series.frame != before.frame:
        return False
    return running.day in series.gone or any(one.day == running.day for one in series.moved)


def _goes_on(observation: Observation | None, held: Held, now: datetime, policy: Policy) -> bool:
    """Whether the calendar itself still lets people in as long as they were told."""
    if observation is None or observation.cancelled or observation.span is None:
        return False
    if observation.series is None:
        span = observation.span
        return observation.kind is not Kind.SERIES and span.start <= now and span.end >= held[1]
    found = observation.series.occurrences.covering(now, policy.before, policy.after)
    return any(one.end >= held[1] for one in found)
