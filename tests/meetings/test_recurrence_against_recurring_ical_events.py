"""Random series as we write them in iCalendar, read by recurring-ical-events: another one's reading of our RRULE and exceptions.

It adds lengths to the clock on the wall, as Exchange does; docs/decisions/0012 tells the one difference that is left: an end that
is then no later than its start.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar as peer
import pytest
import recurring_ical_events  # type: ignore[import-untyped]  # it comes without types

from greenroom.meetings import icalendar
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rule_days import Days
from support.random_series import IANA, PATTERNS, WINDOWS, Case, random_case

QUICK, SHARES, MANY = 50, 3, 900
STAMP = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = (*IANA, *(name for name in WINDOWS if name != "Samoa Standard Time"))
Span = tuple[datetime, datetime]


def spans_of_the_peer(case: Case, text: str) -> list[Span]:
    """All that the peer finds within the window, as instants."""
    margin = timedelta(days=3)
    found = recurring_ical_events.of(peer.Calendar.from_ical(text)).between(case.since - margin, case.until + margin)
    spans = []
    for one in found:
        start, end = instant(one["DTSTART"].dt, case.iana), instant(one["DTEND"].dt, case.iana)
        if end <= start and not any(start == moved.start for moved in case.series.moved):
            end = start + case.series.length  # the one difference: the hour in which it takes place is skipped
        spans.append((start, end))
    return sorted(
        one for one in spans if one[0] < case.until and (one[1] > case.since or one[0] == one[1] >= case.since)
    )


def instant(at: date | datetime, iana: str) -> datetime:
    """What the peer says, in UTC; days are those of the meeting's zone."""
    return (at if isinstance(at, datetime) else datetime.combine(at, time(), ZoneInfo(iana))).astimezone(UTC)


def compare(case: Case) -> None:
    """Write, let the peer read, and read back."""
    first = Days(case.series.rule).first
    if first is None:
        with pytest.raises(ValueError, match="without any day"):
            icalendar.write(case.series, "a@b", STAMP)
        return
    # The peer knows the zones by name: a VTIMEZONE of ours has the changes of a dozen years, and some of these cases last longer.
    text = icalendar.write(case.series, "a@b", STAMP, all_day=case.all_day, define_zone=False)
    ours = sorted((one.start, one.end) for one in case.series.occurrences.between(case.since, case.until))
    assert spans_of_the_peer(case, text) == ours

    back = icalendar.read(text, case.series.zone)
    assert back is not None
    assert from_first_day(back) == from_first_day(case.series)


def from_first_day(series: Series) -> tuple[object, ...]:
    """What must come back: iCalendar begins with the first occurrence, and calls the last day of February so."""
    days = Days(series.rule)
    some = [day for _, day in zip(range(40), days, strict=False)]
    return days.last, some, series.begins, series.length, series.moved, series.gone


@pytest.mark.parametrize("kind", PATTERNS)
def test_random_series_are_read_by_others_as_they_take_place(kind: str) -> None:
    for number in range(QUICK):
        compare(random_case(kind, 1_000_000 + number, ZONES))


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("kind", PATTERNS)
def test_many_random_series_are_read_by_others_as_they_take_place(kind: str, share: int) -> None:
    for number in range(share * MANY, share * MANY + MANY):
        compare(random_case(kind, 1_000_000 + number, ZONES))
