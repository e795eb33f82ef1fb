"""GetItem: which properties are asked for, and what an item says about a meeting.

Source: EWS reference, GetItem, CalendarItem, MeetingRequest, MeetingCancellation. Elements are found by local name in any
order; unknown ones are skipped, of repeated ones the first counts.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum

import structlog

from greenroom.exchange.addresses import address
from greenroom.exchange.errors import ExchangeError, ItemBrokenError
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope, Message
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children
from greenroom.exchange.ews.series import Differing, Told, read_series
from greenroom.exchange.ews.values import instant, number, truth
from greenroom.exchange.ews.zones import read_zone
from greenroom.meetings.meeting import (
    ItemRef,
    Kind,
    MeetingKey,
    Observation,
    Person,
    Response,
    Sensitivity,
    Span,
)
from greenroom.meetings.zones import Zone, tzinfo_of

log = structlog.get_logger(__name__)

BATCH = 10
"""Items in one GetItem, as Microsoft recommends."""

LONGEST_BODY = 2 * 1024 * 1024
_LONGEST_TEXT = 4000
_MOST_ATTENDEES = 2000
_CANCELLED_STATE = 0x4

_PROPERTIES = identity.names(
    "item:ItemClass item:Subject item:Sensitivity item:Body item:DateTimeReceived message:From "
    "meeting:AssociatedCalendarItemId meeting:IsDelegated meeting:IsOutOfDate meeting:HasBeenProcessed "
    "meetingRequest:MeetingRequestType calendar:UID calendar:RecurrenceId calendar:DateTimeStamp "
    "calendar:Start calendar:End calendar:OriginalStart calendar:IsAllDayEvent calendar:StartTimeZone "
    "calendar:StartTimeZoneId calendar:Location calendar:IsMeeting calendar:IsCancelled calendar:IsOrganizer "
    "calendar:IsResponseRequested calendar:CalendarItemType calendar:MyResponseType calendar:Organizer "
    "calendar:RequiredAttendees calendar:OptionalAttendees calendar:Resources calendar:AppointmentReplyTime "
    "calendar:AppointmentSequenceNumber calendar:AppointmentState calendar:Recurrence calendar:LastOccurrence "
    "calendar:ModifiedOccurrences calendar:DeletedOccurrences"
)

RESPONSES = {
    "Organizer": Response.ORGANIZER,
    "Tentative": Response.TENTATIVE,
    "Accept": Response.ACCEPTED,
    "Decline": Response.DECLINED,
}
SENSITIVITIES = {
    "Normal": Sensitivity.NORMAL,
    "Personal": Sensitivity.PERSONAL,
    "Private": Sensitivity.PRIVATE,
    "Confidential": Sensitivity.CONFIDENTIAL,
}


class Source(Enum):
    """What kind of item an observation was read from."""

    CALENDAR = "calendar"
    REQUEST = "request"
    CANCELLATION = "cancellation"


_SOURCES = {
    "CalendarItem": Source.CALENDAR,
    "MeetingRequest": Source.REQUEST,
    "MeetingCancellation": Source.CANCELLATION,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item as GetItem gave it. `observation` is None for what is no meeting at all.

    `associated` is the calendar item a message belongs to; `processed` says that Exchange has applied the message to it, and
    `outdated` that a newer one exists. `textless` asks for the body once more as text; `in_series` marks what may be part of a
    series in this calendar; `differing` are the occurrences that differ from the series this is.
    """

    ref: ItemRef
    source: Source
    observation: Observation | None
    associated: str | None = None
    processed: bool = False
    outdated: bool = False
    textless: bool = False
    in_series: bool = False
    differing: tuple[Differing, ...] = ()


def get_items(ids: Sequence[str], *, plain: bool = False) -> Call:
    """Ask for items with everything an observation needs.

    With `plain` nothing is named that a kind of item might not have: the server gives what it has of everything.
    """
    return _get(_plain_shape() if plain else _shape(), (types("ItemId", Id=i) for i in ids))


def get_texts(ids: Sequence[str]) -> Call:
    """Ask for the bodies of items as text."""
    wanted = with_children(types("AdditionalProperties"), *identity.fields(("item:Body",)))
    shape = with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), types("BodyType", "Text"), wanted)
    return _get(shape, (types("ItemId", Id=i) for i in ids))


def get_masters(occurrence_ids: Sequence[str], *, plain: bool = False) -> Call:
    """Ask for the series that occurrences belong to; `plain` as for `get_items`."""
    ids = (types("RecurringMasterItemId", OccurrenceId=ident) for ident in occurrence_ids)
    return _get(_plain_shape() if plain else _shape(), ids)


def _shape() -> Element:
    wanted = with_children(types("AdditionalProperties"), *identity.fields(_PROPERTIES), *_identifying())
    return with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), types("BodyType", "HTML"), wanted)


def _plain_shape() -> Element:
    wanted = with_children(types("AdditionalProperties"), *_identifying())
    return with_children(messages("ItemShape"), types("BaseShape", "AllProperties"), types("BodyType", "HTML"), wanted)


def _identifying() -> list[Element]:
    return [
        identity.extended_field(identity.GLOBAL_OBJECT_ID),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
        identity.extended_field(identity.SEQUENCE, "Integer"),
    ]


def _get(shape: Element, ids: Iterable[Element]) -> Call:
    return Call("GetItem", with_children(messages("GetItem"), shape, with_children(messages("ItemIds"), *ids)))


def read_items(reply: Envelope, *, count: int, mailbox: str) -> list[Item | ExchangeError]:
    """Read the answer to GetItem, one entry per id asked for, in order.

    Raises GarbledReplyError when the answer has another number of entries than was asked for.
    """
    if len(reply.messages) != count:
        raise GarbledReplyError("Exchange answered for another number of items", code="count", mailbox=mailbox)
    return [_entry(message, mailbox) for message in reply.messages]


def _entry(message: Message, mailbox: str) -> Item | ExchangeError:
    if message.problem:
        return error_for(message.problem, mailbox=mailbox, item=True)
    element = next(children(child(message.element, "Items")), None)
    if element is None:
        return ItemBrokenError("Exchange sent no item", code="no-item", mailbox=mailbox)
    return read_item(element, mailbox)


def read_texts(reply: Envelope, *, count: int) -> list[str | None]:
    """Read the answer to `get_texts`: HTML made of each text, None where there is none."""
    found: list[str | None] = []
    for message in reply.messages[:count]:
        body = child(next(children(child(message.element, "Items")), None), "Body")
        found.append(None if message.problem or body is None else html_of_text(body.text or ""))
    return found + [None] * (count - len(found))


def html_of_text(text: str) -> str:
    """Write plain text as HTML that looks the same."""
    escaped = html.escape(text, quote=False).replace("\t", "    ").replace("  ", "&nbsp; ")
    return "<br>\n".join(escaped.splitlines())


def read_item(element: Element, mailbox: str) -> Item | ExchangeError:
    """Read one item of this mailbox; an ItemBrokenError is returned for a meeting that makes no sense."""
    source = _SOURCES.get(local(element))
    fields: dict[str, Element] = {}
    for part in children(element):
        fields.setdefault(local(part), part)
    ident = fields.get("ItemId")
    ref = ItemRef("", "", is_message=source is not Source.CALENDAR)
    if ident is not None:
        ref = replace(ref, id=ident.get("Id") or "", version=ident.get("ChangeKey") or "")
    if source is None or (source is Source.CALENDAR and _truth(fields, "IsMeeting") is False):
        return Item(ref, source or Source.CALENDAR, None)
    reader = _Reader(fields, identity.extended(element), mailbox)
    span, zone = reader.span()
    told = reader.told(span, zone)
    observation = reader.observation(ref, source, span=span, zone=zone, told=told)
    if isinstance(observation, ItemBrokenError):
        return observation
    associated = fields.get("AssociatedCalendarItemId")
    return Item(
        ref,
        source,
        observation,
        associated=associated.get("Id") or None if associated is not None else None,
        processed=_truth(fields, "HasBeenProcessed") is True,
        outdated=_truth(fields, "IsOutOfDate") is True or text_of(fields.get("MeetingRequestType")) == "Outdated",
        textless=_is_textless(fields.get("Body")),
        in_series=text_of(fields.get("CalendarItemType")) in ("Occurrence", "Exception"),
        differing=told.differing if source is Source.CALENDAR else (),
    )


def is_cancelled(told: str, state: str) -> bool:
    """Whether IsCancelled or AppointmentState (MS-OXOCAL 2.2.1.10) says that an item was cancelled."""
    return truth(told) is True or bool((number(state) or 0) & _CANCELLED_STATE)


def _is_textless(body: Element | None) -> bool:
    return body is not None and body.get("BodyType") == "Text" and not (body.text or "").strip()


def _truth(fields: dict[str, Element], name: str) -> bool | None:
    return truth(text_of(fields.get(name)))


@dataclass(frozen=True, slots=True)
class _Reader:
    """The properties of one meeting item, by local name."""

    fields: dict[str, Element]
    extended: identity.Extended
    mailbox: str

    def span(self) -> tuple[Span | None, Zone]:
        """Return when it is, without the end of a series, and in which zone it was meant."""
        start, end = self._instant("Start"), self._instant("End")
        zone = read_zone(self.fields, start or datetime.min.replace(tzinfo=UTC))
        if start is None or end is None or end < start:
            return None, zone
        return Span(start, end, zone.name or None, all_day=_truth(self.fields, "IsAllDayEvent") is True), zone

    def told(self, span: Span | None, zone: Zone) -> Told:
        """Return what it says of its recurrence."""
        if span is None or self._kind() is not Kind.SERIES:
            return Told()
        return read_series(self.fields, span.start, span.end, zone)

    def observation(
        self, ref: ItemRef, source: Source, *, span: Span | None, zone: Zone, told: Told
    ) -> Observation | ItemBrokenError:
        key, kind = identity.key_of(self.extended, self._text("UID")), self._kind()
        if key is None:
            return ItemBrokenError("the meeting has no identity", code="no-key", mailbox=self.mailbox)
        cancelled = source is Source.CANCELLATION or is_cancelled(
            self._text("IsCancelled"), self._text("AppointmentState")
        )
        if span is None and not cancelled:
            return ItemBrokenError("the meeting has no times that make sense", code="no-times", mailbox=self.mailbox)
        if kind is Kind.OCCURRENCE:
            day = self._day(span, zone)
            if day is None:
                return ItemBrokenError("an occurrence of no known day", code="no-day", mailbox=self.mailbox)
            key = key.on(day)
        if span is not None:
            span = replace(span, until=told.until)
        return self._observation(ref, source, key, kind=kind, span=span, told=told, cancelled=cancelled)

    def _day(self, span: Span | None, zone: Zone) -> date | None:
        """Return the day an occurrence was first meant for; of one that does not say so, the day it takes place."""
        day = identity.occurrence_day(self.extended, self._text("UID"))
        if day is not None:
            return day
        meant = self._original() or (span.start if span else None)
        try:
            return None if meant is None else meant.astimezone(tzinfo_of(zone)).date()
        except OverflowError:
            return None

    def _original(self) -> datetime | None:
        return self._instant("RecurrenceId") or self._instant("OriginalStart")

    def _observation(
        self,
        ref: ItemRef,
        source: Source,
        key: MeetingKey,
        *,
        kind: Kind,
        span: Span | None,
        told: Told,
        cancelled: bool,
    ) -> Observation:
        response = RESPONSES.get(self._text("MyResponseType"), Response.NONE)
        organizer = self._organizer()
        sequence = number(self._text("AppointmentSequenceNumber"))
        return Observation(
            key=key,
            ref=ref,
            kind=kind,
            span=span,
            organizer=organizer,
            subject=self._text("Subject")[:_LONGEST_TEXT],
            body_html=self._body(),
            location=self._text("Location")[:_LONGEST_TEXT],
            attendees=self._attendees(),
            sensitivity=SENSITIVITIES.get(self._text("Sensitivity"), Sensitivity.NORMAL),
            cancelled=cancelled,
            is_organizer=self._is_organizer(response, organizer),
            informational_copy=source is not Source.CALENDAR
            and (
                _truth(self.fields, "IsDelegated") is True or self._text("MeetingRequestType") == "PrincipalWantsCopy"
            ),
            response=response if source is Source.CALENDAR else Response.NONE,
            response_requested=_truth(self.fields, "IsResponseRequested") is not False,
            replied_at=self._instant("AppointmentReplyTime"),
            received_at=self._instant("DateTimeReceived"),
            sent_at=self._instant("DateTimeStamp"),
            sequence=sequence if sequence is not None else number(self.extended.get(identity.SEQUENCE, "")),
            original_start=self._original() if kind is Kind.OCCURRENCE else None,
            recurrence=told.text,
            series=told.series,
        )

    def _kind(self) -> Kind:
        named = self._text("CalendarItemType")
        if named == "RecurringMaster" or (not named and "Recurrence" in self.fields):
            return Kind.SERIES
        if named in ("Occurrence", "Exception") or identity.is_occurrence(self.extended, self._text("UID")):
            return Kind.OCCURRENCE
        return Kind.OCCURRENCE if self._instant("RecurrenceId") else Kind.SINGLE

    def _organizer(self) -> Person:
        for name in ("Organizer", "From"):
            person = _person(child(self.fields.get(name), "Mailbox"))
            if person is not None:
                return person
        return Person("")

    def _is_organizer(self, response: Response, organizer: Person) -> bool:
        told = _truth(self.fields, "IsOrganizer") is True or response is Response.ORGANIZER
        return told or organizer.address == self.mailbox

    def _attendees(self) -> tuple[Person, ...]:
        found: list[Person] = []
        for name in ("RequiredAttendees", "OptionalAttendees", "Resources"):
            for attendee in children(self.fields.get(name), "Attendee"):
                person = _person(child(attendee, "Mailbox"))
                if person is not None and len(found) < _MOST_ATTENDEES:
                    found.append(person)
        return tuple(found)

    def _body(self) -> str:
        body = self.fields.get("Body")
        if body is None:
            return ""
        text = body.text or ""
        if len(text) > LONGEST_BODY:
            log.warning("ews.body.cut", mailbox=self.mailbox, length=len(text))
            text = text[:LONGEST_BODY]
        return html_of_text(text) if body.get("BodyType") == "Text" else text

    def _text(self, name: str) -> str:
        return text_of(self.fields.get(name))

    def _instant(self, name: str) -> datetime | None:
        return instant(self._text(name))


def _person(mailbox: Element | None) -> Person | None:
    found = address(text_of(mailbox, "EmailAddress"))
    return Person(found, text_of(mailbox, "Name")[:_LONGEST_TEXT]) if found else None


def is_newer(message: Item, item: Item) -> bool:
    """Whether a message says something its calendar item does not know yet (`AutomateProcessing None`).

    By sequence, then by the organizer's stamp (RFC 5546 2.1.5), then by arrival; a cancellation of the same version is newer.
    """
    new, old = message.observation, item.observation
    if message.processed or message.outdated or new is None or old is None:
        return False
    cancels = message.source is Source.CANCELLATION and not old.cancelled
    known = False
    for theirs, ours in ((new.sequence, old.sequence), (new.sent_at, old.sent_at)):
        if theirs is not None and ours is not None:
            if theirs != ours:
                return _later(theirs, ours)
            known = True
    if known or new.received_at is None or old.received_at is None:
        return cancels
    return cancels or new.received_at - old.received_at > timedelta(seconds=1)


def is_news_of_occurrence(message: Item, series: Item) -> bool:
    """Whether a message about one occurrence says something that its series does not know yet (`AutomateProcessing None`)."""
    new, whole = message.observation, series.observation
    if message.source is Source.CALENDAR or message.processed or message.outdated or new is None or whole is None:
        return False
    for theirs, known in ((new.sequence, whole.sequence), (new.sent_at, whole.sent_at)):
        if theirs is not None and known is not None and theirs != known:
            if _later(known, theirs):
                return False
            break
    day = new.key.occurrence
    if whole.series is None or day is None:
        return True
    if new.cancelled:
        return day not in whole.series.gone
    return new.span is None or all(
        (one.day, one.start, one.end) != (day, new.span.start, new.span.end) for one in whole.series.moved
    )


def _later(theirs: int | datetime, ours: int | datetime) -> bool:
    if isinstance(theirs, datetime) and isinstance(ours, datetime):
        return theirs > ours
    return isinstance(theirs, int) and isinstance(ours, int) and theirs > ours


def standing(seen: Observation) -> tuple[bool, bool, int, datetime]:
    """Order calendar items of one key: the series, then what is not cancelled, then the newest counts most."""
    stamp = seen.sent_at or seen.received_at or datetime.min.replace(tzinfo=UTC)
    return seen.kind is Kind.SERIES, not seen.cancelled, seen.sequence or 0, stamp
