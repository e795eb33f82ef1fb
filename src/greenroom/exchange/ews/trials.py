"""Meetings that are booked in an organizer's calendar as a trial: CreateItem, FindItem by their mark, GetItem, DeleteItem.

Source: EWS reference, CreateItem and DeleteItem (`SendOnlyToAll` leaves no copy in the organizer's Sent Items; deleting an
organizer's meeting cancels it), FindItem with IsEqualTo, Attendee (ResponseType and LastResponseTime stand on the
organizer's copy).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from greenroom.exchange.contract import TRIAL, Access, Invitation, Permitted, Trial, TrialMeeting
from greenroom.exchange.errors import ExchangeError, ItemGoneError, MisconfiguredError, NotPermittedError
from greenroom.exchange.ews import identity, items, search
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import UNREACHABLE_MAILBOX, GarbledReplyError, error_for
from greenroom.exchange.ews.marks import field_of
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.exchange.ews.values import instant, truth
from greenroom.meetings.meeting import ItemRef, Response

_MOST: Final = 20
_TELL: Final = "SendOnlyToAll"
_UNKNOWN: Final = frozenset(
    {"ErrorNonExistentMailbox", "ErrorCannotFindUser", "ErrorInvalidSmtpAddress", "ErrorInvalidUserPrincipalName"}
)
_PROPERTIES: Final = identity.names(
    "item:Body calendar:UID calendar:Start calendar:Location calendar:RequiredAttendees calendar:IsCancelled"
)


class Trials:
    """Looks into organizers' calendars and books trials there, by impersonation."""

    def __init__(self, transport: EwsTransport, *, impersonate: bool) -> None:
        self._transport = transport
        self._impersonate = impersonate

    async def may_act_for(self, person: str) -> Permitted:
        """Open the calendar folder of somebody."""
        if not self._impersonate:
            return Permitted(Access.NO, "no-impersonation")
        try:
            reply = await self._transport.call(search.look_at_calendar(), person)
            search.read_look(reply, mailbox=person)
        except NotPermittedError as error:
            return Permitted(Access.NO, error.code)
        except MisconfiguredError as error:
            if error.code not in UNREACHABLE_MAILBOX:
                raise
            return Permitted(Access.NOT_FOUND if error.code in _UNKNOWN else Access.ELSEWHERE, error.code)
        return Permitted(Access.YES)

    async def book(self, organizer: str, attendee: str, trial: Trial) -> None:
        """Book a meeting and invite the one attendee."""
        reply = await self._as(organizer, create(attendee, trial))
        _only(reply, organizer, writing=True)

    async def find(self, organizer: str, attendee: str) -> list[TrialMeeting]:
        """Return the trials of this attendee in somebody's calendar."""
        page = search.read_page(await self._as(organizer, find_marked(attendee)), mailbox=organizer)
        ids = [hit.id for hit in page.items][:_MOST]
        if not ids:
            return []
        reply = await self._as(organizer, get(ids))
        return read(reply, count=len(ids), mailbox=organizer)

    async def cancel(self, organizer: str, ref: ItemRef) -> None:
        """Cancel a trial and delete it for good."""
        try:
            _only(await self._as(organizer, delete(ref)), organizer, writing=True, item=True)
        except ItemGoneError:
            return

    async def _as(self, organizer: str, call: Call) -> Envelope:
        if not self._impersonate:
            sentence = f"the account does not impersonate, so it cannot book in the calendar of {organizer}"
            raise NotPermittedError(sentence, code="no-impersonation", mailbox=organizer)
        return await self._transport.call(call, organizer)


def create(attendee: str, trial: Trial) -> Call:
    """Book a meeting, send its invitation, and leave nothing of it in Sent Items."""
    mark = with_children(types("ExtendedProperty"), field_of(TRIAL), types("Value", attendee))
    invited = with_children(types("Mailbox"), types("EmailAddress", attendee))
    item = with_children(
        types("CalendarItem"),
        types("Subject", trial.subject),
        types("Sensitivity", "Private" if trial.private else "Normal"),
        types("Body", trial.body_html, BodyType="HTML"),
        types("ReminderIsSet", "false"),
        mark,
        types("Start", _moment(trial.start)),
        types("End", _moment(trial.end)),
        with_children(types("RequiredAttendees"), with_children(types("Attendee"), invited)),
    )
    body = with_children(messages("CreateItem", SendMeetingInvitations=_TELL), with_children(messages("Items"), item))
    return Call("CreateItem", body, writes=True)


def find_marked(attendee: str) -> Call:
    """Search the calendar for what carries the mark."""
    constant = with_children(types("FieldURIOrConstant"), types("Constant", Value=attendee))
    clause = with_children(types("IsEqualTo"), field_of(TRIAL), constant)
    return search.find(search.first(_MOST), with_children(messages("Restriction"), clause))


def get(ids: Sequence[str]) -> Call:
    """Ask for the text of trials and how they were answered."""
    wanted = with_children(
        types("AdditionalProperties"),
        *identity.fields(_PROPERTIES),
        identity.extended_field(identity.GLOBAL_OBJECT_ID),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
    )
    shape = with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), types("BodyType", "HTML"), wanted)
    listed = with_children(messages("ItemIds"), *(types("ItemId", Id=ident) for ident in ids))
    return Call("GetItem", with_children(messages("GetItem"), shape, listed))


def delete(ref: ItemRef) -> Call:
    """Delete an organizer's meeting, which cancels it."""
    body = messages("DeleteItem", DeleteType="HardDelete", SendMeetingCancellations=_TELL)
    return Call(
        "DeleteItem", with_children(body, with_children(messages("ItemIds"), types("ItemId", Id=ref.id))), writes=True
    )


def read(reply: Envelope, *, count: int, mailbox: str) -> list[TrialMeeting]:
    """Read what `get` asked for; what is gone, or has no identity, is left out."""
    if len(reply.messages) != count:
        raise GarbledReplyError("Exchange answered for another number of items", code="count", mailbox=mailbox)
    found: list[TrialMeeting] = []
    for message in reply.messages:
        item = next(children(child(message.element, "Items")), None)
        if message.problem:
            error = error_for(message.problem, mailbox=mailbox, item=True)
            if not isinstance(error, ItemGoneError):
                raise error
        elif item is not None and local(item) == "CalendarItem" and (one := _meeting(item)) is not None:
            found.append(one)
    return found


def _meeting(item: Element) -> TrialMeeting | None:
    ident, key = child(item, "ItemId"), identity.key_of(identity.extended(item), text_of(item, "UID"))
    if ident is None or key is None or truth(text_of(item, "IsCancelled")) is True:
        return None
    body = child(item, "Body")
    text = (body.text or "")[: items.LONGEST_BODY] if body is not None else ""
    attendee = next(children(child(item, "RequiredAttendees"), "Attendee"), None)
    return TrialMeeting(
        ItemRef(ident.get("Id") or "", ident.get("ChangeKey") or ""),
        key,
        instant(text_of(item, "Start")),
        Invitation(text, text_of(item, "Location")),
        items.RESPONSES.get(text_of(attendee, "ResponseType"), Response.NONE)
        if attendee is not None
        else Response.NONE,
        instant(text_of(attendee, "LastResponseTime")) if attendee is not None else None,
    )


def _only(reply: Envelope, mailbox: str, *, writing: bool, item: bool = False) -> None:
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer", code="count", mailbox=mailbox)
    problem = reply.messages[0].problem
    if problem:
        raise _plainly(error_for(problem, mailbox=mailbox, writing=writing, item=item), mailbox)


def _plainly(error: ExchangeError, mailbox: str) -> ExchangeError:
    """Say of a calendar what the error says of the mailbox."""
    if not isinstance(error, NotPermittedError):
        return error
    sentence = f"the account may not book in the calendar of {mailbox} ({error.code})"
    return NotPermittedError(sentence, code=error.code, mailbox=mailbox)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
