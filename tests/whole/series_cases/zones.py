"""Zones by whatever name or rules they come, and series from other calendar programs."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from greenroom.meetings.zones import CUSTOM, is_known
from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.series_desk import DAY, HOUR, Desk, at
from support.series_life import Steps
from whole.series_cases.common import ALL_FOUR, FIRST, HALF, MARCH, MINUTE, SECOND
from whole.series_cases.icalendar import BERLIN, OF_ITS_OWN, cancelled, mail, one, series_lines
from whole.series_cases.registry import case

KOLKATA, AUCKLAND, LORD_HOWE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Auckland"), ZoneInfo("Australia/Lord_Howe")


@case
def a_zone_of_half_an_hour(desk: Desk) -> Steps:
    """Trap 27: India, five and a half hours ahead, without clock changes."""
    start = at(2031, 3, 29, 9, 15, zone=KOLKATA)
    series = desk.invite(start, Recurrence(Daily(1), date(2031, 3, 29), count=3), zone="India Standard Time")
    yield
    span = start - HOUR, start + 5 * DAY
    assert series.times(*span, zone=UTC) == [f"2031-03-{day} 03:45-04:45" for day in (29, 30, 31)]
    assert series.times(*span) == series.shown(*span)


@case
def clocks_that_change_by_half_an_hour(desk: Desk) -> Steps:
    """Traps 27 and 28: Lord Howe Island, on 6 April 2031 half an hour back."""
    start = at(2031, 4, 5, 9, zone=LORD_HOWE)
    series = desk.invite(start, Recurrence(Daily(1), date(2031, 4, 5), count=3), zone="Lord Howe Standard Time")
    yield
    span = start - HOUR, start + 5 * DAY
    assert series.times(*span, zone=LORD_HOWE) == [f"2031-04-0{day} 09:00-10:00" for day in (5, 6, 7)]
    assert series.times(*span, zone=UTC)[0] == "2031-04-04 22:00-23:00"
    assert series.times(*span, zone=UTC)[1] == "2031-04-05 22:30-23:30"


@case
def the_day_of_an_occurrence_is_the_organizers(desk: Desk) -> Steps:
    """Traps 15 and 28: Monday morning in Auckland is Sunday for the world; the cancelled and the moved one are the right ones."""
    start = at(2031, 3, 3, 8, zone=AUCKLAND)
    rule = Recurrence(Weekly(1, ("Monday",)), date(2031, 3, 3), count=4)
    series = desk.invite(start, rule, zone="New Zealand Standard Time")
    yield
    series.cancel_one(start + 7 * DAY)
    series.move(start + 14 * DAY, to=start + 15 * DAY)
    yield
    wanted = ["2031-03-03 08:00-09:00", "2031-03-18 08:00-09:00", "2031-03-24 08:00-09:00"]
    span = start - DAY, start + 60 * DAY
    assert series.times(*span, zone=AUCKLAND) == series.shown(*span, zone=AUCKLAND) == wanted
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-17"]
    assert series.record.series is not None
    assert series.record.series.gone == frozenset({date(2031, 3, 10)})


@case
def a_zone_nobody_knows(desk: Desk) -> Steps:
    """Trap 27: no failure: it is counted so that the first day is right, and the room is open an hour longer on both sides.

    Over EWS a meeting always brings a definition of its zone, which then counts; over Graph nothing tells of this one.
    """
    start = datetime(2031, 3, 4, 8, tzinfo=UTC)
    rule = Recurrence(Weekly(1, ("Tuesday",)), date(2031, 3, 4), count=4)
    series = desk.invite(start, rule, zone="Olympus Mons Standard Time")
    yield
    assert series.replies == ["accept new series"]
    assert series.record.series is not None
    assert is_known(series.record.series.zone) is (desk.protocol == "ews")
    slack = HOUR if desk.protocol == "graph" else timedelta()
    first = series.admission.first_opens
    assert first is not None
    assert first == start - HALF - slack
    found = series.admission.at(first)
    assert found is not None
    assert (found.starts, found.closes) == (start, start + 2 * HOUR + slack)
    assert series.is_open(start + 21 * DAY)
    assert not series.is_open(start + 28 * DAY)


@case
def a_zone_of_its_own(desk: Desk) -> Steps:
    """Trap 27: only its rules tell when it is (EWS TimeZoneDefinition, and 0x8260 where Graph says tzone://Microsoft/Custom)."""
    series = desk.deliver(mail(desk, series_lines("Own Time", "RRULE:FREQ=WEEKLY;COUNT=4"), zone=OF_ITS_OWN))
    yield
    assert series.replies == ["accept new series"]
    assert series.record.series is not None
    zone = series.record.series.zone
    assert zone.name == CUSTOM
    assert is_known(zone)
    # It is two and a half hours ahead; from the second Sunday of March on three and a half.
    assert series.times(*MARCH, zone=UTC) == [
        "2031-03-04 06:30-07:30",
        "2031-03-11 05:30-06:30",
        "2031-03-18 05:30-06:30",
        "2031-03-25 05:30-06:30",
    ]


@case
def an_iana_zone_with_its_rules_in_the_mail(desk: Desk) -> Steps:
    """Traps 27 and 35: Europe/Berlin with an embedded VTIMEZONE: the name counts, so that newer zone data moves the future."""
    series = desk.deliver(mail(desk, series_lines("Europe/Berlin", "RRULE:FREQ=WEEKLY;COUNT=6"), zone=BERLIN))
    yield
    assert series.replies == ["accept new series"]
    assert series.record.series is not None
    assert not series.record.series.zone.definition
    assert series.times(at(2031, 3, 1), at(2031, 5, 1))[3:5] == [ALL_FOUR[3], "2031-04-01 09:00-10:00"]
    assert series.record.instructions.value == "in-reply"


@case
def several_exceptions_in_one_mail(desk: Desk) -> Steps:
    """Trap 35: as Google sends it: the series, one occurrence moved, one longer, one cancelled, one left out, all in one file."""
    zone = "Europe/Berlin"
    text = mail(
        desk,
        series_lines(zone, "RRULE:FREQ=WEEKLY;COUNT=6", f"EXDATE;TZID={zone}:20310401T090000"),
        one(zone, "20310311T090000", "20310312T130000", "20310312T140000"),
        one(zone, "20310318T090000", "20310318T090000", "20310318T113000"),
        [*one(zone, "20310325T090000", "20310325T090000", "20310325T100000"), "STATUS:CANCELLED"],
        zone=BERLIN,
    )
    series = desk.deliver(text)
    yield
    assert series.replies == ["accept new series"]
    wanted = [ALL_FOUR[0], "2031-03-12 13:00-14:00", "2031-03-18 09:00-11:30", "2031-04-08 09:00-10:00"]
    assert series.times(at(2031, 3, 1), at(2031, 5, 1)) == wanted
    desk.deliver(text)  # Google sends whole series again when nothing has changed
    yield
    assert series.replies == ["accept new series"]
    assert series.times(at(2031, 3, 1), at(2031, 5, 1)) == wanted


@case
def an_exception_in_a_mail_of_its_own(desk: Desk) -> Steps:
    """Trap 35: one occurrence moved from elsewhere; the answer goes there, and names the occurrence."""
    zone = "Europe/Berlin"
    series = desk.deliver(mail(desk, series_lines(zone, "RRULE:FREQ=WEEKLY;COUNT=4"), zone=BERLIN))
    yield
    moved = one(zone, "20310311T090000", "20310312T130000", "20310312T140000")
    desk.deliver(mail(desk, moved, zone=BERLIN, sequence=1))
    yield
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-12 13:00-14:00", *ALL_FOUR[2:]]


@case
def a_cancelled_occurrence_is_planned_again(desk: Desk) -> Steps:
    """Traps 12 and 35: one is called off, then takes place after all: it is open again, and answered."""
    zone = "Europe/Berlin"
    series = desk.deliver(mail(desk, series_lines(zone, "RRULE:FREQ=WEEKLY;COUNT=4"), zone=BERLIN))
    yield
    off = one(zone, "20310311T090000", "20310311T090000", "20310311T100000")
    desk.deliver(mail(desk, cancelled(off), zone=BERLIN, sequence=1, method="CANCEL"))
    yield
    assert series.times(*MARCH) == [ALL_FOUR[0], *ALL_FOUR[2:]]
    assert not series.is_open(SECOND + HALF)
    again = one(zone, "20310311T090000", "20310311T110000", "20310311T120000")
    desk.deliver(mail(desk, again, zone=BERLIN, sequence=2))
    yield
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-11 11:00-12:00", *ALL_FOUR[2:]]
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]


@case
def an_occurrence_alone_from_elsewhere(desk: Desk) -> Steps:
    """Traps 16 and 35: from Google, too, the equipment may be invited to one; the whole comes later and is merged."""
    zone = "Europe/Berlin"
    alone = one(zone, "20310311T090000", "20310311T090000", "20310311T100000")
    series = desk.deliver(mail(desk, alone, zone=BERLIN))
    yield
    assert series.replies == ["accept new single 2031-03-11"]
    assert not series.is_known
    desk.deliver(mail(desk, series_lines(zone, "RRULE:FREQ=WEEKLY;COUNT=4"), alone, zone=BERLIN, sequence=1))
    yield
    assert series.replies == ["accept new single 2031-03-11", "accept new series"]
    assert series.times(*MARCH) == ALL_FOUR


@case
def a_rule_that_exchange_cannot_say(desk: Desk) -> Steps:
    """Traps 27 and 35: on the first and the third Tuesday at once: it is accepted, and open for no less than it takes place."""
    lines = series_lines("Europe/Berlin", "RRULE:FREQ=MONTHLY;BYDAY=1TU,3TU;COUNT=4")
    series = desk.deliver(mail(desk, lines, zone=BERLIN))
    yield
    assert series.replies == ["accept new series"]
    assert series.is_open(FIRST + HALF)
    assert series.is_open(at(2031, 3, 18, 9, 30))
    assert series.is_open(at(2031, 4, 15, 9, 30))


@case
def times_of_day_with_an_offset_only(desk: Desk) -> Steps:
    """Trap 27: a series in UTC stays where it is when Europe changes its clocks."""
    start = datetime(2031, 3, 29, 8, tzinfo=UTC)
    series = desk.invite(start, Recurrence(Daily(1), date(2031, 3, 29), count=3), zone="UTC")
    yield
    here: tzinfo = timezone(timedelta())
    assert series.times(start, start + 9 * DAY, zone=here) == [f"2031-03-{day} 08:00-09:00" for day in (29, 30, 31)]
    assert not series.is_open(start + 2 * DAY + 2 * HOUR + MINUTE)
