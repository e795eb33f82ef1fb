"""Meetings as iCalendar text, as Exchange sends them to other organisations (RFC 5545, RFC 5546, MS-OXCICAL)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from html.parser import HTMLParser

from greenroom.simulator import zones
from greenroom.simulator.envelope import Envelope, meeting_of
from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.ics_rules import write_rule
from greenroom.simulator.ics_vtimezone import write_zone
from greenroom.simulator.model import (
    Attendee,
    Body,
    Item,
    Meeting,
    MeetingCancellation,
    MeetingResponse,
    ModifiedOccurrence,
    Person,
    Sensitivity,
)
from greenroom.simulator.occurrences import zone_of

_FOLD = 75
_PARTSTAT = {"Accept": "ACCEPTED", "Decline": "DECLINED", "Tentative": "TENTATIVE"}
_ROLES = {"required": "REQ-PARTICIPANT", "optional": "OPT-PARTICIPANT", "resource": "NON-PARTICIPANT"}
_CLASSES: dict[Sensitivity, str] = {"Personal": "X-PERSONAL", "Private": "PRIVATE", "Confidential": "CONFIDENTIAL"}
_IMPORTANCE = {"Low": ("9", "0"), "Normal": ("5", "1"), "High": ("1", "2")}


def write_ics(item: Item, method: str | None = None) -> bytes:
    """A calendar item or meeting message as a file. Raises InvalidOperation for items that are about no meeting."""
    meeting = meeting_of(item)
    if meeting is None:
        raise InvalidOperation("ErrorInvalidRequest", "the item is about no meeting")
    answer = item.response if isinstance(item, MeetingResponse) else None
    if method is None:
        method = "REPLY" if answer else "CANCEL" if isinstance(item, MeetingCancellation) else "REQUEST"
    envelope = Envelope(
        method="REQUEST",
        meeting=meeting,
        subject=item.subject,
        body=item.body,
        author=item.author or meeting.organizer,
        sender=item.sender or meeting.organizer,
        sensitivity=item.sensitivity,
        importance=item.importance,
        answer=answer,
    )
    return _file(envelope, method)


def write_envelope(envelope: Envelope) -> bytes:
    """A message that leaves the house."""
    return _file(envelope, envelope.method)


def _file(envelope: Envelope, method: str) -> bytes:
    meeting = envelope.meeting
    lines = [
        "BEGIN:VCALENDAR",
        f"METHOD:{method}",
        "PRODID:-//Greenroom//Exchange in a box//EN",
        "VERSION:2.0",
    ]
    zone = None if meeting.all_day and meeting.start_zone is None else zone_of(meeting)
    if meeting.start_zone is not None and zone is not None:
        rules = meeting.zone_rules
        lines += rules.split("\n") if rules else write_zone(meeting.start_zone, zone, meeting.start.year)
    end_zone = _end_zone(meeting)
    if end_zone is not None and meeting.end_zone is not None and meeting.end_zone != meeting.start_zone:
        lines += write_zone(meeting.end_zone, end_zone, meeting.end.year)
    lines += _event(envelope, method, zone or UTC)
    if method != "REPLY":
        for change in meeting.modified:
            lines += _exception(envelope, method, zone or UTC, change)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(envelope: Envelope, method: str, zone: tzinfo) -> list[str]:
    meeting = envelope.meeting
    lines = ["BEGIN:VEVENT", f"UID:{_text(meeting.uid)}"]
    if meeting.recurrence_id is not None:
        lines.append(_time("RECURRENCE-ID", meeting.recurrence_id, meeting, zone))
    lines += [
        _time("DTSTART", meeting.start, meeting, zone),
        _time("DTEND", meeting.end, meeting, zone),
        f"DTSTAMP:{_utc(meeting.stamp)}",
        f"SEQUENCE:{meeting.sequence}",
        f"X-MICROSOFT-CDO-APPT-SEQUENCE:{meeting.sequence}",
        f"SUMMARY:{_text(envelope.subject)}",
        f"LOCATION:{_text(meeting.location)}",
        _address("ORGANIZER", meeting.organizer),
    ]
    if method == "REPLY":
        answer = _PARTSTAT[envelope.answer or "Accept"]
        lines.append(_address("ATTENDEE", envelope.author, f";PARTSTAT={answer}"))
        if envelope.body.content:
            lines.append(f"COMMENT:{_text(plain(envelope.body))}")
    else:
        lines += [_attendee(one, meeting) for one in meeting.attendees]
        lines += _body(envelope.body)
    lines += _recurrence(meeting, zone)
    lines += _flags(envelope, method)
    return [*lines, "END:VEVENT"]


def _flags(envelope: Envelope, method: str) -> list[str]:
    meeting = envelope.meeting
    priority, importance = _IMPORTANCE[envelope.importance]
    cancelled = method == "CANCEL" or meeting.is_cancelled
    busy = "WORKINGELSEWHERE" if meeting.free_busy == "WorkingElsewhere" else meeting.free_busy.upper()
    return [
        f"CLASS:{_CLASSES.get(envelope.sensitivity, 'PUBLIC')}",
        f"PRIORITY:{priority}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        f"TRANSP:{'TRANSPARENT' if meeting.free_busy == 'Free' else 'OPAQUE'}",
        f"X-MICROSOFT-CDO-INTENDEDSTATUS:{busy}",
        f"X-MICROSOFT-CDO-ALLDAYEVENT:{'TRUE' if meeting.all_day else 'FALSE'}",
        f"X-MICROSOFT-CDO-IMPORTANCE:{importance}",
    ]


def _exception(envelope: Envelope, method: str, zone: tzinfo, change: ModifiedOccurrence) -> list[str]:
    meeting = envelope.meeting
    one = replace(
        meeting,
        recurrence_id=change.original_start,
        start=change.start,
        end=change.end,
        location=meeting.location if change.location is None else change.location,
        all_day=meeting.all_day if change.all_day is None else change.all_day,
        free_busy=meeting.free_busy if change.free_busy is None else change.free_busy,
        attendees=meeting.attendees if change.attendees is None else change.attendees,
        recurrence=None,
        raw_rrule=None,
        modified=(),
        deleted=(),
    )
    subject = envelope.subject if change.subject is None else change.subject
    body = envelope.body if change.body is None else change.body
    return _event(replace(envelope, meeting=one, subject=subject, body=body), method, zone)


def _recurrence(meeting: Meeting, zone: tzinfo) -> list[str]:
    lines: list[str] = []
    if meeting.recurrence is not None:
        first = meeting.start.astimezone(zone).replace(tzinfo=None)
        dates_only = _as_dates(meeting)
        lines.append(f"RRULE:{write_rule(meeting.recurrence, first, zone, all_day=dates_only)}")
    elif meeting.raw_rrule is not None:
        lines += meeting.raw_rrule.split("\n")
    if meeting.is_series:
        lines += [_time("EXDATE", one.start, meeting, zone) for one in meeting.deleted]
    return lines


def _as_dates(meeting: Meeting) -> bool:
    """All-day meetings without a zone are written as dates; those of a zone keep it, marked by Microsoft's flag."""
    return meeting.all_day and meeting.start_zone is None


def _time(name: str, moment: datetime, meeting: Meeting, zone: tzinfo) -> str:
    if _as_dates(meeting):
        return f"{name};VALUE=DATE:{moment:%Y%m%d}"
    zone_name = meeting.start_zone
    if name == "DTEND" and meeting.end_zone != meeting.start_zone:
        zone_name, zone = meeting.end_zone, _end_zone(meeting) or UTC
    if zone_name is None or zone is UTC:
        return f"{name}:{_utc(moment)}"
    local = moment.astimezone(zone)
    return f"{name};TZID={_param(zone_name)}:{local:%Y%m%dT%H%M%S}"


def _end_zone(meeting: Meeting) -> tzinfo | None:
    return None if meeting.end_zone is None else zones.find(meeting.end_zone)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _attendee(one: Attendee, meeting: Meeting) -> str:
    status = _PARTSTAT.get(one.response, "NEEDS-ACTION")
    kind = ";CUTYPE=RESOURCE" if one.role == "resource" else ""
    rsvp = "TRUE" if meeting.response_requested else "FALSE"
    return _address("ATTENDEE", one.person, f"{kind};ROLE={_ROLES[one.role]};PARTSTAT={status};RSVP={rsvp}")


def _address(name: str, person: Person, params: str = "") -> str:
    shown = f";CN={_param(person.name)}" if person.name else ""
    return f"{name}{params}{shown}:mailto:{person.address}"


def _body(body: Body) -> list[str]:
    if body.type == "Text":
        return [f"DESCRIPTION:{_text(body.content)}"]
    return [f"DESCRIPTION:{_text(plain(body))}", f"X-ALT-DESC;FMTTYPE=text/html:{_text(body.content)}"]


def _text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for letter, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(letter, escaped)
    return text


def _param(text: str) -> str:
    text = text.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{text}"'


def _folded(line: str) -> bytes:
    """RFC 5545 3.1: at most 75 octets a line, never cut inside a character. A stray line end must not begin a new line."""
    raw = re.sub(r"[\r\n]+", " ", line).encode(errors="replace")
    parts, start, limit = [], 0, _FOLD
    while len(raw) - start > limit:
        cut = start + limit
        while raw[cut] & 0xC0 == 0x80:  # noqa: PLR2004  a continuation byte of UTF-8
            cut -= 1
        parts.append(raw[start:cut])
        start, limit = cut, _FOLD - 1
    return b"\r\n ".join([*parts, raw[start:]]) + b"\r\n"


class _Text(HTMLParser):
    """The visible text of an HTML body."""

    _BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table"})
    _HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:  # noqa: ARG002  its interface
        self._hidden += tag in self._HIDDEN
        if tag in self._BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        if tag in self._BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def plain(body: Body) -> str:
    """A body as plain text."""
    if body.type == "Text":
        return body.content
    reader = _Text()
    reader.feed(body.content)
    reader.close()
    lines = ("".join(reader.parts)).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())
