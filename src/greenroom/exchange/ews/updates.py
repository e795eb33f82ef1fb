"""The organizer's own meeting: reading its text whole, and UpdateItem.

Source: EWS reference, UpdateItem; `NeverOverwrite` makes a change by somebody else since our reading an error
(ErrorIrresolvableConflict), so that nobody's words are lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from greenroom.exchange.addresses import address
from greenroom.exchange.contract import Invitation
from greenroom.exchange.errors import ExchangeError, ItemBrokenError
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.items import LONGEST_BODY, html_of_text
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children
from greenroom.exchange.ews.series import Told, read_series
from greenroom.exchange.ews.values import instant, truth
from greenroom.exchange.ews.zones import read_zone
from greenroom.meetings.meeting import ItemRef

_PROPERTIES = identity.names(
    "item:Body calendar:Location calendar:IsCancelled calendar:IsOrganizer calendar:MyResponseType "
    "calendar:Organizer calendar:CalendarItemType calendar:Start calendar:End calendar:OriginalStart "
    "calendar:StartTimeZone calendar:StartTimeZoneId calendar:Recurrence calendar:ModifiedOccurrences "
    "calendar:DeletedOccurrences"
)


@dataclass(frozen=True, slots=True)
class OwnMeeting:
    """A meeting in a calendar, as far as changing its text needs it. `organizer` is as the item names it.

    `told` is what a series says of its recurrence; `original` when an occurrence was first meant for, `start` when it is now.
    """

    ref: ItemRef
    invitation: Invitation
    organizer: str
    is_organizer: bool
    cancelled: bool
    series: bool
    textless: bool
    too_long: bool
    told: Told
    start: datetime | None = None
    original: datetime | None = None

    def day_in(self, series: Told) -> date | None:
        """Return the day this occurrence of a series was first meant for, as far as it can be told."""
        meant = self.original or self.start
        return series.series.occurrences.day_of(meant) if meant is not None and series.series is not None else None


def get_meetings(ids: Sequence[str]) -> Call:
    """Ask for the changeable text of meetings."""
    return _get(types("ItemId", Id=i) for i in ids)


def get_occurrence(series: ItemRef, number: int) -> Call:
    """Ask for the text of one occurrence of a series by its number, counted from 1; those that were taken out count, too."""
    return _get([types("OccurrenceItemId", RecurringMasterId=series.id, InstanceIndex=str(number))])


def _get(ids: Iterable[Element]) -> Call:
    shape = with_children(
        messages("ItemShape"),
        types("BaseShape", "IdOnly"),
        types("BodyType", "HTML"),
        with_children(types("AdditionalProperties"), *identity.fields(_PROPERTIES)),
    )
    return Call("GetItem", with_children(messages("GetItem"), shape, with_children(messages("ItemIds"), *ids)))


def read_meetings(reply: Envelope, *, count: int, mailbox: str) -> list[OwnMeeting | ExchangeError]:
    """Read the answer, one entry per id."""
    if len(reply.messages) != count:
        raise GarbledReplyError("Exchange answered for another number of items", code="count", mailbox=mailbox)
    found: list[OwnMeeting | ExchangeError] = []
    for message in reply.messages:
        item = next(children(child(message.element, "Items")), None)
        if message.problem:
            found.append(error_for(message.problem, mailbox=mailbox, item=True))
        elif item is None or local(item) != "CalendarItem":
            found.append(ItemBrokenError("no calendar item", code="no-item", mailbox=mailbox))
        else:
            found.append(_meeting(item, mailbox))
    return found


def _meeting(item: Element, mailbox: str) -> OwnMeeting:
    ident, body = child(item, "ItemId"), child(item, "Body")
    text = (body.text or "") if body is not None else ""
    plain = body is not None and body.get("BodyType") == "Text"
    organizer = address(text_of(item, "Organizer", "Mailbox", "EmailAddress"))
    return OwnMeeting(
        ref=ItemRef(
            (ident.get("Id") or "") if ident is not None else "",
            (ident.get("ChangeKey") or "") if ident is not None else "",
        ),
        invitation=Invitation(html_of_text(text) if plain else text, text_of(item, "Location")),
        organizer=organizer,
        is_organizer=truth(text_of(item, "IsOrganizer")) is True
        or text_of(item, "MyResponseType") == "Organizer"
        or organizer == mailbox,
        cancelled=truth(text_of(item, "IsCancelled")) is True,
        series=text_of(item, "CalendarItemType") == "RecurringMaster",
        textless=plain and not text.strip(),
        too_long=len(text) > LONGEST_BODY,
        told=_told(item),
        start=instant(text_of(item, "Start")),
        original=instant(text_of(item, "OriginalStart")),
    )


def _told(item: Element) -> Told:
    start, end = instant(text_of(item, "Start")), instant(text_of(item, "End"))
    if start is None or end is None or end < start or text_of(item, "CalendarItemType") != "RecurringMaster":
        return Told()
    fields: dict[str, Element] = {}
    for part in children(item):
        fields.setdefault(local(part), part)
    return read_series(fields, start, end, read_zone(fields, start))


def update(ref: ItemRef, old: Invitation, new: Invitation, *, notify: bool) -> Call | None:
    """Write what differs between two texts; None if nothing does."""
    updates: list[Element] = []
    if new.body_html != old.body_html:
        updates.append(_set("item:Body", types("Body", new.body_html, BodyType="HTML")))
    if new.location != old.location:
        updates.append(_set("calendar:Location", types("Location", new.location)))
    if not updates:
        return None
    ident = types("ItemId", Id=ref.id, **({"ChangeKey": ref.version} if ref.version else {}))
    change = with_children(types("ItemChange"), ident, with_children(types("Updates"), *updates))
    body = messages(
        "UpdateItem",
        ConflictResolution="NeverOverwrite",
        SendMeetingInvitationsOrCancellations="SendToAllAndSaveCopy" if notify else "SendToNone",
    )
    return Call("UpdateItem", with_children(body, with_children(messages("ItemChanges"), change)), writes=True)


def _set(uri: str, value: Element) -> Element:
    item = with_children(types("CalendarItem"), value)
    return with_children(types("SetItemField"), types("FieldURI", FieldURI=uri), item)


def read_update(reply: Envelope, *, mailbox: str) -> None:
    """Raise what the answer to `update` says is wrong."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to UpdateItem", code="count", mailbox=mailbox)
    problem = reply.messages[0].problem
    if problem:
        raise error_for(problem, mailbox=mailbox, writing=True, item=True)
