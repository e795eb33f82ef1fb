from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings import zone_rules
from greenroom.meetings.recurrence import Series
from greenroom.meetings.rules import Daily, Rule
from greenroom.meetings.zone_clock import clock_of
from greenroom.meetings.zones import CUSTOM, Zone, find, is_known, slack_of, tzinfo_of, unknown_zone, zone_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fixed(hours: float) -> str:
    return zone_rules.write([zone_rules.Era(None, int(hours * 3600))])


@pytest.mark.parametrize(
    ("name", "iana"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe STANDARD time ", "Europe/Berlin"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/America/Indiana/Knox", "America/Indiana/Knox"),
        ("UTC-11", "Etc/GMT+11"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Alberta Standard Time", "America/Edmonton"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("EST5EDT", "EST5EDT"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin", "Europe/Berlin"),
        ("(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", "Europe/Berlin"),
        ("(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
    ],
)
def test_a_zone_is_found_by_any_of_its_names(name: str, iana: str) -> None:
    found = find(Zone(name))
    assert isinstance(found, ZoneInfo)
    assert found.key == iana


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("UTC", 0),
        ("utc", 0),
        ("GMT", 0),
        ("Z", 0),
        ("GMT+0", 0),
        ("Zulu", 0),
        ("tzone://Microsoft/Utc", 0),
        ("tzone://Microsoft/UTC", 0),
        ("UTC+2", 2),
        ("UTC+02:00", 2),
        ("GMT-0500", -5),
        ("+05:30", 5.5),
        ("UTC+530", 5.5),
        ("UTC+0", 0),
        ("(UTC) Coordinated Universal Time", 0),
        ("(UTC-02:00) Coordinated Universal Time-02", -2),
        ("UTC+14", 14),
    ],
)
def test_a_name_may_be_an_offset_with_east_as_plus(name: str, hours: float) -> None:
    found = find(Zone(name))
    assert found is not None
    assert NOW.astimezone(found).utcoffset() == hours * HOUR


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Customized Time Zone",
        CUSTOM,
        "Europe",
        "Mars/Olympus_Mons",
        "CET-1CEST",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<+03>-3",
        "UTC+15",
        "UTC+2:75",
        "localtime",
        "posixrules",
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "../../etc/passwd",
        "/etc/passwd",
        "/usr/share/zoneinfo/../../../etc/passwd",
        "Europe/Berlin\0",
        "Europe/Berlin/../Paris",
        "(UTC+02:00) Athens, Istanbul",
        "(UTC-11:00) Midway Island, Samoa",
        "(UTC+01:00) Nowhere",
        "()" * 90,
        "A" * 10_000,
    ],
)
def test_what_names_no_zone_is_not_known(name: str) -> None:
    assert find(Zone(name)) is None
    assert not is_known(Zone(name))
    assert tzinfo_of(Zone(name)) is UTC
    assert slack_of(Zone(name)) == HOUR


@given(st.text(max_size=60))
def test_no_name_is_an_error(name: str) -> None:
    assert (find(Zone(name)) is None) is not is_known(Zone(name))


def test_a_known_zone_needs_no_slack() -> None:
    assert slack_of(Zone("Europe/Berlin")) == timedelta()
    assert slack_of(Zone(CUSTOM, fixed(3))) == timedelta()


def test_a_known_name_counts_and_not_what_it_is_said_to_mean() -> None:
    assert zone_of("Europe/Berlin", fixed(1), NOW) == Zone("Europe/Berlin")
    assert zone_of("Venezuela Standard Time", fixed(-4.5), NOW) == Zone(
        "Venezuela Standard Time"
    )  # as it was until 2016
    assert zone_of("Europe/Berlin", "", NOW) == Zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "hours"), [("Europe/Berlin", -8), ("UTC", 1), ("Etc/GMT+5", -6), ("UTC+2", 3), ("GMT", 1)]
)
def test_a_definition_that_clearly_means_something_else_counts(name: str, hours: float) -> None:
    assert zone_of(name, fixed(hours), NOW) == Zone(CUSTOM, fixed(hours))
    assert tzinfo_of(Zone(CUSTOM, fixed(hours))).utcoffset(NOW) == hours * HOUR


def test_zones_of_their_own_are_the_same_whatever_they_are_called() -> None:
    assert (
        zone_of("Customized Time Zone", fixed(3), NOW) == zone_of(CUSTOM, fixed(3), NOW) == zone_of("", fixed(3), NOW)
    )


def test_what_neither_name_nor_definition_tells_keeps_its_name() -> None:
    assert zone_of("Atlantis", "", NOW) == Zone("Atlantis")
    assert len(zone_of("A" * 10_000, "", NOW).name) == 200


@pytest.mark.parametrize("definition", ["x", "{}", '{"eras":[]}'])
def test_a_definition_that_is_none_is_refused_by_whoever_makes_a_zone_and_harms_nobody_later(definition: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        zone_of("Atlantis", definition, NOW)
    assert find(Zone("Atlantis", definition)) is None
    assert tzinfo_of(Zone("Atlantis", definition)) is UTC


@pytest.mark.parametrize(
    ("start", "day", "hours"),
    [
        (datetime(2026, 1, 5, 9, tzinfo=UTC), date(2026, 1, 5), 0),
        (datetime(2026, 1, 5, 23, 30, tzinfo=UTC), date(2026, 1, 6), 1),
        (datetime(2026, 1, 5, 2, tzinfo=UTC), date(2026, 1, 4), -3),
        (datetime(2026, 1, 5, 10, tzinfo=UTC), date(2026, 1, 6), 14),
        (datetime(2026, 1, 5, 11, 59, tzinfo=UTC), date(2026, 1, 4), -12),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), date(2026, 3, 1), 0),
        (datetime.max.replace(tzinfo=UTC), date(9999, 12, 30), 0),
    ],
)
def test_a_zone_nobody_knows_is_a_few_hours_from_utc_that_have_the_first_day_right(
    start: datetime, day: date, hours: int
) -> None:
    zone = unknown_zone("Atlantis", start, day)
    assert zone.name == "Atlantis"
    assert not is_known(zone)
    assert slack_of(zone) == HOUR
    assert tzinfo_of(zone).utcoffset(NOW) == hours * HOUR


def test_a_series_in_a_zone_nobody_knows_begins_when_it_was_said_to() -> None:
    start = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    zone = unknown_zone("Atlantis", start, date(2026, 1, 6))
    series = Series.of(Rule(Daily(1), date(2026, 1, 6)), start, start + HOUR, zone)
    assert Series.parse(series.text) == series
    first = Series.parse(series.text).occurrences.first
    assert first is not None
    assert (first.day, first.start) == (date(2026, 1, 6), start)


def test_the_clock_of_a_definition_is_made_once() -> None:
    assert clock_of(fixed(2)) is clock_of(fixed(2))
    assert find(Zone(CUSTOM, fixed(2))) is clock_of(fixed(2))
