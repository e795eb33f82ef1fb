from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from greenroom.simulator import zones
from greenroom.simulator.ics_read import ReadEvent, read_ics
from greenroom.simulator.ics_rules import read_rule, write_rule
from greenroom.simulator.ics_vtimezone import write_zone
from greenroom.simulator.ics_zones import zone_from_rules
from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from greenroom.simulator.windows_zones import IANA_TO_WINDOWS, WINDOWS_TO_IANA, to_iana, to_windows
from support.box import ics

CUSTOM = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def read(start: str, around: str = "", *more: str) -> ReadEvent:
    return read_ics(ics(start, *more, around=around)).events[0]


def test_every_zone_of_the_table_exists() -> None:
    known = available_timezones()
    assert len(WINDOWS_TO_IANA) >= 139
    assert set(WINDOWS_TO_IANA.values()) | set(IANA_TO_WINDOWS) <= known
    assert to_iana("w. europe STANDARD time") == "Europe/Berlin"
    assert to_windows("Europe/Stockholm") == "W. Europe Standard Time"
    assert all(to_windows(iana) in WINDOWS_TO_IANA for iana in WINDOWS_TO_IANA.values())


@pytest.mark.parametrize(
    ("name", "utc_hour"),
    [
        ("Europe/Berlin", 8),
        ('"Europe/Berlin"', 8),
        ("W. Europe Standard Time", 8),
        ("/mozilla.org/20050126_1/Europe/Berlin", 8),
        ("/freeassociation.sourceforge.net/Tzfile/America/New_York", 14),
        ("America/Argentina/Buenos_Aires", 12),
        ("Eastern Standard Time", 14),
        ("Eastern", 14),
        ("GMT+0100", 8),
        ("UTC-05:00", 14),
        ("UTC", 9),
        ("tzone://Microsoft/Utc", 9),
    ],
)
def test_zones_are_known_by_many_names(name: str, utc_hour: int) -> None:
    assert read(f"DTSTART;TZID={name}:20261202T090000").meeting.start == datetime(2026, 12, 2, utc_hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["Customized Time Zone", "(UTC+01:00) Amsterdam, Berlin", "Mitteleuropa 1", "tzone://Microsoft/Custom"]
)
def test_zones_nobody_knows_follow_their_own_rules(name: str) -> None:
    rules = CUSTOM.format(name=name.replace(",", "\\,"))
    for day, hour in (("20261202", 8), ("20260702", 7), ("20261025", 8), ("20260329", 7)):
        event = read(f'DTSTART;TZID="{name}":{day}T090000', rules)
        assert event.meeting.start.hour == hour
        assert event.meeting.start_zone == name
        assert event.meeting.zone_rules is not None
        zone = zone_from_rules(event.meeting.zone_rules)
        assert event.meeting.start.astimezone(zone).hour == 9


def test_the_place_in_a_zone_wins_over_its_rules() -> None:
    rules = CUSTOM.format(name="Home").replace("TZID:Home", "TZID:Home\nX-LIC-LOCATION:America/New_York")
    assert read("DTSTART;TZID=Home:20261202T090000", rules).meeting.start.hour == 14


def test_the_only_zone_of_a_file_is_meant_when_the_name_differs() -> None:
    assert read("DTSTART;TZID=Other:20261202T090000", CUSTOM.format(name="Home")).meeting.start.hour == 8


def test_rules_of_the_southern_half_and_of_fixed_zones() -> None:
    south = (
        "BEGIN:VTIMEZONE\nTZID:South\nBEGIN:STANDARD\nDTSTART:20080406T030000\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1000\n"
        "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:20081005T020000\n"
        "TZOFFSETFROM:+1000\nTZOFFSETTO:+1100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU\nEND:DAYLIGHT\nEND:VTIMEZONE"
    )
    sydney = ZoneInfo("Australia/Sydney")
    for moment in ("20270110T090000", "20270710T090000", "20270403T235900", "20271004T090000"):
        expected = datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=sydney).astimezone(UTC)
        assert read(f"DTSTART;TZID=South:{moment}", south).meeting.start == expected
    fixed = (
        "BEGIN:VTIMEZONE\nTZID:Fix\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:-0330\nTZOFFSETTO:-0330\n"
        "END:STANDARD\nEND:VTIMEZONE"
    )
    assert read("DTSTART;TZID=Fix:20261202T090000", fixed).meeting.start == datetime(2026, 12, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Sydney",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "America/St_Johns",
        "Europe/Dublin",
    ],
)
def test_a_written_zone_says_the_same_as_the_zone(name: str) -> None:
    zone = zones.find(name)
    assert zone is not None
    written = zone_from_rules("\n".join(write_zone(name, zone, 2026)))
    assert written is not None
    for month in range(1, 13):
        for day in (1, 10, 28):
            moment = datetime(2026, month, day, 12, tzinfo=UTC)
            assert moment.astimezone(written).utcoffset() == moment.astimezone(zone).utcoffset(), moment


FIRST = datetime(2026, 12, 2, 9)  # noqa: DTZ001  local time; a Wednesday


@pytest.mark.parametrize(
    ("rule", "pattern"),
    [
        ("FREQ=DAILY", Daily(1)),
        ("FREQ=DAILY;INTERVAL=2", Daily(2)),
        (
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            Weekly(1, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"), "Monday"),
        ),
        ("FREQ=WEEKLY", Weekly(1, ("Wednesday",), "Monday")),
        ("freq=weekly;byday=we,mo;wkst=su", Weekly(1, ("Monday", "Wednesday"), "Sunday")),
        ("FREQ=MONTHLY", AbsoluteMonthly(1, 2)),
        ("FREQ=MONTHLY;BYMONTHDAY=15;INTERVAL=3", AbsoluteMonthly(3, 15)),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", AbsoluteMonthly(1, 31)),
        ("FREQ=MONTHLY;BYDAY=1WE", RelativeMonthly(1, "Wednesday", "First")),
        ("FREQ=MONTHLY;BYDAY=-1FR", RelativeMonthly(1, "Friday", "Last")),
        ("FREQ=MONTHLY;BYDAY=WE;BYSETPOS=2", RelativeMonthly(1, "Wednesday", "Second")),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", RelativeMonthly(1, "Weekday", "Last")),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", RelativeMonthly(1, "WeekendDay", "First")),
        ("FREQ=MONTHLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=3", RelativeMonthly(1, "Day", "Third")),
        ("FREQ=MONTHLY;BYDAY=WE;BYMONTHDAY=8,9,10,11,12,13,14", RelativeMonthly(1, "Wednesday", "Second")),
        ("FREQ=YEARLY", AbsoluteYearly(12, 2)),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=4", AbsoluteYearly(3, 4)),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", RelativeYearly(11, "Thursday", "Fourth")),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=12;BYMONTHDAY=2", AbsoluteMonthly(24, 2)),
        ("FREQ=WEEKLY;BYDAY=WE;BYHOUR=9;BYMINUTE=0", Weekly(1, ("Wednesday",), "Monday")),
    ],
)
def test_rules_exchange_can_say(rule: str, pattern: Pattern) -> None:
    found = read_rule(rule, FIRST, UTC, all_day=False)
    assert found is not None
    assert (found.pattern, found.start, found.count, found.until) == (pattern, date(2026, 12, 2), None, None)
    again = read_rule(write_rule(found, FIRST, UTC, all_day=False), FIRST, UTC, all_day=False)
    assert again == found


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=999999999999",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=-1",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYDAY=1MO,3MO",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=DAILY;BYHOUR=8,12",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;UNTIL=someday",
        "FREQ=DAILY;COUNT=3;UNTIL=20270101",
        "RSCALE=HEBREW;FREQ=YEARLY",
    ],
)
def test_other_rules_are_kept_as_they_came(rule: str) -> None:
    event = read("DTSTART:20261202T090000Z", "", f"RRULE:{rule}")
    assert event.meeting.recurrence is None
    assert event.meeting.raw_rrule == f"RRULE:{rule}"
    assert event.meeting.type == "RecurringMaster"


def test_extra_dates_are_kept_with_the_rule() -> None:
    event = read("DTSTART:20261202T090000Z", "", "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20261224T090000Z")
    assert event.meeting.raw_rrule == "RRULE:FREQ=DAILY;COUNT=2\nRDATE:20261224T090000Z"


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261210", date(2026, 12, 10)),
        ("20261210T235959Z", date(2026, 12, 11)),
        ("20261210T080000Z", date(2026, 12, 10)),
        ("20261210T075959Z", date(2026, 12, 9)),
        ("20261210T080000", date(2026, 12, 9)),
    ],
)
def test_until_becomes_the_last_local_day_with_an_occurrence(until: str, last: date) -> None:
    late = datetime(2026, 12, 2, 0, 30) if until == "20261210T235959Z" else FIRST  # noqa: DTZ001  local time
    found = read_rule(f"FREQ=DAILY;UNTIL={until}", late, ZoneInfo("Europe/Berlin"), all_day=False)
    assert found is not None
    assert found.until == last


def test_excluded_dates_of_all_kinds_are_deleted_occurrences() -> None:
    event = read(
        "DTSTART;TZID=Europe/Berlin:20261202T090000",
        "",
        "RRULE:FREQ=DAILY",
        "EXDATE;TZID=Europe/Berlin:20261203T090000,20261204T090000",
        "EXDATE;VALUE=DATE:20261205",
        "EXDATE:20261206T080000Z",
    )
    assert [one.start for one in event.meeting.deleted] == [
        datetime(2026, 12, day, 8, tzinfo=UTC) for day in (3, 4, 5, 6)
    ]
