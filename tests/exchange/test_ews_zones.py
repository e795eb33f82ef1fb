"""Time zones over EWS: names first, definitions where the name tells nothing, and nonsense that harms nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from greenroom.exchange.ews.markup import TYPES, Element
from greenroom.exchange.ews.zones import read_definition, read_zone
from greenroom.meetings.zones import CUSTOM, Zone, find, is_known, tzinfo_of
from greenroom.simulator.ews.zones import write_definition

AROUND = datetime(2031, 5, 6, 9, tzinfo=UTC)
PERIODS = (
    '<Periods><Period Bias="-PT1H30M" Name="Standard" Id="s"/><Period Bias="-PT180M" Name="Daylight" Id="d"/></Periods>'
)
GROUP = (
    '<TransitionsGroups><TransitionsGroup Id="0">'
    '<RecurringDayTransition><To Kind="Period">d</To><TimeOffset>PT2H</TimeOffset><Month>3</Month>'
    "<DayOfWeek>Sunday</DayOfWeek><Occurrence>-1</Occurrence></RecurringDayTransition>"
    '<RecurringDateTransition><To Kind="Period">s</To><TimeOffset>PT3H</TimeOffset><Month>10</Month><Day>20</Day>'
    "</RecurringDateTransition></TransitionsGroup></TransitionsGroups>"
)
TRANSITIONS = '<Transitions><Transition><To Kind="Group">0</To></Transition></Transitions>'
OWN = PERIODS + GROUP + TRANSITIONS


def zone(inside: str = "", ident: str = "Our own zone") -> Element:
    return etree.fromstring(f'<StartTimeZone xmlns="{TYPES}" Id="{ident}">{inside}</StartTimeZone>')


def element(name: str, text: str = "", **attributes: str) -> Element:
    found = etree.Element(f"{{{TYPES}}}{name}", attributes)
    found.text = text
    return found


def hours(found: Zone, *moments: datetime) -> list[float]:
    return [(at.astimezone(tzinfo_of(found)).utcoffset() or timedelta()) / timedelta(hours=1) for at in moments]


WINTER, SUMMER = datetime(2031, 1, 10, tzinfo=UTC), datetime(2031, 7, 10, tzinfo=UTC)


def test_the_id_of_the_start_zone_comes_first() -> None:
    fields = {
        "StartTimeZone": zone(ident="W. Europe Standard Time"),
        "StartTimeZoneId": element("StartTimeZoneId", "UTC"),
        "MeetingTimeZone": element("MeetingTimeZone", TimeZoneName="Pacific Standard Time"),
    }
    assert read_zone(fields, AROUND) == Zone("W. Europe Standard Time")
    del fields["StartTimeZone"]
    assert read_zone(fields, AROUND) == Zone("UTC")
    del fields["StartTimeZoneId"]
    assert read_zone(fields, AROUND) == Zone("Pacific Standard Time")
    assert read_zone({}, AROUND) == Zone("")


def test_a_name_nobody_knows_counts_by_its_definition() -> None:
    found = read_zone({"StartTimeZone": zone(OWN)}, AROUND)
    assert found.name == CUSTOM
    assert is_known(found)
    assert hours(found, WINTER, SUMMER) == [1.5, 3]
    assert hours(found, datetime(2031, 10, 19, 23, 59, tzinfo=UTC), datetime(2031, 10, 20, tzinfo=UTC)) == [3, 1.5]


def test_a_name_that_is_known_counts_alone() -> None:
    berlin = OWN.replace("-PT1H30M", "-PT1H").replace("-PT180M", "-PT2H")
    found = read_zone({"StartTimeZone": zone(berlin, "W. Europe Standard Time")}, AROUND)
    assert found == Zone("W. Europe Standard Time")


def test_a_name_nobody_knows_without_a_definition_stays_a_name() -> None:
    assert read_zone({"StartTimeZone": zone()}, AROUND) == Zone("Our own zone")


def test_rules_that_changed_are_eras() -> None:
    eras = (
        '<TransitionsGroups><TransitionsGroup Id="0"><Transition><To Kind="Period">s</To></Transition></TransitionsGroup>'
        '<TransitionsGroup Id="1"><Transition><To Kind="Period">d</To></Transition></TransitionsGroup></TransitionsGroups>'
        '<Transitions><Transition><To Kind="Group">0</To></Transition>'
        '<AbsoluteDateTransition><To Kind="Group">1</To><DateTime>2031-03-01T00:00:00</DateTime></AbsoluteDateTransition>'
        "</Transitions>"
    )
    found = Zone(CUSTOM, read_definition(zone(PERIODS + eras)))
    assert hours(found, WINTER, SUMMER) == [1.5, 3]


def test_one_period_alone_holds_for_ever() -> None:
    found = Zone(CUSTOM, read_definition(zone('<Periods><Period Bias="PT3H30M" Name="x" Id="x"/></Periods>')))
    assert hours(found, WINTER, SUMMER) == [-3.5, -3.5]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<Periods/>",
        PERIODS,
        PERIODS + GROUP,
        OWN.replace("PT2H", "two"),
        OWN.replace("PT2H", "P"),
        OWN.replace("PT2H", "PT99999H"),
        OWN.replace("-PT1H30M", "-P9999D"),
        OWN.replace("-PT1H30M", "P1Y"),
        OWN.replace(">3<", ">13<"),
        OWN.replace(">3<", "><"),
        OWN.replace("Sunday", "Someday"),
        OWN.replace("-1", "9"),
        OWN.replace('Kind="Period">d', 'Kind="Period">x'),
        OWN.replace('Kind="Group">0', 'Kind="Group">7'),
        OWN.replace(">20<", ">40<"),
        PERIODS + GROUP + f"<Transitions>{'<Transition><To>0</To></Transition>' * 9999}</Transitions>",
        OWN.replace("<Transition>", "<AbsoluteDateTransition><DateTime>soon</DateTime>").replace(
            "</Transition>", "</AbsoluteDateTransition>"
        ),
    ],
    ids=range(18),
)
def test_a_definition_that_makes_no_sense_is_none(inside: str) -> None:
    assert read_definition(zone(inside)) == ""
    assert read_zone({"StartTimeZone": zone(inside)}, AROUND) == Zone("Our own zone")
    assert read_zone({"StartTimeZone": zone(inside, "UTC")}, AROUND) == Zone("UTC")


@pytest.mark.slow
@given(st.text(max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_no_text_makes_it_fail(name: str, length: str, at: str) -> None:
    told = zone(OWN)
    told.set("Id", "".join(c for c in name if c.isprintable()))
    period, transition = told.find(".//{*}Period"), told.find(".//{*}TimeOffset")
    assert period is not None
    assert transition is not None
    period.set("Bias", "".join(c for c in length if c.isprintable()))
    transition.text = "".join(c for c in at if c.isprintable())
    tzinfo_of(read_zone({"StartTimeZone": told}, AROUND))


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
        "Pacific/Auckland", "Africa/Cairo", "Asia/Jerusalem", "America/Santiago", "UTC",
    ],
)  # fmt: skip
def test_what_another_writer_says_of_a_zone_is_that_zone(name: str) -> None:
    written = zone()
    write_definition(written, "Nobody knows", ZoneInfo(name), 2027)
    found = Zone(CUSTOM, read_definition(written))
    clock = find(found)
    assert clock is not None
    moments = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=61 * n) for n in range(2 * 143)]
    assert [at.astimezone(clock).utcoffset() for at in moments] == [
        at.astimezone(ZoneInfo(name)).utcoffset() for at in moments
    ]
