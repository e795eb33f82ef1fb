"""What programs leave out or put elsewhere: identities, stamps, zones of single values, organizers, ends of odd rules."""

from datetime import UTC, datetime, timedelta

import pytest

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_identity import UNSTAMPED
from greenroom.simulator.ics_read import ReadEvent, read_ics
from support.box import AUTO, START, Box, ics

STARTS = "DTSTART:20261202T090000Z"
BERLIN = "DTSTART;TZID=Europe/Berlin:20261202T100000"


def read(*event: str, method: str | None = "REQUEST") -> ReadEvent:
    return read_ics(ics(*event, method=method)).events[0]


def test_an_event_without_a_uid_is_the_same_meeting_whenever_it_comes() -> None:
    first, again = read("UID:", STARTS, "SUMMARY:Review"), read("UID:", STARTS, "SUMMARY:Review")
    other = read("UID:", STARTS, "SUMMARY:Retrospective")
    assert first.meeting.clean_goid == again.meeting.clean_goid != other.meeting.clean_goid


def test_the_uid_of_the_only_event_may_stand_beside_it() -> None:
    data = ics("UID:", STARTS).replace(b"METHOD:", b"UID:beside@maker.test\r\nMETHOD:")
    assert read_ics(data).events[0].meeting.uid == "beside@maker.test"
    second = data.replace(
        b"END:VCALENDAR", b"BEGIN:VEVENT\r\nUID:own\r\n" + STARTS.encode() + b"\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    assert read_ics(second).events[0].meeting.uid != "beside@maker.test"


@pytest.mark.parametrize(
    "stamp", ["DTSTAMP:", "DTSTAMP:--------T------Z", "DTSTAMP;TZID=Nowhere/At All:20261101T100000"]
)
def test_an_event_that_does_not_say_when_it_was_sent_was_sent_when_it_came(stamp: str) -> None:
    assert read(STARTS, stamp).meeting.stamp == UNSTAMPED
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(STARTS, stamp))
    assert box.copy(AUTO).meeting.stamp == box.now


def test_an_unreadable_stamp_leaves_the_next_best_one() -> None:
    event = read(STARTS, "DTSTAMP:soon", "LAST-MODIFIED:20261005T080000Z")
    assert event.meeting.stamp == datetime(2026, 10, 5, 8, tzinfo=UTC)


def test_moments_without_a_zone_stand_in_the_zone_of_the_start() -> None:
    event = read(BERLIN, "DTEND:20261202T110000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261203T100000")
    assert event.meeting.start == START
    assert event.meeting.end - event.meeting.start == timedelta(hours=1)
    assert [one.start for one in event.meeting.deleted] == [START + timedelta(days=1)]
    assert read(BERLIN, "RECURRENCE-ID:20261202T100000").meeting.recurrence_id == START


def test_a_day_whose_end_has_a_time_is_a_whole_day() -> None:
    meeting = read("DTSTART:20261202", "DTEND;TZID=Europe/Berlin:20261202T184500").meeting
    assert meeting.all_day
    assert (meeting.start, meeting.end) == (datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC))


def test_a_zone_and_its_value_in_one_pair_of_quotes_are_two_things() -> None:
    assert read('DTSTART;TZID="W. Europe Standard Time:20261202T100000"').meeting.start == START


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        ("/Europe/Berlin", 10),
        ("TZID=Europe/Berlin", 10),
        ("America-Chicago", 3),
        ("US-Eastern", 4),
        ("Pacific Time", 1),
        ("Pacific Time (US & Canada)\\, Tijuana", 1),
        ("(GMT-08:00) Pacific Time (US & Canada); Tijuana", 1),
        ("(GMT) Casablanca", 10),
        ("(UTC+01:00) Amsterdam\\, Berlin\\, Bern\\, Rome", 10),
        ("Amsterdam, Belgrade, Berlin, Brussels", 10),
        ("(GMT +01:00)", 10),
        ("(UTC-03:00) Somewhere new", 6),
        ("FLE", 11),
    ],
)
def test_zones_named_for_people_are_found(name: str, hour: int) -> None:
    assert read(f'DTSTART;TZID="{name}":20261202T{hour:02}0000').meeting.start == START


@pytest.mark.parametrize(
    "name",
    ["Nowhere", "Customized Time Zone 1", "Europe/Germany", "(GMT+77:00)", "x" * 300, "大阪、札幌、東京", "Time"],
)
def test_a_zone_nobody_knows_is_told_and_not_guessed(name: str) -> None:
    with pytest.raises(BadInvitation, match="time zone"):
        read(f'DTSTART;TZID="{name}":20261202T100000')


def test_appointments_of_its_owner_are_left_out_of_a_file_with_meetings() -> None:
    box = Box()
    both = ics(STARTS).replace(
        b"BEGIN:VEVENT", b"BEGIN:VEVENT\r\nUID:own\r\n" + STARTS.encode() + b"\r\nEND:VEVENT\r\nBEGIN:VEVENT", 1
    )
    done = box.exchange.deliver_ics(AUTO, both)
    assert (done.uid, done.uids) == ("u-1@maker.test", ("u-1@maker.test",))
    assert box.copy(AUTO).meeting.uid == "u-1@maker.test"


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (("RDATE:20261205T090000Z,20261206T090000Z/20261206T120000Z",), datetime(2026, 12, 6, 12, tzinfo=UTC)),
        (("RRULE:FREQ=HOURLY;UNTIL=20261203T090000Z",), datetime(2026, 12, 3, 10, tzinfo=UTC)),
        (("RRULE:FREQ=HOURLY;COUNT=24",), datetime(2026, 12, 3, 10, tzinfo=UTC)),
        (("RRULE:FREQ=MONTHLY;BYDAY=-2FR;COUNT=2",), datetime(2027, 2, 2, 10, tzinfo=UTC)),
        (("RRULE:FREQ=DAILY;UNTIL=20261210", "RDATE:20270101T090000Z"), datetime(2027, 1, 1, 10, tzinfo=UTC)),
        (("RRULE:FREQ=DAILY", "RDATE:20270101T090000Z"), None),
        (("RRULE:FREQ=YEARLY;BYDAY=FR;BYMONTHDAY=13;COUNT=9",), None),
        (("RRULE:FREQ=HOURLY;BYMONTH=2;COUNT=9",), None),
        (("RRULE:FREQ=SOMETIMES;COUNT=9",), None),
        (("RRULE:FREQ=HOURLY;COUNT=999999;INTERVAL=999999",), None),
        (("RDATE:tomorrow",), None),
    ],
)
def test_the_end_of_a_series_that_exchange_cannot_say_is_known_where_the_rule_tells_it(
    lines: tuple[str, ...], end: datetime | None
) -> None:
    meeting = read(STARTS, "DTEND:20261202T100000Z", *lines).meeting
    assert meeting.recurrence is None
    assert meeting.raw_rrule is not None
    assert meeting.raw_end == end


def test_a_file_without_events_says_what_it_holds_instead() -> None:
    data = ics(STARTS).replace(b"VEVENT", b"VFREEBUSY")
    with pytest.raises(BadInvitation, match="only free and busy times"):
        read_ics(data)
