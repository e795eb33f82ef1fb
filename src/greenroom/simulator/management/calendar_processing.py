"""Get- and Set-CalendarProcessing: every parameter of Exchange's own, with its default.

Source: Set-CalendarProcessing (Exchange documentation). What has no effect here is kept and told again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator import rights
from greenroom.simulator.management.cmdlet import (
    BOOL,
    EXCHANGE,
    LIST,
    NUMBER,
    ONLY_ONLINE,
    SWITCH,
    TEXT,
    Desk,
    Given,
    Reader,
    Thing,
    cmdlet,
    invalid,
    one_of,
)
from greenroom.simulator.management.lookup import mailbox_of
from greenroom.simulator.model import Booking

if TYPE_CHECKING:
    from greenroom.simulator.model import Mailbox, Processing

_MODES: Final[dict[str, Processing]] = {"None": "none", "AutoUpdate": "auto_update", "AutoAccept": "auto_accept"}
_MOST_DAYS: Final = 1080


@dataclass(frozen=True, slots=True)
class _Setting:
    """One parameter: how it is read, Exchange's default, and where it is kept ("" in `Booking.more`)."""

    read: Reader
    default: Any
    place: str = ""


_SETTINGS: Final[dict[str, _Setting]] = {
    "AllowConflicts": _Setting(BOOL, False, "booking.allow_conflicts"),
    "AllowRecurringMeetings": _Setting(BOOL, True, "booking.allow_recurring"),
    "BookingWindowInDays": _Setting(NUMBER, 180, "booking.window_days"),
    "MaximumDurationInMinutes": _Setting(NUMBER, 1440, "booking.longest_minutes"),
    "MinimumDurationInMinutes": _Setting(NUMBER, 0),
    "EnforceSchedulingHorizon": _Setting(BOOL, True, "booking.enforce_horizon"),
    "ScheduleOnlyDuringWorkHours": _Setting(BOOL, False, "booking.work_hours_only"),
    "ConflictPercentageAllowed": _Setting(NUMBER, 0, "booking.conflict_percentage"),
    "MaximumConflictInstances": _Setting(NUMBER, 0, "booking.conflict_instances"),
    "ForwardRequestsToDelegates": _Setting(BOOL, True, "booking.forward_to_delegates"),
    "ResourceDelegates": _Setting(LIST, (), "booking.delegates"),
    "DeleteAttachments": _Setting(BOOL, True),
    "DeleteComments": _Setting(BOOL, True, "auto_accept.delete_comments"),
    "DeleteSubject": _Setting(BOOL, True, "auto_accept.delete_subject"),
    "AddOrganizerToSubject": _Setting(BOOL, True, "auto_accept.add_organizer_to_subject"),
    "RemovePrivateProperty": _Setting(BOOL, True, "auto_accept.remove_private_property"),
    "DeleteNonCalendarItems": _Setting(BOOL, True, "booking.remove_mail"),
    "TentativePendingApproval": _Setting(BOOL, True),
    "EnableResponseDetails": _Setting(BOOL, True),
    "OrganizerInfo": _Setting(BOOL, True),
    "AddAdditionalResponse": _Setting(BOOL, False),
    "AdditionalResponse": _Setting(TEXT, ""),
    "AllBookInPolicy": _Setting(BOOL, True, "booking.book_in_policy"),
    "AllRequestInPolicy": _Setting(BOOL, False, "booking.request_in_policy"),
    "AllRequestOutOfPolicy": _Setting(BOOL, False, "booking.request_out_of_policy"),
    "BookInPolicy": _Setting(LIST, ()),
    "RequestInPolicy": _Setting(LIST, ()),
    "RequestOutOfPolicy": _Setting(LIST, ()),
    "AddNewRequestsTentatively": _Setting(BOOL, True, "booking.tentatively"),
    "ProcessExternalMeetingMessages": _Setting(BOOL, False, "process_external"),
    "RemoveOldMeetingMessages": _Setting(BOOL, True, "booking.remove_old"),
    "RemoveForwardedMeetingNotifications": _Setting(BOOL, False),
    "RemoveCanceledMeetings": _Setting(BOOL, False, "booking.remove_cancelled"),
    "EnableAutoRelease": _Setting(BOOL, False),
    "PostReservationMaxClaimTimeInMinutes": _Setting(NUMBER, 10),
    "EnforceCapacity": _Setting(BOOL, False),
    "BookingType": _Setting(one_of("Standard", "Reserved"), "Standard"),
}
_ONLY_ONLINE: Final = dict.fromkeys(
    ("RemoveCanceledMeetings", "EnableAutoRelease", "PostReservationMaxClaimTimeInMinutes", "BookingType",
     "EnforceCapacity", "MinimumDurationInMinutes"),
    ONLY_ONLINE,
)  # fmt: skip
DEFAULTS: Final = {name: setting.default for name, setting in _SETTINGS.items()}
"""What Exchange gives a new resource mailbox, beside AutomateProcessing."""


def as_new(mailbox: Mailbox, mode: Processing) -> None:
    """Set everything to the defaults of a new resource mailbox."""
    mailbox.processing = mode
    mailbox.booking = Booking()
    for name, value in DEFAULTS.items():
        _put(mailbox, name, value)


def _put(mailbox: Mailbox, name: str, value: Any) -> None:
    owner, _, attribute = _SETTINGS[name].place.rpartition(".")
    if not attribute:
        mailbox.booking.more[name] = value
    elif owner == "auto_accept":
        mailbox.auto_accept = replace(mailbox.auto_accept, **{attribute: value})
    else:
        setattr(mailbox.booking if owner else mailbox, attribute, value)
    if name == "RemovePrivateProperty":
        mailbox.booking.remove_private = value
    added = mailbox.booking.more.get("AddAdditionalResponse")
    text = mailbox.booking.more.get("AdditionalResponse")
    mailbox.booking.response = str(text) if added and text else None


def _taken(mailbox: Mailbox, name: str) -> Any:
    owner, _, attribute = _SETTINGS[name].place.rpartition(".")
    if not attribute:
        value = mailbox.booking.more.get(name, _SETTINGS[name].default)
    elif owner == "auto_accept":
        value = getattr(mailbox.auto_accept, attribute)
    else:
        value = getattr(mailbox.booking if owner else mailbox, attribute)
    if name == "BookingWindowInDays" and value is None:
        return _MOST_DAYS
    return list(value) if isinstance(value, tuple) else value


@cmdlet("Get-CalendarProcessing", parameters={"Identity": TEXT}, shells=EXCHANGE)
def get_calendar_processing(desk: Desk, given: Given) -> list[Thing]:
    """How a mailbox treats meeting messages. Users' mailboxes always process as AutoUpdate does."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    mode = next(name for name, kept in _MODES.items() if kept == mailbox.processing)
    identity = rights.recipient(desk.exchange.site, mailbox).name
    return [{"Identity": identity, "AutomateProcessing": mode} | {name: _taken(mailbox, name) for name in _SETTINGS}]


@cmdlet(
    "Set-CalendarProcessing",
    parameters={
        "Identity": TEXT,
        "AutomateProcessing": one_of(*_MODES),
        "IgnoreDefaultScope": SWITCH,
        **{name: setting.read for name, setting in _SETTINGS.items()},
    },
    shells=EXCHANGE,
    only=_ONLY_ONLINE,
)
def set_calendar_processing(desk: Desk, given: Given) -> list[Thing]:
    """Change it. Only resource mailboxes can be set to accept by themselves."""
    mailbox = mailbox_of(desk, given.need("Identity"))
    mode = given.get("AutomateProcessing")
    if mode is not None and mailbox.kind == "user" and mode != "AutoUpdate":
        raise invalid("AutomateProcessing can be set on resource mailboxes only.", "InvalidOperationException")
    if not 0 <= given.get("BookingWindowInDays", 0) <= _MOST_DAYS:
        text = f"BookingWindowInDays must be between 0 and {_MOST_DAYS}."
        raise invalid(text, "ParameterArgumentValidationError")
    if given.get("MaximumDurationInMinutes", 0) < 0:
        raise invalid("MaximumDurationInMinutes must not be negative.", "ParameterArgumentValidationError")
    if mode is not None:
        mailbox.processing = _MODES[mode]
    for name in _SETTINGS:
        if name == "ResourceDelegates" and name in given:
            _put(mailbox, name, tuple(mailbox_of(desk, one).address for one in given[name]))
        elif name in given:
            _put(mailbox, name, given[name])
    return []
