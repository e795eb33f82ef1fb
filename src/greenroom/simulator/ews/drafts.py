"""Items as clients write them: what CreateItem and UpdateItem say becomes a draft for the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import children, local, t, text_of, words
from greenroom.simulator.ews.paths import read_extended
from greenroom.simulator.ews.people import ROLES, read_attendees, read_people
from greenroom.simulator.ews.recurrences import read_recurrence
from greenroom.simulator.ews.zones import local_time, zone_of
from greenroom.simulator.model import Body, MeetingDraft, MessageDraft, PropertyTag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml import etree

    from greenroom.simulator.model import Attendee, PropertyValue

_CHOICES: Final[dict[str, frozenset[str]]] = {
    "Sensitivity": frozenset({"Normal", "Personal", "Private", "Confidential"}),
    "Importance": frozenset({"Low", "Normal", "High"}),
    "LegacyFreeBusyStatus": frozenset({"Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"}),
}
IGNORED: Final = frozenset(
    words("""ItemClass Categories ReminderIsSet ReminderDueBy ReminderMinutesBeforeStart Culture IsDraft MeetingTimeZone
    ConferenceType AllowNewTimeProposal IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl InternetMessageHeaders
    IsReadReceiptRequested IsDeliveryReceiptRequested From Sender ReplyTo BccRecipients References Flag InReplyTo
    Attachments ReminderNextTime When""")
)
"""Taken without complaint and not kept: nothing here depends on them."""


def read_body(element: etree._Element) -> Body:
    """Read a Body. HTML must come escaped, as text: child elements fail the schema, at Exchange too."""
    if len(element):
        raise SoapFault(
            "ErrorSchemaValidation",
            "The request failed schema validation: The element 'Body' cannot contain child elements.",
            at=element,
        )
    return Body(element.text or "", "HTML" if element.get("BodyType") == "HTML" else "Text")


def read_boolean(element: etree._Element) -> bool:
    """Read an ``xs:boolean``."""
    text = (element.text or "").strip()
    if text not in ("true", "false", "1", "0"):
        raise SoapFault("ErrorSchemaValidation", "A boolean is invalid.", at=element)
    return text in ("true", "1")


def _choice(element: etree._Element) -> Any:
    name, text = local(element), (element.text or "").strip()
    if text not in _CHOICES[name]:
        raise SoapFault("ErrorSchemaValidation", f"{name} is invalid.", at=element)
    return text


class DraftReader:
    """Reads the elements of one item into a draft; time zones are settled at the end, as times may need them.

    ``context`` is the zone of the request's TimeZoneContext, ``start_zone`` the zone the item has already.
    """

    def __init__(self, context: str | None, start_zone: str | None = None) -> None:
        self.draft = MeetingDraft()
        self.message = MessageDraft()
        self.attendees: dict[str, tuple[Attendee, ...]] = {}
        self._extended: dict[PropertyTag, PropertyValue | None] = {}
        self._times: dict[str, etree._Element] = {}
        self._context = context
        self._old_zone = start_zone

    def read(self, elements: Iterable[etree._Element]) -> None:
        """Read elements. Raises `SoapFault` for unknown ones, `EwsError` for values that cannot be."""
        for element in elements:
            name = local(element)
            reader = _READERS.get(name)
            if reader is not None:
                reader(self, element)
            elif name not in IGNORED:
                raise SoapFault(
                    "ErrorSchemaValidation",
                    f"The request failed schema validation: the element '{name}' is not expected here.",
                    at=element,
                )

    def remove_extended(self, tag: PropertyTag) -> None:
        """DeleteItemField of an extended property."""
        self._extended[tag] = None

    def finish(self) -> MeetingDraft:
        """Settle times and extended properties; the draft without attendees, which the caller combines."""
        if self._extended:
            self.draft["extended"] = dict(self._extended)
            self.message["extended"] = dict(self._extended)
        zone_name = self.draft.get("start_zone") or self._old_zone or self._context
        for key in ("start", "end"):
            element = self._times.get(key)
            if element is None:
                continue
            name = (self.draft.get("end_zone") or zone_name) if key == "end" else zone_name
            try:
                moment = local_time(element.text or "", zone_of(name))
            except (ValueError, OverflowError):
                raise SoapFault("ErrorSchemaValidation", "A date is invalid.", at=element) from None
            if key == "start":
                self.draft["start"] = moment
            else:
                self.draft["end"] = moment
        return self.draft

    def all_attendees(self) -> tuple[Attendee, ...]:
        """The attendees of all roles together."""
        return tuple(attendee for name in ROLES for attendee in self.attendees.get(name, ()))

    # --- readers of single elements, found by name below --------------------------------------------------------------

    def subject(self, element: etree._Element) -> None:
        self.draft["subject"] = self.message["subject"] = element.text or ""

    def body(self, element: etree._Element) -> None:
        self.draft["body"] = self.message["body"] = read_body(element)

    def sensitivity(self, element: etree._Element) -> None:
        self.draft["sensitivity"] = self.message["sensitivity"] = _choice(element)

    def importance(self, element: etree._Element) -> None:
        self.draft["importance"] = self.message["importance"] = _choice(element)

    def location(self, element: etree._Element) -> None:
        self.draft["location"] = element.text or ""

    def enhanced_location(self, element: etree._Element) -> None:
        self.draft["location"] = text_of(element, t("DisplayName")) or ""

    def start(self, element: etree._Element) -> None:
        self._times["start"] = element

    def end(self, element: etree._Element) -> None:
        self._times["end"] = element

    def start_zone(self, element: etree._Element) -> None:
        self.draft["start_zone"] = element.get("Id") or None

    def end_zone(self, element: etree._Element) -> None:
        self.draft["end_zone"] = element.get("Id") or None

    def all_day(self, element: etree._Element) -> None:
        self.draft["all_day"] = read_boolean(element)

    def free_busy(self, element: etree._Element) -> None:
        self.draft["free_busy"] = _choice(element)

    def response_requested(self, element: etree._Element) -> None:
        self.draft["response_requested"] = read_boolean(element)

    def is_read(self, element: etree._Element) -> None:
        self.draft["is_read"] = read_boolean(element)

    def uid(self, element: etree._Element) -> None:
        if element.text:
            self.draft["uid"] = element.text.strip()

    def recurrence(self, element: etree._Element) -> None:
        self.draft["recurrence"] = read_recurrence(element)

    def people(self, element: etree._Element) -> None:
        self.attendees[local(element)] = read_attendees(element)

    def to(self, element: etree._Element) -> None:
        self.message["to"] = read_people(element)

    def cc(self, element: etree._Element) -> None:
        self.message["cc"] = read_people(element)

    def extended(self, element: etree._Element) -> None:
        tag, value = read_extended(element)
        self._extended[tag] = value


_READERS: Final[dict[str, Callable[[DraftReader, etree._Element], None]]] = {
    "Subject": DraftReader.subject,
    "Body": DraftReader.body,
    "Sensitivity": DraftReader.sensitivity,
    "Importance": DraftReader.importance,
    "Location": DraftReader.location,
    "EnhancedLocation": DraftReader.enhanced_location,
    "Start": DraftReader.start,
    "End": DraftReader.end,
    "StartTimeZone": DraftReader.start_zone,
    "EndTimeZone": DraftReader.end_zone,
    "IsAllDayEvent": DraftReader.all_day,
    "LegacyFreeBusyStatus": DraftReader.free_busy,
    "IsResponseRequested": DraftReader.response_requested,
    "IsRead": DraftReader.is_read,
    "UID": DraftReader.uid,
    "Recurrence": DraftReader.recurrence,
    "RequiredAttendees": DraftReader.people,
    "OptionalAttendees": DraftReader.people,
    "Resources": DraftReader.people,
    "ToRecipients": DraftReader.to,
    "CcRecipients": DraftReader.cc,
    "ExtendedProperty": DraftReader.extended,
}
SETTABLE: Final = frozenset(_READERS) | IGNORED

_EMPTY: Final[dict[str, tuple[str, Any]]] = {
    "Subject": ("subject", ""),
    "Body": ("body", Body()),
    "Location": ("location", ""),
    "EnhancedLocation": ("location", ""),
    "Recurrence": ("recurrence", None),
    "StartTimeZone": ("start_zone", None),
    "EndTimeZone": ("end_zone", None),
    "Sensitivity": ("sensitivity", "Normal"),
    "Importance": ("importance", "Normal"),
}


def remove_field(reader: DraftReader, name: str) -> None:
    """DeleteItemField of a property with a name of its own. Raises `EwsError` for one that cannot be removed."""
    if name in ROLES:
        reader.attendees[name] = ()
    elif name in _EMPTY:
        key, value = _EMPTY[name]
        cast("dict[str, Any]", reader.draft)[key] = value
    elif name not in IGNORED:
        raise EwsError("ErrorInvalidPropertyDelete")


def item_children(element: etree._Element) -> list[etree._Element]:
    """The properties inside an item element."""
    return list(children(element))
