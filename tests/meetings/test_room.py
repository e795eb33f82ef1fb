from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.meeting import Span
from greenroom.meetings.room import AdmissionWindow, RoomSpec

START = datetime(2026, 8, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=60)
minutes = st.integers(0, 100_000).map(lambda n: timedelta(minutes=n))


def window(span: Span, *, series: bool = False) -> AdmissionWindow:
    return AdmissionWindow.around(span, before=BEFORE, after=AFTER, series=series)


def test_a_window_opens_before_the_start_and_closes_past_the_end() -> None:
    single = window(Span(START, START + HOUR))
    assert (single.opens, single.closes) == (START - BEFORE, START + HOUR + AFTER)
    assert not single.is_open(START - BEFORE - timedelta(microseconds=1))
    assert single.is_open(START - BEFORE)
    assert single.is_open(START + HOUR + AFTER - timedelta(microseconds=1))
    assert not single.is_open(START + HOUR + AFTER)
    assert single.is_over(START + HOUR + AFTER)


def test_a_series_stays_open_until_its_last_end_or_for_ever() -> None:
    last = START + timedelta(days=70)
    assert window(Span(START, START + HOUR, until=last), series=True).closes == last + AFTER
    endless = window(Span(START, START + HOUR), series=True)
    assert endless.closes is None
    assert endless.is_open(START + timedelta(days=10_000))
    assert not endless.is_over(START + timedelta(days=10_000))


@given(minutes, minutes, minutes, minutes)
def test_at_any_instant_a_window_is_early_open_or_over(
    length: timedelta, before: timedelta, after: timedelta, at: timedelta
) -> None:
    spec = AdmissionWindow.around(Span(START, START + length), before=before, after=after, series=False)
    now = START - timedelta(minutes=50_000) + at
    assert [now < spec.opens, spec.is_open(now), spec.is_over(now) and now >= spec.opens].count(True) == 1


def test_the_fingerprint_of_a_room_changes_with_all_a_platform_is_told() -> None:
    spec = RoomSpec(
        "mark",
        AliasPlan().alias(1),
        "join",
        "name",
        "description",
        "ada@example.org",
        window(Span(START, START + HOUR)),
    )
    others = [
        replace(spec, mark="x"),
        replace(spec, alias=AliasPlan().alias(2)),
        replace(spec, name="x"),
        replace(spec, description="x"),
        replace(spec, owner="x"),
        replace(spec, host_pin="1"),
        replace(spec, guest_pin="1"),
        replace(spec, window=window(Span(START, START + 2 * HOUR))),
    ]
    assert len({other.fingerprint for other in (spec, *others)}) == 9
    assert replace(spec).fingerprint == spec.fingerprint


def test_a_room_shows_neither_name_nor_pin() -> None:
    spec = RoomSpec(
        "mark",
        AliasPlan().alias(1),
        "planted",
        "planted",
        "planted",
        "a",
        window(Span(START, START + HOUR)),
        "planted",
        "planted",
    )
    assert "planted" not in repr(spec)
