"""SyncFolderItems: what changed in Inbox and Calendar, as glances; both sync states in one cursor.

Source: EWS reference, SyncFolderItems, and "Mailbox synchronization and EWS": what FindItem can return may be asked for here,
never bodies, people or rules; long texts and binaries are cut there.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from greenroom.exchange.contract import Changes
from greenroom.exchange.errors import CursorExpiredError
from greenroom.exchange.ews import identity
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, Problem, error_for
from greenroom.exchange.ews.items import RESPONSES, SENSITIVITIES
from greenroom.exchange.ews.markup import Element, child, children, local, messages, text_of, types, with_children
from greenroom.exchange.ews.values import instant, truth
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Response, Span, fingerprint

Folder = Literal["inbox", "calendar"]

MOST_CHANGES = 512
"""What Exchange allows in one answer."""

_UNREASONABLE = 5000
_CUT_SUBJECT = 250
_ECHO = timedelta(seconds=1)
_FINE_ECHO = timedelta(milliseconds=100)
_MESSAGES = ("ipm.schedule.meeting.request", "ipm.schedule.meeting.canceled")
_CALENDAR = identity.names(
    "item:ItemClass item:Subject item:Sensitivity item:LastModifiedTime calendar:Start calendar:End "
    "calendar:IsAllDayEvent calendar:IsCancelled calendar:CalendarItemType calendar:MyResponseType "
    "calendar:AppointmentReplyTime"
)
_INBOX = ("item:ItemClass", "meeting:HasBeenProcessed", "calendar:Start")


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor taken apart: one sync state per folder, empty at the beginning."""

    inbox: str = ""
    calendar: str = ""

    @classmethod
    def of(cls, cursor: str) -> "Place":
        """Read a cursor; raises CursorExpiredError for a text that is not one of ours."""
        if not cursor:
            return cls()
        try:
            data = json.loads(cursor)
            if data["v"] == 1 and isinstance(data["inbox"], str) and isinstance(data["calendar"], str):
                return cls(data["inbox"], data["calendar"])
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # told below, whatever is wrong with it
        raise CursorExpiredError("this place in the feed is not one of ours", code="foreign-cursor")

    def text(self) -> str:
        """Write the cursor."""
        return json.dumps({"v": 1, "inbox": self.inbox, "calendar": self.calendar}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Seen:
    """One glance, with what is needed to weigh a message against the calendar."""

    glance: Glance
    processed: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """One folder's answer."""

    seen: tuple[Seen, ...]
    gone: tuple[str, ...]
    state: str
    more: bool


def sync(folder: Folder, state: str, limit: int, *, plain: bool = False) -> Call:
    """Ask what changed in a folder since a state (empty: everything), at most `limit` items of 512.

    With `plain` only ids are asked for, as every server gives them: each item must then be read.
    """
    body = with_children(
        messages("SyncFolderItems"),
        with_children(messages("ItemShape"), types("BaseShape", "IdOnly"), None if plain else _properties(folder)),
        with_children(messages("SyncFolderId"), types("DistinguishedFolderId", Id=folder)),
        messages("SyncState", state) if state else None,
        messages("MaxChangesReturned", str(max(1, min(limit, MOST_CHANGES)))),
    )
    return Call("SyncFolderItems", body)


def _properties(folder: Folder) -> Element:
    return with_children(
        types("AdditionalProperties"),
        *identity.fields(_INBOX if folder == "inbox" else _CALENDAR),
        identity.extended_field(identity.CLEAN_GLOBAL_OBJECT_ID),
        identity.extended_field(identity.GLOBAL_OBJECT_ID),
    )


def read_sync(reply: Envelope, folder: Folder, *, mailbox: str) -> Slice:
    """Read one folder's changes; raises what the response code says (CursorExpiredError among it)."""
    if len(reply.messages) != 1:
        raise GarbledReplyError("not one answer to SyncFolderItems", code="count", mailbox=mailbox)
    message = reply.messages[0]
    if message.problem:
        raise error_for(message.problem, mailbox=mailbox)
    state = text_of(message.element, "SyncState")
    changes = list(children(child(message.element, "Changes")))
    if not state or len(changes) > _UNREASONABLE:
        raise error_for(Problem("ErrorInternalServerError"), mailbox=mailbox)
    seen: dict[str, Seen] = {}
    gone: dict[str, None] = {}
    for change in changes:
        _take(change, folder, seen, gone)
    more = truth(text_of(message.element, "IncludesLastItemInRange")) is False
    return Slice(tuple(s for i, s in seen.items() if i not in gone), tuple(gone), state, more)


def _take(change: Element, folder: Folder, seen: dict[str, Seen], gone: dict[str, None]) -> None:
    kind = local(change)
    if kind == "Delete":
        if ident := _id(change):
            gone[ident] = None
    elif kind in ("Create", "Update"):
        item = next(children(change), None)
        if item is not None and (ident := _id(item)):
            found = _calendar(item, ident) if folder == "calendar" else _message(item, ident)
            if found is not None:
                seen[ident] = found


def _id(parent: Element) -> str:
    ident = child(parent, "ItemId")
    return "" if ident is None else ident.get("Id") or ""


def _version(item: Element) -> str:
    ident = child(item, "ItemId")
    return "" if ident is None else ident.get("ChangeKey") or ""


def _message(item: Element, ident: str) -> Seen | None:
    name = text_of(item, "ItemClass").lower()
    wanted = name.startswith(_MESSAGES) if name else local(item) in ("MeetingRequest", "MeetingCancellation")
    if not wanted:
        return None
    properties = identity.extended(item)
    key, day = identity.key_of(properties), identity.occurrence_day(properties)
    key = key.on(day) if key is not None and day is not None else key
    ref = ItemRef(ident, _version(item), is_message=True)
    glance = Glance(ref, key, starts_at=instant(text_of(item, "Start")))
    return Seen(glance, processed=truth(text_of(item, "HasBeenProcessed")) is True)


def _calendar(item: Element, ident: str) -> Seen | None:
    if local(item) not in ("CalendarItem", "Item"):
        return None
    properties = identity.extended(item)
    key = _key(item, properties)
    answer = text_of(item, "MyResponseType")
    response = RESPONSES.get(answer, Response.NONE) if answer else None
    return Seen(
        Glance(
            ItemRef(ident, _version(item)),
            key,
            _fingerprint(item, key, identity.is_occurrence(properties)),
            response,
            own_answer=_is_echo(item, response),
            starts_at=instant(text_of(item, "Start")),
        )
    )


def _key(item: Element, properties: identity.Extended) -> MeetingKey | None:
    """Return the key of a calendar item; None where it may be one occurrence, and the list does not say which."""
    key, day = identity.key_of(properties), identity.occurrence_day(properties)
    if key is None or day is not None:
        return None if key is None or day is None else key.on(day)
    named = text_of(item, "CalendarItemType")
    if named == "RecurringMaster":
        return key
    return None if named in ("Occurrence", "Exception") or identity.is_occurrence(properties) is not False else key


def _fingerprint(item: Element, key: MeetingKey | None, occurrence: bool | None) -> str | None:
    """Hash a single meeting's facts as its observation would; None where the list does not show all of them."""
    start, end = instant(text_of(item, "Start")), instant(text_of(item, "End"))
    all_day, cancelled = truth(text_of(item, "IsAllDayEvent")), truth(text_of(item, "IsCancelled"))
    subject, sensitivity = child(item, "Subject"), SENSITIVITIES.get(text_of(item, "Sensitivity"))
    if (
        key is None
        or occurrence is not False
        or text_of(item, "CalendarItemType") != "Single"
        or start is None
        or end is None
        or all_day is None
        or cancelled is None
        or subject is None
        or sensitivity is None
        or len(text_of(subject)) >= _CUT_SUBJECT
    ):
        return None
    return fingerprint(
        key=key,
        kind=Kind.SINGLE,
        span=Span(start, end, all_day=all_day),
        subject=text_of(subject),
        sensitivity=sensitivity,
        cancelled=cancelled,
    )


def _is_echo(item: Element, response: Response | None) -> bool:
    """Whether our answer was the last change: Exchange gives whole seconds, so an update in the same second looks alike."""
    replied, changed = instant(text_of(item, "AppointmentReplyTime")), instant(text_of(item, "LastModifiedTime"))
    if replied is None or changed is None or response in (None, Response.NONE, Response.ORGANIZER):
        return False
    if replied.microsecond and changed.microsecond:
        return timedelta() <= changed - replied <= _FINE_ECHO
    distance = changed.replace(microsecond=0) - replied.replace(microsecond=0)
    return timedelta() <= distance <= _ECHO


def merge(inbox: Slice, calendar: Slice) -> Changes:
    """Put both folders together; a message Exchange has applied already is covered by its calendar item here.

    One about an occurrence is covered by the item of the occurrence, or of the series.
    """
    keys = {s.glance.key for s in calendar.seen if s.glance.key}
    waiting = [
        s.glance for s in inbox.seen if not (s.processed and s.glance.key and {s.glance.key, s.glance.key.clean} & keys)
    ]
    gone = dict.fromkeys((*inbox.gone, *calendar.gone))
    return Changes(
        glances=(*waiting, *(s.glance for s in calendar.seen)),
        gone=tuple(gone),
        cursor=replace(Place(), inbox=inbox.state, calendar=calendar.state).text(),
        more=inbox.more or calendar.more,
    )
