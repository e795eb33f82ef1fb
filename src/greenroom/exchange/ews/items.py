"""GetItem: which properties are asked for, and what an item says about a meeting.

Source: EWS reference, GetItem, CalendarItem, MeetingRequest, MeetingCancellation. Elements are found by local name in any
order; unknown ones are skipped, of repeated ones the first counts.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

import structlog

from greenroom.exchange.addresses import address
from greenroom.exchange.errors import ExchangeError, ItemBrokenError
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope, Message
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children
from greenroom.exchange.ews.recurrence import read_series
from greenroom.exchange.ews.values import instant, number, truth
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
    `outdated` that a newer one exists. `textless` asks for the body once more as text; `in_series` marks an occurrence that is
    part of a series in this calendar.
    """

    ref: ItemRef
    source: Source
    observation: Observation | None
    associated: str | None = None
    processed: bool = False
    outdated: bool = False
    textless: bool = False
    in_series: bool = False


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


def get_master(occurrence_id: str, *, plain: bool = False) -> Call:
    """Ask for the series an occurrence belongs to; `plain` as for `get_items`."""
    return _get(_plain_shape() if plain else _shape(), [types("RecurringMasterItemId", OccurrenceId=occurrence_id)])


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
    observation = reader.observation(ref, source)
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
    )


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

    def observation(self, ref: ItemRef, source: Source) -> Observation | ItemBrokenError:
        uid = self._text("UID")
        key = identity.key_of(self.extended, uid)
        if key is None:
            return ItemBrokenError("the meeting has no identity", code="no-key", mailbox=self.mailbox)
        kind = self._kind(uid)
        span = self._span()
        recurrence = None
        if span is not None and kind is Kind.SERIES:
            series = read_series(self.fields, span.start, span.end, span.zone)
            recurrence = series.text if series else None
            span = replace(span, until=series.until if series else None)
        cancelled = source is Source.CANCELLATION or self._cancelled()
        if span is None and not cancelled:
            return ItemBrokenError("the meeting has no times that make sense", code="no-times", mailbox=self.mailbox)
        return self._observation(ref, source, key, kind=kind, span=span, recurrence=recurrence, cancelled=cancelled)

    def _observation(
        self,
        ref: ItemRef,
        source: Source,
        key: MeetingKey,
        *,
        kind: Kind,
        span: Span | None,
        recurrence: str | None,
        cancelled: bool,
    ) -> Observation:
        response = RESPONSES.get(self._text("MyResponseType"), Response.NONE)
        organizer = self._organizer()
        sequence = number(self._text("AppointmentSequenceNumber"))
        occurrence = kind is Kind.OCCURRENCE
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
            original_start=self._instant("RecurrenceId") or self._instant("OriginalStart") if occurrence else None,
            recurrence=recurrence,
        )

    def _kind(self, uid: str) -> Kind:
        named = self._text("CalendarItemType")
        if named == "RecurringMaster" or (not named and "Recurrence" in self.fields):
            return Kind.SERIES
        if named in ("Occurrence", "Exception") or identity.is_occurrence(self.extended, uid):
            return Kind.OCCURRENCE
        return Kind.OCCURRENCE if self._instant("RecurrenceId") else Kind.SINGLE

    def _span(self) -> Span | None:
        start, end = self._instant("Start"), self._instant("End")
        if start is None or end is None or end < start:
            return None
        zone = self.fields.get("StartTimeZone")
        name = (zone.get("Id") if zone is not None else None) or self._text("StartTimeZoneId")
        return Span(start, end, name[:200] or None, all_day=_truth(self.fields, "IsAllDayEvent") is True)

    def _cancelled(self) -> bool:
        state = number(self._text("AppointmentState")) or 0
        return _truth(self.fields, "IsCancelled") is True or bool(state & _CANCELLED_STATE)

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


def _later(theirs: int | datetime, ours: int | datetime) -> bool:
    if isinstance(theirs, datetime) and isinstance(ours, datetime):
        return theirs > ours
    return isinstance(theirs, int) and isinstance(ours, int) and theirs > ours


def standing(seen: Observation) -> tuple[bool, bool, int, datetime]:
    """Order calendar items of one key: the series, then what is not cancelled, then the newest counts most."""
    stamp = seen.sent_at or seen.received_at or datetime.min.replace(tzinfo=UTC)
    return seen.kind is Kind.SERIES, not seen.cancelled, seen.sequence or 0, stamp
