"""Series as a stranger would make them: what they cost, and that nothing of them gets past a `ValueError`.

Times are those of this process, with much room for a busy machine: what is tested for is whether work is bounded at all.
"""

import time
from datetime import UTC, datetime, timedelta

from greenroom.meetings.acceptance import unanswered
from greenroom.meetings.meeting import Changed, ItemRef, Kind, Observation
from greenroom.meetings.record import Record, State
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rules import Daily, Rule
from greenroom.meetings.zones import Zone
from support.observations import NOW, observation

BASE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def crowded(exceptions: int, length: timedelta = HOUR) -> Series:
    """Return an endless daily series with many moved occurrences."""
    moved = [(BASE + n * DAY, BASE + n * DAY + HOUR, BASE + n * DAY + 2 * HOUR) for n in range(exceptions)]
    return Series.of(Rule(Daily(), BASE.date()), BASE, BASE + length, Zone("UTC"), moved=moved)


def record_of(what: Observation) -> Record:
    """Return the record of a series of which everything was handled."""
    return Record(
        integration=1,
        key=what.key,
        correlation_id="AAAA-BBBB",
        state=State.SCHEDULED,
        kind=Kind.SERIES,
        organizer=what.organizer.address,
        ref=what.ref,
        created_at=NOW,
        updated_at=NOW,
        span=what.span,
        series=what.series,
        handled=() if what.series is None else what.series.moved,
    )


def test_the_occurrences_that_wait_for_an_answer_are_found_among_thousands_in_one_look() -> None:
    series = crowded(5000)
    changed = tuple(Changed(one.day, ItemRef("item")) for one in series.moved)
    seen = observation("evil", kind=Kind.SERIES, series=series, changed=changed)
    began = time.process_time()
    assert unanswered(seen, record_of(seen), NOW) == []
    assert time.process_time() - began < 0.5
