"""The values of the simulated store: mailboxes, folders, items, and what happens to them.

Items are mutable and belong to the store; whoever reads them (the EWS face, the web mail) must not change them but call
`Exchange`. All datetimes are aware UTC. Words and values are those of the EWS schema wherever it has them.

    Item ── Message                      IPM.Note (plain mail)
         ├─ CalendarItem                 IPM.Appointment
         └─ MeetingMessage ── MeetingRequest       IPM.Schedule.Meeting.Request
                           ├─ MeetingCancellation  IPM.Schedule.Meeting.Canceled
                           └─ MeetingResponse      IPM.Schedule.Meeting.Resp.Pos / .Neg / .Tent
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypedDict

from greenroom.simulator.recurrence import Recurrence

MailboxKind = Literal["user", "equipment"]
Home = Literal["both", "cloud", "on-premises"]
Processing = Literal["none", "auto_update", "auto_accept"]
ResponseType = Literal["Unknown", "Organizer", "Tentative", "Accept", "Decline", "NoResponseReceived"]
Answer = Literal["Accept", "Tentative", "Decline"]
Sensitivity = Literal["Normal", "Personal", "Private", "Confidential"]
Importance = Literal["Low", "Normal", "High"]
FreeBusy = Literal["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"]
Role = Literal["required", "optional", "resource"]
CalendarItemType = Literal["Single", "Occurrence", "Exception", "RecurringMaster"]
MeetingRequestType = Literal["NewMeetingRequest", "FullUpdate", "InformationalUpdate", "Outdated"]
FolderName = Literal[
    "root", "msgfolderroot", "calendar", "inbox", "sentitems", "deleteditems", "drafts", "outbox", "recoverableitems"
]
SendInvitations = Literal["SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy"]
SendUpdates = Literal[
    "SendToNone", "SendOnlyToAll", "SendOnlyToChanged", "SendToAllAndSaveCopy", "SendToChangedAndSaveCopy"
]
Disposition = Literal["SaveOnly", "SendOnly", "SendAndSaveCopy"]
ConflictResolution = Literal["NeverOverwrite", "AutoResolve", "AlwaysOverwrite"]
DeleteMode = Literal["HardDelete", "SoftDelete", "MoveToDeletedItems"]
EventType = Literal["CreatedEvent", "ModifiedEvent", "DeletedEvent", "MovedEvent", "NewMailEvent", "CopiedEvent"]


@dataclass(frozen=True, slots=True)
class Person:
    """A mail address with its display name. `routing` "EX" means `address` is an X500 name (legacyExchangeDN)."""

    address: str
    name: str = ""
    routing: Literal["SMTP", "EX"] = "SMTP"


@dataclass(frozen=True, slots=True)
class Attendee:
    """One invited person or resource. Tracking (`response`, `response_time`) is kept on the organizer's copy only."""

    person: Person
    role: Role = "required"
    response: ResponseType = "Unknown"
    response_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it is stored: HTML or plain text."""

    content: str = ""
    type: Literal["HTML", "Text"] = "Text"


@dataclass(frozen=True, slots=True)
class PropertyTag:
    """The name of an extended property: a tag, or a set (lower-case GUID) with a number or a name; `type` as in EWS.

    The global object ids are not kept here but in Meeting.goid (set 6ed8da90-450b-101b-98da-00aa003f1305, 0x3) and
    Meeting.clean_goid (0x23).
    """

    type: str
    set_id: str | None = None
    name: str | None = None
    number: int | None = None
    tag: int | None = None


PropertyValue = str | tuple[str, ...]  # the texts of EWS Value / Values


@dataclass(frozen=True, slots=True)
class ModifiedOccurrence:
    """An exception of a series, kept on the master. None means: as the master."""

    original_start: datetime
    start: datetime
    end: datetime
    subject: str | None = None
    location: str | None = None
    body: Body | None = None
    all_day: bool | None = None
    free_busy: FreeBusy | None = None
    attendees: tuple[Attendee, ...] | None = None
    my_response: ResponseType | None = None  # the owner's answer to this occurrence alone
    reply_time: datetime | None = None
    extended: tuple[tuple[PropertyTag, PropertyValue | None], ...] = ()  # over those of the series; None: not here


@dataclass(frozen=True, slots=True)
class DeletedOccurrence:
    """An occurrence taken out of a series; `start` is its original start."""

    start: datetime


@dataclass(slots=True, kw_only=True)
class Meeting:
    """What all copies of a meeting and the messages about it have in common."""

    uid: str  # calendar:UID: hex of the clean global object id, or the foreign UID as it came
    goid: bytes  # PidLidGlobalObjectId (0x3); of one occurrence: with its date in bytes 16-19
    clean_goid: bytes  # PidLidCleanGlobalObjectId (0x23): the same in every mailbox
    start: datetime
    end: datetime
    organizer: Person
    recurrence_id: datetime | None = None  # original start, for a lone occurrence and messages about one
    start_zone: str | None = None  # Windows name for meetings born here, TZID as it came for others; None: UTC
    end_zone: str | None = None
    zone_rules: str | None = None  # VTIMEZONE text as it came, for zones nobody knows by name
    all_day: bool = False
    location: str = ""
    free_busy: FreeBusy = "Busy"
    attendees: tuple[Attendee, ...] = ()
    sequence: int = 0  # AppointmentSequenceNumber
    stamp: datetime  # DateTimeStamp (OwnerCriticalChange): when the organizer sent this version
    response_requested: bool = True
    recurrence: Recurrence | None = None
    raw_rrule: str | None = None  # RRULE and RDATE lines of a series Exchange patterns cannot say (recurrence: None)
    raw_end: datetime | None = (
        None  # the end of the last occurrence of such a series at the latest; None: none is known
    )
    modified: tuple[ModifiedOccurrence, ...] = ()
    deleted: tuple[DeletedOccurrence, ...] = ()
    is_cancelled: bool = False
    as_ruled: bool = False  # only where one occurrence is read by itself: it is just as the series says

    @property
    def is_series(self) -> bool:
        """Whether this is a whole series (also one whose rule Exchange cannot say)."""
        return self.recurrence is not None or self.raw_rrule is not None

    @property
    def type(self) -> CalendarItemType:
        """CalendarItemType. A lone occurrence without its master is an Exception here."""
        if self.is_series:
            return "RecurringMaster"
        if self.as_ruled:
            return "Occurrence"
        return "Exception" if self.recurrence_id is not None else "Single"


@dataclass(slots=True, kw_only=True)
class Item:
    """What every item in a folder has. `id` changes on moving, `change_key` on every modification, `immutable_id` never."""

    id: str
    immutable_id: str = ""  # given by the store; kept over moves inside the mailbox
    change_key: str
    mailbox: str  # primary address of the owner, lower case
    folder_id: str
    item_class: str
    subject: str = ""
    body: Body = field(default_factory=Body)
    sensitivity: Sensitivity = "Normal"
    importance: Importance = "Normal"
    created: datetime
    received: datetime
    sent: datetime
    modified: datetime
    is_read: bool = True
    is_draft: bool = False
    has_attachments: bool = False
    extended: dict[PropertyTag, PropertyValue] = field(default_factory=dict)
    internet_message_id: str = ""
    # `sender` pressed Send (perhaps a delegate), `author` (EWS From) is whom it speaks for.
    sender: Person | None = None
    author: Person | None = None
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()


@dataclass(slots=True, kw_only=True)
class Message(Item):
    """A plain mail, also what becomes of scheduling methods that nobody processes (COUNTER, REFRESH)."""


@dataclass(slots=True, kw_only=True)
class CalendarItem(Item):
    """A calendar entry: the organizer's own, or an attendee's copy."""

    meeting: Meeting
    is_meeting: bool = True  # False: an appointment without attendees
    is_organizer: bool = False
    request_was_sent: bool = False  # MeetingRequestWasSent
    my_response: ResponseType = "Unknown"  # MyResponseType
    reply_time: datetime | None = None  # AppointmentReplyTime
    intended_free_busy: FreeBusy = "Busy"  # what meeting.free_busy becomes on accepting
    sent_schedule: str | None = None  # organizer only: fingerprint of the times last sent, tells FullUpdate from others

    @property
    def is_invited_to(self) -> bool:
        """Whether somebody was invited, to the meeting or to an exception of it alone."""
        to_part = any(one.attendees for one in self.meeting.modified)
        return (self.request_was_sent and bool(self.meeting.attendees)) or to_part


@dataclass(slots=True, kw_only=True)
class MeetingMessage(Item):
    """A request, cancellation or response in a mail folder."""

    meeting: Meeting
    is_out_of_date: bool = False
    has_been_processed: bool = False
    is_delegated: bool = False
    associated_id: str | None = None  # AssociatedCalendarItemId


@dataclass(slots=True, kw_only=True)
class MeetingRequest(MeetingMessage):
    """An invitation or an update."""

    request_type: MeetingRequestType = "NewMeetingRequest"


@dataclass(slots=True, kw_only=True)
class MeetingCancellation(MeetingMessage):
    """The organizer took the meeting, or this attendee, away."""


@dataclass(slots=True, kw_only=True)
class MeetingResponse(MeetingMessage):
    """An attendee's answer in the organizer's Inbox (or the attendee's Sent Items). `author` is who answered."""

    response: Answer = "Accept"


class MeetingDraft(TypedDict, total=False):
    """What a client says of a meeting when creating or changing it. Absent keys: default, or unchanged.

    `attendees` replaces the whole list (responses of those who stay are kept). `extended` is merged, None removes.
    """

    subject: str
    body: Body
    sensitivity: Sensitivity
    importance: Importance
    location: str
    start: datetime
    end: datetime
    start_zone: str | None
    end_zone: str | None
    zone_rules: str | None  # a VTIMEZONE for a start_zone nobody knows by name; another start_zone drops it
    all_day: bool
    free_busy: FreeBusy
    attendees: tuple[Attendee, ...]
    response_requested: bool
    recurrence: Recurrence | None
    uid: str  # on creation only
    is_read: bool
    extended: Mapping[PropertyTag, PropertyValue | None]


class MessageDraft(TypedDict, total=False):
    """What a client says of a plain mail."""

    subject: str
    body: Body
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    sensitivity: Sensitivity
    importance: Importance
    extended: Mapping[PropertyTag, PropertyValue | None]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of one mailbox; all are distinguished folders."""

    id: str
    change_key: str
    name: FolderName
    display_name: str
    folder_class: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class AutoAcceptOptions:
    """The switches of Set-CalendarProcessing that act under AutoAccept; the defaults are those of Exchange."""

    delete_comments: bool = True
    delete_subject: bool = True
    add_organizer_to_subject: bool = True
    remove_private_property: bool = True


@dataclass(slots=True, kw_only=True)
class Booking:
    """The rest of Set-CalendarProcessing that has an effect here.

    The defaults refuse nothing and take nothing away, as seeds want it; Exchange's are `management.calendar_processing.DEFAULTS`.
    """

    tentatively: bool = True  # AddNewRequestsTentatively
    remove_private: bool = False  # RemovePrivateProperty, under AutoUpdate as well
    remove_old: bool = False  # RemoveOldMeetingMessages
    remove_cancelled: bool = False  # RemoveCanceledMeetings
    allow_conflicts: bool = True  # from here on only under AutoAccept
    conflict_percentage: int = 0
    conflict_instances: int = 0
    allow_recurring: bool = True
    window_days: int | None = None  # BookingWindowInDays; None: any
    enforce_horizon: bool = False
    longest_minutes: int = 0  # MaximumDurationInMinutes; 0: any
    work_hours_only: bool = False
    delegates: tuple[str, ...] = ()  # ResourceDelegates
    forward_to_delegates: bool = True
    book_in_policy: bool = True  # AllBookInPolicy
    request_in_policy: bool = False
    request_out_of_policy: bool = False
    remove_mail: bool = False  # DeleteNonCalendarItems
    response: str | None = None  # AdditionalResponse, where AddAdditionalResponse is set
    more: dict[str, PropertyValue | bool | int | None] = field(default_factory=dict)  # kept and told again, no more


@dataclass(slots=True, kw_only=True)
class Mailbox:
    """Who owns a mailbox and how it treats meeting messages. Options may be changed at any time."""

    address: str  # primary SMTP address, lower case
    name: str
    kind: MailboxKind = "user"
    processing: Processing = "auto_update"  # users always behave so
    aliases: tuple[str, ...] = ()
    x500: str = ""  # legacyExchangeDN
    shows_x500: bool = (
        False  # other people's copies name this person by X500 instead of SMTP, as Exchange sometimes does
    )
    process_external: bool = True  # ProcessExternalMeetingMessages
    home: Home = "both"  # in a hybrid organisation: "cloud" is closed to EWS, "on-premises" to Graph
    auto_accept: AutoAcceptOptions = field(default_factory=AutoAcceptOptions)
    booking: Booking = field(default_factory=Booking)
    folders_locked: bool = False  # what a folder itself says of itself may be read, but not changed

    @property
    def person(self) -> Person:
        """The owner as others see them."""
        if self.shows_x500:
            return Person(self.x500, self.name, "EX")
        return Person(self.address, self.name)


@dataclass(frozen=True, slots=True)
class Account:
    """A login. `mailbox` is its own mailbox's address, None for a pure service account."""

    login: str
    mailbox: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a sync answer. `item` is the current item, None for a deletion."""

    kind: Literal["create", "update", "read_flag", "delete"]
    item_id: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """A page of changes (newest first), the state to continue from, and whether nothing is left."""

    changes: tuple[Change, ...]
    state: str
    includes_last: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A notification. The `old_` fields are set on MovedEvent only, `parent_id` where the folder itself was changed (no item)."""

    type: EventType
    item_id: str
    change_key: str
    folder_id: str
    timestamp: datetime
    watermark: str
    old_item_id: str | None = None
    old_folder_id: str | None = None
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Responded:
    """What an answer left behind: the calendar item (moved to Deleted Items when declined), the copy in Sent Items."""

    calendar_item: CalendarItem | None
    sent_copy: MeetingResponse | None


@dataclass(frozen=True, slots=True)
class OutboundMail:
    """A mail that left for another organisation, or (in `bounced`) found nobody at ours."""

    sender: str
    recipient: str
    subject: str
    method: str | None  # iTIP method, None for plain mail
    ics: bytes | None
    body: Body
    sent: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a file given to a mailbox: ids of the messages made, of calendar items touched.

    `note` says why nothing more happened, for methods that are only kept as plain mail or found nothing to act on.
    `uids` are of the meetings for which something did happen, `uid` is the first of them, or the first in the file.
    """

    method: str
    uid: str
    message_ids: tuple[str, ...]
    calendar_item_ids: tuple[str, ...]
    note: str | None = None
    uids: tuple[str, ...] = ()
