"""The order in which EWS wants the elements of items and folders, and which property paths exist.

Written down from the sequences of the EWS schema (``types.xsd``: ItemType, MessageType, CalendarItemType and so on),
because every reply must be valid against it.
"""

from __future__ import annotations

from typing import Final

from greenroom.simulator.ews.names import words

_ITEM: Final = tuple(
    words("""MimeContent ItemId ParentFolderId ItemClass Subject Sensitivity Body Attachments DateTimeReceived Size Categories
    Importance InReplyTo IsSubmitted IsDraft IsFromMe IsResend IsUnmodified InternetMessageHeaders DateTimeSent
    DateTimeCreated ResponseObjects ReminderDueBy ReminderIsSet ReminderNextTime ReminderMinutesBeforeStart DisplayCc
    DisplayTo DisplayBcc HasAttachments ExtendedProperty Culture EffectiveRights LastModifiedName LastModifiedTime
    IsAssociated WebClientReadFormQueryString WebClientEditFormQueryString ConversationId UniqueBody Flag StoreEntryId
    InstanceKey NormalizedBody EntityExtractionResult PolicyTag ArchiveTag RetentionDate Preview
    RightsManagementLicenseData PredictedActionReasons IsClutter BlockStatus HasBlockedImages TextBody IconIndex
    """)
)
_MESSAGE: Final = (
    *_ITEM,
    *words("""Sender ToRecipients CcRecipients BccRecipients IsReadReceiptRequested IsDeliveryReceiptRequested
    ConversationIndex ConversationTopic From InternetMessageId IsRead IsResponseRequested References ReplyTo ReceivedBy
    ReceivedRepresenting"""),
)
_MEETING_MESSAGE: Final = (
    *_MESSAGE,
    *words("""AssociatedCalendarItemId IsDelegated IsOutOfDate HasBeenProcessed ResponseType UID RecurrenceId DateTimeStamp
    IsOrganizer"""),
)

ITEM_ORDER: Final[dict[str, tuple[str, ...]]] = {
    "Message": _MESSAGE,
    "CalendarItem": (
        *_ITEM,
        *words("""UID RecurrenceId DateTimeStamp Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus Location When
        IsMeeting IsCancelled IsRecurring MeetingRequestWasSent IsResponseRequested CalendarItemType MyResponseType
        Organizer RequiredAttendees OptionalAttendees Resources InboxReminders ConflictingMeetingCount
        AdjacentMeetingCount ConflictingMeetings AdjacentMeetings Duration TimeZone AppointmentReplyTime
        AppointmentSequenceNumber AppointmentState Recurrence FirstOccurrence LastOccurrence ModifiedOccurrences
        DeletedOccurrences MeetingTimeZone StartTimeZone EndTimeZone ConferenceType AllowNewTimeProposal IsOnlineMeeting
        MeetingWorkspaceUrl NetShowUrl EnhancedLocation StartWallClock EndWallClock StartTimeZoneId EndTimeZoneId
        IntendedFreeBusyStatus JoinOnlineMeetingUrl OnlineMeetingSettings IsOrganizer"""),
    ),
    "MeetingMessage": _MEETING_MESSAGE,
    "MeetingRequest": (
        *_MEETING_MESSAGE,
        *words("""MeetingRequestType IntendedFreeBusyStatus Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus
        Location When IsMeeting IsCancelled IsRecurring MeetingRequestWasSent CalendarItemType MyResponseType Organizer
        RequiredAttendees OptionalAttendees Resources ConflictingMeetingCount AdjacentMeetingCount ConflictingMeetings
        AdjacentMeetings Duration TimeZone AppointmentReplyTime AppointmentSequenceNumber AppointmentState Recurrence
        FirstOccurrence LastOccurrence ModifiedOccurrences DeletedOccurrences MeetingTimeZone StartTimeZone EndTimeZone
        ConferenceType AllowNewTimeProposal IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl EnhancedLocation
        ChangeHighlights StartWallClock EndWallClock StartTimeZoneId EndTimeZoneId"""),
    ),
    "MeetingCancellation": (
        *_MEETING_MESSAGE,
        *words("Start End Location Recurrence CalendarItemType EnhancedLocation"),
    ),
    "MeetingResponse": (
        *_MEETING_MESSAGE,
        *words("Start End Location Recurrence CalendarItemType ProposedStart ProposedEnd EnhancedLocation"),
    ),
}
"""Element order by item element."""

FOLDER_ORDER: Final = words(
    "FolderId ParentFolderId FolderClass DisplayName TotalCount ChildFolderCount ExtendedProperty EffectiveRights "
    "DistinguishedFolderId PermissionSet UnreadCount"
)

BODY_ELEMENTS: Final = frozenset({"Body", "UniqueBody", "NormalizedBody", "TextBody", "MimeContent", "Attachments"})
"""What SyncFolderItems and FindItem never return: they would need the content of the item."""

_PATHS: Final[dict[str, str]] = {
    "folder": """FolderId ParentFolderId DisplayName UnreadCount TotalCount ChildFolderCount FolderClass SearchParameters
        ManagedFolderInformation PermissionSet EffectiveRights SharingEffectiveRights DistinguishedFolderId PolicyTag
        ArchiveTag ReplicaList""",
    "item": """ItemId ParentFolderId ItemClass MimeContent Attachments Subject DateTimeReceived Size Categories
        HasAttachments Importance InReplyTo InternetMessageHeaders IsAssociated IsDraft IsFromMe IsResend IsSubmitted
        IsUnmodified DateTimeSent DateTimeCreated Body ResponseObjects Sensitivity ReminderDueBy ReminderIsSet
        ReminderNextTime ReminderMinutesBeforeStart DisplayTo DisplayCc DisplayBcc Culture EffectiveRights
        LastModifiedName LastModifiedTime ConversationId UniqueBody Flag StoreEntryId InstanceKey NormalizedBody
        EntityExtractionResult PolicyTag ArchiveTag RetentionDate Preview PredictedActionReasons IsClutter
        RightsManagementLicenseData BlockStatus HasBlockedImages WebClientReadFormQueryString
        WebClientEditFormQueryString TextBody IconIndex MimeContentUTF8""",
    "message": """ConversationIndex ConversationTopic InternetMessageId IsRead IsResponseRequested IsReadReceiptRequested
        IsDeliveryReceiptRequested ReceivedBy ReceivedRepresenting References ReplyTo From Sender ToRecipients
        CcRecipients BccRecipients ApprovalRequestData VotingInformation ReminderMessageData""",
    "meeting": """AssociatedCalendarItemId IsDelegated IsOutOfDate HasBeenProcessed ResponseType ProposedStart
        ProposedEnd DoNotForwardMeeting""",
    "meetingRequest": "MeetingRequestType IntendedFreeBusyStatus ChangeHighlights",
    "calendar": """Start End OriginalStart StartWallClock EndWallClock StartTimeZoneId EndTimeZoneId IsAllDayEvent
        LegacyFreeBusyStatus Location EnhancedLocation When IsMeeting IsCancelled IsRecurring MeetingRequestWasSent
        IsResponseRequested CalendarItemType MyResponseType Organizer RequiredAttendees OptionalAttendees Resources
        ConflictingMeetingCount AdjacentMeetingCount ConflictingMeetings AdjacentMeetings InboxReminders Duration
        TimeZone AppointmentReplyTime AppointmentSequenceNumber AppointmentState Recurrence FirstOccurrence
        LastOccurrence ModifiedOccurrences DeletedOccurrences MeetingTimeZone ConferenceType AllowNewTimeProposal
        IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl UID RecurrenceId DateTimeStamp StartTimeZone EndTimeZone
        JoinOnlineMeetingUrl OnlineMeetingSettings IsOrganizer CalendarActivityData DoNotForwardMeeting""",
}
FIELD_URIS: Final = frozenset(f"{prefix}:{name}" for prefix, names in _PATHS.items() for name in words(names))
FOREIGN_PREFIXES: Final = frozenset(
    {"task", "contacts", "distributionlist", "postitem", "conversation", "sharingMessage"}
)
"""Property paths of kinds of items that no mailbox here holds; asked for, they are simply absent."""

DEFAULT_SHAPE: Final[dict[str, frozenset[str]]] = {
    "Message": frozenset(
        words("""ItemId Subject Sensitivity Body Attachments Size DateTimeSent DateTimeCreated HasAttachments ToRecipients
        CcRecipients BccRecipients From IsReadReceiptRequested IsDeliveryReceiptRequested InternetMessageId IsRead
        """)
    ),
    "CalendarItem": frozenset(
        words("""ItemId Subject Attachments ResponseObjects HasAttachments Start End LegacyFreeBusyStatus Location
        CalendarItemType Organizer""")
    ),
    "MeetingMessage": frozenset(words("ItemId Subject Sensitivity HasAttachments From IsRead ResponseType")),
    "MeetingRequest": frozenset(
        words("""ItemId Subject Sensitivity Body ResponseObjects HasAttachments ToRecipients From IsRead
        AssociatedCalendarItemId HasBeenProcessed ResponseType MeetingRequestType IntendedFreeBusyStatus Start End
        Location Organizer RequiredAttendees OptionalAttendees Resources""")
    ),
    "MeetingCancellation": frozenset(
        words("ItemId Subject Sensitivity Body HasAttachments ToRecipients From IsRead AssociatedCalendarItemId")
    ),
    "MeetingResponse": frozenset(
        words("ItemId Subject Sensitivity Body HasAttachments ToRecipients From IsRead ResponseType")
    ),
}
"""What BaseShape Default adds to the id, near to the tables of the GetItem page."""
