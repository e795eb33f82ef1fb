"""From an iCalendar file to meetings: what each VEVENT says, in the store's own words (RFC 5545, MS-OXCICAL).

Nothing here knows mailboxes; `inbound` decides what a file means for one.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from greenroom.simulator import goid
from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_identity import stamp_of, uid_of
from greenroom.simulator.ics_lines import Component, Property, clean, parse
from greenroom.simulator.ics_people import attendee_of, person_of
from greenroom.simulator.ics_raw_rules import last_end
from greenroom.simulator.ics_rules import read_rule
from greenroom.simulator.ics_source import calendar_of
from greenroom.simulator.ics_zones import When, Zones, duration
from greenroom.simulator.model import (
    Attendee,
    Body,
    DeletedOccurrence,
    FreeBusy,
    Importance,
    Meeting,
    Person,
    Sensitivity,
)

MAX_EVENTS = 1000
MAX_ATTENDEES = 2000
MAX_EXCLUDED = 2000
MAX_BODY = 1024 * 1024
MAX_TEXT = 255
_MAX_METHOD = 40
_MAX_SEQUENCE = 2**31 - 1
_MAX_DURATION = timedelta(days=1825)
_BUSY: dict[str, FreeBusy] = {
    "FREE": "Free",
    "TENTATIVE": "Tentative",
    "BUSY": "Busy",
    "OOF": "OOF",
    "WORKINGELSEWHERE": "WorkingElsewhere",
}
_CLASSES: dict[str, Sensitivity] = {
    "PRIVATE": "Private",
    "CONFIDENTIAL": "Confidential",
    "PERSONAL": "Personal",
    "X-PERSONAL": "Personal",
}


@dataclass(slots=True)
class ReadEvent:
    """One VEVENT. `organizer` is None where the file names none; the meeting then holds an empty person."""

    meeting: Meeting
    organizer: Person | None
    subject: str
    body: Body
    sensitivity: Sensitivity
    importance: Importance
    has_start: bool
    comment: str
    this_and_future: bool
    line: int


@dataclass(slots=True)
class ReadFile:
    """A whole file: its METHOD (upper case, None when it has none), its events in the order of the file.

    `sender` is the address of a mail's sender, where the file is the mail and not the calendar alone.
    """

    method: str | None
    events: list[ReadEvent]
    sender: str | None = None


def read_ics(data: bytes) -> ReadFile:
    """Read a file. Raises BadInvitation, and nothing else, for whatever cannot be understood."""
    content, sender = calendar_of(data)
    calendar = parse(content)
    components = calendar.inside("VEVENT")
    if not components:
        raise BadInvitation(f"there is no event (VEVENT) in the file{_instead(calendar)}", calendar.line)
    if len(components) > MAX_EVENTS:
        raise BadInvitation(f"the file has more than {MAX_EVENTS} events", calendar.line)
    found = calendar.first("METHOD")
    method = found.text.strip().strip('"').upper()[:_MAX_METHOD] if found is not None else ""
    zones = Zones(calendar)
    try:
        return ReadFile(method or None, [_event(one, calendar, zones, method) for one in components], sender)
    except OverflowError:
        raise BadInvitation("a date is outside the years a calendar can hold", calendar.line) from None


def _instead(calendar: Component) -> str:
    """What a file without events holds."""
    found = {one.name: None for one in calendar.children if one.name in _OTHERS}
    if len(found) > 1:
        found.pop("VTIMEZONE", None)
    return f", only {' and '.join(_OTHERS[name] for name in found)}" if found else ""


_OTHERS = {
    "VTODO": "tasks (VTODO)",
    "VJOURNAL": "journal entries (VJOURNAL)",
    "VFREEBUSY": "free and busy times (VFREEBUSY)",
    "VTIMEZONE": "time zones (VTIMEZONE)",
}


def _event(component: Component, calendar: Component, zones: Zones, method: str) -> ReadEvent:
    uid = uid_of(component, calendar)
    stamp = stamp_of(component, zones)
    times = _times(component, zones, optional=method in {"CANCEL", "REPLY"})
    start, end, is_date = times if times is not None else (None, stamp, False)
    raw_id = goid.from_uid(uid)
    clean_id = goid.clean(raw_id)
    recurrence_id = _recurrence_id(component, zones, start)
    whole_id = clean_id if recurrence_id is None else goid.of_occurrence(clean_id, recurrence_id.local.date())
    organizer = _organizer(component)
    meeting = Meeting(
        uid=goid.uid_of(clean_id) if raw_id != clean_id else uid,
        goid=whole_id,
        clean_goid=clean_id,
        start=stamp if start is None else start.utc,
        end=end,
        organizer=organizer or Person(""),
        recurrence_id=None if recurrence_id is None else recurrence_id.utc,
        start_zone=None if start is None else start.zone_name,
        end_zone=_end_zone(component, zones, start),
        zone_rules=None if start is None else zones.rules_for(start),
        all_day=is_date or _flag(component, "X-MICROSOFT-CDO-ALLDAYEVENT", start, end),
        location=_short_text(component.first("LOCATION")),
        free_busy=_free_busy(component),
        attendees=_attendees(component, organizer),
        sequence=_sequence(component),
        stamp=stamp,
        response_requested=_wants_answers(component),
        is_cancelled=_value(component, "STATUS") in {"CANCELLED", "CANCELED"},
    )
    if start is not None and recurrence_id is None:
        _recurrence(component, zones, start, meeting)
    comment = component.first("COMMENT")
    ranged = component.first("RECURRENCE-ID")
    return ReadEvent(
        meeting=meeting,
        organizer=organizer,
        subject=_short_text(component.first("SUMMARY")),
        body=_body(component),
        sensitivity=_CLASSES.get(_value(component, "CLASS"), "Normal"),
        importance=_importance(component),
        has_start=start is not None,
        comment="" if comment is None else comment.text[:MAX_BODY],
        this_and_future=ranged is not None and (ranged.param("RANGE") or "").upper() == "THISANDFUTURE",
        line=component.line,
    )


def _times(component: Component, zones: Zones, *, optional: bool) -> tuple[When, datetime, bool] | None:
    begin = component.first("DTSTART")
    if begin is None or not begin.value.strip():
        if optional:
            return None
        raise BadInvitation("the event has no DTSTART", component.line)
    start = zones.when(begin)
    finish, lasts = component.first("DTEND"), component.first("DURATION")
    if finish is not None and finish.value.strip():
        end = _end(zones.when(finish, beside=start), start)
    elif lasts is not None:
        end = _after(start, duration(lasts))
    else:
        end = _after(start, timedelta(days=1)) if start.is_date else start.utc
    if end < start.utc:
        raise BadInvitation("the event ends before it starts", (finish or begin).line)
    if start.is_date and end == start.utc:
        end = start.utc + timedelta(days=1)
    if end - start.utc > _MAX_DURATION:
        raise BadInvitation("the event lasts longer than five years", (finish or begin).line)
    return start, end, start.is_date


def _end(end: When, start: When) -> datetime:
    """Where the day is given without a time and the end with one, the day still is a whole one."""
    if start.is_date and not end.is_date and end.local.time() != time():
        return datetime.combine(end.local.date() + timedelta(days=1), time(), tzinfo=UTC)
    return end.utc


def _after(start: When, length: timedelta) -> datetime:
    """Days are local days, hours are exact (RFC 5545 3.3.6)."""
    days = timedelta(days=length.days)
    return (start.local + days).replace(tzinfo=start.zone).astimezone(UTC) + (length - days)


def _recurrence_id(component: Component, zones: Zones, start: When | None) -> When | None:
    found = component.first("RECURRENCE-ID")
    if found is None or not found.value.strip():
        return None
    when = zones.when(found, beside=start)
    if when.is_date and start is not None and not start.is_date:
        # Some programs name only the day; the occurrence began at the time of the series, which the exception mostly keeps.
        local = datetime.combine(when.local.date(), start.local.time())
        return When(local.replace(tzinfo=start.zone).astimezone(UTC), False, start.zone_name, start.zone, local)
    if start is not None and start.zone_name is not None and when.zone_name is None and not when.is_date:
        local = when.utc.astimezone(start.zone).replace(tzinfo=None)
        return When(when.utc, False, start.zone_name, start.zone, local)
    return when


def _recurrence(component: Component, zones: Zones, start: When, meeting: Meeting) -> None:
    rules, extra = component.all("RRULE"), component.all("RDATE")
    if not rules and not extra:
        return
    if len(rules) == 1 and not extra and not component.all("EXRULE"):
        meeting.recurrence = read_rule(rules[0].value, start.local, start.zone, all_day=start.is_date)
    if meeting.recurrence is None:
        lines = [f"{one.name}:{one.value}" for one in (*rules, *extra, *component.all("EXRULE"))]
        meeting.raw_rrule = "\n".join(lines)[:MAX_BODY]
        meeting.raw_end = last_end(component, zones, start, meeting.end)
    meeting.deleted = tuple(DeletedOccurrence(one) for one in _excluded(component, zones, start))


def _excluded(component: Component, zones: Zones, start: When) -> list[datetime]:
    found: set[datetime] = set()
    for prop in component.all("EXDATE"):
        for text in prop.value.split(","):
            if not text.strip() or len(found) >= MAX_EXCLUDED:
                continue
            when = zones.when(prop, text, beside=start)
            if when.is_date and not start.is_date:
                local = datetime.combine(when.local.date(), start.local.time())
                found.add(local.replace(tzinfo=start.zone).astimezone(UTC))
            else:
                found.add(when.utc)
    return sorted(found)


def _end_zone(component: Component, zones: Zones, start: When | None) -> str | None:
    finish = component.first("DTEND")
    if start is None or finish is None or not finish.value.strip():
        return None if start is None else start.zone_name
    return zones.when(finish, beside=start).zone_name


def _organizer(component: Component) -> Person | None:
    """The first organizer with an address; Outlook can write one without before it."""
    found = (person_of(prop) for prop in component.all("ORGANIZER"))
    return next((person for person in found if person is not None), None)


def _attendees(component: Component, organizer: Person | None) -> tuple[Attendee, ...]:
    """The attendees without doubles, and without the organizer, whom most programs list too."""
    found: dict[str, Attendee] = {}
    for prop in component.all("ATTENDEE"):
        attendee = attendee_of(prop)
        if attendee is None:
            continue
        key = attendee.person.address.lower()
        if organizer is not None and key == organizer.address.lower():
            continue
        if len(found) >= MAX_ATTENDEES and key not in found:
            raise BadInvitation(f"the event has more than {MAX_ATTENDEES} attendees", prop.line)
        found.setdefault(key, attendee)
    return tuple(found.values())


def _wants_answers(component: Component) -> bool:
    """RSVP=FALSE for every attendee means that nobody needs to answer; an absent RSVP says nothing."""
    rsvp = [(one.param("RSVP") or "TRUE").upper() for one in component.all("ATTENDEE")]
    open_ = [
        answer
        for answer, one in zip(rsvp, component.all("ATTENDEE"), strict=True)
        if (one.param("PARTSTAT") or "NEEDS-ACTION").upper() == "NEEDS-ACTION"
    ]
    return not open_ or any(answer != "FALSE" for answer in open_)


def _sequence(component: Component) -> int:
    for name in ("SEQUENCE", "X-MICROSOFT-CDO-APPT-SEQUENCE"):
        text = _value(component, name)
        if re.fullmatch(r"\d{1,12}", text):
            return min(int(text), _MAX_SEQUENCE)
    return 0


def _free_busy(component: Component) -> FreeBusy:
    for name in ("X-MICROSOFT-CDO-INTENDEDSTATUS", "X-MICROSOFT-CDO-BUSYSTATUS"):
        known = _BUSY.get(_value(component, name))
        if known is not None:
            return known
    return "Free" if _value(component, "TRANSP") == "TRANSPARENT" else "Busy"


def _flag(component: Component, name: str, start: When | None, end: datetime) -> bool:
    """An all-day flag counts only for whole days."""
    if _value(component, name) != "TRUE" or start is None:
        return False
    local_end = end.astimezone(start.zone)
    midnight = (0, 0, 0)
    begins = (start.local.hour, start.local.minute, start.local.second) == midnight
    return begins and (local_end.hour, local_end.minute, local_end.second) == midnight and end > start.utc


def _importance(component: Component) -> Importance:
    given = _value(component, "X-MICROSOFT-CDO-IMPORTANCE")
    if given in {"0", "2"}:
        return "Low" if given == "0" else "High"
    priority = _value(component, "PRIORITY")
    if re.fullmatch(r"[1-4]", priority):
        return "High"
    return "Low" if re.fullmatch(r"[6-9]", priority) else "Normal"


def _body(component: Component) -> Body:
    for prop in component.all("X-ALT-DESC"):
        html = (prop.param("FMTTYPE") or "").lower() == "text/html"
        if html and prop.text.strip():
            return Body(prop.text[:MAX_BODY], "HTML")
    found = component.first("DESCRIPTION")
    return Body("" if found is None else found.text[:MAX_BODY], "Text")


def _short_text(prop: Property | None) -> str:
    """Subjects and locations: one line of at most 255 characters."""
    if prop is None:
        return ""
    lines = (line.strip() for line in clean(prop.text).split("\n"))
    return " ".join(line for line in lines if line)[:MAX_TEXT]


def _value(component: Component, name: str) -> str:
    found = component.first(name)
    return "" if found is None else found.text.strip().upper()
