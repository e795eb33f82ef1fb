"""Series as files: month ends, zones that travel in them, and programs that send a whole series again and again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from greenroom.simulator.occurrence_items import change_of, view_of
from greenroom.simulator.occurrences import occurrences_within
from greenroom.simulator.recurrence import AbsoluteMonthly, AbsoluteYearly, Daily, Pattern, Recurrence, RelativeMonthly
from support import custom_zone
from support.box import ANN, AUTO, OUTSIDE, Box, ics
from support.tzdata import change_law, installed

if TYPE_CHECKING:
    from greenroom.simulator.model import MeetingDraft

START = datetime(2027, 1, 29, 9, tzinfo=UTC)
GOOGLE = "DTSTART;TZID=Europe/Berlin:20261202T090000", "DTEND;TZID=Europe/Berlin:20261202T100000"
RULE = "RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=WE"
INVITED = "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:auto@box.test"
OTHER = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@box.test"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (AbsoluteMonthly(1, 31), "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1"),
        (AbsoluteMonthly(2, 30), "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=30"),
        (AbsoluteYearly(2, 29), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        (AbsoluteYearly(2, 31), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
        (RelativeMonthly(1, "Weekday", "Last"), "FREQ=MONTHLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ],
)
def test_rules_of_month_ends_come_back_from_the_file(pattern: Pattern, said: str) -> None:
    box = Box()
    rule = Recurrence(pattern, START.date(), until=date(2031, 1, 1))
    draft: MeetingDraft = {"start": START, "end": START + timedelta(hours=1), "recurrence": rule}
    box.invite(OUTSIDE, draft=draft)
    data = box.exchange.outbound[0].ics
    assert data is not None
    assert said in data.decode().replace("\r\n ", "")
    other = Box()
    other.exchange.deliver_ics(AUTO, data)
    read = other.copy(AUTO).meeting.recurrence
    assert read is not None
    assert (read.pattern, read.start) == (pattern, rule.start)


def test_a_zone_of_somebodys_own_travels_in_the_file() -> None:
    box = Box()
    start = datetime(2027, 4, 9, 7, 30, tzinfo=UTC)
    draft: MeetingDraft = {
        "start": start,
        "end": start + timedelta(hours=1),
        "start_zone": custom_zone.NAME,
        "zone_rules": custom_zone.VTIMEZONE,
        "recurrence": Recurrence(Daily(1), start.date(), count=4),
    }
    item = box.invite(OUTSIDE, draft=draft)
    data = box.exchange.outbound[0].ics
    assert data is not None
    other = Box()
    other.exchange.deliver_ics(AUTO, data)
    window = start, start + timedelta(days=9)
    mine = occurrences_within(other.copy(AUTO).meeting, *window)
    assert mine == occurrences_within(item.meeting, *window)
    assert [one.start.hour for one in mine] == [7, 7, 6, 6]


def moved(day: int, to: str, *more: str) -> tuple[str, ...]:
    return (
        f"RECURRENCE-ID;TZID=Europe/Berlin:202612{day:02}T090000",
        f"DTSTART;TZID=Europe/Berlin:{to}",
        f"DTEND;TZID=Europe/Berlin:{to[:9]}{int(to[9:11]) + 1:02}{to[11:]}",
        *(more or (INVITED, OTHER)),
        "SUMMARY:Weekly",
    )


def whole(stamp: int, *exceptions: tuple[str, ...]) -> bytes:
    """A series with its exceptions in one file, as Google sends it again after every change."""
    common = (f"DTSTAMP:20261101T10{stamp:02}00Z", f"SEQUENCE:{stamp}")
    master = ics(*GOOGLE, RULE, INVITED, OTHER, "SUMMARY:Weekly", *common).decode()
    parts = [ics(*one, *common).decode() for one in exceptions]
    events = [part[part.index("BEGIN:VEVENT") : part.index("END:VCALENDAR")] for part in parts]
    return master.replace("END:VCALENDAR", "".join([*events, "END:VCALENDAR"])).encode()


def test_a_series_sent_again_whole_keeps_the_answers_to_exceptions_that_stayed() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, whole(1, moved(9, "20261209T140000"), moved(16, "20261216T140000")))
    second, third, fourth = (datetime(2026, 12, day, 8, tzinfo=UTC) for day in (9, 16, 23))
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    for original in (second, third):
        box.exchange.respond_to_occurrence(AUTO, box.copy(AUTO).id, original, "Accept")
    box.later()
    changed = moved(9, "20261209T140000"), moved(16, "20261217T080000"), moved(23, "20261223T110000")
    done = box.exchange.deliver_ics(AUTO, whole(2, *changed))
    assert len(done.message_ids) == 1
    master = box.copy(AUTO)
    answers = [view_of(master, change_of(master, original)).my_response for original in (second, third, fourth)]
    assert answers == ["Accept", "NoResponseReceived", "NoResponseReceived"]
    assert master.my_response == "Accept"
    assert [one.start.day for one in master.meeting.modified] == [9, 17, 23]


def test_an_occurrence_of_the_file_to_which_the_mailbox_is_not_invited_is_none_of_its_own() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, whole(1, moved(9, "20261209T140000", OTHER)))
    meeting = box.copy(AUTO).meeting
    assert [one.start.day for one in meeting.deleted] == [9]
    assert meeting.modified == ()


def test_exceptions_without_their_series_become_entries_of_their_own() -> None:
    box = Box()
    data = whole(1, moved(9, "20261209T140000"), moved(16, "20261216T140000")).decode()
    begin, end = data.index("BEGIN:VEVENT"), data.index("END:VEVENT") + len("END:VEVENT\r\n")
    box.exchange.deliver_ics(AUTO, (data[:begin] + data[end:]).encode())
    items = box.exchange.items(AUTO, "calendar")
    assert len(items) == 2
    assert len({item.id for item in items}) == 2


def test_other_data_of_time_zones_move_the_occurrences_that_are_to_come(tmp_path: Path) -> None:
    box = Box()
    start = datetime(2027, 10, 20, 7, tzinfo=UTC)
    draft: MeetingDraft = {
        "start": start,
        "end": start + timedelta(hours=1),
        "start_zone": "W. Europe Standard Time",
        "recurrence": Recurrence(Daily(1), start.date()),
    }
    item = box.exchange.create_meeting(ANN, draft)
    window = datetime(2027, 10, 30, tzinfo=UTC), datetime(2027, 11, 2, tzinfo=UTC)

    def hours() -> list[int]:
        return [one.start.hour for one in occurrences_within(item.meeting, *window)]

    assert hours() == [7, 8, 8]
    change_law(tmp_path, "Europe/Berlin", datetime(2027, 10, 31, 1, tzinfo=UTC), timedelta(hours=2))
    with installed(tmp_path):
        assert hours() == [7, 7, 7]
        assert occurrences_within(item.meeting, start, start + timedelta(hours=1))[0].start == start
    assert hours() == [7, 8, 8]
    assert ZoneInfo("Europe/Berlin").utcoffset(datetime(2028, 1, 1)) == timedelta(hours=1)  # noqa: DTZ001 - a local time
