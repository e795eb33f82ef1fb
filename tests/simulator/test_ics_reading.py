from datetime import UTC, datetime, timedelta

import pytest

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.goid import CLASS_ID
from greenroom.simulator.ics_lines import MAX_BYTES
from greenroom.simulator.ics_read import ReadEvent, read_ics
from support.box import AUTO, Box, ics

START = "DTSTART:20261202T090000Z"


def read(*event: str, method: str | None = "REQUEST", around: str = "") -> ReadEvent:
    return read_ics(ics(*event, method=method, around=around)).events[0]


def refused(*event: str, method: str = "REQUEST") -> BadInvitation:
    with pytest.raises(BadInvitation) as error:
        read_ics(ics(*event, method=method))
    return error.value


def test_dtend_duration_and_neither() -> None:
    nine = datetime(2026, 12, 2, 9, tzinfo=UTC)
    assert read(START, "DTEND:20261202T100000Z").meeting.end == nine + timedelta(hours=1)
    assert read(START, "DURATION:P1DT2H30M").meeting.end == nine + timedelta(days=1, hours=2, minutes=30)
    assert read(START, "DURATION:P1W").meeting.end == nine + timedelta(weeks=1)
    assert read(START).meeting.end == nine


def test_dates_are_all_day_for_at_least_one_day() -> None:
    for extra in ([], ["DTEND;VALUE=DATE:20261202"], ["DTEND;VALUE=DATE:20261203"], ["DURATION:P1D"]):
        meeting = read("DTSTART;VALUE=DATE:20261202", *extra).meeting
        assert meeting.all_day
        assert (meeting.start, meeting.end - meeting.start) == (datetime(2026, 12, 2, tzinfo=UTC), timedelta(days=1))
    assert read("DTSTART:20261202").meeting.all_day


def test_midnight_to_midnight_is_all_day_only_with_microsofts_flag() -> None:
    times = ("DTSTART;TZID=Europe/Berlin:20261202T000000", "DTEND;TZID=Europe/Berlin:20261203T000000")
    assert not read(*times).meeting.all_day
    meeting = read(*times, "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE").meeting
    assert meeting.all_day
    assert (meeting.start, meeting.start_zone) == (datetime(2026, 12, 1, 23, tzinfo=UTC), "Europe/Berlin")


def test_floating_times_take_the_calendars_zone_or_utc() -> None:
    assert read("DTSTART:20261202T090000").meeting.start.hour == 9
    meeting = read("DTSTART:20261202T090000", around="X-WR-TIMEZONE:America/New_York").meeting
    assert (meeting.start.hour, meeting.start_zone) == (14, "America/New_York")


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("DTSTART:20261202T0900Z", 9),
        ("DTSTART:2026-12-02T09:00:00Z", 9),
        ("DTSTART;TZID=Europe/Berlin:20261202T090000Z", 9),
        ("DTSTART:20261202T090000+0100", 8),
        ("DTSTART;VALUE=DATE-TIME:20261202T090060Z", 9),
    ],
)
def test_times_written_a_little_wrong_are_understood(written: str, hour: int) -> None:
    assert read(written).meeting.start.hour == hour


def test_line_ends_folds_and_marks_of_all_kinds() -> None:
    lines = ["SUMMARY:Long ", " er", "LOCATION:Room", "\t 7", START]
    for end in ("\r\n", "\n", "\r", "\r\r\n"):
        for mark in (b"", b"\xef\xbb\xbf"):
            event = read_ics(mark + ics(*lines, end=end)).events[0]
            assert (event.subject, event.meeting.location) == ("Long er", "Room 7")
    event = read_ics(b"\xff\xfe" + ics(*lines).decode().encode("utf-16-le")).events[0]
    assert event.subject == "Long er"


def test_text_lines_that_forgot_their_fold_belong_to_the_text() -> None:
    event = read(START, "DESCRIPTION:First", "second: with colon", "https://meet.test/x", "", "last", "LOCATION:L")
    assert event.body.content.split() == ["First", "second:", "with", "colon", "https://meet.test/x", "last"]
    assert event.meeting.location == "L"


def test_folds_inside_a_character_and_latin_bytes() -> None:
    raw = ics("SUMMARY:Tür", START)
    cut = raw.index("ü".encode()) + 1
    assert read_ics(raw[:cut] + b"\r\n " + raw[cut:]).events[0].subject == "Tür"
    assert read_ics(raw.replace("ü".encode(), b"\xfc")).events[0].subject == "Tür"


def test_escapes_quotes_and_colons() -> None:
    event = read(
        START,
        r"SUMMARY:a\, b\; c\\n\nd",
        'ATTENDEE;CN="Dahl, Cleo: x;y":MAILTO:cleo@maker.test',
        "ATTENDEE;CN=No: quotes;RSVP=TRUE:mailto:no@maker.test",
        'ATTENDEE;CN="unclosed;RSVP=TRUE:mailto:open@maker.test',
        "ATTENDEE;CN=Dr^'s ^n Chief:mailto:caret@maker.test",
    )
    assert event.subject == r"a, b; c\n d"
    people = [(one.person.address, one.person.name) for one in event.meeting.attendees]
    assert people == [
        ("cleo@maker.test", "Dahl, Cleo: x;y"),
        ("no@maker.test", "No"),
        ("open@maker.test", "unclosed"),
        ("caret@maker.test", 'Dr"s   Chief'),
    ]


def test_people_are_found_where_programs_put_them() -> None:
    event = read(
        START,
        "ORGANIZER;EMAIL=real@maker.test:urn:uuid:1",
        "ATTENDEE;EMAIL=a@maker.test:/principals/123/",
        "ATTENDEE:b@maker.test",
        "ATTENDEE:invalid:nomail",
        "ATTENDEE:mailto:<c@maker.test>",
        "ATTENDEE:mailto:d%2Bx@maker.test?subject=x",
        "ATTENDEE:MAILTO:B@maker.test",
        "ATTENDEE:mailto:real@maker.test",
    )
    assert event.organizer is not None
    assert event.organizer.address == "real@maker.test"
    assert [one.person.address for one in event.meeting.attendees] == [
        "a@maker.test",
        "b@maker.test",
        "c@maker.test",
        "d+x@maker.test",
    ]


def test_roles_and_answers() -> None:
    event = read(
        START,
        "ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=ACCEPTED:mailto:r@maker.test",
        "ATTENDEE;ROLE=NON-PARTICIPANT:mailto:n@maker.test",
        "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:o@maker.test",
        "ATTENDEE;ROLE=CHAIR;PARTSTAT=NEEDS-ACTION:mailto:c@maker.test",
    )
    assert [(one.role, one.response) for one in event.meeting.attendees] == [
        ("resource", "Accept"),
        ("resource", "Unknown"),
        ("optional", "Tentative"),
        ("required", "NoResponseReceived"),
    ]


def test_microsofts_properties_and_classes() -> None:
    event = read(
        START,
        "CLASS:PRIVATE",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:OOF",
        "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
        "X-MICROSOFT-CDO-IMPORTANCE:2",
        "X-MICROSOFT-CDO-APPT-SEQUENCE:4",
        "DESCRIPTION:plain",
        "X-ALT-DESC;FMTTYPE=text/html:<b>rich</b>",
    )
    assert (event.sensitivity, event.importance) == ("Private", "High")
    assert (event.meeting.free_busy, event.meeting.sequence) == ("OOF", 4)
    assert (event.body.type, event.body.content) == ("HTML", "<b>rich</b>")
    assert read(START, "CLASS:CONFIDENTIAL", "TRANSP:TRANSPARENT").sensitivity == "Confidential"
    assert read(START, "TRANSP:TRANSPARENT").meeting.free_busy == "Free"


def test_rsvp_false_for_everybody_asks_for_no_answer() -> None:
    assert read(START).meeting.response_requested
    assert not read(START, "ATTENDEE;RSVP=FALSE:mailto:a@maker.test").meeting.response_requested
    assert read(START, "ATTENDEE:mailto:a@maker.test").meeting.response_requested


def test_quoted_printable_texts_of_old_programs() -> None:
    event = read(START, "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:T=C3=BCr=", "e")
    assert event.subject == "Türe"


def test_hex_uids_are_global_object_ids_and_others_are_wrapped() -> None:
    hexed = CLASS_ID.hex().upper() + "07EA0C09" + "00" * 16 + "10000000" + "AB" * 16
    meeting = read(START, f"UID:{hexed}").meeting
    assert meeting.clean_goid.hex().upper() == hexed.replace("07EA0C09", "00000000")
    assert meeting.uid == meeting.clean_goid.hex().upper()
    foreign = read(START, "UID:abc@google.com").meeting
    assert foreign.uid == "abc@google.com"
    assert foreign.clean_goid.endswith(b"vCal-Uid\x01\x00\x00\x00abc@google.com\x00")
    assert foreign.clean_goid[36:40] == (12 + 15).to_bytes(4, "little")
    assert read(START, "UID:" + CLASS_ID.hex() + "00").meeting.clean_goid[40:48] == b"vCal-Uid"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (("SUMMARY:x",), "no DTSTART"),
        (("DTSTART:tomorrow",), "DTSTART is no date"),
        (("DTSTART:20261345T090000Z",), "DTSTART is no date"),
        (("DTSTART:00010101T090000Z",), "outside the years"),
        ((START, "DTEND:20261201T090000Z"), "ends before it starts"),
        ((START, "DTEND:20361201T090000Z"), "longer than five years"),
        ((START, "DURATION:-PT1H"), "DURATION"),
        ((START, "DURATION:P99999W"), "five years"),
        (("DTSTART;TZID=Nowhere/Never:20261202T090000",), "time zone"),
        ((START, "UID:" + "x" * 2000), "longer than"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_reason_and_line(event: tuple[str, ...], words: str) -> None:
    error = refused(*event)
    assert words in error.reason
    assert error.line is not None


def test_the_line_of_an_error_is_that_of_the_file() -> None:
    assert refused("SUMMARY:one", " two", "DTSTART:nonsense").line == 11


def test_files_that_are_no_invitations_are_refused() -> None:
    whole = ics(START)
    for data, words in [
        (b"", "empty"),
        (b"hello: world", "no iCalendar"),
        (whole.replace(b"VEVENT", b"VTODO"), "no event"),
        (whole[: whole.index(b"END:VEVENT")], "ends inside VEVENT"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 20, "nested"),
        (b"x" * (MAX_BYTES + 1), "larger"),
        (b"A\n" * 70_000, "lines"),
    ]:
        with pytest.raises(BadInvitation, match=words):
            read_ics(data)


def test_a_missing_last_line_is_forgiven() -> None:
    assert read_ics(ics(START).replace(b"END:VCALENDAR", b"")).events[0].has_start


def test_text_before_the_calendar_is_skipped() -> None:
    assert read_ics(b"Content-Type: text/calendar\r\n\r\n" + ics(START)).events[0].has_start


def test_more_than_the_allowed_number_of_people_or_events_is_refused() -> None:
    many = [f"ATTENDEE:mailto:a{number}@maker.test" for number in range(2001)]
    assert "attendees" in refused(START, *many).reason
    event = "BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n"
    with pytest.raises(BadInvitation, match="events"):
        read_ics(ics(START).replace(b"END:VCALENDAR", (event * 1001).encode() + b"END:VCALENDAR"))


def test_long_and_strange_texts_are_cut_and_cleaned() -> None:
    event = read(START, "SUMMARY:" + "x" * 400 + "\x07", "LOCATION:a\\n\\nb\x00")
    assert event.subject == "x" * 255
    assert event.meeting.location == "a b"


@pytest.mark.parametrize("method", [None, "PUBLISH", "request"])
def test_publish_and_no_method_are_taken_as_requests_when_there_is_an_organizer(method: str | None) -> None:
    box = Box()
    done = box.exchange.deliver_ics(AUTO, ics(START, "ORGANIZER:mailto:eve@elsewhere.test", method=method))
    assert done.note is None
    assert box.copy(AUTO).my_response == "NoResponseReceived"


def test_without_an_organizer_a_publication_is_kept_as_mail_and_a_request_refused() -> None:
    box = Box()
    done = box.exchange.deliver_ics(AUTO, ics(START, method="PUBLISH"))
    assert done.note is not None
    assert done.calendar_item_ids == ()
    with pytest.raises(BadInvitation, match="ORGANIZER"):
        box.exchange.deliver_ics(AUTO, ics(START, "ORGANIZER:nobody"))
    box.exchange.deliver_ics(AUTO, ics(START, "ORGANIZER:nobody"), sender="eve@elsewhere.test")
    assert box.copy(AUTO).meeting.organizer.address == "eve@elsewhere.test"


@pytest.mark.parametrize("method", ["COUNTER", "REFRESH", "DECLINECOUNTER", "ADD", "NONSENSE"])
def test_other_methods_are_kept_as_plain_mail_with_a_reason(method: str) -> None:
    box = Box()
    done = box.exchange.deliver_ics(AUTO, ics(START, "SUMMARY:s", method=method))
    assert done.note is not None
    (message,) = box.inbox(AUTO)
    assert message.item_class == "IPM.Note"
    assert not box.exchange.items(AUTO, "calendar")


def test_a_request_whose_event_is_cancelled_is_a_cancellation() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(START))
    box.exchange.deliver_ics(AUTO, ics(START, "STATUS:CANCELLED", "SEQUENCE:1"))
    assert box.copy(AUTO).meeting.is_cancelled


def test_a_cancellation_needs_no_times() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(START, "DTEND:20261202T100000Z"))
    box.exchange.deliver_ics(AUTO, ics("SEQUENCE:1", method="CANCEL"))
    copy = box.copy(AUTO)
    assert copy.meeting.is_cancelled
    assert copy.meeting.start.hour == 9


def test_a_cancellation_of_something_unknown_is_kept_with_a_note() -> None:
    done = Box().exchange.deliver_ics(AUTO, ics(START, method="CANCEL"))
    assert (done.note, done.calendar_item_ids) == ("no calendar item of this meeting is here", ())


def test_outdated_requests_and_cancellations_change_nothing() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(START, "SEQUENCE:2", "SUMMARY:Newest"))
    box.exchange.deliver_ics(AUTO, ics(START, "SEQUENCE:1", "SUMMARY:Old"))
    box.exchange.deliver_ics(AUTO, ics(START, "SEQUENCE:2", "SUMMARY:Older", "DTSTAMP:20261101T095900Z"))
    box.exchange.deliver_ics(AUTO, ics(START, "SEQUENCE:1", method="CANCEL"))
    assert box.copy(AUTO).subject == "Newest"
    assert not box.copy(AUTO).meeting.is_cancelled
    assert box.request(AUTO).is_out_of_date
    assert box.request(AUTO).request_type == "Outdated"


def test_several_meetings_in_one_file_are_all_delivered_or_none() -> None:
    box = Box()
    one, two = ics(START).decode(), ics(START, "UID:u-2").decode()
    event = two[two.index("BEGIN:VEVENT") : two.index("END:VCALENDAR")]
    done = box.exchange.deliver_ics(AUTO, one.replace("END:VCALENDAR", event + "END:VCALENDAR").encode())
    assert len(done.calendar_item_ids) == 2
    broken = one.replace("END:VCALENDAR", event.replace("DTSTART", "XSTART") + "END:VCALENDAR")
    with pytest.raises(BadInvitation):
        box.exchange.deliver_ics(AUTO, broken.encode())
    assert len(box.inbox(AUTO)) == 2
