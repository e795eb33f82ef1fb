"""What the equipment mailbox's calendar processing has to be, value by value, with the reason for each.

Pure data: `greenroom setup` writes it into scripts, the doctor compares with it what an administrator exported. Meanings and
defaults: https://learn.microsoft.com/powershell/module/exchangepowershell/set-calendarprocessing
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

Setpoint = bool | int | str | None
Protocol = Literal["ews", "graph"]


class Found(StrEnum):
    """Where a setting exists."""

    BOTH = "both"
    CLOUD = "cloud"
    ON_PREMISES = "on-premises"


class Gravity(StrEnum):
    """What it means that a setting is not as it should be."""

    BREAKS = "breaks"  # meetings get no room, or a wrong one
    HARMS = "harms"  # some meetings do, or something is lost on the way
    UNTIDY = "untidy"  # nothing is lost
    NONE = "none"  # any value will do: it is not written either


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of Set-CalendarProcessing.

    `need` is the value for both protocols unless `over_ews` says another; `also` are values that work as well. `under_auto_accept`
    means that Exchange looks at it only where AutomateProcessing is AutoAccept: it is set all the same, since somebody will switch
    that back one day. `wanted_for_external` replaces `need` where people of other organisations may invite the mailbox.
    """

    name: str
    default: Setpoint
    need: Setpoint
    why: str
    gravity: Gravity
    found: Found = Found.BOTH
    under_auto_accept: bool = False
    over_ews: Setpoint | Literal["same"] = "same"
    wanted_for_external: Setpoint | Literal["same"] = "same"


_BREAKS, _HARMS, _UNTIDY, _NONE = Gravity.BREAKS, Gravity.HARMS, Gravity.UNTIDY, Gravity.NONE

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "AutomateProcessing",
        "AutoAccept",
        "AutoUpdate",
        "Exchange writes invitations into the calendar, and Greenroom alone answers them. With AutoAccept Exchange answers first "
        "and strips text; with None nothing is in the calendar, so that Graph has nothing to answer.",
        _BREAKS,
    ),
    Setting(
        "AddNewRequestsTentatively",
        True,
        True,
        "New invitations stand in the calendar as tentative. Without it they never get there.",
        _BREAKS,
    ),
    Setting(
        "ProcessExternalMeetingMessages",
        False,
        False,
        "Invitations of other organisations are rejected, unless they are wanted: whoever may invite the mailbox gets rooms.",
        _HARMS,
        wanted_for_external=True,
    ),
    Setting(
        "DeleteComments",
        True,
        False,
        "The text holds the ticket of the add-in and the joining instructions.",
        _BREAKS,
        under_auto_accept=True,
    ),
    Setting("DeleteSubject", True, False, "Rooms are named after the subject.", _HARMS, under_auto_accept=True),
    Setting(
        "AddOrganizerToSubject",
        True,
        False,
        "The organizer's name would take the place of the subject.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "DeleteAttachments",
        True,
        True,
        "Nobody reads attachments here: they only take space.",
        _UNTIDY,
        under_auto_accept=True,
    ),
    Setting(
        "RemovePrivateProperty",
        True,
        False,
        "A private meeting stays private: its subject is not shown on the room.",
        _HARMS,
    ),
    Setting(
        "AllowConflicts",
        False,
        True,
        "The mailbox is in many meetings at the same time.",
        _BREAKS,
        under_auto_accept=True,
    ),
    Setting(
        "ConflictPercentageAllowed",
        0,
        0,
        "Does not matter where conflicts are allowed.",
        _NONE,
        under_auto_accept=True,
    ),
    Setting(
        "MaximumConflictInstances",
        0,
        0,
        "Does not matter where conflicts are allowed.",
        _NONE,
        under_auto_accept=True,
    ),
    Setting(
        "AllowRecurringMeetings", True, True, "Series get rooms as single meetings do.", _BREAKS, under_auto_accept=True
    ),
    Setting(
        "BookingWindowInDays",
        180,
        1080,
        "1080 days are the most that Exchange allows; later meetings would be declined.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "EnforceSchedulingHorizon",
        True,
        False,
        "A series that ends later than that would be declined as a whole.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "MaximumDurationInMinutes",
        1440,
        0,
        "0 means without a limit; meetings of several days would be declined.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "ScheduleOnlyDuringWorkHours",
        False,
        False,
        "A room can be had at any hour.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "AllBookInPolicy",
        True,
        True,
        "Everybody may invite the mailbox without a delegate.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "AllRequestInPolicy",
        False,
        False,
        "No invitation waits for a delegate's approval.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "AllRequestOutOfPolicy",
        False,
        False,
        "No invitation waits for a delegate's approval.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "ForwardRequestsToDelegates",
        True,
        False,
        "Greenroom answers; nobody else gets the invitations to answer.",
        _HARMS,
    ),
    Setting("ResourceDelegates", None, None, "A delegate would get the invitations and answer them.", _HARMS),
    Setting(
        "TentativePendingApproval",
        True,
        True,
        "What waits for an answer stands in the calendar as tentative.",
        _HARMS,
        under_auto_accept=True,
    ),
    Setting(
        "RemoveOldMeetingMessages",
        True,
        True,
        "The calendar is the truth. Over EWS outdated messages are kept, since they tell what happened in which order.",
        _UNTIDY,
        over_ews=False,
    ),
    Setting(
        "RemoveForwardedMeetingNotifications",
        False,
        True,
        "Notes that somebody forwarded a meeting are of no use here.",
        _UNTIDY,
    ),
    Setting(
        "RemoveCanceledMeetings",
        False,
        False,
        "A cancelled meeting has to stay in the calendar as cancelled, or its cancellation is not seen.",
        _BREAKS,
        found=Found.CLOUD,
    ),
    Setting(
        "DeleteNonCalendarItems",
        True,
        True,
        "Mail that is no invitation is junk here.",
        _UNTIDY,
    ),
    Setting(
        "OrganizerInfo", True, True, "Only matters for answers that Exchange writes.", _NONE, under_auto_accept=True
    ),
    Setting(
        "EnableResponseDetails",
        True,
        True,
        "Only matters for answers that Exchange writes.",
        _NONE,
        under_auto_accept=True,
    ),
    Setting(
        "AddAdditionalResponse",
        False,
        False,
        "A fixed text would be added to answers.",
        _UNTIDY,
        under_auto_accept=True,
    ),
    Setting(
        "BookingType",
        "Standard",
        "Standard",
        "A mailbox that is Reserved cannot be invited.",
        _BREAKS,
        found=Found.CLOUD,
    ),
)
"""In the order in which they matter and belong together."""

BY_NAME: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}
_PROCESSING: Final = ("None", "AutoUpdate", "AutoAccept")  # by the numbers that they have in JSON of Windows PowerShell


def existing(*, cloud: bool) -> Iterator[Setting]:
    """Yield the settings that exist in Exchange Online, or in Exchange Server."""
    missing = Found.ON_PREMISES if cloud else Found.CLOUD
    return (setting for setting in SETTINGS if setting.found is not missing)


def needed(setting: Setting, *, protocol: Protocol, external: bool = False, processing: str = "AutoUpdate") -> Setpoint:
    """Return the value that this installation needs. `processing` is what was chosen for AutomateProcessing."""
    if setting.name == "AutomateProcessing":
        return processing
    if external and setting.wanted_for_external != "same":
        return setting.wanted_for_external
    if protocol == "ews" and setting.over_ews != "same":
        return setting.over_ews
    return setting.need


def plain(exported: Any) -> Any:
    """Return an exported value without what PowerShell's JSON puts around it.

    ConvertTo-Json writes a value of a remote session as `{"value": 1, "Value": "AutoUpdate"}` and an empty list as `[]` or `{}`.
    """
    if isinstance(exported, dict):
        return next((exported[key] for key in ("Value", "value") if key in exported), None)
    return None if exported in ([], "") else exported


def agrees(setting: Setting, exported: Any, need: Setpoint) -> bool:
    """Whether an exported value is the one that is needed. Words count in any case, as in PowerShell."""
    found = plain(exported)
    if setting.name == "AutomateProcessing" and type(found) is int and found in range(len(_PROCESSING)):
        found = _PROCESSING[found]
    if isinstance(found, str) and isinstance(need, str):
        return found.casefold() == need.casefold()
    return type(found) is type(need) and found == need
