"""What a calendar meant by a series, beyond what it says in instants.

Exchange keeps the instant of the first occurrence, and people the time of day. The two part when zone data change: nobody has moved
anything, and the series is still at ten o'clock. And a series of which every occurrence was cancelled is over, not endless.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from greenroom.meetings.admission import last_end
from greenroom.meetings.meeting import Observation, Span
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record
from greenroom.meetings.recurrence import Series


def as_meant(observation: Observation, record: Record | None, family: Iterable[Record] = ()) -> Observation:
    """Return the observation with its series at the time of day it was first known by, and with a true end.

    `family` are the records of the same series: occurrences may have been cancelled by a message that is not applied to the
    calendar, because Exchange leaves that to us (`AutomateProcessing` `None`).
    """
    series, span = observation.series, observation.span
    if series is None or span is None:
        return observation
    if record is not None and record.series is not None and record.span is not None:
        series = _at_its_time(series, span, record.series, record.span)
    if off := _called_off(observation, family):
        series = replace(series, moved=tuple(one for one in series.moved if one.day not in off), gone=series.gone | off)
    end = last_end(series)
    until = None if end is None else max(end, span.start)
    return replace(observation, series=series, span=replace(span, until=until))


def _at_its_time(series: Series, span: Span, before: Series, span_before: Span) -> Series:
    """Keep the wall-clock times where all that differs is what our zone data make of the same instants."""
    if (span.start, span.end) != (span_before.start, span_before.end) or series.begins == before.begins:
        return series
    kept = replace(series, begins=before.begins, length=before.length)
    return kept if kept.frame == before.frame else series


def _called_off(observation: Observation, family: Iterable[Record]) -> frozenset[date]:
    """Return the days of occurrences that were cancelled by messages alone, since the series was last sent."""
    sent = observation.sent_at
    cancelled = (
        record.key.occurrence
        for record in family
        if record.ref.is_message and record.reason == Reason.CANCELLED and (sent is None or record.updated_at >= sent)
    )
    return frozenset(day for day in cancelled if day is not None)
