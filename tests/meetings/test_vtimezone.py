"""VTIMEZONE against two referees: dateutil's tzical and icalendar, and against the zone database."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO
from zoneinfo import ZoneInfo

import icalendar
import pytest
from dateutil import tz
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings import vtimezone
from greenroom.meetings.zone_rules import read
from greenroom.meetings.zones import CUSTOM, Zone, is_known, tzinfo_of, unknown_zone
from support.clocks_compared import differences, year
from support.shared import shared_path

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def part(kind: str, start: str, before: str, after: str, *more: str) -> str:
    return "\r\n".join(
        [f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}", *more, f"END:{kind}", ""]
    )


def zone(*parts: str, name: str = "Ours", more: str = "") -> str:
    return f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{more}{''.join(parts)}END:VTIMEZONE\r\n"


OUTLOOK = zone(
    part("STANDARD", "16010101T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10"),
    part("DAYLIGHT", "16010101T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3"),
)
GOOGLE = zone(
    part("DAYLIGHT", "19700308T020000", "-0500", "-0400", "TZNAME:EDT", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
    part("STANDARD", "19701101T020000", "-0400", "-0500", "TZNAME:EST", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
)
IN_TIMES = zone(
    part(
        "DAYLIGHT", "19870405T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z"
    ),
    part(
        "STANDARD",
        "19871025T020000",
        "-0400",
        "-0500",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z",
    ),
    part("DAYLIGHT", "20070311T020000", "-0500", "-0400", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
    part("STANDARD", "20071104T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
)
IN_DAYS = zone(
    part(
        "DAYLIGHT",
        "20100314T020000",
        "-0500",
        "-0400",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU",
    ),
    part(
        "STANDARD",
        "20101107T020000",
        "-0400",
        "-0500",
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU",
    ),
)
MOSCOW = zone(
    part(
        "DAYLIGHT", "19930328T020000", "+0300", "+0400", "RRULE:FREQ=YEARLY;UNTIL=20100327T230000Z;BYMONTH=3;BYDAY=-1SU"
    ),
    part(
        "STANDARD",
        "19961027T030000",
        "+0400",
        "+0300",
        "RRULE:FREQ=YEARLY;UNTIL=20101030T230000Z;BYMONTH=10;BYDAY=-1SU",
    ),
    part("STANDARD", "20110327T020000", "+0300", "+0400"),
    part("STANDARD", "20141026T020000", "+0400", "+0300"),
)
DATED = zone(
    part("DAYLIGHT", "20240420T020000", "+0200", "+0300", "RDATE:20250412T020000,20260328T020000"),
    part(
        "STANDARD",
        "20231028T020000",
        "+0300",
        "+0200",
        "RDATE:20241026T020000,20251025T020000",
        "RDATE:20261031T020000",
    ),
)
COUNTED = zone(
    part("DAYLIGHT", "20200329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;COUNT=4"),
    part("STANDARD", "20201025T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=4"),
)
SOUTH = zone(
    part("STANDARD", "20080406T020000", "+1100", "+1030", "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"),
    part("DAYLIGHT", "20081005T020000", "+1030", "+1100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU"),
)
ON_A_DATE = zone(
    part("DAYLIGHT", "20100321T000000", "+0330", "+0430", "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=21"),
    part("STANDARD", "20100921T000000", "+0430", "+0330", "RRULE:FREQ=YEARLY;BYMONTH=9"),
)
FIXED = zone(part("STANDARD", "19700101T000000", "+0545", "+0545"))
SAMPLES = {
    "outlook": (OUTLOOK, 2024),
    "google": (GOOGLE, 2000),
    "in times": (IN_TIMES, 2004),
    "in days": (IN_DAYS, 2012),
    "dated": (DATED, 2024),
    "counted": (COUNTED, 2021),
    "south": (SOUTH, 2009),
    "on a date": (ON_A_DATE, 2011),
    "fixed": (FIXED, 1980),
}
REAL = {
    "outlook": (OUTLOOK, "Europe/Berlin", 2000),
    "google": (GOOGLE, "America/New_York", 2008),
    "in times": (IN_TIMES, "America/New_York", 1989),
    "in days": (IN_DAYS, "America/New_York", 2012),
    "moscow": (MOSCOW, "Europe/Moscow", 1998),
    "south": (SOUTH, "Australia/Lord_Howe", 2009),
    "fixed": (FIXED, "Asia/Kathmandu", 2000),
}


def by_dateutil(text: str) -> tzinfo:
    found: tzinfo | None = tz.tzical(StringIO(text)).get()
    assert found is not None
    return found


def by_icalendar(text: str) -> tzinfo:
    found = icalendar.Timezone.from_ical(text)
    assert isinstance(found, icalendar.Timezone)
    made: tzinfo = found.to_tz(lookup_tzid=False)
    return made


def agree(ours: tzinfo, theirs: tzinfo, since: int, years: int) -> bool:
    """Compare wall clocks that are not within hours of a change: there the referees round, and have no `fold`."""
    wall = datetime(since, 1, 1, 8)  # noqa: DTZ001 (a wall clock)
    while wall.year < since + years:
        near = {(wall + timedelta(hours=more)).replace(tzinfo=theirs).utcoffset() for more in (-4, 0, 4)}
        if len(near) == 1 and wall.replace(tzinfo=ours).utcoffset() not in near:
            return False
        wall += timedelta(hours=227)
    return True


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_zone_that_comes_with_a_meeting_counts_as_the_referees_have_it(sample: str) -> None:
    text, since = SAMPLES[sample]
    read_zone = vtimezone.zone_of(text)
    assert read_zone.name == CUSTOM
    ours = tzinfo_of(read_zone)
    assert agree(ours, by_dateutil(text), since, 5)
    assert agree(ours, by_icalendar(text), since, 2)


@pytest.mark.parametrize("sample", REAL)
def test_and_as_the_zone_database_has_the_zone_it_stands_for(sample: str) -> None:
    text, name, since = REAL[sample]
    assert differences(tzinfo_of(vtimezone.zone_of(text)), ZoneInfo(name), year(since), year(2031)) == []


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Gaza", "America/Santiago"]
)
def test_what_is_written_of_a_zone_is_read_by_all(name: str) -> None:
    text = vtimezone.write(Zone(name), NOW, tzid="Ours")
    assert differences(tzinfo_of(vtimezone.zone_of(text)), ZoneInfo(name), year(2026), year(2036)) == []
    assert agree(ZoneInfo(name), by_icalendar(text), 2026, 4)


def test_a_rule_is_written_as_one() -> None:
    text = vtimezone.write(Zone("W. Europe Standard Time"), NOW)
    assert re.findall(r"RRULE:(.*)\r\n", text) == [
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    ]
    assert "TZID:W. Europe Standard Time\r\n" in text
    assert "RDATE" not in text


def test_any_zone_is_written_in_lines_that_others_can_read() -> None:
    strange = unknown_zone("Atlantis\r\nX-EVIL:1" + "\N{SNOWMAN}" * 100, NOW, NOW.date())
    for known in (strange, Zone("UTC"), Zone("Asia/Kolkata"), Zone("Asia/Gaza")):
        text = vtimezone.write(known, NOW)
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        assert "\r\nX-EVIL" not in text
        assert by_icalendar(text).utcoffset(NOW.replace(tzinfo=None)) == tzinfo_of(known).utcoffset(
            NOW.replace(tzinfo=None)
        )


def test_exchange_outlook_and_icalendar_make_the_same_of_the_same_zone() -> None:
    assert vtimezone.zone_of(OUTLOOK).definition == (
        '{"eras":[{"offset":3600,"onsets":[[3,6,-1,7200,3600,7200],[10,6,-1,10800,7200,3600]]}]}'
    )
    written = vtimezone.write(Zone("Europe/Berlin"), NOW, tzid="Ours")
    assert vtimezone.zone_of(written) == vtimezone.zone_of(OUTLOOK)


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("W. Europe Standard Time", "", "W. Europe Standard Time"),
        ("/example.org/20050126_1/Europe/Berlin", "", "/example.org/20050126_1/Europe/Berlin"),
        ("Ours", "X-LIC-LOCATION:Europe/Berlin\r\n", "Europe/Berlin"),
        ("UTC", "", CUSTOM),
        ("America/New_York", "", CUSTOM),
        ("Very l\r\n ong", "", CUSTOM),
    ],
)
def test_a_known_name_counts_unless_the_zone_clearly_is_another(name: str, more: str, expected: str) -> None:
    assert vtimezone.zone_of(OUTLOOK.replace("TZID:Ours\r\n", f"TZID:{name}\r\n{more}"), NOW).name == expected


def test_the_zone_is_found_within_a_calendar() -> None:
    around = f"BEGIN:VCALENDAR\nVERSION:2.0\n{OUTLOOK}BEGIN:VEVENT\nDTSTART;TZID=Ours:20260105T090000\nEND:VEVENT\nEND:VCALENDAR\n"
    assert vtimezone.zone_of(around) == vtimezone.zone_of(OUTLOOK) == vtimezone.zone_of(OUTLOOK.replace("\r\n", "\n"))


RULE = "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"
BROKEN = {
    "empty": "",
    "no zone": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    "no parts": zone(),
    "no offsets": zone("BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nEND:STANDARD\r\n"),
    "a start that is none": zone(part("STANDARD", "19701301T000000", "+0100", "+0100")),
    "an offset that is none": zone(part("STANDARD", "19700101T000000", "CET", "+0100")),
    "an offset too far": zone(part("STANDARD", "19700101T000000", "+9900", "+0100")),
    "a rule of months": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=MONTHLY;BYDAY=-1SU")),
    "a rule of other years": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE};INTERVAL=2")),
    "a rule with more": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE};BYSETPOS=1")),
    "a rule of two days": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE},1MO")),
    "a rule that never applies": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE};COUNT=0")),
    "a number too long": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE};COUNT=99999")),
    "an end that is none": zone(part("STANDARD", "19700101T000000", "+0100", "+0200", f"{RULE};UNTIL=soon")),
    "too long": OUTLOOK + "X" * 300_000,
    "too many parts": zone(*[part("STANDARD", "19700101T000000", "+0100", "+0200")] * 600),
    "too many dates": zone(
        part(
            "STANDARD", "17000101T000000", "+0100", "+0200", *[f"RDATE:{year}0101T000000" for year in range(1700, 2230)]
        )
    ),
    "dates without end": zone(
        part("STANDARD", "17000101T000000", "+0100", "+0200", "RDATE:" + "20260101T000000," * 9000)
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_anything_else_is_a_value_error(how: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|VTIMEZONE|offset|clocks|day of|weekday|month"):
        vtimezone.zone_of(BROKEN[how])


SCRAPS = [
    "19700101T000000",
    "16010101",
    "99991231T235959Z",
    "00010101T000000",
    "+0100",
    "-9959",
    ",",
    "0",
    "31",
    "\r\n",
]
MARKS = [
    "RRULE:",
    "RDATE:",
    ";UNTIL=",
    ";COUNT=0",
    "BYDAY=5SU",
    "BYMONTHDAY=-7,-6,-5",
    "DTSTART:",
    "BEGIN:DAYLIGHT",
    "END:STANDARD",
]
TOKENS = st.sampled_from([*SCRAPS, *MARKS])


def test_a_known_name_is_enough() -> None:
    odd = zone(part("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=HOURLY"), name="Europe/Berlin")
    assert vtimezone.zone_of(odd) == vtimezone.zone_of(zone(name="Europe/Berlin")) == Zone("Europe/Berlin")


@settings(max_examples=60)
@given(
    st.sampled_from([IN_TIMES, IN_DAYS, DATED, MOSCOW]), st.lists(st.tuples(st.integers(0, 700), TOKENS), max_size=5)
)
def test_a_zone_with_damage_is_read_or_refused(text: str, damage: list[tuple[int, str]]) -> None:
    for place, scrap in damage:
        text = text[:place] + scrap + text[place + len(scrap) :]
    try:
        found = vtimezone.zone_of(text)
    except ValueError:
        return
    assert is_known(found)
    assert tzinfo_of(found).utcoffset(NOW.replace(tzinfo=None)) is not None
    assert read(found.definition).eras if found.definition else True


def test_the_zones_of_calendars_from_elsewhere_are_read() -> None:
    count = 0
    for path in sorted(shared_path("captures/ics").glob("*.ics")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for one in re.findall(r"BEGIN:VTIMEZONE.*?END:VTIMEZONE\r?\n", text, re.DOTALL):
            count += 1
            found = vtimezone.zone_of(one, NOW)
            renamed = vtimezone.zone_of(re.sub(r"(TZID|X-LIC-LOCATION):.*", r"\1:Ours", one), NOW)
            assert differences(tzinfo_of(renamed), tzinfo_of(found), year(2016), year(2019)) == [], path.name
    assert count > 4
