import contextlib
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import MAX_BYTES
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.ics_write import write_ics
from greenroom.simulator.model import Delivered
from support.box import AUTO, Box, ics

FAST = settings(max_examples=150, deadline=timedelta(seconds=1), suppress_health_check=[HealthCheck.too_slow])
NAMES = (
    "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS",
    "CLASS", "ORGANIZER", "ATTENDEE", "SUMMARY", "DESCRIPTION", "X-ALT-DESC", "TRANSP", "X-MICROSOFT-CDO-ALLDAYEVENT",
)  # fmt: skip
VALUES = (
    "20261202T090000Z", "20261202", "20261202T090000", "00000101", "45001231T235959Z", "99991231T240000", "PT1H", "-P1D",
    "P99999D", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=XX", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=YEARLY;BYMONTH=13", "1", "-1",
    "FREQ=DAILY;UNTIL=00010101T000000Z", "99999999999999999999", "TRUE", "CANCELLED", "mailto:a@b.test", "mailto:", ",,,",
    ";;;", "\\", "\\n",
)  # fmt: skip
PARAMS = (
    "", ";VALUE=DATE", ";TZID=Europe/Berlin", ";TZID=X", ";TZID=", ';CN="', ";CN=a:b", ";PARTSTAT=ACCEPTED",
    ";ENCODING=QUOTED-PRINTABLE",
)  # fmt: skip
ZONE_PARTS = (
    "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "BEGIN:DAYLIGHT", "END:DAYLIGHT", "TZID:X",
    "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "TZOFFSETTO:+2500", "DTSTART:16010101T020000", "DTSTART:00010101T000000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=9SU",
    "RRULE:FREQ=YEARLY;UNTIL=00010101T000000Z", "RDATE:20260101T000000",
)  # fmt: skip
LINE = st.builds("{}{}:{}".format, st.sampled_from(NAMES), st.sampled_from(PARAMS), st.sampled_from(VALUES))
LINES = st.lists(LINE, max_size=14)
ZONE_LINES = st.lists(st.sampled_from(ZONE_PARTS), max_size=20)


def deliver(data: bytes) -> None:
    """Read, deliver and write back; a refusal is all that may go wrong."""
    box = Box()
    with contextlib.suppress(BadInvitation):
        done = box.exchange.deliver_ics(AUTO, data)
        write_again(box, done)


def write_again(box: Box, done: Delivered) -> None:
    for id_ in done.message_ids:
        item = box.exchange.get(AUTO, id_)
        if item.item_class != "IPM.Note":
            assert read_ics(write_ics(item)).events


@FAST
@given(st.binary(max_size=2000))
def test_random_bytes_are_refused_or_read(data: bytes) -> None:
    deliver(data)
    deliver(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR\n")


@FAST
@given(LINES, ZONE_LINES, st.sampled_from(["REQUEST", "CANCEL", "REPLY", "PUBLISH", "COUNTER", "", None]))
def test_random_lines_are_refused_or_read(lines: list[str], zone: list[str], method: str | None) -> None:
    deliver(ics(*lines, method=method, around="\n".join(zone)))
    around = "\n".join(["BEGIN:VTIMEZONE", "TZID:X", *zone])
    deliver(ics("DTSTART;TZID=X:20261202T090000", *lines, method=method, around=around))


@FAST
@given(st.data())
def test_a_good_file_with_bytes_changed_is_refused_or_read(data: st.DataObject) -> None:
    good = bytearray(
        ics("DTSTART;TZID=Europe/Berlin:20261202T090000", "RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE:20261209T080000Z")
    )
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    deliver(bytes(good))


@pytest.mark.slow
@pytest.mark.parametrize(
    "filler",
    [
        b"\r", b"\n", b"\r\n ", b" ", b"\x00", b'"', b":", b";", b",", b"\\", b"BEGIN:X\r\n", b"END:X\r\n", b"A:\r\n", b"=\r\n",
        b"\xff", b"ATTENDEE:mailto:a@b.test\r\n", b"DTSTART:20261202T090000Z\r\n", b"EXDATE:20261202T090000Z\r\n",
        b"x" * 60 + b"\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [b"", b"SUMMARY:", b'ATTENDEE;CN="', b"EXDATE;TZID=x:", b"RRULE:FREQ=DAILY;"])
def test_half_a_megabyte_of_anything_takes_bounded_time(filler: bytes, before: bytes) -> None:
    middle = before + filler * (500_000 // len(filler))
    data = ics("DTSTART:20261202T090000Z").replace(b"END:VEVENT", middle + b"\r\nEND:VEVENT")
    begun = time.process_time()
    deliver(data)
    assert time.process_time() - begun < 5


def test_a_line_of_many_quotes_takes_bounded_time() -> None:
    begun = time.process_time()
    deliver(ics("DTSTART:20261202T090000Z", "SUMMARY:" + " " * 500_000 + "x", 'ATTENDEE;CN="' + '";' * 250_000))
    assert time.process_time() - begun < 5


def test_many_zones_and_dates_take_bounded_time() -> None:
    dates = ",".join(f"{year}0101T000000" for year in range(1700, 4400))
    zone = "BEGIN:VTIMEZONE\nTZID:X\n" + (
        f"BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRDATE:{dates}\nEND:STANDARD\n"
        * 60
    )
    excluded = f"EXDATE;TZID=X:{dates}"
    data = ics(
        "DTSTART;TZID=X:20261202T090000", "RRULE:FREQ=DAILY;UNTIL=44001231", excluded, around=zone + "END:VTIMEZONE"
    )
    assert len(data) < MAX_BYTES
    begun = time.process_time()
    deliver(data)
    assert time.process_time() - begun < 10
