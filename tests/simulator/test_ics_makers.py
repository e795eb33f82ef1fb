"""Invitations in the manner of many calendar programs: made up here, except the recorded ones in the shared folder."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.recurrence import Weekly
from support.box import AUTO, OUTSIDE, Box
from support.shared import shared_path

ZIMBRA = """BEGIN:VCALENDAR
PRODID:Zimbra-Calendar-Provider
VERSION:2.0
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Brussels
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETTO:+0100
TZOFFSETFROM:+0200
RRULE:FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:9c0d6d2e-5c3f-44a5-8cf2-0d3a2d5a77aa
SUMMARY:Review
ATTENDEE;CN=Room Auto;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:auto@box.test
ORGANIZER;CN=Eve:mailto:eve@elsewhere.test
DTSTART;TZID="Europe/Brussels":20261202T100000
DTEND;TZID="Europe/Brussels":20261202T110000
STATUS:CONFIRMED
CLASS:PUBLIC
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY
TRANSP:OPAQUE
LAST-MODIFIED:20261101T100000Z
DTSTAMP:20261101T100000Z
SEQUENCE:0
DESCRIPTION:The following is a new meeting request:\\n\\nSubject: Review
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER;RELATED=START:-PT5M
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
NOTES = """BEGIN:VCALENDAR
X-LOTUS-CHARSET:UTF-8
VERSION:2.0
PRODID:-//Lotus Development Corporation//NONSGML Notes 9.0.1//EN_C
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:W. Europe
BEGIN:STANDARD
DTSTART:19501029T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMINUTE=0;BYHOUR=2;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19500326T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMINUTE=0;BYHOUR=2;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID="W. Europe":20261202T100000
DTEND;TZID="W. Europe":20261202T110000
TRANSP:OPAQUE
DTSTAMP:20261101T100000Z
SEQUENCE:0
ATTENDEE;ROLE=CHAIR;PARTSTAT=ACCEPTED;CN="Eve/Org"
 ;RSVP=FALSE:mailto:eve@elsewhere.test
ATTENDEE;CUTYPE=RESOURCE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE
 :mailto:auto@box.test
CLASS:PUBLIC
SUMMARY:Review
ORGANIZER;CN="Eve/Org":mailto:eve@elsewhere.test
UID:A1B2C3D4E5F6-Lotus_Notes_Generated
X-LOTUS-BROADCAST:FALSE
X-LOTUS-APPTTYPE:3
END:VEVENT
END:VCALENDAR
"""
OUTLOOK = """BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:REQUEST
X-MS-OLK-FORCEINSPECTOROPEN:TRUE
BEGIN:VTIMEZONE
TZID:(UTC+01:00) Amsterdam\\, Berlin\\, Bern
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;CN="Room Auto";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;RSVP=TRUE:mailto:auto@box.test
CLASS:PUBLIC
CREATED:20261101T100000Z
DESCRIPTION:Hello
DTEND;TZID="(UTC+01:00) Amsterdam, Berlin, Bern":20261202T110000
DTSTAMP:20261101T100000Z
DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Bern":20261202T100000
ORGANIZER;CN=Eve:invalid:nomail
ORGANIZER;CN=Eve:mailto:eve@elsewhere.test
SEQUENCE:0
SUMMARY;LANGUAGE=de:Review
UID:040000008200E00074C5B7101A82E0080000000000D8F0E5B64CDC01000000000000000
\t010000000827DA11FE47F5489049C8464AB0838A1
X-ALT-DESC;FMTTYPE=text/html:<html><body><p>Hello</p></body></html>
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY
END:VEVENT
END:VCALENDAR
"""
THUNDERBIRD = """BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:/mozilla.org/20070129_1/Europe/Brussels
X-LIC-LOCATION:Europe/Brussels
END:VTIMEZONE
BEGIN:VEVENT
CREATED:20261101T100000Z
LAST-MODIFIED:20261101T100000Z
DTSTAMP:20261101T100000Z
UID:3b1c7b0c-0000-4a1e-9f0c-1c7a0f3a2b11
SUMMARY:Review
ORGANIZER;RSVP=TRUE;CN=Eve;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:eve@elsewhere.test
ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:auto@box.test
RRULE:FREQ=WEEKLY;UNTIL=20261223T090000Z
DTSTART;TZID=/mozilla.org/20070129_1/Europe/Brussels:20261202T100000
DTEND;TZID=/mozilla.org/20070129_1/Europe/Brussels:20261202T110000
TRANSP:OPAQUE
X-MOZ-SEND-INVITATIONS:TRUE
END:VEVENT
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:REQUEST
PRODID:-//Apple Inc.//macOS 15.1//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN="Eve";CUTYPE=INDIVIDUAL;EMAIL="eve@elsewhere.test";PARTSTAT=ACCEPTED;ROLE=CHAIR:/aMTIz/principal/
ATTENDEE;CN="auto@box.test";CUTYPE=INDIVIDUAL;EMAIL="auto@box.test";PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:auto@box.test
CREATED:20261101T100000Z
DTEND;TZID=Europe/Brussels:20261202T110000
DTSTAMP:20261101T100000Z
DTSTART;TZID=Europe/Brussels:20261202T100000
ORGANIZER;CN="Eve";EMAIL="eve@elsewhere.test":/aMTIz/principal/
SEQUENCE:0
SUMMARY:Review
UID:1E2D3C4B-0000-4444-8888-ABCDEFABCDEF
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Main St: 1":geo:50.8,4.3
URL;VALUE=URI:
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    "text", [ZIMBRA, NOTES, OUTLOOK, THUNDERBIRD, APPLE], ids=["zimbra", "notes", "outlook", "thunderbird", "apple"]
)
def test_invitations_of_many_programs_become_entries_that_can_be_answered(text: str) -> None:
    box = Box()
    done = box.exchange.deliver_ics(AUTO, text.replace("\n", "\r\n").encode())
    assert (done.method, done.note, len(done.message_ids)) == ("REQUEST", None, 1)
    copy = box.copy(AUTO)
    assert copy.subject == "Review"
    assert copy.meeting.start == datetime(2026, 12, 2, 9, tzinfo=UTC)
    assert copy.meeting.end - copy.meeting.start == timedelta(hours=1)
    assert copy.meeting.organizer.address == OUTSIDE
    assert [one.person.address for one in copy.meeting.attendees] == [AUTO]
    box.exchange.respond(AUTO, copy.id, "Accept")
    reply = box.exchange.outbound[0].ics
    assert reply is not None
    assert read_ics(reply).events[0].meeting.clean_goid == copy.meeting.clean_goid
    assert read_ics(reply).events[0].meeting.start == copy.meeting.start


def test_a_series_of_thunderbird_ends_where_it_should() -> None:
    meeting = read_ics(THUNDERBIRD.encode()).events[0].meeting
    assert meeting.recurrence is not None
    assert isinstance(meeting.recurrence.pattern, Weekly)
    assert meeting.recurrence.until is not None
    assert meeting.recurrence.until.isoformat() == "2026-12-23"


def test_the_html_and_the_hex_uid_of_outlook_are_kept() -> None:
    event = read_ics(OUTLOOK.encode()).events[0]
    assert event.body.type == "HTML"
    assert event.meeting.uid.startswith("040000008200E00074C5B7101A82E008")
    assert event.meeting.clean_goid.hex().upper() == event.meeting.uid


def recorded() -> list[Path]:
    return sorted(shared_path("captures/ics").glob("*.ics"))


def test_all_recorded_invitations_are_understood() -> None:
    found = {path.name: read_ics(path.read_bytes()).events[0] for path in recorded()}
    assert len(found) >= 9
    starts = {name: event.meeting.start.isoformat() for name, event in found.items()}
    assert starts["windows_event.ics"] == "2015-02-20T08:30:00+00:00"
    assert starts["gcal_recur.ics"] == "2015-01-12T21:30:00+00:00"
    assert starts["iphone_through_exchange.ics"] == "2014-12-27T15:00:00+00:00"
    assert {name for name, event in found.items() if event.meeting.all_day} == {
        "blackberry.ics",
        "icloud_oneday_event.ics",
        "invite.ics",
    }
    assert found["event_without_dtend_with_duration.ics"].meeting.end.isoformat() == "2022-10-09T11:30:00+00:00"


def test_all_recorded_invitations_are_delivered_and_google_cancels_its_own() -> None:
    box = Box()
    for path in recorded():
        assert box.exchange.deliver_ics(AUTO, path.read_bytes()).note is None
    items = box.exchange.items(AUTO, "calendar")
    assert [item.subject for item in items if item.subject.startswith("Canceled")] == ["Canceled: Buffalo Buffalo"]


def test_recorded_invitations_cut_off_anywhere_are_refused_or_read() -> None:
    for path in recorded():
        data = path.read_bytes()
        for end in range(0, len(data), 37):
            with contextlib.suppress(BadInvitation):
                assert read_ics(data[:end]).events
