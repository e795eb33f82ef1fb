"""What an administrator's check exported of the mailbox, compared with what has to be: one finding for each wrong setting.

Calendar processing can be read neither over EWS nor over Graph, so this is the exact look at it. The file is hostile until it is
read: it may have gone through mail and hands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.findings import About
from greenroom.outside import parse_json
from greenroom.settings import EwsExchange, Integration
from greenroom.setup.calendar_processing import Gravity, Setpoint, Setting, agrees, existing, needed, plain
from greenroom.setup.powershell import UnsafeValueError, literal

KINDS = ("exchange-server", "microsoft-365", "microsoft-365-service-account")
_LONGEST = 1024 * 1024
_VERSION = 1
_EQUIPMENT, _ROOM = frozenset({"EquipmentMailbox", 32}), frozenset({"RoomMailbox", 16})
"""RecipientTypeDetails by name, and by the number that Windows PowerShell may write into JSON."""
_MARKS = {"production": "Greenroom production", "test": "Greenroom test"}
_MOST_RIGHTS = 200
_LONGEST_SHOWN = 80
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SWITCHES = {
    "basic": "BasicAuthentication",
    "ntlm": "WindowsAuthentication",
    "kerberos": "WindowsAuthentication",
    "oauth": "OAuthAuthentication",
    "bearer": "OAuthAuthentication",
}


class FactsError(Exception):
    """The file cannot be used; the text says why, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An export. Parts that do not exist for a kind are empty."""

    kind: str
    address: str
    parts: Mapping[str, Any] = field(repr=False)

    @property
    def cloud(self) -> bool:
        """Whether it is of Exchange Online."""
        return self.kind != "exchange-server"

    def part(self, name: str) -> Mapping[str, Any]:
        """Return a part that is a table; empty if it is not there."""
        found = self.parts.get(name)
        return found if isinstance(found, dict) else {}


def read_facts(file: Path) -> Facts:
    """Read a file. Raises FactsError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LONGEST + 1)
    except OSError as error:
        raise FactsError(f"it cannot be read ({error.strerror or type(error).__name__})") from None
    return parse_facts(data)


def parse_facts(data: bytes) -> Facts:
    """Read what the check wrote. Windows PowerShell may have written it as UTF-16. Raises FactsError."""
    if len(data) > _LONGEST:
        raise FactsError("it is too long to be what the check writes")
    if data[:2] in _UTF16:
        data = data.decode("utf-16", "replace").encode()
    try:
        found = parse_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        raise FactsError("it is no JSON: a piece may be missing, or an editor changed it") from None
    if not isinstance(found, dict) or "greenroom" not in found:
        raise FactsError("it was not written by the check of `greenroom setup`")
    if found["greenroom"] != _VERSION:
        raise FactsError("it was written by the check of another version of Greenroom")
    kind, mailbox = found.get("kind"), found.get("mailbox")
    address = _value(mailbox.get("address")) if isinstance(mailbox, dict) else None
    if kind not in KINDS or not isinstance(address, str):
        raise FactsError("it does not say of which kind of installation and of which mailbox it is")
    return Facts(kind, address, found)


def compare_facts(facts: Facts, entry: Integration, environment: str | None = None) -> list[Finding]:
    """Compare with what this integration needs. `environment` is which installation this is, if that was said."""
    return [
        *_mailbox(facts, entry, environment),
        *_processing(facts, entry),
        *_access(facts, entry),
        *_rights(facts, entry),
        *_sending(facts, entry),
    ]


def _mailbox(facts: Facts, entry: Integration, environment: str | None) -> Iterator[Finding]:
    part = facts.part("mailbox")
    kind, about = _value(part.get("RecipientTypeDetails")), About("mailbox-kind", entry.mailbox)
    retype = f"Set-Mailbox -Identity {_quoted(entry.mailbox)} -Type Equipment"
    if kind in _EQUIPMENT:
        yield about.well("It is an equipment mailbox.")
    elif kind in _ROOM:
        yield about.note(
            "It is a room mailbox.", "It works, but stands among real rooms where people choose one.", retype
        )
    else:
        why = "Only resource mailboxes have calendar processing."
        yield about.wrong(f"It is no equipment mailbox ({_shown(kind)}).", why, retype)
    about, mark = About("mailbox-mark", entry.mailbox), _value(part.get("CustomAttribute1"))
    title = _value(part.get("DisplayName"))
    why = "Two installations on one mailbox answer against each other, and test would write into real meetings."
    wanted = _MARKS.get(environment or "")
    mend = f"Give each installation a mailbox of its own: greenroom setup {facts.kind} --environment {environment or 'test'}"
    if not mark:
        set_it = f"Set-Mailbox -Identity {_quoted(entry.mailbox)} -CustomAttribute1 {_quoted(wanted or _MARKS['production'])}"
        yield about.note("The mailbox carries no mark of its installation.", why, set_it)
    elif mark not in _MARKS.values() or (wanted is not None and mark != wanted):
        yield about.wrong(f"The mailbox carries the mark of another installation ({_shown(mark)}).", why, mend)
    elif isinstance(title, str) and mark == _MARKS["production"] and title.casefold() == _MARKS["test"].casefold():
        yield about.wrong("Test and production are mixed up: mark and name of the mailbox differ.", why, mend)
    else:
        yield about.well(f"It is marked: {mark}.")


def _processing(facts: Facts, entry: Integration) -> Iterator[Finding]:
    part, subject = facts.part("calendar"), entry.mailbox
    if not part:
        yield About("processing", subject).unknown(
            "The file says nothing of calendar processing.", "Run the check once more."
        )
        return
    answers = _is_auto_accept(part)
    external = _value(part.get("ProcessExternalMeetingMessages")) is True
    wrong = 0
    for setting in existing(cloud=facts.cloud):
        if setting.gravity is Gravity.NONE:
            continue
        need = needed(setting, protocol=entry.exchange.protocol, external=external)
        if setting.name not in part:
            wrong += 1
            yield About("processing", subject).unknown(
                f"The file does not tell {setting.name}.", "Run the check once more."
            )
        elif not agrees(setting, part[setting.name], need) and not _works_too(setting, part[setting.name], entry):
            wrong += 1
            yield _differs(setting, part[setting.name], need, subject, answers=answers)
    if not wrong:
        yield About("processing", subject).well("Calendar processing is as it has to be.")


def _differs(setting: Setting, found: Any, need: Setpoint, subject: str, *, answers: bool) -> Finding:
    now_idle = setting.under_auto_accept and not answers
    grave = setting.gravity in {Gravity.BREAKS, Gravity.HARMS} and not now_idle
    idle = " It has no effect now, but has one as soon as AutomateProcessing is AutoAccept." if now_idle else ""
    what = f"{setting.name} is {_shown(_value(found))} and has to be {_shown(need)}."
    mend = f"Set-CalendarProcessing -Identity {_quoted(subject)} -{setting.name} {_quoted(need)}"
    return Finding("processing", subject, State.WRONG if grave else State.NOTE, what, f"{setting.why}{idle}", mend)


def _is_auto_accept(part: Mapping[str, Any]) -> bool:
    setting = next(one for one in existing(cloud=False) if one.name == "AutomateProcessing")
    return agrees(setting, part.get(setting.name), "AutoAccept")


def _works_too(setting: Setting, found: Any, entry: Integration) -> bool:
    """Over EWS an invitation is answered also where Exchange writes nothing into the calendar."""
    over_ews = entry.exchange.protocol == "ews"
    return setting.name == "AutomateProcessing" and over_ews and agrees(setting, found, "None")


def _access(facts: Facts, entry: Integration) -> Iterator[Finding]:
    if entry.exchange.protocol != "ews":
        return
    about, enabled = About("mailbox-ews", entry.mailbox), _value(facts.part("cas").get("EwsEnabled"))
    why = "Greenroom reads the mailbox over EWS."
    if enabled is False:
        yield about.wrong(
            "EWS is switched off for the mailbox.",
            why,
            f"Set-CASMailbox -Identity {_quoted(entry.mailbox)} -EwsEnabled $true",
        )
    elif enabled is True:
        yield about.well("EWS is on for the mailbox.")
    endpoints, switch = facts.part("endpoints"), _SWITCHES[entry.exchange.auth]
    if endpoints and _value(endpoints.get(switch)) is not True:
        mend = f"Get-WebServicesVirtualDirectory -ADPropertiesOnly | Set-WebServicesVirtualDirectory -{switch} $true"
        what = f"Exchange does not let anybody sign in to EWS that way: {switch} is not on everywhere."
        yield About("exchange-endpoints", entry.name).wrong(what, "Greenroom signs in that way.", mend)
    elif endpoints:
        yield About("exchange-endpoints", entry.name).well(f"{switch} is on for EWS.")


def _rights(facts: Facts, entry: Integration) -> Iterator[Finding]:
    itself = isinstance(entry.exchange, EwsExchange) and not entry.exchange.impersonate  # then the account needs none
    if "rights" not in facts.parts or itself:
        return
    about, listed = About("mailbox-rights", entry.mailbox), facts.parts["rights"]
    rights = [one for one in (listed if isinstance(listed, list) else [listed])[:_MOST_RIGHTS] if isinstance(one, dict)]
    role = "Application Calendars.ReadWrite" if facts.cloud else "ApplicationImpersonation"
    ours = [
        one for one in rights if _folded(one.get("role")) == role.casefold() and _value(one.get("InScope")) is not False
    ]
    why = "Without it the mailbox cannot be opened for Greenroom."
    mend = f"Run the script that grants rights once more: greenroom setup {facts.kind} writes it."
    if not ours:
        yield about.wrong(f"Nobody has the role {role} for this mailbox.", why, mend)
    elif any(_value(one.get("scope")) in {None, "", "Organization"} for one in ours):
        why = "Whoever has the password of that account could open every mailbox."
        yield about.note(f"The role {role} is given without a scope: it holds for every mailbox.", why, mend)
    else:
        yield about.well(f"The role {role} is given, within a scope.")


def _sending(facts: Facts, entry: Integration) -> Iterator[Finding]:
    part, about = facts.part("sending"), About("mailbox-sending", entry.mailbox)
    if not part:
        return
    identity = f"Set-Mailbox -Identity {_quoted(entry.mailbox)}"
    fine = True
    if _value(part.get("ModerationEnabled")) is True:
        fine = False
        yield about.wrong(
            "Invitations to the mailbox wait for a moderator.",
            "Nobody approves them.",
            f"{identity} -ModerationEnabled $false",
        )
    if _value(part.get("ForwardingSmtpAddress")) and _value(part.get("DeliverToMailboxAndForward")) is not True:
        fine = False
        why = "Greenroom sees nothing of them."
        yield about.wrong(
            "Invitations are forwarded and do not stay in the mailbox.", why, f"{identity} -ForwardingSmtpAddress $null"
        )
    external = _value(facts.part("calendar").get("ProcessExternalMeetingMessages")) is True
    if external and _value(part.get("RequireSenderAuthenticationEnabled")) is True:
        fine = False
        why = "They are processed, but never arrive."
        mend = f"{identity} -RequireSenderAuthenticationEnabled $false"
        yield about.note("People of other organisations may be answered, but may not write to the mailbox.", why, mend)
    if fine:
        yield about.well("It takes invitations, and forwards none.")


def _value(exported: Any) -> str | int | None:
    """Return a plain value; what is none is shown as such, and agrees with nothing."""
    found = plain(exported)
    return found if found is None or isinstance(found, (str, int)) else "something else"


def _folded(value: Any) -> str:
    found = _value(value)
    return found.casefold() if isinstance(found, str) else ""


def _quoted(value: Setpoint) -> str:
    try:
        return literal(value)
    except UnsafeValueError:
        return "'...'"  # nobody copies what they cannot see


def _shown(value: Any) -> str:
    """Write a value of the file for people; strangers may have written it."""
    if isinstance(value, bool):
        return "$true" if value else "$false"
    text = "nothing" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_SHOWN]
