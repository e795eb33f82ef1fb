"""Files that are not just a calendar: mails, coded and packed calendars, other things altogether."""

import base64
import gzip
import quopri
from email.message import EmailMessage

import pytest

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import MAX_BYTES
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.ics_source import calendar_of
from support.box import AUTO, START, Box, ics

CALENDAR = ics('DTSTART;TZID="Europe/Berlin":20261202T100000', "SUMMARY:Grüße " + "lang " * 30)


def mail(calendar: bytes = CALENDAR, *, kind: str = "calendar", coding: str = "base64") -> bytes:
    message = EmailMessage()
    message["From"] = '"Forwarder, A." <fay@elsewhere.test>'
    message["Subject"] = "Invitation"
    message.set_content("You are invited.")
    message.add_attachment(calendar.decode(), subtype=kind, cte=coding, params={"method": "REQUEST"})
    return message.as_bytes()


@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "8bit"])
def test_the_calendar_of_a_mail_is_read_with_its_sender(coding: str) -> None:
    file = read_ics(mail(coding=coding))
    assert file.sender == "fay@elsewhere.test"
    assert file.events[0].meeting.start == START
    assert file.events[0].subject.startswith("Grüße lang")


def test_the_sender_of_a_mail_is_the_organizer_of_an_event_that_names_none() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, mail(ics("DTSTART:20261202T090000Z", "ORGANIZER:nobody")))
    assert box.copy(AUTO).meeting.organizer.address == "fay@elsewhere.test"


def test_an_attached_calendar_counts_by_its_name_and_its_charset() -> None:
    message = EmailMessage()
    message["From"] = "fay@elsewhere.test"
    message.set_content("Hello")
    latin = CALENDAR.decode().encode("latin-1")
    message.add_attachment(latin, maintype="application", subtype="octet-stream", filename="Invite.ICS")
    assert read_ics(message.as_bytes()).events[0].subject.startswith("Grüße")
    odd = mail().replace(b'charset="utf-8"', b'charset="no-such"')
    assert read_ics(odd).events[0].meeting.start == START


@pytest.mark.parametrize(
    "data",
    [base64.encodebytes(CALENDAR), quopri.encodestring(CALENDAR), CALENDAR.decode().encode("utf-16"), CALENDAR],
    ids=["base64", "quoted-printable", "utf-16", "plain"],
)
def test_a_calendar_left_in_its_coding_is_decoded(data: bytes) -> None:
    event = read_ics(data).events[0]
    assert event.meeting.start == START
    assert event.subject.startswith("Grüße lang")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (gzip.compress(CALENDAR), "gzip"),
        (b"PK\x03\x04" + b"x" * 50, "zip"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 50, "Outlook message"),
        (b"%PDF-1.4", "PDF"),
        (b"<!doctype html><p>Sign in", "web page"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "address card"),
        (b"From: a@b.test\r\nContent-Type: text/plain\r\n\r\nHello", "mail without a calendar"),
        (b"Hello, this is text", "no BEGIN:VCALENDAR"),
        (base64.b64encode(CALENDAR)[:-3], "base64"),
        (b"From: a@b.test\r\n" + b"Content-Type: multipart/mixed; boundary=x\r\n" * 61 + b"\r\n", "too many parts"),
        (b"Content-Type: text/plain\r\n\r\n" + b"\n" * 200_000, "too many parts or lines"),
        (b"Content-Type: text/plain" + b";\r\n a=b" * 40_000, "header"),
        (b"Content-Type: message/rfc822\r\n\r\n" * 40_000, "one inside the other"),
        (b"x" * (MAX_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_calendar_is_called_by_its_name(data: bytes, words: str) -> None:
    with pytest.raises(BadInvitation, match=words):
        read_ics(data)


def test_a_markup_or_header_before_a_calendar_does_not_hide_it() -> None:
    assert read_ics(b"<pre>\r\n" + CALENDAR).events
    assert calendar_of(b"Note: see below\r\n\r\n" + CALENDAR)[1] is None
