from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.rules import Daily, Rule, Weekly
from greenroom.meetings.zones import Zone

START = datetime(2026, 8, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=60)
DAILY = Series(Rule(Daily(), date(2026, 8, 3)), time(9), HOUR, Zone("UTC"))


def spec(*times: Series | Once, before: timedelta = BEFORE, after: timedelta = AFTER) -> RoomSpec:
    return RoomSpec(
        "mark",
        AliasPlan().alias(1),
        "join",
        "name",
        "description",
        "ada@example.org",
        Admission(times or (Once(START, START + HOUR),), before, after),
    )


def test_the_fingerprint_of_a_room_changes_with_all_a_platform_is_told() -> None:
    base = spec()
    others = [
        replace(base, mark="x"),
        replace(base, alias=AliasPlan().alias(2)),
        replace(base, join_id="x"),
        replace(base, name="x"),
        replace(base, description="x"),
        replace(base, owner="x"),
        replace(base, host_pin="1"),
        replace(base, guest_pin="1"),
        spec(Once(START, START + 2 * HOUR)),
        spec(Once(START, None)),
        spec(before=HOUR),
        spec(after=BEFORE),
    ]
    assert len({other.fingerprint for other in (base, *others)}) == 13
    assert replace(base).fingerprint == base.fingerprint


def test_the_fingerprint_of_a_series_room_changes_with_each_occurrence() -> None:
    day, later = date(2026, 8, 5), START + timedelta(days=2, hours=3)
    others: list[Series | Once] = [
        Once(START, START + HOUR),
        DAILY,
        replace(DAILY, rule=Rule(Daily(), date(2026, 8, 3), count=5)),
        replace(DAILY, rule=Rule(Weekly(1, (0,)), date(2026, 8, 3))),
        replace(DAILY, begins=time(9, 30)),
        replace(DAILY, length=2 * HOUR),
        replace(DAILY, zone=Zone("W. Europe Standard Time")),
        replace(DAILY, gone=frozenset({day})),
        replace(DAILY, moved=(Moved(day, later, later + HOUR),)),
        replace(DAILY, moved=(Moved(day, later, later + 2 * HOUR),)),
    ]
    shared = spec(DAILY, Once(START + 3 * HOUR, START + 4 * HOUR))
    assert len({room.fingerprint for room in (shared, *(spec(one) for one in others))}) == 11
    assert spec(replace(DAILY)).fingerprint == spec(DAILY).fingerprint


def test_the_fingerprint_is_the_same_when_what_storage_keeps_is_read_again() -> None:
    one = replace(DAILY, gone=frozenset({date(2026, 8, 5), date(2026, 8, 4)}))
    room = spec(one, Once(START, None))
    again = replace(room, admission=Admission.parse(room.admission.text))
    assert again == room
    assert again.fingerprint == room.fingerprint


def test_a_room_is_open_by_its_admission() -> None:
    room = spec(replace(DAILY, gone=frozenset({date(2026, 8, 4)})))
    days = [START + timedelta(days=number) for number in range(3)]
    assert [room.admission.is_open(day) for day in days] == [True, False, True]
    assert not room.admission.is_open(START - BEFORE - timedelta(microseconds=1))
    assert room.admission.is_open(START - BEFORE)
    assert room.admission.is_open(START + HOUR + AFTER - timedelta(microseconds=1))
    assert not room.admission.is_open(START + HOUR + AFTER)


def test_a_room_shows_neither_name_nor_pin() -> None:
    planted = replace(spec(), join_id="planted", name="planted", description="planted", host_pin="planted")
    assert "planted" not in repr(replace(planted, guest_pin="planted"))
