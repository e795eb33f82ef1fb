"""What people have when they say "an .ics file": the calendar itself, the mail it came in, or something else altogether.

A mail's calendar part is taken out, with the sender, who counts as the organizer where the calendar names none.
Calendars still in base64 or quoted-printable are decoded.
"""

import base64
import binascii
import email
import quopri
import re
from email.message import Message
from email.utils import parseaddr

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import MAX_BYTES

_MAX_PARTS = 200
_MAX_BOUNDARIES = 60  # nested parts cost the parser more than their size
_MAX_HEADER = 8192  # the parser takes quadratic time for parameters
_MAX_LINES = 100_000
_READ_HEADER = re.compile(rb"^(?:content-[a-z-]+|from):[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[ \t\r\n]")
_MAIL_ONLY = re.compile(rb"^content-(?:type|transfer-encoding):", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(rb"^(?:DTSTART|DTEND|ORGANIZER|ATTENDEE|SUMMARY|DESCRIPTION)(?:;[A-Z-]+)=3D", re.MULTILINE)
_ENCODED_BEGIN = base64.b64encode(b"BEGIN:VCALENDAR")[:20]
_TYPES = {"text/calendar", "text/x-vcalendar", "application/ics"}
_KINDS = (
    (b"\x1f\x8b", "it is packed with gzip; unpack it first"),
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (b"\xd0\xcf\x11\xe0", "it is an Outlook message (.msg); open it in Outlook and save its calendar as .ics"),
    (b"%PDF", "it is a PDF document"),
    (b"<", "it is a web page or other markup"),
    (b"BEGIN:VCARD", "it is an address card (VCARD)"),
)


def calendar_of(data: bytes) -> tuple[bytes, str | None]:
    """The calendar in a file, and the sender's address where the file is a mail that names one.

    Raises BadInvitation for what certainly holds none.
    """
    if len(data) > MAX_BYTES:
        raise BadInvitation(f"the file is larger than {MAX_BYTES} bytes")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise BadInvitation("the file is empty")
    for mark, words in _KINDS:
        if start.startswith(mark) and b"BEGIN:VCALENDAR" not in data:
            raise BadInvitation(f"this is no iCalendar file: {words}")
    sender = None
    if start[:15].upper() != b"BEGIN:VCALENDAR" and _is_mail(start):
        start, sender = _part_of(start)
        data = start
    if start.startswith(_ENCODED_BEGIN):
        try:
            data = base64.b64decode(start, validate=False)
        except binascii.Error:
            raise BadInvitation("the calendar is coded in base64, and cut off or damaged") from None
    return (quopri.decodestring(data) if _QUOTED.search(data) else data), sender


def _is_mail(start: bytes) -> bool:
    head = start.replace(b"\r\n", b"\n").partition(b"\n\n")[0][:MAX_BYTES]
    first = head.partition(b"\n")[0]
    return (first.startswith(b"From ") or _HEADER.match(head) is not None) and _MAIL_ONLY.search(head) is not None


def _part_of(data: bytes) -> tuple[bytes, str | None]:
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if data.lower().count(b"boundary") > _MAX_BOUNDARIES or data.count(b"\n") > _MAX_LINES:
        raise BadInvitation("the mail has too many parts or lines")
    if any(len(found[0]) > _MAX_HEADER for found in _READ_HEADER.finditer(data)):
        raise BadInvitation("a header of the mail is too long")
    try:
        return _searched(email.message_from_bytes(data))
    except RecursionError:
        raise BadInvitation("the mail holds too many mails one inside the other") from None


def _searched(mail: Message) -> tuple[bytes, str | None]:
    sender = parseaddr(str(mail.get("From", "")))[1] or None
    for number, part in enumerate(mail.walk()):
        if number >= _MAX_PARTS:
            break
        if part.get_content_type() in _TYPES or str(part.get_filename() or "").lower().endswith(".ics"):
            return _decoded(part), sender
    raise BadInvitation("this is a mail without a calendar: it holds no part of the type text/calendar")


def _decoded(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset("utf-8")
    if charset in {"utf-8", "us-ascii"}:
        return data
    try:
        return data.decode(charset, errors="replace").encode(errors="replace")
    except LookupError:
        return data
