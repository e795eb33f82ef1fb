"""Which occurrence of a meeting matters now, and when people are let in to it."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from greenroom.meetings.admission import Admission, AdmissionWindow
from greenroom.meetings.record import Record
from greenroom.meetings.recurrence import Occurrence, Series
from greenroom.settings import Settings

_TICK = timedelta(microseconds=1)
_EVER = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def coming(series: Series, now: datetime) -> Occurrence | None:
    """Return the occurrence that runs now, else the next one; None if all are past."""
    return next(series.occurrences.between(now, _NEVER), None)


def next_occurrences(series: Series, now: datetime, number: int) -> list[Occurrence]:
    """Return the running occurrence and the next ones, no more than so many."""
    return list(islice(series.occurrences.between(now, _NEVER), number))


def shown_start(
    record: Record, now: datetime, since: datetime | None = None, until: datetime | None = None
) -> datetime | None:
    """Return the start that a list shows: of a series the occurrence that is on or comes next, else the last one.

    With `since` or `until` the same among those that touch this time; None if there is none.
    """
    if record.series is None:
        return None if record.span is None else record.span.start
    found = record.series.occurrences
    first, last = since or _EVER, until or _NEVER
    if now < last and (one := next(found.between(max(first, now), last), None)) is not None:
        return one.start
    past = found.before(last - _TICK)
    return past.start if past is not None and (since is None or past.end > since) else None


def window_of(settings: Settings, record: Record, occurrence: Occurrence) -> AdmissionWindow | None:
    """Return when people are let in to an occurrence; None if the integration is not configured any more."""
    entry = settings.numbered(record.integration)
    if entry is None or record.series is None:
        return None
    policy = entry.policy
    return Admission((record.series,), policy.before, policy.after).at(occurrence.start)
