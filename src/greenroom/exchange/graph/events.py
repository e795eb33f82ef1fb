"""Events as Graph shows them: lenient towards what is unknown, missing or null, strict about shapes and sizes.

Source: Graph v1.0, resource types event, itemBody, dateTimeTimeZone, recipient, responseStatus, patternedRecurrence and
singleValueLegacyExtendedProperty. Each event of a list is validated by itself, so that a broken one spoils no other.
"""

import binascii
import re
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.exchange.graph import values
from greenroom.exchange.graph.values import LONGEST_BODY, LONGEST_TEXT
from greenroom.meetings.meeting import ItemRef, MeetingKey

log = structlog.get_logger(__name__)

MOST_ATTENDEES = 2000
_MOST_EXCEPTIONS = 1000
_MOST_PROPERTIES = 50
_MOST_LOCATIONS = 100
_MOST_EVENTS = 2000
_LONGEST_LOC = 100
_LONGEST_ID = 1500
_LONGEST_OCCURRENCE_ID = 2000
_LONGEST_GLOBAL_ID = 8192
_SHORTEST_GLOBAL_ID = 16
_LONGEST_UID = 2000
_HEAD = 40
_CLASS_ID = bytes.fromhex("040000008200E00074C5B7101A82E008")

MEETING_SET = "6ED8DA90-450B-101B-98DA-00AA003F1305"
APPOINTMENT_SET = "00062002-0000-0000-C000-000000000046"
GLOBAL_OBJECT_ID = f"Binary {{{MEETING_SET}}} Id 0x3"
CLEAN_GLOBAL_OBJECT_ID = f"Binary {{{MEETING_SET}}} Id 0x23"
OWNER_CRITICAL_CHANGE = f"SystemTime {{{MEETING_SET}}} Id 0x1A"
SEQUENCE = f"Integer {{{APPOINTMENT_SET}}} Id 0x8201"
ZONE_OF_SERIES = f"Binary {{{APPOINTMENT_SET}}} Id 0x8260"
START_WHOLE = f"SystemTime {{{APPOINTMENT_SET}}} Id 0x820D"
END_WHOLE = f"SystemTime {{{APPOINTMENT_SET}}} Id 0x820E"
"""MAPI properties an event does not show by itself (MS-OXOCAL 2.2.1): an all-day event's true instants among them, for its
`start` and `end` are midnights without a zone, and the definition of the zone a series is counted in."""

_PROPERTY = re.compile(r"\s*\w+\s+\{([0-9a-f-]{36})\}\s+Id\s+(0x[0-9a-f]{1,8}|\d{1,10})\s*", re.IGNORECASE | re.ASCII)


def _text(longest: int) -> BeforeValidator:
    def cut(value: Any) -> Any:
        return "" if value is None else value[:longest] if isinstance(value, str) else value

    return BeforeValidator(cut)


def _list(most: int, *, cut: bool = False) -> BeforeValidator:
    def bounded(value: Any) -> Any:
        if value is None:
            return ()
        if isinstance(value, list) and len(value) > most:
            if not cut:
                raise ValueError("too many")
            return value[:most]
        return value

    return BeforeValidator(bounded)


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    found = values.instant(value)
    return None if found is None or found <= values.NEVER else found


def _day(value: Any) -> Any:
    try:
        found = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if found is None or found <= values.NEVER.date() else found


def _body(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_BODY:
        log.warning("graph.body.cut", length=len(value))
        return value[:LONGEST_BODY]
    return "" if value is None else value


Text = Annotated[str, _text(LONGEST_TEXT)]
Word = Annotated[str, _text(100)]
Ident = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_ID)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Day = Annotated[date | None, BeforeValidator(_day)]
Count = Annotated[int | None, Field(ge=0, le=100_000)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class ItemBody(_Part):
    """A body: `content_type` is "html" or "text"."""

    content_type: Word = ""
    content: Annotated[str, BeforeValidator(_body)] = Field("", repr=False)

    @property
    def html(self) -> str:
        """The body as HTML, whatever it was sent as."""
        return values.html_of_text(self.content) if self.content_type.lower() == "text" else self.content


class Moment(_Part):
    """A dateTimeTimeZone."""

    date_time: Word = ""
    time_zone: Word = ""

    @property
    def utc(self) -> datetime | None:
        """The instant; None where it or its zone cannot be read."""
        zone = values.zone_of(self.time_zone)
        return None if zone is None else values.instant(self.date_time, zone)


class EmailAddress(_Part):
    """An address with its name."""

    name: Text = Field("", repr=False)
    address: Text = ""


class Recipient(_Part):
    """An organizer or attendee."""

    email_address: EmailAddress | None = None


class ResponseStatus(_Part):
    """What the mailbox answered, and when."""

    response: Word = ""
    time: Instant = None


class Location(_Part):
    """A place; of `locations` only the names are needed for reading."""

    display_name: Text = Field("", repr=False)


class Pattern(_Part):
    """How a series recurs (recurrencePattern)."""

    type: Word = ""
    interval: Count = None
    month: Count = None
    day_of_month: Count = None
    days_of_week: Annotated[tuple[Word, ...], _list(7)] = ()
    first_day_of_week: Word = ""
    index: Word = ""


class Range(_Part):
    """From when until when it recurs (recurrenceRange); `end_date` counts only where the type says so."""

    type: Word = ""
    start_date: Day = None
    end_date: Day = None
    number_of_occurrences: Count = None
    recurrence_time_zone: Annotated[str, _text(200)] = ""


class Recurrence(_Part):
    """A rule (patternedRecurrence)."""

    pattern: Pattern | None = None
    range: Range | None = None


class ExtendedProperty(_Part):
    """A singleValueLegacyExtendedProperty; Graph gives back the name in lower case and with a hexadecimal number."""

    id: Annotated[str, _text(300)] = ""
    value: Annotated[str, _text(_LONGEST_GLOBAL_ID)] = ""


class Instance(_Part):
    """One occurrence that differs from its series."""

    id: Annotated[str, _text(_LONGEST_ID)] = ""
    original_start: Instant = None
    start: Moment | None = None
    end: Moment | None = None
    is_all_day: bool | None = None
    is_cancelled: bool | None = None
    response_status: ResponseStatus | None = None


def _instances(value: Any) -> Any:
    """Read exceptions one by one, the last of very many: a broken one must not keep its series from being read."""
    if not isinstance(value, list):
        return () if value is None else value
    read: list[Instance] = []
    for one in value[-_MOST_EXCEPTIONS:]:
        with suppress(ValidationError):
            read.append(Instance.model_validate(one))
    if len(read) < len(value):
        log.warning("graph.exceptions.left-out", count=len(value) - len(read))
    return tuple(read)


def _ids(value: Any) -> Any:
    if not isinstance(value, list):
        return () if value is None else value
    return tuple(one[:_LONGEST_OCCURRENCE_ID] for one in value[-_MOST_EXCEPTIONS:] if isinstance(one, str))


class Event(_Part):
    """One event. What was not selected is empty or None."""

    id: Ident
    change_key: Annotated[str, _text(500)] = ""
    etag: Annotated[str, _text(500)] = Field("", alias="@odata.etag")
    last_modified_date_time: Instant = None
    created_date_time: Instant = None
    i_cal_u_id: Annotated[str, _text(_LONGEST_UID)] = Field("", alias="iCalUId")
    type: Word = ""
    series_master_id: Annotated[str, _text(_LONGEST_ID)] = ""
    original_start: Instant = None
    subject: Text = Field("", repr=False)
    body: ItemBody | None = Field(None, repr=False)
    start: Moment | None = None
    end: Moment | None = None
    is_all_day: bool | None = None
    original_start_time_zone: Annotated[str, _text(200)] = ""
    recurrence: Recurrence | None = None
    organizer: Recipient | None = Field(None, repr=False)
    is_organizer: bool | None = None
    attendees: Annotated[tuple[Recipient, ...], _list(MOST_ATTENDEES, cut=True)] = Field((), repr=False)
    response_status: ResponseStatus | None = None
    response_requested: bool | None = None
    is_cancelled: bool | None = None
    sensitivity: Word = ""
    location: Location | None = Field(None, repr=False)
    locations: Annotated[tuple[Location, ...], _list(_MOST_LOCATIONS)] = Field((), repr=False)
    single_value_extended_properties: Annotated[tuple[ExtendedProperty, ...], _list(_MOST_PROPERTIES)] = ()
    cancelled_occurrences: Annotated[tuple[str, ...], BeforeValidator(_ids)] = ()
    exception_occurrences: Annotated[tuple[Instance, ...], BeforeValidator(_instances)] = ()

    @property
    def ref(self) -> ItemRef:
        """How this version of the item is referred to; `version_time` reads the time out of it again."""
        when = self.last_modified_date_time
        return ItemRef(self.id, f"{self.change_key}|{values.stamp(when) if when else ''}")

    @property
    def key(self) -> MeetingKey | None:
        """The meeting's key: 0x23, else 0x3 cleaned, else the iCalendar UID; None when there is none that is whole.

        That of a lone occurrence is its series' key on its day.
        """
        key = self._clean_key()
        if key is None or not self.is_lone_occurrence:
            return key
        day = self.original_day
        return None if day is None else key.on(day)

    def _clean_key(self) -> MeetingKey | None:
        for name in (CLEAN_GLOBAL_OBJECT_ID, GLOBAL_OBJECT_ID):
            if raw := _global_object_id(self.extended(name)):
                return MeetingKey.of_global_object_id(raw)
        uid = self.i_cal_u_id.strip()
        return MeetingKey.of_uid(uid) if uid and len(uid) < _LONGEST_UID else None

    @property
    def original_day(self) -> date | None:
        """The day an occurrence was first meant for: it stands in its global object id, or follows from its original start."""
        for raw in self._dated():
            try:
                return date(int.from_bytes(raw[16:18], "big"), raw[18], raw[19])
            except ValueError:
                continue  # no date, or none of any calendar
        original = self.original_start or self.starts
        return None if original is None else self.day_of(original)

    def day_of(self, moment: datetime) -> date | None:
        """Return the day of an instant where the meeting takes place; the midnight of a whole day has no zone."""
        zone = values.zone_of(self.original_start_time_zone) or UTC
        try:
            return (values.floating(moment, zone) if self.is_all_day else moment).astimezone(zone).date()
        except OverflowError:
            return None

    def _dated(self) -> list[bytes]:
        """Return the global object ids that may hold a date."""
        found = [_global_object_id(self.extended(GLOBAL_OBJECT_ID)) or b""]
        with suppress(ValueError):  # a foreign UID has no place for a date
            found.append(bytes.fromhex(self.i_cal_u_id.strip()[: 2 * _HEAD]))
        return [raw for raw in found if raw.startswith(_CLASS_ID) and len(raw) >= _HEAD and any(raw[16:20])]

    @property
    def starts(self) -> datetime | None:
        """The start as Graph shows it; a midnight without a zone where it is all day."""
        return self.start.utc if self.start else None

    @property
    def ends(self) -> datetime | None:
        """The end as Graph shows it."""
        return self.end.utc if self.end else None

    @property
    def is_series(self) -> bool:
        """Whether this is the master of a series."""
        return self.type == "seriesMaster" or (not self.type and self.recurrence is not None)

    @property
    def is_lone_occurrence(self) -> bool:
        """Whether this is one occurrence of a series that is not in this calendar."""
        if self.is_series:
            return False
        return self.type in ("occurrence", "exception") or bool(self._dated())

    @property
    def place(self) -> str:
        """The location as one text, as other protocols show it."""
        whole = self.location.display_name if self.location else ""
        return whole or "; ".join(one.display_name for one in self.locations if one.display_name)[:LONGEST_TEXT]

    def extended(self, name: str) -> str:
        """Return an extended property's value; empty where it was not expanded or is not set."""
        wanted = _normal(name)
        return next((one.value for one in self.single_value_extended_properties if _normal(one.id) == wanted), "")


@dataclass(frozen=True, slots=True)
class Broken:
    """An event that cannot be read; `where` names the places of the faults, never what stands there."""

    ref: ItemRef
    where: str

    @property
    def error(self) -> ItemBrokenError:
        """The fault as an error."""
        return ItemBrokenError(f"Graph's event cannot be read (at {self.where})", code="unreadable-event")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and the link to the next (empty: none)."""

    events: tuple[Event | Broken, ...]
    next_link: str


def read_event(raw: Any, ident: str = "") -> Event | Broken:
    """Read one event; `ident` names it where it does not name itself."""
    try:
        return Event.model_validate(raw)
    except ValidationError as error:
        ref = _ref_of(raw, ident)
        places = (".".join(str(part) for part in fault["loc"]) for fault in error.errors(include_input=False))
        return Broken(ref, ", ".join(places)[:_LONGEST_LOC] or "all of it")


def _ref_of(raw: Any, ident: str) -> ItemRef:
    """Name an event of which no more is certain."""
    given = raw if isinstance(raw, dict) else {}
    name, version, when = (given.get(k) for k in ("id", "changeKey", "lastModifiedDateTime"))
    changed = values.instant(when) if isinstance(when, str) else None
    return ItemRef(
        name if isinstance(name, str) and 0 < len(name) <= _LONGEST_ID else ident,
        f"{version[:500] if isinstance(version, str) else ''}|{values.stamp(changed) if changed else ''}",
    )


def read_page(body: Any, mailbox: str) -> Page:
    """Read one page of events; events without an id are left out. Raises TryLaterError for what is no page."""
    raws, link = raw_page(body, mailbox)
    found = [read_event(raw) for raw in raws]
    nameless = sum(1 for one in found if isinstance(one, Broken) and not one.ref.id)
    if nameless:
        log.warning("graph.page.nameless", mailbox=mailbox, count=nameless)
    return Page(tuple(one for one in found if not isinstance(one, Broken) or one.ref.id), link)


def raw_page(body: Any, mailbox: str) -> tuple[list[Any], str]:
    """Return the entries of a page as they came, and the link to the next page."""
    raws = body.get("value") if isinstance(body, dict) else None
    if not isinstance(raws, list) or len(raws) > _MOST_EVENTS:
        raise TryLaterError("Graph's answer is not a page of a list", code="garbled-answer", mailbox=mailbox)
    link = body.get("@odata.nextLink")
    return raws, link if isinstance(link, str) else ""


def version_time(ref: ItemRef) -> datetime | None:
    """Return when the item had last been changed in the version a reference means."""
    return values.instant(ref.version.rpartition("|")[2])


def _normal(name: str) -> tuple[str, int] | None:
    match = _PROPERTY.fullmatch(name)
    return (match[1].lower(), int(match[2], 0)) if match else None


def _global_object_id(text: str) -> bytes | None:
    try:
        raw = b64decode(text) if len(text) < _LONGEST_GLOBAL_ID else b""
    except (binascii.Error, ValueError):
        return None
    if len(raw) < _SHORTEST_GLOBAL_ID:
        return None
    if raw.startswith(_CLASS_ID) and len(raw) >= _HEAD and len(raw) < _HEAD + int.from_bytes(raw[36:40], "little"):
        return None  # cut short
    return raw
