"""The form a meeting is composed and edited in: what was typed, what is wrong with it, and what the store is told.

An editor sends only the fields that were changed on the page (`seen` holds their fingerprints), so that what others
changed meanwhile, such as joining instructions written into the body, is not written over.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from greenroom.simulator import Exchange
from greenroom.simulator.model import Attendee, Body, CalendarItem, Meeting, MeetingDraft, Person
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.outlook.addresses import read_people, written
from greenroom.simulator.outlook.bodies import as_html, as_text
from greenroom.simulator.outlook.localtime import (
    Clock,
    LocalTimeError,
    iana_name,
    known_zone,
    stored_name,
    to_utc,
)
from greenroom.simulator.outlook.repeats import ending, repeat_of, rule_from

MAX_BODY = 500_000
MAX_LINE = 255
MAX_LENGTH = timedelta(days=366)
_TEXT_FIELDS = ("subject", "attendees", "optional", "location", "body")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LINE_FIELDS = ("start_date", "start_time", "end_date", "end_time", "zone", "repeat", "until")


@dataclass(slots=True)
class MeetingForm:
    """The fields as text, the equipment mailboxes ticked, and errors by field name.

    `html` is the body as markup, where it was edited as such; it goes before the field `body`. `remembered` is what an
    add-in wants kept with the meeting, as JSON.
    """

    fields: dict[str, str]
    rooms: frozenset[str] = frozenset()
    seen: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    html: str = ""
    remembered: str = ""

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    def wrong(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, []).append(sentence)

    def marks(self) -> str:
        """The hidden field `seen`: fingerprints of the fields as they were when the page was first shown."""
        return json.dumps(self.seen or {name: _mark(value) for name, value in self._all().items()})

    def changed(self, *names: str) -> bool:
        """Whether one of these fields differs from what the page showed at first."""
        now = self._all()
        return any(self.seen.get(name) != _mark(now.get(name, "")) for name in names)

    def _all(self) -> dict[str, str]:
        names = dict.fromkeys((*_TEXT_FIELDS, *_LINE_FIELDS), "")
        return names | self.fields | {"rooms": " ".join(sorted(self.rooms))}


def _mark(value: str) -> str:
    plain = "\n".join(" ".join(line.split()) for line in without_controls(value).strip().splitlines())
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


def blank_form(clock: Clock, rooms: Sequence[str] = ()) -> MeetingForm:
    """A new meeting: at the next half hour, for half an hour."""
    local = clock.now.astimezone(clock.zone)
    start = local.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=30 * (local.minute // 30 + 1))
    return MeetingForm(_times(start, start + timedelta(minutes=30)) | {"zone": clock.zone.key}, frozenset(rooms))


def filled_form(item: CalendarItem, clock: Clock, equipment: Sequence[str]) -> MeetingForm:
    """The form for a meeting as it is now."""
    meeting = item.meeting
    zone = known_zone(iana_name(meeting.start_zone)) or clock.zone
    ticked = [one.person.address for one in meeting.attendees if one.role == "resource"]
    rooms = frozenset(address for address in ticked if address in equipment)
    others = [one for one in meeting.attendees if one.person.address not in rooms]
    fields = _times(meeting.start.astimezone(zone), meeting.end.astimezone(zone)) | {
        "zone": zone.key,
        "subject": item.subject,
        "location": meeting.location,
        "attendees": written(one.person for one in others if one.role != "optional"),
        "optional": written(one.person for one in others if one.role == "optional"),
        "body": as_text(item.body),
        "repeat": repeat_of(meeting),
        "until": ending(meeting),
    }
    return MeetingForm(fields, rooms)


def _times(start: datetime, end: datetime) -> dict[str, str]:
    return {
        "start_date": f"{start:%Y-%m-%d}",
        "start_time": f"{start:%H:%M}",
        "end_date": f"{end:%Y-%m-%d}",
        "end_time": f"{end:%H:%M}",
    }


def typed_form(values: Mapping[str, str], rooms: Sequence[str], equipment: Sequence[str]) -> MeetingForm:
    """The form as it was sent."""
    fields = {name: without_controls(values.get(name, "")) for name in (*_TEXT_FIELDS, *_LINE_FIELDS)}
    for name in ("subject", "location"):
        fields[name] = " ".join(fields[name].split())
    try:
        seen = json.loads(values.get("seen", "") or "{}")
    except (ValueError, RecursionError):
        seen = {}
    known = {str(key): str(value) for key, value in seen.items()} if isinstance(seen, dict) else {}
    ticked = frozenset(room for room in rooms if room in equipment)
    html, remembered = without_controls(values.get("html", "")).replace("\r\n", "\n"), values.get("remembered", "")
    return MeetingForm(fields, ticked, known, html=html, remembered=remembered)


def without_controls(text: str) -> str:
    """Text without the characters that XML cannot carry."""
    return _CONTROLS.sub("", text)


def read_form(exchange: Exchange, form: MeetingForm, current: Meeting | None = None) -> MeetingDraft:
    """What the form says; what is wrong goes into `form.errors` (then the draft must not be used)."""
    draft = MeetingDraft(subject=form["subject"].strip(), location=form["location"].strip())
    for name, label in (("subject", "title"), ("location", "location")):
        if len(form[name].strip()) > MAX_LINE:
            form.wrong(name, f"The {label} is too long: at most {MAX_LINE} characters.")
    if not form["subject"].strip():
        form.wrong("subject", "Give the meeting a title.")
    if max(len(form["body"]), len(form.html)) > MAX_BODY:
        form.wrong("body", f"The text is too long: at most {MAX_BODY:,} characters.")
    draft["body"] = Body(form.html, "HTML") if form.html else as_html(form["body"])
    draft["attendees"] = _attendees(exchange, form)
    times = _read_times(form)
    if times is not None:
        draft["start"], draft["end"] = times
        draft["start_zone"] = draft["end_zone"] = stored_name(form["zone"])
        local_start = date.fromisoformat(form["start_date"])
        rule = rule_from(form["repeat"], form["until"], local_start, current)
        if isinstance(rule, str):
            form.wrong("until", rule)
        else:
            draft["recurrence"] = rule
            if rule is not None and times[1] - times[0] > timedelta(days=1):
                form.wrong("end", "A meeting that repeats can last a day at most.")
    return draft


def changes_only(form: MeetingForm, draft: MeetingDraft, current: Meeting) -> MeetingDraft:
    """The part of the draft that the person changed on the page."""
    changes = MeetingDraft()
    if form.changed("subject"):
        changes["subject"] = draft["subject"]
    if form.changed("location"):
        changes["location"] = draft["location"]
    if form.html or form.changed("body"):
        changes["body"] = draft["body"]
    if form.changed("attendees", "optional", "rooms"):
        changes["attendees"] = draft["attendees"]
    if form.changed("start_date", "start_time", "end_date", "end_time", "zone"):
        changes["start"], changes["end"] = draft["start"], draft["end"]
    if form.changed("zone") or ("start" in changes and zone_of(current) is None):
        changes["start_zone"], changes["end_zone"] = draft["start_zone"], draft["end_zone"]
    if form.changed("repeat", "until", "start_date") and draft["recurrence"] != current.recurrence:
        changes["recurrence"] = draft["recurrence"]
    return changes


def _attendees(exchange: Exchange, form: MeetingForm) -> tuple[Attendee, ...]:
    required, optional = (read_people(exchange, form[name]) for name in ("attendees", "optional"))
    for name, people in (("attendees", required), ("optional", optional)):
        for sentence in people.errors:
            form.wrong(name, sentence)
    rooms = [exchange.mailbox(address) for address in sorted(form.rooms)]
    found: dict[str, Attendee] = {}
    for person in required.found:
        found.setdefault(person.address.lower(), Attendee(person, "required"))
    for person in optional.found:
        found.setdefault(person.address.lower(), Attendee(person, "optional"))
    for room in rooms:
        found[room.address] = Attendee(Person(room.address, room.name), "resource")
    if not found and not form.errors.keys() & {"attendees", "optional"}:
        form.wrong("attendees", "Invite at least one person, or the room mailbox.")
    return tuple(found.values())


def _read_times(form: MeetingForm) -> tuple[datetime, datetime] | None:
    zone = known_zone(form["zone"])
    if zone is None:
        form.wrong("zone", "Choose a time zone from the list.")
    moments: list[datetime] = []
    for which in ("start", "end"):
        day, at = _date(form[f"{which}_date"] or form["start_date"]), _time(form[f"{which}_time"])
        if day is None or at is None:
            form.wrong(which, f"Give the {which} as a date and a time, such as 2026-03-14 and 09:30.")
            continue
        try:
            moments.append(to_utc(day, at, zone or known_zone("Etc/UTC") or UTC))
        except LocalTimeError:
            form.wrong(which, f"There is no {at:%H:%M} on that day: the clocks go forward. Choose another time.")
        except OverflowError:
            form.wrong(which, f"The {which} lies beyond what a calendar holds.")
    if len(moments) < len(("start", "end")):
        return None
    start, end = moments
    if end <= start:
        form.wrong("end", "The end must be later than the start.")
    elif end - start > MAX_LENGTH:
        form.wrong("end", "A meeting can last a year at most.")
    return start, end


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    first, last = 1970, 2200
    return day if first <= day.year <= last else None


def _time(text: str) -> time | None:
    try:
        at = time.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.replace(microsecond=0) if at.tzinfo is None else None
