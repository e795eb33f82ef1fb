"""TZDEFINITION: the zone Outlook keeps in a recurring meeting, from blobs made by hand and from those we write."""

import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings import timezone_definition
from greenroom.meetings.zone_clock import clock_of
from greenroom.meetings.zone_rules import Onset, define
from support.clocks_compared import differences, year

H = timedelta(hours=1)
SUNDAY = 0
NEVER = (0,) * 8


def blob(*rules: bytes, name: str = "Customized Time Zone", flags: int = 2, more: bytes = b"") -> bytes:
    """Put together a TZDEFINITION (MS-OXOCAL 2.2.1.41)."""
    raw = name.encode("utf-16-le")
    header = struct.pack("<H", flags)
    if flags & 1:
        header += bytes(16)
    if flags & 2:
        header += struct.pack("<H", len(raw) // 2) + raw
    header += struct.pack("<H", len(rules)) + more
    return struct.pack("<BBH", 2, 1, len(header)) + header + b"".join(rules)


def rule(
    year: int, biases: tuple[int, int, int], standard: tuple[int, ...] = NEVER, daylight: tuple[int, ...] = NEVER
) -> bytes:
    """Put together a TZRULE (MS-OXOCAL 2.2.1.41.1)."""
    start = struct.pack("<BBHHH14x", 2, 1, 0x3E, 2, year)
    return start + struct.pack("<iii", *biases) + struct.pack("<8H", *standard) + struct.pack("<8H", *daylight)


def at(month: int, nth: int, hour: int, weekday: int = SUNDAY) -> tuple[int, ...]:
    return (0, month, weekday, nth, hour, 0, 0, 0)


BERLIN = rule(2000, (-60, 0, -60), at(10, 5, 3), at(3, 5, 2))
NEW_YORK = (rule(2006, (300, 0, -60), at(10, 5, 2), at(4, 1, 2)), rule(2007, (300, 0, -60), at(11, 1, 2), at(3, 2, 2)))
SYDNEY = rule(2008, (-600, 0, -60), at(4, 1, 3), at(10, 1, 2))
LORD_HOWE = rule(2008, (-630, 0, -30), at(4, 1, 2), at(10, 1, 2))


@pytest.mark.parametrize(
    ("made", "name", "since"),
    [
        (blob(BERLIN), "Europe/Berlin", 2000),
        (blob(*NEW_YORK), "America/New_York", 2000),
        (blob(SYDNEY), "Australia/Sydney", 2009),
        (blob(LORD_HOWE), "Australia/Lord_Howe", 2009),
        (blob(rule(1601, (-330, 0, -60))), "Asia/Kolkata", 2000),
        (blob(BERLIN, flags=3), "Europe/Berlin", 2020),
        (blob(BERLIN, flags=1), "Europe/Berlin", 2020),
        (blob(BERLIN, more=b"later"), "Europe/Berlin", 2020),
        (blob(BERLIN) + b"later", "Europe/Berlin", 2020),
    ],
)
def test_the_zone_in_a_meeting_counts_as_the_zone_database_does(made: bytes, name: str, since: int) -> None:
    _, definition = timezone_definition.read(made)
    assert differences(clock_of(definition), ZoneInfo(name), year(since), year(2033)) == []


def test_the_name_is_told() -> None:
    assert timezone_definition.read(blob(BERLIN, name="W. Europe Standard Time"))[0] == "W. Europe Standard Time"
    assert timezone_definition.read(blob(BERLIN, name="Zoné \U0001f552"))[0] == "Zoné \U0001f552"
    assert timezone_definition.read(blob(BERLIN, flags=1))[0] == ""


def test_both_protocols_make_the_same_of_the_same_zone() -> None:
    def on(to: str, month: int, nth: int, hour: int) -> Onset:
        return Onset(to, month=month, weekday=6, nth=nth, at=hour * H)

    told = define(
        {"s": 5 * H, "d": 4 * H},
        {"0": [on("d", 4, 1, 2), on("s", 10, -1, 2)], "1": [on("d", 3, 2, 2), on("s", 11, 1, 2)]},
        [(None, "0"), (datetime(2007, 1, 1), "1")],  # noqa: DTZ001 (local)
    )
    assert timezone_definition.read(blob(*NEW_YORK))[1] == told


def test_a_rule_for_one_year_names_dates() -> None:
    dated = rule(2026, (-120, 0, -60), (2026, 9, 5, 18, 2, 0, 0, 0), (2026, 4, 3, 8, 1, 0, 0, 0))
    clock = clock_of(timezone_definition.read(blob(rule(2025, (-120, 0, 0)), dated, rule(2027, (-120, 0, 0))))[1])
    summer = [datetime(number, 6, 1, tzinfo=clock).utcoffset() for number in (2025, 2026, 2027)]
    assert summer == [2 * H, 3 * H, 2 * H]
    assert datetime(2026, 4, 7, 22, 59, tzinfo=UTC).astimezone(clock).utcoffset() == 2 * H
    assert datetime(2026, 4, 7, 23, tzinfo=UTC).astimezone(clock).utcoffset() == 3 * H


def test_a_zone_without_clock_changes_keeps_its_standard_bias() -> None:
    assert timezone_definition.read(blob(rule(2000, (-60, 15, -60))))[1] == '{"eras":[{"offset":2700}]}'


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Gaza"]
)
def test_what_is_written_of_a_zone_is_read_back(name: str) -> None:
    written = timezone_definition.write("Custom", ZoneInfo(name), range(2019, 2033))
    read, definition = timezone_definition.read(written)
    assert read == "Custom"
    assert differences(clock_of(definition), ZoneInfo(name), year(2020), year(2032)) == []


def test_what_is_written_of_an_unchanging_rule_is_what_was_read() -> None:
    for made in (blob(BERLIN, name="x"), blob(SYDNEY, name="x"), blob(rule(2008, (-330, 0, 0)), name="x")):
        clock = clock_of(timezone_definition.read(made)[1])
        again = timezone_definition.write("x", clock, range(2010, 2016))
        assert timezone_definition.read(again) == timezone_definition.read(made)
        assert len(again) == len(made)
        assert again.count(struct.pack("<BBH", 2, 1, 0x3E)) == 1


BROKEN = {
    "empty": b"",
    "cut in the header": blob(BERLIN)[:5],
    "cut in the name": blob(BERLIN)[:20],
    "cut in the rule": blob(BERLIN)[:-1],
    "another version": b"\3" + blob(BERLIN)[1:],
    "a rule of another version": blob(b"\3" + BERLIN[1:]),
    "no rules": blob(),
    "too many rules": blob(*[BERLIN] * 300),
    "too long": blob(BERLIN) + bytes(70_000),
    "a name too long": blob(BERLIN, name="x" * 300),
    "half a surrogate": blob(BERLIN).replace("Customized".encode("utf-16-le"), b"\0\xd8" * 10),
    "a month too late": blob(rule(2000, (0, 0, -60), at(13, 1, 2), at(3, 1, 2))),
    "a weekday too late": blob(rule(2000, (0, 0, -60), at(10, 1, 2, weekday=7), at(3, 1, 2))),
    "no such week": blob(rule(2000, (0, 0, -60), at(10, 6, 2), at(3, 1, 2))),
    "a bias too far": blob(rule(2000, (1440, 0, 0))),
    "biases beyond all": blob(rule(2000, (2**31 - 1, 2**31 - 1, -(2**31)), at(10, 5, 2), at(3, 1, 2))),
    "a year that is none": blob(BERLIN, rule(0, (0, 0, 0))),
    "a year far off": blob(BERLIN, rule(65535, (0, 0, 0))),
}


@pytest.mark.parametrize("how", BROKEN)
def test_anything_else_is_a_value_error(how: str) -> None:
    with pytest.raises(ValueError, match=r"TZDEFINITION|time zone|offset|clocks|weekday"):
        timezone_definition.read(BROKEN[how])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=4)), max_size=6))
def test_a_blob_with_damage_is_read_or_refused(damage: list[tuple[int, bytes]]) -> None:
    made = blob(*NEW_YORK)
    for place, scrap in damage:
        made = made[:place] + scrap + made[place + len(scrap) :]
    try:
        _, definition = timezone_definition.read(made)
    except ValueError:
        return
    assert datetime(2026, 1, 1, tzinfo=clock_of(definition)).utcoffset() is not None


def test_a_name_that_does_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="not that long"):
        timezone_definition.write("x" * 300, UTC, [2026])
